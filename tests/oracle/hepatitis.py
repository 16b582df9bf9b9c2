"""Hepatitis B on sirolimus: rules/safety/hepatitis-b; docs/rules.md, "Facts"; definitions passive_antibody, hbv_dna_valid."""

from __future__ import annotations

from datetime import date

from tests.oracle import readings
from tests.oracle.asked import on_its_way
from tests.oracle.codes import ANTIVIRALS, IMMUNOGLOBULINS, SCREENING
from tests.oracle.record import Record, Test

PASSIVE_ANTIBODY, DNA_VALID = 180, 180  # rules/definitions.yaml


def donors(record: Record) -> list[date]:
    """The days on which immunoglobulin was given."""
    days = [o.end or o.start for o in record.orders if o.code in IMMUNOGLOBULINS and not o.draft]
    return days + [w.day for code, w in record.given if code in IMMUNOGLOBULINS]


def passive(record: Record, test: Test) -> bool:
    """A core antibody within 180 days after immunoglobulin may be the donors', unless one was positive before."""
    near = [day for day in donors(record) if 0 <= (test.when.day - day).days <= PASSIVE_ANTIBODY]
    core = [t for t in record.tests if SCREENING[t.code] == "anti-hbc" and t.positive]
    return bool(near) and not any(t.when.day < min(near) for t in core)


def hepatitis_b(record: Record) -> dict[str, tuple[str, str]]:
    """An antigen, antibody or condition that speaks of it, and neither an antiviral nor a viral load of late."""
    positive = [t for t in record.tests if t.positive]
    speaks = any(p.kind == "hepatitis b" and p.active for p in record.problems)
    speaks |= any(SCREENING[t.code] == "hbsag" for t in positive)
    speaks |= any(SCREENING[t.code] == "anti-hbc" and not passive(record, t) for t in positive)
    if readings.VIRAL_LOAD_SPEAKS_OF_HEPATITIS_B:
        speaks |= any(SCREENING[t.code] == "hbv-dna" for t in positive)
    return {"hepatitis-b": ("warning", "")} if speaks and not covered(record) else {}


def covered(record: Record) -> bool:
    """An antiviral is taken, or the viral load was measured lately and found nothing, or is on order."""
    antivirals = [o for o in record.orders + record.stated if o.code in ANTIVIRALS]
    if any(o.draft or o.end is None or o.end > record.today for o in antivirals):
        return True
    loads = [t for t in record.tests if SCREENING[t.code] == "hbv-dna"]
    if any(t.positive is False and (record.today - t.when.day).days <= DNA_VALID for t in loads):
        return True
    if readings.VIRAL_LOAD_SPEAKS_OF_HEPATITIS_B and loads and max(loads, key=lambda t: t.when.day).positive:
        return False
    return on_its_way(record, ["hbv-dna"], max((t.when.day for t in loads), default=None))
