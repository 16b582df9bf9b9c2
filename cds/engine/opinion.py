"""The second opinion: the same conditions in plain Python, sharing nothing with durable-rules."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from cds.knowledge.compiled import Condition, Rule

_COMPARE: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def truth(test: Condition, values: Mapping[str, Any]) -> bool:
    """Whether ``test`` holds. Nothing but ``absent`` holds of a fact that is not known."""
    if test.operator == "present":
        return test.fact in values
    if test.operator == "absent":
        return test.fact not in values
    value = values.get(test.fact)
    if value is None:
        return False
    if test.number is not None:
        return _COMPARE[test.operator](value, test.number)
    wanted = test.word if test.word is not None else test.flag
    return bool((value == wanted) == (test.operator == "is"))


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
