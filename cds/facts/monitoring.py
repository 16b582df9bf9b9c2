"""Which tests were never done before a start, and which are overdue during the course."""

from __future__ import annotations

from decimal import Decimal

from cds.chart.model import Chart, Lab
from cds.chart.words import on_day
from cds.compiled.knowledge import LabTest
from cds.course.patient import Patient
from cds.facts.infection import IsPassive
from cds.plan.declare import Answer, Named, Numbers, flag, names

_ONCE = 36_500  # days: a result of any age will do
_SCREENS = ("hepatitis-c", "hiv", "tuberculosis")


class Stretches(Numbers, frozen=True):
    """The last day of each stretch of the schedule, and after how many of its intervals a test is overdue."""

    weeks_1_to_4_until: int
    months_2_and_3_until: int
    months_4_to_6_until: int
    overdue_share: Decimal

    def of(self, day: int) -> int:
        """The index of the stretch that contains a day of the course."""
        ends = (self.weeks_1_to_4_until, self.months_2_and_3_until, self.months_4_to_6_until)
        return next((number for number, end in enumerate(ends) if day <= end), len(ends))


@flag("all results were sent, so that one that is not there was not done")
def observations_supplied(chart: Chart) -> Answer[bool]:
    kinds = {kind for kind, _ in chart.incomplete}
    return "Observation" not in chart.not_supplied and kinds.isdisjoint(("Observation", "Bundle"))


def _newest(chart: Chart, test: LabTest, is_passive: IsPassive) -> Lab | None:
    """The newest result that shows the test was done; one that awaits confirmation counts, an erroneous one does not."""
    labs = [
        lab
        for name in test.seen_by
        for lab in chart.labs.get(name, ())
        if lab.moment is not None
        and not lab.problem
        and not lab.wrong_specimen
        and (lab.status != "preliminary" or lab.amount is not None)  # a preliminary answer may still change
        and not (name == "anti-hbc" and lab.positive and is_passive(lab))
    ]
    return max(labs, key=lambda lab: lab.moment.sort_key() if lab.moment else (), default=None)


@names(
    "infections found by the tests before a first dose, other than hepatitis B", none="no screening test was positive"
)
def screening_positive(first_order: bool, chart: Chart, schedule: tuple[LabTest, ...]) -> Answer[list[Named]]:
    """The newest result of each test counts."""
    found = []
    for test in schedule:
        if first_order and test.id in _SCREENS:
            newest = _newest(chart, test, lambda lab: False)
            if newest is not None and newest.positive:
                found.append(Named(test.means, f"positive on {on_day(newest.moment)}", (newest.reference,)))
    return found


@names(
    "tests wanted before a first dose that are not on record, or too old",
    none="nothing is missing, or this is no first order",
)
def baseline_missing(
    first_order: bool, chart: Chart, schedule: tuple[LabTest, ...], is_passive: IsPassive, patient: Patient
) -> Answer[list[Named]]:
    found = []
    for test in schedule if first_order else ():
        newest = _newest(chart, test, is_passive)
        age = newest.moment.days_until(patient.now) if newest is not None and newest.moment is not None else None
        known = age is not None and age <= test.baseline
        if test.baseline and not known and not chart.awaited(*test.seen_by):
            found.append(_named(test, newest, test.baseline))
    return found


def _named(test: LabTest, newest: Lab | None, wanted: int = 0) -> Named:
    when = f"last on {on_day(newest.moment)}" if newest is not None else "none on record"
    if wanted:
        when += f"; wanted of the last {wanted} days" if wanted < _ONCE else "; wanted once"
    return Named(test.means, when, (newest.reference,) if newest is not None else (), fact=test.id)


@names(
    "blood and urine tests of the schedule that are overdue",
    none="nothing is overdue, or it is not known since when",
)
def tests_overdue(
    chart: Chart, schedule: tuple[LabTest, ...], is_passive: IsPassive, stretches: Stretches, patient: Patient
) -> Answer[list[Named]]:
    day = patient.day
    if not patient.taking or patient.course.start is None or day is None:
        return []
    found = []
    for test in schedule:
        if not test.every:
            continue
        newest = _newest(chart, test, is_passive)
        since = newest.moment.days_until(patient.now) if newest is not None and newest.moment is not None else day
        if _is_late(test, since, day, stretches) and not chart.awaited(*test.seen_by):
            found.append(_named(test, newest))
    return found


def _is_late(test: LabTest, since: int, day: int, stretches: Stretches) -> bool:
    """Whether a test is overdue, its newest result being ``since`` days old; with none in this course, whether the first one wanted is."""
    stretch = stretches.of(day)
    if since < day:
        waited, every = since, test.every[stretch]
    else:
        waited, every = day, next((days for days in test.every[: stretch + 1] if days), 0)
    return bool(every) and waited > every * stretches.overdue_share
