"""Histories of levels, counts and tests that went wrong once."""

from __future__ import annotations

from typing import Any

import pytest

from cds.engine import CheckedEngine
from tests.charts import Resource, count, day, drug, given, hcg, intake, level, observation, sirolimus, subject
from tests.judge import fact, gaps, judge, judge_order, topics

ORDER = sirolimus("s", day(0), 2)
BASE = count("base", day(-3), 12)
LEVEL = level("l", day(60, "08:00"), 8)


# --- holds and drafts ------------------------------------------------------------------------------


def actions(advice: Any) -> list[Resource]:
    return [a["resource"] for c in advice.cards for s in c.get("suggestions", ()) for a in s["actions"]]


# --- response --------------------------------------------------------------------------------------


def test_a_complete_response_counts_though_the_start_is_unknown(engine: CheckedEngine) -> None:
    chart = [ORDER, level("l0", day(-20, "08:00"), 8), level("l", day(20, "08:00"), 3), count("c", day(20), 150)]
    assert topics(judge(engine, 22, *chart)) == {"notAssessed", "troughLow"}, "one count confirms nothing"
    before = count("c0", day(13), 140)
    assert topics(judge(engine, 22, *chart, before)) == {"notAssessed", "troughLowInResponse"}


def repeated(name: str, start: str, **more: Any) -> Resource:
    order = drug("r", name, start, **more)
    order["dosageInstruction"][0]["timing"]["repeat"] |= {"frequency": 1, "period": 4, "periodUnit": "wk"}
    return order


def test_ivig_that_is_repeated_goes_on(engine: CheckedEngine) -> None:
    counts = [count("c1", day(80), 120), count("c2", day(90), 130)]
    assert topics(judge(engine, 90, ORDER, LEVEL, BASE, repeated("ivig", day(10)), *counts)) == {"responseNotEvaluable"}


def timed(name: str, when: str) -> Resource:
    return drug("iv", name, when, status="completed")


def test_a_count_before_the_rescue_of_its_day_is_a_count(engine: CheckedEngine) -> None:
    before = [
        count("base", day(-1, "08:00"), 8),
        timed("ivig", day(-1, "15:00")),
        count("c1", day(80), 60),
        count("c2", day(90), 65),
    ]
    assert topics(judge(engine, 90, ORDER, LEVEL, *before)) == {"responsePartial"}
    after = [count("base", day(-1, "16:00"), 8), *before[1:]]
    assert topics(judge(engine, 90, ORDER, LEVEL, *after)) == {"responseNotEvaluable"}


CR = [count("c1", day(80), 120), count("c2", day(90), 130)]


STABLE = {
    "a stimulator renewed during the course": [
        drug("r1", "eltrombopag", day(-200), status="completed", end=day(60)), drug("r2", "eltrombopag", day(60)),
    ],
    "a stimulator given week by week": [given("eltrombopag", f"g{week}", day(-28 + 7 * week)) for week in range(17)],
    "a stable steroid of which one dose is on record": [drug("r", "prednisone", day(-200), mg=10), given("prednisone", "g", day(80))],
    "a pulse long over that was never closed": [drug("r", "prednisone", day(40), mg=60, end=day(43))],
}  # fmt: skip


@pytest.mark.parametrize("treatment", STABLE.values(), ids=STABLE.keys())
def test_treatment_that_is_stable_or_over_does_not_confound(engine: CheckedEngine, treatment: list[Resource]) -> None:
    assert topics(judge(engine, 90, ORDER, LEVEL, BASE, *CR, *treatment)) == {"responseComplete"}


def test_a_preliminary_count_does_not_make_the_landmark_unevaluable(engine: CheckedEngine) -> None:
    assert topics(judge(engine, 76, ORDER, LEVEL, BASE, count("p", day(75), 60, status="preliminary"))) == set()


def test_from_complete_to_partial_is_said(engine: CheckedEngine) -> None:
    counts = [count("c1", day(30), 120), count("c2", day(40), 130), count("c3", day(80), 60), count("c4", day(90), 55)]
    (card,) = judge(engine, 90, ORDER, LEVEL, BASE, *counts).cards
    assert "From a confirmed CR (130 x 10^9/L on 2024-02-17) to PR." in card["detail"]


def test_bleeding_without_a_date_is_named(engine: CheckedEngine) -> None:
    from tests.charts import condition

    assert gaps(judge(engine, 90, ORDER, LEVEL, BASE, *CR, condition("b", "387778001", None))) == {
        "Condition/b was not read"
    }


# --- levels and partners ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mg", "newer", "comparator", "shown"),
    [(0.5, 2, "<", {"doseBelowWindow", "troughLow"}), (5, 15, ">", {"doseAboveWindow", "troughHigh"})],
)
def test_a_bound_ends_the_support_of_an_older_level(
    engine: CheckedEngine, mg: float, newer: float, comparator: str, shown: set[str]
) -> None:
    order = sirolimus("s", day(0), mg, tablet="0.5")
    chart = [order, level("l1", day(230, "08:00"), 9), level("l2", day(250, "08:00"), newer, comparator=comparator)]
    assert topics(judge(engine, 251, *chart)) == shown


def test_a_dried_spot_of_the_same_minute_does_not_hide_the_blood(engine: CheckedEngine) -> None:
    spot = observation("spot", "80548-1", day(40, "08:00"), 9, "ng/mL")
    assert topics(judge(engine, 41, ORDER, level("l", day(40, "08:00"), 24), spot)) == {"troughCritical"}


@pytest.mark.parametrize(
    "twin", [level("l2", day(40, "08:00"), 19.69, "nmol/L"), level("l2", day(40, "08:00"), 0.018, "mg/L")]
)
def test_one_sample_in_two_units_is_one(engine: CheckedEngine, twin: Resource) -> None:
    assert topics(judge(engine, 41, ORDER, level("l", day(40, "08:00"), 18), twin)) == {"troughHigh"}


def test_serum_by_its_code(engine: CheckedEngine) -> None:
    tube = {
        "resourceType": "Specimen",
        "id": "sp",
        "type": {"coding": [{"system": "http://snomed.info/sct", "code": "119364003"}]},
    }
    drawn = level("l", day(40, "08:00"), 18) | {"specimen": {"reference": "Specimen/sp"}}
    assert topics(judge(engine, 41, ORDER, drawn, tube)) == {"troughNotUsable"}


def test_a_dose_recorded_at_midnight_has_no_time(engine: CheckedEngine) -> None:
    chart = [ORDER, intake("i", day(40) + "T00:00:00Z"), level("l", day(40, "09:00"), 25)]
    assert topics(judge(engine, 41, *chart)) == {"troughCritical"}


@pytest.mark.parametrize(("drawn", "shown"), [("05:58", {"troughNotUsable"}), ("06:00", {"troughLow"})])
def test_hours_are_counted_to_the_minute(engine: CheckedEngine, drawn: str, shown: set[str]) -> None:
    """22 h after the dose a level is a trough, 21 h 58 min is too soon."""
    assert topics(judge(engine, 42, ORDER, intake("i", day(40, "08:00")), level("l", day(41, drawn), 4))) == shown


@pytest.mark.parametrize("status", ["draft", "on-hold", "completed"])
def test_only_an_active_level_order_makes_another_needless(engine: CheckedEngine, status: str) -> None:
    ordered = {"resourceType": "ServiceRequest", "id": "r", "status": status, "intent": "order", "subject": subject(),
               "code": {"coding": [{"system": "http://loinc.org", "code": "29247-4"}]}}  # fmt: skip
    assert fact(judge(engine, 41, ORDER, LEVEL, ordered), "level_ordered") is False


def test_an_early_level_speaks_across_rhythms(engine: CheckedEngine) -> None:
    other = sirolimus("a", day(0), 2, period=2, status="stopped", end=day(30))
    chart = [other, sirolimus("b", day(30), 2), level("l", day(33, "08:00"), 17)]
    assert topics(judge(engine, 34, *chart)) == {"troughHigh"}


def test_a_young_childs_level_is_drawn_again_on_day_3(engine: CheckedEngine) -> None:
    from tests.charts import itp, patient, weight

    child = [patient("2015-01-01"), itp(), weight("w", day(0), 30), sirolimus("s", day(0), 1)]
    advice = judge(engine, 1, *child, level("l", day(1, "08:00"), 6), adult=False)
    assert fact(advice, "next_draw").startswith(day(3))


@pytest.mark.parametrize(
    "answer",
    [
        {"valueString": "POSITIVE (weak)"}, {"valueCodeableConcept": {"coding": [{"code": "52101004"}]}}, {"valueCodeableConcept": {"coding": [{"code": "LA6576-8"}]}},
        {"valueQuantity": {"value": 12000, "unit": "mIU/mL"}, "referenceRange": [{"high": {"value": 5, "unit": "[mIU]/mL"}}]},
        {"valueQuantity": {"value": 12000, "unit": "mIU/mL"}, "interpretation": [{"coding": [{"code": "H"}]}]},
    ],
)  # fmt: skip
def test_a_positive_test_however_it_is_said(engine: CheckedEngine, answer: Resource) -> None:
    assert topics(judge(engine, 66, ORDER, LEVEL, hcg(**answer))) == {"pregnancy"}


@pytest.mark.parametrize("answer", [{"valueString": "not detected"}, {"valueCodeableConcept": {"text": "Negative"}}])
def test_a_negative_test_however_it_is_said(engine: CheckedEngine, answer: Resource) -> None:
    assert topics(judge(engine, 66, ORDER, LEVEL, hcg(**answer))) == set()


def test_a_test_that_is_neither_is_named(engine: CheckedEngine) -> None:
    unclear = hcg(valueQuantity={"value": 12000, "unit": "mIU/mL"})
    assert gaps(judge(engine, 66, ORDER, LEVEL, unclear)) == {"Observation/h was not read"}


def test_the_newest_pregnancy_test_decides(engine: CheckedEngine) -> None:
    earlier = hcg(valueString="positive") | {"id": "h0", "effectiveDateTime": day(50)}
    assert topics(judge(engine, 66, ORDER, LEVEL, earlier, hcg(valueString="negative"))) == set()


def test_an_unconfirmed_response_is_called_so(engine: CheckedEngine) -> None:
    (card,) = judge(engine, 90, ORDER, LEVEL, BASE, count("c", day(90), 130)).cards
    assert card["summary"] == "Unconfirmed complete response (CR) at the 3-month landmark"


def test_a_preliminary_level_is_waited_for_not_drawn_again(engine: CheckedEngine) -> None:
    (card,) = judge(engine, 61, ORDER, level("l", day(60, "08:00"), 9, status="preliminary")).cards
    assert "consider waiting for the final result" in card["summary"]
    assert "suggestions" not in card


@pytest.mark.parametrize(("comparator", "category"), [("<", "none"), ("<=", None)])
def test_a_count_of_at_most_thirty_may_be_a_response(
    engine: CheckedEngine, comparator: str, category: str | None
) -> None:
    assert (
        fact(judge(engine, 90, ORDER, LEVEL, BASE, count("c", day(90), 30, comparator=comparator)), "current_response")
        == category
    )


def test_a_new_childs_level_is_drawn_on_day_5_to_10(engine: CheckedEngine) -> None:
    from tests.charts import height, itp, patient, weight

    child = [patient("2014-07-01"), itp(), weight("w", day(0), 20), height("h", day(0), 115)]
    advice = judge_order(engine, 0, [sirolimus("d", day(0), 2, solution=True, status="draft")], *child, adult=False)
    (request,) = [r for r in actions(advice) if r["resourceType"] == "ServiceRequest"]
    assert request["occurrencePeriod"] == {"start": day(5), "end": day(10)}
