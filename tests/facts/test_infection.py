"""Hepatitis B, and when Pneumocystis is thought of."""

from __future__ import annotations

import pytest

from cds.engine import CheckedEngine
from tests.charts import (
    SNOMED,
    Resource,
    answered,
    condition,
    count,
    day,
    drug,
    given,
    itp,
    level,
    observation,
    ordered,
    patient,
    sirolimus,
)
from tests.judge import judge, judge_order, topics

TAKEN = [sirolimus("s", day(0), 2), level("l", day(60, "08:00"), 8), count("base", day(-2), 14)]
POSITIVE = {"coding": [{"system": SNOMED, "code": "10828004", "display": "Positive"}]}
NEGATIVE = {"coding": [{"system": SNOMED, "code": "260385009", "display": "Negative"}]}


def antigen(on: int, answer: Resource = POSITIVE) -> Resource:
    return answered(f"ag{on}", "5196-1", day(on), answer)


def antibody(on: int, answer: Resource = POSITIVE) -> Resource:
    return answered(f"ab{on}", "13952-7", day(on), answer)


def medicine(text: str, start: int, status: str = "active") -> Resource:
    return drug("m", "prednisone", day(start), status=status) | {"medicationCodeableConcept": {"text": text}}


@pytest.mark.parametrize(
    ("chart", "said"),
    [
        ([antigen(-300)], "surface antigen positive on 2023-03-14"),
        ([antibody(-300)], "core antibody positive on 2023-03-14"),
        ([condition("b", "66071002", day(-900))], "viral hepatitis type b on the problem list"),
        ([antigen(-300), antigen(-400, NEGATIVE)], "surface antigen positive"),
    ],
)
def test_hepatitis_b_is_spoken_of(engine: CheckedEngine, chart: list[Resource], said: str) -> None:
    (card,) = judge(engine, 62, *TAKEN, *chart).cards
    assert card["source"]["topic"]["code"] == "hepatitisB" and said in card["detail"]
    (action,) = [action for suggestion in card["suggestions"] for action in suggestion["actions"]]
    assert action["resource"]["code"]["coding"][0]["code"] == "42595-9"


@pytest.mark.parametrize(
    "chart",
    [
        [antigen(-300, NEGATIVE), antibody(-300, NEGATIVE)],
        [antigen(-300), antigen(-200, NEGATIVE)],  # cleared
        [antigen(-300), medicine("entecavir", -100)],
        [antigen(-300), medicine("Vemlidy 25 mg", 50)],
        [antigen(-300), observation("dna", "42595-9", day(-118), 0, "[IU]/mL")],
        [antigen(-300), ordered("o", "42595-9", day(55))],
        [antigen(-300) | {"status": "entered-in-error"}],
        [condition("b", "66071002", day(-900), "resolved")],
    ],
    ids=["negative", "cleared", "entecavir", "by brand", "viral load", "on order", "mistaken", "resolved"],
)
def test_when_it_is_not(engine: CheckedEngine, chart: list[Resource]) -> None:
    assert not judge(engine, 62, *TAKEN, *chart).cards


def test_an_old_viral_load_does_not_cover(engine: CheckedEngine) -> None:
    dna = observation("dna", "42595-9", day(-119), 0, "[IU]/mL")
    assert topics(judge(engine, 62, *TAKEN, antigen(-300), dna)) == {"hepatitisB"}


@pytest.mark.parametrize(("apart", "speaks"), [(0, False), (180, False), (181, True)])
def test_a_core_antibody_after_immunoglobulin_may_be_the_donors(
    engine: CheckedEngine, apart: int, speaks: bool
) -> None:
    chart = [given("ivig", "g", day(-200)), antibody(-200 + apart)]
    assert topics(judge(engine, 62, *TAKEN, *chart)) == ({"hepatitisB"} if speaks else set())


def test_unless_the_patients_own_was_positive_before(engine: CheckedEngine) -> None:
    chart = [antibody(-500), given("ivig", "g", day(-200)), antibody(-190)]
    assert topics(judge(engine, 62, *TAKEN, *chart)) == {"hepatitisB"}


VIRAEMIA = observation("dna", "42595-9", day(-20), 5_000_000, "[IU]/mL")


@pytest.mark.parametrize(
    "chart",
    [
        [VIRAEMIA],
        [VIRAEMIA, ordered("o", "42595-9", day(55))],
        [VIRAEMIA | {"valueQuantity": None, "valueString": "Detected"}],
        [ordered("o", "42595-9", day(55), doNotPerform=True)],
        [ordered("o", "42595-9", day(55), intent="proposal")],
        [ordered("o", "42595-9", "2019-01")],
        [ordered("o", "42595-9", "2019-01-01", occurrenceDateTime="2030-01-01")],
    ],
    ids=["viraemia", "and on order", "in words", "not to be done", "a proposal", "old", "old, for 2030"],
)
def test_what_does_not_cover(engine: CheckedEngine, chart: list[Resource]) -> None:
    (card,) = judge(engine, 62, *TAKEN, antigen(-300), *chart).cards
    assert card["source"]["topic"]["code"] == "hepatitisB"
    assert ("viral load detected on 2023-12-19" in card["detail"]) == (chart[0]["resourceType"] == "Observation")


def test_a_viral_load_alone_is_a_sign(engine: CheckedEngine) -> None:
    assert topics(judge(engine, 62, *TAKEN, VIRAEMIA)) == {"hepatitisB"}


def test_a_viral_load_that_was_not_measured_is_named(engine: CheckedEngine) -> None:
    void = {"valueString": "Quantity not sufficient, test not performed"}
    dna = {key: value for key, value in VIRAEMIA.items() if key != "valueQuantity"} | void
    assert topics(judge(engine, 62, *TAKEN, antigen(-300), dna)) == {"hepatitisB", "notAssessed"}


@pytest.mark.parametrize(("first", "second"), [("1", "2"), ("z1", "a2")])
def test_one_antibody_of_the_patients_own_is_enough(engine: CheckedEngine, first: str, second: str) -> None:
    chart = [given("ivig", "g", day(-400)), antibody(-390) | {"id": first}, antibody(-10) | {"id": second}]
    assert topics(judge(engine, 62, *TAKEN, *chart)) == {"hepatitisB"}


@pytest.mark.parametrize(
    "chart",
    [
        [given("ivig", "g1", day(-900)), antibody(-890), given("ivig", "g2", day(-200)), antibody(-190)],
        [*(given("ivig", f"g{on}", day(on)) for on in range(-800, -20, 28)), antibody(-405)],
        [medicine("Privigen", -800), antibody(-100)],
    ],
    ids=["two courses", "every four weeks", "an order that runs"],
)
def test_every_infusion_counts(engine: CheckedEngine, chart: list[Resource]) -> None:
    assert not topics(judge(engine, 62, *TAKEN, *chart))


def test_an_answer_that_is_not_clear_is_named(engine: CheckedEngine) -> None:
    (card,) = judge(engine, 62, *TAKEN, antigen(-10, {"text": "see comment"})).cards
    assert card["source"]["topic"]["code"] == "notAssessed" and "it may matter for hepatitis B" in card["detail"]


# --- Pneumocystis ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "speaks"), [(27, False), (28, True), (42, True), (43, False)])
def test_a_month_of_prednisone_while_it_is_news(engine: CheckedEngine, days: int, speaks: bool) -> None:
    steroid = drug("p", "prednisone", day(62 - days), mg=20)
    assert ("pjpProphylaxis" in topics(judge(engine, 62, *TAKEN, steroid))) == speaks


def test_less_than_20_mg_is_no_such_risk(engine: CheckedEngine) -> None:
    assert "pjpProphylaxis" not in topics(judge(engine, 62, *TAKEN, drug("p", "prednisone", day(30), mg=19)))


@pytest.mark.parametrize(("start", "speaks"), [(48, True), (47, False)])
def test_a_second_immunosuppressant_while_it_is_news(engine: CheckedEngine, start: int, speaks: bool) -> None:
    found = topics(judge(engine, 62, *TAKEN, medicine("mycophenolate mofetil 500 mg", start)))
    assert ("pjpProphylaxis" in found) == speaks


@pytest.mark.parametrize(
    ("code", "value", "speaks"), [("731-0", 0.4, True), ("731-0", 0.5, False), ("751-8", 0.1, False)]
)
def test_few_lymphocytes_and_not_few_neutrophils(engine: CheckedEngine, code: str, value: float, speaks: bool) -> None:
    found = topics(judge(engine, 62, *TAKEN, observation("wbc", code, day(60), value, "10*9/L")))
    assert ("pjpProphylaxis" in found) == speaks


@pytest.mark.parametrize("first", ["a", "z"])
def test_of_two_lymphocyte_counts_of_a_day_without_times_the_lower_is_judged(engine: CheckedEngine, first: str) -> None:
    counts = [
        observation(f"{first}1", "731-0", day(60), 0.4, "10*9/L"),
        observation("m", "731-0", day(60), 0.9, "10*9/L"),
    ]
    assert "pjpProphylaxis" in topics(judge(engine, 62, *TAKEN, *counts))


@pytest.mark.parametrize("taken", ["Bactrim DS", "co-trimoxazole 480 mg", "dapsone", "atovaquone"])
def test_not_where_something_is_taken_against_it(engine: CheckedEngine, taken: str) -> None:
    steroid = drug("p", "prednisone", day(30), mg=20)
    assert "pjpProphylaxis" not in topics(judge(engine, 62, *TAKEN, steroid, medicine(taken, 40)))


def test_an_infant_at_the_first_order(engine: CheckedEngine) -> None:
    infant = [patient("2022-12-01"), itp(), drug("f", "prednisone", day(-60), mg=2, status="stopped", end=day(-50))]
    draft = sirolimus("d", day(0), 0.3, solution=True, status="draft")
    assert "pjpProphylaxis" in topics(judge_order(engine, 0, [draft], *infant, adult=False))


def test_steroids_from_long_before_count_at_the_first_order(engine: CheckedEngine) -> None:
    draft = [sirolimus("d", day(0), 2, status="draft")]
    for started in (-30, -43, -200):
        found = topics(judge_order(engine, 0, draft, drug("p", "prednisone", day(started), mg=30)))
        assert found == {"pjpProphylaxis"}, started


@pytest.mark.parametrize(("last", "speaks"), [(-3, True), (-180, True), (-181, False)])
def test_rituximab_acts_for_months(engine: CheckedEngine, last: int, speaks: bool) -> None:
    draft = [sirolimus("d", day(0), 2, status="draft")]
    chart = [given("rituximab", f"r{week}", day(last - 7 * week)) for week in range(4)]
    assert ("pjpProphylaxis" in topics(judge_order(engine, 0, draft, *chart))) == speaks


def test_immunoglobulin_that_is_only_drafted_explains_no_antibody(engine: CheckedEngine) -> None:
    drafts = [sirolimus("d", day(62), 2, status="draft"), drug("ivig", "ivig", day(60), status="draft")]
    assert "hepatitisB" in topics(judge_order(engine, 62, drafts, antibody(61)))
