"""The CDS Hooks service through HTTP: discovery, status codes, and messages that keep the specification."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from cds.engine import CheckedEngine
from cds.hooks import http
from cds.hooks.settings import Settings
from tests.charts import day, drug, itp, level, patient, request, sirolimus
from tests.examples.stories import STORIES
from tests.hooks.doors import JSON, SIGN, VIEW, client_of
from tests.hooks.process import Running, started

CHART = [patient(), itp(), sirolimus("s", day(0), 12), level("l", day(10), 7)]


def rich_requests() -> list[dict[str, Any]]:
    """The stories as calls."""
    return [
        s.content if "hook" in s.content else request("patient-view", [e["resource"] for e in s.content["entry"]])
        for s in STORIES
    ]


def refused(answer: Any, status: int, words: str) -> None:
    """An error is an OperationOutcome that says why, in our words."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome"
    (issue,) = body["issue"]
    assert issue["severity"] == "error" and issue["code"]
    assert words in issue["diagnostics"]


# --- status codes ----------------------------------------------------------------------------------


def test_an_unknown_service_is_404(client: TestClient) -> None:
    refused(client.post("/cds-services/other", json=request("patient-view", CHART)), 404, "no service of that id")
    refused(client.get("/elsewhere"), 404, "nothing at this address")


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_other_methods_are_405(client: TestClient, method: str) -> None:
    answer = getattr(client, method)(VIEW)
    refused(answer, 405, "does not take that method")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("body", [b"", b"hello", b"{", b"[]", b"{}", b'{"hook": "patient-view"}', b"\xff\xfe"])
def test_a_body_that_is_no_request_is_400(client: TestClient, body: bytes) -> None:
    refused(
        client.post(VIEW, content=body, headers={"content-type": "application/json"}),
        400,
        "this is" if body != b'{"hook": "patient-view"}' else "hookInstance",
    )


def test_a_bundle_is_no_request(client: TestClient) -> None:
    refused(client.post(VIEW, json=STORIES[0].content), 400, "not a CDS Hooks request")


@pytest.mark.parametrize("missing", ["hook", "hookInstance", "context"])
def test_a_required_field_that_is_missing_is_400(client: TestClient, missing: str) -> None:
    body = request("patient-view", CHART)
    del body[missing]
    refused(
        client.post(VIEW, json=body),
        400,
        {"hook": "hook", "hookInstance": "hookInstance", "context": "patientId"}[missing],
    )


def test_another_hook_than_the_services_is_400(client: TestClient) -> None:
    refused(
        client.post(SIGN, json=request("patient-view", CHART)),
        400,
        "the request's hook is patient-view, not order-sign",
    )


def test_an_order_hook_without_orders_is_400(client: TestClient) -> None:
    body = request("order-sign", CHART)
    del body["context"]["draftOrders"]
    refused(client.post(SIGN, json=body), 400, "has no draftOrders")


def test_context_and_data_of_different_patients_are_400(client: TestClient) -> None:
    body = request("patient-view", CHART)
    body["context"]["patientId"] = "somebody-else"
    refused(client.post(VIEW, json=body), 400, "not the same patient")


@pytest.mark.parametrize(
    "prefetch", [None, {}, {"patient": patient()}, {"medications": {"resourceType": "OperationOutcome", "issue": []}}]
)
def test_without_medications_nothing_can_be_judged_412(client: TestClient, prefetch: Any) -> None:
    body = request("patient-view", CHART)
    body["prefetch"] = prefetch
    if prefetch is None:
        del body["prefetch"]
    refused(client.post(VIEW, json=body), 412, "'medications'")


def test_a_body_over_the_limit_is_413(client: TestClient) -> None:
    refused(
        client.post(VIEW, content=b" " * (Settings().max_body + 1), headers={"content-type": "application/json"}),
        413,
        "larger than",
    )
    pieces = (b" " * 65536 for _ in range(40))
    refused(client.post(VIEW, content=pieces, headers={"content-type": "application/json"}), 413, "larger than")


def test_other_content_is_415(client: TestClient) -> None:
    refused(client.post(VIEW, content=b"<x/>", headers={"content-type": "application/xml"}), 415, "application/json")
    refused(
        client.post(VIEW, content=b"x", headers={"content-type": "application/json", "content-encoding": "gzip"}),
        415,
        "compressed",
    )


def test_json_that_is_nested_too_deep_is_400(client: TestClient) -> None:
    refused(
        client.post(VIEW, content=b'{"x":' * 5000, headers={"content-type": "application/json"}), 400, "nested too deep"
    )


MARKER = "Wilhelmina-9231"


def test_errors_never_echo_the_request(client: TestClient) -> None:
    bodies: list[Any] = [
        MARKER,
        {"hook": MARKER},
        {"resourceType": MARKER},
        request("patient-view", [patient(pid=MARKER)]),
        [MARKER],
    ]
    for body in bodies:
        answer = client.post(f"/cds-services/{MARKER}", json=body)
        assert MARKER not in answer.text
        assert MARKER not in client.post(VIEW, json=body).text
    assert MARKER not in client.post(VIEW, content=('{"x": "' + MARKER).encode(), headers=JSON).text


@pytest.mark.parametrize("accept", ["application/json", "application/fhir+json, */*;q=0.1", "*/*", None])
def test_unknown_fields_and_any_accept_are_tolerated(client: TestClient, accept: str | None) -> None:
    body = request("patient-view", CHART) | {
        "extension": {"com.example.x": 1},
        "fhirServer": "https://ehr.example/fhir",
        "unheard": [1],
    }
    body["fhirAuthorization"] = {"access_token": "", "token_type": "Bearer"}
    body["prefetch"]["foreign"] = {"resourceType": "Practitioner", "id": "x"}
    headers = {"accept": accept} if accept else {}
    answer = client.post(VIEW, json=body, headers=headers)
    assert answer.status_code == 200
    assert "doseFarAboveWindow" in [c["source"]["topic"]["code"] for c in answer.json()["cards"]]


def test_a_plain_content_type_is_taken(client: TestClient) -> None:
    body = json.dumps(request("patient-view", CHART)).encode()
    for kind in ("application/json", "application/json; charset=utf-8", "application/fhir+json"):
        assert client.post(VIEW, content=body, headers={"content-type": kind}).status_code == 200


# --- browsers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["http://localhost:8080", "http://127.0.0.1:8086", "https://localhost"])
def test_a_page_on_loopback_may_call(client: TestClient, origin: str) -> None:
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    for path in ("/cds-services", VIEW):
        answer = client.options(path, headers=asked)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
    for answer in (
        client.get("/cds-services", headers=asked),
        client.post(VIEW, content=b"{", headers=asked),
        client.post("/cds-services/x", headers=asked),
    ):
        assert answer.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost.evil.example", "http://127.0.0.1.evil.example", "null"]
)
def test_a_page_elsewhere_may_not(client: TestClient, origin: str) -> None:
    assert "access-control-allow-origin" not in client.get("/cds-services", headers={"origin": origin}).headers


def test_a_page_that_was_named_may_call(engine: CheckedEngine) -> None:
    named = "https://sandbox.example"
    client = client_of(engine, Settings(allow_origins=[named]))
    asked = {"origin": named, "access-control-request-method": "POST", "access-control-request-private-network": "true"}
    answer = client.options(VIEW, headers=asked)
    assert answer.headers["access-control-allow-origin"] == named
    assert answer.headers["access-control-allow-private-network"] == "true"


# --- the real thing --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """The command as a user starts it."""
    with started() as service:
        yield service


@pytest.mark.slow
@pytest.mark.untraced
def test_calls_made_from_the_contract_get_answers_that_keep_it(running: Running, tmp_path: Path) -> None:
    """An outside tool makes calls from ``/openapi.json``, right and wrong ones. A call that is right by the models may be
    refused still: they do not say which hook belongs to which address, nor that a patient has to agree."""
    tool = Path(sys.executable).with_name("schemathesis")
    ended = subprocess.run(
        [tool, "run", f"{running.base}/openapi.json", "--exclude-checks", "positive_data_acceptance", "--max-examples", "40",
         "--seed", "1", "--generation-database", "none", "--no-color"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-6000:]
    assert "Tested: 3" in ended.stdout


def test_the_command_serves(running: Running) -> None:
    body = json.dumps(request("order-sign", CHART, [drug("d", "clarithromycin", day(20), status="draft")])).encode()
    status, content = running.call("POST", SIGN, body)
    assert status == 200
    cards = json.loads(content)["cards"]
    assert [card["source"]["topic"]["code"] for card in cards] == ["strongInhibitor"]


def test_a_body_that_never_comes_is_given_up(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any) -> Any:
        raise TimeoutError

    monkeypatch.setattr(http, "_read", never)
    refused(client.post(VIEW, json={}), 408, "did not arrive in time")


def test_a_trailing_slash_is_no_redirect(client: TestClient) -> None:
    answer = client.post(VIEW + "/", json={}, follow_redirects=False)
    refused(answer, 404, "nothing at this address")


def test_an_error_repeats_no_unknown_type(client: TestClient) -> None:
    assert "Wilhelmina" not in client.post(VIEW, json={"resourceType": "Wilhelmina"}).text
