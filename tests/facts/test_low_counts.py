"""Low counts: known or new, with bleeding or without, real or clumped; falls; and a response that leans on a steroid."""

from __future__ import annotations

import pytest

from cds.engine import CheckedEngine
from tests.charts import Resource, condition, count, day, drug, itp, level, patient, sirolimus
from tests.judge import fact, judge, judge_order, topics

ORDER = sirolimus("s", day(0), 2)
LEVEL = level("l", day(60, "08:00"), 8)
NOSE, SKIN = "249366005", "271813007"


@pytest.mark.parametrize(
    ("last", "stable"),
    [
        ([(30, 12), (44, 13), (58, 12)], True),
        ([(31, 12), (44, 13), (58, 12)], False),  # 27 days
        ([(30, 12), (58, 12)], False),
        ([(30, 24), (44, 13), (58, 12)], True),  # the lowest is half the highest
        ([(30, 25), (44, 13), (58, 12)], False),
    ],
)
def test_a_count_is_known_when_three_agree_over_four_weeks(
    engine: CheckedEngine, last: list[tuple[int, int]], stable: bool
) -> None:
    counts = [count(f"c{on}", day(on), value) for on, value in last]
    assert fact(judge(engine, 62, ORDER, LEVEL, *counts), "stable_low_count") == stable


def test_a_bleed_since_ends_what_is_known(engine: CheckedEngine) -> None:
    counts = [count(f"c{on}", day(on), 12) for on in (30, 44, 58)]
    bleed = condition("b", NOSE, day(40), status="resolved")
    assert fact(judge(engine, 62, ORDER, LEVEL, *counts, bleed), "stable_low_count") is False


@pytest.mark.parametrize(
    ("bleed", "goes_on"),
    [
        (condition("b", NOSE, day(55)), True),
        (condition("b", NOSE, day(54)), False),  # a week and a day ago
        (condition("b", NOSE, day(60), status="resolved"), False),
        (condition("b", NOSE, day(60)) | {"abatementDateTime": day(61)}, False),
        (condition("b", NOSE, day(60)) | {"abatementDateTime": day(70)}, True),
        (condition("b", SKIN, day(60)), False),  # of the skin only
    ],
)
def test_what_bleeds_now(engine: CheckedEngine, bleed: Resource, goes_on: bool) -> None:
    advice = judge(engine, 62, ORDER, LEVEL, count("c", day(62), 25), bleed)
    assert fact(advice, "bleeding_now") == goes_on
    assert ("bleedingWithLowPlatelets" in topics(advice)) == goes_on


@pytest.mark.parametrize(
    ("code", "goes_on"),
    [
        ("R04.0", True),
        ("R040", True),
        ("K92.2", True),
        ("I61.9", True),
        ("I62.00", True),
        ("R31", True),
        ("R23.3", False),
    ],
)
def test_what_bleeds_now_by_icd_10(engine: CheckedEngine, code: str, goes_on: bool) -> None:
    for system in ("http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10"):
        bleed = condition("b", code, day(60), system=system)
        advice = judge(engine, 62, ORDER, LEVEL, count("c", day(62), 25), bleed)
        assert fact(advice, "bleeding_now") is goes_on


def test_skin_bleeding_is_bleeding_when_the_response_is_judged(engine: CheckedEngine) -> None:
    counts = [count("base", day(-2), 10), count("a", day(80), 120), count("b", day(90), 130)]
    petechiae = condition("b", SKIN, day(88))
    assert "responseComplete" not in topics(judge(engine, 91, ORDER, LEVEL, *counts, petechiae))


def test_a_child_without_bleeding_is_not_an_emergency(engine: CheckedEngine) -> None:
    child = [patient("2016-01-01"), itp(), sirolimus("s", day(0), 1), count("c", day(30), 8)]
    assert "lowPlateletsChild" in topics(judge(engine, 31, *child, adult=False))
    assert "bleedingWithLowPlatelets" not in topics(judge(engine, 31, *child, adult=False))


@pytest.mark.parametrize(("second", "fall"), [(100, 0), (51, 49), (50, 50), (49, 51), (120, 0)])
def test_a_fall_is_from_the_usable_count_before(engine: CheckedEngine, second: int, fall: int) -> None:
    advice = judge(engine, 62, ORDER, LEVEL, count("a", day(50), 100), count("b", day(60), second))
    assert fact(advice, "platelet_fall") == fall


@pytest.mark.parametrize(
    ("orders", "mg", "days"),
    [
        ([drug("p", "prednisone", day(0), mg=10)], 10, 62),
        ([drug("p", "prednisone", day(0), mg=5)], 5, None),
        ([drug("p", "prednisone", day(0), mg=40, status="stopped", end=day(30)), drug("q", "prednisone", day(30), mg=6)], 6, 62),
        ([drug("p", "prednisone", day(0), mg=4, status="stopped", end=day(30)), drug("q", "prednisone", day(30), mg=6)], 6, 32),
        ([drug("p", "prednisone", day(0), mg=40, status="stopped", end=day(30))], None, None),
        ([drug("p", "prednisone", day(0))], None, None),  # no dose
    ],
)  # fmt: skip
def test_how_long_a_steroid_has_been_above_the_dose_that_counts(
    engine: CheckedEngine, orders: list[Resource], mg: int | None, days: int | None
) -> None:
    advice = judge(engine, 62, ORDER, LEVEL, *orders)
    assert (fact(advice, "prednisone_daily"), fact(advice, "days_on_steroid")) == (mg, days)


@pytest.mark.parametrize(
    ("newest", "stable"),
    [
        (count("n", day(61), 11) | {"status": "preliminary"}, True),
        (count("n", day(61), 4) | {"status": "preliminary"}, False),
    ],
)
def test_a_preliminary_count_must_agree_with_what_is_known(
    engine: CheckedEngine, newest: Resource, stable: bool
) -> None:
    counts = [count(f"c{on}", day(on), 12) for on in (30, 44, 58)]
    assert fact(judge(engine, 62, ORDER, LEVEL, *counts, newest), "stable_low_count") is stable


@pytest.mark.parametrize(("before", "falls"), [(-14, True), (-15, False), (-730, False)])
def test_a_fall_is_from_a_count_of_the_course_or_of_a_baseline(engine: CheckedEngine, before: int, falls: bool) -> None:
    high = level("h", day(60, "08:00"), 20)
    advice = judge(engine, 62, ORDER, high, count("old", day(before), 250), count("new", day(61), 20))
    assert ("fallingPlateletsOnSirolimus" in topics(advice)) is falls


def steroid(rid: str, name: str, on: int | None, mg: float | None) -> Resource:
    order = drug(rid, "prednisone", day(on or 0), mg=mg) | {"medicationCodeableConcept": {"text": f"{name} tablet"}}
    if on is None:
        del order["authoredOn"], order["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]
    return order


def test_of_several_steroids_the_doses_are_added_and_what_is_not_known_is_no_reason_for_silence(
    engine: CheckedEngine,
) -> None:
    response = [count("base", day(-2), 12), *(count(f"c{on}", day(on), 120) for on in (80, 88, 95))]

    def told(*steroids: Resource) -> tuple[object, str]:
        advice = judge(engine, 96, ORDER, level("l", day(90, "08:00"), 8), *response, *steroids)
        return fact(advice, "prednisone_daily"), str(fact(advice, "days_on_steroid as reported"))

    ten = steroid("p", "Prednisone", -200, 10)
    assert told(ten)[0] == 10
    assert told(ten, steroid("m", "Methylprednisolone", -100, 8))[0] == 20
    for unknown in (steroid("m", "Methylprednisolone", -100, None), steroid("d", "Dexamethasone", None, 40)):
        assert told(ten, unknown)[0] == 10 and " as at least 10 mg/day" in told(ten, unknown)[1]
        assert told(unknown) == (None, "None")  # alone nobody knows


def test_a_steroid_of_unknown_dose_does_not_hide_another(engine: CheckedEngine) -> None:
    draft = sirolimus("d", day(62), 2, status="draft")
    thirty = steroid("p", "Prednisone", 2, 30)
    for more in ([], [steroid("x", "Dexamethasone", 55, None)]):
        assert "pjpProphylaxis" in topics(judge_order(engine, 62, [draft], thirty, *more))


@pytest.mark.parametrize(
    ("comparator", "value", "judged", "card"),
    [
        ("<", 10, 9, "bleedingWithLowPlatelets"),
        ("<=", 10, 10, "lowPlateletsAdult"),
        ("<", 20, 19, "lowPlateletsAdult"),
        ("<", 21, 20, None),
        ("<", 1, 0, "bleedingWithLowPlatelets"),
    ],
)
def test_a_count_of_less_than_a_number_is_not_that_number(
    engine: CheckedEngine, comparator: str, value: int, judged: int, card: str | None
) -> None:
    newest = count("c", day(61), value)
    newest["valueQuantity"]["comparator"] = comparator
    advice = judge(engine, 62, ORDER, LEVEL, newest)
    assert fact(advice, "platelet_count") == judged
    assert {"bleedingWithLowPlatelets", "lowPlateletsAdult"} & topics(advice) == ({card} if card else set())


@pytest.mark.parametrize(("last", "speaks"), [(55, False), (54, True), (None, True)])
def test_a_bleed_without_a_recent_count_is_told(engine: CheckedEngine, last: int | None, speaks: bool) -> None:
    counts = [count("c", day(last), 80)] if last is not None else []
    advice = judge(engine, 62, ORDER, LEVEL, *counts, condition("b", NOSE, day(60)))
    assert ("bleedingWithoutCount" in topics(advice)) == speaks


def test_a_drop_to_less_than_a_number_is_a_drop_below_it(engine: CheckedEngine) -> None:
    newest = count("c", day(61), 50)
    newest["valueQuantity"]["comparator"] = "<"
    advice = judge(engine, 62, ORDER, LEVEL, count("b", day(50), 120), newest)
    assert "fallingPlateletsOnSirolimus" in topics(advice)


def test_a_count_of_more_than_a_number_is_a_count(engine: CheckedEngine) -> None:
    high = count("c", day(61), 400)
    high["valueQuantity"]["comparator"] = ">"
    assert "bleedingWithoutCount" not in topics(judge(engine, 62, ORDER, LEVEL, high, condition("b", NOSE, day(60))))
