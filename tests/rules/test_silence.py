"""Silence is a feature: what general interaction databases and flat limits would call out, and we do not."""

from __future__ import annotations

import pytest

from cds.engine import CheckedEngine
from tests.charts import (
    LOINC,
    RXNORM,
    Resource,
    bloods,
    condition,
    count,
    day,
    drug,
    given,
    itp,
    level,
    observation,
    patient,
    sirolimus,
)
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
def test_an_order_that_is_no_interaction(engine: CheckedEngine, concept: Resource) -> None:
    assert not judge_order(engine, 70, [ordered(concept)], *TAKEN, count("c", day(69), 20)).cards
    assert not judge_order(engine, 70, [ordered(concept)], *TAKEN, hook="order-select").cards


def test_platelets_below_100_are_no_contraindication(engine: CheckedEngine) -> None:
    counts = [count("a", day(40), 64), count("b", day(50), 66)]
    assert not judge(engine, 62, *TAKEN, *counts).cards


def test_regulatory_t_cells_are_a_trend_and_no_trigger(engine: CheckedEngine) -> None:
    cells = [observation(f"t{n}", "80700-8", day(10 * n), 9 - n, "%") for n in range(5)]
    assert not judge(engine, 62, *TAKEN, *cells).cards
    assert {each["coding"][0]["system"] for each in (cell["code"] for cell in cells)} == {LOINC}


def test_immunoglobulin_and_steroids_that_are_given_are_no_interaction(engine: CheckedEngine) -> None:
    rescue = [given("ivig", "g", day(50)), drug("p", "prednisone", day(50), mg=60)]
    assert not topics(judge(engine, 62, *TAKEN, *rescue))


# --- what is said once a course ---------------------------------------------------------------------


def test_what_belongs_to_the_first_order_is_not_said_again(engine: CheckedEngine) -> None:
    """Not second line, another disease, contraception and the baseline: at the first order, and never after it."""
    woman = [patient(), itp(), condition("evans", "75331009", day(-90))]
    first = [sirolimus("d", day(0), 2, status="draft")]
    at_first = {"notSecondLine", "outsideProtocolPopulation", "contraception", "baselineWorkup"}
    assert topics(judge_order(engine, 0, first, *woman, adult=False, watched=False)) == at_first
    later = [sirolimus("d", day(70), 2.5, status="draft")]
    assert not topics(judge_order(engine, 70, later, *woman, *TAKEN, adult=False))
    assert not topics(judge(engine, 62, *woman, *TAKEN, adult=False))


@pytest.mark.parametrize(("since", "shown"), [(48, {"aceInhibitor"}), (47, set())])
def test_an_ace_inhibitor_is_spoken_of_for_14_days_whatever_level_has_followed(
    engine: CheckedEngine, since: int, shown: set[str]
) -> None:
    assert topics(judge(engine, 62, *TAKEN, drug("r", "lisinopril", day(since)))) == shown


def test_a_known_stable_low_count_is_not_news(engine: CheckedEngine) -> None:
    low = [count(f"c{on}", day(on), value) for on, value in ((20, 12), (35, 13), (50, 12), (60, 12))]
    assert not topics(judge(engine, 61, *TAKEN, *low))
    assert topics(judge(engine, 61, *TAKEN, count("better", day(35), 40), low[3])) == {"lowPlateletsAdult"}


def test_a_low_level_of_toxicity_grades_for_platelets_is_not_graded(engine: CheckedEngine) -> None:
    """30 x 10^9/L is grade 3 by the toxicity criteria, and the disease itself here."""
    assert not judge(engine, 62, *TAKEN, count("c", day(61), 30)).cards


def test_a_standing_order_of_the_tests_is_enough(engine: CheckedEngine) -> None:
    assert not judge(engine, 62, *TAKEN, *bloods(day(50)), watched=False).cards


@pytest.mark.parametrize("text", ["miconazole oral gel", "Daktarin oral gel (miconazole)", "miconazole gel buccal"])
def test_a_gel_that_is_swallowed_is_an_interaction_all_the_same(engine: CheckedEngine, text: str) -> None:
    assert "moderateModulator" in topics(judge_order(engine, 70, [ordered({"text": text})], *TAKEN))


def test_a_gel_for_the_skin_is_none(engine: CheckedEngine) -> None:
    assert "moderateModulator" not in topics(judge_order(engine, 70, [ordered({"text": "miconazole gel"})], *TAKEN))
