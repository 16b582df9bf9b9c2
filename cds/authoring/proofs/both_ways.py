"""P1: no card offers more sirolimus while another card that is shown at the same time advises less.

It is an invariant of the facts that a dose is not offered while something withholds it (``OFFERS`` in the vocabulary).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cds.authoring.proofs.found import Counterexample, Found, Property, proved
from cds.authoring.proofs.regions import Box, Space
from cds.authoring.proofs.speech import Speech
from cds.compiled.knowledge import Knowledge, Rule, Variant
from cds.vocabulary import OFFERS


@dataclass(frozen=True)
class _Said:
    """Where one level of a rule speaks on one hook."""

    rule: Rule
    level: int
    hook: str
    region: tuple[Box, ...]
    guarded: bool = True  # an invariant of the facts withholds what it offers


def never_both_ways(every: Sequence[Knowledge]) -> Property:
    """P1, under the protocol of each of ``every``."""
    found = Property(
        "P1",
        "no offer of more with a reason for less",
        "pairs",
        "a dose above the present one is not known while a reason withholds it",
        "a reason to withhold a rise taken away; the guard of offers taken away",
    )
    return proved(found, every, _prove)


def _prove(knowledge: Knowledge) -> Found:
    speech = Speech(knowledge)
    space = speech.space
    withheld = [box for each in knowledge.withheld for tests in each.branches if (box := space.box(tests)) is not None]
    withheld.sort(key=len)  # the widest first: they cover most
    advising = list(_advises_less(knowledge, space))
    for more in _offers(knowledge, space):
        mine = speech.silent(more.rule)
        for less in advising:
            if less.rule.id != more.rule.id and less.hook == more.hook:
                others = [*(withheld if more.guarded else ()), *mine, *speech.silent(less.rule)]
                left = _first_left(space, more.region, less.region, others)
                yield None if left is None else _both(knowledge, more, less, space, left)


def _both(knowledge: Knowledge, more: _Said, less: _Said, space: Space, left: Box) -> Counterexample:
    shown = more.rule.id, less.rule.id
    says = f"{more.rule.id} offers more while {less.rule.id} advises less"
    return Counterexample(knowledge.protocol.id, more.rule.id, more.hook, space.example(left), says, shown)


def _first_left(space: Space, one: Sequence[Box], other: Sequence[Box], covers: Sequence[Box]) -> Box | None:
    """A box of what both regions share that ``covers`` does not cover; None where all of it is covered."""
    for a in one:
        for b in other:
            both = space.meet(a, b)
            if both is None or any(space.holds_all_of(each, both) for each in covers):
                continue
            left = space.without([both], covers)
            if left:
                return {fact: left[0][fact] for fact in both}  # other facts of the covers may have any other value
    return None


def _offers(knowledge: Knowledge, space: Space) -> Iterator[_Said]:
    """Every level that offers more, on each of its hooks, and whether the facts guard what it offers."""
    for rule in knowledge.rules:
        for level, texts in enumerate(rule.levels):
            more = [each for each in texts.suggestions if each.direction == "more"]
            if not more:
                continue
            unguarded = any(each.dose not in OFFERS for each in more)
            for hook in rule.hooks:
                region = _region(rule, level, hook, space)
                yield _Said(rule, level, hook, tuple(region), not unguarded)


def _advises_less(knowledge: Knowledge, space: Space) -> Iterator[_Said]:
    """Every level whose words or whose suggestions advise less, on each of its hooks."""
    for rule in knowledge.rules:
        for level, texts in enumerate(rule.levels):
            for hook in rule.hooks:
                region = _region(rule, level, hook, space)
                if texts.direction == "less":
                    yield _Said(rule, level, hook, tuple(region))
                    continue
                for each in texts.suggestions:
                    if each.direction == "less":
                        yield _Said(rule, level, hook, tuple(space.where_known(region, each.each)))


def _region(rule: Rule, level: int, hook: str, space: Space) -> list[Box]:
    variants: list[Variant] = [variant for variant in rule.variants if variant.level == level]
    return space.region(variants, [hook])
