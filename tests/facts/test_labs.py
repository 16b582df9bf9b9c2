"""Blood and urine tests: units, what they are compared with, how old they may be; and one card for all of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds.engine import CheckedEngine
from tests.charts import Resource, day, level, observation, sirolimus
from tests.judge import fact, judge, topics

ORDER = sirolimus("s", day(0), 2)
LEVEL = level("l", day(60, "08:00"), 8)
CODES = {"neutrophils": "751-8", "hemoglobin": "718-7", "triglycerides": "2571-8", "cholesterol": "2093-3", "creatinine": "2160-0",
         "alt": "1742-6", "ast": "1920-8", "protein": "2890-2", "glucose": "1558-6", "hba1c": "4548-4"}  # fmt: skip


def lab(name: str, on: int, value: float, unit: str, **more: Any) -> Resource:
    return observation(f"{name}-{on}", CODES[name], day(on), value, unit) | more


@pytest.mark.parametrize(
    ("test", "name", "values"),
    [
        ("neutrophils", "neutrophils", [(0.8, "10*9/L"), (800, "/uL"), (0.8, "K/uL")]),
        ("hemoglobin", "hemoglobin", [(8.0, "g/dL"), (80, "g/L")]),
        ("triglycerides", "triglycerides", [(885.7, "mg/dL"), (10, "mmol/L")]),
        ("cholesterol", "cholesterol", [(386.65, "mg/dL"), (10, "mmol/L")]),
        ("glucose", "fasting_glucose", [(126.112, "mg/dL"), (7, "mmol/L")]),
        ("hba1c", "hba1c", [(6.5, "%")]),
    ],
)
def test_the_units_that_laboratories_print(
    engine: CheckedEngine, test: str, name: str, values: list[tuple[float, str]]
) -> None:
    found = {fact(judge(engine, 62, ORDER, LEVEL, lab(test, 61, value, unit)), name) for value, unit in values}
    assert found == {Decimal(str(values[0][0]))}


@pytest.mark.parametrize(
    ("test", "comparator", "value", "unit", "topic"),
    [
        ("neutrophils", "<", 0.2, "10*9/L", "neutropenia"),
        ("neutrophils", "<=", 0.4, "10*9/L", "neutropenia"),
        ("neutrophils", ">", 0.9, "10*9/L", ""),
        ("triglycerides", ">", 1000, "mg/dL", "hyperlipidaemia"),
        ("triglycerides", "<", 50, "mg/dL", ""),
        ("hemoglobin", "<", 7, "g/dL", "anaemia"),
    ],
)
def test_a_bound_counts_as_far_as_it_goes(
    engine: CheckedEngine, test: str, comparator: str, value: float, unit: str, topic: str
) -> None:
    bound = lab(test, 61, value, unit)
    bound["valueQuantity"]["comparator"] = comparator
    assert topics(judge(engine, 62, ORDER, LEVEL, bound)) == ({topic} if topic else set())


@pytest.mark.parametrize(("drawn", "known"), [(48, True), (47, False)])
def test_a_result_speaks_for_two_weeks(engine: CheckedEngine, drawn: int, known: bool) -> None:
    advice = judge(engine, 62, ORDER, LEVEL, lab("triglycerides", drawn, 640, "mg/dL"))
    assert ("hyperlipidaemia" in topics(advice)) == known


@pytest.mark.parametrize(("before", "fall"), [(46, None), (47, 3), (60, 3)])
def test_a_fall_of_haemoglobin_is_over_two_weeks(engine: CheckedEngine, before: int, fall: int | None) -> None:
    blood = [lab("hemoglobin", before, 12, "g/dL"), lab("hemoglobin", 61, 9, "g/dL")]
    assert fact(judge(engine, 62, ORDER, LEVEL, *blood), "hemoglobin_fall") == fall


@pytest.mark.parametrize(
    ("samples", "value"),
    [
        ([(60, 1.4)], None),
        ([(40, 1.1), (60, 1.4)], "1.1"),
        ([(40, 1.4), (60, 0.2)], "0.2"),
        ([(-31, 1.4), (60, 1.4)], None),  # 91 days apart
        ([(-30, 1.4), (60, 1.4)], "1.4"),
    ],
)
def test_proteinuria_needs_a_second_sample(
    engine: CheckedEngine, samples: list[tuple[int, float]], value: str | None
) -> None:
    urine = [lab("protein", on, amount, "g/g") for on, amount in samples]
    assert fact(judge(engine, 62, ORDER, LEVEL, *urine), "proteinuria") == (None if value is None else Decimal(value))


def test_protein_by_creatinine_in_mg_per_mmol(engine: CheckedEngine) -> None:
    urine = [lab("protein", on, 100, "mg/mmol") for on in (40, 60)]
    assert fact(judge(engine, 62, ORDER, LEVEL, *urine), "proteinuria") == Decimal("0.884")


@pytest.mark.parametrize(("base", "ratio"), [(-1, 2), (0, 2), (1, 2), (-365, 2), (-366, None)])
def test_creatinine_is_compared_with_its_baseline(engine: CheckedEngine, base: int, ratio: int | None) -> None:
    blood = [lab("creatinine", base, 0.7, "mg/dL"), lab("creatinine", 60, 1.4, "mg/dL")]
    assert fact(judge(engine, 62, ORDER, LEVEL, *blood), "creatinine_ratio") == ratio


@pytest.mark.parametrize(("before", "ratio"), [([], 3), ([(-366, 0.9)], 3), ([(-365, 0.9)], 2)])
def test_without_one_creatinine_is_compared_with_the_lowest_of_the_year(
    engine: CheckedEngine, before: list[tuple[int, float]], ratio: int
) -> None:
    blood = [lab("creatinine", on, value, "mg/dL") for on, value in [*before, (20, 0.6), (40, 0.7), (60, 1.8)]]
    assert fact(judge(engine, 62, ORDER, LEVEL, *blood), "creatinine_ratio") == ratio


def test_liver_enzymes_by_their_own_upper_limit(engine: CheckedEngine) -> None:
    def limit(high: float) -> Resource:
        return {"referenceRange": [{"high": {"value": high, "unit": "U/L"}}]}

    enzymes = [lab("alt", 60, 120, "U/L", **limit(40)), lab("ast", 60, 160, "U/L", **limit(32))]
    assert fact(judge(engine, 62, ORDER, LEVEL, *enzymes), "liver_enzymes") == 5
    assert fact(judge(engine, 62, ORDER, LEVEL, lab("alt", 60, 400, "U/L")), "liver_enzymes") is None


def test_sugar_that_was_high_before_is_no_news(engine: CheckedEngine) -> None:
    now = lab("hba1c", 60, 7.1, "%")
    assert "hyperglycaemia" in topics(judge(engine, 62, ORDER, LEVEL, now))
    assert "hyperglycaemia" not in topics(judge(engine, 62, ORDER, LEVEL, now, lab("hba1c", -30, 6.5, "%")))
    assert "hyperglycaemia" in topics(judge(engine, 62, ORDER, LEVEL, now, lab("hba1c", -30, 6.4, "%")))


def test_several_make_one_card_with_the_worst_first(engine: CheckedEngine) -> None:
    blood = [
        lab("triglycerides", 60, 640, "mg/dL"),
        lab("neutrophils", 60, 0.4, "10*9/L"),
        lab("hba1c", 60, 7.1, "%"),
    ]
    (card,) = judge(engine, 62, ORDER, LEVEL, *blood).cards
    assert card["indicator"] == "critical" and card["source"]["topic"]["code"] == "neutropenia"
    assert (
        card["summary"].startswith("Neutrophils 0.4 x 10^9/L") and "also: High lipids on sirolimus" in card["summary"]
    )
    rules = [finding["rule"] for finding in card["extension"]["net.sirolimus-itp-cds.findings"]]
    assert rules == ["neutropenia", "hyperlipidaemia", "hyperglycaemia"]
    assert "Triglycerides 640" in card["detail"] and len(card["summary"]) <= 139
    assert card["detail"].count("Off label") == 1


@pytest.mark.parametrize(("earlier", "ratio"), [(40, 20), (None, None)])
def test_liver_enzymes_without_a_limit_have_that_of_an_earlier_result(
    engine: CheckedEngine, earlier: int | None, ratio: int | None
) -> None:
    """A laboratory that leaves the limit out once must not hide 800 U/L."""
    limit = {"referenceRange": [{"high": {"value": earlier, "unit": "U/L"}}]} if earlier else {}
    blood = [lab("alt", 50, 20, "U/L") | limit, lab("alt", 61, 800, "U/L")]
    advice = judge(engine, 62, ORDER, LEVEL, *blood)
    assert fact(advice, "liver_enzymes") == ratio
    assert any("by the upper limit of an earlier result" in card["detail"] for card in advice.cards) == bool(ratio)


def test_a_patient_without_sirolimus_gets_none_of_it(engine: CheckedEngine) -> None:
    assert not judge(engine, 62, lab("neutrophils", 60, 0.4, "10*9/L")).cards


def test_of_two_results_of_one_minute_the_worse_is_judged_and_never_what_reassures(engine: CheckedEngine) -> None:
    def at(rid: str, on: int, test: str, value: float) -> Resource:
        return lab(test, on, value, "mg/dL") | {"id": rid, "effectiveDateTime": day(on, "08:00")}

    both = [at("a", 60, "triglycerides", 1001), at("b", 60, "triglycerides", 90)]
    assert fact(judge(engine, 62, ORDER, LEVEL, *both), "triglycerides") == 1001
    base = [
        at("a", -30, "creatinine", 0.8),
        at("b", -5, "creatinine", 0.8),
        at("c", -5, "creatinine", 2),
        at("n", 61, "creatinine", 2),
    ]
    assert fact(judge(engine, 62, ORDER, LEVEL, *base), "creatinine_ratio") == 2.5
    sugar = [at("a", -5, "glucose", 90), at("b", -5, "glucose", 180), at("n", 61, "glucose", 260)]
    assert fact(judge(engine, 62, ORDER, LEVEL, *sugar), "glucose_was_high") is False
