"""P3: a usable level has exactly one class: low, in the target (no card), high or critical.

A bound has the class that all numbers within it have, and no card if they have several; that it is then named as a gap is an
invariant of the facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from cds.authoring.proofs.found import Counterexample, Found, Property, proved
from cds.authoring.proofs.latent import (
    FLAGS,
    OF_LEVELS,
    Driven,
    Level,
    Side,
    Target,
    driven_region,
    in_words,
    levels_of,
    target_of,
    usable,
)
from cds.authoring.proofs.regions import Box
from cds.authoring.proofs.speech import Speech
from cds.compiled.bound import Bound, Comparator
from cds.compiled.knowledge import Knowledge, Rule

_COMPARATORS: tuple[Comparator, ...] = ("<", "<=", ">", ">=")


def every_level_has_one_class(every: Sequence[Knowledge]) -> Property:
    """P3, under the protocol of each of ``every``."""
    found = Property(
        "P3",
        "a usable level has one class: low, in the target, high or critical; a bound that tells none has no card",
        "levels",
        "whether there is a response, and whether that can be judged, is known beside a level; a bound without a class is a gap",
        "a level in the target called low; a critical level with two names; the response not known beside a level",
    )
    return proved(found, every, _prove)


def _prove(knowledge: Knowledge) -> Found:
    speech, target = Speech(knowledge), target_of(knowledge)
    if target is None:
        return
    naming = [each for rule in knowledge.rules if (each := _naming(speech, rule, target)) is not None]
    exact = levels_of(knowledge, target)
    bounds = [Bound(comparator, level) for level in exact if level for comparator in _COMPARATORS]
    every: list[Level] = [*exact, *bounds]
    for hook in speech.space.hooks:
        for level in every:
            yield from _misnamed(speech, naming, hook, level, target)


class Naming(NamedTuple):
    """A rule whose card names the class of a level."""

    rule: Rule
    side: Side

    def may_name(self, classes: set[str]) -> bool:
        """Whether its card is right for a level that is of one of these classes."""
        if self.side == "below":
            return classes == {"low"}
        if any(level.indicator == "critical" for level in self.rule.levels):
            return classes == {"critical"}
        return classes in ({"high"}, {"high", "critical"})


def _naming(speech: Speech, rule: Rule, target: Target) -> Naming | None:
    """A rule that compares the level in each of its alternatives, and holds on only one side of the target; None for any other rule."""
    branches = [branch for variant in rule.variants for branch in variant.branches]
    if not all(any(test.fact in OF_LEVELS for test in branch) for branch in branches):
        return None
    levels = levels_of(speech.knowledge, target)
    region = speech.whole[rule.id]
    sides = {target.side(each) for each in levels if driven_region(speech, region, usable(each, target))}
    side = sides.pop() if len(sides) == 1 else None
    return None if side is None else Naming(rule, side)


def _misnamed(speech: Speech, naming: Sequence[Naming], hook: str, level: Level, target: Target) -> Found:
    """Records in which a usable level has no name, a wrong one, or two."""
    driven, asked = usable(level, target), _asked(speech, hook)
    wanted, said = _classes(level, target), in_words(driven)
    spoken = [_within(speech, each.rule, hook, driven, asked) for each in naming]
    right = [each.may_name(wanted) for each in naming]
    covers = [box for boxes, is_right in zip(spoken, right, strict=True) if is_right for box in boxes]
    facts = {fact: value for fact, value in driven.items() if value is not None}

    def found(says: str, *shown: str) -> Counterexample:
        place = shown[0] if shown else _who_should(speech, wanted)
        return Counterexample(speech.knowledge.protocol.id, place, hook, facts, says, shown)

    named = _has_a_card(wanted)
    yield (
        found(f"no card says that {said} is {' or '.join(sorted(wanted))}")
        if named and not speech.space.covered(asked, covers)
        else None
    )
    for at, (each, boxes) in enumerate(zip(naming, spoken, strict=True)):
        if boxes and not right[at]:
            yield found(f"{each.rule.id} is shown with {said}, which is {' or '.join(sorted(wanted))}", each.rule.id)
        for other, others in zip(naming[at + 1 :], spoken[at + 1 :], strict=True):
            if speech.space.both(boxes, others):
                yield found(f"{each.rule.id} and {other.rule.id} both name {said}", each.rule.id, other.rule.id)


def _who_should(speech: Speech, classes: set[str]) -> str:
    """A rule that compares the level on that side: if a class has no card, the fault is likely to be there."""
    ways = ("<", "<=") if "low" in classes else (">", ">=")
    for rule in speech.knowledge.rules:
        tests = [test for variant in rule.variants for branch in variant.branches for test in branch]
        if any(test.fact in OF_LEVELS and test.operator in ways for test in tests):
            return rule.id
    return ""


def _within(speech: Speech, rule: Rule, hook: str, driven: Driven, asked: Box) -> list[Box]:
    return speech.space.both(driven_region(speech, speech.speaks(rule, hook), driven), [asked])


def _has_a_card(classes: set[str]) -> bool:
    """Whether a level of these classes must have a card; a bound must if each of its classes asks for less."""
    return classes in ({"low"}, {"critical"}, {"high"}, {"high", "critical"})


def _asked(speech: Speech, hook: str) -> Box:
    """ITP on record, no draft that answers the level, a level that is still shown, and values for the flags that are known with a level."""
    space = speech.space
    still = {"itp_on_record": True, "trough_answered_by_draft": False, "trough_age": Decimal(0)}
    box = {fact: frozenset({space.cell(fact, value)}) for fact, value in still.items() if space.known(fact)}
    return {**{flag: space.known(flag) for flag in FLAGS if space.known(flag)}, **box, **space.place(hook)}


def _classes(level: Level, target: Target) -> set[str]:
    """The classes that a level, or a number within a bound, can be of."""
    if not isinstance(level, Bound):
        return {target.named(level)}
    if level.comparator == ">=" and level.number >= target.critical:
        return {"critical"}  # a newest level that is 'at least' a number counts as more than that number
    edges = [Decimal(0), target.low, target.high, target.critical]
    numbers = {*edges, *((one + other) / 2 for one, other in pairwise(edges)), target.critical + 1}
    numbers |= {level.number, level.number + Decimal("0.0001"), max(level.number - Decimal("0.0001"), Decimal(0))}
    within = {"<": Decimal.__lt__, "<=": Decimal.__le__, ">": Decimal.__gt__, ">=": Decimal.__ge__}[level.comparator]
    return {target.named(number) for number in numbers if within(number, level.number)}
