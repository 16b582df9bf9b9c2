"""When a level may steer the dose, and when it may not: every boundary from both sides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cds.engine import CheckedEngine
from tests.charts import START, Resource, condition, day, drug, intake, itp, level, observation, patient, sirolimus
from tests.judge import fact, judge, judge_order, topics

ORDER = sirolimus("s", day(0), 2)


def hours_after(number: int, clock: str, hours: float) -> str:
    """A time so many hours after a time of a day of the course."""
    from datetime import datetime, time

    moment = datetime.combine(START + timedelta(days=number), time.fromisoformat(clock)) + timedelta(hours=hours)
    return moment.strftime("%Y-%m-%dT%H:%M:00+00:00")


@pytest.mark.parametrize(
    ("on", "verdict"),
    [(4, "not_at_steady_state"), (5, "nearly_at_steady_state"), (6, "nearly_at_steady_state"), (7, None)],
)
def test_an_adult_level_is_usable_from_day_7(engine: CheckedEngine, on: int, verdict: str | None) -> None:
    assert fact(judge(engine, on, ORDER, level("l", day(on, "07:30"), 6)), "unusable_level") == verdict


@pytest.mark.parametrize(("on", "verdict"), [(2, "not_at_steady_state"), (3, None)])
def test_a_young_childs_level_is_usable_from_day_3(engine: CheckedEngine, on: int, verdict: str | None) -> None:
    child = [patient("2015-01-01"), itp(), sirolimus("s", day(0), 1)]
    assert fact(judge(engine, on, *child, level("l", day(on, "07:30"), 6), adult=False), "unusable_level") == verdict


@pytest.mark.parametrize(("born", "verdict"), [("2011-01-12", None), ("2011-01-11", "not_at_steady_state")])
def test_from_13_years_a_child_waits_like_an_adult(engine: CheckedEngine, born: str, verdict: str | None) -> None:
    child = [patient(born), itp(), sirolimus("s", day(0), 1)]
    drawn_on_the_eleventh = level("l", day(3, "07:30"), 6)
    assert fact(judge(engine, 3, *child, drawn_on_the_eleventh, adult=False), "unusable_level") == verdict


@pytest.mark.parametrize(
    ("hours", "verdict"),
    [
        (2, "too_soon_after_dose"),
        (21.9, "too_soon_after_dose"),
        (22, None),
        (28, None),
        (28.1, "late_after_dose"),
        (48, "late_after_dose"),
    ],
)
def test_the_time_since_the_dose_decides(engine: CheckedEngine, hours: float, verdict: str | None) -> None:
    drawn = hours_after(20, "06:00", hours)
    assert (
        fact(judge(engine, 23, ORDER, intake("i", day(20, "06:00")), level("l", drawn, 6)), "unusable_level") == verdict
    )


def test_twice_a_day_the_trough_is_at_twelve_hours(engine: CheckedEngine) -> None:
    order = sirolimus("s", day(0), 1, times=2)
    for hours, verdict in ((9.9, "too_soon_after_dose"), (10, None), (16, None), (16.1, "late_after_dose")):
        drawn = hours_after(20, "06:00", hours)
        assert (
            fact(judge(engine, 22, order, intake("i", day(20, "06:00")), level("l", drawn, 6)), "unusable_level")
            == verdict
        )


def test_an_unknown_time_since_the_dose_is_assumed_and_said(engine: CheckedEngine) -> None:
    advice = judge(engine, 21, ORDER, level("l", day(20, "07:30"), 4))
    assert topics(advice) == {"troughLow"}
    assert "time since the last dose not recorded: assumed to be a trough" in advice.cards[0]["detail"]
    assert [s["actions"][0]["resource"]["resourceType"] for s in advice.cards[0]["suggestions"]] == [
        "ServiceRequest",
        "MedicationRequest",
    ]


def test_a_level_coded_as_a_trough_needs_no_assumption(engine: CheckedEngine) -> None:
    coded = level("l", day(20, "07:30"), 4) | {"code": {"coding": [{"system": "http://loinc.org", "code": "72676-0"}]}}
    advice = judge(engine, 21, ORDER, coded)
    assert "coded as a trough" in advice.cards[0]["detail"]


@pytest.mark.parametrize("midnight", [day(20), day(20) + "T00:00:00Z"])
def test_a_date_has_no_time_of_day(engine: CheckedEngine, midnight: str) -> None:
    """Midnight is what systems print for a date; it does not make the level 16 hours old."""
    advice = judge(engine, 21, ORDER, intake("i", day(19, "08:00")), level("l", midnight, 4))
    assert topics(advice) == {"troughLow"}


@pytest.mark.parametrize(
    ("name", "days", "verdict"),
    [
        ("fluconazole", 6, "interacting_drug_changed"),
        ("fluconazole", 7, None),
        ("rifampin", 13, "interacting_drug_changed"),
        ("rifampin", 14, None),
    ],
)
def test_a_level_shortly_after_an_interacting_drug_started_is_not_used(
    engine: CheckedEngine, name: str, days: int, verdict: str | None
) -> None:
    advice = judge(engine, 40, ORDER, drug("x", name, day(20)), level("l", day(20 + days, "07:30"), 6))
    assert fact(advice, "unusable_level") == verdict


@pytest.mark.parametrize(("days", "verdict"), [(6, "interacting_drug_changed"), (7, None)])
def test_nor_shortly_after_it_was_stopped(engine: CheckedEngine, days: int, verdict: str | None) -> None:
    stopped = drug("x", "fluconazole", day(0), status="stopped", end=day(20))
    assert fact(judge(engine, 30, ORDER, stopped, level("l", day(20 + days, "07:30"), 6)), "unusable_level") == verdict


@pytest.mark.parametrize("specimen", ["Serum specimen", "Plasma", "Dried blood spot"])
def test_only_whole_blood_is_compared_with_the_target(engine: CheckedEngine, specimen: str) -> None:
    advice = judge(engine, 21, ORDER, level("l", day(20, "07:30"), 4) | {"specimen": {"display": specimen}})
    assert topics(advice) == {"troughNotUsable"}


def test_a_preliminary_level_is_pending_unless_it_is_very_high(engine: CheckedEngine) -> None:
    assert topics(judge(engine, 21, ORDER, level("l", day(20, "07:30"), 4, status="preliminary"))) == {
        "troughNotUsable"
    }
    assert topics(judge(engine, 21, ORDER, level("l", day(20, "07:30"), 24, status="preliminary"))) == {
        "troughCritical"
    }


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_level_that_never_was_is_not_read(engine: CheckedEngine, status: str) -> None:
    assert topics(judge(engine, 21, ORDER, level("l", day(20, "07:30"), 4, status=status))) == {"troughOverdue"}


def test_a_corrected_level_takes_the_place_of_the_first(engine: CheckedEngine) -> None:
    both = [level("l1", day(20, "07:30"), 4), level("l2", day(20, "07:30"), 9, status="corrected")]
    assert topics(judge(engine, 21, ORDER, *both)) == set()


CHANGED = [sirolimus("s1", day(0), 2, status="stopped", end=day(30)), sirolimus("s2", day(30), 3)]


def test_a_level_from_before_the_last_change_fires_nothing(engine: CheckedEngine) -> None:
    assert topics(judge(engine, 40, *CHANGED, level("l", day(28, "07:30"), 4))) == set()


def test_a_level_of_the_morning_of_the_change_belongs_to_the_dose_before(engine: CheckedEngine) -> None:
    for when in (day(30), day(30, "07:30")):
        assert topics(judge(engine, 40, *CHANGED, level("l", when, 4))) == set()


@pytest.mark.parametrize(("age", "shown"), [(100, {"troughLow"}), (101, {"troughOverdue"})])
def test_a_level_acts_for_100_days(engine: CheckedEngine, age: int, shown: set[str]) -> None:
    advice = judge(engine, 230 + age, ORDER, level("l", day(230, "07:30"), 4))
    assert topics(advice) == shown


EARLY_UP = [sirolimus("s1", day(0), 2, status="stopped", end=day(30)), sirolimus("s2", day(30), 3)]
EARLY_DOWN = [sirolimus("s1", day(0), 4, status="stopped", end=day(30)), sirolimus("s2", day(30), 3)]


@pytest.mark.parametrize(
    ("orders", "value", "shown"),
    [
        (EARLY_UP, 15.1, {"troughHigh"}), (EARLY_UP, 15, {"troughNotUsable"}), (EARLY_UP, 4, {"troughNotUsable"}),
        (EARLY_DOWN, 4.9, {"troughLow"}), (EARLY_DOWN, 5, {"troughNotUsable"}), (EARLY_DOWN, 16, {"troughNotUsable"}),
    ],
)  # fmt: skip
def test_an_early_level_beyond_the_target_speaks_in_the_direction_of_the_change(
    engine: CheckedEngine, orders: list[Resource], value: float, shown: set[str]
) -> None:
    advice = judge(engine, 34, *orders, level("l", day(33, "07:30"), value))
    assert topics(advice) == shown
    assert fact(advice, "proposed_dose") is None


@pytest.mark.parametrize(("age", "critical"), [(14, True), (15, False)])
def test_a_very_high_level_is_spoken_of_for_14_days(engine: CheckedEngine, age: int, critical: bool) -> None:
    assert ("troughCritical" in topics(judge(engine, 20 + age, ORDER, level("l", day(20, "07:30"), 24)))) == critical


@pytest.mark.parametrize(("hours", "shown"), [(11.9, {"troughNotUsable"}), (12, {"troughCritical"})])
def test_only_a_draw_known_to_be_soon_after_a_dose_excuses_it(
    engine: CheckedEngine, hours: float, shown: set[str]
) -> None:
    drawn = hours_after(20, "06:00", hours)
    assert topics(judge(engine, 22, ORDER, intake("i", day(20, "06:00")), level("l", drawn, 24))) == shown


def test_a_very_high_level_on_day_one_is_critical(engine: CheckedEngine) -> None:
    assert topics(judge(engine, 1, ORDER, level("l", day(1, "07:30"), 24))) == {"troughCritical"}


@pytest.mark.parametrize(
    ("comparator", "value", "shown"),
    [
        ("<", 2.0, {"troughLow"}), ("<", 5, {"troughLow"}), ("<=", 5, {"notAssessed"}), ("<", 10, {"notAssessed"}), ("<", 25, {"notAssessed"}),
        (">", 15, {"troughHigh"}), (">=", 15, {"notAssessed"}), (">", 10, {"notAssessed"}), (">=", 20, {"troughCritical"}), (">", 30, {"troughCritical"}),
    ],
)  # fmt: skip
def test_a_bound_says_what_it_can(engine: CheckedEngine, comparator: str, value: float, shown: set[str]) -> None:
    advice = judge(
        engine, 21, ORDER, intake("i", day(19, "07:30")), level("l", day(20, "07:30"), value, comparator=comparator)
    )
    assert topics(advice) == shown
    assert fact(advice, "proposed_dose") is None


@pytest.mark.parametrize(
    ("comparator", "value", "withheld"),
    [(">=", 15, True), (">=", 14.9, False), (">", 15, True), (">", 14.9, False), ("<", 30, False)],
)
def test_a_newest_level_of_at_least_the_target_withholds_a_rise(
    engine: CheckedEngine, comparator: str, value: float, withheld: bool
) -> None:
    measured = level("l", day(20, "07:30"), value, comparator=comparator)
    advice = judge(engine, 21, ORDER, intake("i", day(19, "07:30")), measured)
    reasons = [each.fact for each in fact(advice, "rise_withheld") or ()]
    assert ("level-above" in reasons) == withheld


@pytest.mark.parametrize(("age", "shown"), [(14, {"troughNotUsable"}), (15, set())])
def test_a_level_of_no_use_is_spoken_of_for_14_days(engine: CheckedEngine, age: int, shown: set[str]) -> None:
    soon = [intake("i", day(20, "06:00")), level("l", day(20, "08:00"), 9), level("l0", day(12, "07:30"), 9)]
    assert topics(judge(engine, 20 + age, ORDER, *soon)) == shown


def test_a_usable_level_behind_one_of_no_use_still_speaks(engine: CheckedEngine) -> None:
    both = [level("l0", day(12, "07:30"), 4), intake("i", day(20, "06:00")), level("l", day(20, "08:00"), 9)]
    assert topics(judge(engine, 21, ORDER, *both)) == {"troughLow", "troughNotUsable"}


def test_a_level_order_is_offered_unless_one_is_active(engine: CheckedEngine) -> None:
    soon = [intake("i", day(20, "06:00")), level("l", day(20, "08:00"), 9)]
    ordered: dict[str, Any] = {
        "resourceType": "ServiceRequest", "id": "r", "status": "active", "intent": "order", "subject": ORDER["subject"],
        "code": {"coding": [{"system": "http://loinc.org", "code": "29247-4"}]},
    }  # fmt: skip
    (offered,) = judge(engine, 21, ORDER, *soon).cards
    (action,) = offered["suggestions"][0]["actions"]
    assert action["resource"]["occurrenceDateTime"] == day(22, "06:00")
    assert "Consider the next level on 2024-01-30 at 06:00, just before that day's dose" in offered["detail"]
    (silent,) = judge(engine, 21, ORDER, *soon, ordered).cards
    assert "suggestions" not in silent


@pytest.mark.parametrize(("on", "shown"), [(20, set()), (21, {"troughOverdue"})])
def test_a_first_level_is_missed_from_day_21(engine: CheckedEngine, on: int, shown: set[str]) -> None:
    assert topics(judge(engine, on, ORDER)) == shown


@pytest.mark.parametrize(("on", "shown"), [(51, set()), (52, {"troughOverdue"})])
def test_a_level_after_a_change_is_missed_after_three_weeks(engine: CheckedEngine, on: int, shown: set[str]) -> None:
    assert topics(judge(engine, on, *CHANGED, level("l", day(28, "07:30"), 8))) == shown


def test_one_on_order_is_not_missed(engine: CheckedEngine) -> None:
    ordered = {"resourceType": "ServiceRequest", "id": "o", "status": "active", "intent": "order",
               "subject": {"reference": "Patient/itp-1"}, "code": {"coding": [{"system": "http://loinc.org", "code": "29247-4"}]}}  # fmt: skip
    assert topics(judge(engine, 40, ORDER, ordered)) == set()


def test_no_trough_card_on_another_drugs_order(engine: CheckedEngine) -> None:
    advice = judge_order(
        engine, 21, [drug("d", "azithromycin", day(21), status="draft")], ORDER, level("l", day(20, "07:30"), 4)
    )
    assert topics(advice) == set()


@pytest.mark.parametrize(
    ("drawn", "judged", "answered"), [(20, 20, False), (21, 21, True), (21, 121, True), (21, 122, False)]
)
def test_a_level_shows_what_the_liver_does_from_day_21_for_100_days(
    engine: CheckedEngine, drawn: int, judged: int, answered: bool
) -> None:
    assert fact(judge(engine, judged, ORDER, level("l", day(drawn, "07:30"), 6)), "liver_answered") is answered


FAILURE = "59927004"
YELLOW = {"referenceRange": [{"high": {"value": 1.2, "unit": "mg/dL"}}]}


@pytest.mark.parametrize(
    ("signs", "answered"),
    [
        ([condition("c", FAILURE, day(39))], True),
        ([condition("c", FAILURE, day(40))], False),  # the level is of 20 days later
        ([condition("c", FAILURE, day(39)), condition("d", FAILURE, day(61))], False),
        ([observation(f"b{on}", "1975-2", day(on), 3, "mg/dL") | YELLOW for on in (39, 61)], True),
        ([observation(f"b{on}", "1975-2", day(on), 3, "mg/dL") | YELLOW for on in (40, 61)], False),
        (
            [observation(f"b{on}", "1975-2", day(on), mg, "mg/dL") | YELLOW for on, mg in ((20, 3), (39, 1), (61, 3))],
            False,
        ),
    ],
)
def test_a_level_from_before_the_liver_failed_says_nothing_of_it(
    engine: CheckedEngine, signs: list[Resource], answered: bool
) -> None:
    advice = judge(engine, 62, ORDER, level("l", day(60, "07:30"), 6), *signs)
    assert fact(advice, "liver_answered") is answered


def test_an_older_low_level_has_no_card_next_to_a_very_high_one(engine: CheckedEngine) -> None:
    """A preliminary level of 24 ng/mL asks for a hold; that of ten days before was 4."""
    high = level("p", day(30), 24) | {"status": "preliminary"}
    advice = judge(engine, 31, sirolimus("s", day(0), 2), level("l", day(20), 4), high)
    assert topics(advice) == {"troughCritical"}
