"""What the service sends: discovery, cards to the letter, and nothing else whatever it is sent."""

from __future__ import annotations

import random
import re
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from cds.compiled.hooks import SERVED, UNLESS_SET, HookName
from cds.engine import CheckedEngine, EngineFault
from cds.hooks import judging
from cds.hooks.discovery import SERVICES
from tests.charts import day, itp, level, patient, request, sirolimus
from tests.conftest import LONG
from tests.examples.stories import STORIES
from tests.fuzz.bodies import malformed
from tests.hooks.doors import JSON, VIEW, client_of
from tests.hooks.test_service import rich_requests

MARKER = "ZZTOP-7741"
CHART = [patient(), itp(), sirolimus("s", day(0), 12), level("l", day(10), 7)]


# --- discovery -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/", "/cds-services?x=y"])
def test_discovery_lists_one_service_a_hook(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    services = answer.json()["services"]
    assert {s["hook"]: s["id"] for s in services} == {hook: f"sirolimus-itp-{hook}" for hook in UNLESS_SET}
    for each in services:
        assert each["description"] and each["title"]
        assert "R4 (4.0.1) only" in each["usageRequirements"]
        assert re.fullmatch(r"\d+\.\d+\.\d+", each["version"])


def test_prefetch_templates_are_what_every_client_can_fill(client: TestClient) -> None:
    for each in client.get("/cds-services").json()["services"]:
        templates = each["prefetch"]
        assert set(templates) == {
            "patient",
            "medications",
            "administrations",
            "statements",
            *(f"observations-{number}-of-6" for number in range(1, 7)),
            "conditions",
            "procedures",
            "allergies",
            "appointments",
            "requests",
        }
        for template in templates.values():
            assert re.fullmatch(r"[A-Z]\w+(/\{\{context\.patientId\}\}|\?.*)", template)
            assert set(re.findall(r"\{\{(.*?)\}\}", template)) == {"context.patientId"}
            names = [part.partition("=")[0] for part in template.partition("?")[2].split("&") if part]
            assert len(names) == len(set(names)) and set(names) <= {"patient", "code", "_sort"}
        assert templates["medications"] == "MedicationRequest?patient={{context.patientId}}"
        for name, template in templates.items():
            assert not name.startswith("observations") or template.endswith("&_sort=-date")
            filled = template.replace("{{context.patientId}}", "x" * 64)
            assert len(quote(filled, safe="?=&")) <= 1_900
        for code in (
            "29247-4",
            "777-3",
            "29463-7",
            "8302-2",
        ):  # levels, counts, weight and height, as docs/prefetch.md says
            assert f"http://loinc.org|{code}" in templates["observations-1-of-6"]


# --- answers ---------------------------------------------------------------------------------------


def walk(value: Any) -> Iterator[Any]:
    yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(part)


def check_card(card: dict[str, Any]) -> None:
    assert 0 < len(card["summary"]) <= 139 and "\n" not in card["summary"]
    assert card["indicator"] in ("info", "warning", "critical")
    assert card["source"]["label"]
    assert card["source"].get("url", "https://").startswith("https://")
    topic = card["source"]["topic"]
    assert re.fullmatch(r"[A-Za-z0-9]{1,100}", topic["code"])
    assert topic["system"] == "urn:sirolimus-itp-cds:rule" and topic["display"]
    uuid.UUID(card["uuid"])
    assert "<" not in card["detail"].replace("\\<", "") and "|" not in card["detail"]
    for value in walk(card):
        assert value is not None and value != "" and value != [] and value != {}
    for reason in card.get("overrideReasons", ()):
        assert set(reason) == {"code", "system", "display"}
    findings = card["extension"]["net.sirolimus-itp-cds.findings"]
    assert isinstance(findings, list) and findings
    for finding in findings:
        assert {"rule", "level", "protocol", "knowledge"} <= set(finding)
        assert all("value" in fact for fact in finding.get("facts", {}).values())
        assert all(re.fullmatch(r"\w+/\S+", reference) for reference in finding.get("evidence", []))
    for suggestion in card.get("suggestions", []):
        assert card["selectionBehavior"] == "any"
        assert suggestion["label"] and suggestion["isRecommended"] is False
        uuid.UUID(suggestion["uuid"])
        kinds = {action["type"] for action in suggestion["actions"]}
        assert kinds == {"create"} or len(suggestion["actions"]) == 1, "nothing but orders of tests goes together"
        for action in suggestion["actions"]:
            assert action["description"] and action["type"] in ("create", "update", "delete")
            if action["type"] == "delete":
                assert re.fullmatch(r"[A-Z]\w+/\S+", action["resourceId"]) and "resource" not in action
            else:
                assert action["resource"]["resourceType"]


@pytest.mark.untraced
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_every_card_keeps_the_specification(engine: CheckedEngine, story: Any) -> None:
    body = story.content
    if "hook" not in body:
        body = request("patient-view", [entry["resource"] for entry in body["entry"]])
    for on in (0, 20, 95, 119, 190, 400):
        client = client_of(engine, on=on)
        cards = client.post(f"/cds-services/sirolimus-itp-{body['hook']}", json=body).json()["cards"]
        ids = [value["uuid"] for card in cards for value in walk(card) if isinstance(value, dict) and "uuid" in value]
        assert len(ids) == len(set(ids))
        for card in cards:
            check_card(card)


def test_no_advice_is_an_empty_list(client: TestClient) -> None:
    answer = client.post(VIEW, json=request("patient-view", [patient(), itp()]))
    assert answer.status_code == 200 and answer.json() == {"cards": []}
    assert answer.headers["content-type"] == "application/json"


def test_the_same_question_gets_the_same_answer_but_for_ids(client: TestClient) -> None:
    body = request("patient-view", CHART)
    first, second = client.post(VIEW, json=body).json(), client.post(VIEW, json=body).json()
    assert [c["uuid"] for c in first["cards"]] != [c["uuid"] for c in second["cards"]]
    for answer in (first, second):
        for value in list(walk(answer)):
            if isinstance(value, dict):
                value.pop("uuid", None)
    assert first == second


def test_an_engine_fault_is_a_card_that_advises_nothing(
    client: TestClient, engine: CheckedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise EngineFault("the two engines disagree")

    monkeypatch.setattr(CheckedEngine, "judge", fail)
    answer = client.post(VIEW, json=request("patient-view", CHART))
    assert answer.status_code == 200
    (card,) = answer.json()["cards"]
    check_card(card)
    assert card["source"]["topic"]["code"] == "notAssessed" and card["indicator"] == "info"


@pytest.mark.slow
@pytest.mark.untraced
def test_malformed_bodies_get_an_answer(engine: CheckedEngine) -> None:
    """200 or a 4xx with an OperationOutcome; never a 5xx."""
    chance = random.Random(2024)
    client = client_of(engine, on=95)
    rich = rich_requests()
    seen = Counter[int]()
    for _ in range(2_000 if LONG else 600):
        hook, body = malformed(chance, rich)
        answer = client.post(f"/cds-services/sirolimus-itp-{hook}", content=body, headers=JSON)
        seen[answer.status_code] += 1
        assert answer.status_code in (200, 400, 412)
        for card in answer.json().get("cards", []):
            check_card(card)
        assert "cards" in answer.json() or answer.json()["resourceType"] == "OperationOutcome"
    assert set(seen) == {200, 400, 412}


def test_there_is_one_distinct_id_a_hook() -> None:
    assert len(SERVICES) == len(set(SERVICES.values())) == len(SERVED) and get_args(HookName) == tuple(SERVED)


def test_whatever_goes_wrong_nobody_is_advised(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError(MARKER)

    monkeypatch.setattr(judging, "advise", fail)
    answer = client.post(VIEW, json=request("patient-view", CHART))
    assert answer.status_code == 200 and MARKER not in answer.text
    assert [c["source"]["topic"]["code"] for c in answer.json()["cards"]] == ["notAssessed"]
