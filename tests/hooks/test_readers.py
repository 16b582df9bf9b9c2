"""Clients that take nothing of their answers, or ask for more before they have read one: they are closed, and slow ones are not."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

from tests.charts import as_bytes, day, itp, patient, request, sirolimus
from tests.hooks.process import Running

BODY = as_bytes(request("patient-view", [patient(), itp(), sirolimus("s", day(0), 12)]))

CONTRACT = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
"""Some 14 kB are the answer."""


def until_closed(connection: socket.socket, answers: int) -> int:
    """How many answers come until the other side closes, or so many have come."""
    connection.settimeout(10)
    found = bytearray()
    with contextlib.suppress(ConnectionError):
        while found.count(b"HTTP/1.1 200") < answers and (more := connection.recv(40_000)):
            found += more
    return found.count(b"HTTP/1.1 200")


def test_clients_that_read_nothing_are_closed_and_those_that_read_slowly_are_not(start: Callable[..., Running]) -> None:
    running = start(silent_seconds=1, body_seconds=10)
    form = b"chart=" + BODY[:-1] + b', "extension": "' + b"x" * 1_900_000 + b'"}'  # which the page holds again
    head = f"POST / HTTP/1.1\r\nHost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {len(form)}\r\n\r\n"
    with contextlib.ExitStack() as stack:
        silent, slow = (stack.enter_context(socket.socket()) for _ in range(2))
        for each in (silent, slow):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that little is on its way
            each.connect(("127.0.0.1", running.port))
            each.sendall((head.encode() + form) * 2)  # more than the system keeps for a client
        assert until_closed(slow, 2) == 2
        with socket.create_connection(
            ("127.0.0.1", running.port)
        ) as idle:  # opened later, and closed for the same seconds of silence
            assert until_closed(idle, 1) == 0
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
