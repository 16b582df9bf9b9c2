"""Requests as the public CDS Hooks sandbox makes them, of made-up patients: tablets by {pill}, a reason that is no list, its tokens."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from cds.compiled.knowledge import Knowledge
from cds.engine import CheckedEngine
from cds.hooks.discovery import prefetch
from tests.hooks.doors import SELECT

TABLET = {
    "text": "Sirolimus 2 MG Oral Tablet",
    "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "360110"}],
}
ITP = {
    "coding": [{"system": "http://snomed.info/sct", "code": "32273002"}],
    "text": "Idiopathic thrombocytopenic purpura",
}
PATIENT = {"resourceType": "Patient", "id": "made-up", "gender": "male", "birthDate": "1970-12-23"}


def selected(
    knowledge: Knowledge, tablets: int, frequency: int, reason: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What its Rx View sends when sirolimus is picked: every prefetch key answered, but for the patient with nothing."""
    timing = {
        "repeat": {"frequency": frequency, "period": 1, "periodUnit": "d", "boundsPeriod": {"start": "2024-01-08"}}
    }
    quantity = {"value": tablets, "system": "http://unitsofmeasure.org", "code": "{pill}"}
    draft: dict[str, Any] = {
        "resourceType": "MedicationRequest", "id": "request-123", "status": "draft", "subject": {"reference": "Patient/made-up"},
        "authoredOn": "2024-01-28", "dosageInstruction": [{"timing": timing, "doseAndRate": [{"doseQuantity": quantity}]}],
        "category": {"coding": [{"code": "community"}]}, "intent": "order", "medicationCodeableConcept": TABLET,
    }  # fmt: skip
    if reason is not None:
        draft["reasonCode"] = reason
    nothing = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    return {
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "hook": "order-select",
        "fhirServer": "https://launch.example/fhir",
        "context": {
            "patientId": "made-up", "userId": "Practitioner/1", "selections": ["MedicationRequest/request-123"],
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": draft}]},
        },
        "prefetch": {key: PATIENT if key == "patient" else nothing for key in prefetch(knowledge)},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("tablets", "frequency", "reason", "summary"),
    [
        (25, 1, None, "Sirolimus 50 mg on one day is above the label's maximum of 40 mg"),
        (2, 2, ITP, "Sirolimus 8 mg/day is above the adult starting window of 2-4 mg/day"),
    ],
)
def test_it_shows_a_card_on_the_dose(
    client: TestClient, engine: CheckedEngine, tablets: int, frequency: int, reason: dict[str, Any] | None, summary: str
) -> None:
    answer = client.post(SELECT, json=selected(engine.knowledge, tablets, frequency, reason))
    assert summary in [card["summary"] for card in answer.json()["cards"]]


def test_a_card_is_set_aside_as_it_does(client: TestClient, engine: CheckedEngine) -> None:
    card = client.post(SELECT, json=selected(engine.knowledge, 25, 1)).json()["cards"][0]
    reason = {"reason": {"code": "data-wrong", "system": "urn:sirolimus-itp-cds:override-reason"}, "userComment": ""}
    feedback = {"feedback": [{"card": card["uuid"], "outcome": "overridden", "overrideReason": reason, "outcomeTimestamp": "2024-01-28T20:00:00Z"}]}  # fmt: skip
    assert client.post(f"{SELECT}/feedback", json=feedback).status_code == 200
