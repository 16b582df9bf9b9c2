"""The service as a process, over sockets: impatient with the silent and the slow, patient at its end, and silent about patients."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import resource
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import uvicorn

from cds.compiled.hooks import SERVED
from cds.hooks import serving
from cds.hooks.protocol import Impatient
from tests.charts import as_bytes, day, itp, patient, request, sirolimus
from tests.conftest import RULES
from tests.hooks.doors import VIEW
from tests.hooks.process import Running

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

MARKER = "Wilhelmina-9231"
BODY = as_bytes(
    request("patient-view", [patient(pid=MARKER), itp(MARKER), sirolimus("s", day(0), 12, pid=MARKER)], pid=MARKER)
)


def is_closed(connection: socket.socket, sent: bytes = b"", drip: bytes = b"") -> bool:
    """Whether the other side closes in the end; ``drip`` is sent byte by byte meanwhile."""
    connection.settimeout(0.1)
    if sent:
        connection.sendall(sent)
    for place in range(300):
        try:
            if drip:
                connection.sendall(drip[place % len(drip) : place % len(drip) + 1])
            if connection.recv(1000) == b"":
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


def test_silent_and_slow_connections_are_closed_and_idle_ones_kept(start: Callable[..., Running]) -> None:
    running = start(silent_seconds=1)
    address = ("127.0.0.1", running.port)
    with socket.create_connection(address) as silent:
        assert is_closed(silent)
    with socket.create_connection(address) as slow:
        assert is_closed(slow, b"GET /livez HTTP/1.1\r\n", b"x")
    kept = http.client.HTTPConnection(*address, timeout=5)
    for _ in range(2):
        kept.request("GET", "/livez")
        assert kept.getresponse().read() == b'{"status":"alive"}'
        time.sleep(1.5)  # idle for longer than a silent connection may be
    kept.request("GET", "/livez")
    assert kept.getresponse().status == 200
    sock = kept.sock
    assert sock is not None and is_closed(sock, b"GET /livez HT", b"x")  # slow on a later request
    kept.close()
    assert running.call()[0] == 200


def test_stalled_connections_hold_nobody_up(start: Callable[..., Running]) -> None:
    running = start(silent_seconds=2)
    stalled = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(200)]
    for each in stalled:
        each.sendall(b"POST /x HTTP/1.1\r\nHost: localhost\r\n")
    assert running.call()[0] == 200
    assert all(is_closed(each) for each in stalled[:3])
    for each in stalled:
        each.close()


def test_heads_that_are_too_large_or_contradict_themselves(start: Callable[..., Running]) -> None:
    running = start()
    for head, status in (
        (b"GET /livez HTTP/1.1\r\nHost: localhost\r\nx: " + b"y" * 4_000_000 + b"\r\n\r\n", b"431"),
        (b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"x: y\r\n" * 50_000 + b"\r\n", b"431"),
        (
            b"POST /x HTTP/1.1\r\nHost: localhost\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            b"400",
        ),
        (b"nonsense\r\n\r\n", b"400"),
    ):
        with socket.create_connection(("127.0.0.1", running.port), timeout=5) as connection:
            try:
                connection.sendall(head)
                answer = connection.recv(200)
            except ConnectionError:
                continue  # closed before all of it was sent
            assert answer.split(b" ")[1] == status, answer
    assert running.call()[0] == 200


@pytest.mark.parametrize(
    "head",
    [
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nx: ",
        b"POST /x HTTP/1.1\r\nHost: localhost\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n0\r\nx: ",
    ],
    ids=["a field of the head", "a field of the trailer"],
)
def test_a_field_that_never_ends_is_cut_off(start: Callable[..., Running], head: bytes) -> None:
    running = start()
    sent = 0
    with socket.create_connection(("127.0.0.1", running.port), timeout=5) as connection:
        connection.sendall(head)
        with contextlib.suppress(ConnectionError, TimeoutError):
            while sent < 20_000_000:
                connection.sendall(b"y" * 10_000)
                sent += 10_000
    assert sent < 20_000_000
    assert running.resident() < 200  # megabytes


def test_idle_connections_leave_room_for_health_and_calls(start: Callable[..., Running]) -> None:
    running = start(max_connections=20, silent_seconds=30)
    idle = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(60)]
    assert running.call(path="/livez")[0] == 200
    assert running.call("POST", VIEW, BODY)[0] == 200
    assert sum(is_closed(each) for each in idle[:40]) == 40  # the longest silent make room
    for each in idle:
        each.close()


def test_fewer_files_than_connections(start: Callable[..., Running]) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))  # as a shell's `ulimit -S -n 256`
    try:
        running = start(silent_seconds=30)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    idle = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(400)]
    assert running.call(path="/livez")[0] == 200
    for each in idle:
        each.close()
    assert len(running.stop()[1]) < 50  # lines of the log


def test_bodies_that_never_end(start: Callable[..., Running]) -> None:
    running = start(body_seconds=1, max_body=10_000)
    with socket.create_connection(("127.0.0.1", running.port), timeout=5) as connection:
        head = f"POST {VIEW} HTTP/1.1\r\nHost: localhost\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n".encode()
        connection.sendall(head + b"{")
        assert b" 408 " in connection.recv(500)
    assert running.call("POST", VIEW, b"x" * 20_000)[0] == 413


def test_a_client_that_goes_away_is_no_error(start: Callable[..., Running]) -> None:
    running = start()
    head = f"POST {VIEW} HTTP/1.1\r\nHost: localhost\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{{".encode()
    for _ in range(100):
        with socket.create_connection(("127.0.0.1", running.port)) as connection:
            connection.sendall(head)
    for _ in range(100):  # those that went away are noticed one after another
        if running.call("POST", VIEW, BODY)[0] == 200:
            break
    else:
        raise AssertionError("those who went away still count")
    _, lines = running.stop()
    assert {line["level"] for line in lines} == {"info"}


def test_bodies_that_are_not_here_yet_take_no_place(start: Callable[..., Running]) -> None:
    running = start(max_in_flight=2, body_seconds=30)
    head = f"POST {VIEW} HTTP/1.1\r\nHost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{{"
    held = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(20)]
    for connection in held:
        connection.sendall(head.encode())
    assert running.call("POST", VIEW, BODY)[0] == 200
    assert running.call()[0] == 200
    for connection in held:
        connection.close()


def test_more_bytes_than_may_be_held_are_told_to_come_again(start: Callable[..., Running]) -> None:
    running = start(max_body_bytes=1_000_000, body_seconds=30)
    head = f"POST {VIEW} HTTP/1.1\r\nHost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1500000\r\n\r\n{{"
    with socket.create_connection(("127.0.0.1", running.port), timeout=5) as large:
        large.sendall(head.encode())
        with contextlib.suppress(ConnectionError):
            large.sendall(b" " * 1_200_000)
        assert large.recv(500).split(b" ")[1] == b"503"
    assert running.call("POST", VIEW, BODY)[0] == 200  # and they are given back


def test_more_calls_than_it_bears_are_answered_or_refused_and_none_is_lost(start: Callable[..., Running]) -> None:
    running = start(max_in_flight=4)
    call = f"POST {VIEW} HTTP/1.1\r\nHost: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        address = ("127.0.0.1", running.port)
        connections = [stack.enter_context(socket.create_connection(address, timeout=10)) for _ in range(120)]
        for connection in connections:
            connection.sendall(call + BODY)
        heads = [connection.recv(100_000) for connection in connections]
    statuses = [head.split(b" ")[1] for head in heads]
    assert set(statuses) == {b"200", b"503"}
    assert all(b"retry-after: 1" in head for head, status in zip(heads, statuses, strict=True) if status == b"503")
    assert running.call("POST", VIEW, BODY)[0] == 200


def test_at_the_end_no_call_is_lost(start: Callable[..., Running]) -> None:
    running = start(drain_seconds=1)
    kept = [http.client.HTTPConnection("127.0.0.1", running.port, timeout=10) for _ in range(4)]
    failed: list[str] = []
    finished: list[int] = []

    def work(connection: http.client.HTTPConnection) -> None:
        for number in range(10_000):
            try:
                connection.request("POST", VIEW, BODY, {"content-type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    failed.append(str(answer.status))
                if answer.headers.get("connection") == "close":
                    finished.append(number)
                    return
            except OSError as error:
                failed.append(type(error).__name__)
                return

    workers = [threading.Thread(target=work, args=(connection,)) for connection in kept]
    for worker in workers:
        worker.start()
    time.sleep(0.5)
    running.process.send_signal(signal.SIGTERM)
    for worker in workers:
        worker.join(timeout=10)
    assert failed == [] and len(finished) == 4
    code, _ = running.stop()
    assert code in (0, -signal.SIGTERM, 128 + signal.SIGTERM)


@pytest.mark.parametrize("workers", [1, 2])
def test_at_the_end_it_goes_on_listening_until_a_balancer_can_know(start: Callable[..., Running], workers: int) -> None:
    running = start(drain_seconds=3, workers=workers)
    assert running.call("POST", VIEW, BODY)[0] == 200
    running.process.send_signal(signal.SIGTERM)
    for _ in range(200):  # a balancer looks until it is told, and sends calls until then
        assert running.call("POST", VIEW, BODY)[0] == 200
        if running.call()[0] == 503:
            break
        time.sleep(0.01)
    else:
        raise AssertionError("readiness did not say that the end is near")
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", running.port, timeout=5)) as new:
        new.request("POST", VIEW, BODY, {"content-type": "application/json"})
        answer = new.getresponse()
        assert answer.status == 200 and answer.read() and answer.headers["connection"] == "close"
    code, _ = running.stop()  # told twice, it waits no longer
    assert code in (0, -signal.SIGTERM, 128 + signal.SIGTERM)


@pytest.mark.skipif(sys.platform != "linux", reason="the system ends the children of what is killed on Linux alone")
def test_workers_end_with_a_parent_that_is_killed(start: Callable[..., Running]) -> None:
    running = start(workers=2)
    running.process.kill()
    running.process.wait(timeout=10)
    for _ in range(300):  # one worker may end before the other
        try:
            running.call(path="/livez")
        except ConnectionRefusedError:
            return
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
            continue
        time.sleep(0.1)
    raise AssertionError("a worker was left")


def test_a_worker_whose_parent_was_gone_before_it_began_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving.ctypes, "CDLL", lambda _: SimpleNamespace(prctl=lambda *_: 0))
    monkeypatch.setenv(serving._PARENT, str(os.getppid()))
    serving._end_with_the_parent()
    monkeypatch.setenv(serving._PARENT, "1" if os.getppid() != 1 else "2")
    with pytest.raises(SystemExit):
        serving._end_with_the_parent()


def test_a_worker_that_takes_anothers_place_has_the_rules_that_the_service_began_with(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    rules = Path(shutil.copytree(RULES, tmp_path / "rules"))
    running = start(workers=2, rules=rules)
    before = json.loads(running.call()[1])["knowledge"]
    (rules / "sources.yaml").unlink()  # half of a new version
    workers = [
        int(each)
        for each in Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text().split()
    ]
    for worker in workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    found = set()
    for _ in range(200):
        with contextlib.suppress(OSError, http.client.HTTPException):
            found.add(json.loads(running.call()[1])["knowledge"])
            if len(found) and running.call("POST", VIEW, BODY)[0] == 200:
                break
        time.sleep(0.05)
    assert found == {before}


def test_an_answer_waits_for_no_acknowledgement_on_the_socket_that_workers_share() -> None:
    """Its head and its body are two packets; with Nagle's algorithm the second waits for the client, which waits itself."""
    without_delay = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        sockets = [each.transport.get_extra_info("socket") for each in Impatient.opened]
        without_delay.extend(each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for each in sockets)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def asked_once() -> None:
        config = uvicorn.Config(app, port=0, http=Impatient, loop="asyncio", lifespan="off", log_config=None)
        server, shared = uvicorn.Server(config), config.bind_socket()
        served = asyncio.create_task(server.serve(sockets=[shared]))
        while not server.started:
            await asyncio.sleep(0)
        async with httpx.AsyncClient() as client:
            await client.get(f"http://127.0.0.1:{shared.getsockname()[1]}/")
        server.should_exit = True
        await served

    asyncio.run(asked_once())
    assert without_delay == [1]


def test_several_workers_answer_and_outlive_one_another(start: Callable[..., Running]) -> None:
    running = start(workers=2)
    assert running.call("POST", VIEW, BODY)[0] == 200
    parents = {
        path.parent.name: path.read_text().rpartition(")")[2].split()[1] for path in Path("/proc").glob("[0-9]*/stat")
    }
    victims = [
        int(pid)
        for pid, parent in parents.items()
        if parent == str(running.process.pid) and "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()
    ]
    assert len(victims) == 2
    os.kill(victims[0], signal.SIGSEGV)
    time.sleep(0.3)
    answered = 0
    for _ in range(20):
        try:
            answered += running.call("POST", VIEW, BODY)[0] == 200
        except OSError:
            time.sleep(0.1)
    assert answered >= 15


def test_the_log_says_what_happened_and_nothing_of_the_patient(start: Callable[..., Running]) -> None:
    running = start(log_level="debug")
    assert MARKER in BODY.decode()
    assert running.call("POST", VIEW, BODY, **{"x-request-id": "abc-12345678"})[0] == 200
    running.call("POST", VIEW, b'{"hook": "' + MARKER.encode() + b'"}', **{"x-request-id": MARKER + " spaces"})
    running.call("POST", f"/cds-services/{MARKER}", BODY, authorization=f"Bearer {MARKER}")
    running.call("GET", f"/{MARKER}?{MARKER}={MARKER}")
    running.call("POST", VIEW + "/feedback", as_bytes({"feedback": [{"card": MARKER, "outcome": MARKER}]}))
    deep = BODY.replace(b'"birthDate": "1990-03-14"', b'"birthDate": {"' + MARKER.encode() + b'": NaN}')
    running.call("POST", VIEW, deep)
    _, lines = running.stop()
    answered = [line for line in lines if line["event"] == "answered"]
    assert answered[0] | {"ms": 0, "time": ""} == {
        "time": "", "level": "info", "event": "answered", "request": "abc-12345678",
        "service": "sirolimus-itp-patient-view", "status": 200, "cards": 2, "ms": 0,
    }  # fmt: skip
    assert MARKER not in json.dumps(lines)
    assert {line["status"] for line in answered} == {200, 400, 404}
    [unread, *_] = [line for line in answered if line["status"] == 400]
    assert unread["reason"] == "the request's hook is not one of " + ", ".join(SERVED)
