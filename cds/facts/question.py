"""What the request is about, for which patient, and whether there is anything to report."""

from __future__ import annotations

from cds.chart.drugs import DENIED_SOME_DAY
from cds.chart.model import Intake, Lab
from cds.course.kinds import UnreadOf
from cds.course.patient import Patient
from cds.plan.declare import Answer, Known, Unknown, flag, part

DIED = "the record says that this patient has died"


@flag("the question comes from an order hook (order-select or order-sign)")
def ordering(patient: Patient) -> Answer[bool]:
    return patient.ordering


@part
def level_without_order(patient: Patient) -> list[Lab]:
    """A recent level while no order is on record, or so long after the end of the last order that sirolimus must still be taken.

    It may still be taken under an order that is over, on a day that is not on record.
    """
    course, joining = patient.course, patient.joining
    if course.state not in ("none", "stopped", "stopped_unknown"):
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
    """The newest of the recently given doses, if no order of sirolimus is on record, or none whose end is."""
    if patient.course.state not in ("none", "stopped_unknown"):
        return []
    days = patient.joining.stop_still_counts
    recent = [each for each in given if each.moment.days_until(patient.now) <= days]
    return sorted(recent, key=lambda each: each.moment.sort_key())[-1:]


@part
def denials(patient: Patient, denied: tuple[Intake, ...], given: tuple[Intake, ...]) -> list[Intake]:
    """Statements of after the start of the active order that sirolimus is not taken, newest first.

    One that a later dose, or a later statement that it is taken, contradicts is over.
    """
    current = patient.course.current if patient.taking else None
    if current is None:
        return []
    days = patient.joining.level_max_age
    recent = [each for each in denied if each.moment.days_until(patient.now) <= days]
    statements = (each for each in patient.orders if each.reference.startswith("MedicationStatement"))
    taken = [each.start or each.authored for each in statements if each.status == "active"]
    taken += [each.moment for each in given]
    since = max([current.start.day, *(moment.day for moment in taken if moment is not None)])
    return sorted(
        (each for each in recent if each.moment.day > since), key=lambda each: each.moment.sort_key(), reverse=True
    )


@flag("a statement of after the start of the active order, or of an unknown day, says that sirolimus is not taken")
def taking_denied(denials: list[Intake], sirolimus_unread: UnreadOf) -> Answer[bool]:
    undated = [item.reference for item in sirolimus_unread if item.reason == DENIED_SOME_DAY]
    return Known(bool(denials or undated), [*(each.reference for each in denials), *undated])


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
    if any(item.reason != DENIED_SOME_DAY for item in sirolimus_unread):
        return True
    found = bool(level_without_order or given_without_order)
    if course.state == "stopped_unknown" and course.start is not None:
        found = found or course.start.days_until(patient.now) <= patient.joining.level_max_age
    found = found or (course.state in ("none", "stopped_unknown") and bool(unreadable_level))
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
