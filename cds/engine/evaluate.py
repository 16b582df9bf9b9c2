"""Ask both engines, compare, and settle which rule speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from cds.compiled.knowledge import Condition, Knowledge, Level, Rule, Variant
from cds.compiled.truth import truth
from cds.engine.durable import Shard, require_known_release, shards
from cds.engine.guard import EngineFault, admitted
from cds.engine.opinion import alternatives, holding


@dataclass(frozen=True)
class Holding:
    """A rule that holds: the variant and branch that made it hold. ``bare``: it may offer nothing."""

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
    """One rule for ``explain``: how it ended and every condition's truth. ``lacking``: what keeps it from holding.

    Of a rule with several alternatives it is what the one lacks that comes closest; nothing where the rule holds, or where
    the protocol gives it nothing to compare. ``served``: whether its card may be shown.
    """

    rule: Rule
    fires: bool
    gives_way_to: tuple[str, ...]
    conditions: tuple[tuple[Condition, bool], ...]
    lacking: tuple[Condition, ...]
    served: bool = True


class Opinion:
    """The second opinion alone, to ask what a changed rule would do. Advice to a clinician needs an :class:`Engine`."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._flat = alternatives(knowledge.rules)
        self._tests = [
            tuple(dict.fromkeys(test for variant in rule.variants for branch in variant.branches for test in branch))
            for rule in knowledge.rules
        ]

    def positions(self, values: Mapping[str, Any]) -> set[tuple[int, int, int]]:
        """Rule, variant and branch of all that holds."""
        return holding(self._flat, values)

    def holding(self, values: Mapping[str, Any], hook: str) -> list[Holding]:
        """The rules that hold and may speak on ``hook``, most important first.

        Raises:
            EngineFault: either engine failed, or they disagree (an :class:`Engine` alone).
        """
        first: dict[int, tuple[int, int]] = {}
        for rule_at, variant_at, branch_at in sorted(self.positions(values)):
            first.setdefault(rule_at, (variant_at, branch_at))
        rules, hidden_rules = self.knowledge.rules, self.knowledge.hidden_rules
        true_ids = {rules[rule_at].id for rule_at in first}
        shown_ids = true_ids.difference(hidden_rules)
        speaking = []
        for rule_at, (variant_at, branch_at) in first.items():
            rule = rules[rule_at]
            if hook in rule.hooks and rule.id in shown_ids and shown_ids.isdisjoint(rule.yields_to):
                variant = rule.variants[variant_at]
                bare = not true_ids.isdisjoint(rule.yields_to)  # it would be silent, were the other one shown
                speaking.append(Holding(rule, variant, variant.branches[branch_at], bare))
        return speaking

    def unseen(self, values: Mapping[str, Any], hook: str) -> set[str]:
        """The rules that hold and may speak on ``hook``, but are not served."""
        if not self.knowledge.hidden_rules:
            return set()
        ids = {self.knowledge.rules[rule_at].id for rule_at, _, _ in self.positions(values)}
        return {
            each for each in ids.intersection(self.knowledge.hidden_rules) if hook in self.knowledge.rule(each).hooks
        }

    def explain(self, values: Mapping[str, Any], speaking: list[Holding], hook: str) -> list[Explained]:
        """Every rule, with the truth of each of its conditions; ``speaking`` as :meth:`holding` said."""
        fires = {item.rule.id for item in speaking}
        hold = {self.knowledge.rules[r].id for r, _, _ in holding(self._flat, values)}
        known: dict[Condition, bool] = {}
        result = []
        for rule, tests in zip(self.knowledge.rules, self._tests, strict=True):
            conditions = []
            for test in tests:
                answer = known.get(test)
                if answer is None:
                    answer = known[test] = truth(test, values)
                conditions.append((test, answer))
            shown = hold.difference(self.knowledge.hidden_rules)
            gives_way = tuple(sorted(shown.intersection(rule.yields_to))) if rule.id in hold else ()
            lacking, served = _lacking(rule, known), rule.id not in self.knowledge.hidden_rules
            result.append(Explained(rule, rule.id in fires, gives_way, tuple(conditions), lacking, served))
        return result


def _lacking(rule: Rule, known: Mapping[Condition, bool]) -> tuple[Condition, ...]:
    """What the alternative that comes closest lacks; of two, the one that is not for another kind of patient or phase."""
    branches = (branch for variant in rule.variants for branch in variant.branches)
    failing = (tuple(test for test in branch if not known[test]) for branch in branches)
    return min(failing, key=lambda tests: (len(tests), sum(test.word is not None for test in tests)), default=())


class Engine(Opinion):
    """The rules of ``knowledge``, ready to be asked: both engines, which must agree. Safe to share between threads.

    Raises:
        EngineFault: the installed engine is not the one that was verified, or fails its self-test.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        require_known_release()
        super().__init__(knowledge)
        self._shards: list[Shard] = shards([((r, v, b), tests) for r, v, b, tests in self._flat])
        self.self_test()

    def self_test(self) -> None:
        """A known answer from a tiny ruleset, and a case in which nothing holds. Raises EngineFault."""
        key = (0, 0, 0)
        test = Condition("daily_dose", ">", number=Decimal("4"))
        shard = Shard("selftest", [(key, (test,))])
        for dose, expected in ((4_000_001, {key}), (4_000_000, set())):
            if shard.ask({"daily_dose": dose}, {}) != expected:
                raise EngineFault("the engine failed its self-test")

    def positions(self, values: Mapping[str, Any]) -> set[tuple[int, int, int]]:
        """What both engines say holds. Raises EngineFault where either failed, or they disagree."""
        admissible = admitted(values)
        answer: set[tuple[int, int, int]] = set()
        for shard in self._shards:
            if shard.may_hold(values):
                answer |= shard.ask(admissible, values)
        if answer != holding(self._flat, values):
            raise EngineFault("the two engines disagree")
        return answer
