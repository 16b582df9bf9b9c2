"""Checks made before a call is read: which host it is meant for and which page sent it; and the headers that every answer has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cds.hooks.http import outcome

_EVERY_ANSWER = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class Door:
    """Refuses calls for another host, calls with an ambiguous Host or Authorization header, and calls from pages that may not call.

    A page of another site does not become one of ours because its host name resolves to this machine: the host that a call names
    must be among ``hosts``. If ``hosts`` is empty, every name is accepted.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str], origins: Sequence[str], origin_pattern: str) -> None:
        self._app, self._hosts, self._origins = app, frozenset(hosts), frozenset(origins)
        self._origin = re.compile(origin_pattern)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _EVERY_ANSWER.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refused(Headers(scope=scope), scope["method"])
        await (outcome(*refused) if refused else self._app)(scope, receive, answered)

    def _refused(self, headers: Headers, method: str) -> tuple[int, str] | None:
        """The status and the message with which a call is refused; None if it is accepted."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or len(headers.getlist("authorization")) > 1:
            return 400, "the call must have one Host and at most one Authorization header"
        if self._hosts and _name(hosts[0]) not in self._hosts:
            return 400, "the call is for another host; see the setting 'hosts'"
        if headers.get("sec-fetch-site") == "cross-site" and not self._may_call(headers, method):
            return 403, "a page of another site may not call; see the setting 'allow_origins'"
        return None

    def _may_call(self, headers: Headers, method: str) -> bool:
        """Whether a call from another site's page is allowed: the user followed a link, or the page's origin is allowed."""
        origin = headers.get("origin", "")
        followed = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
        return followed or origin in self._origins or self._origin.fullmatch(origin) is not None


def _name(host: str) -> str:
    """The name or address in a Host header, without the port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
