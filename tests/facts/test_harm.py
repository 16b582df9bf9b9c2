"""Conditions beside which sirolimus is dangerous, and what a first order for a woman needs."""

from __future__ import annotations

from typing import Any

import pytest

from cds.engine import Engine
from tests.charts import FIRST_LINE, Resource, condition, day, hcg, itp, level, observation, patient, sirolimus
from tests.judge import fact, judge, judge_order, topics

TAKEN = [sirolimus("s", day(0), 2), level("l", day(60, "08:00"), 8)]
LUNG, SEPSIS, FEEDING, BREATHLESS = "205237003", "91302008", "866041003", "267036007"


@pytest.mark.parametrize(
    ("problem", "topic"),
    [
        (condition("c", LUNG, day(50)), "pneumonitis"),
        (condition("c", LUNG, day(-50)), ""),  # from before the course
        (condition("c", LUNG, day(50), status="resolved"), ""),
        (condition("c", SEPSIS, day(61)), "seriousInfection"),
        (condition("c", SEPSIS, day(61), status="resolved"), ""),
        (condition("c", "56717001", day(61)), "seriousInfection"),
        (condition("c", FEEDING, day(-10)), "breastfeeding"),
    ],
)
def test_what_is_active_is_spoken_of(engine: Engine, problem: Resource, topic: str) -> None:
    assert topics(judge(engine, 62, *TAKEN, problem)) == ({topic} if topic else set())


@pytest.mark.parametrize(("value", "drawn", "said"), [(93, 60, True), (94, 60, False), (93, 59, True), (93, 58, False)])
def test_low_oxygen_with_breathlessness(engine: Engine, value: int, drawn: int, said: bool) -> None:
    oxygen = observation("o", "59408-5", day(drawn), value, "%")
    breathless = condition("c", BREATHLESS, day(60))
    assert ("pneumonitis" in topics(judge(engine, 62, *TAKEN, oxygen, breathless))) == said
    assert "pneumonitis" not in topics(judge(engine, 62, *TAKEN, oxygen))


def first(engine: Engine, *more: Resource, **person: Any) -> set[str]:
    chart = [patient(**person), itp(), FIRST_LINE, *more]
    return topics(judge_order(engine, 70, [sirolimus("d", day(70), 2, status="draft")], *chart, adult=False))


@pytest.mark.parametrize(
    ("person", "said"),
    [
        ({"born": "1990-03-14"}, True),
        ({"born": "1990-03-14", "gender": "male"}, False),
        ({"born": "1973-03-20"}, True),  # 50, until the next day
        ({"born": "1973-03-18"}, False),
    ],
)
def test_a_first_order_for_a_woman_who_can_conceive(engine: Engine, person: dict[str, str], said: bool) -> None:
    assert ("contraception" in first(engine, **person)) == said


def test_a_negative_test_of_the_week_is_enough(engine: Engine) -> None:
    test = hcg(valueString="negative")  # on day 65
    assert "contraception" not in first(engine, test)
    assert "contraception" in first(engine, test | {"effectiveDateTime": day(62)})
    assert first(engine, hcg(valueString="positive")) & {"contraception", "pregnancy"} == {"pregnancy"}


@pytest.mark.parametrize(("value", "said"), [(1.9, True), (1.8, False)])
def test_bilirubin_by_its_own_upper_limit(engine: Engine, value: float, said: bool) -> None:
    limit = {"referenceRange": [{"high": {"value": 1.2, "unit": "mg/dL"}}]}
    blood = observation("b", "1975-2", day(60), value, "mg/dL") | limit
    shown = judge_order(engine, 62, [sirolimus("d", day(62), 2)], *TAKEN, blood)
    assert ("hepaticImpairment" in topics(shown)) == said
    assert fact(judge(engine, 62, *TAKEN, observation("b", "1975-2", day(60), 9, "mg/dL")), "bilirubin") is None
