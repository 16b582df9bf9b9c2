"""Which results the rules need: of each hook the tests, and the facts of its rules that are worked out from them."""

from __future__ import annotations

from collections.abc import Mapping

from cds.compiled.knowledge import Knowledge
from cds.course.doors import DOORS
from cds.plan.plan import Plan

Needs = Mapping[str, Mapping[str, str]]
"""By hook and test the facts, with commas between them."""

_RESULTS = [DOORS[kind] for kind in ("Labs", "Samples", "Results", "History")]


def tests_of(plan: Plan, fact: str) -> frozenset[str]:
    """The tests whose results a fact is worked out from; not those by which the course is known."""
    steps = [plan.steps[each] for each in plan.needs(fact)]
    opened = [plan.doors[name] for step in steps for name in step.arguments if name in plan.doors]
    return frozenset(name for each in opened if each.door in _RESULTS for kind, name in each.reads if kind == "test")


def needs_of(plan: Plan, knowledge: Knowledge) -> dict[str, dict[str, str]]:
    """The needs of all rules. What could not be judged is itself no measured fact."""
    found: dict[str, dict[str, set[str]]] = {}
    for rule in knowledge.rules:
        named = {test.fact for variant in rule.variants for branch in variant.branches for test in branch}
        for fact in named - {"gaps"}:
            for test in tests_of(plan, fact):
                for hook in rule.hooks:
                    found.setdefault(hook, {}).setdefault(test, set()).add(fact)
    return {hook: {test: ", ".join(sorted(facts)) for test, facts in tests.items()} for hook, tests in found.items()}
