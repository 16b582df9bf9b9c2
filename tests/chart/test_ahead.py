"""What lies ahead of the time of judging is never judged by; where it may be a fast clock, or is ordered already, a card says so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cds.advise import Advice, advise
from cds.chart.request import read_request
from cds.compiled.hooks import Hook
from cds.engine import CheckedEngine
from tests.charts import Resource, as_bytes, count, day, drug, itp, level, patient, request, sirolimus
from tests.judge import fact, gaps, now_on, topics

ORDER = sirolimus("s", day(0), 2)
NOW = now_on(20)


def judged(
    engine: CheckedEngine, *chart: Resource, hook: Hook = "patient-view", drafts: list[Resource] | None = None
) -> Advice:
    body = request(hook, [patient(), itp(), *chart], drafts)
    return advise(read_request(as_bytes(body)), engine, NOW)


def ahead(**by: int) -> str:
    return (NOW + timedelta(**by)).isoformat()


@pytest.mark.parametrize("by", [{"seconds": 30}, {"minutes": 5}, {"hours": 1}])
def test_a_level_of_a_clock_that_is_fast_is_not_judged_and_said(engine: CheckedEngine, by: dict[str, int]) -> None:
    advice = judged(engine, ORDER, level("l", ahead(**by), 22))
    assert "troughCritical" not in topics(advice) and "Observation/l was not read" in gaps(advice)
    assert "troughCritical" in topics(judged(engine, ORDER, level("l", NOW.isoformat(), 22)))


def test_so_is_a_count(engine: CheckedEngine) -> None:
    assert "Observation/c was not read" in gaps(judged(engine, ORDER, count("c", ahead(minutes=1), 4)))


@pytest.mark.parametrize("by", [{"days": 1}, {"days": 30}])
def test_a_later_day_is_another_days_matter(engine: CheckedEngine, by: dict[str, int]) -> None:
    """A record that is judged as of an old day knows more than that day."""
    assert "Observation/l was not read" not in gaps(judged(engine, ORDER, level("l", ahead(**by), 22)))


@pytest.mark.parametrize(("clock", "said"), [("00:30", True), ("00:31", False)])
def test_an_hour_of_a_fast_clock_may_cross_midnight(engine: CheckedEngine, clock: str, said: bool) -> None:
    body = as_bytes(request("patient-view", [patient(), itp(), ORDER, level("l", day(21, clock), 22)]))
    assert ("Observation/l was not read" in gaps(advise(read_request(body), engine, now_on(20, "23:30")))) == said


def test_no_more_is_offered_beside_a_level_that_is_ahead(engine: CheckedEngine) -> None:
    low, newer = level("l", day(19, "08:00"), 3), level("n", ahead(minutes=1), 22)
    with_it, without = (judged(engine, ORDER, low, *more) for more in ([newer], []))
    assert "troughLow" in topics(with_it) & topics(without)
    assert fact(without, "proposed_dose") is not None and fact(with_it, "proposed_dose") is None


def test_no_level_is_called_overdue_beside_one_that_is_ahead(engine: CheckedEngine) -> None:
    long_ago = sirolimus("s", day(-80), 2)
    assert "troughOverdue" in topics(judged(engine, long_ago))
    assert "troughOverdue" not in topics(judged(engine, long_ago, level("n", ahead(minutes=1), 8)))


def test_whoever_takes_no_sirolimus_hears_nothing_of_it(engine: CheckedEngine) -> None:
    assert judged(engine, count("c", ahead(minutes=1), 90)).cards == []


TOMORROW = sirolimus("t", ahead(days=1), 12, authoredOn=day(20))


def test_an_order_that_begins_tomorrow_is_said(engine: CheckedEngine) -> None:
    assert "MedicationRequest/t was not read" in gaps(judged(engine, TOMORROW))


def test_an_order_that_begins_tomorrow_is_said_when_another_drug_is_signed(engine: CheckedEngine) -> None:
    draft = drug("d", "clarithromycin", day(20), status="draft")
    assert "MedicationRequest/t was not read" in gaps(judged(engine, TOMORROW, hook="order-sign", drafts=[draft]))


def test_an_order_that_is_written_tomorrow_does_not_exist(engine: CheckedEngine) -> None:
    assert judged(engine, TOMORROW | {"authoredOn": ahead(days=1)}).cards == []


def test_an_order_that_cannot_be_read_is_said_when_another_drug_is_signed(engine: CheckedEngine) -> None:
    """Whether the two interact cannot be judged, whatever it is that keeps the order from being read."""
    draft = drug("d", "clarithromycin", day(20), status="draft")
    advice = judged(engine, ORDER | {"status": "brewing"}, hook="order-sign", drafts=[draft])
    assert "MedicationRequest/s was not read" in gaps(advice)
    harmless = drug("d", "clarithromycin", day(20), status="draft") | {
        "medicationCodeableConcept": {"text": "metformin"}
    }
    assert judged(engine, ORDER | {"status": "brewing"}, hook="order-sign", drafts=[harmless]).cards == []
