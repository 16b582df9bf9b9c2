"""What an order of sirolimus means given what is already taken: too soon, twice, another product, the wrong patient for it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from cds.chart.model import Order
from cds.chart.words import on_day, said
from cds.course.levels import Target, age_in_days
from cds.course.orders import Regimen, changed
from cds.course.patient import Patient
from cds.plan.declare import Answer, Days, Known, Named, Unknown, code, flag, names, part, text


@part
def contradicting_orders(patient: Patient) -> dict[str, Order]:
    """Orders, by reference, for which it is not known whether they add up."""
    orders = patient.unresolved or (() if patient.dose_orders else patient.course.conflict)
    return {order.reference: order for order in orders}


@names(
    "orders for which it is not known whether they add up, each with its dose",
    none="no two orders contradict one another",
)
def conflicting_orders(contradicting_orders: dict[str, Order]) -> Answer[list[Named]]:
    return Known([_named(order) for order in contradicting_orders.values()], list(contradicting_orders))


@text("what they are together")
def conflict_total(contradicting_orders: dict[str, Order]) -> Answer[str]:
    doses = [order.dose.per_day for order in contradicting_orders.values()]
    known = [dose for dose in doses if dose is not None]
    if not doses or len(known) < len(doses):
        return Unknown("no two orders contradict one another, or the dose of one is not known")
    return Known(f"together they are {said(sum(known, Decimal(0)))} mg/day", list(contradicting_orders))


def _named(order: Order) -> Named:
    dose = f"{said(order.dose.per_day)} mg/day" if order.dose.per_day is not None else "a dose that is not computed"
    return Named(dose, f"{'draft' if order.draft else 'active'}, from {on_day(order.start)}", (order.reference,))


@flag("the draft starts sirolimus, takes it up again, or asks for more than is taken")
def draft_raises(patient: Patient) -> Answer[bool]:
    return Known(patient.draft_raises, [order.reference for order in patient.drafts])


@part
def running(patient: Patient) -> Answer[Regimen]:
    """The regimen that is taken, if a draft order would change it and the two doses can be compared."""
    current = patient.course.current
    if not patient.drafts or not patient.taking or patient.course.conflict or current is None:
        return Unknown("no draft changes a dose that is taken")
    if patient.dose.mean is None or current.dose.mean is None:
        gap = _no_comparison(current) if patient.dose.per_day is not None and current.dose.problem else None
        return Unknown("the dose of the draft, or the one that is taken, is not known", gap)
    return current


def _no_comparison(current: Regimen) -> Named:
    """The gap for a draft whose dose can be read next to a running order whose dose cannot."""
    note = f"{current.dose.problem}; whether the draft is more or less than that is not judged"
    return Named("Dose of the running order", note, current.references, "draft_changes_dose")


@flag("the draft is another dose than the one that is taken")
def draft_changes_dose(running: Regimen, patient: Patient) -> Answer[bool]:
    return Known(changed(running.dose, patient.dose), [order.reference for order in patient.dose_orders])


@flag("the draft is less, and the level is above the target or a harm asks for less")
def cut_for_a_reason(running: Regimen, patient: Patient, harms: list[Named] | Unknown, target: Target) -> Answer[bool]:
    assert patient.dose.mean is not None and running.dose.mean is not None
    newest = next((lab for lab in patient.levels if not lab.wrong_specimen), None)
    recent = newest is not None and age_in_days(newest, patient.now) <= patient.joining.level_max_age
    high = recent and newest is not None and target.is_above(newest)
    reasons = high or not isinstance(harms, Unknown)
    less = patient.dose.mean < running.dose.mean
    return Known(less and reasons, [order.reference for order in patient.dose_orders])


@code("tablets solution", "what the dose that is judged is taken as, where the order says so")
def product(patient: Patient) -> Answer[str]:
    """Several orders may be of the same product, whatever their doses."""
    orders = patient.dose_orders or patient.unresolved or patient.course.conflict
    found = _product_of(orders)
    if not found:
        return Unknown("the order does not say whether it is tablets or solution")
    return Known(found, [order.reference for order in orders])


@text("from tablets to solution or back, with no level since")
def product_switch(patient: Patient, switch_shown: Days) -> Answer[str]:
    """By a draft order, or during the course if no level has followed."""
    course, regimens = patient.course, patient.course.regimens
    before: Sequence[Order] = ()
    after: Sequence[Order] = ()
    day = None
    if patient.drafts and patient.taking and course.current is not None:
        before, after = course.current.orders, patient.drafts
    elif _changed_unseen(patient, switch_shown):
        before, after, day = regimens[-2].orders, regimens[-1].orders, regimens[-1].start.day
    was, is_now = _product_of(before), _product_of(after)
    if not was or not is_now or was == is_now:
        return Unknown("the product stays the same, or is not known")
    return Known(f"from {was} to {is_now}", [order.reference for order in after], day)


def _changed_unseen(patient: Patient, shown: int) -> bool:
    """Whether the newest orders are recent, follow others, and no level has followed them."""
    regimens = patient.course.regimens
    if patient.ordering or not patient.taking or len(regimens) < 2:
        return False
    regimen = regimens[-1]
    recent = regimen.start.days_until(patient.now) <= shown
    days = [lab.moment.day for lab in patient.levels if lab.moment is not None and not lab.wrong_specimen]
    return recent and max(days, default=regimen.start.day) <= regimen.start.day


def _product_of(orders: Sequence[Order]) -> str:
    """Solution or tablets; empty where the order says neither, or both."""
    kinds = {"solution" if order.liquid else "tablets" if order.strength is not None else "" for order in orders}
    return kinds.pop() if len(kinds) == 1 else ""


@flag("the draft is the first order of sirolimus on record")
def first_order(patient: Patient) -> Answer[bool]:
    first = bool(patient.drafts) and patient.course.start is None and patient.course.first_order is None
    return Known(first, [order.reference for order in patient.drafts])
