"""Low counts and falling ones: is it bleeding, is it known, is it a count at all, and what keeps it up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal

from cds.chart.model import DrugUse
from cds.facts.bleeding import Bleed, bleeds, uncounted_grades
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
    unread = (
        "; a grade of bleeding is on record that cannot be read or is not final" if uncounted_grades(situation) else ""
    )
    facts.put("bleeding_now_report", words + unread)


def _goes_on(situation: Situation, bleed: Bleed) -> bool:
    """A bleed beyond the skin that began lately and is not known to be over."""
    if not bleed.beyond_skin or bleed.closed:
        return False
    over = bleed.end is not None and not bleed.end.is_after(situation.now)
    return not over and bleed.onset.days_until(situation.now) <= situation.days("bleeding_now_days")


def _put_stable(situation: Situation) -> None:
    """Three usable counts or more, the newest count among them, over four weeks, close to one another, and no bleeding beside them."""
    usable = [count for count in situation.counts if not count.why_not and not count.comparator]
    newest = situation.counts[:1]
    ahead = [count.value for count in newest if count.lab.status == "preliminary" and not count.comparator]
    if usable and not ahead and usable[0] is not newest[0]:
        usable = []  # the count that is spoken of is another one: nobody knows it yet
    stable, span = False, situation.days("stable_count_days")
    spread = situation.definitions["stable_count_spread"]
    values, waiting = list(ahead), len(ahead)  # a preliminary count must agree, and is none of the three
    for count in usable:
        values.append(count.value)
        if max(values) <= 0 or (max(values) - min(values)) * 100 > spread * max(values):
            break
        if len(values) - waiting >= _STABLE and count.moment.days_to(usable[0].moment) >= span:
            stable = not _bled_beside(situation, count)
            break
    situation.facts.put("stable_low_count", stable, *(count.lab.reference for count in usable[:_STABLE] if stable))


def _bled_beside(situation: Situation, first: Count) -> bool:
    """Any bleeding, of the skin too, since the days that belong to the first of the counts."""
    since = first.moment.day - timedelta(days=situation.days("bleeding_days"))
    return any(bleed.onset.day >= since for bleed in bleeds(situation))


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
    """The newest usable count, of this course, against the one before it, which may be from the days of a baseline."""
    start, facts = situation.course.start, situation.facts
    usable = [count for count in situation.counts if not count.why_not]
    recent, unseen = situation.days("count_recent"), start is None and situation.day is None
    of_course = usable and (unseen or (start is not None and usable[0].moment.day >= start.day))
    if len(usable) > 1 and start is not None and usable[1].moment.days_to(start) > situation.days("baseline_days"):
        of_course = False  # what a count fell from before that, it did not fall from on sirolimus
    if not of_course or len(usable) < 2 or usable[0].moment.days_until(situation.now) > recent or not usable[1].value:
        facts.miss("there are no two usable counts, the newer one recent and of this course", "platelet_fall")
        return
    newer, older = usable[0], usable[1]
    if older.comparator or newer.comparator.startswith(">"):
        facts.miss("one of the two counts is only a bound", "platelet_fall")
        return
    fall = (older.value - newer.value) * 100 / older.value
    facts.put("platelet_fall", max(fall, Decimal(0)), newer.lab.reference, older.lab.reference)
    facts.put("platelet_fall_report", f"{older.words()}, then {newer.words()}")


def _put_steroid(situation: Situation) -> None:
    """The corticosteroids that are taken now, together, and for how long they have been above the dose that counts."""
    facts, limit = situation.facts, situation.definitions["steroid_dose"]
    names = ("prednisone_daily", "days_on_steroid", "steroid_report")
    line, exact = _steroids(situation), _all_known(situation)
    total = line[-1][1] if line else Decimal(0)
    if not _taken(situation):
        facts.miss("no corticosteroid is taken", *names)
        return
    if not line or not (exact or total > limit):
        facts.miss("the dose of the corticosteroid is not known", *names)
        return
    facts.put("prednisone_daily", total, line[-1][0].reference)
    since = _since(line, lambda dose: dose > limit)
    if since is None or since.start is None:
        facts.miss(f"it is not above {said(limit)} mg/day", "days_on_steroid", "steroid_report")
        return
    facts.put("days_on_steroid", Decimal(since.start.days_until(situation.now)), since.reference)
    taken = " and ".join(dict.fromkeys(episode.name for episode in _taken(situation)))
    facts.put(
        "steroid_report",
        f"{taken} as {'' if exact else 'at least '}{rounded(total, '0.1')} mg/day of prednisone, above {said(limit)} mg/day since {on_day(since.start)}",
    )


def _taken(situation: Situation) -> list[Episode]:
    return [episode for episode in episodes(situation, "corticosteroid") if episode.active]


def _steroids(situation: Situation) -> list[tuple[DrugUse, Decimal]]:
    """Each change of the corticosteroids that are taken now, oldest first, and what they come to from it on, in mg of prednisone.

    Of several the doses are added; one that is not known adds nothing, so that the sum is the least that is taken.
    """
    changes = [(use, place) for place, episode in enumerate(_taken(situation)) for use in episode.uses if use.start]
    doses: dict[int, Decimal] = {}
    line = []
    for use, place in sorted(changes, key=lambda change: change[0].start.sort_key()):  # type: ignore[union-attr]  # filtered above
        doses[place] = as_prednisone(situation, use) or Decimal(0)
        line.append((use, sum(doses.values(), Decimal(0))))
    return line


def _all_known(situation: Situation) -> bool:
    """Whether the newest dose of each corticosteroid that is taken, and its begin, are known."""
    newest = [_in_time(episode)[-1:] for episode in _taken(situation)]
    return all(uses and as_prednisone(situation, uses[0]) is not None for uses in newest)


def _in_time(episode: Episode) -> list[DrugUse]:
    return sorted((use for use in episode.uses if use.start is not None), key=lambda use: use.start.sort_key())  # type: ignore[union-attr]


def as_prednisone(situation: Situation, use: DrugUse) -> Decimal | None:
    factor = situation.definitions[_AS_PREDNISONE[use.name]] if use.name in _AS_PREDNISONE else Decimal(1)
    return use.per_day * factor if use.per_day is not None else None


def steroid_from(situation: Situation, limit: Decimal) -> DrugUse | None:
    """The use from which on the corticosteroids that are taken now have been at or above ``limit`` mg/day of prednisone."""
    return _since(_steroids(situation), lambda dose: dose >= limit)


def _since(line: Sequence[tuple[DrugUse, Decimal]], enough: Callable[[Decimal], bool]) -> DrugUse | None:
    """The use from which on every dose, up to the newest, has been enough."""
    since = None
    for use, dose in reversed(line):
        if not enough(dose):
            break
        since = use
    return since
