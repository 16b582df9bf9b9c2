"""How often, how long and in which order doses are taken: understood, or refused with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from cds.engine import CheckedEngine
from tests.charts import Resource, day, drug, level, sirolimus
from tests.judge import fact, gaps, judge, judge_order, topics

DAILY = {"frequency": 1, "period": 1, "periodUnit": "d"}


def order(*dosages: Resource, **more: Any) -> Resource:
    return sirolimus("s", day(0), 1) | {"dosageInstruction": list(dosages)} | more


def dosage(mg: float, timing: Resource | None = None, **more: Any) -> Resource:
    timing = {"repeat": DAILY} if timing is None else timing
    return {"timing": timing, "doseAndRate": [{"doseQuantity": {"value": mg, "unit": "mg"}}]} | more


def lasting(days: float, unit: str = "d", **more: Any) -> Resource:
    return {"repeat": DAILY | {"boundsDuration": {"value": days, "code": unit}} | more}


@pytest.mark.parametrize(
    ("said", "per_day", "rhythm"),
    [
        ("once daily", 2, "daily"), ("Once  a day", 2, "daily"), ("1 time daily", 2, "daily"), ("Every morning", 2, "daily"),
        ("Twice daily", 4, "daily"), ("2 times daily", 4, "daily"), ("every 12 hours", 4, "daily"), ("q8h", 6, "daily"),
        ("Every other day", None, "every 2 days"), ("every 48 hours.", None, "every 2 days"), ("QOD", None, "every 2 days"),
        ("once weekly", None, "weekly"), ("QWK", None, "weekly"), ("monthly", None, "monthly"),
        ("daily with food", None, None), ("1 tablet", None, None), ("as directed", None, None),
    ],
)  # fmt: skip
def test_a_timing_in_the_words_or_codes_that_systems_use(
    engine: CheckedEngine, said: str, per_day: int | None, rhythm: str | None
) -> None:
    for code in ({"text": said}, {"coding": [{"system": "urn:local", "code": said}]},
                 {"coding": [{"code": "77", "display": said}]}):  # fmt: skip
        advice = judge(engine, 9, order(dosage(2, {"code": code})))
        assert fact(advice, "daily_dose") == per_day
        assert advice.situation.patient.dose.rhythm == (rhythm or "")
        assert (rhythm is None) == (advice.situation.patient.dose.problem != "")


def test_codes_that_differ_are_not_settled_by_us(engine: CheckedEngine) -> None:
    both = {"code": {"coding": [{"code": "QD"}], "text": "once weekly"}}
    assert judge(engine, 9, order(dosage(2, both))).situation.patient.dose.problem == "its timing codes differ"


@pytest.mark.parametrize(
    "text",
    ["Take 6 mg once weekly", "2 mg every other day", "take on alternate days", "1 mg three times a week (3 times a week)",
     "Take 1 tablet every 2 days"],
)  # fmt: skip
def test_words_that_contradict_a_daily_timing_are_a_gap(engine: CheckedEngine, text: str) -> None:
    advice = judge(engine, 9, order(dosage(6, text=text)))
    assert fact(advice, "daily_dose") is None
    assert advice.situation.patient.dose.problem == "its text and its timing differ"


def test_words_that_agree_do_not(engine: CheckedEngine) -> None:
    assert fact(judge(engine, 9, order(dosage(2, text="Take 2 mg every day; level after 2 weeks"))), "daily_dose") == 2


def test_a_modifier_extension_is_not_understood(engine: CheckedEngine) -> None:
    advice = judge(engine, 9, order(dosage(2, modifierExtension=[{"url": "x"}])))
    assert "modifier extension" in advice.situation.patient.dose.problem


# --- durations and sequences -----------------------------------------------------------------------

TAPER = order(
    dosage(4, lasting(7), sequence=1), dosage(3, lasting(2, "wk"), sequence=2), dosage(2, {"repeat": DAILY}, sequence=3)
)


@pytest.mark.parametrize(("on", "mg"), [(0, 4), (6, 4), (7, 3), (20, 3), (21, 2), (200, 2)])
def test_steps_that_follow_one_another_by_their_durations(engine: CheckedEngine, on: int, mg: int) -> None:
    advice = judge(engine, on, TAPER)
    assert fact(advice, "daily_dose") == mg


def test_each_step_is_a_change_of_dose(engine: CheckedEngine) -> None:
    soon, late = level("l", day(23, "08:00"), 18), level("l", day(28, "08:00"), 8)
    assert "troughNotUsable" in topics(judge(engine, 24, TAPER, soon))
    assert fact(judge(engine, 29, TAPER, late), "trough_basis") == "usable"


@pytest.mark.parametrize(
    "dosages",
    [
        [dosage(4, lasting(7), sequence=1), dosage(3, sequence=2), dosage(2, sequence=3)],  # a step without an end
        [dosage(4, lasting(1, "mo"), sequence=1), dosage(3, sequence=2)],  # a month has no number of days
        [dosage(4, lasting(-7), sequence=1), dosage(3, sequence=2)],
        [dosage(4, sequence=1, timing={"repeat": DAILY | {"boundsRange": {"low": {"value": 7}}}}), dosage(3, sequence=2)],
    ],
)  # fmt: skip
def test_steps_that_nobody_can_date_are_a_gap(engine: CheckedEngine, dosages: list[Resource]) -> None:
    advice = judge(engine, 9, order(*dosages))
    assert fact(advice, "daily_dose") is None and "Dose per day" in gaps(advice)


def test_instructions_of_one_number_are_taken_together(engine: CheckedEngine) -> None:
    both = order(dosage(1, lasting(7), sequence=1), dosage(2, lasting(7), sequence=1))
    assert fact(judge(engine, 5, both), "daily_dose") == 3


def test_a_draft_of_several_steps_is_a_gap(engine: CheckedEngine) -> None:
    assert "Dose per day" in gaps(judge_order(engine, 9, [TAPER | {"status": "draft"}]))


def clarithromycin(*dosages: Resource) -> Resource:
    return drug("c", "clarithromycin", day(20)) | {"dosageInstruction": list(dosages)}


def test_a_partner_is_over_when_its_duration_is(engine: CheckedEngine) -> None:
    taken, usual = sirolimus("s", day(0), 2), dosage(500, lasting(7))
    for on, meets in ((20, True), (26, True), (27, False)):
        assert ("strongInhibitor" in topics(judge(engine, on, taken, clarithromycin(usual)))) == meets


def test_a_partner_of_unknown_duration_goes_on(engine: CheckedEngine) -> None:
    for bounds in (lasting(1, "mo"), {"repeat": DAILY}):
        advice = judge(engine, 60, sirolimus("s", day(0), 2), clarithromycin(dosage(500, bounds)))
        assert "strongInhibitor" in topics(advice)
