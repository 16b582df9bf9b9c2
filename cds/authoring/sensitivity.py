"""Change each condition of a rule a little and see whether any of its cases notices.

Mutants are judged by the plain evaluator alone: the question is whether the cases are sharp, not
whether the engines agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from cds.authoring.cases import Case
from cds.chart.words import said
from cds.compiled.knowledge import Condition, Knowledge, Operator, Rule, Variant
from cds.compiled.truth import truth
from cds.knowledge.files import RuleFile
from cds.knowledge.tree import Fault
from cds.vocabulary import VOCABULARY

_NEIGHBOUR: dict[str, Operator] = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_OPPOSITE: dict[str, Operator] = {"is": "is not", "is not": "is", "present": "absent", "absent": "present"}


@dataclass(frozen=True)
class Mutant:
    """A rule with one change, and the change in words."""

    words: str
    variants: tuple[Variant, ...]


def mutants_of(rule: Rule) -> Iterator[Mutant]:
    """Every comparison made strict or loose, every number one step up and down, every condition inverted or left out."""
    tests = dict.fromkeys(test for variant in rule.variants for branch in variant.branches for test in branch)
    for test in tests:
        for other in _neighbours(test):
            yield Mutant(f"`{test}` becomes `{other}`", _replaced(rule, test, other))
        yield Mutant(f"`{test}` is left out", _replaced(rule, test, None))
        fewer = _without(rule, test)
        if fewer is not None:
            yield Mutant(f"the alternative `{test}` is left out", fewer)


def _neighbours(test: Condition) -> Iterator[Condition]:
    if test.number is None:
        yield _changed(test, operator=_OPPOSITE[test.operator])
        return
    step = VOCABULARY[test.fact].step
    yield _changed(test, operator=_NEIGHBOUR[test.operator])
    yield _changed(test, number=test.number + step)
    yield _changed(test, number=test.number - step)


def _changed(test: Condition, **changes: Any) -> Condition:
    changed = msgspec.structs.replace(test, **changes)
    if changed.number is not None:
        text = f"{changed.fact} {changed.operator} {said(changed.number)} {VOCABULARY[changed.fact].unit}"
    else:
        text = test.text.replace(f" {test.operator} ", f" {changed.operator} ", 1)
        if test.operator in ("present", "absent"):
            text = f"{test.fact} is {changed.operator}"
    return msgspec.structs.replace(changed, text=text)


def _replaced(rule: Rule, old: Condition, new: Condition | None) -> tuple[Variant, ...]:
    def branch(tests: tuple[Condition, ...]) -> tuple[Condition, ...]:
        return tuple(new if test == old else test for test in tests if test != old or new is not None)  # type: ignore[misc]

    return tuple(msgspec.structs.replace(v, branches=tuple(map(branch, v.branches))) for v in rule.variants)


def _without(rule: Rule, test: Condition) -> tuple[Variant, ...] | None:
    """The rule without the branches that use ``test``; None if ``test`` is not an alternative."""
    changed = False
    variants = []
    for variant in rule.variants:
        kept = tuple(branch for branch in variant.branches if test not in branch)
        alternative = bool(kept) and len(kept) < len(variant.branches)
        changed |= alternative
        variants.append(msgspec.structs.replace(variant, branches=kept) if alternative else variant)
    return tuple(variants) if changed else None


def outcome(variants: tuple[Variant, ...], facts: dict[str, Any]) -> tuple[int, str] | None:
    """Level and row of the first variant that holds."""
    for variant in variants:
        if any(all(truth(test, facts) for test in branch) for branch in variant.branches):
            return variant.level, str(sorted(variant.row.items()))
    return None


def survivors(file: RuleFile, knowledge: Knowledge) -> tuple[int, list[Fault]]:
    """How many mutants were made, and those that no case notices, in words."""
    rule = file.rule
    mine = knowledge.protocol.id  # a case of another protocol says nothing of this one's numbers
    shapes = enumerate(file.shape.cases)
    cases = [Case(file, index, shape) for index, shape in shapes if shape.protocol in ("", mine)]
    blocked: Callable[[dict[str, Any]], bool] = lambda facts: any(  # noqa: E731  # reads as one word below
        outcome(knowledge.rule(other).variants, facts) is not None for other in rule.yields_to
    )
    open_cases = [case.facts for case in cases if not blocked(case.facts)]
    normal = [outcome(rule.variants, facts) for facts in open_cases]
    made, alive = 0, []
    for mutant in mutants_of(rule):
        made += 1
        if [outcome(mutant.variants, facts) for facts in open_cases] == normal:
            document = file.document
            alive.append(Fault(document.path, document.line("cases"), f"no case notices if {mutant.words}"))
    return made, alive
