"""Low and falling counts: whether the patient bleeds, whether the count is already known, and whether it can be used at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from cds.chart.labs import COUNTED
from cds.chart.words import COUNT, on_day
from cds.course.bleeding import Bleed
from cds.course.counts import Count
from cds.course.kinds import Labs
from cds.course.patient import Patient
from cds.plan.declare import Answer, Days, Known, Numbers, Unknown, code, flag, number, part, text


@part
def bleeding_today(bleeds: list[Bleed], bleeding_now_days: Days, patient: Patient) -> list[Bleed]:
    """Bleeds beyond the skin that began recently and are not known to have ended."""
    return [
        bleed
        for bleed in bleeds
        if bleed.beyond_skin
        and not bleed.closed
        and (bleed.end is None or bleed.end.is_after(patient.now))
        and bleed.onset.days_until(patient.now) <= bleeding_now_days
    ]


def _of_kind(bleeding: Sequence[Bleed], kind: str) -> Known[bool]:
    references = [bleed.reference for bleed in bleeding if bleed.kind == kind]
    return Known(bool(references), references)


@flag(
    "bleeding beyond the skin is going on, as far as the record says",
    report="that bleeding, with its date, or that none is documented",
)
def bleeding_now(
    bleeding_today: list[Bleed], bleeding_grade_labs: Labs, bleeding_now_days: Days, patient: Patient
) -> Answer[bool]:
    def words() -> str:
        found = "; ".join(f"{bleed.words} on {on_day(bleed.onset)}" for bleed in bleeding_today)
        uncounted = [lab for lab in bleeding_grade_labs if lab.problem or lab.status not in COUNTED]
        unread = any(not lab.moment or lab.moment.days_until(patient.now) <= bleeding_now_days for lab in uncounted)
        note = "; a grade of bleeding is on record that cannot be read or is not final" if unread else ""
        return (found or "none is documented") + note

    return Known(bool(bleeding_today), [bleed.reference for bleed in bleeding_today], report=words)


@flag("bleeding that threatens life is going on: in the skull, the airway, behind the peritoneum")
def bleeding_life_now(bleeding_today: list[Bleed]) -> Answer[bool]:
    return _of_kind(bleeding_today, "bleeding-life")


@flag("bleeding from the stomach or bowel is going on, haemorrhoids apart")
def bleeding_gut_now(bleeding_today: list[Bleed]) -> Answer[bool]:
    return _of_kind(bleeding_today, "bleeding-gut")


@flag("bleeding beyond the skin is going on, and no platelet count of the last {low_count_speaks} days is known")
def bleeding_uncounted(
    bleeding_today: list[Bleed], real_counts: list[Count], low_count_speaks: Days, patient: Patient
) -> Answer[bool]:
    """A count of more than a number is one, too: it is not low."""
    known = any(count.moment.days_until(patient.now) <= low_count_speaks for count in real_counts[:1])
    return Known(bool(bleeding_today) and not known, [bleed.reference for bleed in bleeding_today])


class Stable(Numbers, frozen=True):
    """What makes a count stable: counts needed, days they span, largest spread in percent; and days of bleeding before the first."""

    stable_counts: int
    stable_count_days: int
    stable_count_spread: Decimal
    bleeding_days: int


@flag("{stable_counts} usable counts over {stable_count_days} days agree, without bleeding: a count that is known")
def stable_low_count(counts: list[Count], bleeds: list[Bleed], stable: Stable) -> Answer[bool]:
    """The newest count is among them; if it is preliminary it must agree, but is not one of the counts that are needed."""
    usable = [count for count in counts if not count.why_not and not count.comparator]
    ahead = [count.value for count in counts[:1] if count.lab.status == "preliminary" and not count.comparator]
    if not usable or (not ahead and usable[0] is not counts[0]):
        return False  # the count that is reported is another one, and not known yet
    first = _first_that_agrees(usable, ahead, stable)
    if first is None or _bled_since(bleeds, first, stable.bleeding_days):
        return False
    return Known(True, [count.lab.reference for count in usable[: stable.stable_counts]])


def _first_that_agrees(usable: Sequence[Count], ahead: Sequence[Decimal], stable: Stable) -> Count | None:
    """Going back in time, the first count with which there are enough counts over enough days, all close to one another."""
    values = list(ahead)
    for place, count in enumerate(usable, start=1):
        values.append(count.value)
        if max(values) <= 0 or (max(values) - min(values)) * 100 > stable.stable_count_spread * max(values):
            return None
        if place >= stable.stable_counts and count.moment.days_to(usable[0].moment) >= stable.stable_count_days:
            return count
    return None


def _bled_since(bleeds: Sequence[Bleed], first: Count, days: int) -> bool:
    """Whether there was any bleeding, skin included, since ``days`` days before the first of the counts."""
    since = first.moment.day - timedelta(days=days)
    return any(bleed.onset.day >= since for bleed in bleeds)


@part
def count_of_no_use(counts: list[Count], count_recent: Days, patient: Patient) -> Answer[Count]:
    """The newest count, if it says nothing about sirolimus and this has not been reported before."""
    newest = next((count for count in counts if count.lab.status != "preliminary"), None)
    if not patient.still_counts and not patient.drafts:
        return Unknown("sirolimus is not being taken")
    if newest is None or not newest.why_not:
        return Unknown("the newest platelet count is usable" if newest else "there is no platelet count")
    if newest.for_good:
        return Unknown("no count of this course can be used any more")
    if newest.moment.days_until(patient.now) > count_recent:
        return Unknown("the newest platelet count is too old to speak of")
    if newest.confounded and _told(counts, newest):
        return Unknown("an earlier count after the same treatment was reported")
    return newest


def _told(counts: Sequence[Count], newest: Count) -> bool:
    """Whether an earlier count falls within everything that explains the newest one: one report for each treatment is enough.

    A count on the day of a treatment is probably the reason for the treatment, and is ignored here.
    """
    earlier = (each for each in counts if each.confounded and each.moment.day < newest.moment.day)
    before = next(earlier, None)
    return before is not None and newest.since is not None and newest.since < before.moment.day


@code(
    "clumped wrong_specimen confounded",
    "why the newest platelet count says nothing of sirolimus",
    report="that count as reported, with its date",
)
def unusable_count(count_of_no_use: Count) -> Answer[str]:
    count = count_of_no_use
    wrong = "wrong_specimen" if count.lab.wrong_specimen else "clumped"
    return Known("confounded" if count.confounded else wrong, [count.lab.reference], report=count.words)


@text("why it cannot be used, in words")
def unusable_count_why(count_of_no_use: Count) -> Answer[str]:
    return count_of_no_use.why_not


@part
def two_counts(
    counts: list[Count], baseline_days: Days, tma_acts: Days, patient: Patient
) -> Answer[tuple[Count, Count]]:
    """The newest usable count, which is of this course, and the usable one before it, which may be from the baseline days."""
    usable = [count for count in counts if not count.why_not]
    if len(usable) < 2 or not usable[1].value or not _of_course(usable, baseline_days, patient):
        return Unknown("there are no two usable counts, the newer one recent and of this course")
    if usable[0].moment.days_until(patient.now) > tma_acts:
        return Unknown("there are no two usable counts, the newer one recent and of this course")
    if usable[1].comparator or usable[0].comparator.startswith(">"):
        return Unknown("one of the two counts is only a bound")
    return usable[0], usable[1]


def _of_course(usable: Sequence[Count], baseline_days: int, patient: Patient) -> bool:
    """Whether the fall belongs to this course: a fall from a count long before it did not happen on sirolimus."""
    start = patient.course.start
    if start is None:
        return patient.day is None
    return usable[0].moment.day >= start.day and usable[1].moment.days_to(start) <= baseline_days


@part
def two_recent_counts(
    two_counts: tuple[Count, Count], count_recent: Days, patient: Patient
) -> Answer[tuple[Count, Count]]:
    """The same two counts, if the newer one is recent."""
    if two_counts[0].moment.days_until(patient.now) > count_recent:
        return Unknown("the newest usable count is too old to speak of")
    return two_counts


def _fall(two: tuple[Count, Count]) -> Known[Decimal]:
    newer, older = two
    fall = max((older.value - newer.value) * 100 / older.value, Decimal(0))
    references = [newer.lab.reference, older.lab.reference]
    return Known(fall, references, newer.moment.day, lambda: f"{older.words()}, then {newer.words()}")


@number(
    "percent",
    "1",
    "fall of the newest usable count from the usable one before",
    report="the two counts, with their dates",
)
def platelet_fall(two_recent_counts: tuple[Count, Count]) -> Answer[Decimal]:
    return _fall(two_recent_counts)


@number("percent", "1", "the same, if the newest usable count is of the last {tma_acts} days")
def platelet_fall_lately(two_counts: tuple[Count, Count]) -> Answer[Decimal]:
    return _fall(two_counts)


@number(COUNT, "1", "the usable count before the newest one")
def count_before(two_recent_counts: tuple[Count, Count]) -> Answer[Decimal]:
    _, older = two_recent_counts
    return Known(older.value, [older.lab.reference], older.moment.day)


@number(COUNT, "1", "the newest usable count, of the last {count_recent} days")
def usable_count(two_recent_counts: tuple[Count, Count]) -> Answer[Decimal]:
    newer, _ = two_recent_counts
    return Known(newer.at_most, [newer.lab.reference], newer.moment.day)


@number("day", "1", "days between the two")
def days_from_count_before(two_recent_counts: tuple[Count, Count]) -> Answer[Decimal]:
    newer, older = two_recent_counts
    return Known(Decimal(older.moment.days_to(newer.moment)), [newer.lab.reference, older.lab.reference])
