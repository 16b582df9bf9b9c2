"""What an order of sirolimus means beside what is taken: too soon, twice, another product, the wrong patient for it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from cds.chart.model import Order
from cds.facts.course import Regimen, changed
from cds.facts.levels import age_in_days, beyond
from cds.facts.record import Named, on_day, said
from cds.facts.situation import Situation


def put_ordering(situation: Situation) -> None:
    """State what is asked of an order, and what two orders that contradict one another say."""
    _put_conflict(situation)
    _put_change(situation)
    _put_switch(situation)


def put_product(situation: Situation) -> None:
    """State whether it is tablets or solution, where the order says so."""
    orders = (
        situation.dose_orders or situation.unresolved or situation.course.conflict
    )  # whatever their dose, they may be of one product
    product = _product_of(orders)
    if product:
        situation.facts.put("product", product, *(order.reference for order in orders))
    else:
        situation.facts.miss("the order does not say whether it is tablets or solution", "product")


def _put_conflict(situation: Situation) -> None:
    orders = situation.unresolved or ([] if situation.dose_orders else situation.course.conflict)
    facts = situation.facts
    if not orders:
        facts.miss("no two orders contradict one another", "conflicting_orders", "conflict_total")
        return
    unique = {order.reference: order for order in orders}
    facts.put("conflicting_orders", [_named(order) for order in unique.values()], *unique)
    doses = [order.dose.per_day for order in unique.values()]
    if all(dose is not None for dose in doses):
        total = sum((dose for dose in doses if dose is not None), Decimal(0))
        facts.put("conflict_total", f"together they are {said(total)} mg/day", *unique)


def _named(order: Order) -> Named:
    dose = f"{said(order.dose.per_day)} mg/day" if order.dose.per_day is not None else "a dose that is not computed"
    return Named(dose, f"{'draft' if order.draft else 'active'}, from {on_day(order.start)}", (order.reference,))


def _put_change(situation: Situation) -> None:
    """Whether the draft changes the dose that is taken, and whether it is a cut that a high level asks for."""
    facts, current = situation.facts, situation.course.current
    names = ("draft_changes_dose", "cut_for_a_reason")
    facts.put("draft_raises", situation.draft_raises, *(order.reference for order in situation.drafts))
    if not situation.drafts or not situation.taking or situation.course.conflict or current is None:
        facts.miss("no draft changes a dose that is taken", *names)
        return
    draft, before = situation.dose, current.dose
    if draft.mean is None or before.mean is None:
        facts.miss("the dose of the draft, or the one that is taken, is not known", *names)
        return
    references = [order.reference for order in situation.dose_orders]
    facts.put("draft_changes_dose", changed(before, draft), *references)
    newest = next((lab for lab in situation.levels if not lab.wrong_specimen), None)
    recent = newest is not None and age_in_days(newest, situation.now) <= situation.days("level_max_age")
    numbers = situation.knowledge.protocol.numbers
    high = recent and newest is not None and newest.amount is not None and beyond(newest.amount, numbers) > 0
    reasons = high or "harms" in facts.values
    facts.put("cut_for_a_reason", draft.mean < before.mean and reasons, *references)


def _put_switch(situation: Situation) -> None:
    """Tablets to solution or back: by a draft, or in the course with no level since."""
    facts, regimens = situation.facts, situation.course.regimens
    if situation.drafts and situation.taking and situation.course.current is not None:
        before, after = _product(situation.course.current), _product_of(situation.drafts)
        references = [order.reference for order in situation.drafts]
    elif not situation.ordering and situation.taking and len(regimens) > 1 and _no_level_since(situation, regimens[-1]):
        before, after = _product(regimens[-2]), _product(regimens[-1])
        references = list(regimens[-1].references)
    else:
        before = after = ""
        references = []
    if before and after and before != after:
        facts.put("product_switch", f"from {before} to {after}", *references)
    else:
        facts.miss("the product stays the same, or is not known", "product_switch")


def _no_level_since(situation: Situation, regimen: Regimen) -> bool:
    recent = regimen.start.days_until(situation.now) <= situation.days("switch_shown")
    days = [lab.moment.day for lab in situation.levels if lab.moment is not None and not lab.wrong_specimen]
    return recent and max(days, default=regimen.start.day) <= regimen.start.day


def _product(regimen: Regimen) -> str:
    return _product_of(regimen.orders)


def _product_of(orders: Sequence[Order]) -> str:
    """Solution or tablets; empty where the order says neither, or both."""
    kinds = {"solution" if order.liquid else "tablets" if order.strength is not None else "" for order in orders}
    return kinds.pop() if len(kinds) == 1 else ""


def put_population(situation: Situation) -> None:
    """For a first order: whether other treatment came first, and whether it is the ITP of the protocol."""
    facts = situation.facts
    first = bool(situation.drafts) and situation.course.start is None and situation.course.first_order is None
    facts.put("first_order", first, *(order.reference for order in situation.drafts))
    first_line = situation.knowledge.with_role("first line")
    earlier = [u.reference for u in situation.chart.drugs if u.valueset in first_line and not u.draft]
    facts.put("first_line_on_record", bool(earlier), *earlier[:3])
    others = [p for p in situation.chart.problems if p.name == "secondary" and p.active]
    if others:
        listed = [Named(problem.display.lower(), "", (problem.reference,)) for problem in others]
        facts.put("secondary_itp", listed, *(problem.reference for problem in others))
    else:
        facts.miss("none is on record", "secondary_itp")
