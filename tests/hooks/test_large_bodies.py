"""Bodies of hundreds of kilobytes: judged in processes apart, so that nobody waits for somebody else's chart."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import select
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cds.engine import CheckedEngine
from cds.hooks import judging
from cds.hooks.settings import Settings
from cds.knowledge.cache import into_cache
from tests.charts import as_bytes, bundle, day, itp, level, patient, request, sirolimus
from tests.hooks.doors import JSON, VIEW, client_of
from tests.hooks.fhir_server import serving
from tests.hooks.process import Running, started

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

CHART = [patient(), itp(), sirolimus("s", day(0), 12), level("l", day(10), 7)]
SMALL = as_bytes(request("patient-view", CHART))
DENSE = as_bytes(request("patient-view", [*CHART, *(sirolimus(f"s{n}", day(n % 300), 2) for n in range(3_000))]))
"""Some half a second to judge."""
FAULT = "could not be evaluated"


@pytest.fixture
def kept(engine: CheckedEngine, tmp_path: Path) -> Path:
    """The knowledge as ``serve`` keeps it for its processes."""
    into_cache(tmp_path / "kept" / "knowledge", engine.knowledge)
    return tmp_path / "kept" / "knowledge"


def posted(running: Running, body: bytes) -> http.client.HTTPConnection:
    """A connection on which a call was made, whose answer nobody has read."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
    connection.request("POST", VIEW, body, JSON)
    return connection


def answer_of(connection: http.client.HTTPConnection) -> tuple[int, str]:
    with contextlib.closing(connection):
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def is_judged(answer: tuple[int, str]) -> bool:
    return answer[0] == 200 and '"cards":[{' in answer[1] and FAULT not in answer[1]


def processes_apart(running: Running) -> list[int]:
    children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text().split()
    return [int(each) for each in children if b"to_process" in Path(f"/proc/{each}/cmdline").read_bytes()]


@pytest.fixture
def running() -> Iterator[Running]:
    with started({"answer_seconds": 10}) as service:
        yield service


def test_small_calls_and_health_do_not_wait_for_large_ones(running: Running) -> None:
    large = [posted(running, DENSE) for _ in range(8)]
    sockets = [each.sock for each in large]
    select.select(sockets, [], [], 30)  # until one is answered: by then all have arrived
    assert running.call(path="/livez")[0] == 200
    assert running.call("POST", VIEW, SMALL)[0] == 200
    answered, _, _ = select.select(sockets, [], [], 0)
    assert len(answered) < len(large)
    assert all(is_judged(answer_of(each)) for each in large)


def test_both_places_give_the_same_cards(engine: CheckedEngine, kept: Path) -> None:
    def cards(**more: Any) -> list[dict[str, Any]]:
        with client_of(engine, Settings(answer_seconds=30), **more) as client:
            return [
                {name: value for name, value in card.items() if name not in ("uuid", "suggestions")}
                for card in client.post(VIEW, content=DENSE, headers=JSON).json()["cards"]
            ]

    assert cards() == cards(knowledge=kept) != []


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b'{"x":' * 200_000, 400, "nested too deep"),
        (as_bytes(bundle(*CHART, *(level(f"l{n}", day(n % 300), 7) for n in range(300)))), 400, "Bundle"),
        (
            as_bytes(request("patient-view", CHART) | {"prefetch": {"patient": None}, "extension": "x" * 100_000}),
            412,
            "'medications'",
        ),
    ],
    ids=["deep", "a bundle", "without medications"],
)
def test_errors_come_back_as_they_are(engine: CheckedEngine, kept: Path, body: bytes, status: int, words: str) -> None:
    patient_enough = Settings(answer_seconds=30)  # for a process to begin on a slow machine
    with client_of(engine, patient_enough, knowledge=kept) as client:
        answer = client.post(VIEW, content=body, headers=JSON)
    assert answer.status_code == status and words in answer.text


def test_what_was_fetched_counts_for_the_size(
    engine: CheckedEngine, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    judged_apart = judging.Judges._run_apart

    async def noted(self: Any, do: Any, body: bytes, *given: Any) -> Any:
        sizes.append(len(body))
        return await judged_apart(self, do, body, *given)

    monkeypatch.setattr(judging.Judges, "_run_apart", noted)
    monkeypatch.setattr(judging.Judges, "warm", lambda self: judging.asyncio.sleep(0))
    with serving([*CHART, *(sirolimus(f"s{n}", day(n), 12) for n in range(200))]) as stub:
        body = json.loads(SMALL) | {"fhirServer": stub.base}
        del body["prefetch"]["medications"]
        with client_of(engine, Settings(fhir_servers=[stub.base], answer_seconds=10), knowledge=kept) as client:
            answer = client.post(VIEW, json=body)
    assert answer.status_code == 200 and "doseFarAboveWindow" in answer.text
    assert sizes and min(sizes) > judging.LARGE


def until_judging(running: Running) -> None:
    """Look until a process apart is at work."""
    for _ in range(100_000):
        for each in processes_apart(running):
            with contextlib.suppress(OSError):
                if Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()[0] == "R":
                    return
    raise AssertionError("nobody judges")


def kill_apart(running: Running) -> int:
    """How many processes apart were killed."""
    killed = processes_apart(running)
    for each in killed:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    return len(killed)


def test_a_process_that_is_killed_is_made_anew_and_asked_again(running: Running) -> None:
    assert is_judged(answer_of(posted(running, DENSE)))
    for _ in range(5):
        pending = posted(running, DENSE)
        until_judging(running)
        assert kill_apart(running)
        assert is_judged(answer_of(pending))
    assert any(line["event"] == "a judge died, and another one is asked" for line in running.stop()[1])


def test_a_body_whose_judges_die_each_time_is_not_advised_on(running: Running) -> None:
    assert is_judged(answer_of(posted(running, DENSE)))
    pending, over = posted(running, DENSE), threading.Event()

    def kill_all() -> None:
        while not over.wait(0.02):
            kill_apart(running)

    killer = threading.Thread(target=kill_all)
    killer.start()
    status, text = answer_of(pending)
    over.set()
    killer.join()
    assert status == 200 and FAULT in text
    assert is_judged(answer_of(posted(running, DENSE)))
    assert any(line["event"] == "fault" for line in running.stop()[1])


def test_a_judgement_that_takes_too_long_is_ended_and_advises_nothing() -> None:
    with started({"answer_seconds": 0.02}) as running:
        answers = [answer_of(posted(running, DENSE)) for _ in range(3)]
        assert running.call("POST", VIEW, SMALL)[0] == 200
    assert not any(is_judged(answer) for answer in answers)
    assert {status for status, _ in answers} <= {200, 503}


def test_charts_of_callers_who_have_gone_are_not_judged(running: Running) -> None:
    assert is_judged(answer_of(posted(running, DENSE)))
    for _ in range(20):
        posted(running, DENSE).close()
    assert is_judged(answer_of(posted(running, DENSE)))
    statuses = [line["status"] for line in running.stop()[1] if line["event"] == "answered" and "service" in line]
    assert statuses.count(400) >= 17  # two were being judged when they went, and one may have been taken up


def test_processes_apart_end_with_the_service(running: Running) -> None:
    answer_of(posted(running, DENSE))
    apart = processes_apart(running)
    assert apart
    running.process.kill()
    for _ in range(100):
        if not any(Path(f"/proc/{each}").exists() for each in apart):
            return
        time.sleep(0.1)
    raise AssertionError("a process apart was left")


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_is_imported_from_the_folder_it_was_started_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    for name in ("anyio", "pickle", "multiprocessing"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'read')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    console = (
        "import sys; sys.path.pop(0); from cds.cli.main import run; sys.argv = ['x', 'serve', '--port', '%d']; run()"
    )
    with started({"answer_seconds": 10, "workers": workers}, code=console) as running:
        assert is_judged(answer_of(posted(running, DENSE)))
    assert not (tmp_path / "read").exists()
