"""Sign-off: a rule is active while somebody's signature stands for what it means now, and a draft otherwise.

A signature covers the rule as it is compiled (not its comments, layout or cases) with the sources it cites, its protocol,
each definition and value set that rules of its subject rest on, the words that the record is read by, the reasons that
withhold a rise, the weights of children, and what the program's facts mean (``FACTS``). Whatever of that changes, the rule is a draft again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from cds.compiled.knowledge import Knowledge, Rule, Signature
from cds.knowledge.conditions import PLACEHOLDER
from cds.vocabulary import FACTS

FILE = "reviews.yaml"
DRAWN_BY = frozenset(("recheck_from", "recheck_to", "early_level_from", "early_level_to"))
"""Definitions by which the button of a card says when a level is to be drawn, whatever the rule is about."""

_SCHEDULED = ("monitoring",)  # the subject whose facts read the schedule of tests


def meanings(knowledge: Knowledge, confined: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """The hash of each rule's meaning, by id.

    ``confined`` names, for a definition or a value set, the subjects whose rules rest on it; what it does not name
    counts as used by all, so that a number nobody thought of turns a rule into a draft, and never the reverse.
    """
    sets = _valuesets(knowledge)
    of_subject = {
        subject: _digest(
            [
                [
                    FACTS,
                    knowledge.protocol,
                    knowledge.withheld,
                    knowledge.lexicon,
                    knowledge.measures,
                    knowledge.classes,
                    knowledge.heavy,
                    knowledge.near,
                ],
                {k: v for k, v in knowledge.definitions.items() if subject in confined.get(k, (subject,))},
                {k: v for k, v in sets.items() if subject in confined.get(k, (subject,))},
                knowledge.tests if subject in _SCHEDULED else (),
            ]
        )
        for subject in {rule.subject for rule in knowledge.rules}
    }
    return {rule.id: _digest([of_subject[rule.subject], _of_rule(rule, knowledge)]) for rule in knowledge.rules}


def _of_rule(rule: Rule, knowledge: Knowledge) -> list[Any]:
    """What the rule says by itself: compiled, with the numbers that its texts name and the tests that it orders."""
    texts = [text for level in rule.levels for text in (level.summary, *level.detail)]
    suggestions = [suggestion for level in rule.levels for suggestion in level.suggestions]
    named = set(PLACEHOLDER.findall(" ".join([*texts, *(each.label for each in suggestions)])))
    if any(each.action == "order_level" for each in suggestions):
        named |= DRAWN_BY
    orders = any(each.action == "order_test" for each in suggestions)
    return [
        msgspec.structs.replace(rule, status="", signed=()),
        [knowledge.sources[citation.cite] for citation in rule.citations],
        {name: value for name, value in knowledge.definitions.items() if name in named},
        knowledge.tests if orders else (),
    ]


def _valuesets(knowledge: Knowledge) -> dict[str, str]:
    """The digest of all that a value set says, by its id."""
    said: dict[str, list[Any]] = {}
    for system, codes in knowledge.codes.items():
        for code, several in codes.items():
            for concept in several:
                said.setdefault(concept.valueset, []).append([system, code, concept])
    for system, beginnings in knowledge.prefixes.items():
        for begins, meant in beginnings.items():
            for concept, excepted in meant:
                said.setdefault(concept.valueset, []).append([f"{system} begins", begins, concept, excepted])
    called = [(word, concept) for word, several in knowledge.problems.items() for concept in several]
    called += [(f"-{ending}", concept) for ending, concept in knowledge.endings.items()]
    called += [(f"not {word}", concept) for word, concept in knowledge.unlike.items()]
    for kind, words in (("name", knowledge.names.items()), ("word", knowledge.words.items()), ("problem", called)):
        for word, concept in words:
            said.setdefault(concept.valueset, []).append([kind, word, concept])
    return {name: _digest(sorted(items, key=lambda item: (item[0], item[1]))) for name, items in said.items()}


def _digest(value: Any) -> str:
    return sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def signed_off(knowledge: Knowledge, signatures: Iterable[Signature], meant: Mapping[str, str]) -> Knowledge:
    """``knowledge`` with each rule active that somebody signed as it is now (``meant``), under this protocol."""
    standing: dict[str, list[str]] = {}
    for signature in signatures:
        if signature.protocol == knowledge.protocol.id and meant.get(signature.rule) == signature.meaning:
            standing.setdefault(signature.rule, []).append(str(signature))
    rules = tuple(
        msgspec.structs.replace(rule, status="active", signed=tuple(standing[rule.id])) if rule.id in standing else rule
        for rule in knowledge.rules
    )
    return msgspec.structs.replace(knowledge, rules=rules)


ALWAYS = ("not-assessed",)  # it advises nothing: it says what could not be judged


def active_only(knowledge: Knowledge) -> Knowledge:
    """``knowledge`` of which none but the signed rules show their cards.

    The others are judged all the same: what a signed rule offers is withheld where one of them, to which it gives way, holds.
    """
    drafts = tuple(rule.id for rule in knowledge.rules if rule.status != "active" and rule.id not in ALWAYS)
    return msgspec.structs.replace(knowledge, unserved=drafts)
