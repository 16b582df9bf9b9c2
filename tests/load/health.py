"""A health check in a process of its own, so that what it sees is the server's doing and not the generator's."""

from __future__ import annotations

import contextlib
import http.client
import multiprocessing
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

_EVERY = 0.05
"""Seconds between two checks."""


def _watch(port: int, end: Connection) -> None:
    waits = []
    while not end.poll(_EVERY):
        began = time.perf_counter()
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            connection.request("GET", "/livez")
            assert connection.getresponse().status == 200
        waits.append(time.perf_counter() - began)
    end.send(waits)


@contextlib.contextmanager
def watched(port: int) -> Iterator[list[float]]:
    """Ask ``/livez`` over new connections all the while; at the end the list holds the waits in milliseconds, longest last."""
    waits: list[float] = []
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_watch, args=(port, theirs))
    process.start()
    theirs.close()  # so that its end is seen here
    try:
        yield waits
        ours.send(True)
        waits += sorted(wait * 1000 for wait in ours.recv())
    finally:
        process.kill()
        process.join()
