"""Which part of the knowledge a rule depends on: all that the facts it names read, through the doors that they declare.

A fact's own meaning is an id in ``cds/facts/meanings.json``: it stays the same while the fact has the same values on every day of
every shipped scenario, and changes when the program gives the fact other values (``make fingerprint ARGS=--write``).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from cds.compiled.knowledge import Concept, Knowledge, Rule
from cds.compiled.template import named
from cds.course.doors import withheld_facts
from cds.facts import PLAN
from cds.plan.plan import Read

MEANINGS = Path(__file__).resolve().parent.parent / "facts" / "meanings.json"
_UNLIKE = "unlike"  # words that do not mean what they end in
_OF_EVERY_CARD = ("itp_on_record",)
"""Facts with which every card states which protocol it belongs to."""
DOSED = ("dosing", "trough")
"""Subjects of rules whose cards carry the protocol's note on its own doses: the age group decides which patients the note concerns."""
_FACTS_OF_A_DRAW = ("next_draw", "newest_level")
_DRAW = "draw_within"
"""The part with which a card's button says when a level is to be drawn, whatever the rule is about."""


@cache
def meanings_of_facts() -> dict[str, str]:
    """The id of what each fact means in this program, by name."""
    found: dict[str, str] = json.loads(MEANINGS.read_text(encoding="utf-8"))
    return found


def facts_compared(rule: Rule) -> set[str]:
    """The facts that the conditions of a rule name."""
    return {test.fact for variant in rule.variants for branch in variant.branches for test in branch}


def facts_named(rule: Rule) -> set[str]:
    """The facts that a rule names: in its conditions, its texts and its buttons."""
    buttons = [suggestion for level in rule.levels for suggestion in level.suggestions]
    texts = [text for level in rule.levels for text in level.texts]
    words = named(*texts, *(each.label for each in buttons))
    words += [word for each in buttons for word in (each.dose, each.unless, each.since, each.each)]
    words += _OF_EVERY_CARD
    if rule.subject in DOSED:
        words.append("age_group")
    if _orders_a_level(rule):
        words += _FACTS_OF_A_DRAW
    return facts_compared(rule).union(word for word in words if word in PLAN.facts)


def _orders_a_level(rule: Rule) -> bool:
    return any(each.action == "order_level" for level in rule.levels for each in level.suggestions)


class Rests:
    """Tells what the rules of one knowledge depend on. Each digest is computed once."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._by_set: dict[str, list[Any]] = {}
        self._by_name: dict[str, list[Any]] = {}
        self._washouts: list[Any] = []
        self.names: set[str] = set()  # everything that a code or a word can mean
        for place, concept in _concepts(knowledge):
            entry = [*place, concept]
            self._by_set.setdefault(concept.valueset, []).append(entry)
            self._by_name.setdefault(concept.name, []).append(entry)
            if place[0] != _UNLIKE:
                self.names.add(concept.name)
            if concept.washout:
                self._washouts.append([knowledge.definitions.get(concept.washout), entry])
        self._digests: dict[Read, str] = {}

    @property
    def sets(self) -> Collection[str]:
        """The value sets that have a code or a word."""
        return self._by_set

    def of(self, rule: Rule) -> list[Any]:
        """The meanings of the facts a rule names, and all they read; and the conditions of rules that silence it or one of its buttons."""
        silencing = {
            *rule.yields_to,
            *(each for level in rule.levels for s in level.suggestions for each in s.yields_to),
        }
        above = [each for each in self.knowledge.rules if each.id in silencing]
        facts, reads = self._closed(facts_named(rule).union(*map(facts_compared, above)))
        reads |= PLAN.reads(_DRAW) if _orders_a_level(rule) else set()
        meant = {name: meanings_of_facts().get(name, "") for name in sorted(facts)}
        return [meant, {"/".join(read): self.digest(read) for read in sorted(reads)}, [each.variants for each in above]]

    def _closed(self, facts: set[str]) -> tuple[set[str], set[Read]]:
        """The facts and all that they read; if they read the reasons that withhold a rise, also the facts that those reasons name."""
        reads = {read for name in facts for read in PLAN.reads(name)}
        named = set(withheld_facts(self.knowledge)) if ("knowledge", "withheld") in reads else set()
        return (facts, reads) if named <= facts else self._closed(facts | named)

    def digest(self, read: Read) -> str:
        """The digest of what came through a door."""
        if read not in self._digests:
            self._digests[read] = digest(self._said(*read))
        return self._digests[read]

    def _said(self, kind: str, name: str) -> Any:
        known = self.knowledge
        if kind == "number":
            return known.definitions.get(name, known.protocol.numbers.get(name))
        if kind == "role":
            return {each: [known.classes[each], self._by_set.get(each)] for each in known.with_role(name)}
        if kind in ("protocol", "knowledge"):
            return self._part(getattr(known.protocol if kind == "protocol" else known, name), name)
        if kind == "test":
            return [self._measure(name), self._by_name.get(name)]
        if kind == "chart":
            return [[self._measure(each) for each in known.measures], self._by_set]
        return {"valueset": self._by_set, "washout": {"": self._washouts}}.get(kind, self._by_name).get(name)

    def _measure(self, name: str) -> list[Any]:
        """A test, with the definitions of its plausible range, and of how long a result stays relevant."""
        measure, definitions = self.knowledge.measures.get(name), self.knowledge.definitions
        named = () if measure is None else (measure.lowest, measure.highest, measure.speaks)
        return [measure, [definitions.get(each) for each in named]]

    def _part(self, value: Any, name: str) -> Any:
        """A part of the knowledge, with the definitions that it names."""
        definitions = self.knowledge.definitions
        if name == "withheld":
            return [value, [self._said("number", each.days) for each in value]]
        if name == "classes":
            return [
                value,
                [[definitions.get(each.settles), definitions.get(each.shown_after_stop)] for each in value.values()],
            ]
        return value


def missing(rests: Rests) -> Iterator[str]:
    """What the facts read but the rules folder does not define, in sentences: a fact would silently be unknown for every patient."""
    knowledge = rests.knowledge
    numbers = knowledge.definitions.keys() | knowledge.protocol.numbers.keys()
    roles = {role for each in knowledge.classes.values() for role in each.roles}
    known: dict[str, Collection[str]] = {
        "number": numbers,
        "condition": rests.names,
        "procedure": rests.names,
        "test": knowledge.measures,
        "valueset": rests.sets,
        "role": roles,
    }
    for kind, name in sorted({read for door in PLAN.doors.values() for read in door.reads}):
        if name not in known.get(kind, (name,)):
            yield f"there is no {kind} '{name}', which the facts read"


def digest(value: Any) -> str:
    """The SHA-256 of anything that the knowledge holds, whatever the order of keys."""
    return sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def _concepts(knowledge: Knowledge) -> list[tuple[list[Any], Concept]]:
    """Everything that turns a word or code of a record into a concept of ours, in a fixed order."""
    return sorted(_places(knowledge), key=lambda each: (each[0][0], each[0][1], each[1].valueset, each[1].name))


def _places(knowledge: Knowledge) -> Iterator[tuple[list[Any], Concept]]:
    for system, codes in knowledge.codes.items():
        yield from (([system, code], each) for code, several in codes.items() for each in several)
    for system, beginnings in knowledge.prefixes.items():
        for begins, meant in beginnings.items():
            yield from (([f"{system} begins", begins, excepted], each) for each, excepted in meant)
    for kind, words in _words(knowledge):
        yield from (([kind, word], each) for word, each in words)


def _words(knowledge: Knowledge) -> Iterator[tuple[str, Iterable[tuple[str, Concept]]]]:
    yield "name", knowledge.names.items()
    yield "word", knowledge.words.items()
    yield "problem", ((word, each) for word, several in knowledge.problems.items() for each in several)
    yield "ending", knowledge.endings.items()
    yield _UNLIKE, knowledge.unlike.items()
