"""A patient in response above the window: when a smaller dose is offered, and when nobody should touch what works."""

from __future__ import annotations

import pytest

from cds.engine import CheckedEngine
from tests.charts import Resource, count, day, drug, level, sirolimus
from tests.judge import fact, judge, topics

TAKEN = [
    sirolimus("s", day(0), 3, tablet="0.5"),
    count("base", day(-2), 14),
    *(count(f"c{on}", day(on), 150) for on in (60, 75, 90)),
]
LEVEL = level("l", day(95, "08:00"), 8)


def offered(engine: CheckedEngine, *more: Resource, on: int = 100) -> str:
    """The dose on the button, or why there is none, or that there is no card."""
    advice = judge(engine, on, *TAKEN, *more)
    if "stepDownToMaintenance" not in topics(advice):
        return "no card"
    card = next(c for c in advice.cards if c["source"]["topic"]["code"] == "stepDownToMaintenance")
    if "suggestions" in card:
        return str(card["suggestions"][0]["label"])
    return str(advice.situation.facts.absent["step_down_dose"])


def test_one_step_less_is_offered(engine: CheckedEngine) -> None:
    assert offered(engine, LEVEL) == "Change the order to 2.5 mg/day"


def test_a_dose_that_is_just_above_goes_to_the_window(engine: CheckedEngine) -> None:
    chart = [sirolimus("s", day(0), 2.5, tablet="0.5"), *TAKEN[1:], LEVEL]
    assert fact(judge(engine, 100, *chart), "step_down_dose") == 2


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "there is no usable level to go by"),
        ([LEVEL, drug("r", "rifampin", day(97))], "an interacting drug was started or stopped"),
        ([LEVEL, drug("f", "fluconazole", day(80), status="stopped", end=day(98))], "an interacting drug was started or stopped"),
        ([LEVEL, count("x", day(98), 104)], "the platelet count is falling"),
        ([LEVEL, count("x", day(98), 105)], "the platelet count is falling"),  # by 30 % of 150
        ([LEVEL, count("x", day(98), 106)], "Change the order to 2.5 mg/day"),
        ([level("l", day(95, "08:00"), 6)], "Change the order to 2.5 mg/day"),  # predicted 5
        ([level("l", day(95, "08:00"), 5.9)], "no card"),  # predicted 4.9: a step would leave the target
        ([level("l", day(95, "08:00"), 16)], "no card"),  # the level card carries the dose
        ([LEVEL, count("x", day(98), 60)], "no card"),  # a complete response that has become a partial one
    ],
)  # fmt: skip
def test_when_none_is(engine: CheckedEngine, more: list[Resource], said: str) -> None:
    assert offered(engine, *more).startswith(said)


def test_not_within_a_week_of_a_change(engine: CheckedEngine) -> None:
    before = sirolimus("s", day(0), 3.5, tablet="0.5", status="stopped", end=day(96))
    now = sirolimus("t", day(96), 3, tablet="0.5", priorPrescription={"reference": "MedicationRequest/s"})
    advice = judge(engine, 100, before, now, *TAKEN[1:], LEVEL)
    assert fact(advice, "step_down_dose") is None
    assert advice.situation.facts.absent["step_down_dose"] == "the dose was changed less than 7 days ago"
