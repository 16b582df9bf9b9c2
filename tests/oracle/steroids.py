"""Corticosteroids, as prednisone: rules/definitions.yaml for the factors."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from tests.oracle.codes import PREDNISONE
from tests.oracle.record import Record


def prednisone(record: Record, day: date) -> Decimal:
    """Systemic corticosteroid taken on a day, as prednisone."""
    total = Decimal(0)
    for code, factor in PREDNISONE.items():
        own = [o for o in record.orders if o.code == code and not o.draft and o.start <= day]
        own = [o for o in own if o.end is None or day < o.end]
        doses = [o.dose.mean * factor for o in own if o.dose]
        total += max(doses, default=Decimal(0))
    return total


def days_above(record: Record, limit: int) -> int:
    """Days, up to today, on which more than so many mg of prednisone were taken without a break."""
    days = 0
    while prednisone(record, record.today - timedelta(days=days)) > limit:
        days += 1
        if days > 2000:
            break
    return days - 1
