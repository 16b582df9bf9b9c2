"""What the cases of a rule try: on which hooks, and on which sides of each number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cds.authoring.cases import Case
from cds.compiled.knowledge import Condition, Knowledge
from cds.compiled.template import named
from cds.compiled.truth import truth
from cds.knowledge.files import RuleFile
from cds.vocabulary import VOCABULARY


@dataclass(frozen=True)
class Boundary:
    """A comparison, and the nearest values on which cases try it; ``both`` when they lie one step apart or less."""

    condition: str
    holds_at: Decimal | None
    fails_at: Decimal | None
    both: bool


@dataclass(frozen=True)
class Tried:
    """What is tried of one rule. ``hooks`` counts the cases in which it fires and in which it rests."""

    rule: str
    status: str
    hooks: Mapping[str, tuple[int, int]]
    scenario_days: int
    boundaries: tuple[Boundary, ...]
    mutants: int
    survivors: tuple[str, ...]

    @property
    def killed(self) -> int:
        """How many changes of the rule a case noticed."""
        return self.mutants - len(self.survivors)

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        return {
            "rule": self.rule,
            "status": self.status,
            "hooks": {hook: {"fires": fires, "rests": rests} for hook, (fires, rests) in self.hooks.items()},
            "scenarioDays": self.scenario_days,
            "boundaries": [
                {
                    "condition": each.condition,
                    "holdsAt": _number(each.holds_at),
                    "failsAt": _number(each.fails_at),
                    "bothSides": each.both,
                }
                for each in self.boundaries
            ],
            "mutants": {"made": self.mutants, "killed": self.killed, "survivors": list(self.survivors)},
        }


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def tried(file: RuleFile, knowledge: Knowledge, mutants: int, survivors: list[str], spoken: Mapping[str, int]) -> Tried:
    """What the cases of ``file`` try under the protocol of ``knowledge``; ``spoken`` counts scenario days by rule."""
    rule = file.rule
    cases = [Case(file, index, shape) for index, shape in enumerate(file.shape.cases)]
    hooks: dict[str, tuple[int, int]] = dict.fromkeys(rule.hooks, (0, 0))
    for case in cases:
        fires, rests = hooks[case.hook]
        hooks[case.hook] = (fires, rests + 1) if case.expected[1] is None else (fires + 1, rests)
    mine = [case for case in cases if case.shape.protocol in ("", knowledge.protocol.id)]
    values: dict[str, set[Decimal]] = defaultdict(set)
    for case in mine:
        for name, value in case.facts.items():
            if isinstance(value, Decimal):
                values[name].add(value)
    tests = dict.fromkeys(t for variant in rule.variants for branch in variant.branches for t in branch)
    boundaries = tuple(_boundary(test, values[test.fact]) for test in tests if test.number is not None)
    return Tried(rule.id, rule.status, hooks, spoken.get(rule.id, 0), boundaries, mutants, tuple(survivors))


def _boundary(test: Condition, values: set[Decimal]) -> Boundary:
    assert test.number is not None
    limit = test.number
    near: dict[bool, Decimal | None] = {True: None, False: None}
    for value in sorted(values, key=lambda value: abs(value - limit), reverse=True):
        near[truth(test, {test.fact: value})] = value
    holds, fails = near[True], near[False]
    both = holds is not None and fails is not None and abs(holds - fails) <= VOCABULARY[test.fact].step
    return Boundary(test.text, holds, fails, both)


def facts_of(knowledge: Knowledge) -> set[str]:
    """Every fact that some rule compares, shows or offers, or that some reason to withhold a rise compares."""
    used = {test.fact for each in knowledge.withheld for branch in each.branches for test in branch}
    used |= {"rise_withheld"}  # made from all of these, and used by the proposals
    for rule in knowledge.rules:
        used |= {test.fact for variant in rule.variants for branch in variant.branches for test in branch}
        for level in rule.levels:
            texts = [*level.texts, *(each.label for each in level.suggestions)]
            used |= set(named(*texts))
            used |= {name for each in level.suggestions for name in (each.dose, each.unless, each.since, each.each)}
    return used


def line_of(each: Tried) -> str:
    """A rule as one line of the report."""
    hooks = ", ".join(f"{hook} {fires}+{rests}" for hook, (fires, rests) in each.hooks.items())
    both = sum(boundary.both for boundary in each.boundaries)
    sides = f"boundaries {both}/{len(each.boundaries)}" if each.boundaries else "no boundaries"
    return f"{each.rule:<44} {hooks}; {sides}; mutants {each.killed}/{each.mutants}; scenario days {each.scenario_days}"
