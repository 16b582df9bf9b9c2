"""What clinicians did with cards: what clients send, what is refused, and where it goes."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from cds.engine import CheckedEngine
from cds.hooks.feedback import Counted, Feedback
from tests.hooks.doors import client_of

URL = "/cds-services/sirolimus-itp-patient-view/feedback"
ACCEPTED = {
    "card": "4e0a3a1e-3065-4ad5-937f-0eb4f3d2c2f0",
    "outcome": "accepted",
    "acceptedSuggestions": [{"id": "e56e1945-20b3-4393-8503-a1a20fd73152"}],
    "outcomeTimestamp": "2024-05-01T10:00:00Z",
}
OVERRIDDEN = {
    "card": "9368d37b-283f-44a0-93ea-547cebab93ed",
    "outcome": "overridden",
    "outcomeTimestamp": "2024-05-01T12:00:00+02:00",
}
REASON = {"reason": {"code": "risk-benefit-ratio", "system": "http://example.org"}, "userComment": "known"}


class Kept:
    """A store that remembers, for looking."""

    def __init__(self) -> None:
        self.reports: list[Feedback] = []

    async def keep(self, service: str, issuer: str, reports: list[Feedback]) -> None:
        assert service == "sirolimus-itp-patient-view"
        self.reports += reports


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def client(engine: CheckedEngine, kept: Kept) -> TestClient:
    return client_of(engine, keeper=kept)


@pytest.mark.parametrize(
    "report",
    [
        ACCEPTED,
        OVERRIDDEN,
        OVERRIDDEN | {"overrideReason": REASON},
        OVERRIDDEN | {"overrideReasons": REASON},  # as one EHR spells it
        OVERRIDDEN
        | {"overrideReasons": {"extension": {"com.epic.cdshooks.feedback.overrideReason.reasonDisplay": "x"}}},
        OVERRIDDEN | {"overrideReason": {"userComment": "patient already off"}},
        ACCEPTED | {"unheard": [1], "extension": {"com.example": 1}},
        OVERRIDDEN | {"outcomeTimestamp": "2024-05-01T10:00:00.123+00:00"},
    ],
)
def test_what_clients_send_is_taken(client: TestClient, kept: Kept, report: dict[str, Any]) -> None:
    answer = client.post(URL, json={"feedback": [report]})
    assert answer.status_code == 200 and answer.json() == {}
    (taken,) = kept.reports
    assert taken.card == report["card"] and taken.outcome == report["outcome"]
    wanted = report.get("overrideReason") or report.get("overrideReasons") or {}
    assert (taken.overrideReason.userComment if taken.overrideReason else "") == wanted.get("userComment", "")


def test_a_batch_is_taken_whole(client: TestClient, kept: Kept) -> None:
    batch = [OVERRIDDEN | {"card": f"card-{number}"} for number in range(100)]
    assert client.post(URL, json={"feedback": batch}).status_code == 200
    assert len(kept.reports) == 100


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "feedback"),
        ({"feedback": []}, "feedback"),
        ([], "the body"),
        ({"feedback": [ACCEPTED | {"acceptedSuggestions": []}]}, "feedback.0"),
        ({"feedback": [ACCEPTED | {"outcome": "ignored"}]}, "feedback.0.outcome"),
        ({"feedback": [ACCEPTED | {"outcomeTimestamp": "yesterday"}]}, "feedback.0.outcomeTimestamp"),
        ({"feedback": [ACCEPTED | {"outcomeTimestamp": "2024-05-01T10:00:00"}]}, "feedback.0.outcomeTimestamp"),
        ({"feedback": [{"outcome": "overridden", "outcomeTimestamp": "2024-05-01T10:00:00Z"}]}, "feedback.0.card"),
        ({"feedback": [OVERRIDDEN | {"overrideReason": {"userComment": "x" * 5000}}]}, "userComment"),
        ({"feedback": [OVERRIDDEN] * 1001}, "feedback"),
    ],
)  # fmt: skip
def test_what_is_no_feedback_is_400_and_nothing_is_kept(client: TestClient, kept: Kept, body: Any, place: str) -> None:
    answer = client.post(URL, json=body)
    assert answer.status_code == 400 and place in answer.json()["issue"][0]["diagnostics"]
    assert kept.reports == []


def test_a_batch_that_would_hold_others_up_is_413(client: TestClient, kept: Kept) -> None:
    comment = OVERRIDDEN | {"overrideReason": {"userComment": "x" * 3_900}}
    assert client.post(URL, json={"feedback": [comment] * 60}).status_code == 200
    assert client.post(URL, json={"feedback": [comment] * 70}).status_code == 413
    assert len(kept.reports) == 60


def test_one_bad_report_spoils_the_batch_and_is_not_repeated(client: TestClient, kept: Kept) -> None:
    answer = client.post(URL, json={"feedback": [ACCEPTED, ACCEPTED | {"outcome": "Wilhelmina"}]})
    assert answer.status_code == 400 and "Wilhelmina" not in answer.text and kept.reports == []
    assert client.post(URL, content=b'{"feedback": [', headers={"content-type": "application/json"}).status_code == 400


def test_other_addresses_and_methods(client: TestClient) -> None:
    assert client.post("/cds-services/x/feedback", json={"feedback": [ACCEPTED]}).status_code == 404
    assert client.get(URL).status_code == 405
    assert client.post(URL, content=b"x", headers={"content-type": "text/plain"}).status_code == 415


async def _keep_twice(counted: Counted) -> None:
    report = Feedback.model_validate(ACCEPTED)
    await counted.keep("s", "", [report, report])


def test_the_same_report_twice_in_one_batch_counts_once() -> None:
    import asyncio

    counted = Counted()
    asyncio.run(_keep_twice(counted))
    assert counted.counts == {("s", "accepted"): 1}
