"""Exposure by day: what was taken since when, holds as none, and what nobody knows as not known."""

from __future__ import annotations

import pytest

from cds.course.exposure import exposure
from cds.engine import CheckedEngine
from tests.charts import Resource, day, sirolimus
from tests.judge import fact, judge, now_on


def stretches(engine: CheckedEngine, on: int, *orders: Resource) -> list[tuple[str, int]]:
    situation = judge(engine, on, *orders).situation
    return [
        (each.words, each.days) for each in exposure(situation.patient.course, now_on(on), situation.days("resume_gap"))
    ]


def order(rid: str, start: int, mg: float, end: int | None = None, **more: object) -> Resource:
    over = {"end": day(end), "status": "stopped"} if end is not None else {}
    return sirolimus(rid, day(start), mg, **over, **more)  # type: ignore[arg-type]


def test_a_change_and_a_hold(engine: CheckedEngine) -> None:
    chart = [order("a", 0, 2, 9), order("b", 10, 3, 19), order("c", 40, 1)]
    assert stretches(engine, 49, *chart) == [("2 mg/day", 10), ("3 mg/day", 10), ("none (held)", 20), ("1 mg/day", 10)]
    advice = judge(engine, 49, *chart)
    assert fact(advice, "days_since_change") == 9
    assert "none (held) from 2024-01-28; 1 mg/day from 2024-02-17" in fact(advice, "dose_history")


def test_a_renewal_is_no_hold(engine: CheckedEngine) -> None:
    assert stretches(engine, 29, order("a", 0, 2, 9), order("b", 10, 2)) == [("2 mg/day", 30)]


def test_every_day_of_the_course_is_counted_once(engine: CheckedEngine) -> None:
    chart = [order("a", 0, 2, 30), order("b", 7, 3, 14), order("c", 15, 2, 20), order("d", 20, 4)]
    found = stretches(engine, 60, *chart)
    assert sum(days for _, days in found) == 61


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        ([sirolimus("a", day(0), 2, status="on-hold")], "on hold, not known since when"),
        ([sirolimus("a", day(0), 2, status="stopped")], "over, not known since when"),
        ([sirolimus("a", day(0), 6, unit="wk")], "6 mg weekly"),
        ([sirolimus("a", day(0), 2) | {"dosageInstruction": [{"text": "as told"}]}], "a dose that is not computed"),
    ],
)
def test_what_is_not_known_is_not_filled_in(engine: CheckedEngine, orders: list[Resource], words: str) -> None:
    assert stretches(engine, 20, *orders) == [(words, 21)]


def test_a_stop_ends_it(engine: CheckedEngine) -> None:
    assert stretches(engine, 30, order("a", 0, 2, 20)) == [("2 mg/day", 21)]


def test_a_history_of_many_changes_is_cut(engine: CheckedEngine) -> None:
    chart = [order(f"o{n:02}", 7 * n, 1 + n % 2, 7 * n + 6) for n in range(20)]
    text = fact(judge(engine, 139, *chart), "dose_history")
    assert text.startswith("12 earlier doses; ") and text.count("mg/day") == 8
