"""Drugs that meet sirolimus: by order, by statement, or just stopped; and what a level has shown of those that move it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from cds.chart.model import DrugUse
from cds.chart.times import Moment
from cds.facts.episodes import Episode, episodes
from cds.facts.levels import LEVEL_NAMES, MOVING
from cds.facts.modulators import Meeting, meetings
from cds.facts.record import Named, listed, on_day
from cds.facts.situation import Situation

_MODULATORS: dict[str, tuple[str, ...]] = {
    "strong_inhibitors": ("strong-inhibitor",),
    "strong_inducers": ("strong-inducer",),
    "moderate_inhibitors": ("moderate-inhibitor",),
    "moderate_inducers": ("moderate-inducer",),
}
"""What moves the level: each fact and its value sets. A usable level answers them, in time."""

_OTHERS: dict[str, tuple[str, str]] = {
    "ciclosporin": ("ciclosporin", ""),
    "mtor_inhibitors": ("mtor-inhibitor", ""),
    "calcineurin_inhibitors": ("calcineurin-inhibitor", ""),
    "ace_inhibitors": ("ace-inhibitor", "ace_inhibitor_shown"),
    "bleeding_risk_drugs": ("bleeding-risk-drug", ""),
    "grapefruit": ("grapefruit", "herbal_shown"),
    "live_vaccines": ("live-vaccine", ""),
    "unspecified_vaccines": ("unspecified-vaccine", ""),
}
"""What no level answers: each fact, its value set and, on an opened chart, for how long after its start it is spoken of."""

_HERBALS = ("St. John's wort extract", "cannabidiol", "schisandra (Wuzhi)")
"""What people take without an order; stated and not ordered, it is spoken of as such."""
_HERBAL_INDUCERS = ("St. John's wort extract",)

_THEN = {"inhibitor": "the level will fall", "inducer": "the level will rise over some {inducer_settles} days"}
Kind = Literal["inhibitor", "inducer"]


def put_interactions(situation: Situation) -> None:
    """What meets sirolimus now, or would by a draft, and what has just stopped meeting it."""
    herbals: list[Named] = []
    for name, (valueset, shown) in _OTHERS.items():
        _put(situation, name, list(_beside(situation, valueset, shown, herbals)), "no such drug meets sirolimus now")
    _put_modulators(situation, herbals)
    _put(situation, "herbals", herbals, "no such remedy is stated")
    lasting = [each for each in herbals if each.name not in _HERBAL_INDUCERS]
    _put(situation, "herbal_inhibitors", lasting, "no such remedy is stated")
    stopped = [(kind, each) for kind, each in _stopped(situation)]
    _put(situation, "stopped_modulators", [each for _, each in stopped], "no interacting drug was stopped lately")
    inducers = [each for kind, each in stopped if kind == "inducer"]
    _put(situation, "stopped_inducers", inducers, "no inducer was stopped lately")
    _put_inhibitors(situation)
    _put_calcineurin(situation)
    _put_bleeding_risk(situation)
    ordered = situation.chart.ordered(*LEVEL_NAMES)
    situation.facts.put("level_ordered", bool(ordered), *ordered)


def _put(situation: Situation, name: str, found: list[Named], reason: str) -> None:
    if not found:
        situation.facts.miss(reason, name)
        return
    unique = {one.name: one for one in reversed(found)}
    ordered = [unique[key] for key in sorted(unique)]
    situation.facts.put(name, ordered, *(reference for one in ordered for reference in one.references))


def _put_modulators(situation: Situation, herbals: list[Named]) -> None:
    """Each kind of modulator, and the worst of what levels say of its drugs: unsettled, out of target, in target."""
    every: list[Named] = []
    unsettled: list[Named] = []
    for name, valuesets in _MODULATORS.items():
        found = list(meetings(situation, *valuesets))
        for each in found:
            if each.stated and each.name in _HERBALS:
                if each.new_for(situation, "herbal_shown"):
                    herbals.append(each.named())
                if each.state == "unsettled" and each.name not in _HERBAL_INDUCERS:
                    unsettled.append(each.named())
        found = [each for each in found if not (each.stated and each.name in _HERBALS)]
        _put(situation, name, [each.named() for each in found], "no such drug meets sirolimus now")
        if found:
            worst = min(found, key=Meeting.rank)
            situation.facts.put(f"{name}_state", worst.state, *(r for each in found for r in each.references))
            if worst.level_age is not None:
                situation.facts.put(f"{name}_level_age", Decimal(worst.level_age))
        else:
            situation.facts.miss("no such drug meets sirolimus now", f"{name}_state", f"{name}_level_age")
        if name.startswith("moderate"):
            every += [each.named() for each in found if each.state != "in_target"]
        if name == "moderate_inhibitors":
            unsettled += [each.named() for each in found if each.state == "unsettled"]
    _put(
        situation, "moderate_modulators", every, "no such drug meets sirolimus now, or a level in the target answers it"
    )
    _put_effect(situation)
    states = [situation.facts.values.get(f"{name}_state") for name in ("moderate_inhibitors", "moderate_inducers")]
    situation.facts.put("moderate_unsettled", "unsettled" in states)
    _put(situation, "unsettled_inhibitors", unsettled, "no inhibitor waits for a level")


def _put_effect(situation: Situation) -> None:
    """Whether moderate modulators that no level in the target answers raise the level, lower it, or both."""
    answered = "in_target"
    both = (("rise", "moderate_inhibitors"), ("fall", "moderate_inducers"))
    values = situation.facts.values
    does = [word for word, name in both if values.get(f"{name}_state", answered) != answered]
    if does:
        situation.facts.put("moderate_effect", " or ".join(does))
    else:
        situation.facts.miss("no such drug meets sirolimus now, or a level in the target answers it", "moderate_effect")


def _beside(situation: Situation, valueset: str, shown: str, herbals: list[Named]) -> Iterable[Named]:
    """Partners that no level answers. On an opened chart some are spoken of only for days after they met sirolimus."""
    if situation.ordering:
        yield from drafted(situation, valueset)
    for episode in episodes(situation, valueset):
        if not episode.active or not (situation.drafts if situation.ordering else situation.taking):
            continue
        old = bool(shown) and not situation.ordering and not _met_within(situation, episode, shown)
        if old and not (valueset == "ace-inhibitor" and situation.facts.values.get("angioedema_on_record")):
            continue
        if episode.name in _HERBALS and all(use.reference.startswith("MedicationStatement") for use in episode.uses):
            herbals.append(named(episode))
        else:
            yield named(episode)


def drafted(situation: Situation, valueset: str) -> list[Named]:
    """Draft partners, where this draft or one of sirolimus is being selected or signed."""
    return [_draft(use) for use in drafts_of(situation, valueset)]


def drafts_of(situation: Situation, *valuesets: str) -> list[DrugUse]:
    """The draft orders of partners that are asked about."""
    also = situation.taking or situation.other_drafts
    return [
        use
        for use in situation.chart.drugs
        if use.valueset in valuesets and use.draft and (situation.drafts or (use.selected and also))
    ]


def _draft(use: DrugUse) -> Named:
    return Named(use.name, "draft order" + (", matched by name" if use.by_name else ""), (use.reference,), draft=True)


def _met_within(situation: Situation, episode: Episode, shown: str) -> bool:
    """Whether the later of the two drugs began so lately; what began nobody knows when did."""
    starts = [moment for moment in (episode.start, situation.course.start) if moment is not None]
    if episode.start is None or not starts or (situation.drafts and not situation.taking):
        return True  # a draft that takes sirolimus up again would bring them together today
    return max(starts, key=Moment.sort_key).days_until(situation.now) <= situation.days(shown)


def named(episode: Episode) -> Named:
    """A partner as a card lists it."""
    by_name = ", matched by name" if any(use.by_name for use in episode.uses) else ""
    return Named(episode.name, f"since {on_day(episode.start)}{by_name}", episode.references)


def _stopped(situation: Situation) -> Iterable[tuple[str, Named]]:
    """Interacting drugs that ended during this course, until a level has followed that can show it."""
    if not situation.taking or situation.course.start is None or not situation.speaks_of_sirolimus:
        return
    start = situation.course.start.day
    usable = [each.lab.moment for each in situation.judged if each.verdict == "usable"]
    days = [moment.day for moment in usable if moment is not None]
    for episode in episodes(situation, *situation.knowledge.with_role(*MOVING)):
        drugs = situation.knowledge.classes[episode.valueset]
        kind = next(role for role in MOVING if role in drugs.roles)
        if episode.active or episode.end is None or episode.end.day < start:
            continue
        since = episode.end.days_until(situation.now)
        answered = any((day - episode.end.day).days >= situation.days(drugs.settles) for day in days)
        if 0 <= since <= situation.days(drugs.shown_after_stop) and not answered:
            then = _THEN[kind].format(inducer_settles=situation.days("inducer_settles"))
            note = f"{kind} stopped on {on_day(episode.end)}: {then}"
            yield kind, Named(episode.name, note, episode.references)


def _put_inhibitors(situation: Situation) -> None:
    """All inhibitors that are taken, also those that a level has followed since; and whether one is drafted beside."""
    inhibitors = situation.knowledge.with_role("inhibitor")
    taken = [episode for episode in episodes(situation, *inhibitors) if episode.active]
    names = sorted({episode.name for episode in taken})
    references = [reference for episode in taken for reference in episode.references]
    if names:
        situation.facts.put("active_inhibitors", listed(names), *references)
    else:
        situation.facts.miss("no inhibitor is taken", "active_inhibitors")
    ahead = [use.reference for use in drafts_of(situation, *inhibitors)] if situation.ordering else []
    situation.facts.put("inhibitor_beside", bool(names or ahead), *references, *ahead)


_CALCINEURIN = {"ciclosporin_new": "ciclosporin", "calcineurin_new": "calcineurin-inhibitor"}
_WORSENS = ("platelets", "hemoglobin", "creatinine")
"""Results that would show microangiopathy."""


def _put_calcineurin(situation: Situation) -> None:
    """Whether a calcineurin inhibitor beside sirolimus is new, and what has become worse since the result before."""
    for fact, valueset in _CALCINEURIN.items():
        running = [each for each in episodes(situation, valueset) if each.active]
        known = {each.name for each in running}
        drafts = drafts_of(situation, valueset) if situation.ordering else []
        new = any(_met_within(situation, each, "calcineurin_shown") for each in running)
        situation.facts.put(fact, new or any(use.name not in known for use in drafts))
    worse = list(_worsened(situation))
    _put(situation, "worsened", worse, "no count, haemoglobin or creatinine became worse lately")


def _worsened(situation: Situation) -> Iterable[Named]:
    for test in _WORSENS:
        sign = -1 if situation.knowledge.measures[test].lower_is_worse else 1
        labs = [
            lab
            for lab in situation.results(test)
            if lab.amount is not None and not lab.amount.comparator and not lab.wrong_specimen
        ]
        if len(labs) < 2 or labs[0].moment is None or labs[0].amount is None or labs[1].amount is None:
            continue
        recent = labs[0].moment.days_until(situation.now) <= situation.days("lab_recent")
        if recent and (labs[0].amount.value - labs[1].amount.value) * sign > 0:
            yield Named(f"{test} became worse", f"on {on_day(labs[0].moment)}", (labs[0].reference, labs[1].reference))


def _put_bleeding_risk(situation: Situation) -> None:
    """Whether a drug that makes bleeding likelier, or the low count beside it, is new."""
    days, new = situation.days("bleeding_drug_shown"), False
    for episode in episodes(situation, "bleeding-risk-drug"):
        if episode.active:
            new |= episode.start is None or episode.start.days_until(situation.now) <= days
    if situation.ordering:
        new |= bool(drafts_of(situation, "bleeding-risk-drug"))
    crossed = _crossed(situation)
    new |= crossed is not None and crossed.days_until(situation.now) <= days
    situation.facts.put("bleeding_risk_new", new)


def _crossed(situation: Situation) -> Moment | None:
    """The first of the newest counts that are all low; None where the newest is not."""
    crossed = None
    for count in situation.counts:
        if count.why_not and not count.confounded:
            continue
        if count.value >= situation.definitions["bleeding_drug_count"]:
            break
        crossed = count.moment
    return crossed
