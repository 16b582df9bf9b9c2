"""The second opinion: the same conditions in plain Python, sharing nothing with durable-rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds.compiled.knowledge import Condition, Rule
from cds.compiled.truth import truth

Alternative = tuple[int, int, int, tuple[Condition, ...]]
"""Rule, variant and branch by position, and the tests that must all hold."""


def alternatives(rules: tuple[Rule, ...]) -> list[Alternative]:
    """Every branch of every rule, flat."""
    return [
        (rule_at, variant_at, branch_at, branch)
        for rule_at, rule in enumerate(rules)
        for variant_at, variant in enumerate(rule.variants)
        for branch_at, branch in enumerate(variant.branches)
    ]


def holding(flat: list[Alternative], values: Mapping[str, Any]) -> set[tuple[int, int, int]]:
    """The branches that hold, by position."""
    known: dict[Condition, bool] = {}
    found = set()
    for rule_at, variant_at, branch_at, branch in flat:
        for test in branch:
            answer = known.get(test)
            if answer is None:
                answer = known[test] = truth(test, values)
            if not answer:
                break
        else:
            found.add((rule_at, variant_at, branch_at))
    return found
