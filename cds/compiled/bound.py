"""A number of which only a bound is known, as laboratories report it: ``<2.0``, ``>=20``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Literal

import msgspec

from cds.compiled.knowledge import Operator

Comparator = Literal["<", "<=", ">", ">="]
FINEST = Decimal("0.000001")
"""The smallest difference by which either engine compares numbers."""
_WRITTEN = re.compile(r"(<=|>=|<|>) ?(-?[0-9]{1,8}(?:\.[0-9]{1,6})?)")
_BEYOND = {"<": -FINEST, "<=": Decimal(0), ">": FINEST, ">=": Decimal(0)}
_COMPARE: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Bound(msgspec.Struct, frozen=True):
    """Less than, at most, more than or at least ``number``."""

    comparator: Comparator
    number: Decimal

    def surely(self, compared: Operator, limit: Decimal) -> bool:
        """Whether the comparison ``compared`` with ``limit`` holds for every number within the bound."""
        same_way = compared in _COMPARE and self.comparator[0] == compared[0]
        return same_way and _COMPARE[compared](self.number + _BEYOND[self.comparator], limit)

    def __str__(self) -> str:
        return f"{self.comparator}{self.number.normalize():f}"


def bound_of(text: str) -> Bound | None:
    """A bound as a case writes it, such as ``<5``; None for anything else."""
    match = _WRITTEN.fullmatch(text)
    return Bound(match[1], Decimal(match[2])) if match else None  # type: ignore[arg-type]  # the pattern admits no other
