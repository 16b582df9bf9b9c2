"""What the request is about, for which patient, and whether there is anything to report."""

from __future__ import annotations

from cds.chart.model import Intake, Lab
from cds.course.kinds import UnreadOf
from cds.course.patient import Patient
from cds.plan.declare import Answer, Unknown, flag, part

DIED = "the record says that this patient has died"


@flag("the question comes from an order hook (order-select or order-sign)")
def ordering(patient: Patient) -> Answer[bool]:
    return patient.ordering


@part
def level_without_order(patient: Patient) -> list[Lab]:
    """A recent level while no order is on record, or so long after the end of the last order that sirolimus must still be taken."""
    course, joining = patient.course, patient.joining
    if course.state != "none" and (course.state != "stopped" or course.ended is None):
        return []
    return [
        lab
        for lab in patient.levels
        if lab.moment is not None
        and lab.moment.days_until(patient.now) <= joining.level_max_age
        and (course.ended is None or course.ended.days_to(lab.moment) > joining.stop_still_counts)
    ][:1]


@part
def given_without_order(patient: Patient, given: tuple[Intake, ...]) -> list[Intake]:
    """The newest of the recently given doses, if no order of sirolimus is on record at all."""
    if patient.course.state != "none":
        return []
    days = patient.joining.stop_still_counts
    recent = [each for each in given if each.moment.days_until(patient.now) <= days]
    return sorted(recent, key=lambda each: each.moment.sort_key())[-1:]


@part
def unreadable_level(patient: Patient) -> list[Lab]:
    """Recent levels that cannot be read: they may be the only sign that sirolimus is taken."""
    days = patient.joining.level_max_age
    return [lab for lab in patient.unread_levels if lab.moment is None or lab.moment.days_until(patient.now) <= days]


@part
def relevant(
    patient: Patient,
    sirolimus_unread: UnreadOf,
    level_without_order: list[Lab],
    given_without_order: list[Intake],
    unreadable_level: list[Lab],
) -> Answer[bool]:
    """Whether this patient takes, is ordered, or has just stopped sirolimus, or has a recent level without it."""
    course = patient.course
    if patient.deceased:
        return Unknown(DIED)
    if patient.still_counts or patient.drafts or patient.other_drafts or course.conflict or course.undated:
        return True
    if sirolimus_unread:
        return True
    if course.state == "stopped_unknown" and course.start is not None:
        found = course.start.days_until(patient.now) <= patient.joining.level_max_age
    else:
        found = bool(level_without_order or given_without_order or (course.state == "none" and unreadable_level))
    return True if found else Unknown("sirolimus is neither taken nor ordered")


@part
def asks_about_sirolimus(relevant: bool, patient: Patient) -> Answer[bool]:
    """Whether the request is about sirolimus, and not about another drug taken with it."""
    if not patient.asks_about_sirolimus:
        return Unknown("sirolimus is not among the draft orders")
    return True


@flag("the question is about sirolimus: the chart is opened, or sirolimus is among the drafts")
def about_sirolimus(relevant: bool, patient: Patient) -> Answer[bool]:
    return patient.asks_about_sirolimus
