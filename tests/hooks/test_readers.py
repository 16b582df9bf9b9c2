"""Clients that take nothing of their answers, or ask for more before they have read one: they are closed, and slow ones are not."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.charts import as_bytes, day, itp, patient, request, sirolimus
from tests.hooks.process import Running

BODY = as_bytes(request("patient-view", [patient(), itp(), sirolimus("s", day(0), 12)]))

CONTRACT = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
"""Some 14 kB are the answer."""


def until_closed(connection: socket.socket, answers: int) -> int:
    """How many answers come until the other side closes, or so many have come."""
    connection.settimeout(60)
    begin, found, rest = b"HTTP/1.1 200", 0, b""
    with contextlib.suppress(ConnectionError):
        while found < answers and (more := connection.recv(40_000)):
            found += (rest + more).count(begin)
            rest = (rest + more)[1 - len(begin) :]  # what may be the first half of one
    return found


def is_open(running: Running, client: socket.socket) -> bool:
    """Whether the service holds its side of a connection open, as the system says (proc(5), net/tcp)."""
    ours = client.getsockname()[1]
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(
        int(local.rpartition(":")[2], 16) == running.port
        and int(remote.rpartition(":")[2], 16) == ours
        and state == "01"
        for _, local, remote, state, *_ in lines
    )


@pytest.mark.slow
def test_clients_that_read_nothing_are_closed_and_those_that_read_slowly_are_not(start: Callable[..., Running]) -> None:
    running = start(silent_seconds=3, body_seconds=20)
    form = b"chart=" + BODY[:-1] + b', "extension": "' + b"x" * 1_900_000 + b'"}'  # which the page holds again
    head = f"POST / HTTP/1.1\r\nHost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {len(form)}\r\n\r\n"
    with contextlib.ExitStack() as stack:
        silent, slow = (stack.enter_context(socket.socket()) for _ in range(2))
        for each in (silent, slow):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that little is on its way
            each.connect(("127.0.0.1", running.port))
        reader = stack.enter_context(ThreadPoolExecutor(1))  # reads while the rest is sent, as a client does
        answers = reader.submit(until_closed, slow, 2)
        for each in (silent, slow):
            each.sendall((head.encode() + form) * 2)  # more than the system keeps for a client
        assert answers.result() == 2
        for _ in range(20):  # what asks nothing is closed after the same seconds, and tells the time
            with socket.create_connection(("127.0.0.1", running.port)) as idle:
                assert until_closed(idle, 1) == 0
            if not is_open(running, silent):
                break
        assert until_closed(silent, 2) < 2


def test_a_client_that_asks_far_ahead_is_closed(start: Callable[..., Running]) -> None:
    running = start()
    with socket.create_connection(("127.0.0.1", running.port)) as few:
        few.sendall(CONTRACT * 10)
        assert until_closed(few, 10) == 10
    with socket.create_connection(("127.0.0.1", running.port)) as many:
        with contextlib.suppress(ConnectionError):
            many.sendall(CONTRACT * 4_000)
        assert until_closed(many, 100) < 100
    assert running.resident() < 200  # megabytes
    assert running.call(path="/livez")[0] == 200
