"""P5: where a rule gives way, what is shown in its place is as urgent as it would have been."""

from __future__ import annotations

from collections.abc import Sequence

from cds.authoring.proofs.found import Counterexample, Found, Property, proved
from cds.authoring.proofs.speech import Speech
from cds.compiled.knowledge import Indicator, Knowledge, Rule


def giving_way_loses_no_urgency(every: Sequence[Knowledge]) -> Property:
    """P5, under the protocol of each of ``every``."""
    found = Property(
        "P5",
        "what a rule gives way to is as urgent as the rule, on each hook of it",
        "yields",
        "nothing beside the rules",
        "a critical dose that gives way to a remark",
    )
    return proved(found, every, _prove)


def _prove(knowledge: Knowledge) -> Found:
    speech = Speech(knowledge)
    for rule in knowledge.rules:
        for hook in rule.hooks if rule.yields_to else ():
            for urgency in dict.fromkeys(level.indicator for level in rule.levels):
                yield _lost(speech, rule, hook, urgency)


def _lost(speech: Speech, rule: Rule, hook: str, urgency: Indicator) -> Counterexample | None:
    """A record in which the rule would have spoken with ``urgency`` but is silent, and no rule that it gives way to speaks as urgently."""
    space = speech.space
    silenced = space.both(speech.holds(rule, hook, urgency), speech.silent(rule))
    instead = [box for other in speech.above(rule) for box in speech.speaks(other, hook, urgency)]
    left = space.without(silenced, instead)
    if not left:
        return None
    facts = space.example(left[0])
    silencing = next(other for other in rule.yields_to if space.any_holds(speech.whole.get(other, ()), left[0]))
    says = f"{rule.id} gives way to {silencing}, and no card is {urgency}"
    return Counterexample(speech.knowledge.protocol.id, rule.id, hook, facts, says, (silencing,))
