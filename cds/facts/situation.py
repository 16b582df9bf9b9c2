"""What the question is about: the course, the draft, the patient's age and size."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from cds.chart.model import Chart, Dose, Hook, Lab, Order
from cds.chart.samples import distinct

if TYPE_CHECKING:
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
    dose: Dose = field(default_factory=Dose)
    dose_orders: list[Order] = field(default_factory=list)
    dose_date: date | None = None
    age_group: str = ""
    weight: Lab | None = None
    height: Lab | None = None
    any_weight: Lab | None = None  # of any age: too old to judge by, good enough to hold an offer back
    in_response: bool = False
    earlier: Course | None = None  # the one that had ended long before what is drafted now
    other_drafts: bool = False  # there are drafts of sirolimus that were not selected
    unresolved: list[Order] = field(default_factory=list)  # drafts that nobody can add up
    first_level: date | None = None  # the day of the earliest level in blood
    draw_at: datetime | None = None  # the next draw with its time, where the time of the dose is known

    @property
    def definitions(self) -> dict[str, Decimal]:
        return self.knowledge.definitions

    def days(self, name: str) -> int:
        """A definition that counts days (or years)."""
        return int(self.knowledge.definitions[name])

    @property
    def ordering(self) -> bool:
        return self.hook != "patient-view"

    @property
    def taking(self) -> bool:
        return self.course.state == "taking"

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
        """A level drawn before the first order on record means that sirolimus began unseen."""
        first = self.course.first_order
        if first is None:
            return False
        return self.first_level is None or self.first_level >= first.day

    @property
    def day(self) -> int | None:
        """Day of the course, 0 on the day of the first dose; a first draft begins one, if no level speaks against it."""
        if self.course.start is None:
            unseen = self.course.first_order is None and any(not lab.wrong_specimen for lab in self.levels)
            return 0 if self.drafts and not unseen else None
        return self.course.start.days_until(self.now) if self.start_known else None

    @property
    def window(self) -> Window | None:
        """The protocol's dose window for this patient and phase."""
        return self.window_for(str(self.facts.values.get("phase", "")))

    def window_for(self, phase: str) -> Window | None:
        return next(
            (w for w in self.knowledge.protocol.windows if (w.age_group, w.phase) == (self.age_group, phase)), None
        )

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
    days = [lab.moment.day for lab in levels if lab.moment is not None and not lab.wrong_specimen]
    situation.first_level = min(days, default=None)
    _settle_dose(situation)
    return situation


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
