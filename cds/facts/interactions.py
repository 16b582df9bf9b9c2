"""Drugs that meet sirolimus: by order, by statement, or just stopped."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from cds.chart.times import Moment
from cds.facts.episodes import Episode, episodes
from cds.facts.levels import INHIBITORS, LEVEL_NAMES
from cds.facts.record import Named, listed, on_day
from cds.facts.situation import Situation

_MEETINGS: dict[str, tuple[str, ...]] = {
    "strong_inhibitors": ("strong-inhibitor",),
    "strong_inducers": ("strong-inducer",),
    "moderate_modulators": ("moderate-inhibitor", "moderate-inducer"),
    "ciclosporin": ("ciclosporin",),
    "mtor_inhibitors": ("mtor-inhibitor",),
    "calcineurin_inhibitors": ("calcineurin-inhibitor",),
    "ace_inhibitors": ("ace-inhibitor",),
    "bleeding_risk_drugs": ("bleeding-risk-drug",),
    "grapefruit": ("grapefruit",),
    "live_vaccines": ("live-vaccine",),
    "unspecified_vaccines": ("unspecified-vaccine",),
}
"""Each fact and the value sets of the drugs that it lists."""

_HERBALS = ("St. John's wort extract", "cannabidiol")
"""What people take without an order; stated and not ordered, it is spoken of as such."""

_SETTLES = {
    "strong-inhibitor": ("inhibitor", "stopped_inhibitor_shown", "inhibitor_settles"),
    "moderate-inhibitor": ("inhibitor", "stopped_inhibitor_shown", "inhibitor_settles"),
    "ciclosporin": ("inhibitor", "stopped_inhibitor_shown", "inhibitor_settles"),
    "strong-inducer": ("inducer", "stopped_inducer_shown", "inducer_settles"),
    "moderate-inducer": ("inducer", "stopped_inducer_shown", "inducer_settles"),
}
_THEN = {"inhibitor": "the level will fall", "inducer": "the level will rise over some two weeks"}


def put_interactions(situation: Situation) -> None:
    """What meets sirolimus now, or would by a draft, and what has just stopped meeting it."""
    herbals: list[Named] = []
    for name, valuesets in _MEETINGS.items():
        found = [one for valueset in valuesets for one in _meeting(situation, valueset, herbals)]
        _put(situation, name, found, "no such drug meets sirolimus now")
    _put(situation, "herbals", herbals, "no such remedy is stated")
    _put(situation, "stopped_modulators", list(_stopped(situation)), "no interacting drug was stopped lately")
    _put_inhibitors(situation)
    _put_angioedema(situation)
    ordered = situation.chart.ordered(*LEVEL_NAMES)
    situation.facts.put("level_ordered", bool(ordered), *ordered)


def _put(situation: Situation, name: str, found: list[Named], reason: str) -> None:
    if not found:
        situation.facts.miss(reason, name)
        return
    unique = {one.name: one for one in reversed(found)}
    ordered = [unique[key] for key in sorted(unique)]
    situation.facts.put(name, ordered, *(reference for one in ordered for reference in one.references))


def _meeting(situation: Situation, valueset: str, herbals: list[Named]) -> Iterable[Named]:
    if situation.ordering:
        yield from _drafted(situation, valueset)
    for episode in episodes(situation, valueset):
        if _meets(situation, episode):
            stated = all(use.reference.startswith("MedicationStatement") for use in episode.uses)
            if stated and episode.name in _HERBALS:
                herbals.append(_named(episode))
            else:
                yield _named(episode)


def _drafted(situation: Situation, valueset: str) -> list[Named]:
    """Draft partners, where this draft or one of sirolimus is being selected or signed."""
    also = situation.taking or situation.other_drafts
    return [
        Named(use.name, "draft order" + (", matched by name" if use.by_name else ""), (use.reference,), draft=True)
        for use in situation.chart.drugs
        if use.valueset == valueset and use.draft and (situation.drafts or (use.selected and also))
    ]


def _meets(situation: Situation, episode: Episode) -> bool:
    """Whether a partner that is taken meets a draft of sirolimus, or a course that no level has followed since."""
    if not episode.active:
        return False
    if situation.ordering:
        return bool(situation.drafts)
    if not situation.taking:
        return False
    newest = next((lab.moment for lab in situation.levels if lab.moment is not None and not lab.wrong_specimen), None)
    starts = [moment for moment in (episode.start, situation.course.start) if moment is not None]
    return newest is None or episode.start is None or any(_not_before(start, newest) for start in starts)


def _not_before(start: Moment, drawn: Moment) -> bool:
    """Whether a level was drawn before a start, or on its day and not known to be later."""
    if start.day != drawn.day:
        return start.day > drawn.day
    return start.at is None or drawn.at is None or start.at > drawn.at


def _named(episode: Episode) -> Named:
    by_name = ", matched by name" if any(use.by_name for use in episode.uses) else ""
    return Named(episode.name, f"since {on_day(episode.start)}{by_name}", episode.references)


def _stopped(situation: Situation) -> Iterable[Named]:
    """Interacting drugs that ended during this course, until a level has followed that can show it."""
    if not situation.taking or situation.course.start is None or not situation.speaks_of_sirolimus:
        return
    start = situation.course.start.day
    days = [lab.moment.day for lab in situation.levels if lab.moment is not None and not lab.wrong_specimen]
    newest = max(days, default=date.min)
    for episode in episodes(situation, *_SETTLES):
        kind, shown, settles = _SETTLES[episode.valueset]
        if episode.active or episode.end is None or episode.end.day < start:
            continue
        since = episode.end.days_until(situation.now)
        if 0 <= since <= situation.days(shown) and (newest - episode.end.day).days < situation.days(settles):
            note = f"{kind} stopped on {on_day(episode.end)}: {_THEN[kind]}"
            yield Named(episode.name, note, episode.references)


def _put_inhibitors(situation: Situation) -> None:
    """All inhibitors that are taken, also those that a level has followed since."""
    taken = [episode for episode in episodes(situation, *INHIBITORS) if episode.active]
    if taken:
        names = sorted({episode.name for episode in taken})
        references = [reference for episode in taken for reference in episode.references]
        situation.facts.put("active_inhibitors", listed(names), *references)
    else:
        situation.facts.miss("no inhibitor is taken", "active_inhibitors")


def _put_angioedema(situation: Situation) -> None:
    past = [problem.reference for problem in situation.chart.problems if problem.name == "angioedema"]
    situation.facts.put("angioedema_on_record", bool(past), *past)
