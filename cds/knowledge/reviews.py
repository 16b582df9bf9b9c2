"""Sign-off: a rule is active while it is signed as it is now, and a draft otherwise.

A signature covers the rule as it is compiled (not its comments, layout or cases) with the sources it cites; the meanings of the
facts that it names, and every definition, value set, test and number of the protocol that they read (``rests``); the title
and note of its protocol; and the words with which every record is read. If any of that changes, the rule is a draft again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from cds.compiled.knowledge import Knowledge, Rule, Signature
from cds.compiled.template import named
from cds.knowledge.rests import Rests, digest

FILE = "reviews.yaml"


def meanings(rests: Rests) -> dict[str, str]:
    """The hash of each rule's meaning, by id."""
    knowledge, protocol = rests.knowledge, rests.knowledge.protocol
    every = digest([protocol.id, protocol.title, protocol.note, protocol.note_of, knowledge.lexicon, knowledge.near])
    return {rule.id: digest([every, _of_rule(rule, knowledge), rests.of(rule)]) for rule in knowledge.rules}


def _of_rule(rule: Rule, knowledge: Knowledge) -> list[Any]:
    """What the rule says by itself: compiled, with the numbers that its texts name and the tests that it orders."""
    texts = [text for level in rule.levels for text in level.texts]
    suggestions = [suggestion for level in rule.levels for suggestion in level.suggestions]
    names = set(named(*texts, *(text for each in suggestions for text in (each.label, each.days))))
    orders = any(each.action == "order_test" for each in suggestions)
    numbers = knowledge.definitions | knowledge.protocol.numbers
    return [
        msgspec.structs.replace(rule, status="", signed=()),
        [knowledge.sources[citation.cite] for citation in rule.citations],
        {name: value for name, value in numbers.items() if name in names},
        knowledge.tests if orders else (),
    ]


def signed_off(knowledge: Knowledge, signatures: Iterable[Signature], meant: Mapping[str, str]) -> Knowledge:
    """``knowledge`` in which each rule is active that is signed as it is now (``meant``), under this protocol."""
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
    """``knowledge`` in which only signed rules show their cards.

    The others are still judged: what a signed rule offers is withheld if one of them holds to which the signed rule yields.
    """
    drafts = tuple(rule.id for rule in knowledge.rules if rule.status != "active" and rule.id not in ALWAYS)
    return msgspec.structs.replace(knowledge, hidden_rules=drafts)
