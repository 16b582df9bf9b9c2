"""The dose windows of a protocol: in which unit they are, and the widest one of each age group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from cds.compiled.knowledge import WIDEST, Window

_PER_DAY, PER_SURFACE = "mg/day", "mg/m2/day"
_JUDGED_BY = {_PER_DAY: "daily_dose", PER_SURFACE: "dose_per_m2"}


def windows_of(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[Window, ...]:
    """The dose windows among a protocol's tables."""
    return tuple(
        Window(
            str(row["age_group"]),
            str(row["phase"]),
            Decimal(row["low"]),
            Decimal(row["high"]),
            row.get("unit") == PER_SURFACE,
        )
        for row in tables.get("dose_windows", [])
    )


def with_widest(tables: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Tables with the fact and unit of each dose window added, and with the widest window of each age group.

    The widest window is for a course whose start, and therefore phase, is not known. Widest windows that are already there
    are computed again.
    """
    rows = [
        row | {"unit": row.get("unit", _PER_DAY), "dose": _JUDGED_BY[row.get("unit", _PER_DAY)]}  # last: it names none
        for row in tables.get("dose_windows", [])
        if row["phase"] != WIDEST
    ]
    widest = []
    for group in dict.fromkeys((row["age_group"], row["unit"]) for row in rows):
        mine = [row for row in rows if (row["age_group"], row["unit"]) == group]
        low, high = min(row["low"] for row in mine), max(row["high"] for row in mine)
        widest.append(mine[0] | {"phase": WIDEST, "low": low, "high": high})
    return tables | ({"dose_windows": [*rows, *widest]} if rows else {})
