"""How facts and cards write numbers, days and results."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from cds.chart.model import Lab
from cds.chart.times import Moment

COUNT = "10^9/L"
MG_DAY = "mg/day"
NG_ML = "ng/mL"
"""Units as rules and facts write them."""
_TO_THE_MINUTE = len("2024-04-17 08:00")


def said(number: Decimal) -> str:
    """A number as a clinician writes it."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rounded(number: Decimal, places: str) -> str:
    """A computed number, rounded for display only."""
    return said(number.quantize(Decimal(places), ROUND_HALF_UP))


def on_day(moment: Moment | None) -> str:
    """The day and, if known, the time of a moment, in its own offset."""
    if moment is None:
        return "on an unknown date"
    return moment.at.isoformat(" ", "minutes")[:_TO_THE_MINUTE] if moment.at else moment.day.isoformat()


def reported(lab: Lab, unit: str) -> str:
    """A result as the card shows it: value, unit, date, what the laboratory printed if that differs, and if it was matched by name."""
    assert lab.amount is not None
    printed = f" (reported as {lab.amount.printed})" if lab.amount.printed else ""
    value = rounded(lab.amount.value, "0.001")
    by_name = ", matched by name" if lab.by_name else ""
    return f"{lab.amount.comparator}{value} {unit}{printed} on {on_day(lab.moment)}{by_name}"


def listed(items: Iterable[str]) -> str:
    """Words joined as in a sentence."""
    words = list(items)
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else ""
