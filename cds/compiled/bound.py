"""A number of which only a bound is known, as laboratories report it: ``<2.0``, ``>=20``."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Literal

import msgspec

from cds.compiled.knowledge import Operator

Comparator = Literal["<", "<=", ">", ">="]
_WRITTEN = re.compile(r"(<=|>=|<|>) ?(-?[0-9]+(?:\.[0-9]+)?)")
_SURELY: dict[tuple[str, str], Callable[[Decimal, Decimal], bool]] = {
    ("<", "<"): lambda bound, limit: bound <= limit,
    ("<", "<="): lambda bound, limit: bound <= limit,
    ("<=", "<"): lambda bound, limit: bound < limit,
    ("<=", "<="): lambda bound, limit: bound <= limit,
    (">", ">"): lambda bound, limit: bound >= limit,
    (">", ">="): lambda bound, limit: bound >= limit,
    (">=", ">"): lambda bound, limit: bound > limit,
    (">=", ">="): lambda bound, limit: bound >= limit,
}
"""By the comparator of the bound and the operator of the condition; of every other pair nothing is sure."""


class Bound(msgspec.Struct, frozen=True):
    """Less than, at most, more than or at least ``number``."""

    comparator: Comparator
    number: Decimal

    def surely(self, operator: Operator, limit: Decimal) -> bool:
        """Whether every number within the bound compares so with ``limit``."""
        holds = _SURELY.get((self.comparator, operator))
        return holds is not None and holds(self.number, limit)

    def __str__(self) -> str:
        return f"{self.comparator}{self.number.normalize():f}"


def bound_of(text: str) -> Bound | None:
    """A bound as a case writes it, such as ``<5``; None for anything else."""
    match = _WRITTEN.fullmatch(text)
    return Bound(match[1], Decimal(match[2])) if match else None  # type: ignore[arg-type]  # the pattern admits no other
