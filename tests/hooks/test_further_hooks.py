"""Hooks beside the three that rules name: a refill is judged as an order that is signed, an encounter as a chart that is opened."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from cds.engine import CheckedEngine
from cds.hooks.calls import Call
from cds.hooks.settings import Settings, WrongSettings, read_settings
from tests.charts import Resource, day, itp, patient, request, sirolimus
from tests.hooks.doors import SIGN, VIEW, client_of

REFILL = "/cds-services/sirolimus-itp-medication-refill"
START = "/cds-services/sirolimus-itp-encounter-start"
CHART = [patient(), itp(), sirolimus("s", day(0), 2)]
DRAFT = sirolimus("again", day(20), 12, status="draft")


def refill(*drafts: Resource, chart: list[Resource] = CHART) -> dict[str, Any]:
    """As the hook library has it: the orders are called medications, and there need be no user."""
    asked = request("order-sign", chart, list(drafts))
    context = {"patientId": asked["context"]["patientId"], "medications": asked["context"]["draftOrders"]}
    return asked | {"hook": "medication-refill", "context": context}


def told(answer: Any) -> list[tuple[str, str, list[Any]]]:
    """The cards without their ids."""
    assert answer.status_code == 200, answer.text
    return [
        (card["summary"], card["detail"], [each["actions"] for each in card.get("suggestions", [])])
        for card in answer.json()["cards"]
    ]


def test_a_refill_is_judged_as_an_order_that_is_signed(engine: CheckedEngine) -> None:
    client = client_of(engine)
    signed = told(client.post(SIGN, json=request("order-sign", CHART, [DRAFT])))
    asked = told(client.post(REFILL, json=refill(DRAFT)))
    assert asked == signed and "12 mg/day" in asked[0][0]


def test_a_refill_comes_back_with_another_dose(engine: CheckedEngine) -> None:
    """The order that is offered is the one that came under medications, as it came but for its dose."""
    much = sirolimus("again", day(20), 5, status="draft") | {"note": [{"text": "as before"}]}
    offered = [
        each
        for _, _, several in told(client_of(engine).post(REFILL, json=refill(much, chart=CHART[:2])))
        for each in several
    ]
    (update,) = [action for actions in offered for action in actions if action["type"] == "update"]
    assert update["resource"]["id"] == "again" and update["resource"]["note"] == much["note"]


def test_a_refill_without_medications_is_refused(engine: CheckedEngine) -> None:
    without = refill(DRAFT)
    del without["context"]["medications"]
    for asked in (without, without | {"context": without["context"] | {"draftOrders": {"resourceType": "Bundle"}}}):
        answer = client_of(engine).post(REFILL, json=asked)
        assert answer.status_code == 400
        assert answer.json()["issue"][0]["diagnostics"] == "the context of medication-refill has no medications"
        with pytest.raises(ValidationError, match="medication-refill needs medications"):
            Call.model_validate(asked)


def test_a_refill_that_cannot_be_read_is_named(engine: CheckedEngine) -> None:
    broken = DRAFT | {"status": ["draft"]}
    (card,) = client_of(engine).post(REFILL, json=refill(broken)).json()["cards"]
    assert card["source"]["topic"]["code"] == "notAssessed" and "MedicationRequest/again" in card["detail"]


def test_what_another_hook_calls_its_orders_is_not_read(engine: CheckedEngine) -> None:
    client = client_of(engine)
    signed = request("order-sign", CHART, [sirolimus("again", day(20), 2, status="draft")])
    beside = signed | {
        "context": signed["context"] | {"medications": {"resourceType": "Bundle", "entry": [{"resource": DRAFT}]}}
    }
    of_no_shape = signed | {"context": signed["context"] | {"medications": ["aspirin"]}}
    assert told(client.post(SIGN, json=beside)) == told(client.post(SIGN, json=signed))
    assert told(client.post(SIGN, json=of_no_shape)) == told(client.post(SIGN, json=signed))


def test_a_start_of_an_encounter_is_judged_where_it_is_set(engine: CheckedEngine) -> None:
    asked = request("patient-view", [*CHART[:2], sirolimus("s", day(0), 12)])
    started = asked | {"hook": "encounter-start"}
    assert client_of(engine).post(START, json=started).status_code == 404
    client = client_of(engine, Settings(hooks=["patient-view", "encounter-start"]))
    assert [each["hook"] for each in client.get("/cds-services").json()["services"]] == [
        "patient-view",
        "encounter-start",
    ]
    assert told(client.post(START, json=started)) == told(client.post(VIEW, json=asked)) != []
    assert client.post(SIGN, json=request("order-sign", CHART, [DRAFT])).status_code == 404
    assert client.post(f"{SIGN}/feedback", json={"feedback": []}).status_code == 404


def test_a_hook_that_nobody_knows_is_no_setting() -> None:
    with pytest.raises(WrongSettings, match="hooks: order-sign is named twice"):
        read_settings(environ={"SIROLIMUS_CDS_HOOKS": "order-sign, patient-view, order-sign"})
    with pytest.raises(WrongSettings, match=r"hooks\.0"):
        read_settings(environ={"SIROLIMUS_CDS_HOOKS": "appointment-book"})
    assert read_settings(environ={"SIROLIMUS_CDS_HOOKS": "patient-view, encounter-start"}).hooks == [
        "patient-view",
        "encounter-start",
    ]
