"""Low counts and falling ones: is it bleeding, is it known, is it a count at all, and what keeps it up."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from cds.chart.model import DrugUse
from cds.facts.bleeding import Bleed, bleeds, unread_grades
from cds.facts.episodes import Episode, episodes
from cds.facts.platelets import Count
from cds.facts.record import on_day, rounded, said
from cds.facts.situation import Situation

_AS_PREDNISONE = {
    "methylprednisolone": "methylprednisolone_as_prednisone",
    "dexamethasone": "dexamethasone_as_prednisone",
}
_STABLE = 3
"""Counts that must agree."""


def put_danger(situation: Situation) -> None:
    """What the platelet counts of a patient on sirolimus say about danger, whatever the response."""
    _put_bleeding(situation)
    _put_stable(situation)
    _put_unusable(situation)
    _put_fall(situation)
    _put_steroid(situation)


def _put_bleeding(situation: Situation) -> None:
    now = [bleed for bleed in bleeds(situation) if _goes_on(situation, bleed)]
    facts = situation.facts
    facts.put("bleeding_now", bool(now), *(bleed.reference for bleed in now))
    words = "; ".join(f"{bleed.words} on {on_day(bleed.onset)}" for bleed in now) or "none is documented"
    unread = "; a grade of bleeding is on record that cannot be read" if unread_grades(situation) else ""
    facts.put("bleeding_now_report", words + unread)


def _goes_on(situation: Situation, bleed: Bleed) -> bool:
    """A bleed beyond the skin that began lately and is not known to be over."""
    if not bleed.beyond_skin or bleed.closed:
        return False
    over = bleed.end is not None and not bleed.end.is_after(situation.now)
    return not over and bleed.onset.days_until(situation.now) <= situation.days("bleeding_now_days")


def _put_stable(situation: Situation) -> None:
    """Three usable counts or more, over four weeks or more, close to one another, and no bleeding beside them."""
    usable = [count for count in situation.counts if not count.why_not and not count.comparator]
    stable, span = False, situation.days("stable_count_days")
    spread = situation.definitions["stable_count_spread"]
    values: list[Decimal] = []
    for count in usable:
        values.append(count.value)
        if max(values) <= 0 or (max(values) - min(values)) * 100 > spread * max(values):
            break
        if len(values) >= _STABLE and count.moment.days_to(usable[0].moment) >= span:
            stable = not _bled_since(situation, count)
            break
    situation.facts.put("stable_low_count", stable, *(count.lab.reference for count in usable[:_STABLE] if stable))


def _bled_since(situation: Situation, count: Count) -> bool:
    return any(bleed.beyond_skin and bleed.onset.day >= count.moment.day for bleed in bleeds(situation))


def _put_unusable(situation: Situation) -> None:
    facts = situation.facts
    names = ("unusable_count", "unusable_count_report", "unusable_count_why")
    newest = next((count for count in situation.counts if count.lab.status != "preliminary"), None)
    if not situation.still_counts and not situation.drafts:
        facts.miss("sirolimus is not being taken", *names)
    elif newest is None or not newest.why_not:
        facts.miss("the newest platelet count is usable" if newest else "there is no platelet count", *names)
    elif newest.for_good:
        facts.miss("no count of this course can be used any more", *names)
    elif newest.moment.days_until(situation.now) > situation.days("count_recent"):
        facts.miss("the newest platelet count is too old to speak of", *names)
    else:
        wrong = "wrong_specimen" if newest.lab.wrong_specimen else "clumped"
        facts.put("unusable_count", "confounded" if newest.confounded else wrong, newest.lab.reference)
        facts.put("unusable_count_report", newest.words(), newest.lab.reference)
        facts.put("unusable_count_why", newest.why_not)


def _put_fall(situation: Situation) -> None:
    """The newest usable count against the one before it, both of this course."""
    start, facts = situation.course.start, situation.facts
    usable = [c for c in situation.counts if not c.why_not and start is not None and c.moment.day >= start.day]
    recent = situation.days("count_recent")
    if len(usable) < 2 or usable[0].moment.days_until(situation.now) > recent or not usable[1].value:
        facts.miss("there are no two usable counts of this course, the newer one recent", "platelet_fall")
        return
    newer, older = usable[0], usable[1]
    if older.comparator or newer.comparator.startswith(">"):
        facts.miss("one of the two counts is only a bound", "platelet_fall")
        return
    fall = (older.value - newer.value) * 100 / older.value
    facts.put("platelet_fall", max(fall, Decimal(0)), newer.lab.reference, older.lab.reference)
    facts.put("platelet_fall_report", f"{older.words()}, then {newer.words()}")


def _put_steroid(situation: Situation) -> None:
    """The corticosteroid that is taken now, and for how long it has been above the dose that counts."""
    facts, limit = situation.facts, situation.definitions["steroid_dose"]
    names = ("prednisone_daily", "days_on_steroid", "steroid_report")
    taken = [episode for episode in episodes(situation, "corticosteroid") if episode.active]
    if len(taken) != 1:
        facts.miss("no corticosteroid is taken" if not taken else "more than one corticosteroid is taken", *names)
        return
    uses = _in_time(taken[0])
    doses = [as_prednisone(situation, use) for use in uses]
    if not doses or doses[-1] is None:
        facts.miss("the dose of the corticosteroid is not known", *names)
        return
    facts.put("prednisone_daily", doses[-1], uses[-1].reference)
    since = _since(uses, [dose is not None and dose > limit for dose in doses])
    if since is None or since.start is None:
        facts.miss(f"it is not above {said(limit)} mg/day", "days_on_steroid", "steroid_report")
        return
    facts.put("days_on_steroid", Decimal(since.start.days_until(situation.now)), since.reference)
    facts.put(
        "steroid_report",
        f"{taken[0].name} as {rounded(doses[-1], '0.1')} mg/day of prednisone, above {said(limit)} mg/day since {on_day(since.start)}",
    )


def as_prednisone(situation: Situation, use: DrugUse) -> Decimal | None:
    factor = situation.definitions[_AS_PREDNISONE[use.name]] if use.name in _AS_PREDNISONE else Decimal(1)
    return use.per_day * factor if use.per_day is not None else None


def steroid_from(situation: Situation, limit: Decimal) -> DrugUse | None:
    """The use from which on a corticosteroid that is taken now has been at or above ``limit`` mg/day of prednisone."""
    for episode in episodes(situation, "corticosteroid"):
        if episode.active:
            uses = _in_time(episode)
            doses = [as_prednisone(situation, use) for use in uses]
            since = _since(uses, [dose is not None and dose >= limit for dose in doses])
            if since is not None:
                return since
    return None


def _in_time(episode: Episode) -> list[DrugUse]:
    return sorted((use for use in episode.uses if use.start is not None), key=lambda use: use.start.sort_key())  # type: ignore[union-attr]


def _since(uses: Sequence[DrugUse], enough: Sequence[bool]) -> DrugUse | None:
    """The use from which on every dose, up to the newest, has been enough."""
    since = None
    for use, is_enough in zip(reversed(uses), reversed(enough), strict=True):
        if not is_enough:
            break
        since = use
    return since
