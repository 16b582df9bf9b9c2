"""Which results the rules need: for each hook, the tests, and the facts of its rules that are computed from them."""

from __future__ import annotations

from collections.abc import Mapping

from cds.compiled.knowledge import Knowledge
from cds.course import levels
from cds.course.doors import DOORS
from cds.plan.plan import Plan

Needs = Mapping[str, Mapping[str, str]]
"""By hook and test, the facts, separated by commas."""

_RESULTS = [DOORS[kind] for kind in ("Labs", "Samples", "Results", "History")]


_LEVELS = frozenset(("level", "trough"))
"""The tests that measure a level; levels are read with the patient."""


def tests_of(plan: Plan, fact: str) -> frozenset[str]:
    """The tests whose results a fact is computed from, except those that are only read to determine the course."""
    needed = plan.needs(fact)
    opened = [plan.doors[name] for each in needed for name in plan.steps[each].arguments if name in plan.doors]
    found = {name for each in opened if each.door in _RESULTS for kind, name in each.reads if kind == "test"}
    return frozenset(found | _LEVELS if levels.levels.name in needed else found)


def needs_of(plan: Plan, knowledge: Knowledge) -> dict[str, dict[str, str]]:
    """The needs of all rules. The fact ``gaps`` is left out: it is not measured."""
    found: dict[str, dict[str, set[str]]] = {}
    for rule in knowledge.rules:
        named = {test.fact for variant in rule.variants for branch in variant.branches for test in branch}
        for fact in named - {"gaps"}:
            for test in tests_of(plan, fact):
                for hook in rule.hooks:
                    found.setdefault(hook, {}).setdefault(test, set()).add(fact)
    return {hook: {test: ", ".join(sorted(facts)) for test, facts in tests.items()} for hook, tests in found.items()}


def rests_of(plan: Plan, knowledge: Knowledge) -> dict[str, tuple[str, ...]]:
    """By hook, the facts and parts that its rules depend on, in the order of the plan. The fact ``gaps`` is not one of them."""
    found: dict[str, set[str]] = {}
    for rule in knowledge.rules:
        named = {test.fact for variant in rule.variants for branch in variant.branches for test in branch} - {"gaps"}
        needed = frozenset[str]().union(*map(plan.needs, named))
        for hook in rule.hooks:
            found.setdefault(hook, set()).update(needed)
    return {hook: tuple(name for name in plan.steps if name in needed) for hook, needed in found.items()}


def watched(plan: Plan, knowledge: Knowledge) -> frozenset[str]:
    """The tests whose unreadable results are reported: those with a ``speaks`` definition, and those that a part for gaps reads itself."""
    speaking = {name for name, each in knowledge.measures.items() if each.speaks}
    parts = [name for name in plan.needs("gaps") if name.startswith(("gaps_of_", "unreadable_"))]
    arguments = [argument for name in parts for argument in plan.steps[name].arguments if argument in plan.doors]
    opened = [plan.doors[name] for name in arguments]
    own = {name for each in opened if each.door in _RESULTS for kind, name in each.reads if kind == "test"}
    return frozenset(speaking | own)
