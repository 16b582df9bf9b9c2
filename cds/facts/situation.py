"""What the question is about: the course, the draft, the patient's age and size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from cds.chart.model import Chart, Dose, Hook, Lab, Order
from cds.chart.samples import distinct

if TYPE_CHECKING:
    from cds.facts.levels import Judged
    from cds.facts.platelets import Count
from cds.facts.course import Course, combined, read_course, taken_together
from cds.facts.record import Facts
from cds.knowledge.compiled import Knowledge, Window


@dataclass(slots=True)
class Situation:
    """Everything the fact modules share. ``dose`` is the one that is judged: the draft's, else the active one."""

    chart: Chart
    knowledge: Knowledge
    hook: Hook
    now: datetime
    course: Course
    drafts: list[Order]
    levels: list[Lab]
    facts: Facts
    counts: list[Count] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)  # levels, newest first
    dose: Dose = field(default_factory=Dose)
    dose_orders: Sequence[Order] = ()
    dose_date: date | None = None
    age_group: str = ""
    weight: Lab | None = None
    height: Lab | None = None
    any_weight: Lab | None = None  # of any age: too old to judge by, good enough to hold an offer back
    in_response: bool = False
    earlier: Course | None = None  # the one that had ended long before what is drafted now
    other_drafts: bool = False  # there are drafts of sirolimus that were not selected
    unresolved: list[Order] = field(default_factory=list)  # drafts that nobody can add up
    first_level: date | None = None  # the day of the earliest level of a course that began before its first order
    draw_at: datetime | None = None  # the next draw with its time, where the time of the dose is known
    surface: Decimal | None = None  # of the body in m2, by recent height and weight
    _results: dict[str, list[Lab]] = field(default_factory=dict)

    @property
    def definitions(self) -> dict[str, Decimal]:
        return self.knowledge.definitions

    def days(self, name: str) -> int:
        """A definition that counts days (or years)."""
        return int(self.knowledge.definitions[name])

    def settles_after(self, valueset: str) -> int:
        """Days after which a level shows what a drug of that value set, which moves it, does."""
        return self.days(self.knowledge.classes[valueset].settles)

    def unit(self, test: str) -> str:
        """Our unit of a test, in words."""
        return self.knowledge.measures[test].unit

    @property
    def ordering(self) -> bool:
        return self.hook != "patient-view"

    @property
    def taking(self) -> bool:
        return self.course.state == "taking"

    @property
    def concerned(self) -> bool:
        """Whether sirolimus is taken or among the drafts, selected or not: what is critical beside it speaks then."""
        return self.taking or bool(self.drafts) or self.other_drafts

    @property
    def still_counts(self) -> bool:
        """Sirolimus counts as taken for very high levels, response and gaps: also held or just stopped."""
        if self.course.state in ("taking", "held"):
            return True
        ended = self.course.ended
        return (
            self.course.state == "stopped"
            and ended is not None
            and ended.days_until(self.now) <= self.days("stop_still_counts")
        )

    @property
    def speaks_of_sirolimus(self) -> bool:
        """Whether dose and level are asked about: always on patient-view, on order hooks with a draft."""
        return not self.ordering or bool(self.drafts)

    @property
    def start_known(self) -> bool:
        """A level drawn shortly before the course, outside any earlier one, means that sirolimus began unseen."""
        return self.course.first_order is not None and self.first_level is None

    @property
    def began_unseen(self) -> bool:
        """Whether what is taken or drafted began before its first order, nobody knows when."""
        return bool(self.drafts) if self.ordering else self.course.start is not None

    @property
    def day(self) -> int | None:
        """Day of the course, 0 on the day of the first dose; a first draft begins one, if no level speaks against it."""
        if self.course.start is None:
            return 0 if self.drafts and self.first_level is None else None
        return self.course.start.days_until(self.now) if self.start_known else None

    def took_sirolimus(self, day: date, days_after: int) -> bool:
        """Whether sirolimus was taken on ``day``, in any course on record, or had been stopped at most ``days_after`` before.

        Where a level is older than the first order, it is taken to have begun with that level; what began nobody knows when
        may have been taken on any day before its end.
        """
        if not self.start_known and self.first_level is not None and self.first_level <= day:
            ends = [order.end.day for order in self.chart.orders if order.end is not None and not order.draft]
            return not ends or (day - max(ends)).days <= days_after
        return any(
            (order.start is None or order.start.day <= day)
            and (order.end is None or (day - order.end.day).days <= days_after)
            for order in self.chart.orders
            if not order.draft
        )

    @property
    def window(self) -> Window | None:
        """The protocol's dose window for this patient and phase, in mg/day."""
        return self.window_for(str(self.facts.values.get("phase", "")))

    def results(self, test: str) -> list[Lab]:
        """Final results of a test, newest first, one a sample."""
        if test not in self._results:
            self._results[test] = [lab for lab in distinct(self.chart.lab(test), True) if lab.status != "preliminary"]
        return self._results[test]

    @property
    def draft_raises(self) -> bool:
        """Whether the draft starts sirolimus, takes it up again, or asks for more than is taken; unknown doses may."""
        if not self.drafts:
            return False
        current = self.course.current
        if not self.taking or current is None or self.course.conflict:
            return True
        before, after = current.dose.mean, self.dose.mean
        return before is None or after is None or after > before

    def window_for(self, phase: str) -> Window | None:
        """A window in mg/day; one by body surface is none without a recent height and weight."""
        rows = self.knowledge.protocol.windows
        found = next((w for w in rows if (w.age_group, w.phase) == (self.age_group, phase)), None)
        if found is None or not found.per_surface:
            return found
        return found.for_surface(self.surface) if self.surface is not None else None

    def age_range(self, day: date) -> tuple[int, int] | None:
        return self.chart.birth.age_on(day) if self.chart.birth else None

    def surely_under(self, years: str, day: date) -> bool | None:
        """Whether the patient is under that age on ``day``; None when the birth date cannot tell."""
        ages = self.age_range(day)
        if ages is None or ages[0] < 0:
            return None  # not known, or born after that day
        limit = self.days(years)
        return ages[1] < limit if (ages[0] < limit) == (ages[1] < limit) else None


def read_situation(chart: Chart, knowledge: Knowledge, hook: Hook, now: datetime) -> Situation:
    """Sort out the course, the drafts and the levels."""
    course = read_course(_history(chart), knowledge.definitions)
    every = [order for order in chart.orders if order.draft] if hook != "patient-view" else []
    drafts = [order for order in every if order.selected]
    gap, earlier = int(knowledge.definitions["course_gap"]), None
    if drafts and course.state == "stopped" and course.ended is not None and course.ended.days_until(now) > gap:
        earlier, course = course, Course(first_order=course.first_order)  # what is drafted now begins another course
    levels = distinct(chart.lab("level", "trough"))
    situation = Situation(
        chart,
        knowledge,
        hook,
        now,
        course,
        drafts,
        levels,
        Facts(),
        other_drafts=len(every) > len(drafts),
        earlier=earlier,
    )
    situation.first_level = _unseen_since(situation)
    _settle_dose(situation)
    return situation


def _unseen_since(situation: Situation) -> date | None:
    """The earliest of the levels that were drawn shortly before the course, outside any earlier one on record, and found something.

    An older one belongs to an earlier course, of which nothing is on record, and says nothing of this one.
    """
    start, stopped = situation.course.start, situation.days("stop_still_counts")
    begins = start.day if start is not None else situation.now.date()
    days = [
        lab.moment.day
        for lab in situation.levels
        if lab.moment is not None
        and not lab.wrong_specimen
        and lab.amount is not None
        and not lab.amount.comparator.startswith("<")
        and 0 < (begins - lab.moment.day).days <= situation.days("level_max_age")
        and not situation.took_sirolimus(lab.moment.day, stopped)
    ]
    return min(days, default=None)


def _history(chart: Chart) -> list[Order]:
    """The orders; statements beside them only where no order says that sirolimus is being taken."""
    taken = [order for order in chart.orders if not order.draft]
    requests = [order for order in taken if order.reference.startswith("MedicationRequest")]
    if any(order.status in ("active", "on-hold") for order in requests):
        return requests
    return taken


def _settle_dose(situation: Situation) -> None:
    """Which orders make the dose that is judged."""
    course, current = situation.course, situation.course.current
    if not situation.drafts:
        if current is not None and situation.taking and not course.conflict:
            situation.dose, situation.dose_orders = current.dose, current.orders
            situation.dose_date = current.start.day
        return
    drafts = list(situation.drafts)
    group = drafts[0].group
    if current is not None and situation.taking and group:
        replaced = {order.reference for order in drafts}
        standing = course.conflict or current.orders
        drafts += [order for order in standing if order.group == group and order.reference not in replaced]
    strengths = [(order.strength, order.liquid) for order in drafts]
    if len(drafts) > 1 and (len(set(strengths)) < len(strengths) or not _one_dose(situation.drafts)):
        situation.unresolved = drafts
        return
    situation.dose, situation.dose_orders = combined(drafts), drafts
    authored = situation.drafts[0].authored
    situation.dose_date = authored.day if authored and not authored.is_after(situation.now) else situation.now.date()


def _one_dose(drafts: list[Order]) -> bool:
    return all(taken_together(one, other) for one in drafts for other in drafts if one is not other)
