"""What the rules can never do, proved over the cells of their facts and not sampled: see :mod:`cds.authoring.regions`.

P1: nothing that is shown offers more sirolimus while a card that is shown beside it advises less.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cds.authoring.regions import Box, Space
from cds.compiled.knowledge import Knowledge, Rule, Variant
from cds.vocabulary import OFFERS


@dataclass(frozen=True)
class Counterexample:
    """A rule that offers more, one that advises less, and facts with which both are shown on ``hook``."""

    protocol: str
    more: str
    less: str
    hook: str
    facts: dict[str, Any]

    def __str__(self) -> str:
        told = ", ".join(f"{name} {_said(value)}" for name, value in sorted(self.facts.items()) if name != "ordering")
        return f"under {self.protocol}, on {self.hook}: {self.more} offers more while {self.less} advises less ({told})"


@dataclass
class Property:
    """One property: how many pairs were tried, in what time, and where it does not hold."""

    id: str
    tried: int = 0
    seconds: float = 0.0
    counterexamples: list[Counterexample] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.counterexamples

    def as_json(self) -> dict[str, Any]:
        """The property for a program."""
        return {
            "id": self.id,
            "holds": self.holds,
            "tried": self.tried,
            "seconds": round(self.seconds, 3),
            "counterexamples": [str(each) for each in self.counterexamples],
        }


@dataclass(frozen=True)
class Speech:
    """Where one level of a rule speaks on one hook, and under what name it is told."""

    rule: Rule
    level: int
    hook: str
    region: tuple[Box, ...]
    guarded: bool = True  # an invariant of the facts withholds what it offers


def never_both_ways(all_knowledge: Sequence[Knowledge]) -> Property:
    """P1, under the protocol of each of ``all_knowledge``."""
    found, begun = Property("P1"), time.perf_counter()
    for knowledge in all_knowledge:
        _prove(knowledge, found)
    found.seconds = time.perf_counter() - begun
    return found


def _prove(knowledge: Knowledge, found: Property) -> None:
    space = Space(knowledge)
    whole = {rule.id: space.region(rule.variants) for rule in knowledge.rules}
    withheld = [box for each in knowledge.withheld for tests in each.branches if (box := space.box(tests)) is not None]
    withheld.sort(key=len)  # the widest first: they cover most
    advising = list(_advises_less(knowledge, space))
    told: set[tuple[str, str]] = set()  # once for each pair, whatever the hook
    for more in _offers(knowledge, space):
        mine = _silent_where(more.rule, whole)
        for less in advising:
            if less.rule.id == more.rule.id or less.hook != more.hook:
                continue
            found.tried += 1
            others = [*(withheld if more.guarded else ()), *mine, *_silent_where(less.rule, whole)]
            left = _first_left(space, more.region, less.region, others)
            if left is not None and (more.rule.id, less.rule.id) not in told:
                told.add((more.rule.id, less.rule.id))
                facts = space.example(left)
                found.counterexamples.append(
                    Counterexample(knowledge.protocol.id, more.rule.id, less.rule.id, more.hook, facts)
                )


def _silent_where(rule: Rule, whole: dict[str, list[Box]]) -> list[Box]:
    """Where a rule gives way to another."""
    return [box for other in rule.yields_to for box in whole.get(other, [])]


def _first_left(space: Space, one: Sequence[Box], other: Sequence[Box], covers: Sequence[Box]) -> Box | None:
    """A box of what both regions share that ``covers`` does not cover; None where all of it is covered."""
    for a in one:
        for b in other:
            both = space.meet(a, b)
            if both is None or any(space.holds_all_of(each, both) for each in covers):
                continue
            left = space.without([both], covers)
            if left:
                return {fact: left[0][fact] for fact in both}  # what the covers speak of besides may be anything else
    return None


def _offers(knowledge: Knowledge, space: Space) -> Iterator[Speech]:
    """Every level that offers more, on each of its hooks, and whether the facts guard what it offers."""
    for rule in knowledge.rules:
        for level, texts in enumerate(rule.levels):
            more = [each for each in texts.suggestions if each.direction == "more"]
            if not more:
                continue
            unguarded = any(each.dose not in OFFERS for each in more)
            for hook in rule.hooks:
                region = _region(rule, level, hook, space)
                yield Speech(rule, level, hook, tuple(region), not unguarded)


def _advises_less(knowledge: Knowledge, space: Space) -> Iterator[Speech]:
    """Every level whose words or whose suggestions advise less, on each of its hooks."""
    for rule in knowledge.rules:
        for level, texts in enumerate(rule.levels):
            for hook in rule.hooks:
                region = _region(rule, level, hook, space)
                if texts.direction == "less":
                    yield Speech(rule, level, hook, tuple(region))
                    continue
                for each in texts.suggestions:
                    if each.direction == "less":
                        yield Speech(rule, level, hook, tuple(space.where_known(region, each.each)))


def _region(rule: Rule, level: int, hook: str, space: Space) -> list[Box]:
    variants: list[Variant] = [variant for variant in rule.variants if variant.level == level]
    return space.region(variants, [hook])


def _said(value: Any) -> str:
    return "present" if isinstance(value, list) else str(value)
