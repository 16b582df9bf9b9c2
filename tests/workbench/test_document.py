"""The chart as the document that came: its decimals, and the request by which an EHR would ask the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds.advise import Advice, advise
from cds.authoring.scenarios import body_of, scenarios_of
from cds.chart.body import InputError
from cds.chart.request import newest_date, read_request
from cds.engine import CheckedEngine
from cds.workbench.document import as_request, document_of, written
from tests.charts import as_bytes, bundle, day, itp, level, patient, sirolimus
from tests.conftest import ROOT, RULES
from tests.judge import now_on, topics


def told(advice: Advice) -> list[tuple[str, str, list[str]]]:
    """What a clinician sees of the cards."""
    return [
        (card["summary"], card["detail"], [each["label"] for each in card.get("suggestions", ())])
        for card in advice.cards
    ]


def questions(engine: CheckedEngine) -> list[tuple[str, bytes, Any]]:
    """Every day of the scenarios and every example that comes as a Bundle, with the time to judge it at."""
    found: list[tuple[str, bytes, Any]] = []
    for scenario in scenarios_of(RULES, []):
        for check in scenario.checks:
            body, now = body_of(check, engine.knowledge)
            if check.shape.hook == "patient-view":
                found.append((check.name, body, now))
    for path in sorted((ROOT / "fhir_examples").glob("*/bundle.json")):
        body = path.read_bytes()
        found.append((path.parent.name, body, newest_date(read_request(body))))
    return found


@pytest.mark.slow
def test_an_ehr_that_asks_so_gets_the_same_cards(engine: CheckedEngine) -> None:
    asked = 0
    for name, body, now in questions(engine):
        first = read_request(body)
        request = as_request(document_of(body.decode()), first.hook, first.patient_id)
        if request is None:
            continue  # an example with what no EHR would send so
        again = read_request(written(request))
        assert again.from_hook and again.not_supplied == ()
        assert told(advise(again, engine, now)) == told(advise(first, engine, now)), name
        asked += 1
    assert asked > 250


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_drafts_are_the_draft_orders(engine: CheckedEngine, hook: Any) -> None:
    draft = sirolimus("d", day(20), 6, status="draft")
    chart = bundle(patient(), itp(), sirolimus("s", day(0), 2), level("l", day(15, "07:40"), 7), draft)
    request = as_request(chart, hook, "itp-1")
    assert request is not None and [e["resource"] for e in request["context"]["draftOrders"]["entry"]] == [draft]
    first = advise(read_request(as_bytes(chart), hook), engine, now_on(20))
    again = advise(read_request(written(request)), engine, now_on(20))
    assert "doseAboveWindow" in topics(first) and told(first) == told(again)


@pytest.mark.parametrize(
    "odd",
    [
        {"link": [{"relation": "next", "url": "https://ehr.example/2"}]},
        {"entry": [{"resource": {"resourceType": "OperationOutcome"}}]},
        {"entry": [{"response": {"status": "404"}}]},
        {"entry": [{"resource": {"resourceType": "Bundle", "entry": []}}]},
        {"entry": "none"},
        {"entry": [7]},
        {"entry": [{"resource": sirolimus("d", day(0), 2, status="draft")}]},
    ],
)
def test_of_a_bundle_that_is_more_than_resources_no_request_is_made(odd: dict[str, Any]) -> None:
    assert as_request({"resourceType": "Bundle", **odd}, "patient-view", "itp-1") is None


def test_a_request_is_its_own(engine: CheckedEngine) -> None:
    request = {"hook": "patient-view", "context": {}, "prefetch": {}}
    assert as_request(request, "patient-view", "itp-1") is request


def test_decimals_stay_as_they_came() -> None:
    text = '{"resourceType":"Bundle","value":4.99999999999999999999,"other":[1.10,100,"é"]}'
    assert written(document_of(text)).decode() == text
    assert json.loads(written(document_of(text), indent=1)) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "not JSON"), ("[1]", "neither a FHIR Bundle"), ('"x"', "neither"), ("\ud800", "not JSON"), ('{"a":NaN}', "not JSON"),
     ("[" * 100_000, "not JSON"), ('{"a":1e999999999999999999999}', "not JSON")],
)  # fmt: skip
def test_what_is_no_document(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        document_of(text)
