"""First orders, products, the liver and the assay: rules/dosing, rules/trough; docs/rules.md, "Facts".

Rules: hepatic-impairment, not-second-line, outside-protocol-population, product-switch, assay-changed.
"""

from __future__ import annotations

from tests.oracle import labs, readings
from tests.oracle.codes import IMMUNOGLOBULINS, SECONDARY, STEROIDS
from tests.oracle.counts import stamp
from tests.oracle.course import Course, sirolimus, still_counts
from tests.oracle.dosing import Dosing
from tests.oracle.interactions import listed
from tests.oracle.levels import Levels
from tests.oracle.record import Order, Record
from tests.oracle.safety import Fires, first_order, ordered, ratio, taking

BILIRUBIN_HIGH, SWITCH_SHOWN = 1.5, 14  # rules/definitions.yaml
ASSAYS = {"LC-MS/MS": "mass spectrometry", "Immunoassay": "immunoassay"}
SOLUTION, UNSAID = "314230", "35302"


def rules(record: Record, course: Course, lv: Levels, d: Dosing, goes_on: bool) -> Fires:
    """The rules that fire."""
    fires: Fires = {}
    if ordered(record):
        fires |= _liver(record)
        if first_order(record):
            fires |= _first(record)
    if ordered(record) or (not record.ordering and taking(course)):
        fires |= _switch(record, course, lv, d)
    if not record.ordering and (
        taking(course) or (readings.HARM_AFTER_A_STOP and (still_counts(record, course) or goes_on))
    ):
        fires |= _assay(record, lv)
    return fires


def _liver(record: Record) -> Fires:
    """Bilirubin of the last 90 days above 1.5 times its laboratory's upper limit."""
    times = labs.over_limit(labs.newest(record, "bilirubin", days=labs.BILIRUBIN_RECENT))
    if times is None or times <= BILIRUBIN_HIGH:
        return {}
    text = f"Bilirubin at {ratio(times)} times the upper limit: an impaired liver clears less sirolimus"
    return {"hepatic-impairment": ("warning", f"{text}, consider a lower dose")}


def _first(record: Record) -> Fires:
    """No treatment before it; no ITP, or not the ITP of the protocol."""
    fires: Fires = {}
    before = {o.code for o in record.orders if not o.draft} | {code for code, _ in record.given}
    if record.itp and not before & (set(STEROIDS) | set(IMMUNOGLOBULINS)):
        text = "No corticosteroid, immunoglobulin or anti-D is on record: sirolimus is a later treatment of ITP"
        fires["not-second-line"] = ("info", text)
    problems = sorted((p for p in record.problems if p.active and p.code in SECONDARY), key=lambda p: p.id)
    others = list(dict.fromkeys(SECONDARY[p.code] for p in problems))
    if others:
        text = f"Beside ITP: {listed(others)}; the protocol is for primary ITP"
        fires["outside-protocol-population"] = ("info", text)
    elif not record.itp:
        text = "No ITP is on record: dose windows, levels and responses of the protocol are not shown"
        fires["outside-protocol-population"] = ("info", text)
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
    text = f"Sirolimus from {before} to {after}: consider a level 7 to 14 days later"
    return {"product-switch": ("info", text)}


def _assay(record: Record, lv: Levels) -> Fires:
    """The assays of the two newest levels that name one, where they differ."""
    named = [x for x in lv.all if x.value.method]  # a level is any concentration (glossary)
    if len(named) < 2 or named[-1].value.method == named[-2].value.method:
        return {}
    new, old = named[-1], named[-2]
    if readings.ASSAY_SHOWN is not None and (record.today - new.day).days > readings.ASSAY_SHOWN:
        return {}
    if readings.ASSAY_OF_THE_NEWEST and lv.all[-1] is not new:
        return {}
    told = (
        f"{ASSAYS[new.value.method]} on {stamp(new.value.when)}, {ASSAYS[old.value.method]} on {stamp(old.value.when)}"
    )
    return {"assay-changed": ("info", f"Sirolimus measured in another way: {told}")}
