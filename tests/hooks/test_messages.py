"""The models of what is sent and received: what they refuse, that the service keeps them, and the contract made of them."""

from __future__ import annotations

import json
import logging
import random
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from cds.engine import CheckedEngine
from cds.hooks import judging
from cds.hooks.calls import Call
from cds.hooks.messages import NotValid, OperationOutcome, Services, check_answer
from tests.charts import day, drug, itp, level, patient, request, sirolimus
from tests.fuzz.bodies import malformed
from tests.hooks.doors import JSON, SIGN, VIEW, client_of
from tests.hooks.test_service import rich_requests

CHART = [patient(), itp(), sirolimus("s", day(0), 12), level("l", day(10), 7)]


@pytest.fixture
def card(client: TestClient) -> dict[str, Any]:
    """A real card with a button."""
    answer = client.post(VIEW, json=request("patient-view", [*CHART, level("high", day(17), 32)])).json()
    return next(card for card in answer["cards"] if "suggestions" in card)


SPOILT: dict[str, tuple[tuple[str | int, ...], Any]] = {
    "a summary of 140 characters": (("summary",), "x" * 140),
    "a summary of two lines": (("summary",), "one\ntwo"),
    "an empty summary": (("summary",), ""),
    "an indicator that is none": (("indicator",), "hard-stop"),
    "null": (("detail",), None),
    "an empty list": (("overrideReasons",), []),
    "an empty object inside the extension": (("extension", "net.sirolimus-itp-cds.findings"), [{"facts": {}}]),
    "null inside a resource": (("suggestions", 0, "actions", 0, "resource", "note"), None),
    "a source without a label": (("source",), {"topic": {"system": "s", "code": "c", "display": "d"}}),
    "a topic with a hyphen": (("source", "topic", "code"), "trough-high"),
    "a topic of 101 characters": (("source", "topic", "code"), "a" * 101),
    "a source that is no address": (("source", "url"), "see the paper"),
    "a uuid that is none": (("uuid",), "card-1"),
    "one uuid for two things": (("suggestions", 0, "uuid"), "same"),
    "a reason without words": (("overrideReasons", 0, "display"), None),
    "buttons without a behaviour": (("selectionBehavior",), None),
    "a behaviour that Epic does not know": (("selectionBehavior",), "at-most-one"),
    "a recommendation that is not said": (("suggestions", 0, "isRecommended"), None),
    "a button of no action": (("suggestions", 0, "actions"), []),
    "an unknown action": (("suggestions", 0, "actions", 0, "type"), "CREATE"),
    "a resource as a string": (("suggestions", 0, "actions", 0, "resource"), "{}"),
    "a new order that is not R4": (("suggestions", 0, "actions", 0), {"type": "create", "description": "x", "resource": {"resourceType": "ServiceRequest", "x": 1}}),
    "a field that nobody defined": (("priority",), 1),
    "another vendor's extension": (("extension", "com.example.x"), 1),
}  # fmt: skip


@pytest.mark.parametrize(("place", "value"), SPOILT.values(), ids=SPOILT.keys())
def test_what_must_not_be_sent(card: dict[str, Any], place: tuple[str | int, ...], value: Any) -> None:
    check_answer(json.dumps({"cards": [card]}).encode())
    holder: Any = card
    for key in place[:-1]:
        holder = holder[key]
    if value is None and place[-1] in holder and place[0] != "detail":
        del holder[place[-1]]
    else:
        holder[place[-1]] = card["uuid"] if value == "same" else value
    with pytest.raises(NotValid):
        check_answer(json.dumps({"cards": [card]}).encode())


@pytest.mark.parametrize("answer", [{}, {"cards": None}, {"cards": [], "systemActions": []}, []])
def test_answers_that_are_none(answer: Any) -> None:
    with pytest.raises(NotValid):
        check_answer(json.dumps(answer).encode())


def test_an_answer_that_breaks_the_contract_is_not_sent(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    judged = judging.advise

    def malformed(*given: Any, **more: Any) -> Any:
        advice = judged(*given, **more)
        for card in advice.cards:
            card["summary"] = "ZZTOP-7741 " * 20
        return advice

    monkeypatch.setattr(judging, "advise", malformed)
    with caplog.at_level(logging.ERROR, "cds.hooks"):
        answer = client.post(VIEW, json=request("patient-view", [*CHART, level("high", day(17), 32)]))
    assert [card["source"]["topic"]["code"] for card in answer.json()["cards"]] == ["notAssessed"]
    (said,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "cards.0.summary" in said.__dict__["fault"] and "ZZTOP" not in said.__dict__["fault"]


def test_an_order_with_holes_in_its_lists_is_not_rewritten(client: TestClient) -> None:
    """null in a list keeps a place for the extension beside it; without it the order would say something else."""
    holes = {"instantiatesUri": [None, "urn:x"], "_instantiatesUri": [{"id": "a"}, None]}
    for more, offered in (({}, {"update", "create"}), (holes, {"create"})):
        chart = [patient(), itp(), sirolimus("s", day(0), 12, **more), level("high", day(17), 32)]
        cards = client.post(VIEW, json=request("patient-view", chart)).json()["cards"]
        assert {a["type"] for c in cards for s in c.get("suggestions", ()) for a in s["actions"]} == offered


def test_discovery_and_errors_keep_their_models(client: TestClient) -> None:
    Services.model_validate_json(client.get("/cds-services").content)
    for answer in (
        client.get("/elsewhere"),
        client.put("/cds-services"),
        client.post(VIEW, content=b"{", headers=JSON),
        client.post(VIEW, content=b"{}", headers={"content-type": "text/html"}),
        client.post(VIEW, content=b"{}", headers={"content-encoding": "gzip"}),
        client.post(VIEW, json=request("patient-view", CHART) | {"prefetch": {}}),
        client.post(VIEW + "/feedback", json={}),
    ):
        assert answer.status_code >= 400
        OperationOutcome.model_validate_json(answer.content)


def fits(body: bytes) -> bool:
    """Bytes that are not UTF-8 and numbers without bounds are not the model's matter: they spoil the resource they stand in."""
    try:
        Call.model_validate(json.loads(body.decode("utf-8", "replace"), parse_int=float))
    except (ValidationError, ValueError, RecursionError):
        return False
    return True


@pytest.mark.parametrize("content", rich_requests(), ids=lambda content: str(content["hook"]))
def test_calls_fit_their_model(content: dict[str, Any]) -> None:
    assert fits(json.dumps(content).encode())


@pytest.mark.slow
def test_what_does_not_fit_the_model_of_a_call_is_refused(engine: CheckedEngine) -> None:
    chance = random.Random(5)
    client = client_of(engine)
    misfits = 0
    for _ in range(600):
        hook, body = malformed(chance, rich_requests())
        if not fits(body):
            misfits += 1
            assert client.post(f"/cds-services/sirolimus-itp-{hook}", content=body, headers=JSON).status_code == 400
    assert misfits > 100


def test_the_contract_names_every_address_and_model(client: TestClient) -> None:
    contract = client.get("/openapi.json").json()
    assert set(contract["paths"]) == {"/cds-services", "/cds-services/{id}", "/cds-services/{id}/feedback"}
    assert {"Call", "Context", "Answer", "Card", "Suggestion", "Batch", "Services", "OperationOutcome"} <= set(
        contract["components"]["schemas"]
    )
    known = contract["components"]["schemas"]
    for reference in json.dumps(contract).split('"$ref": "#/components/schemas/')[1:]:
        assert reference.partition('"')[0] in known
    assert "security" not in contract


def test_how_long_it_took_is_told_to_the_caller(client: TestClient) -> None:
    answer = client.post(SIGN, json=request("order-sign", CHART, [drug("v", "clarithromycin", day(20))]))
    assert float(answer.headers["server-timing"].removeprefix("answer;dur=")) > 0
