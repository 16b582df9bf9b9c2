"""Results: where the value stands, and which of several versions of it counts."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from cds.compiled.bound import Bound
from cds.engine import CheckedEngine
from tests.charts import LOINC, UCUM, Resource, count, day, level, observation, sirolimus, subject
from tests.judge import fact, gaps, judge, topics

ORDER = sirolimus("s", day(0), 2)


def without_value(resource: Resource, **value: Any) -> Resource:
    return {key: part for key, part in resource.items() if not key.startswith("value")} | value


def quantity(value: float, unit: str = "ng/mL", **more: Any) -> Resource:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit} | more


PLAIN = level("l", day(20, "08:00"), 3)


def test_a_range_with_one_end_is_a_bound(engine: CheckedEngine) -> None:
    low = without_value(PLAIN, valueRange={"high": quantity(4)})
    high = without_value(PLAIN, valueRange={"low": quantity(18)})
    assert fact(judge(engine, 21, ORDER, low), "trough") == Bound("<=", Decimal(4))
    assert fact(judge(engine, 21, ORDER, high), "trough") == Bound(">=", Decimal(18))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"valueRange": {"low": quantity(4), "high": quantity(6)}}, "its value is a range"),
        ({"valueRange": {}}, "it has no value"),
        ({"valueInteger": 8}, "it has no unit"),
        ({"valueString": "8"}, "it has no unit"),
        ({"valueString": "see comment"}, "its text is not one number with a unit"),
        ({"valueQuantity": quantity(8, "mmol/L")}, "its unit is not understood"),
        ({"valueQuantity": quantity(120)}, "its value is too high to be plausible"),
        ({"valueQuantity": quantity(8, "ng/dL")}, "its value is too low to be plausible"),
        ({"valueQuantity": quantity(-5, "ng/mL") | {"comparator": "<"}}, "its value is too low to be plausible"),
        ({"dataAbsentReason": {"text": "clotted"}}, "the laboratory gives no value"),
    ],
)
def test_a_value_that_cannot_be_taken_is_said(engine: CheckedEngine, value: Resource, reason: str) -> None:
    advice = judge(engine, 21, ORDER, without_value(PLAIN, **value))
    assert fact(advice, "trough") is None
    (gap,) = [each for each in fact(advice, "gaps") if each.name == "A sirolimus level was not read"]
    assert gap.note == reason


def test_a_level_may_be_a_component_of_a_panel(engine: CheckedEngine) -> None:
    panel = observation("panel", "x", day(20, "08:00"), None, "x")
    panel = without_value(panel, code={"text": "Immunosuppressants"}, component=[
        {"code": {"coding": [{"system": LOINC, "code": "11253-2"}]}, "valueQuantity": quantity(7)},
        {"code": {"coding": [{"system": LOINC, "code": "29247-4"}]}, "valueQuantity": quantity(3)},
    ])  # fmt: skip
    advice = judge(engine, 21, ORDER, panel)
    assert fact(advice, "trough") == 3 and "Observation/panel" in advice.situation.facts.evidence["trough"]


def test_a_component_without_a_value_is_said(engine: CheckedEngine) -> None:
    panel = without_value(PLAIN, code={"text": "panel"}, component=[
        {"code": {"coding": [{"system": LOINC, "code": "29247-4"}]}, "dataAbsentReason": {"text": "lost"}},
    ])  # fmt: skip
    assert gaps(judge(engine, 21, ORDER, panel)) == {"A sirolimus level was not read"}


@pytest.mark.parametrize("status", ["corrected", "amended"])
@pytest.mark.parametrize("when", [day(20, "08:00"), day(20)])
def test_a_correction_takes_the_place_of_its_first_version(engine: CheckedEngine, status: str, when: str) -> None:
    first, second = level("a", when, 3), level("b", when, 8, status=status)
    for charts in ([first, second], [second, first]):
        assert fact(judge(engine, 21, ORDER, *charts), "trough") == 8


def test_a_correction_of_the_time_is_known_by_its_identifier(engine: CheckedEngine) -> None:
    accession = {"identifier": [{"system": "https://lab.example", "value": "A-77"}]}
    first = level("a", day(20, "20:00"), 17) | accession
    second = level("b", day(20, "08:00"), 8, status="corrected") | accession
    assert fact(judge(engine, 21, ORDER, first, second), "trough") == 8
    assert fact(judge(engine, 21, ORDER, first, second | {"identifier": []}), "trough") == 17


def test_an_identifier_of_the_patient_joins_no_samples(engine: CheckedEngine) -> None:
    number = {"identifier": [{"system": "https://hospital.example", "value": "MRN-1"}]}
    older = level("a", day(10, "08:00"), 9, status="corrected") | number
    newer = level("b", day(20, "08:00"), 3) | number
    assert fact(judge(engine, 21, ORDER, older, newer), "trough") == 3


def test_a_first_version_known_to_be_wrong_does_not_stand_in_for_an_unreadable_correction(
    engine: CheckedEngine,
) -> None:
    first = level("a", day(20, "08:00"), 3)
    lost = without_value(level("b", day(20, "08:00"), 1, status="corrected"), dataAbsentReason={"text": "lost"})
    advice = judge(engine, 21, ORDER, first, lost)
    assert fact(advice, "trough") is None and gaps(advice) == {"A sirolimus level was not read"}


def test_the_more_final_of_three_results_counts_in_any_order(engine: CheckedEngine) -> None:
    when = day(20, "08:00")
    three = [level("a", when, 3), level("b", when, 4), level("c", when, 8, status="corrected")]
    for seed in range(6):
        random.Random(seed).shuffle(three)
        assert fact(judge(engine, 21, ORDER, *three), "trough") == 8


@pytest.mark.parametrize("status", ["registered", "entered-in-error", "cancelled"])
def test_a_result_that_never_was_is_not_missed(engine: CheckedEngine, status: str) -> None:
    assert not gaps(judge(engine, 12, ORDER, level("l", day(10), 30, status=status)))


def test_a_result_of_unknown_status_is_said(engine: CheckedEngine) -> None:
    assert gaps(judge(engine, 12, ORDER, level("l", day(10), 30, status="unknown"))) == {
        "A sirolimus level was not read"
    }


def test_midnight_in_any_zone_is_a_date(engine: CheckedEngine) -> None:
    dose = {"resourceType": "MedicationAdministration", "id": "d", "status": "completed", "subject": subject(),
            "medicationCodeableConcept": ORDER["medicationCodeableConcept"], "effectiveDateTime": day(19, "20:00")}  # fmt: skip
    for when in ("2024-01-28T00:00:00+08:00", "2024-01-28T00:00:00.000Z", "2024-01-28"):
        advice = judge(engine, 21, ORDER, dose, level("l", when, 3))
        assert "without a time of day" in advice.cards[0]["detail"] or "assumed" in advice.cards[0]["detail"]
        assert topics(advice) == {"troughLow"}


def test_one_count_resulted_twice_does_not_confirm(engine: CheckedEngine) -> None:
    counts = [count("base", day(-1), 10), count("a", day(90, "08:00"), 120), count("b", day(90, "08:00"), 120)]
    advice = judge(engine, 91, ORDER, level("l", day(60), 8), *counts)
    assert fact(advice, "landmark_response") == "complete" and fact(advice, "landmark_confirmed") is not True


def test_a_number_and_the_same_number_as_a_bound_are_two_results(engine: CheckedEngine) -> None:
    bound = without_value(PLAIN, valueQuantity=quantity(3, comparator=">")) | {"id": "m"}
    advice = judge(engine, 21, ORDER, PLAIN, bound)
    assert fact(advice, "trough") is None and "A sirolimus level was not used" in gaps(advice)
