"""Why a rule is silent, in words: what it lacks, and what is known instead."""

from __future__ import annotations

from cds.cards.text import clean, shown
from cds.engine.evaluate import Explained
from cds.facts.record import Facts
from cds.knowledge.compiled import Condition
from cds.vocabulary import VOCABULARY


def lacking(explained: Explained, facts: Facts) -> list[str]:
    """Each condition that keeps the rule from holding, with the fact as it is."""
    return [f"{test.text}: {instead(test, facts)}" for test in explained.lacking]


def instead(test: Condition, facts: Facts) -> str:
    """The fact of a condition as it is, or why it is not known."""
    if test.fact not in facts.values:
        return f"not known, {facts.absent.get(test.fact, 'not on record')}"
    return f"it is {clean(shown(facts.values[test.fact]))} {VOCABULARY[test.fact].unit}".strip()
