"""The record of facts, and how numbers and dates are said in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

from cds.chart.model import Lab
from cds.chart.times import Moment

_FINEST = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Named:
    """One thing in a fact that is a list: an interacting drug, a gap."""

    name: str
    note: str = ""
    references: tuple[str, ...] = ()
    fact: str = ""  # for a gap: what it keeps from being judged
    draft: bool = False  # an order that is being written


@dataclass(slots=True)
class Facts:
    """What is known (``values``), from which resources, when; and why the rest is not."""

    values: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, tuple[str, ...]] = field(default_factory=dict)
    dates: dict[str, date] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, value: Any, *references: str, on: date | None = None) -> None:
        """State a fact. Decimals are rounded to a millionth, the finest the engines compare."""
        if type(value) is Decimal:
            value = value.quantize(_FINEST, ROUND_HALF_EVEN)
        self.values[name] = value
        if references:
            self.evidence[name] = tuple(dict.fromkeys(reference for reference in references if reference))
        if on is not None:
            self.dates[name] = on

    def miss(self, reason: str, *names: str) -> None:
        """Say why facts are not known. The first reason given stands."""
        for name in names:
            if name not in self.values:
                self.absent.setdefault(name, reason)


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
    return moment.at.strftime("%Y-%m-%d %H:%M") if moment.at else moment.day.isoformat()


def reported(lab: Lab, unit: str) -> str:
    """A result as the card says it: value, unit, date, what the laboratory printed if that differs, and whether its name is all it had."""
    assert lab.amount is not None
    printed = f" (reported as {lab.amount.printed})" if lab.amount.printed else ""
    value = rounded(lab.amount.value, "0.001")
    by_name = ", matched by name" if lab.by_name else ""
    return f"{lab.amount.comparator}{value} {unit}{printed} on {on_day(lab.moment)}{by_name}"


def listed(items: Iterable[str]) -> str:
    """Words joined as in a sentence."""
    words = list(items)
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else ""
