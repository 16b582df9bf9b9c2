"""P2: a higher level turns no card about a high level off and none about a low level on; a lower level never does the reverse."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from cds.authoring.proofs.found import Counterexample, Found, Property, proved
from cds.authoring.proofs.latent import (
    COURSES,
    OF_LEVELS,
    Driven,
    Side,
    Target,
    driven_region,
    in_words,
    levels_of,
    target_of,
    usable,
)
from cds.authoring.proofs.speech import Speech
from cds.compiled.knowledge import Knowledge, Rule

_UP, _DOWN = (">", ">="), ("<", "<=")


def higher_is_never_less(every: Sequence[Knowledge]) -> Property:
    """P2, under the protocol of each of ``every``."""
    found = Property(
        "P2",
        "a higher level turns no card of a high level off, and none of a low level on",
        "steps of the level",
        "a level drives its facts in one of nine ways, and no other fact",
        "a high level told up to the critical one alone; a level that drives its facts backwards",
    )
    return proved(found, every, _prove)


def _operators(rule: Rule) -> set[str]:
    """How a rule compares the level."""
    tests = [test for variant in rule.variants for branch in variant.branches for test in branch]
    return {test.operator for test in tests if test.fact in OF_LEVELS and test.number is not None}


def side_of(speech: Speech, rule: Rule, target: Target) -> Side | None:
    """Whether a card is about a high or a low level; a rule that compares in both directions is classed by the levels at which it holds."""
    operators = _operators(rule)
    if not operators:
        return None
    if operators.isdisjoint(_DOWN):
        return "above"
    if operators.isdisjoint(_UP):
        return "below"
    region = speech.whole[rule.id]
    drawn = [(level, usable(level, target)) for level in levels_of(speech.knowledge, target)]
    sides = {target.side(level) for level, driven in drawn if driven_region(speech, region, driven)}
    return sides.pop() if len(sides) == 1 else None


def _prove(knowledge: Knowledge) -> Found:
    speech, target = Speech(knowledge), target_of(knowledge)
    if target is None:
        return
    levels = levels_of(knowledge, target)
    sides = {rule.id: side_of(speech, rule, target) for rule in knowledge.rules}
    for side in ("above", "below"):
        family = [rule for rule in knowledge.rules if sides[rule.id] == side]
        steps = list(pairwise(levels if side == "above" else reversed(levels)))
        for rule in family:
            heirs = [rule, *(other for other in speech.above(rule) if other in family)]
            for hook in rule.hooks:
                for course in COURSES.values():
                    for level, further in steps:
                        yield _turned_off(speech, heirs, hook, course(level, target), course(further, target))


def _turned_off(speech: Speech, heirs: Sequence[Rule], hook: str, near: Driven, far: Driven) -> Counterexample | None:
    """A record in which a card is shown at one level, but at a level further out neither it nor a card that it gives way to is shown."""
    rule = heirs[0]
    shown = driven_region(speech, speech.speaks(rule, hook), near)
    after = [box for heir in heirs for box in driven_region(speech, speech.speaks(heir, hook), far)]
    left = next((box for box in shown if not speech.space.covered(box, after)), None)
    if left is None:
        return None
    facts = speech.space.example(left) | {fact: value for fact, value in near.items() if value is not None}
    says = f"{rule.id} is shown with {in_words(near)}, and not with {in_words(far)}"
    return Counterexample(speech.knowledge.protocol.id, rule.id, hook, facts, says, (rule.id,))
