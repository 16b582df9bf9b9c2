"""The working group's criteria: what a platelet count means compared with the baseline of its course."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property

import msgspec

from cds.chart.model import DrugUse
from cds.chart.times import Moment
from cds.chart.words import on_day, said
from cds.course.bleeding import Bleed
from cds.course.counts import Count
from cds.course.kinds import Uses
from cds.course.levels import Intakes
from cds.course.patient import Patient
from cds.course.steroids import Equivalents
from cds.plan.declare import Answer, Numbers, Unknown, part

RESPONDS = ("complete", "partial")


class Criteria(Numbers, frozen=True):
    """Counts in 10^9/L, the factor over the baseline, and days."""

    complete_count: Decimal
    partial_count: Decimal
    partial_fold: Decimal
    confirm_apart: int
    bleeding_days: int


class BaselineNumbers(Numbers, frozen=True):
    """Days before the first dose, days after a steroid, and mg/day of prednisone that hold a count up."""

    baseline_days: int
    rescue_washout: int
    baseline_steroid: Decimal


class Baseline(msgspec.Struct, frozen=True):
    """The count before the first dose, or why there is none."""

    count: Count | None
    why: str


@dataclass
class Response:
    """The counts of a course and what they mean compared with its baseline.

    It is never changed; what it computes is cached, because many facts need it.
    """

    start: Moment
    counts: Sequence[Count]
    baseline: Count | None
    baseline_why: str
    criteria: Criteria
    bleeds: Sequence[Bleed]
    _categories: dict[int, str] = field(default_factory=dict)

    def day(self, count: Count) -> int:
        """Day of the course of a count; where the start is not known, days since the first order on record."""
        return self.start.days_to(count.moment)

    @cached_property
    def usable(self) -> list[Count]:
        """Usable counts after the first day of the course, newest first."""
        return [count for count in self.counts if not count.why_not and self.day(count) > 0]

    @cached_property
    def confirmed(self) -> list[Count]:
        """The usable counts with a confirmed CR or PR, newest first."""
        return [count for count in self.usable if self.confirmed_by(count) or self.confirmed_by(count, "partial")]

    @cached_property
    def _place(self) -> dict[int, int]:
        return {id(count.lab): place for place, count in enumerate(self.usable)}

    @cached_property
    def _bleeds(self) -> list[tuple[date, str]]:
        """Bleeding by the day of its onset, in words."""
        return sorted((bleed.onset.day, f"{bleed.words} on {on_day(bleed.onset)}") for bleed in self.bleeds)

    def bleeding(self, count: Count) -> list[str]:
        """Bleeding with onset in the days before ``count``, in words."""
        first = count.moment.day - timedelta(days=self.criteria.bleeding_days)
        start = bisect_left(self._bleeds, (first, ""))
        end = bisect_left(self._bleeds, (count.moment.day + timedelta(days=1), ""))
        return [words for _, words in self._bleeds[start:end]]

    def category(self, count: Count) -> str:
        """complete, partial, none, or empty when it is not known."""
        known = self._categories.get(id(count.lab))
        if known is None:
            known = self._categories[id(count.lab)] = self._category(count)
        return known

    def _category(self, count: Count) -> str:
        complete, partial = self.criteria.complete_count, self.criteria.partial_count
        if count.comparator.startswith("<"):
            below = count.value < partial or (count.value == partial and count.comparator == "<")
            return "none" if below else ""
        if count.comparator.startswith(">") and count.value < complete:
            return ""
        if self.bleeding(count) or count.value < partial:
            return "none"
        if count.value >= complete:
            return "complete"
        if self.baseline is None:
            return ""
        return "partial" if count.value >= self.criteria.partial_fold * self.baseline.value else "none"

    def meets(self, count: Count, category: str) -> bool:
        """Whether ``count`` is at least as good as ``category``."""
        found = self.category(count)
        return found == category or (category == "partial" and found == "complete")

    def confirmed_by(self, count: Count, category: str = "") -> Count | None:
        """The earlier count that confirms a response: at least ``confirm_apart`` days before, and no count between them fails it.

        ``category``: the response to confirm, where it is a lesser one than that of ``count``.
        """
        category = category or self.category(count)
        if category not in RESPONDS or not self.meets(count, category):
            return None
        for other in self.usable[self._place[id(count.lab)] + 1 :]:
            if other.moment.sort_key() == count.moment.sort_key():
                continue
            if not self.meets(other, category):
                return None
            if other.moment.days_to(count.moment) >= self.criteria.confirm_apart:
                return other
        return None


@part
def baseline_count(
    patient: Patient,
    counts: list[Count],
    intakes: Intakes,
    corticosteroid_uses: Uses,
    equivalents: Equivalents,
    baseline_numbers: BaselineNumbers,
) -> Baseline:
    """The newest usable count from the days before the first dose that no corticosteroid held up."""
    start, days = patient.course.start, baseline_numbers.baseline_days
    if start is None or not patient.start_known:
        return Baseline(None, "the start of the course is not known")
    reason = f"there is no platelet count from the {days} days before the first dose"
    for count in counts:
        if not _before_first_dose(count, start, days, intakes):
            continue
        if count.why_not:
            reason = f"the count before the first dose is of no use: {count.why_not}"
        elif count.comparator.startswith(">"):
            reason = "the count before the first dose is only known as a lower bound"
        elif support := _supported(count, corticosteroid_uses, equivalents, baseline_numbers):
            return Baseline(None, f"the count before the first dose, {count.words()}, {support}")
        else:
            return Baseline(count, "")
    return Baseline(None, reason)


def _before_first_dose(count: Count, start: Moment, days: int, intakes: Intakes) -> bool:
    before = count.moment.days_to(start)
    if not 0 <= before <= days:
        return False
    given = (each.moment for each in intakes.given)
    first_dose = min((each.at for each in given if each.at is not None and each.day == start.day), default=None)
    return before > 0 or first_dose is None or count.moment.at is None or count.moment.at <= first_dose


def _supported(count: Count, uses: Sequence[DrugUse], equivalents: Equivalents, numbers: BaselineNumbers) -> str:
    """What held a count up before sirolimus began: corticosteroids at a high enough or an unknown dose, until their washout ends."""
    total, unknown = Decimal(0), ""
    for use in uses:
        if _taken_at(use, count, numbers.rescue_washout):
            dose = equivalents.prednisone(use)
            total, unknown = total + (dose or Decimal(0)), unknown or ("" if dose is not None else use.name)
    if total >= numbers.baseline_steroid:
        return f"was held up by {said(total)} mg/day of prednisone or its like"
    return f"may have been held up by {unknown}, whose dose is not known" if unknown else ""


def _taken_at(use: DrugUse, count: Count, washout: int) -> bool:
    if use.draft or use.given or use.start is None or use.start.day > count.moment.day:
        return False
    over_unknown = use.status in ("stopped", "completed") and use.end is None
    return not over_unknown and (use.end is None or use.end.day + timedelta(days=washout) >= count.moment.day)


@part
def response(
    patient: Patient, counts: list[Count], baseline_count: Baseline, criteria: Criteria, bleeds: list[Bleed]
) -> Answer[Response]:
    """The counts of the course, where there is one that still counts."""
    if patient.course.start is None or not patient.still_counts:
        return Unknown("there is no course of sirolimus with a known start")
    return Response(patient.course.start, counts, baseline_count.count, baseline_count.why, criteria, bleeds)
