"""What `subjects` confines a number or a value set to: no rule of another subject may rest on it.

A signature of a rule does not cover what is confined to other subjects, so a wrong `subjects` would leave a rule signed
although a number that it uses has changed. Each confined number is doubled and halved on every day of every scenario.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cds.authoring.scenarios import body_of, scenarios_of
from cds.chart.read import read_chart
from cds.chart.request import Request, read_request
from cds.compiled.knowledge import Concept, Knowledge
from cds.engine import Opinion
from cds.facts import read_facts
from cds.knowledge.files import Folder
from cds.knowledge.read import read_folder
from tests.conftest import RULES

FOLDER = read_folder(RULES)
assert FOLDER.knowledge is not None
KNOWLEDGE: Knowledge = FOLDER.knowledge
NUMBERS = {name: number.subjects for name, number in FOLDER.names.numbers.items() if number.subjects}
SETS = {name: shape.subjects for name, shape in FOLDER.valuesets.items() if shape.subjects}


class Watched(dict[str, Decimal]):
    """Definitions that remember which of them were read."""

    def __init__(self, values: Mapping[str, Decimal]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Decimal:
        self.read.add(name)
        return super().__getitem__(name)


@dataclass
class Day:
    request: Request
    now: datetime
    read: set[str]
    said: dict[str, Any]


def said(request: Request, knowledge: Knowledge, now: datetime) -> dict[str, Any]:
    """What decides each rule that holds: its degree, and the values of the facts that it names."""
    situation = read_facts(read_chart(request, knowledge, now), knowledge, request.hook, now)
    facts = situation.facts.values
    held = Opinion(knowledge).holding(facts, request.hook)
    return {
        item.rule.id: [
            item.variant.level,
            *(facts.get(name) for name in facts if f"{{{name}}}" in str([item.level.summary, item.level.detail])),
        ]
        for item in held
    }


@pytest.fixture(scope="module")
def days() -> list[Day]:
    found = []
    for scenario in scenarios_of(RULES, []):
        for check in scenario.checks if scenario.shape.protocol in ("", KNOWLEDGE.protocol.id) else ():
            body, now = body_of(check, KNOWLEDGE)
            request, watched = read_request(body), Watched(KNOWLEDGE.definitions)
            told = said(request, msgspec.structs.replace(KNOWLEDGE, definitions=watched), now)
            found.append(Day(request, now, watched.read, told))
    return found


def others(day: Day, knowledge: Knowledge, subjects: list[str]) -> Iterator[str]:
    """Rules of other subjects that say something else under ``knowledge``."""
    now = said(day.request, knowledge, day.now)
    for rule in {*now, *day.said}:
        if now.get(rule) != day.said.get(rule) and KNOWLEDGE.rule(rule).subject not in subjects:
            yield rule


def moved(value: Decimal) -> list[Decimal]:
    return [value * 2, Decimal(int(value / 2))]


@pytest.mark.parametrize("name", NUMBERS)
def test_no_rule_of_another_subject_rests_on_the_number(name: str, days: list[Day]) -> None:
    own = {file.rule.id for file in FOLDER.files if f"{{{name}}}" in str(file.shape)}  # what a rule names, it signs for
    for value in moved(KNOWLEDGE.definitions[name]):
        knowledge = msgspec.structs.replace(KNOWLEDGE, definitions={**KNOWLEDGE.definitions, name: value})
        for day in days:
            if name in day.read:
                assert set(others(day, knowledge, NUMBERS[name])) <= own, day.now


@pytest.mark.parametrize("name", SETS)
def test_no_rule_of_another_subject_rests_on_the_value_set(name: str, days: list[Day]) -> None:
    def without(known: Mapping[str, tuple[Concept, ...]]) -> dict[str, tuple[Concept, ...]]:
        left = {code: tuple(each for each in meant if each.valueset != name) for code, meant in known.items()}
        return {code: meant for code, meant in left.items() if meant}

    knowledge = msgspec.structs.replace(
        KNOWLEDGE,
        codes={system: without(codes) for system, codes in KNOWLEDGE.codes.items()},
        names={word: concept for word, concept in KNOWLEDGE.names.items() if concept.valueset != name},
        phrases=tuple(word for word in KNOWLEDGE.phrases if KNOWLEDGE.names[word].valueset != name),
        words={word: concept for word, concept in KNOWLEDGE.words.items() if concept.valueset != name},
    )
    for day in days:
        assert not set(others(day, knowledge, SETS[name])), day.now


def test_what_is_not_confined_counts_for_all(folder: Folder) -> None:
    """The numbers of course and steady state touch every subject, and are not confined."""
    assert not NUMBERS.keys() & {"adult_age", "course_gap", "usable_from", "response_current", "too_soon_margin"}
    assert "sirolimus" not in SETS and "itp" not in SETS
