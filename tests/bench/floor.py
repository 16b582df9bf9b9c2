"""A server that parses a call, verifies its token where it has keys, and answers no card: the measure of a machine."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import jwt
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_KEYS = "FLOOR_KEYS"


class _Undelayed(HttpToolsProtocol):
    """Sends at once, as ours does; uvicorn's own workers wait 40 ms for the client's acknowledgement."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _key_of(file: str) -> Any:
    return jwt.PyJWK(json.loads(Path(file).read_text())["keys"][0]).key


def create_app() -> Starlette:
    """The server; with the key of the file that the environment names, or for everybody."""
    key = _key_of(os.environ[_KEYS]) if _KEYS in os.environ else None

    async def answer(request: Request) -> Response:
        if key is not None:
            token = request.headers["authorization"].removeprefix("Bearer ")
            jwt.decode(token, key, ["ES384"], options={"verify_aud": False})
        orjson.loads(await request.body())
        return Response(b'{"cards":[]}', media_type="application/json")

    async def ready(_: Request) -> Response:
        return Response(b"")

    return Starlette(routes=[Route("/livez", ready), Route("/cds-services/{id}", answer, methods=["POST"])])


def serve(port: int, keys: Path | None = None, workers: int = 1) -> None:
    """Listen on loopback until the process is told to end."""
    if keys is not None:
        os.environ[_KEYS] = str(keys)
    app = f"{__name__}:create_app"
    uvicorn.run(
        app,
        factory=True,
        port=port,
        workers=workers,
        http=f"{__name__}:_Undelayed",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=75,
    )


def command(keys: Path | None = None, workers: int = 1) -> str:
    """The code that ``tests.hooks.process.started`` runs."""
    where = f"Path({str(keys)!r})" if keys else None
    return f"from pathlib import Path; from tests.bench.floor import serve; serve(%d, {where}, {workers})"
