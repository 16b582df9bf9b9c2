"""More calls than can be answered in time are refused at once, so that those that are taken are answered in time."""

from __future__ import annotations

import asyncio
import http.client
import json
import select
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from cds.engine import CheckedEngine
from cds.hooks import judging
from cds.hooks.judging import Judges, Waiting
from cds.hooks.settings import Issuer, Settings
from tests.charts import as_bytes, day, itp, level, patient, request, sirolimus
from tests.hooks.doors import JSON, MADE, VIEW, client_of
from tests.hooks.fhir_server import Stub, serving
from tests.hooks.process import Running, started
from tests.load.calls import AUDIENCE, settings_file, token

CHART = [patient(), itp(), sirolimus("s", day(0), 12), level("l", day(10), 7)]
BODY = as_bytes(request("patient-view", CHART))
A_TURN = 0.1


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


async def _stays() -> bool:
    return False


def test_the_wait_is_known_from_how_turns_went(engine: CheckedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(judging, "time", clock)
    judges, waits = Judges(engine, False, None), list[float]()

    def judged(judge: judging.Judge, body: bytes) -> None:
        clock.now += A_TURN
        waits.append(judges.wait)

    async def calls(number: int) -> None:
        waiting = Waiting(_stays, float("inf"))
        await asyncio.gather(*(judges.run(waiting, judged, b"") for _ in range(number)))

    async def all_of_them() -> None:
        await calls(40)
        assert judges.wait == 0  # nobody is left
        waits.clear()
        await calls(3)

    asyncio.run(all_of_them())
    assert waits == [pytest.approx(left * A_TURN, rel=0.02) for left in (3, 2, 1)]


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    settings_file(tmp_path)
    return Issuer(iss="https://ehr.example", jwks_file=tmp_path / "keys.json", audiences=[AUDIENCE])


def _posted(client: TestClient, bearer: str) -> tuple[int, str | None]:
    answer = client.post(VIEW, content=BODY, headers=JSON | {"authorization": f"Bearer {bearer}"})
    return answer.status_code, answer.headers.get("retry-after")


@pytest.mark.parametrize("full", ["calls", "wait"])
def test_the_token_of_a_refused_call_may_come_again(
    engine: CheckedEngine, issuer: Issuer, monkeypatch: pytest.MonkeyPatch, full: str
) -> None:
    client, bearer = client_of(engine, Settings(issuers=[issuer])), token()
    service = MADE[-1].state.service
    with monkeypatch.context() as patched:
        if full == "calls":
            patched.setattr(service, "in_flight", service.settings.max_in_flight)
        else:
            patched.setattr(service.judges, "_waiting", 100)
            patched.setattr(service.judges, "_pace", A_TURN)
        assert _posted(client, bearer) == (503, "1")
    assert _posted(client, bearer) == (200, None)
    assert _posted(client, bearer) == (401, None)  # used by now


def test_a_slow_turn_refuses_nobody_who_comes_alone(engine: CheckedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(engine)
    monkeypatch.setattr(MADE[-1].state.service.judges, "_pace", 100.0)
    assert client.post(VIEW, content=BODY, headers=JSON).status_code == 200


def _begun(running: Running, body: bytes, sent: int) -> http.client.HTTPConnection:
    """A connection on which a call was made of whose body only so many bytes were sent."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    connection.request("POST", VIEW, body[:sent], JSON | {"content-length": str(len(body))})
    return connection


def until_asked(stub: Stub) -> None:
    """Look until the first call has come to its call-back: the one place is taken then."""
    for _ in range(1_000_000):
        if stub.asked:
            return
        time.sleep(0)
    raise AssertionError("the server was not asked")


def test_the_connection_of_a_refused_call_is_kept() -> None:
    """Its answer comes before its body has; the rest of the body is no head that fails to come."""
    with serving(CHART) as stub:
        stub.fault = dict.fromkeys(("Patient", "Observation", "Condition", "MedicationRequest"), "hang")
        with started({"max_in_flight": 1, "silent_seconds": 0.5, "fhir_servers": stub.base}) as running:
            hung = as_bytes(json.loads(BODY) | {"fhirServer": stub.base, "prefetch": {}})
            first = _begun(running, hung, len(hung))
            until_asked(stub)
            kept = _begun(running, BODY, 100)
            with kept.getresponse() as refused:
                assert refused.status == 503 and b"too many" in refused.read()
            kept.send(BODY[100:])
            assert select.select([kept.sock], [], [], 1.0)[0] == []  # it would be readable if it were closed
            with first.getresponse() as late:
                assert late.status == 412  # the medications did not come
            kept.request("POST", VIEW, BODY, JSON)
            with kept.getresponse() as judged:
                assert judged.status == 200
            kept.close()
            first.close()


def test_the_first_caller_finds_a_service_that_has_judged(
    engine: CheckedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first chart takes many times as long as the next; it is nobody's, brings a card about, and is recorded nowhere."""
    answers, answer = list[judging.Answer](), judging.Judge.answer

    def noted(self: judging.Judge, *given: object) -> judging.Answer:
        answers.append(answer(self, *given))  # type: ignore[arg-type]
        return answers[-1]

    monkeypatch.setattr(judging.Judge, "answer", noted)
    with client_of(engine, Settings(records=str(tmp_path / "records"))) as client:
        assert [each.cards > 0 for each in answers] == [True]
        recording = client.app.state.service.recording  # type: ignore[attr-defined]
        counted = recording.records.store.write(lambda c: c.execute("SELECT COUNT(*) FROM decisions").fetchall())
        assert asyncio.run(counted) == [(0,)]
