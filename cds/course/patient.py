"""A patient's sirolimus treatment: the course, the draft, and the dose that is judged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from cds.chart.model import Chart, Dose, Lab, Order
from cds.chart.samples import distinct
from cds.chart.times import BirthDate
from cds.compiled.hooks import Hook
from cds.course.orders import Course, Regimen, combined, read_course, taken_together
from cds.plan.declare import Numbers


class Joining(Numbers, frozen=True):
    """The numbers that decide which orders make one course, and whether a stopped course still counts."""

    course_gap: int
    resume_gap: int
    level_max_age: int
    stop_still_counts: int


class Patient(msgspec.Struct, frozen=True):
    """A patient's sirolimus treatment; never changed. ``dose`` is the one that is judged: the draft's, else the active order's.

    ``drafts`` are those that the request is about. If they begin a course long after the last one, ``earlier`` is that last one.
    ``unresolved`` are drafts that cannot be combined into one dose. ``first_level`` is the day of the earliest level of a course
    that began before its first order. ``levels`` are newest first, one for each sample.
    """

    hook: Hook
    now: datetime
    reference: str
    gender: str
    birth: BirthDate | None
    deceased: bool
    orders: tuple[Order, ...]
    course: Course
    earlier: Course | None
    drafts: tuple[Order, ...]
    other_drafts: bool  # there are drafts of sirolimus that were not selected
    levels: tuple[Lab, ...]
    unread_levels: tuple[Lab, ...]
    first_level: date | None
    dose: Dose
    dose_orders: tuple[Order, ...]
    dose_date: date | None
    unresolved: tuple[Order, ...]
    joining: Joining

    @property
    def ordering(self) -> bool:
        """Whether an order is being written."""
        return self.hook != "patient-view"

    @property
    def taking(self) -> bool:
        """Whether sirolimus is being taken now."""
        return self.course.state == "taking"

    @property
    def concerned(self) -> bool:
        """Whether sirolimus is taken or among the drafts, selected or not: what is critical together with it is reported in that case."""
        return self.taking or bool(self.drafts) or self.other_drafts

    @property
    def still_counts(self) -> bool:
        """Whether sirolimus counts as taken for very high levels, response and gaps: also if it is held or was just stopped."""
        if self.course.state in ("taking", "held"):
            return True
        ended = self.course.ended
        stopped = self.course.state == "stopped" and ended is not None
        return stopped and ended is not None and ended.days_until(self.now) <= self.joining.stop_still_counts

    @property
    def asks_about_sirolimus(self) -> bool:
        """Whether the request is about dose and level: always on patient-view, on order hooks if there is a draft."""
        return not self.ordering or bool(self.drafts)

    @property
    def start_known(self) -> bool:
        """Whether the start is known: a level drawn shortly before the course, outside any earlier one, means that it is not on record."""
        return self.course.first_order is not None and self.first_level is None

    @property
    def began_unseen(self) -> bool:
        """Whether what is taken or drafted began before its first order, at an unknown time."""
        return bool(self.drafts) if self.ordering else self.course.start is not None

    @property
    def day(self) -> int | None:
        """Day of the course, 0 on the day of the first dose; a first draft begins a course, unless a level contradicts that."""
        if self.course.start is None:
            return 0 if self.drafts and self.first_level is None else None
        return self.course.start.days_until(self.now) if self.start_known else None

    @property
    def draft_raises(self) -> bool:
        """Whether the draft starts sirolimus, resumes it, or asks for more than is taken; unknown doses count as more."""
        if not self.drafts:
            return False
        current = self.course.current
        if not self.taking or current is None or self.course.conflict:
            return True
        before, after = current.dose.mean, self.dose.mean
        return before is None or after is None or after > before

    def took_sirolimus(self, day: date) -> bool:
        """Whether sirolimus was taken on ``day``, in any course on record, or had been stopped shortly before.

        If a level is older than the first order, sirolimus is assumed to have begun with that level; an order with an unknown start
        may have been taken on any day before its end.
        """
        after = self.joining.stop_still_counts
        if not self.start_known and self.first_level is not None and self.first_level <= day:
            ends = [order.end.day for order in self.orders if order.end is not None and not order.draft]
            return not ends or (day - max(ends)).days <= after
        return _took(self.orders, day, after)

    def age_range(self, day: date) -> tuple[int, int] | None:
        """Completed years on ``day``: the least and the most that it can be."""
        return self.birth.age_on(day) if self.birth else None

    def surely_under(self, years: int, day: date) -> bool | None:
        """Whether the patient is under that age on ``day``; None when the birth date does not decide."""
        ages = self.age_range(day)
        if ages is None or ages[0] < 0:
            return None  # not known, or born after that day
        return ages[1] < years if (ages[0] < years) == (ages[1] < years) else None


def _took(orders: Sequence[Order], day: date, after: int) -> bool:
    return any(
        (order.start is None or order.start.day <= day) and (order.end is None or (day - order.end.day).days <= after)
        for order in orders
        if not order.draft
    )


def read_patient(chart: Chart, joining: Joining, hook: Hook, now: datetime) -> Patient:
    """Sort out the course, the drafts and the levels."""
    course = read_course(_history(chart), joining.course_gap, joining.resume_gap)
    every = [order for order in chart.orders if order.draft] if hook != "patient-view" else []
    drafts, earlier = tuple(order for order in every if order.selected), None
    over = course.state == "stopped" and course.ended is not None
    if drafts and over and course.ended is not None and course.ended.days_until(now) > joining.course_gap:
        earlier, course = course, Course(first_order=course.first_order)  # what is drafted now begins another course
    drawn = chart.lab("level", "trough")
    levels = tuple(distinct(drawn))
    judged = _judged_dose(course, drafts, now)
    return Patient(
        hook,
        now,
        chart.patient_reference,
        chart.gender,
        chart.birth,
        chart.deceased,
        chart.orders,
        course,
        earlier,
        drafts,
        len(every) > len(drafts),
        levels,
        tuple(lab for lab in drawn if lab.problem),
        _unseen_since(chart.orders, course, levels, joining, now),
        judged.dose,
        judged.orders,
        judged.day,
        judged.unresolved,
        joining,
    )


def _history(chart: Chart) -> list[Order]:
    """The orders; statements are added only if no order says that sirolimus is being taken."""
    taken = [order for order in chart.orders if not order.draft]
    requests = [order for order in taken if order.reference.startswith("MedicationRequest")]
    if any(order.status in ("active", "on-hold") for order in requests):
        return requests
    return taken


def _unseen_since(
    orders: Sequence[Order], course: Course, levels: Sequence[Lab], joining: Joining, now: datetime
) -> date | None:
    """The day of the earliest level that was drawn shortly before the course, outside any earlier one on record, and found sirolimus.

    An older level belongs to an earlier course that is not on record, and says nothing about this one.
    """
    begins = course.start.day if course.start is not None else now.date()
    days = [
        lab.moment.day
        for lab in levels
        if lab.moment is not None
        and not lab.wrong_specimen
        and lab.amount is not None
        and not lab.amount.comparator.startswith("<")
        and 0 < (begins - lab.moment.day).days <= joining.level_max_age
        and not _took(orders, lab.moment.day, joining.stop_still_counts)
    ]
    return min(days, default=None)


class _Judged(msgspec.Struct, frozen=True):
    """The dose that is judged, the orders that make it and its day; or the drafts that cannot be combined into one."""

    dose: Dose = Dose()
    orders: tuple[Order, ...] = ()
    day: date | None = None
    unresolved: tuple[Order, ...] = ()


def _judged_dose(course: Course, drafts: tuple[Order, ...], now: datetime) -> _Judged:
    current = course.current if course.state == "taking" else None
    if not drafts:
        if current is None or course.conflict:
            return _Judged()
        return _Judged(current.dose, current.orders, current.start.day)
    together = (*drafts, *_standing_beside(course, current, drafts))
    strengths = [(order.strength, order.liquid) for order in together]
    if len(together) > 1 and (len(set(strengths)) < len(strengths) or not _one_dose(drafts)):
        return _Judged(unresolved=together)
    authored = drafts[0].authored
    day = authored.day if authored and not authored.is_after(now) else now.date()
    return _Judged(combined(together), together, day)


def _standing_beside(course: Course, current: Regimen | None, drafts: Sequence[Order]) -> list[Order]:
    """Active orders in the group of the drafts that the drafts do not replace."""
    group = drafts[0].group
    if current is None or not group:
        return []
    replaced = {order.reference for order in drafts}
    standing = course.conflict or current.orders
    return [order for order in standing if order.group == group and order.reference not in replaced]


def _one_dose(drafts: Sequence[Order]) -> bool:
    return all(taken_together(one, other) for one in drafts for other in drafts if one is not other)
