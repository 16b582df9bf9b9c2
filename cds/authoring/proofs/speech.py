"""Where each rule speaks: on which hook, at which level, and where it is silent because it gives way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cds.authoring.proofs.regions import Box, Space
from cds.compiled.knowledge import INDICATORS, Indicator, Knowledge, Rule


class Speech:
    """The regions of all rules of ``knowledge``. A rule gives way to another rule that holds, on whichever hook that rule speaks."""

    def __init__(self, knowledge: Knowledge, space: Space | None = None) -> None:
        self.knowledge = knowledge
        self.space = space or Space(knowledge)
        self.rules: Mapping[str, Rule] = {rule.id: rule for rule in knowledge.rules}
        self.whole = {rule.id: self.space.region(rule.variants) for rule in knowledge.rules}
        self._spoken: dict[tuple[str, str, Indicator], list[Box]] = {}

    def silent(self, rule: Rule) -> list[Box]:
        """Where a rule gives way."""
        return [box for other in rule.yields_to for box in self.whole.get(other, ())]

    def holds(self, rule: Rule, hook: str, urgency: Indicator = "info") -> list[Box]:
        """Where it holds on a hook, as urgent as ``urgency`` or more; the first level that holds is its card."""
        found: list[Box] = []
        earlier: list[Box] = []
        for number, level in enumerate(rule.levels):
            region = self.space.region([each for each in rule.variants if each.level == number], [hook])
            if INDICATORS.index(level.indicator) >= INDICATORS.index(urgency):
                found += self.space.without(region, earlier) if earlier else region
            else:
                earlier += region
        return found if hook in rule.hooks else []

    def speaks(self, rule: Rule, hook: str, urgency: Indicator = "info") -> list[Box]:
        """Where its card is shown, as urgent as ``urgency`` or more."""
        key = rule.id, hook, urgency
        if key not in self._spoken:
            self._spoken[key] = self.space.without(self.holds(rule, hook, urgency), self.silent(rule))
        return self._spoken[key]

    def above(self, rule: Rule) -> Sequence[Rule]:
        """The rules that a rule gives way to, directly or through other rules."""
        found: dict[str, Rule] = {}
        waiting = list(rule.yields_to)
        while waiting:
            name = waiting.pop()
            if name in self.rules and name not in found:
                found[name] = self.rules[name]
                waiting += self.rules[name].yields_to
        return list(found.values())
