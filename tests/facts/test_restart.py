"""A draft that takes sirolimus up again after a course that was stopped for harm, or beside it."""

from __future__ import annotations

import pytest

from cds.advise import Advice
from cds.engine import CheckedEngine
from tests.charts import Resource, condition, day, level, observation, sirolimus
from tests.judge import fact, judge, judge_order

STOPPED = sirolimus("s", day(0), 2, status="stopped", end=day(40))
TAKEN = sirolimus("s", day(0), 2)
DRAFT = sirolimus("d", day(60), 1, status="draft")


def again(engine: CheckedEngine, *resources: Resource, order: Resource = STOPPED) -> Advice:
    return judge_order(engine, 60, [DRAFT], order, *resources)


def neutrophils(when: str, value: float) -> Resource:
    return observation("n", "751-8", when, value, "10*3/uL")


@pytest.mark.parametrize(("value", "harm"), [(0.9, True), (1.0, False)])
def test_few_neutrophils_at_the_end_of_the_course(engine: CheckedEngine, value: float, harm: bool) -> None:
    assert fact(again(engine, neutrophils(day(38), value)), "restart_after_harm") is harm


@pytest.mark.parametrize(("on", "harm"), [(11, False), (12, True), (40, True), (41, False)])
def test_neutrophils_count_from_four_weeks_before_the_stop_to_its_day(
    engine: CheckedEngine, on: int, harm: bool
) -> None:
    assert fact(again(engine, neutrophils(day(on), 0.4)), "restart_after_harm") is harm


@pytest.mark.parametrize(("on", "value", "harm"), [(25, 16, False), (26, 16, True), (39, 15, False), (39, 15.1, True)])
def test_a_level_above_the_target_at_the_end_of_the_course(
    engine: CheckedEngine, on: int, value: float, harm: bool
) -> None:
    assert fact(again(engine, level("l", day(on, "08:00"), value)), "restart_after_harm") is harm


def test_of_levels_the_newest_before_the_stop_decides(engine: CheckedEngine) -> None:
    high, after = level("l1", day(30, "08:00"), 16), level("l2", day(36, "08:00"), 9)
    assert fact(again(engine, high, after), "restart_after_harm") is False


def test_a_harm_on_record_since_the_course(engine: CheckedEngine) -> None:
    pneumonitis = condition("p", "196051003", day(30), status="resolved")
    assert fact(again(engine, pneumonitis), "restart_after_harm") is True


def test_a_nephrotic_syndrome_is_a_harm(engine: CheckedEngine) -> None:
    assert fact(again(engine, condition("n", "52254009", day(30), status="resolved")), "restart_after_harm") is True


def test_it_is_asked_of_a_restart_alone(engine: CheckedEngine) -> None:
    few = neutrophils(day(38), 0.4)
    assert fact(again(engine, few, order=TAKEN), "restart_after_harm") is False


def test_on_an_opened_chart_nobody_takes_it_up_again(engine: CheckedEngine) -> None:
    held = sirolimus("s", day(0), 2, status="on-hold")
    advice = judge(engine, 60, held, condition("c", "205237003", day(30)))
    assert fact(advice, "restart_after_harm") is False
