"""The dose that is judged: how much, in which phase, and by the size of the patient."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from cds.chart.model import Lab, Order
from cds.chart.words import MG_DAY, listed, said
from cds.compiled.knowledge import WIDEST
from cds.course.exposure import exposure, history
from cds.course.patient import Patient
from cds.facts.size import Heaviest, Size
from cds.plan.declare import Answer, Days, Known, Named, Unknown, code, number, part, text

_NO_COURSE = "there is no course whose orders are clear"


def _references(patient: Patient) -> list[str]:
    return [order.reference for order in patient.dose_orders]


def _first_regimen(patient: Patient) -> Sequence[str]:
    """The orders with which the course began; without a course, the orders of the judged dose."""
    regimens = patient.course.regimens
    return regimens[0].references if regimens else _references(patient)


@code(
    f"starting maintenance {WIDEST}",
    "starting before day {maintenance_from} of the course, then maintenance; either, where the start is not known",
)
def phase(age_group: str, patient: Patient, maintenance_from: Days) -> Answer[str]:
    if patient.day is not None:
        name = "starting" if patient.day < maintenance_from else "maintenance"
        return Known(name, _first_regimen(patient))
    if patient.began_unseen:
        return Known(WIDEST, _references(patient))
    return Unknown("the start of the course is not known")


@number("day", "1", "days since the first dose of this course, which is day 0")
def days_on_sirolimus(patient: Patient) -> Answer[Decimal]:
    start, day = patient.course.start, patient.day
    if day is None or start is None:
        return Unknown("sirolimus has not been started, or the start is not known")
    return Known(Decimal(day), patient.course.regimens[0].references, start.day)


@number("day", "1", "days since sirolimus was started, changed, held or resumed")
def days_since_change(patient: Patient) -> Answer[Decimal]:
    course = patient.course
    if course.last_change is None or course.conflict or not (patient.start_known or not course.last_change.is_start):
        return Unknown(_NO_COURSE)
    return Known(Decimal(course.last_change.moment.days_until(patient.now)), course.regimens[-1].references)


@text("the doses of this course with the days from which they were taken, holds as none")
def dose_history(patient: Patient) -> Answer[str]:
    course = patient.course
    clear = course.last_change is not None and not course.conflict
    stretches = exposure(course, patient.now, patient.joining.resume_gap) if clear else []
    if not stretches:
        return Unknown(_NO_COURSE)
    return Known(history(stretches), [reference for regimen in course.regimens for reference in regimen.references])


@number("mg", "0.1", "the most sirolimus taken on any one day, whatever the rhythm")
def largest_dose_on_one_day(patient: Patient) -> Answer[Decimal]:
    """From the whole dose or, if the whole dose is not clear, the largest of any single order."""
    if patient.dose.on_one_day is not None:
        return Known(patient.dose.on_one_day, _references(patient))
    orders = patient.dose_orders or patient.unresolved or patient.course.conflict
    amounts = [(order.dose.on_one_day, order.reference) for order in orders if order.dose.on_one_day is not None]
    if not amounts:
        return Unknown("the dose is not known")
    most, reference = max(amounts)
    return Known(most, [reference])


@part
def judged_orders(patient: Patient) -> Answer[tuple[Order, ...]]:
    """The orders that make up the judged dose."""
    if patient.dose_orders:
        return patient.dose_orders
    unclear = patient.unresolved or patient.course.conflict
    if not unclear:
        return Unknown("sirolimus is not being taken now")
    word = "draft" if all(order.draft for order in unclear) else "active"
    note = "it is not said whether they add up or one replaces the other; the dose is not judged"
    both = tuple(dict.fromkeys(order.reference for order in unclear))
    return Unknown("it is not clear which orders are taken", Named(f"Two {word} orders", note, both, "daily_dose"))


@number(MG_DAY, "0.1", "sirolimus per day: the draft order's on order hooks, else the active one's")
def daily_dose(judged_orders: tuple[Order, ...], patient: Patient) -> Answer[Decimal]:
    dose, references = patient.dose, tuple(order.reference for order in judged_orders)
    if dose.per_day is not None:
        return Known(dose.per_day, references)
    rhythm = f"sirolimus is taken {dose.rhythm}; the daily dose window does not apply"
    note = rhythm if dose.rhythm else f"{dose.problem}; the dose is not judged"
    reason = f"the rhythm is {dose.rhythm}, not daily" if dose.rhythm else dose.problem
    return Unknown(reason, Named("Dose per day", note, references, "daily_dose"))


@number("mg/kg/day", "0.01", "daily dose by body weight")
def dose_per_kg(daily_dose: Decimal, recent_weight: Lab, patient: Patient) -> Answer[Decimal]:
    assert recent_weight.amount is not None
    return Known(daily_dose / recent_weight.amount.value, [*_references(patient), recent_weight.reference])


@number("mg/kg/day", "0.01", "the least that the daily dose is by weight, where no recent weight is on record")
def dose_per_kg_at_least(daily_dose: Decimal, heaviest: Heaviest, patient: Patient) -> Answer[Decimal]:
    most, _, reference = heaviest
    return Known(daily_dose / most, [*_references(patient), reference])


@number("mg/m2/day", "0.1", "daily dose by body surface (Mosteller)")
def dose_per_m2(daily_dose: Decimal, recent_weight: Lab, size: Size, patient: Patient) -> Answer[Decimal]:
    if size.surface is None or size.height is None:
        return Unknown("there is no recent height")
    references = [*_references(patient), recent_weight.reference, size.height.reference]
    return Known(daily_dose / size.surface, references)


@text("the orders that the dose was read from")
def order_working(judged_orders: tuple[Order, ...], patient: Patient) -> Answer[str]:
    words, per_day = listed(_order_words(order) for order in judged_orders), patient.dose.per_day
    if len(judged_orders) > 1 and per_day is not None:
        words += f", together {said(per_day)} mg/day"
    standing = _standing(patient)
    if standing:
        words += f"; it would replace {listed(_order_words(order) for order in standing)}"
        total = sum((order.dose.per_day or Decimal(0) for order in standing), per_day or Decimal(0))
        if per_day is not None:
            words += f" (if that is left standing, the total is {said(total)} mg/day)"
    return Known(words, [order.reference for order in judged_orders])


def _standing(patient: Patient) -> list[Order]:
    """Active orders that a draft would replace: all of them, even if they contradict one another."""
    if not patient.drafts or not patient.taking:
        return []
    course = patient.course
    current = course.conflict or (course.current.orders if course.current else ())
    judged = {order.reference for order in patient.dose_orders}
    return [order for order in current if order.reference not in judged]


def _order_words(order: Order) -> str:
    dose = order.dose
    if dose.per_day is not None:
        amount = f"{said(dose.per_day)} mg/day"
    elif dose.on_one_day is not None:
        amount = f"{said(dose.on_one_day)} mg {dose.rhythm}"
    else:
        amount = f"dose not computed ({dose.problem})"
    by_name = ", drug matched by name" if order.by_name else ""
    return f"{'draft order' if order.draft else 'order'} of {amount}{by_name}"
