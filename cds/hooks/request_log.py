"""Wraps every call that is answered: a request id, one line in the log, and the release of the bytes that its body held."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cds.hooks.discovery import SERVICES
from cds.hooks.http import Held
from cds.hooks.log import request_id
from cds.hooks.metrics import Metrics

_log = logging.getLogger("cds.hooks")


class RequestLog:
    """Middleware of a route. Handlers add to ``request.state.said`` the fields of their log line other than status and time."""

    def __init__(
        self, app: ASGIApp, held: Held, is_draining: Callable[[], bool], metrics: Metrics | None = None
    ) -> None:
        self._app, self._held, self._is_draining, self._metrics = app, held, is_draining, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.monotonic()
        said: dict[str, Any] = {"request": request_id(Headers(scope=scope).get("x-request-id"))}
        state = scope.setdefault("state", {})
        state |= {"said": said, "held": 0}

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._let_go(state)  # before it is sent, so that a client that reads slowly delays no other
                said.update(status=message["status"], ms=round((time.monotonic() - began) * 1000, 1))
                self._write_head(MutableHeaders(scope=message), said)
                service = scope["path_params"].get("id", "")
                if self._metrics is not None:
                    self._metrics.answered(service, said)
                _log.info("answered", extra=said | ({"service": service} if service in SERVICES else {}))
            await send(message)

        try:
            await self._app(scope, receive, answered)
        finally:
            self._let_go(state)

    def _let_go(self, state: dict[str, Any]) -> None:
        self._held.give_back(state["held"])
        state["held"] = 0

    def _write_head(self, headers: MutableHeaders, said: dict[str, Any]) -> None:
        headers["x-request-id"] = said["request"]
        headers["server-timing"] = f"answer;dur={said['ms']}"
        if self._is_draining():
            headers["connection"] = "close"
