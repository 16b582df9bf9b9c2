"""A property of a set of rules: its wording, how many items were decided, and where it does not hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cds.compiled.knowledge import Knowledge


@dataclass(frozen=True)
class Counterexample:
    """Facts on ``hook`` under which a property does not hold: ``rule`` is where the fault is, ``shown`` which cards are shown."""

    protocol: str
    rule: str
    hook: str
    facts: dict[str, Any]
    says: str
    shown: tuple[str, ...] = ()

    def __str__(self) -> str:
        told = ", ".join(f"{name} {_said(value)}" for name, value in sorted(self.facts.items()) if name != "ordering")
        return f"under {self.protocol}, on {self.hook}: {self.says}" + (f" ({told})" if told else "")


@dataclass
class Property:
    """One property. ``says``: the property in one sentence; ``tried``: how many items were decided, each one exactly.

    ``rests_on``: what it assumes in addition to the rules; ``broken_by``: what was changed to see that a violation is found.
    """

    id: str
    says: str
    of: str  # what is counted
    rests_on: str = ""
    broken_by: str = ""
    tried: int = 0
    seconds: float = 0.0
    counterexamples: list[Counterexample] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.counterexamples

    def as_json(self) -> dict[str, Any]:
        """The property for a program."""
        return {
            "id": self.id,
            "says": self.says,
            "holds": self.holds,
            "tried": self.tried,
            "seconds": round(self.seconds, 3),
            "counterexamples": [str(each) for each in self.counterexamples],
        }

    def __str__(self) -> str:
        if not self.tried:
            return f"{self.id} has nothing to decide here: {self.says}"
        verdict = "holds" if self.holds else f"does not hold: {len(self.counterexamples)} counterexamples"
        return f"{self.id} {verdict}, {self.tried} {self.of} in {self.seconds:.2f} s: {self.says}"


Found = Iterator[Counterexample | None]
"""One item for each thing that was decided: None if the property holds for it."""


def proved(into: Property, every: Sequence[Knowledge], prove: Callable[[Knowledge], Found]) -> Property:
    """Decide a property under each protocol; of counterexamples that say the same the first is kept."""
    begun = time.perf_counter()
    told: set[tuple[str, str]] = set()
    for knowledge in every:
        for found in prove(knowledge):
            into.tried += 1
            if found is not None and (found.protocol, found.says) not in told:
                told.add((found.protocol, found.says))
                into.counterexamples.append(found)
    into.seconds = time.perf_counter() - begun
    return into


def _said(value: Any) -> str:
    return "present" if isinstance(value, list) else str(value)
