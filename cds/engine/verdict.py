"""What the rules say about one record of facts, once it is known which of their branches hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from cds.compiled.knowledge import Condition, Knowledge, Level, Rule, Variant
from cds.compiled.truth import truth
from cds.engine.plain import Position


@dataclass(frozen=True)
class Holding:
    """A rule that holds, and the variant and branch that made it hold. ``bare``: it may offer no suggestions."""

    rule: Rule
    variant: Variant
    branch: tuple[Condition, ...]
    bare: bool = False

    @property
    def level(self) -> Level:
        level = self.rule.levels[self.variant.level]
        return msgspec.structs.replace(level, suggestions=()) if self.bare else level


@dataclass(frozen=True)
class Explained:
    """One rule for ``explain``: its outcome and the truth of every condition. ``lacking``: what keeps it from holding.

    For a rule with several alternatives, ``lacking`` is what the closest one lacks; it is empty if the rule holds, or if the
    protocol gives it nothing to compare. ``served``: whether its card may be shown.
    """

    rule: Rule
    fires: bool
    gives_way_to: tuple[str, ...]
    conditions: tuple[tuple[Condition, bool], ...]
    lacking: tuple[Condition, ...]
    served: bool = True


class Verdict:
    """Which rules hold, which of them show a card on a hook, and why the others do not."""

    def __init__(self, knowledge: Knowledge, values: Mapping[str, Any], positions: set[Position]) -> None:
        self._knowledge, self._values = knowledge, values
        self._first: dict[int, Position] = {}
        for position in sorted(positions):
            self._first.setdefault(position[0], position)
        self._true = {knowledge.rules[at].id for at in self._first}

    @property
    def silent(self) -> Iterator[tuple[Rule, tuple[str, ...]]]:
        """The rules that hold but yield to others, or are not served, each with the rules that it yields to."""
        for rule in self._knowledge.rules:
            if rule.id in self._true:
                above = tuple(sorted(self._shown.intersection(rule.yields_to)))
                if above or rule.id not in self._shown:
                    yield rule, above

    @cached_property
    def _shown(self) -> set[str]:
        return self._true.difference(self._knowledge.hidden_rules)

    def holding(self, hook: str) -> list[Holding]:
        """The rules that hold and may show a card on ``hook``, most important first."""
        speaking = []
        for rule_at, variant_at, branch_at in self._first.values():
            rule = self._knowledge.rules[rule_at]
            if hook in rule.hooks and rule.id in self._shown and self._shown.isdisjoint(rule.yields_to):
                variant = rule.variants[variant_at]
                bare = not self._true.isdisjoint(rule.yields_to)  # it would show no card if the other rule were shown
                speaking.append(Holding(rule, variant, variant.branches[branch_at], bare))
        return speaking

    def hidden(self, hook: str) -> set[str]:
        """The rules that hold and would show a card on ``hook``, but are not served."""
        hidden = self._true.intersection(self._knowledge.hidden_rules)
        return {each for each in hidden if hook in self._knowledge.rule(each).hooks}

    def explain(self, hook: str) -> Iterator[Explained]:
        """Every rule, with the truth of each of its conditions."""
        fires = {item.rule.id for item in self.holding(hook)}
        known: dict[Condition, bool] = {}
        for rule in self._knowledge.rules:
            tests = dict.fromkeys(test for each in rule.variants for branch in each.branches for test in branch)
            known |= {test: truth(test, self._values) for test in tests if test not in known}
            gives_way = tuple(sorted(self._shown.intersection(rule.yields_to))) if rule.id in self._true else ()
            conditions = tuple((test, known[test]) for test in tests)
            served = rule.id not in self._knowledge.hidden_rules
            yield Explained(rule, rule.id in fires, gives_way, conditions, _lacking(rule, known), served)


def _lacking(rule: Rule, known: Mapping[Condition, bool]) -> tuple[Condition, ...]:
    """What the closest alternative lacks; of two as close, the one that is not for another kind of patient or phase."""
    branches = (branch for variant in rule.variants for branch in variant.branches)
    failing = (tuple(test for test in branch if not known[test]) for branch in branches)
    return min(failing, key=lambda tests: (len(tests), sum(test.word is not None for test in tests)), default=())
