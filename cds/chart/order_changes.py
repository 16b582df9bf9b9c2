"""Changes that a suggestion makes to an order in place: since when, and what was taken before.

The dates of an updated order are still those of its start, so that the new dose would look as old as the order, and a level
of the old dose like one of the new. An extension of the order therefore keeps the day of each change and the dose before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from cds.chart.model import Dose, Order
from cds.chart.numbers import Unreadable, exact
from cds.chart.times import Moment, parse_moment
from cds.chart.wire import ABSENT, Extension, given, later

_encode = msgspec.json.Encoder(decimal_format="number").encode
URL = "urn:sirolimus-itp-cds:order-change"
_UNIT = "mg/d"
_DAY = Decimal(24)
_UNREADABLE = "an earlier change of the order cannot be read"
_RESUMED = "it was put on hold and resumed, and the day of resuming is not on record"


class OrderChange(NamedTuple):
    """A change of an order: when, the dose in mg/day until then, and whether it was put on hold."""

    at: Moment
    before: Decimal
    held: bool


def record_change(resource: dict[str, Any], change: OrderChange) -> None:
    """Add a change to the extensions of a MedicationRequest that is about to be updated."""
    resource["extension"] = [*resource.get("extension", ()), _extension(change)]


def only_changes(extension: Raw) -> Raw:
    """The changes among the extensions of a resource, without anything else that stands there."""
    try:
        changes = [_extension(change) for change in read_changes(extension)]
    except Unreadable:
        changes = [{"url": URL}]
    return Raw(_encode(changes)) if changes else ABSENT


def _extension(change: OrderChange) -> dict[str, Any]:
    dose = {"value": change.before, "unit": "mg/day", "system": "http://unitsofmeasure.org", "code": _UNIT}
    parts = [
        {"url": "at", "valueDateTime": (change.at.at or change.at.day).isoformat()},
        {"url": "before", "valueQuantity": dose},
        {"url": "held", "valueBoolean": change.held},
    ]
    return {"url": URL, "extension": parts}


def read_changes(extension: Raw) -> list[OrderChange]:
    """The changes of an order, oldest first.

    Raises:
        Unreadable: an extension of ours lacks its time or its dose.
    """
    count = bytes(extension).count(URL.encode()) if given(extension) else 0
    if not count:
        return []
    found = [_change(each) for each in later(extension, Extension) if each.url == URL]
    if len(found) != count:
        raise Unreadable(_UNREADABLE, "extension")
    return sorted(found, key=lambda change: change.at.sort_key())


def _change(extension: Extension) -> OrderChange:
    parts = {part.url: part for part in extension.extension or ()}
    at, before, held = (parts.get(name, Extension()) for name in ("at", "before", "held"))
    moment, dose = parse_moment(at.valueDateTime), before.valueQuantity
    try:
        if moment is not None and dose is not None and dose.code == _UNIT and held.valueBoolean is not None:
            return OrderChange(moment, exact(dose.value), held.valueBoolean)
    except Unreadable:
        pass
    raise Unreadable(_UNREADABLE, "extension")


def in_turn(order: Order, changes: Sequence[OrderChange], now: datetime) -> Iterator[Order]:
    """The order as it was until each of its changes, each time as an order of its own, and as it is since the last one."""
    for place, change in enumerate(changes):
        if order.start is not None and change.at.sort_key() <= order.start.sort_key():
            continue  # nothing had been taken under it
        dose = Dose(change.before, None, change.before, "daily", order.dose.interval_hours or _DAY, change.before)
        if change.at.is_after(now):  # judged as of an earlier day: the order was still as before the change
            yield replace(order, status="active", dose=dose, end=None)
            return
        if change.held and place == len(changes) - 1 and order.status != "active":
            yield replace(order, end=change.at)
            return
        yield replace(order, status="completed", dose=dose, end=change.at)
        order = replace(order, start=change.at)
        if change.held:
            order = replace(order, dose=Dose(problem=_RESUMED, at="status"))
    yield order
