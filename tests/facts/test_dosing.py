"""Windows, phases, size and support: the boundaries that no rule file can pin, and the gaps."""

from __future__ import annotations

import pytest

from cds.engine import CheckedEngine
from tests.charts import (
    FIRST_LINE,
    Resource,
    condition,
    count,
    day,
    drug,
    height,
    itp,
    level,
    patient,
    sirolimus,
    weight,
)
from tests.judge import fact, gaps, judge, judge_order, topics

CHILD = [patient("2015-05-01"), itp()]


@pytest.mark.parametrize(("born", "group"), [("2006-01-08", "adult"), ("2006-01-09", "child")])
def test_adult_from_the_18th_birthday_on_the_orders_date(engine: CheckedEngine, born: str, group: str) -> None:
    advice = judge(engine, 5, patient(born), itp(), sirolimus("s", day(0), 2), adult=False)
    assert fact(advice, "age_group") == group


@pytest.mark.parametrize(
    ("born", "group"), [("2005", "adult"), ("2006", None), ("2006-01", None), ("2007", "child"), ("2005-12", "adult")]
)
def test_a_birth_year_is_a_range(engine: CheckedEngine, born: str, group: str | None) -> None:
    advice = judge(engine, 5, patient(born), itp(), sirolimus("s", day(0), 2), weight("w", day(0), 70), adult=False)
    assert fact(advice, "age_group") == group
    assert ("Birth date" in gaps(advice)) == (group is None)


@pytest.mark.parametrize(("on", "shown"), [(118, False), (119, True)])
def test_a_starting_dose_is_accepted_until_day_118(engine: CheckedEngine, on: int, shown: bool) -> None:
    advice = judge(engine, on, sirolimus("s", day(0), 3))
    assert ("doseAboveWindow" in topics(advice)) == shown


def test_in_response_it_is_accepted_at_any_time(engine: CheckedEngine) -> None:
    counts = [count("b", day(-2), 14), count("c", day(228), 120)]
    assert topics(judge(engine, 230, sirolimus("s", day(0), 3), level("l", day(200, "07:30"), 7), *counts)) == set()


@pytest.mark.parametrize(("value", "shown"), [(10, False), (10.1, True)])
def test_a_level_scaled_to_the_dose_supports_it(engine: CheckedEngine, value: float, shown: bool) -> None:
    """10 ng/mL on 4 mg/day would be 15 on 6, the ceiling of the target."""
    draft = sirolimus("d", day(30), 6, status="draft")
    advice = judge_order(engine, 30, [draft], sirolimus("s", day(0), 4), level("l", day(20, "07:30"), value))
    assert ("doseAboveWindow" in topics(advice)) == shown


@pytest.mark.parametrize(("value", "shown"), [(10, False), (9.9, True)])
def test_a_level_supports_a_dose_below_the_window(engine: CheckedEngine, value: float, shown: bool) -> None:
    draft = sirolimus("d", day(30), 1, status="draft")
    advice = judge_order(engine, 30, [draft], sirolimus("s", day(0), 2), level("l", day(20, "07:30"), value))
    assert ("doseBelowWindow" in topics(advice)) == shown


@pytest.mark.parametrize(("since", "shown"), [(28, False), (29, True)])
def test_a_level_from_before_a_change_supports_the_new_dose_for_28_days(
    engine: CheckedEngine, since: int, shown: bool
) -> None:
    orders = [sirolimus("s1", day(0), 4, status="stopped", end=day(30)), sirolimus("s2", day(30), 5)]
    advice = judge(engine, 30 + since, *orders, level("l", day(25, "07:30"), 8))
    assert ("doseAboveWindow" in topics(advice)) == shown


@pytest.mark.parametrize(("kg", "shown"), [(12, False), (12.1, True)])
def test_a_small_childs_dose_is_not_called_too_low(engine: CheckedEngine, kg: float, shown: bool) -> None:
    """0.6 mg/day are 0.05 mg/kg at 12 kg."""
    order = sirolimus("s", day(0), 0.6, solution=True)
    advice = judge(engine, 5, *CHILD, order, weight("w", day(0), kg), adult=False)
    assert ("doseBelowWindow" in topics(advice)) == shown


@pytest.mark.parametrize(
    ("born", "age", "known"),
    [("2015-05-01", 90, True), ("2015-05-01", 91, False), ("2020-05-01", 30, True), ("2020-05-01", 31, False)],
)
def test_a_weight_grows_old(engine: CheckedEngine, born: str, age: int, known: bool) -> None:
    advice = judge(
        engine, 10, patient(born), itp(), sirolimus("s", day(0), 1), weight("w", day(10 - age), 20), adult=False
    )
    assert (fact(advice, "dose_per_kg") is not None) == known
    assert ("Weight" in gaps(advice)) == (not known)


def test_body_surface_is_mostellers(engine: CheckedEngine) -> None:
    advice = judge(
        engine,
        1,
        patient("2021-07-01"),
        itp(),
        sirolimus("s", day(0), 2, solution=True),
        weight("w", day(0), 10),
        height("h", day(0), 90),
        adult=False,
    )
    assert fact(advice, "dose_per_m2") == 4  # 0.5 m2: the square root of 90 x 10 / 3600
    assert "childDoseBySize" in topics(advice)


@pytest.mark.parametrize(("kg", "judged"), [(39.9, True), (40, False)])
def test_a_light_adult_is_judged_by_size(engine: CheckedEngine, kg: float, judged: bool) -> None:
    advice = judge(engine, 1, sirolimus("s", day(0), 4), weight("w", day(0), kg))
    assert fact(advice, "size_limits_apply") is (True if judged else None)


@pytest.mark.parametrize("period", [{"period": 2}, {"period": 1, "unit": "wk"}])
def test_another_rhythm_has_no_daily_dose_and_says_so(engine: CheckedEngine, period: dict[str, object]) -> None:
    order = sirolimus("s", day(0), 6, **period)  # type: ignore[arg-type]
    advice = judge(engine, 5, order)
    assert topics(advice) == {"notAssessed"}
    assert gaps(advice) == {"Dose per day"}


def test_the_labels_maximum_holds_for_one_day_of_any_rhythm(engine: CheckedEngine) -> None:
    weekly = sirolimus("s", day(0), 41, tablet="1", unit="wk")
    assert "doseAboveDailyMaximum" in topics(judge(engine, 5, weekly))


def test_without_itp_only_what_any_patient_needs_is_shown(engine: CheckedEngine) -> None:
    people = [
        patient(),
        sirolimus("s", day(0), 41),
        drug("x", "clarithromycin", day(3)),
        level("l", day(2, "07:30"), 24),
    ]
    shown = topics(judge(engine, 5, *people, adult=False))
    assert shown == {"notAssessed", "troughCritical", "doseAboveDailyMaximum", "strongInhibitor"}


@pytest.mark.parametrize("change", [
    {"verificationStatus": {"coding": [{"code": "refuted"}]}}, {"verificationStatus": {"coding": [{"code": "entered-in-error"}]}},
    {"clinicalStatus": {"coding": [{"code": "resolved"}]}},
])  # fmt: skip
def test_itp_that_is_refuted_or_resolved_is_not_on_record(engine: CheckedEngine, change: Resource) -> None:
    assert "No ITP on record" in gaps(
        judge(engine, 5, patient(), itp() | change, sirolimus("s", day(0), 5), adult=False)
    )


@pytest.mark.parametrize("code", ["D69.3", "D693"])
def test_itp_by_icd(engine: CheckedEngine, code: str) -> None:
    by_icd = condition("c", code, None, system="http://hl7.org/fhir/sid/icd-10-cm")
    assert topics(judge(engine, 5, patient(), by_icd, sirolimus("s", day(0), 5), adult=False)) == {"doseAboveWindow"}


def test_itp_as_the_orders_reason(engine: CheckedEngine) -> None:
    order = sirolimus(
        "s", day(0), 5, reasonCode=[{"coding": [{"system": "http://snomed.info/sct", "code": "32273002"}]}]
    )
    assert topics(judge(engine, 5, patient(), order, adult=False)) == {"doseAboveWindow"}


def test_the_level_card_carries_the_dose_and_the_window_card_none(engine: CheckedEngine) -> None:
    advice = judge(engine, 30, sirolimus("s", day(0), 5), level("l", day(20, "07:30"), 17))
    cards = {card["source"]["topic"]["code"]: card for card in advice.cards}
    assert set(cards) == {"doseAboveWindow", "troughHigh"}
    assert "suggestions" not in cards["doseAboveWindow"]
    assert "The level card carries the proposed dose." in cards["doseAboveWindow"]["detail"]
    assert cards["troughHigh"]["suggestions"]


@pytest.mark.parametrize(
    ("born", "kg", "speaks"),
    [
        ("2022-06-01", 4.5, False),  # an infant, for whom no dose is suggested
        ("2020-06-01", 9, False),  # 1 mg/day would be more than its size allows
        ("2018-06-01", 25, True),
    ],
)
def test_no_child_is_told_to_reach_a_window_that_its_size_forbids(
    engine: CheckedEngine, born: str, kg: float, speaks: bool
) -> None:
    order = sirolimus("s", day(0), 0.2, solution=True)
    child = [patient(born), itp(), weight("w", day(0), kg), order]
    assert ("doseBelowWindow" in topics(judge(engine, 10, *child, adult=False))) == speaks


def test_an_infant_gets_no_dose(engine: CheckedEngine) -> None:
    infant = [patient("2022-06-01"), itp(), FIRST_LINE, weight("w", day(0), 9)]
    card, other = judge_order(
        engine, 0, [sirolimus("d", day(0), 2, solution=True, status="draft")], *infant, adult=False
    ).cards
    assert other["source"]["topic"]["code"] == "pjpProphylaxis"
    assert "suggestions" not in card
    assert "dosing is for a specialist" in card["detail"]
