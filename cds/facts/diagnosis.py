"""What sirolimus is given for: immune thrombocytopenia, any additional cause, and what was tried before."""

from __future__ import annotations

from cds.chart.words import on_day
from cds.course.kinds import Events, Problems, RoleUses
from cds.course.patient import Patient
from cds.course.problems import active, listed_problems
from cds.plan.declare import Answer, Known, Named, Unknown, flag, names

_SHOWN = 3  # at most this many earlier treatments are named as evidence


@flag("immune thrombocytopenia is on the problem list or is the order's reason")
def itp_on_record(
    itp_problems: Problems,
    secondary_problems: Problems,
    diagnoses: tuple[str, ...],
    patient: Patient,
) -> Answer[bool]:
    """As a problem, or as the reason for any order of the course; renewals inherit that reason.

    A protocol may count further diagnoses, such as Evans syndrome, as its own.
    """
    now = patient.now
    counted = [problem for problem in active(secondary_problems, now) if problem.also in diagnoses]
    problems = [problem.reference for problem in (*active(itp_problems, now), *counted)]
    orders = _orders_for_itp(patient)
    return Known(bool(problems or orders), [*problems, *orders])


def _orders_for_itp(patient: Patient) -> list[str]:
    of_course = (order for regimen in patient.course.regimens for order in regimen.orders)
    return [order.reference for order in (*patient.dose_orders, *of_course) if order.for_itp]


@names(
    "other diseases for which sirolimus is given, unless an order says that it is for ITP",
    none="none is on record, or an order says that sirolimus is for ITP",
)
def other_indications(
    other_indication_problems: Problems, transplant_problems: Problems, transplant_events: Events, patient: Patient
) -> Answer[list[Named]]:
    """Their doses and levels differ: a level of 16 may be what a transplant needs. A transplant counts whatever its status is."""
    asked = (*patient.dose_orders, *(patient.course.current.orders if patient.course.current is not None else ()))
    ordered = [
        Named(each.for_other.lower(), "the reason of the order", (each.reference,)) for each in asked if each.for_other
    ]
    if ordered:
        return list({each.name: each for each in ordered}.values())
    if _orders_for_itp(patient):
        return Unknown("an order says that sirolimus is for ITP")
    done = [Named("transplant", f"of {on_day(each.moment)}", (each.reference,)) for each in transplant_events[:1]]
    found = [*active(other_indication_problems, patient.now), *transplant_problems]
    return listed_problems(found) if found or not done else done


@flag("a corticosteroid, immunoglobulin or anti-D is on record")
def first_line_on_record(first_line_uses: RoleUses) -> Answer[bool]:
    earlier = [use.reference for use in first_line_uses if not use.draft]
    return Known(bool(earlier), earlier[:_SHOWN])


@names(
    "Evans syndrome, lupus, lymphoproliferation or another cause of thrombocytopenia on record",
    none="none is on record",
)
def secondary_itp(secondary_problems: Problems) -> Answer[list[Named]]:
    return [Named(each.display.lower(), "", (each.reference,)) for each in secondary_problems if each.active]
