"""First orders, products, the liver and the assay: rules/dosing, rules/trough; docs/rules.md, "Facts".

Rules: hepatic-impairment, not-second-line, outside-protocol-population, product-switch, assay-changed.
"""

from __future__ import annotations

from tests.oracle import harms, readings
from tests.oracle.codes import IMMUNOGLOBULINS, STEROIDS
from tests.oracle.course import Course, sirolimus, still_counts
from tests.oracle.dosing import Dosing
from tests.oracle.levels import Levels
from tests.oracle.record import Order, Record
from tests.oracle.safety import Fires, first_order, ordered, taking

SWITCH_SHOWN = 14  # rules/definitions.yaml
SECONDARY = ("evans syndrome", "systemic lupus erythematosus")
SOLUTION, UNSAID = "314230", "35302"


def rules(record: Record, course: Course, lv: Levels, d: Dosing, goes_on: bool) -> Fires:
    """The rules that fire."""
    fires: Fires = {}
    if ordered(record):
        fires |= _liver(record, course, lv)
        if first_order(record):
            fires |= _first(record)
    if ordered(record) or (not record.ordering and taking(course)):
        fires |= _switch(record, course, lv, d)
    if not record.ordering and (
        taking(course) or (readings.HARM_AFTER_A_STOP and (still_counts(record, course) or goes_on))
    ):
        fires |= _assay(record, lv)
    return fires


def _liver(record: Record, course: Course, lv: Levels) -> Fires:
    """Cirrhosis, liver failure or bilirubin: a warning; info where a usable level has answered it."""
    if not harms.liver(record):
        return {}
    return {"hepatic-impairment": ("info" if harms.liver_answered(record, course, lv) else "warning", "")}


def _first(record: Record) -> Fires:
    """No treatment before it; no ITP, or not the ITP of the protocol."""
    fires: Fires = {}
    before = {o.code for o in record.orders if not o.draft} | {code for code, _ in record.given}
    if record.itp and not before & (set(STEROIDS) | set(IMMUNOGLOBULINS)):
        fires["not-second-line"] = ("info", "")
    if not record.itp or any(p.active and p.kind in SECONDARY for p in record.problems):
        fires["outside-protocol-population"] = ("info", "")
    return fires


def _kind(order: Order) -> str:
    return "solution" if order.code == SOLUTION else "" if order.code == UNSAID else "tablets"


def _kinds(orders: list[Order] | tuple[Order, ...]) -> str:
    """Tablets or solution; nothing where an order does not say so, or they are both."""
    kinds = {_kind(o) for o in orders}
    return kinds.pop() if len(kinds) == 1 else ""


def _switch(record: Record, course: Course, lv: Levels, d: Dosing) -> Fires:
    """From tablets to solution or back: what is being ordered, or what was taken up within 14 days and no level since."""
    if record.ordering:
        before, after = _kinds([o for o in course.current if o.status == "active"]), _kinds(d.orders)
    else:
        after = _kinds(d.orders)
        since = min((o.start for o in d.orders), default=record.today)
        earlier = [o for o in sirolimus(record) if o.start < since and course.start and o.start >= course.start]
        before = _kinds(earlier[-1:])
        if (record.today - since).days > SWITCH_SHOWN or any(x.day > since for x in lv.accepted):
            return {}
    if not before or not after or before == after:
        return {}
    return {"product-switch": ("info", "")}


def _assay(record: Record, lv: Levels) -> Fires:
    """The assays of the two newest levels that name one, where they differ."""
    named = [x for x in lv.all if x.value.method]  # a level is any concentration (glossary)
    if len(named) < 2 or named[-1].value.method == named[-2].value.method:
        return {}
    new = named[-1]
    if readings.ASSAY_SHOWN is not None and (record.today - new.day).days > readings.ASSAY_SHOWN:
        return {}
    if readings.ASSAY_OF_THE_NEWEST and lv.all[-1] is not new:
        return {}
    return {"assay-changed": ("info", "")}
