"""The working group's criteria: what a platelet count means beside the baseline of its course."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property

from cds.chart.model import DrugUse
from cds.facts.bleeding import bleeds
from cds.facts.platelets import Count
from cds.facts.record import on_day, said
from cds.facts.situation import Situation
from cds.facts.steroids import as_prednisone

RESPONDS = ("complete", "partial")


@dataclass
class Response:
    """The counts of a course and what they mean beside its baseline."""

    situation: Situation
    counts: list[Count]
    baseline: Count | None
    baseline_why: str
    _categories: dict[int, str] = field(default_factory=dict)

    def day(self, count: Count) -> int:
        """Day of the course of a count; where the start is not known, days since the first order on record."""
        start = self.situation.course.start
        assert start is not None
        return start.days_to(count.moment)

    @cached_property
    def usable(self) -> list[Count]:
        """Usable counts after the first day of the course, newest first."""
        return [count for count in self.counts if not count.why_not and self.day(count) > 0]

    @cached_property
    def _place(self) -> dict[int, int]:
        return {id(count.lab): place for place, count in enumerate(self.usable)}

    @cached_property
    def _bleeds(self) -> list[tuple[date, str]]:
        """Bleeding by the day of its onset, in words."""
        return sorted((b.onset.day, f"{b.words} on {on_day(b.onset)}") for b in bleeds(self.situation))

    def bleeding(self, count: Count) -> list[str]:
        """Bleeding with onset in the days before ``count``, in words."""
        first = count.moment.day - timedelta(days=self.situation.days("bleeding_days"))
        start = bisect_left(self._bleeds, (first, ""))
        end = bisect_left(self._bleeds, (count.moment.day + timedelta(days=1), ""))
        return [words for _, words in self._bleeds[start:end]]

    def category(self, count: Count) -> str:
        """complete, partial, none, or empty when it cannot be told."""
        known = self._categories.get(id(count.lab))
        if known is None:
            known = self._categories[id(count.lab)] = self._category(count)
        return known

    def _category(self, count: Count) -> str:
        limits = self.situation.definitions
        complete, partial = limits["complete_count"], limits["partial_count"]
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
        return "partial" if count.value >= limits["partial_fold"] * self.baseline.value else "none"

    @cached_property
    def ever_confirmed(self) -> bool:
        """Whether this course had a confirmed CR or PR."""
        return any(self.confirmed_by(count) or self.confirmed_by(count, "partial") for count in self.usable)

    def meets(self, count: Count, category: str) -> bool:
        """Whether ``count`` is at least as good as ``category``."""
        found = self.category(count)
        return found == category or (category == "partial" and found == "complete")

    def confirmed_by(self, count: Count, category: str = "") -> Count | None:
        """The earlier count that confirms a response: 7 days before, and none between fails it.

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
            if other.moment.days_to(count.moment) >= self.situation.days("confirm_apart"):
                return other
        return None


def read_response(situation: Situation) -> Response | None:
    """The counts of the course, or None without one that still counts."""
    if situation.course.start is None or not situation.still_counts:
        return None
    counts = situation.counts
    if not situation.start_known:
        return Response(situation, counts, None, "the start of the course is not known")
    baseline, why = _baseline(situation, counts)
    return Response(situation, counts, baseline, why)


def _baseline(situation: Situation, counts: list[Count]) -> tuple[Count | None, str]:
    start, days = situation.course.start, situation.days("baseline_days")
    assert start is not None
    first_dose = min(
        (i.moment.at for i in situation.chart.intakes if i.moment.at is not None and i.moment.day == start.day),
        default=None,
    )
    reason = f"there is no platelet count from the {days} days before the first dose"
    for count in counts:
        before = count.moment.days_to(start)
        if not 0 <= before <= days:
            continue
        if before == 0 and first_dose is not None and count.moment.at is not None and count.moment.at > first_dose:
            continue
        if count.why_not:
            reason = f"the count before the first dose is of no use: {count.why_not}"
        elif count.comparator.startswith(">"):
            reason = "the count before the first dose is only known as a lower bound"
        elif support := _supported(situation, count):
            return None, f"the count before the first dose, {count.words()}, {support}"
        else:
            return count, ""
    return None, reason


def _supported(situation: Situation, count: Count) -> str:
    """What held a count up before sirolimus began: a corticosteroid of so much, or of a dose that nobody knows, until its washout."""
    washout = timedelta(days=situation.days("rescue_washout"))
    total, unknown = Decimal(0), ""
    for use in situation.chart.drugs:
        if use.valueset != "corticosteroid" or use.draft or use.start is None or use.start.day > count.moment.day:
            continue
        if use.given or (use.end is not None and use.end.day + washout < count.moment.day) or _over_unknown(use):
            continue
        dose = as_prednisone(situation, use)
        total, unknown = total + (dose or Decimal(0)), unknown or ("" if dose is not None else use.name)
    if total >= situation.definitions["baseline_steroid"]:
        return f"was held up by {said(total)} mg/day of prednisone or its like"
    return f"may have been held up by {unknown}, whose dose is not known" if unknown else ""


def _over_unknown(use: DrugUse) -> bool:
    return use.status in ("stopped", "completed") and use.end is None
