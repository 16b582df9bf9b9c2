"""The second engine: the same conditions in plain Python, sharing nothing with durable-rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cds.compiled.knowledge import Condition, Rule
from cds.compiled.truth import truth

Position = tuple[int, int, int]
"""The indices of a rule, its variant and its branch."""


def branches_of(rules: Sequence[Rule]) -> list[tuple[Position, tuple[Condition, ...]]]:
    """Every branch of every rule, with the tests that must all hold."""
    return [
        ((rule_at, variant_at, branch_at), branch)
        for rule_at, rule in enumerate(rules)
        for variant_at, variant in enumerate(rule.variants)
        for branch_at, branch in enumerate(variant.branches)
    ]


class Plain:
    """The branches of some rules, with each distinct test stored once."""

    def __init__(self, branches: Sequence[tuple[Position, tuple[Condition, ...]]]) -> None:
        places: dict[Condition, int] = {}
        self._branches = [
            (position, [places.setdefault(test, len(places)) for test in branch]) for position, branch in branches
        ]
        self._tests = list(places)

    def positions(self, values: Mapping[str, Any]) -> set[Position]:
        """The branches that hold."""
        answers: list[bool | None] = [None] * len(self._tests)
        found = set()
        for position, branch in self._branches:
            for at in branch:
                answer = answers[at]
                if answer is None:
                    answer = answers[at] = truth(self._tests[at], values)
                if not answer:
                    break
            else:
                found.add(position)
        return found
