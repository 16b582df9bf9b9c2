"""HTTP: requests a second of server CPU, ours against the same server that only parses the body."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

from tests.bench.patients import JUDGED_ON
from tests.hooks.doors import VIEW
from tests.hooks.process import COMMAND, started

EMPTY = """
import gc, orjson, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
async def answer(request):
    orjson.loads(await request.body())
    return Response(b'{"cards":[]}', media_type="application/json")
async def ready(request):
    return Response(b"")
app = Starlette(routes=[Route("/", ready), Route("/cds-services/{id}", answer, methods=["POST"])])
uvicorn.run(app, port=%d, log_level="warning", access_log=False, timeout_keep_alive=75)
"""


def ours_on(day: int) -> str:
    """The command, with its clock on a day of the course; the code that ``started`` runs."""
    return (
        "from functools import partial; from cds.hooks import serving; from tests.judge import now_on\n"
        f"serving.create_app = partial(serving.create_app, clock=lambda: now_on({day}))\n{COMMAND}"
    )


def _rate(code: str, ready: str, bodies: list[bytes], requests: int) -> tuple[float, float, float]:
    """Requests a server-CPU-second; resident MB before and after."""
    with started(code=code, ready=ready) as running:
        connection = http.client.HTTPConnection("127.0.0.1", running.port)
        idle = running.resident()

        def post(count: int) -> None:
            for index in range(count):
                connection.request("POST", VIEW, bodies[index % len(bodies)], {"content-type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    raise SystemExit(f"the server answered {answer.status}")

        post(500)
        begun = running.cpu()
        post(requests)
        return requests / (running.cpu() - begun), idle, running.resident()


def measure_servers(bodies: list[bytes], requests: int = 4000) -> Iterator[str]:
    """The lines of the report."""
    floor, _, _ = max(_rate(EMPTY, "/", bodies, requests) for _ in range(2))
    ours, idle, loaded = max(_rate(ours_on(JUDGED_ON), "/readyz", bodies, requests) for _ in range(2))
    size = sum(map(len, bodies)) / len(bodies) / 1000
    yield f"HTTP, {size:.0f} kB requests         {ours:8.0f} requests a server-CPU-second"
    yield f"  against parse and empty list {ours / floor:8.2f} x   (goal 0.60; floor {floor:.0f})"
    yield f"resident memory, idle / loaded {idle:8.0f} / {loaded:.0f} MB   (goal under 70)"
