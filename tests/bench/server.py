"""HTTP: requests a second of server CPU, ours against the same server that only parses the body."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_TICKS = 100
_FLOOR = """
import gc, orjson, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
async def answer(request):
    orjson.loads(await request.body())
    return Response(b'{"cards":[]}', media_type="application/json")
app = Starlette(routes=[Route("/cds-services/{id}", answer, methods=["POST"])])
uvicorn.run(app, port=%d, log_level="warning", access_log=False, timeout_keep_alive=75)
"""
_OURS = "from cds.cli.main import run; import sys; sys.argv = ['sirolimus-cds', 'serve', '--port', '%d']; run()"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def _rate(code: str, bodies: list[bytes], requests: int) -> tuple[float, float, float]:
    """Requests a server-CPU-second; resident MB before and after."""
    port = _free_port()
    process = subprocess.Popen([sys.executable, "-c", code % port])
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(200):
            try:
                connection.connect()
                break
            except OSError:
                time.sleep(0.05)
        idle = _resident(process.pid)

        def post(count: int) -> None:
            for index in range(count):
                body = bodies[index % len(bodies)]
                connection.request(
                    "POST", "/cds-services/sirolimus-itp-patient-view", body, {"content-type": "application/json"}
                )
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    raise SystemExit(f"the server answered {answer.status}")

        post(500)
        begun = _cpu(process.pid)
        post(requests)
        spent = _cpu(process.pid) - begun
        return requests / spent, idle, _resident(process.pid)
    finally:
        process.terminate()
        process.wait()


def measure_servers(bodies: list[bytes], requests: int = 4000) -> Iterator[str]:
    """The lines of the report."""
    floor, _, _ = max(_rate(_FLOOR, bodies, requests) for _ in range(2))
    ours, idle, loaded = max(_rate(_OURS, bodies, requests) for _ in range(2))
    size = sum(map(len, bodies)) / len(bodies) / 1000
    yield f"HTTP, {size:.0f} kB requests         {ours:8.0f} requests a server-CPU-second"
    yield f"  against parse and empty list {ours / floor:8.2f} x   (goal 0.60; floor {floor:.0f})"
    yield f"resident memory, idle / loaded {idle:8.0f} / {loaded:.0f} MB   (goal under 70)"
