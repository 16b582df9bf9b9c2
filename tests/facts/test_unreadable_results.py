"""A result that cannot be read is named as long as it would have spoken: what it would have said may be harm."""

from __future__ import annotations

import pytest

from cds.engine import CheckedEngine
from cds.facts import PLAN, needs
from cds.knowledge.load import load
from tests.charts import LOINC, Resource, count, day, itp, level, observation, patient, sirolimus, subject
from tests.judge import fact, gaps, judge, judge_order

KNOWLEDGE = load()
SPEAKING = [name for name, each in KNOWLEDGE.measures.items() if each.speaks]
ORDER = sirolimus("s", day(0), 2)


def unreadable(test: str, when: str) -> Resource:
    """A result without a unit that is known."""
    code = next(
        code for code, meant in KNOWLEDGE.codes[LOINC].items() if meant[0].name == test and not meant[0].rejected
    )
    return {
        "resourceType": "Observation",
        "id": "u",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": subject(),
        "effectiveDateTime": when,
        "valueQuantity": {"value": 0.3, "unit": "furlong"},
    }


ASKED_AT_SIGNING = [
    each for each in SPEAKING if each != "clumps" and each in needs.needs_of(PLAN, KNOWLEDGE)["order-sign"]
]


@pytest.mark.parametrize("test", ASKED_AT_SIGNING)
def test_it_is_named_as_long_as_it_would_have_spoken(engine: CheckedEngine, test: str) -> None:
    days = int(KNOWLEDGE.definitions[KNOWLEDGE.measures[test].speaks])
    result = unreadable(test, day(20, "08:00"))
    said = f"A result for {KNOWLEDGE.measures[test].means} was not read"
    draft = [sirolimus("d", day(20 + days), 2, status="draft")]
    assert said in gaps(judge_order(engine, 20 + days, draft, ORDER, result))
    assert said not in gaps(judge_order(engine, 21 + days, draft, ORDER, result))


def test_the_gap_names_the_facts_that_are_not_known(engine: CheckedEngine) -> None:
    advice = judge(engine, 20, ORDER, unreadable("neutrophils", day(20)))
    named = [gap.fact for gap in fact(advice, "gaps") if gap.references == ("Observation/u",)]
    assert named == ["febrile_neutropenia, neutrophils, restart_after_harm"]


def test_a_result_that_no_rule_of_the_hook_needs_is_not_named(engine: CheckedEngine) -> None:
    lymphocytes = unreadable("lymphocytes", day(20))
    assert "lymphocytes" not in needs.needs_of(PLAN, KNOWLEDGE)["order-select"]
    assert "lymphocytes" in needs.needs_of(PLAN, KNOWLEDGE)["order-sign"]
    advice = judge_order(engine, 20, [sirolimus("d", day(20), 2, status="draft")], lymphocytes, hook="order-select")
    assert gaps(advice) == set()


@pytest.mark.parametrize("test", ["pregnancy-status", "due-date", "gestation"])
def test_a_sign_of_pregnancy_that_cannot_be_read_is_named_of_a_woman(engine: CheckedEngine, test: str) -> None:
    result = unreadable(test, day(20))
    assert "Observation/u was not read" in gaps(judge(engine, 20, ORDER, result))
    man = [patient(gender="male"), itp()]
    assert gaps(judge(engine, 20, *man, ORDER, result, adult=False)) == set()


def weight(rid: str, when: str, unit: str, kg: float = 70) -> Resource:
    return unreadable("weight", when) | {"id": rid, "valueQuantity": {"value": kg, "unit": unit}}


def test_a_weight_is_named_unless_the_patient_is_known_to_be_a_big_adult(engine: CheckedEngine) -> None:
    broken = weight("b", day(20), "furlong")
    assert "A weight was not read" in gaps(judge(engine, 20, ORDER, broken))
    assert gaps(judge(engine, 20, ORDER, weight("w", day(10), "kg"), broken)) == set()
    assert "A weight was not read" in gaps(judge(engine, 20, ORDER, weight("w", day(10), "kg", 39), broken))


def test_a_child_without_any_other_weight_has_one_gap_of_it(engine: CheckedEngine) -> None:
    child = [patient("2015-01-01"), itp(), sirolimus("s", day(0), 1)]
    assert gaps(judge(engine, 20, *child, weight("b", day(20), "furlong"), adult=False)) == {"A weight was not read"}


def test_a_test_speaks_for_the_days_that_its_facts_read() -> None:
    """What a rule compares is worked out with the definition by which the result is named."""
    for facts in needs.needs_of(PLAN, KNOWLEDGE).values():
        for test, named in facts.items():
            speaks = KNOWLEDGE.measures[test].speaks
            read = {number for each in named.split(", ") for _, number in PLAN.reads(each)}
            assert not speaks or test == "clumps" or speaks in read, (test, speaks)


def test_the_tests_of_a_fact_are_those_that_it_is_worked_out_from() -> None:
    assert needs.tests_of(PLAN, "neutrophils") == {"neutrophils"}
    assert needs.tests_of(PLAN, "about_sirolimus") == set()  # levels only tell whether it is taken


def test_a_level_that_cannot_be_read_is_named_where_no_order_is_on_record(engine: CheckedEngine) -> None:
    """It may be the only sign that sirolimus is taken."""
    broken = unreadable("level", day(20))
    assert "A sirolimus level was not read" in gaps(judge(engine, 120, broken))
    assert gaps(judge(engine, 121, broken)) == set()


def test_a_newer_result_that_tells_nothing_hides_no_unreadable_one(engine: CheckedEngine) -> None:
    """A dried blood spot is no level, and clumped platelets are no count."""
    older = unreadable("level", day(18))
    spot = level("l", day(20, "07:30"), 8) | {"specimen": {"display": "dried blood spot"}}
    assert "A sirolimus level was not read" in gaps(judge(engine, 20, ORDER, older, spot))
    counted = unreadable("platelets", day(18)) | {"id": "p"}
    clumps = observation("c", "7796-6", day(20, "08:00"), 1, "1") | {"valueQuantity": None, "valueString": "present"}
    clumped = [count("n", day(20, "08:00"), 90), {k: v for k, v in clumps.items() if v is not None}]
    assert "A platelet count was not read" in gaps(judge(engine, 20, ORDER, counted, *clumped))


@pytest.mark.parametrize("unit", ["ng/mL", "furlong"])
def test_a_newer_dried_blood_spot_makes_no_level_less_overdue(engine: CheckedEngine, unit: str) -> None:
    """It is no level of whole blood, whether or not its number can be read."""
    spot = level("x", day(25, "07:30"), 8, unit) | {"specimen": {"display": "dried blood spot"}}
    course = [ORDER, level("l", day(10, "07:30"), 8)]
    assert fact(judge(engine, 60, *course, spot), "level_wait") == "stable"
    assert fact(judge(engine, 60, *course, level("x", day(25, "07:30"), 8, "furlong")), "level_wait") is None


def test_two_results_of_one_sample_that_differ_are_named(engine: CheckedEngine) -> None:
    one, other = count("a", day(20, "08:00"), 20), count("b", day(20, "08:00"), 60)
    assert "A platelet count was not used" in gaps(judge(engine, 20, ORDER, one, other))
    assert "A platelet count was not used" not in gaps(judge(engine, 21, ORDER, one, other, count("c", day(21), 30)))


@pytest.mark.parametrize("unread", [{}, {"code": {"text": "Sirolimus, dried spot"}}], ids=["unit", "name"])
def test_no_level_is_called_overdue_while_one_was_not_read(engine: CheckedEngine, unread: Resource) -> None:
    unread = unreadable("level", day(20, "08:00")) | unread
    facts = judge(engine, 60, ORDER, unread).situation.facts
    assert facts.absent["level_wait"] == "a level is on record that was not read"
    assert fact(judge(engine, 60, ORDER), "level_wait") == "first"
