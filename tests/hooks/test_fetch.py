"""Calls back to the FHIR server: what was not sent is fetched, from the allowed server alone, within the deadline."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from starlette.testclient import TestClient

from cds.engine import CheckedEngine
from cds.hooks.discovery import prefetch
from cds.hooks.fetch import Server, allowed, fetch
from cds.hooks.settings import Settings
from tests.charts import Resource, day, drug, itp, level, patient, request, sirolimus, watched
from tests.hooks.doors import SIGN, VIEW, client_of
from tests.hooks.fhir_server import Stub, serving

CHART = [
    patient(),
    itp(),
    sirolimus("s", day(0), 12),
    level("l1", day(10), 7),
    level("l2", day(15), 7),
    *watched(day(5)),
]
TOKEN = "canary-token-9231"


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving(CHART) as server:
        yield server


def client_for(engine: CheckedEngine, *servers: str, **more: Any) -> TestClient:
    return client_of(engine, Settings(fhir_servers=list(servers), **({"answer_seconds": 10} | more)))


def asking(stub: Stub, *absent: str, server: str = "") -> Resource:
    body = request("patient-view", CHART)
    for key in absent or tuple(body["prefetch"]):
        del body["prefetch"][key]
    body["fhirServer"] = server or stub.base
    body["fhirAuthorization"] = {
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "x",
        "subject": "y",
    }
    return body


def topics(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [card["source"]["topic"]["code"] for card in answer.json()["cards"]]


def gaps(answer: Any) -> str:
    return str([card["detail"] for card in answer.json()["cards"] if card["source"]["topic"]["code"] == "notAssessed"])


def test_all_of_it_is_fetched_with_the_token(engine: CheckedEngine, stub: Stub) -> None:
    answer = client_for(engine, stub.base).post(VIEW, json=asking(stub))
    assert topics(answer) == ["doseFarAboveWindow"]
    assert len(stub.asked) == 15 and {token for _, token in stub.asked} == {f"Bearer {TOKEN}"}
    assert "/fhir/Patient/itp-1" in {path for path, _ in stub.asked}
    assert TOKEN not in answer.text


def test_only_what_is_absent_is_fetched(engine: CheckedEngine, stub: Stub) -> None:
    assert topics(client_for(engine, stub.base).post(VIEW, json=asking(stub, "conditions"))) == ["doseFarAboveWindow"]
    assert [path for path, _ in stub.asked] == ["/fhir/Condition?patient=itp-1"]


def test_a_key_that_is_null_was_asked_already(engine: CheckedEngine, stub: Stub) -> None:
    body = asking(stub, "statements")
    body["prefetch"]["conditions"] = None
    client_for(engine, stub.base).post(VIEW, json=body)
    assert [path for path, _ in stub.asked] == ["/fhir/MedicationStatement?patient=itp-1"]


def test_pages_that_go_on_are_fetched(engine: CheckedEngine, stub: Stub) -> None:
    body = asking(stub, "statements")
    body["prefetch"]["observations"]["link"] = [{"relation": "next", "url": f"{stub.base}/Observation?page=2"}]
    stub.fault["Observation"] = "pages"
    answer = client_for(engine, stub.base).post(VIEW, json=body)
    assert topics(answer) == ["doseFarAboveWindow"]  # and not: Observation is incomplete
    assert [path for path, _ in stub.asked if "page=" in path]


def test_of_results_in_parts_only_those_that_are_missing_are_fetched(engine: CheckedEngine, stub: Stub) -> None:
    body = asking(stub, "observations")
    body["prefetch"] |= {f"observations-{number}-of-6": None for number in (1, 2, 3, 5)}
    body["prefetch"]["observations-4-of-6"] = {"resourceType": "OperationOutcome", "issue": []}
    answer = client_for(engine, stub.base).post(VIEW, json=body)
    assert "incomplete" not in gaps(answer)
    queries = prefetch(engine.knowledge)
    asked = [queries[f"observations-{number}-of-6"].replace("{{context.patientId}}", "itp-1") for number in (4, 6)]
    assert {unquote(path) for path, _ in stub.asked} == {unquote(f"/fhir/{query}") for query in asked}


FAULTS = ["401", "403", "404", "429", "500", "redirect", "hang", "drip", "truncated", "html", "bomb", "large", "outcome", "loop", "elsewhere"]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_fetched_is_said_in_time(engine: CheckedEngine, stub: Stub, fault: str) -> None:
    stub.fault["Observation"] = fault
    answer = client_for(engine, stub.base, answer_seconds=2.0).post(  # half of what the slow ones take
        VIEW, json=asking(stub, "observations", "conditions")
    )
    assert "doseFarAboveWindow" in topics(answer)  # the rest is judged
    assert "Observation was not supplied" in gaps(answer)
    assert stub.finished == set()  # nobody waited for the slow ones
    assert all(path.startswith(("/fhir/Observation", "/fhir/Condition")) for path, _ in stub.asked)


def test_answers_that_are_too_large_keep_no_other_answer_out() -> None:
    """Three of them, one after the other, are more bytes than all answers of a call may have."""

    def answer(asked: httpx.Request) -> httpx.Response:
        much = b"x" * 5_000_000 if asked.url.path.startswith("/large") else b""
        return httpx.Response(200, stream=httpx.ByteStream(b'{"resourceType": "Bundle", "x": "' + much + b'"}'))

    async def asked() -> dict[str, bytes]:
        queries = {f"large{number}": f"large{number}" for number in range(3)} | {"conditions": "Condition"}
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await fetch(client, Server("http://fhir.example", ""), queries, 10, asyncio.Semaphore(1))

    assert set(asyncio.run(asked())) == {"conditions"}


@pytest.mark.parametrize("fault", ["500", "hang"])
def test_without_medications_nothing_can_be_said(engine: CheckedEngine, stub: Stub, fault: str) -> None:
    stub.fault["MedicationRequest"] = fault
    answer = client_for(engine, stub.base, answer_seconds=0.5).post(VIEW, json=asking(stub, "medications"))
    assert answer.status_code == 412 and "medications" in answer.json()["issue"][0]["diagnostics"]


BY_REFERENCE = {key: value for key, value in sirolimus("s", day(0), 12).items() if key != "medicationCodeableConcept"}
TABLET = {"resourceType": "Medication", "id": "m1", "code": sirolimus("s", day(0), 12)["medicationCodeableConcept"]}


@pytest.mark.parametrize("reference", ["Medication/m1", "{base}/Medication/m1"])
@pytest.mark.parametrize("sent", [True, False], ids=["order sent", "order fetched"])
def test_a_medication_that_an_order_refers_to_is_fetched(
    engine: CheckedEngine, stub: Stub, reference: str, sent: bool
) -> None:
    order = BY_REFERENCE | {"medicationReference": {"reference": reference.format(base=stub.base)}}
    stub.resources = [*(each for each in CHART if each["id"] != "s"), order, TABLET]
    body = request("patient-view", stub.resources[:-1]) | {
        "fhirServer": stub.base,
        "fhirAuthorization": {"access_token": TOKEN},
    }
    if not sent:
        del body["prefetch"]["medications"]
    assert topics(client_for(engine, stub.base).post(VIEW, json=body)) == ["doseFarAboveWindow"]
    assert [path for path, token in stub.asked if "Medication/" in path] == ["/fhir/Medication/m1"]


@pytest.mark.parametrize(
    "reference",
    [
        "Medication/m2",
        "http://127.0.0.1:9/fhir/Medication/m1",
        "Medication/../Patient/x",
        "Medication/..",
        "Medication/m1/_history/2",
        "#m1",
        "Medication/m 1",
    ],
)
def test_a_medication_that_cannot_be_had_is_a_gap(engine: CheckedEngine, stub: Stub, reference: str) -> None:
    order = BY_REFERENCE | {"medicationReference": {"reference": reference}}
    stub.resources = [*(each for each in CHART if each["id"] != "s"), order, TABLET]
    body = request("patient-view", stub.resources[:-1]) | {
        "fhirServer": stub.base,
        "fhirAuthorization": {"access_token": TOKEN},
    }
    answer = client_for(engine, stub.base).post(VIEW, json=body)
    assert topics(answer) == ["notAssessed"] and "MedicationRequest/s" in answer.text
    assert [path for path, token in stub.asked] == (["/fhir/Medication/m2"] if reference == "Medication/m2" else [])


def by_reference(rid: str, mid: str, code: Resource) -> tuple[Resource, Resource]:
    """An order that only refers to its Medication, and the Medication."""
    order = {k: v for k, v in code.items() if k != "medicationCodeableConcept"} | {"id": rid}
    return order | {"medicationReference": {"reference": f"Medication/{mid}"}}, {
        "resourceType": "Medication", "id": mid, "code": code["medicationCodeableConcept"],
    }  # fmt: skip


def test_medications_of_both_rounds_are_kept_and_none_that_was_sent_is_lost(engine: CheckedEngine, stub: Stub) -> None:
    draft, partner = by_reference("c", "m1", drug("c", "clarithromycin", day(20), status="draft"))
    order, tablet = by_reference("s", "m2", sirolimus("s", day(0), 2))
    stub.resources = [patient(), itp(), order, partner, tablet]
    body = request("order-sign", stub.resources, [draft]) | {"fhirServer": stub.base}
    del body["prefetch"]["medications"]
    assert "strongInhibitor" in topics(client_for(engine, stub.base).post(SIGN, json=body))
    body["prefetch"] |= {
        "medication-0": partner,
        "medications": {"resourceType": "Bundle", "entry": [{"resource": order}]},
    }
    assert "strongInhibitor" in topics(client_for(engine, stub.base).post(SIGN, json=body))


def test_a_medication_of_another_server_is_not_taken_for_ours(engine: CheckedEngine, stub: Stub) -> None:
    foreign, partner = by_reference("c", "m1", drug("c", "clarithromycin", day(1)))
    stopped, _ = by_reference("old", "m1", drug("old", "clarithromycin", day(-300), status="stopped"))
    foreign["medicationReference"]["reference"] = "https://pharmacy.example/fhir/Medication/m1"
    stub.resources = [*CHART, foreign, stopped, partner]
    body = request("patient-view", stub.resources[:-1]) | {"fhirServer": stub.base}
    answer = client_for(engine, stub.base).post(VIEW, json=body)
    assert "notAssessed" in topics(answer) and "strongInhibitor" not in topics(answer)


@pytest.mark.parametrize(
    "answer",
    [
        drug("x", "clarithromycin", day(1)) | {"id": "m1"},
        patient(pid="somebody-else"),
        TABLET | {"id": "m9"},
        TABLET | {"status": "entered-in-error"},
        TABLET | {"extension": [{"url": "x" * 100_000}]},
    ],
    ids=["an order", "a patient", "another id", "a mistake", "huge"],
)
def test_what_is_not_the_medication_that_was_asked_for_is_a_gap(
    engine: CheckedEngine, stub: Stub, answer: Resource
) -> None:
    order, _ = by_reference("s", "m1", sirolimus("s", day(0), 12))
    stub.resources = [*(each for each in CHART if each["id"] != "s"), order]
    body = request("patient-view", stub.resources) | {"fhirServer": stub.base}
    stub.answers = {"Medication/m1": answer}
    assert topics(client_for(engine, stub.base).post(VIEW, json=body)) == ["notAssessed"]


def test_a_patient_that_is_a_way_up_is_not_asked_for(engine: CheckedEngine, stub: Stub) -> None:
    body = request("patient-view", [], pid=".") | {"fhirServer": stub.base, "prefetch": {}}
    assert client_for(engine, stub.base).post(VIEW, json=body).status_code == 412 and stub.asked == []


def test_another_patient_on_the_server_is_refused(engine: CheckedEngine, stub: Stub) -> None:
    stub.resources[:] = [patient(pid="other"), *CHART[1:]]
    answer = client_for(engine, stub.base).post(VIEW, json=asking(stub, "patient"))
    assert answer.status_code == 400


def test_a_server_that_is_not_allowed_is_not_asked(engine: CheckedEngine, stub: Stub) -> None:
    client = client_for(engine, "https://ehr.example/fhir")
    assert client.post(VIEW, json=asking(stub, "medications")).status_code == 412
    assert client_for(engine).post(VIEW, json=asking(stub, "medications")).status_code == 412
    assert stub.asked == []


@pytest.mark.parametrize(
    "named",
    [
        "https://ehr.example/fhir/../admin", "https://ehr.example:444/fhir", "http://ehr.example/fhir", "https://ehr.example/fhir2",
        "https://ehr.example.evil.example/fhir", "https://u@ehr.example/fhir", "https://ehr.example/fhir?x=1", "https://ehr.example/fhir#x",
        "https://evil.example/https://ehr.example/fhir", "https://127.0.0.1/fhir", "http://169.254.169.254/", "http://2130706433/", "http://0x7f000001/",
        "http://[64:ff9b::7f00:1]/", "file:///etc/passwd", "//ehr.example/fhir", "ehr.example/fhir", "", None, "https://ehr.example\t/fhir",
        "https://ehr.example/fhir\r\nx: y", "https://127。0。0。1/fhir", "ftp://ehr.example/fhir", "https:///fhir", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_addresses_that_are_not_the_server(named: str | None) -> None:
    assert allowed(named, ["https://ehr.example/fhir"]) is None


@pytest.mark.parametrize(
    "named", ["https://ehr.example/fhir", "https://ehr.example/fhir/", "https://EHR.example:443/fhir"]
)
def test_spellings_of_the_server(named: str) -> None:
    assert allowed(named, ["https://ehr.example/fhir"]) == "https://ehr.example/fhir"


def test_nothing_of_it_is_logged(engine: CheckedEngine, stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)  # as set_up_logs does
    stub.fault |= {"Observation": "500", "Condition": "html"}
    client_for(engine, stub.base).post(VIEW, json=asking(stub))
    said = caplog.text + str([record.__dict__ for record in caplog.records])
    assert "a FHIR query failed" in said
    assert TOKEN not in said and "itp-1" not in said and stub.base not in said


@pytest.mark.parametrize(
    "authorization", [None, {}, {"access_token": ""}, {"access_token": 7}, {"access_token": "a\r\nx: y"}, "x"]
)
def test_without_a_usable_token_none_is_sent(engine: CheckedEngine, stub: Stub, authorization: Any) -> None:
    body = asking(stub, "conditions") | {"fhirAuthorization": authorization}
    assert topics(client_for(engine, stub.base).post(VIEW, json=body)) == ["doseFarAboveWindow"]
    assert [token for _, token in stub.asked] == [""]
