"""The level as one number that determines every fact about it, while the other facts are fixed.

How it determines them is an invariant of the facts: which level may steer the dose, and on which basis, depends on the number alone
once the draw, the doses and the changes before it are given. Property tests check these courses on random charts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from cds.authoring.proofs.regions import Box
from cds.authoring.proofs.speech import Speech
from cds.compiled.bound import Bound
from cds.compiled.knowledge import Knowledge

Level = Decimal | Bound
Driven = Mapping[str, Any]
"""Facts and their values; None for a fact that is not known. A fact about the level that is not included is fixed."""
Side = Literal["above", "below"]

OF_LEVELS = ("trough", "newest_level")


class Target(NamedTuple):
    """The protocol's numbers of a level, in ng/mL: below ``low`` it is low, above ``high`` high, above ``critical`` critical."""

    low: Decimal
    high: Decimal
    critical: Decimal

    def side(self, level: Decimal) -> Side | None:
        """On which side of the target; None within it."""
        return "above" if level > self.high else "below" if level < self.low else None

    def named(self, level: Decimal) -> str:
        """The class of a level."""
        if level > self.critical:
            return "critical"
        return {"above": "high", "below": "low", None: "in target"}[self.side(level)]


def target_of(knowledge: Knowledge) -> Target | None:
    """The target of a protocol; a part of a rules folder may have none, and then there is nothing to decide about levels."""
    numbers = {**knowledge.definitions, **knowledge.protocol.numbers}
    found = [numbers[each] for each in ("trough_low", "trough_high", "trough_critical") if each in numbers]
    return Target(*found) if len(found) == len(Target._fields) else None


def usable(level: Level, target: Target) -> Driven:
    """The newest level is usable."""
    return {"trough": level, "trough_basis": "usable", "newest_level": _as_newest(level)}


def usable_beside_a_newer(level: Decimal, target: Target) -> Driven:
    """A usable level steers the dose; the newest level is another one, or is no longer to be reported."""
    return {"trough": level, "trough_basis": "usable"}


def newest_beside_a_usable(level: Decimal, target: Target) -> Driven:
    """The newest level is not usable; an older one steers the dose, or none."""
    return {"newest_level": level}


def _beyond(side: Side, basis: str, *, newest: bool = True) -> Callable[[Decimal, Target], Driven]:
    """A level steers the dose if it already lies on that side; else an older one does, or none. ``newest``: it is also reported as such."""

    def course(level: Decimal, target: Target) -> Driven:
        acts = {"trough": level, "trough_basis": basis} if target.side(level) == side else {}
        return {"newest_level": level, **acts} if newest else acts

    return course


COURSES: dict[str, Callable[[Decimal, Target], Driven]] = {
    "usable": usable,
    "usable, beside a newer one": usable_beside_a_newer,
    "of no use": newest_beside_a_usable,
    "missed doses": _beyond("above", "missed_but_high"),
    "early after an increase": _beyond("above", "early_after_increase"),
    "early after a decrease": _beyond("below", "early_after_decrease"),
    "missed doses, beside a newer one": _beyond("above", "missed_but_high", newest=False),
    "early after an increase, beside a newer one": _beyond("above", "early_after_increase", newest=False),
    "early after a decrease, beside a newer one": _beyond("below", "early_after_decrease", newest=False),
}
"""How a level determines the facts about it, by the kind of level."""

FLAGS = ("in_response", "response_unclear", "trough_answered_by_draft", "itp_on_record")
"""Invariant: these facts are known whenever a trough is known."""


def _as_newest(level: Level) -> Level | None:
    """The newest level as a fact: a bound 'at least' counts as 'more than', and an upper bound is never critical (None)."""
    if isinstance(level, Bound):
        return None if level.comparator.startswith("<") else Bound(">", level.number)
    return level


def levels_of(knowledge: Knowledge, target: Target) -> list[Decimal]:
    """One level for each interval between the numbers that it is compared with, and these numbers."""
    tests = [test for rule in knowledge.rules for v in rule.variants for branch in v.branches for test in branch]
    compared = {test.number for test in tests if test.fact in OF_LEVELS and test.number is not None}
    edges = sorted({Decimal(0), *compared, target.low, target.high, target.critical})
    between = [(one + other) / 2 for one, other in pairwise(edges)]
    return sorted([*edges, *between, edges[-1] + 1])


def driven_region(speech: Speech, region: Sequence[Box], driven: Driven) -> list[Box]:
    """The part of a region in which the facts about the level have their ``driven`` values."""
    space = speech.space
    cells = {
        fact: 0 if value is None else space.cell(fact, value) for fact, value in driven.items() if space.known(fact)
    }
    return space.at(region, cells)


def in_words(driven: Driven) -> str:
    """A level in the words of a counterexample."""
    level = driven.get("trough", driven.get("newest_level"))
    basis = driven.get("trough_basis", "")
    return f"a level of {level} ng/mL" + (f" ({basis})" if basis else "")
