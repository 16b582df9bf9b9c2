"""Whether a test is on its way: docs/fhir.md, ServiceRequest; rules/definitions.yaml, test_order_counts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tests.oracle.codes import LABS, PANELS, PLATELETS, SCREENING
from tests.oracle.record import Record

ORDER_COUNTS = 45


def names_of(code: str) -> tuple[str, ...]:
    """The groups of results that an order of this code brings."""
    if code in PLATELETS:
        return ("platelets",)
    return PANELS.get(code) or (LABS.get(code) or SCREENING.get(code) or "",)


def on_its_way(record: Record, groups: Iterable[str], seen: date | None) -> bool:
    """On order, alone or in a panel, for 45 days after it was written, and not answered since; or being written."""
    for w in record.wanted:
        if not set(names_of(w.code)) & set(groups):
            continue
        if w.draft and record.ordering:
            return True
        young = w.written is None or (record.today - w.written).days <= ORDER_COUNTS
        if young and not (w.written and seen and seen > w.written):  # of one day, it may be why it was ordered
            return True
    return False
