"""The laboratory's own upper limit: as a quantity or in words, of the normal range alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds.chart.read import read_chart
from cds.chart.request import read_request
from cds.compiled.knowledge import Knowledge
from tests.charts import as_bytes, bundle, day, observation, patient
from tests.judge import now_on


def upper(knowledge: Knowledge, *ranges: dict[str, Any], unit: str = "U/L") -> Decimal | None:
    """The upper limit that is read of an ALT of 250 with these reference ranges."""
    alt = observation("a", "1742-6", day(19), 250, unit) | {"referenceRange": list(ranges)}
    (lab,) = read_chart(read_request(as_bytes(bundle(patient(), alt))), knowledge, now_on(20)).labs["alt"]
    return lab.upper


def typed(code: str, high: float) -> dict[str, Any]:
    return {"high": {"value": high}, "type": {"coding": [{"code": code}]}}


@pytest.mark.parametrize(
    "text",
    [
        "< 40 U/L",
        "<40",
        "7 - 40 U/L",
        "7-40",
        "[7 – 40]",
        "(10-40 U/l)",
        "≤ 40 U/L",
        "<= 40",
        "0 - 40,0 U/L",
        "bis 40",
        "up to 40 U/L",
        "[0 ; 40]",
        "inf. à 40",
        "hasta 40",
        "fino a 40",
        "do 40",
        "tot 40",
        "men < 40, women < 35",
        "9-40 (m) 7-35 (f)",
        "N: 0 - 40 UI/L",
        "VR: < 40",
        "norma: 0-40",
        "0~40",
        "0--40",
        "&lt;40",
    ],
)
def test_a_range_in_words(knowledge: Knowledge, text: str) -> None:
    assert upper(knowledge, {"text": text}) == 40


@pytest.mark.parametrize("text", ["> 7", "normal", "7 - 40 furlongs", "see comment", "40", "", "-" * 100])
def test_words_that_are_no_single_range_are_no_limit(knowledge: Knowledge, text: str) -> None:
    assert upper(knowledge, {"text": text}) is None


def test_a_limit_is_in_its_own_unit_else_in_that_of_the_result(knowledge: Knowledge) -> None:
    assert upper(knowledge, {"high": {"value": 40}}) == 40
    assert upper(knowledge, {"high": {"value": 0.67, "unit": "ukat/L"}}) == Decimal("40.2")
    assert upper(knowledge, {"text": "< 0.67"}, unit="ukat/L") == Decimal("40.2")


def test_of_several_ranges_the_highest_normal_limit_counts(knowledge: Knowledge) -> None:
    assert upper(knowledge, typed("normal", 35), typed("normal", 45)) == 45
    assert upper(knowledge, typed("critical", 500), {"high": {"value": 40}}) == 40
    assert upper(knowledge, typed("critical", 500)) is None
