"""The traps that a naive reading of a chart falls into, one test each, numbered as in docs/clinical-validation.md."""

from __future__ import annotations

from typing import Any

import pytest

from cds.engine import CheckedEngine
from tests.charts import (
    RXNORM,
    Resource,
    bundle,
    condition,
    count,
    day,
    drug,
    given,
    intake,
    itp,
    level,
    observation,
    patient,
    sirolimus,
    subject,
    weight,
)  # fmt: skip
from tests.judge import fact, gaps, judge, topics

TAKEN = sirolimus("s", day(0), 2)
BASE = count("base", day(-2), 14)
LEVEL = level("ok", day(60, "08:00"), 8)


def text(advice: Any, topic: str) -> str:
    return next(card["detail"] for card in advice.cards if card["source"]["topic"]["code"] == topic)


def test_01_a_level_two_hours_after_the_dose_is_no_trough(engine: CheckedEngine) -> None:
    peak = [intake("d", day(20, "08:00")), level("l", day(20, "10:00"), 18)]
    advice = judge(engine, 21, TAKEN, *peak)
    assert topics(advice) == {"troughNotUsable"} and fact(advice, "proposed_dose") is None
    unknown = judge(engine, 21, TAKEN, peak[1])
    assert topics(unknown) == {"troughHigh"} and "assumed to be a trough" in text(unknown, "troughHigh")


def test_02_a_level_two_days_after_a_change_is_not_at_steady_state(engine: CheckedEngine) -> None:
    raised = [sirolimus("a", day(0), 1, status="stopped", end=day(20)), sirolimus("b", day(20), 2)]
    assert topics(judge(engine, 23, *raised, level("l", day(22, "08:00"), 3))) == {"troughNotUsable"}
    inhibitor = drug("f", "fluconazole", day(20))
    assert topics(judge(engine, 23, TAKEN, inhibitor, level("l", day(22, "08:00"), 3))) == {
        "troughNotUsable",
        "moderateModulator",
    }, "a level of no use answers no inhibitor"


@pytest.mark.parametrize(("drawn", "topic"), [("19:00", "troughLow"), ("11:00", "troughNotUsable")])
def test_03_twice_a_day_the_trough_is_at_twelve_hours(engine: CheckedEngine, drawn: str, topic: str) -> None:
    chart = [sirolimus("s", day(0), 1, times=2), intake("d", day(20, "08:00")), level("l", day(20, drawn), 3)]
    assert topics(judge(engine, 21, *chart)) == {topic}


RESCUES = [
    given("ivig", "r", day(80)),
    drug("r", "prednisone", day(80), mg=60),
    drug("r", "eltrombopag", day(40)),
    drug("r", "rituximab", day(40), status="completed", end=day(40)),
    {"resourceType": "Procedure", "id": "r", "status": "completed", "subject": subject(), "performedDateTime": day(85),
     "code": {"coding": [{"system": "http://snomed.info/sct", "code": "180208003"}]}},
]  # fmt: skip


@pytest.mark.parametrize("rescue", RESCUES, ids=["IVIG", "prednisone", "eltrombopag", "rituximab", "transfusion"])
def test_04_a_rescued_count_is_no_response(engine: CheckedEngine, rescue: Resource) -> None:
    counts = [count("a", day(82), 120), count("b", day(90), 130)]
    assert "responseComplete" in topics(judge(engine, 91, TAKEN, BASE, LEVEL, *counts))
    shown = judge(engine, 91, TAKEN, BASE, LEVEL, *counts, rescue)
    assert "responseComplete" not in topics(shown) or fact(shown, "landmark_confirmed") is not True


def test_05_a_clumped_sample_has_no_count(engine: CheckedEngine) -> None:
    clumps = observation("x", "40741-1", day(90, "08:00"), None, "x")
    clumps = {key: part for key, part in clumps.items() if key != "valueQuantity"} | {"valueString": "present"}
    low = count("a", day(90, "08:00"), 17)
    assert "responseNone" in topics(judge(engine, 91, TAKEN, BASE, LEVEL, low))
    assert "responseNone" not in topics(judge(engine, 91, TAKEN, BASE, LEVEL, low, clumps))


@pytest.mark.parametrize(("nmol", "high"), [(16.4, False), (16.5, True)])
def test_06_nanomoles_and_missing_units(engine: CheckedEngine, nmol: float, high: bool) -> None:
    assert ("troughHigh" in topics(judge(engine, 21, TAKEN, level("l", day(20), nmol, unit="nmol/L")))) == high
    bare = level("l", day(20), 16.4)
    bare["valueQuantity"] = {"value": 16.4}
    assert gaps(judge(engine, 21, TAKEN, bare)) == {"A sirolimus level was not read"}


def test_07_a_birthday_is_no_error(engine: CheckedEngine) -> None:
    """An order of 0.5 mg for a boy of 17: on his 18th birthday the order's date still decides."""
    child = [patient("2006-02-01", "male"), itp(), weight("w", day(0), 50), sirolimus("s", day(0), 1, tablet="0.5")]
    for on in (23, 24, 25):
        advice = judge(engine, on, *child, adult=False)
        assert fact(advice, "age_group") == "child" and not topics(advice) & {"doseBelowWindow", "doseAboveWindow"}


@pytest.mark.parametrize(("mg", "unit", "rhythm"), [(6, "wk", "weekly"), (2, "d", "every 2 days")])
def test_08_another_rhythm_is_not_a_daily_dose(engine: CheckedEngine, mg: float, unit: str, rhythm: str) -> None:
    advice = judge(engine, 12, sirolimus("s", day(0), mg, period=1 if unit == "wk" else 2, unit=unit))
    assert topics(advice) == {"notAssessed"} and rhythm in text(advice, "notAssessed")
    assert fact(advice, "daily_dose") is None and fact(advice, "largest_dose_on_one_day") == mg


def test_08_milligrams_of_one_day_are_judged_in_any_rhythm(engine: CheckedEngine) -> None:
    assert "doseAboveDailyMaximum" in topics(judge(engine, 12, sirolimus("s", day(0), 41, unit="wk")))


@pytest.mark.parametrize(
    "dosage",
    [
        [{"asNeededBoolean": True, "doseAndRate": [{"doseQuantity": {"value": 2, "unit": "mg"}}]}],
        [{"text": "take as directed"}],
        [{"doseAndRate": [{"doseRange": {"low": {"value": 1, "unit": "mg"}, "high": {"value": 2, "unit": "mg"}}}]}],
    ],
)
def test_09_what_is_not_a_dose_is_never_made_one(engine: CheckedEngine, dosage: list[Resource]) -> None:
    daily = {"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}
    advice = judge(engine, 12, TAKEN | {"dosageInstruction": [daily | each for each in dosage]})
    assert fact(advice, "daily_dose") is None and gaps(advice) == {"Dose per day"}


def test_09_one_millilitre_of_the_solution_is_one_milligram(engine: CheckedEngine) -> None:
    order = sirolimus("s", day(0), 1, solution=True)
    order["dosageInstruction"][0]["doseAndRate"] = [{"doseQuantity": {"value": 2.5, "unit": "mL"}}]
    assert fact(judge(engine, 12, order), "daily_dose") == 2.5


def test_10_two_strengths_add_up_and_a_renewal_does_not(engine: CheckedEngine) -> None:
    assert fact(judge(engine, 12, TAKEN, sirolimus("t", day(0), 0.5, tablet="0.5")), "daily_dose") == 2.5
    assert fact(judge(engine, 12, TAKEN, sirolimus("t", day(9), 2)), "daily_dose") == 2
    assert gaps(judge(engine, 12, TAKEN, sirolimus("t", day(9), 1))) == {"Two active orders"}


def test_11_statuses(engine: CheckedEngine) -> None:
    held = [sirolimus("a", day(0), 2, status="stopped", end=day(9)), sirolimus("b", day(16), 2)]
    assert "none (held) from 2024-01-18" in fact(judge(engine, 20, *held), "dose_history")
    assert not judge(engine, 12, TAKEN | {"intent": "plan"}).cards
    wrong = level("l", day(11), 30, status="entered-in-error")
    assert not judge(engine, 12, TAKEN, wrong).cards


@pytest.mark.parametrize("value", [{"valueQuantity": {"value": 2.0, "comparator": "<", "unit": "ng/mL"}},
                                   {"valueString": "<2.0 ng/mL"}])  # fmt: skip
def test_12_below_the_limit_is_low_and_computes_nothing(engine: CheckedEngine, value: Resource) -> None:
    low = {key: part for key, part in level("l", day(20), 2).items() if key != "valueQuantity"} | value
    advice = judge(engine, 21, TAKEN, low)
    assert topics(advice) == {"troughLow"} and fact(advice, "proposed_dose") is None


def test_13_without_a_baseline_only_some_answers_are_possible(engine: CheckedEngine) -> None:
    for platelets, topic in ((120, "responseComplete"), (50, "responseNotEvaluable")):
        counts = [count("a", day(80), platelets), count("b", day(90), platelets)]
        assert topic in topics(judge(engine, 91, TAKEN, LEVEL, *counts))


def test_13_a_baseline_of_less_than_five_counts_as_five(engine: CheckedEngine) -> None:
    low = count("base", day(-2), 5, comparator="<")
    advice = judge(engine, 91, TAKEN, LEVEL, low, count("a", day(80), 32), count("b", day(90), 33))
    assert "responsePartial" in topics(advice) and "counted as that number" in text(advice, "responsePartial")


@pytest.mark.parametrize(("base", "now", "topic"), [(40, 60, "responseNone"), (60, 100, "responseComplete")])
def test_14_doubling_is_of_the_partial_response_alone(engine: CheckedEngine, base: int, now: int, topic: str) -> None:
    counts = [count("base", day(-2), base), count("a", day(80), now), count("b", day(90), now)]
    advice = judge(engine, 91, TAKEN, LEVEL, *counts)
    assert topic in topics(advice) and f"{base} " in text(advice, topic)


def test_15_three_days_apart_confirm_nothing(engine: CheckedEngine) -> None:
    counts = [count("a", day(87), 120), count("b", day(90), 130)]
    assert fact(judge(engine, 91, TAKEN, BASE, LEVEL, *counts), "landmark_confirmed") is False
    wavering = [count("a", day(76), 95), count("b", day(83), 101), count("c", day(90), 99)]
    assert "responsePartial" in topics(judge(engine, 91, TAKEN, BASE, LEVEL, *wavering))


RESPONDED = [count("a", day(80), 120), count("b", day(90), 130)]


def test_16_one_low_count_loses_no_response(engine: CheckedEngine) -> None:
    low = count("c", day(120), 12)
    assert "responseLost" not in topics(judge(engine, 121, TAKEN, BASE, LEVEL, *RESPONDED, low))
    assert "responseLost" in topics(judge(engine, 123, TAKEN, BASE, LEVEL, *RESPONDED, low, count("d", day(122), 11)))


def test_17_a_relapse_at_a_high_level_is_no_reason_for_more(engine: CheckedEngine) -> None:
    relapse = [count("c", day(120), 12), count("d", day(122), 11), level("l", day(121, "08:00"), 18)]
    advice = judge(engine, 123, TAKEN, BASE, LEVEL, *RESPONDED, *relapse)
    assert {"responseLost", "troughHigh"} <= topics(advice)
    proposed = fact(advice, "proposed_dose")
    assert proposed is not None and proposed < 2


@pytest.mark.parametrize(
    "name", ["Hyftor 0.2 % gel", "Fyarro", "sirolimus eluting coronary stent", "sirolimus eye drops"]
)
def test_18_the_wrong_sirolimus(engine: CheckedEngine, name: str) -> None:
    assert not judge(engine, 12, TAKEN | {"medicationCodeableConcept": {"text": name}}).cards


@pytest.mark.parametrize("name", ["rapamycin 1 mg", "西罗莫司片", "雷帕霉素"])
def test_18_and_the_right_one_by_other_names(engine: CheckedEngine, name: str) -> None:
    advice = judge(engine, 12, sirolimus("s", day(0), 12) | {"medicationCodeableConcept": {"text": name}})
    assert "doseFarAboveWindow" in topics(advice) and "matched by name" in text(advice, "doseFarAboveWindow")


@pytest.mark.parametrize(
    ("concept", "partner"),
    [
        ({"coding": [{"system": RXNORM, "code": "2587899"}]}, "ritonavir"),
        ({"coding": [{"system": "http://www.whocc.no/atc", "code": "A02BD07"}]}, "clarithromycin"),
        ({"text": "Paxlovid 150 mg/100 mg"}, "ritonavir"),
    ],
)
def test_19_a_combination_hides_no_partner(engine: CheckedEngine, concept: Resource, partner: str) -> None:
    order = drug("p", "clarithromycin", day(10)) | {"medicationCodeableConcept": concept}
    advice = judge(engine, 12, TAKEN, order)
    assert partner in [each.name for each in fact(advice, "strong_inhibitors")]


def test_20_another_assay_is_said(engine: CheckedEngine) -> None:
    by_mass = level("a", day(14, "08:00"), 8) | {"method": {"text": "LC-MS/MS"}}
    by_antibody = level("b", day(20, "08:00"), 17) | {
        "method": {"coding": [{"display": "Chemiluminescent immunoassay"}]}
    }
    shown = text(judge(engine, 21, TAKEN, by_mass, by_antibody), "troughHigh")
    assert "measured by immunoassay, the level before by mass spectrometry" in shown.replace("\\", "")


def test_21_a_date_is_no_time_and_the_day_is_the_sources(engine: CheckedEngine) -> None:
    late = level("l", "2024-01-28T23:30:00-05:00", 3)  # the 29th in Greenwich
    assert fact(judge(engine, 25, TAKEN, late), "trough") == 3
    assert "2024-01-28 23:30" in fact(judge(engine, 25, TAKEN, late), "trough as reported")
    issued = {key: part for key, part in late.items() if key != "effectiveDateTime"} | {"issued": day(20, "09:00")}
    assert gaps(judge(engine, 25, TAKEN, issued)) == {"A sirolimus level was not read"}


def test_22_tomorrows_data_do_not_exist_and_old_ones_do_not_act(engine: CheckedEngine) -> None:
    assert fact(judge(engine, 19, TAKEN, level("l", day(20), 30)), "trough") is None
    assert fact(judge(engine, 121, TAKEN, level("l", day(20), 3)), "trough") is None


@pytest.mark.parametrize("change", [{"verificationStatus": {"coding": [{"code": "refuted"}]}},
                                    {"clinicalStatus": {"coding": [{"code": "resolved"}]}}])  # fmt: skip
def test_23_an_itp_that_is_refuted_or_resolved_is_not_on_record(engine: CheckedEngine, change: Resource) -> None:
    chart = [patient(), itp() | change, sirolimus("s", day(0), 6)]
    assert topics(judge(engine, 12, *chart, adult=False)) == {"notAssessed"}


def test_24_for_an_infant_no_dose_is_offered(engine: CheckedEngine) -> None:
    infant = [patient("2022-11-01"), itp(), weight("w", day(10), 8), sirolimus("s", day(0), 0.3, solution=True)]
    advice = judge(engine, 21, *infant, level("l", day(20, "08:00"), 2), adult=False)
    assert fact(advice, "proposed_dose") is None and "under 2 years" in fact(advice, "proposal_working")


def test_25_a_core_antibody_after_immunoglobulin_is_perhaps_the_donors(engine: CheckedEngine) -> None:
    antibody = observation("ab", "13952-7", day(-10), None, "") | {"valueString": "reactive"}
    del antibody["valueQuantity"]
    for infusion, speaks in ((day(-40), False), (day(-300), True)):
        chart = [TAKEN, given("ivig", "g", infusion), antibody]
        assert ("hepatitisB" in topics(judge(engine, 12, *chart))) == speaks


def test_26_an_old_pregnancy_that_nobody_closed(engine: CheckedEngine) -> None:
    for onset, critical in ((day(-400), False), (day(-100), True)):
        assert ("pregnancy" in topics(judge(engine, 12, TAKEN, condition("p", "77386006", onset)))) == critical


def test_bundles_of_edge_cases_are_real_fhir() -> None:
    """What these tests feed is R4 as others would send it."""
    from fhir.resources.R4B.bundle import Bundle

    Bundle.model_validate(bundle(patient(), itp(), TAKEN, BASE, LEVEL, *RESPONDED, RESCUES[-1], RESCUES[0]))
