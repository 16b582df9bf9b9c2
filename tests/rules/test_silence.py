"""Silence is a feature: what general interaction databases and flat limits would call out, and we do not."""

from __future__ import annotations

import pytest

from cds.engine import Engine
from tests.charts import LOINC, RXNORM, Resource, count, day, drug, given, level, observation, sirolimus
from tests.judge import judge, judge_order, topics

TAKEN = [sirolimus("s", day(0), 2), level("l", day(60, "08:00"), 8), count("base", day(-2), 14)]


def ordered(concept: Resource) -> Resource:
    return drug("d", "prednisone", day(70), status="draft") | {"medicationCodeableConcept": concept}


def coded(system: str, code: str, display: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": display}]}


CVX = "http://hl7.org/fhir/sid/cvx"


@pytest.mark.parametrize(
    "concept",
    [
        {"text": "IVIG 10 %"},
        {"text": "WinRho"},
        coded(RXNORM, "8640", "prednisone"),
        coded(RXNORM, "3264", "dexamethasone"),
        coded(RXNORM, "711942", "eltrombopag"),
        coded(RXNORM, "18631", "azithromycin"),
        coded(RXNORM, "281", "acyclovir"),
        coded(RXNORM, "11124", "vancomycin"),
        coded(RXNORM, "1256", "azathioprine"),
        coded(RXNORM, "3108", "dapsone"),
        coded(CVX, "187", "zoster recombinant"),
        coded(CVX, "141", "influenza, seasonal, injectable"),
        coded(CVX, "10", "IPV"),
        coded(CVX, "329", "chikungunya VLP"),
        coded(CVX, "206", "smallpox and mpox, non-replicating"),
        {"text": "ketoconazole 2 % cream"},
        {"text": "erythromycin eye ointment"},
        {"text": "diclofenac gel"},
        {"text": "tacrolimus 0.1 % ointment"},
        {"text": "ciclosporin eye drops"},
    ],
    ids=lambda concept: concept.get("text") or concept["coding"][0]["display"],
)  # fmt: skip
def test_an_order_that_is_no_interaction(engine: Engine, concept: Resource) -> None:
    assert not judge_order(engine, 70, [ordered(concept)], *TAKEN, count("c", day(69), 20)).cards
    assert not judge_order(engine, 70, [ordered(concept)], *TAKEN, hook="order-select").cards


def test_platelets_below_100_are_no_contraindication(engine: Engine) -> None:
    counts = [count("a", day(40), 64), count("b", day(50), 66)]
    assert not judge(engine, 62, *TAKEN, *counts).cards


def test_regulatory_t_cells_are_a_trend_and_no_trigger(engine: Engine) -> None:
    cells = [observation(f"t{n}", "80700-8", day(10 * n), 9 - n, "%") for n in range(5)]
    assert not judge(engine, 62, *TAKEN, *cells).cards
    assert {each["coding"][0]["system"] for each in (cell["code"] for cell in cells)} == {LOINC}


def test_immunoglobulin_and_steroids_that_are_given_are_no_interaction(engine: Engine) -> None:
    rescue = [given("ivig", "g", day(50)), drug("p", "prednisone", day(50), mg=60)]
    assert not topics(judge(engine, 62, *TAKEN, *rescue))
