"""Hepatitis B on sirolimus: rules/safety/hepatitis-b; docs/rules.md, "Facts"; definitions passive_antibody, hbv_dna_valid."""

from __future__ import annotations

from datetime import date

from tests.oracle.codes import ANTIVIRALS, HEPATITIS_B, IMMUNOGLOBULINS, SCREENING
from tests.oracle.counts import stamp
from tests.oracle.record import Record, Test

PASSIVE_ANTIBODY, DNA_VALID, ORDER_COUNTS = 180, 180, 45  # rules/definitions.yaml


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
    told = ""
    by_age = sorted(record.tests, key=lambda t: t.when.day)
    if antigens := [t for t in by_age if SCREENING[t.code] == "hbsag" and t.positive]:
        told = f"surface antigen positive on {stamp(antigens[-1].when)}"
    cores = [t for t in by_age if SCREENING[t.code] == "anti-hbc" and t.positive and not passive(record, t)]
    if not told and cores:
        told = f"core antibody positive on {stamp(cores[-1].when)}"
    known = [p for p in record.problems if p.code in HEPATITIS_B and p.active]
    if not told and known:
        told = "hepatitis b on the problem list"
    if not told or covered(record):
        return {}
    return {"hepatitis-b": ("warning", f"Hepatitis B may come back on sirolimus: {told}")}


def covered(record: Record) -> bool:
    """An antiviral is taken, or the viral load was measured lately and found nothing, or is on order."""
    antivirals = [o for o in record.orders if o.code in ANTIVIRALS]
    if any(o.draft or o.end is None or o.end > record.today for o in antivirals):
        return True
    loads = [t for t in record.tests if SCREENING[t.code] == "hbv-dna"]
    if any(t.positive is False and (record.today - t.when.day).days <= DNA_VALID for t in loads):
        return True
    asked = [w for w in record.wanted if SCREENING.get(w.code) == "hbv-dna"]
    return any(w.draft or (w.written and (record.today - w.written).days <= ORDER_COUNTS) for w in asked)
