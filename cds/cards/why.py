"""Why a rule is silent, in words: what it lacks, and what is known instead."""

from __future__ import annotations

from cds.cards.text import clean, shown
from cds.compiled.knowledge import Condition
from cds.engine import Explained
from cds.plan.case import Facts
from cds.vocabulary import VOCABULARY

_WORDS = {"<": "below", "<=": "at most", ">": "above", ">=": "at least"}


def in_words(condition: str) -> str:
    """A condition, its numbers filled in, as a clinician would say it."""
    fact, operator, *rest = condition.split()
    name = fact.replace("_", " ")
    if operator in _WORDS:
        return f"{name} {_WORDS[operator]} {' '.join(rest)}"
    value = " ".join(rest)
    if value == "present":
        return f"there is {name}"
    if value == "absent":
        return f"there is no {name}"
    if VOCABULARY[fact].type == "flag":
        return name if value == "true" else f"not: {name}"
    return f"{name} is {value.replace('_', ' ')}"


def silence(explained: Explained, facts: Facts, hook: str) -> str:
    """Why a rule is silent, in words; empty for one that speaks."""
    if explained.fires:
        return ""
    why = []
    if hook not in explained.rule.hooks:
        why.append(f"it does not run on {hook}")
    if not explained.conditions:
        why.append("this protocol gives it nothing to compare")
    if explained.lacking:
        why.append("not so: " + "; ".join(lacking(explained, facts)))
    if explained.gives_way_to:
        why.append(f"gives way to {', '.join(explained.gives_way_to)}")
    if not explained.served and not explained.lacking:
        why.append("holds and is not shown, for no one has signed it")
    return ". ".join(why)


def lacking(explained: Explained, facts: Facts) -> list[str]:
    """Each condition that keeps the rule from holding, with the fact as it is."""
    return [f"{in_words(test.text)} ({instead(test, facts)})" for test in explained.lacking]


def instead(test: Condition, facts: Facts) -> str:
    """The fact of a condition as it is, or why there is none."""
    if test.fact not in facts.values:
        return facts.absent.get(test.fact, "not on record")
    return f"it is {clean(shown(facts.values[test.fact]))} {VOCABULARY[test.fact].unit}".strip()
