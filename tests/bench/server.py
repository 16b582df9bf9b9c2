"""HTTP: requests a second of server CPU, ours against the same server that only parses the body."""

from __future__ import annotations

import http.client
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.floor import command
from tests.hooks.process import Running, started
from tests.load.calls import OURS, messages, settings_file

WARM = 300


def _rate(running: Running, messages: list[bytes]) -> float:
    """Calls a server-CPU-second, one after the other on one connection."""
    with socket.create_connection(("127.0.0.1", running.port)) as connection:

        def post(sent: list[bytes]) -> None:
            for message in sent:
                connection.sendall(message)
                answer = http.client.HTTPResponse(connection)
                answer.begin()
                answer.read()
                if answer.status != 200:
                    raise SystemExit(f"the server answered {answer.status}")

        post(messages[:WARM])
        begun = running.cpu()
        post(messages[WARM:])
        return (len(messages) - WARM) / (running.cpu() - begun)


def measure_servers(bodies: list[bytes], requests: int = 3000) -> Iterator[str]:
    """The lines of the report: each beside a server that does the same and judges nothing, in turn."""
    yield f"HTTP, {sum(map(len, bodies)) / len(bodies) / 1000:.0f} kB a call, calls a server-CPU-second:"
    with tempfile.TemporaryDirectory() as name:
        signed = {"config": settings_file(Path(name))}
        for what, keys, settings, goal in (
            ("anybody may call", None, None, "0.60 of one that parses"),
            ("tokens are verified", Path(name) / "keys.json", signed, "0.50 of one that parses and verifies"),
        ):
            with started(code=command(keys), ready="/livez") as floor, started(settings, command=OURS) as ours:
                idle, best = ours.resident(), [0.0, 0.0]
                for _ in range(2):
                    rates = [_rate(each, messages(bodies, requests + WARM, keys is not None)) for each in (floor, ours)]
                    best = list(map(max, best, rates))
                yield f"  {what:28} {best[1]:8.0f}, {best[1] / best[0]:.2f} x of {best[0]:.0f}   (goal {goal})"
                yield f"    a worker, idle / loaded  {idle:8.0f} / {ours.resident():.0f} MB   (goal under 70)"
