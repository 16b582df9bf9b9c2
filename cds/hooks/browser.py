"""The workbench and the rules over HTTP, for people with a browser: when they are served, and with which limits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cds.engine import CheckedEngine, EngineFault
from cds.hooks.http import bounded, outcome
from cds.hooks.sent import ICON
from cds.hooks.settings import Settings

if TYPE_CHECKING:
    from cds.workbench.pages import Workbench

_log = logging.getLogger("cds.hooks")
_DRAFTS = 64 * 1024
_MOST_WAITING = 8  # pages; one more is refused
_NEEDED = {"vl_convert": "vl-convert-python", "jinja2": "jinja2", "markdown_it": "markdown-it-py"}


def wanted(settings: Settings) -> bool:
    """Whether the workbench should be served: as set; if not set, only where no other machine can call."""
    return settings.only_this_machine if settings.workbench is None else settings.workbench


def lacking() -> list[str]:
    """The packages that the workbench needs and that are not installed."""
    return [package for module, package in _NEEDED.items() if find_spec(module) is None]


def served(settings: Settings) -> bool:
    """Whether the workbench is served."""
    return wanted(settings) and not lacking()


class Browser:
    """The pages as routes. Pages are made in a thread, one at a time; other calls are accepted and answered meanwhile."""

    def __init__(self, engine: CheckedEngine, settings: Settings) -> None:
        self._engine, self._settings, self._turn = engine, settings, asyncio.Lock()
        self._made: Workbench | None = None
        self._waiting = 0

    def serve_by(self, engine: CheckedEngine) -> None:
        """Show and judge by these rules from now on."""
        self._engine, self._made = engine, None

    def routes(self, logged: Sequence[Middleware]) -> list[Route]:
        """The routes of the pages; ``logged`` is the middleware around every call."""
        return [
            Route("/", self.start, methods=["GET"], middleware=logged),
            Route("/", self.judge, methods=["POST"], middleware=logged),
            Route("/rules", self.rules, methods=["GET"], middleware=logged),
            Route("/rules/{name}", self.rule, methods=["GET"], middleware=logged),
            Route("/workbench.js", self.script, methods=["GET"], middleware=logged),
            Route(ICON, self.icon, methods=["GET"], middleware=logged),
        ]

    async def start(self, request: Request) -> Response:
        """GET /: the form, or an example."""
        example = request.query_params.get("example", "")
        return await self._page(request, lambda bench: bench.start(example))

    async def judge(self, request: Request) -> Response:
        """POST /: judge a chart, after a value was changed or a suggestion pressed. The chart is sent with every request."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            return outcome(415, "the body must be a form")
        most = 3 * (self._settings.max_body + _DRAFTS)  # an escaped character of a form is three bytes
        body = await bounded(request, most, self._settings.body_seconds)
        return await self._page(request, lambda bench: bench.answer(body))

    async def rules(self, request: Request) -> Response:
        """GET /rules"""
        return await self._page(request, lambda bench: bench.rules())

    async def rule(self, request: Request) -> Response:
        """GET /rules/{name}"""
        name = request.path_params["name"]
        return await self._page(request, lambda bench: bench.rule(name))

    async def script(self, request: Request) -> Response:
        """GET /workbench.js"""
        from cds.workbench.pages import SCRIPT

        return Response(SCRIPT, media_type="text/javascript", headers=_HEADERS)

    async def icon(self, request: Request) -> Response:
        """GET /icon.png, which cards show next to their source."""
        from cds.workbench.pages import IMAGE

        return Response(IMAGE, media_type="image/png", headers=_HEADERS)

    async def _page(self, request: Request, make: Callable[[Workbench], str | None]) -> Response:
        from cds.workbench.pages import POLICY

        if self._waiting >= _MOST_WAITING:
            return outcome(503, "too many pages at once")

        def made() -> str | None:
            return make(self._workbench())

        self._waiting += 1
        try:
            async with self._turn:
                if await request.is_disconnected():  # the client has disconnected
                    return outcome(503, "no one is waiting for this page")
                text = await asyncio.to_thread(made)
        except Exception as error:  # no traceback, because it may contain what the user entered
            event = "engine fault" if isinstance(error, EngineFault) else "fault"
            _log.error(event, extra={"fault": type(error).__name__})
            return outcome(500, "the page could not be made: no advice")
        finally:
            self._waiting -= 1
        if text is None:
            return outcome(404, "there is nothing at this address")
        return Response(text, media_type="text/html", headers=_HEADERS | {"content-security-policy": POLICY})

    def _workbench(self) -> Workbench:
        from cds.knowledge.load import shipped_rules
        from cds.workbench.pages import Workbench

        if self._made is None:
            settings = self._settings
            folder = settings.rules or shipped_rules()
            self._made = Workbench(self._engine, folder, settings.protocol, settings.overlays)
        return self._made


_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
}
