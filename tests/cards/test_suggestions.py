"""What a clinician may press: what each rule offers, on the chart that makes it speak."""

from __future__ import annotations

from typing import Any

import pytest

from cds.advise import Advice
from cds.engine import CheckedEngine
from cds.knowledge.files import Folder
from tests.burden.hazards import planted, rules_of
from tests.charts import FIRST_LINE, count, day, drug, hcg, itp, level, patient, sirolimus
from tests.judge import judge, judge_order

OFFERS = {
    "pregnancy": ["update MedicationRequest"],
    "contraception": ["create 2106-3"],
    "neutropenia": ["create 29247-4"],
    "hyperlipidaemia": ["create 29247-4", "create 57698-3"],
    "proteinuria": ["create 2890-2"],
    "renal-decline": ["create 2160-0", "create 2890-2"],
    "liver-enzymes": ["create 29247-4", "create 5196-1", "create 13955-0"],
    "anaemia": ["create 57021-8"],
    "hyperglycaemia": ["create 1558-6"],
    "falling-platelets-on-sirolimus": ["update MedicationRequest", "create 57021-8"],
    "low-platelets-adult": ["create 57021-8"],
    "platelet-count-not-usable": ["create 57021-8"],
    "response-lost": ["create 57021-8", "create 29247-4"],
    "hepatitis-b": ["create 42595-9"],
    "dose-above-daily-maximum": ["delete MedicationRequest/d"],
    "dose-change-too-soon": ["delete MedicationRequest/d", "create 29247-4"],
    "allergy": ["delete MedicationRequest/d"],
    "strong-inhibitor": ["delete MedicationRequest/d"],
    "pneumonitis": ["update MedicationRequest"],
    "serious-infection": ["update MedicationRequest"],
}
"""By rule, what its buttons would do, in their order: written by hand."""


def pressed(suggestion: dict[str, Any]) -> str:
    (action,) = suggestion["actions"]
    if action["type"] == "delete":
        return f"delete {action['resourceId']}"
    resource = action["resource"]
    code = (
        resource["code"]["coding"][0]["code"] if resource["resourceType"] == "ServiceRequest" else "MedicationRequest"
    )
    return f"{action['type']} {code}"


@pytest.mark.parametrize("rule", OFFERS)
def test_what_is_offered(engine: CheckedEngine, rule: str) -> None:
    _, cards = planted(rule, engine)
    (card,) = [each for each in cards if rule in rules_of(each)]
    assert [pressed(suggestion) for suggestion in card["suggestions"]] == OFFERS[rule]
    assert "No button is offered" not in card["detail"]


def test_every_card_says_why_it_may_be_set_aside(folder: Folder) -> None:
    assert [file.rule.id for file in folder.files if not file.rule.override] == []


def test_a_first_order_in_pregnancy_can_be_left_out_and_nothing_is_held(engine: CheckedEngine) -> None:
    draft = sirolimus("d", day(65), 2, status="draft")
    people = [patient(), itp(), FIRST_LINE, hcg(valueString="positive")]
    card = judge_order(engine, 65, [draft], *people, adult=False).cards[0]
    assert card["source"]["topic"]["code"] == "pregnancy"
    assert [pressed(suggestion) for suggestion in card["suggestions"]] == ["delete MedicationRequest/d"]
    assert "No button is offered" not in card["detail"]


def test_an_unconfirmed_response_offers_the_second_count(engine: CheckedEngine) -> None:
    chart = [
        sirolimus("s", day(0), 2),
        level("l", day(60, "08:00"), 8),
        count("b", day(-2), 14),
        count("c", day(90), 130),
    ]
    (card,) = judge(engine, 91, *chart).cards
    assert [pressed(suggestion) for suggestion in card["suggestions"]] == ["create 57021-8"]
    (card,) = judge(engine, 91, *chart, count("d", day(80), 130)).cards
    assert "suggestions" not in card


@pytest.mark.parametrize(
    ("stopped", "on", "first", "last"), [(20, 21, 27, 30), (20, 28, 29, 31), (20, 33, 34, 36), (20, 20, 27, 30)]
)
def test_a_level_after_a_stop_is_counted_from_the_stop(
    engine: CheckedEngine, stopped: int, on: int, first: int, last: int
) -> None:
    """Seven to ten days after it, not after the chart was opened; once these are over, soon."""
    chart = [sirolimus("s", day(0), 2), drug("r", "rifampin", day(-5), status="stopped", end=day(stopped))]
    (order,) = orders_of(judge(engine, on, *chart), "interactingDrugStopped")
    assert order["occurrencePeriod"] == {"start": day(first), "end": day(last)}


def test_a_level_beside_a_moderate_inhibitor_is_counted_from_its_start(engine: CheckedEngine) -> None:
    chart = [sirolimus("s", day(0), 2), drug("f", "fluconazole", day(20))]
    (order,) = orders_of(judge(engine, 22, *chart), "moderateModulator")
    assert order["occurrencePeriod"] == {"start": day(25), "end": day(27)}


def test_a_level_beside_ciclosporin_is_counted_from_its_start(engine: CheckedEngine) -> None:
    chart = [sirolimus("s", day(0), 2), drug("c", "ciclosporin", day(20))]
    (order,) = orders_of(judge(engine, 22, *chart), "ciclosporin")
    assert order["occurrencePeriod"] == {"start": day(25), "end": day(27)}


@pytest.mark.parametrize(
    ("resources", "on", "first", "last"),
    [
        ([drug("f", "fluconazole", day(-300)), sirolimus("s", day(0), 2)], 2, 5, 7),
        ([drug("f", "fluconazole", day(20)), sirolimus("s", day(0), 2, status="stopped", end=day(39)),
          sirolimus("s2", day(39), 1)], 40, 44, 46),
    ],
)  # fmt: skip
def test_nor_is_it_drawn_before_the_dose_of_sirolimus_shows(
    engine: CheckedEngine, resources: list[dict[str, Any]], on: int, first: int, last: int
) -> None:
    """The other drug has been taken for long; what is new is the dose, and a level of its first days tells nothing."""
    orders = orders_of(judge(engine, on, *resources), "moderateModulator")
    assert [order["occurrencePeriod"] for order in orders] == [{"start": day(first), "end": day(last)}]


def test_beside_a_draft_the_days_are_counted_from_the_draft(engine: CheckedEngine) -> None:
    running = [sirolimus("s", day(0), 2), drug("r", "rifampin", day(-5), status="stopped", end=day(32))]
    draft = sirolimus("d", day(40), 3, status="draft")
    (order,) = orders_of(judge_order(engine, 40, [draft], *running), "interactingDrugStopped")
    assert order["occurrencePeriod"] == {"start": day(47), "end": day(50)}


def orders_of(advice: Advice, topic: str) -> list[dict[str, Any]]:
    """The level orders that the card of a topic offers."""
    (card,) = [each for each in advice.cards if each["source"]["topic"]["code"] == topic]
    actions = [action for each in card["suggestions"] for action in each["actions"] if action["type"] == "create"]
    return [action["resource"] for action in actions]
