"""A signature covers what its rule rests on: where a number or a value set moves a card, the rule is a draft again.

And no more than that: a number that the facts of a rule do not read changes nothing of its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from itertools import islice
from random import Random
from typing import Any, NamedTuple

import msgspec
import pytest

from cds.cards.build import NAMESPACE, card_for
from cds.chart.drug_names import phrases_of
from cds.chart.read import read_chart
from cds.chart.request import Request, read_request
from cds.compiled.knowledge import Concept, Knowledge
from cds.engine import PlainEvaluator
from cds.facts import read_facts
from cds.knowledge import rests
from cds.knowledge.load import load
from cds.knowledge.reviews import meanings
from tests.conftest import LONG, RULES
from tests.fingerprint import meanings as ids
from tests.fingerprint.corpus import days

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

KNOWLEDGE = load()
NUMBERS = {**KNOWLEDGE.definitions, **KNOWLEDGE.protocol.numbers}
MEANT = meanings(rests.Rests(KNOWLEDGE))
_EVERY = 8  # the day of a scenario that is looked at; `check` pins each number on all of them


class Day(NamedTuple):
    request: Request
    now: datetime
    said: dict[str, Any]


def said(request: Request, knowledge: Knowledge, now: datetime) -> dict[str, Any]:
    """The card of each rule that holds, whole, but for the hash of the knowledge."""
    situation = read_facts(read_chart(request, knowledge, now), knowledge, request.hook, now)
    holding = PlainEvaluator(knowledge).holding(situation.facts.compared, request.hook)
    speaking = {item.rule.id for item in holding}
    cards = {item.rule.id: card_for(item, situation, speaking, request.original, lambda: "id") for item in holding}
    for card in cards.values():
        for found in card["extension"][f"{NAMESPACE}.findings"]:
            found.pop("knowledge")
    return cards


@pytest.fixture(scope="module")
def sample() -> list[Day]:
    found = []
    for item in islice(days(), 0, None, _EVERY):
        if item.engine.knowledge.protocol.id == KNOWLEDGE.protocol.id:
            request = read_request(item.body)
            found.append(Day(request, item.now, said(request, KNOWLEDGE, item.now)))
    return found


def moved_rules(knowledge: Knowledge, sample: list[Day]) -> set[str]:
    """The rules that say something else under ``knowledge`` on a day of the sample."""
    found = set()
    for day in sample:
        now = said(day.request, knowledge, day.now)
        found |= {rule for rule in {*now, *day.said} if now.get(rule) != day.said.get(rule)}
    return found


def drafts_again(knowledge: Knowledge) -> set[str]:
    """The rules that a signature under the shipped knowledge no longer covers."""
    return {rule for rule, meaning in meanings(rests.Rests(knowledge)).items() if MEANT[rule] != meaning}


def with_number(name: str, value: Decimal) -> Knowledge:
    if name in KNOWLEDGE.definitions:
        return msgspec.structs.replace(KNOWLEDGE, definitions=KNOWLEDGE.definitions | {name: value})
    protocol = msgspec.structs.replace(KNOWLEDGE.protocol, numbers=KNOWLEDGE.protocol.numbers | {name: value})
    return msgspec.structs.replace(KNOWLEDGE, protocol=protocol)


@pytest.mark.parametrize("name", NUMBERS if LONG else Random(1).sample(sorted(NUMBERS), 40))
def test_a_number_that_moves_a_card_makes_its_rule_a_draft_again(name: str, sample: list[Day]) -> None:
    covered = drafts_again(with_number(name, NUMBERS[name] * 2))
    half = NUMBERS[name] / 2
    for value in (NUMBERS[name] * 2, half if half < 1 else Decimal(int(half))):
        assert moved_rules(with_number(name, value), sample) <= covered


def without_set(name: str) -> Knowledge:
    """The knowledge under which nothing in a chart means anything of a value set."""

    def kept(known: Mapping[str, tuple[Concept, ...]]) -> dict[str, tuple[Concept, ...]]:
        left = {code: tuple(each for each in meant if each.valueset != name) for code, meant in known.items()}
        return {code: meant for code, meant in left.items() if meant}

    def single(known: Mapping[str, Concept]) -> dict[str, Concept]:
        return {word: concept for word, concept in known.items() if concept.valueset != name}

    prefixes = {
        system: {
            begins: left
            for begins, meant in beginnings.items()
            if (left := tuple(each for each in meant if each[0].valueset != name))
        }
        for system, beginnings in KNOWLEDGE.prefixes.items()
    }
    names = single(KNOWLEDGE.names)
    return msgspec.structs.replace(
        KNOWLEDGE,
        codes={system: kept(codes) for system, codes in KNOWLEDGE.codes.items()},
        prefixes=prefixes,
        names=names,
        phrases=phrases_of(names),
        words=single(KNOWLEDGE.words),
        problems=kept(KNOWLEDGE.problems),
        endings=single(KNOWLEDGE.endings),
    )


@pytest.mark.parametrize("name", sorted(path.stem for path in (RULES / "valuesets").glob("*.yaml")))
def test_a_value_set_that_moves_a_card_makes_its_rule_a_draft_again(name: str, sample: list[Day]) -> None:
    knowledge = without_set(name)
    assert moved_rules(knowledge, sample) <= drafts_again(knowledge)


@pytest.mark.parametrize(
    ("name", "rule"),
    [("mtor-inhibitor", "allergy"), ("allergen", "allergy"), ("itp", "live-vaccine"), ("surgery", "surgery-planned")],
)
def test_a_value_set_that_no_day_of_the_sample_needs_is_covered_too(name: str, rule: str) -> None:
    assert rule in drafts_again(without_set(name))


@pytest.mark.parametrize(
    ("name", "rests_on_it", "does_not"),
    [
        ("landmark_3_to", {"response-complete", "response-partial", "response-not-evaluable"}, {"trough-low", "anaemia"}),
        ("hemoglobin_fall_days", {"anaemia"}, {"stomatitis", "food-and-herbal"}),
        ("surgery_pause_from", {"surgery-planned"}, {"live-vaccine", "hepatitis-b"}),
        ("trough_low", {"trough-low"}, {"live-vaccine", "hepatitis-b", "surgery-planned"}),
        ("course_gap", {"trough-low", "anaemia", "surgery-planned"}, set()),
    ],
)  # fmt: skip
def test_a_number_touches_the_rules_whose_facts_read_it(name: str, rests_on_it: set[str], does_not: set[str]) -> None:
    covered = drafts_again(with_number(name, NUMBERS[name] + 1))
    assert rests_on_it <= covered
    assert not does_not & covered


def test_what_a_protocol_notes_of_children_rests_on_who_is_a_child() -> None:
    """The day that shows it need not be in the sample: the card of a child's level carries the note, whatever its rule compares."""
    covered = drafts_again(with_number("adult_age", Decimal(9)))
    dosed = {rule.id for rule in KNOWLEDGE.rules if rule.subject in ("dosing", "trough")}
    assert "trough-not-usable" in dosed and dosed <= covered


def test_a_fact_that_means_something_else_touches_the_rules_that_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = rests.meanings_of_facts() | {"confirmation": "another"}
    monkeypatch.setattr(rests, "meanings_of_facts", lambda: changed)
    assert drafts_again(KNOWLEDGE) == {"response-complete", "response-partial"}


def test_the_ids_of_what_facts_mean_are_current() -> None:
    now = ids.table()
    assert ids.ids(ids.committed(), now, rests.meanings_of_facts()) == rests.meanings_of_facts(), (
        "see `make fingerprint`"
    )
    assert ids.committed() == now, "run `make fingerprint ARGS=--write`"


def test_a_new_day_changes_no_id_and_another_value_changes_one() -> None:
    before = ids.Table({"a": "1", "b": "2"}, {"trough": "aaaabbbb", "phase": "ccccdddd"})
    known = {"trough": "t", "phase": "p"}
    grown = ids.Table({"a": "1", "b": "2", "c": "3"}, {"trough": "aaaabbbb0000", "phase": "ccccdddd1111"})
    assert ids.ids(before, grown, known) == known
    rewritten = ids.Table({"a": "1", "b": "9"}, {"trough": "aaaaffff", "phase": "ccccffff"})
    assert ids.ids(before, rewritten, known) == known
    other = ids.Table({"a": "1", "b": "2"}, {"trough": "eeeebbbb", "phase": "ccccdddd"})
    found = ids.ids(before, other, known)
    assert found["phase"] == "p" and found["trough"] != "t"


def test_where_every_day_was_made_anew_any_difference_changes_an_id() -> None:
    before = ids.Table({"a": "1", "b": "2"}, {"trough": "aaaabbbb", "phase": "ccccdddd"})
    anew = ids.Table({"a": "8", "b": "9"}, {"trough": "aaaabbbb", "phase": "ccccffff"})
    found = ids.ids(before, anew, {"trough": "t", "phase": "p"})
    assert found["trough"] == "t" and found["phase"] != "p"


def test_a_rule_that_silences_a_button_is_covered() -> None:
    rule = next(rule for rule in KNOWLEDGE.rules if rule.id == "trough-low")
    never = msgspec.structs.replace(rule, variants=())
    rules = tuple(never if each.id == rule.id else each for each in KNOWLEDGE.rules)
    covered = drafts_again(msgspec.structs.replace(KNOWLEDGE, rules=rules))
    assert {"dose-above-window", "dose-below-window", "step-down-to-maintenance"} <= covered
