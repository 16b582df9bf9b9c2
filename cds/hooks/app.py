"""The HTTP service. It handles HTTP only; ``advise`` does the rest."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cds.cards.order import fault_card
from cds.chart.body import InputError
from cds.compiled.hooks import HookName
from cds.engine import CheckedEngine, EngineFault
from cds.hooks.auth import Authentication, Caller, Refused, Unknowable
from cds.hooks.browser import Browser, served
from cds.hooks.callback import completed, server_of
from cds.hooks.discovery import discovery, service_id
from cds.hooks.door import Door
from cds.hooks.draining import drained
from cds.hooks.feedback import MOST_BYTES, Keeper, WrongFeedback, read_feedback
from cds.hooks.fetch import Server
from cds.hooks.http import Answered, Held, as_json, body_of, busy, encode, outcome
from cds.hooks.judging import Answer, Gone, Judge, Judges, NoMedications, TooLate, Waiting, settle_memory
from cds.hooks.messages import NotValid
from cds.hooks.openapi import openapi
from cds.hooks.peers import Peers
from cds.hooks.recording import Recording
from cds.hooks.request_log import RequestLog
from cds.hooks.sent import Sending
from cds.hooks.settings import LONGEST_WAIT, Settings
from cds.records.database import Unavailable

LOOPBACK = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?"
PATIENCE = 4  # multiple of ``answer_seconds``: a client that waits longer has given up
_log = logging.getLogger("cds.hooks")
Clock = Callable[[], datetime]
_REASONS: dict[type[Exception], str] = {
    NoMedications: "no medications",
    Gone: "the caller has gone",
    TooLate: "too late",
}


class Service:
    """The service over one engine, as the settings configure it."""

    def __init__(
        self,
        engine: CheckedEngine,
        settings: Settings,
        clock: Clock | None,
        keeper: Keeper | None,
        client: httpx.AsyncClient | None,
        knowledge: Path | None,
    ) -> None:
        self.settings = settings
        self.clock = clock or (lambda: datetime.now(UTC).astimezone(settings.zone))
        self.recording = Recording(settings)
        self.keeper = keeper or self.recording.feedback

        def outward() -> httpx.AsyncClient:
            # no proxy or .netrc from the environment, no redirect: a token is sent only to the addresses in the settings
            return client or httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=settings.answer_seconds)

        self.peers = Peers(outward)
        self.key_client = outward()  # a separate client: FHIR servers that hang do not delay fetching keys
        self.authentication = Authentication(settings, time.time, self.key_client, self.recording.records)
        self.hooks = {service_id(hook): hook for hook in settings.hooks}
        self.contract = encode(openapi(bool(settings.issuers), settings.hooks))
        self.in_flight = 0  # calls whose body has arrived and that are not answered yet
        self.held = Held(settings.max_body_bytes)
        self.browser = Browser(engine, settings) if served(settings) else None
        self.draining = False
        self._serve_by(engine, Judges(engine, _sending(settings), knowledge, self.recording.recorder))

    def serve_by(self, engine: CheckedEngine, knowledge: Path) -> None:
        """Judge by other rules from now on; calls under way are judged by the previous ones. May be called in any thread."""
        judges = Judges(engine, _sending(self.settings), knowledge, self.recording.recorder)
        judges.rehearse()
        self._serve_by(engine, judges)
        settle_memory()
        _log.warning("other rules are served", extra={"knowledge": engine.knowledge.hash})

    def _serve_by(self, engine: CheckedEngine, judges: Judges) -> None:
        self.engine, self.judges = engine, judges
        self.document = encode(discovery(engine.knowledge, self.settings.hooks))
        self.recording.serve_by(engine.knowledge)
        if self.browser is not None:
            self.browser.serve_by(engine)

    async def services(self, request: Request) -> Response:
        """GET /cds-services"""
        await self._caller(request)
        return as_json(self.document)

    async def service(self, request: Request) -> Response:
        """POST /cds-services/{id}"""
        if (
            self._is_full()
        ):  # before the token is verified: the same call can then be made again, and refusing it costs little
            return busy("too many calls at once")
        caller = await self._caller(request)
        hook = self.hooks.get(request.path_params["id"])
        if hook is None:
            return outcome(404, "there is no service of that id; see /cds-services")
        arrived = time.monotonic()
        body = await body_of(request, self.settings.max_body, self.settings.body_seconds)
        if self._is_full():
            return busy("too many calls at once")
        self.in_flight += 1
        try:
            return await self._judge(request, body, hook, caller, arrived)
        finally:
            self.in_flight -= 1

    def _is_full(self) -> bool:
        return self.in_flight >= self.settings.max_in_flight or self.judges.wait > LONGEST_WAIT

    async def feedback(self, request: Request) -> Response:
        """POST /cds-services/{id}/feedback"""
        caller = await self._caller(request)
        service = request.path_params["id"]
        if service not in self.hooks:
            return outcome(404, "there is no service of that id; see /cds-services")
        body = await body_of(request, min(self.settings.max_body, MOST_BYTES), self.settings.body_seconds)
        try:
            reports = read_feedback(body)
        except WrongFeedback as wrong:
            return outcome(400, str(wrong))
        try:
            await self.keeper.keep(service, caller.issuer, reports)
        except Unavailable as why:
            _log.error("feedback was not kept", extra={"fault": str(why)})
            return busy("feedback cannot be kept now")
        return as_json(b"{}")

    async def openapi(self, request: Request) -> Response:
        """GET /openapi.json: the contract, which contains nothing secret."""
        return as_json(self.contract)

    async def livez(self, request: Request) -> Response:
        """GET /livez: the event loop is running."""
        return as_json(b'{"status":"alive"}')

    async def readyz(self, request: Request) -> Response:
        """GET /readyz: rules are loaded, both engines agree, required records can be written, and no shutdown has begun."""
        if self.draining:
            return as_json(b'{"status":"draining"}', 503)
        try:
            self.engine.holding({"ordering": False}, "patient-view")
        except Exception as error:
            _log.error("self-test failed", extra={"fault": type(error).__name__})
            return as_json(b'{"status":"the rule engine fails its self-test"}', 503)
        fault = await self.recording.fault()
        if fault and self.recording.must:
            return as_json(encode({"status": f"records: {fault}"}), 503)
        known = self.engine.knowledge
        said = {"status": "ready", "protocol": known.protocol.id, "knowledge": known.hash}
        return as_json(encode(said | ({"records": fault} if fault else {})))

    def drain(self) -> None:
        """Report from now on that the service is shutting down."""
        self.draining = True

    async def _caller(self, request: Request) -> Caller:
        try:
            return await self.authentication.check(request.headers.get("authorization"), request.url.path)
        except Refused as refused:
            request.state.said["reason"] = refused.reason
            response = outcome(401, "the call is not authenticated")
            response.headers["www-authenticate"] = "Bearer"
            raise Answered(response) from None
        except Unknowable:
            request.state.said["reason"] = "replay store"
            raise Answered(busy("whether the token was used before cannot be known now")) from None

    async def _judge(self, request: Request, body: bytes, hook: HookName, caller: Caller, arrived: float) -> Response:
        """The answer to a request body. Any internal fault becomes a card that says so: a client shows an error status as
        'all clear', and posts the call again."""
        try:
            answer = await self._answer(request, body, hook, caller, arrived)
        except (InputError, NoMedications, Gone, TooLate) as error:
            # an InputError says what is wrong in our own words, and contains nothing from the request
            request.state.said["reason"] = str(error) if isinstance(error, InputError) else _REASONS[type(error)]
            return _refusal(error)
        except Exception as error:
            event = "engine fault" if isinstance(error, EngineFault) else "fault"
            _log.error(event, extra={"fault": str(error) if isinstance(error, NotValid) else type(error).__name__})
            if self.recording.metrics is not None:
                self.recording.metrics.failed(event)
            answer = self._fault()
        request.state.said["cards"] = answer.cards
        if not await self.recording.keep(request, answer.decision, caller, arrived):
            return busy("the decision cannot be recorded now")
        return as_json(answer.content)

    def _fault(self) -> Answer:
        """The answer where the engine failed."""
        card = fault_card(self.engine.knowledge)
        return Answer(encode({"cards": [card]}), 1, self.recording.of_fault(card, self.engine.knowledge, self.clock()))

    async def _answer(self, request: Request, body: bytes, hook: HookName, caller: Caller, arrived: float) -> Answer:
        waiting = Waiting(request.is_disconnected, arrived + PATIENCE * self.settings.answer_seconds)
        server = server_of(body, caller)
        if server is not None:
            body = await self._completed(request, waiting, body, hook, server, arrived)
        now = self.clock()
        history = await self.recording.history(body, caller.issuer, now)
        return await self.judges.run(waiting, Judge.answer, body, hook, now, caller.issuer, history)

    async def _completed(
        self, request: Request, waiting: Waiting, body: bytes, hook: HookName, server: Server, arrived: float
    ) -> bytes:
        """The request body, completed with what was not sent, and then with the Medications that the fetched answers refer to."""
        said = request.state.said
        said["fetched"] = 0
        asked: set[str] = set()
        for find in (Judge.lacking, Judge.unread_medications):
            found = await self.judges.run(waiting, find, body, hook, server)
            queries = {key: query for key, query in found.items() if query not in asked}
            if not queries:
                break
            asked |= set(queries.values())
            left = self.settings.answer_seconds - (time.monotonic() - arrived)
            body, answered = await completed(body, self.peers.of(server), server, queries, max(left, 0.0))
            said["fetched"] += answered
        return body


def create_app(
    engine: CheckedEngine,
    settings: Settings | None = None,
    *,
    clock: Clock | None = None,
    keeper: Keeper | None = None,
    client: httpx.AsyncClient | None = None,
    knowledge: Path | None = None,
) -> Starlette:
    """The service as an ASGI application.

    ``clock`` says what time it is in the hospital, ``keeper`` takes feedback, ``client`` calls FHIR servers back.
    ``knowledge`` is a file that ``into_cache`` wrote: with it, large bodies are judged in separate processes and do not delay other calls.
    """
    settings = settings or Settings()
    service = Service(engine, settings, clock, keeper, client, knowledge)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
        service.judges.rehearse()
        warming = asyncio.create_task(service.judges.warm())
        with drained(settings.drain_seconds, service.drain):
            yield {"service": service}
        warming.cancel()
        await asyncio.to_thread(service.recording.close)
        await service.peers.aclose()
        await service.key_client.aclose()

    logged = [Middleware(RequestLog, service.held, lambda: service.draining, service.recording.metrics)]
    routes = [
        Route("/livez", service.livez, methods=["GET"]),
        Route("/readyz", service.readyz, methods=["GET"]),
        Route("/openapi.json", service.openapi, methods=["GET"]),
        Route("/cds-services", service.services, methods=["GET"], middleware=logged),
        Route("/cds-services/", service.services, methods=["GET"], middleware=logged),
        Route("/cds-services/{id}", service.service, methods=["POST"], middleware=logged),
        Route("/cds-services/{id}/feedback", service.feedback, methods=["POST"], middleware=logged),
    ]
    if service.browser is not None:
        routes += service.browser.routes(logged)
    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.allow_origins,
        allow_origin_regex=LOOPBACK,
        allow_private_network=True,  # for a page on the internet the browser asks us (preflight) before it calls loopback
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type", "x-request-id"],
        expose_headers=["x-request-id", "retry-after", "server-timing"],
    )
    door = Middleware(Door, settings.known_hosts, settings.allow_origins, LOOPBACK)
    handlers = {HTTPException: _http_error, Answered: _answered}
    app = Starlette(routes=routes, middleware=[door, cors], exception_handlers=handlers, lifespan=lifespan)
    app.router.redirect_slashes = False  # a redirect would answer with the caller's own Host
    app.state.service, app.state.held = service, service.held
    return app


def _sending(settings: Settings) -> Sending:
    return Sending(settings.check_answers, settings.pages or "", settings.one_action)


def _refusal(error: Exception) -> Response:
    """The answer to a call that is not judged, and why."""
    if isinstance(error, Gone):
        return Response(status_code=400)
    if isinstance(error, TooLate):
        return busy("too many calls at once")
    if isinstance(error, NoMedications):
        return outcome(412, "the prefetch key 'medications' was not supplied; without it nothing can be judged")
    return outcome(400, str(error))


async def _answered(request: Request, error: Exception) -> Response:
    assert isinstance(error, Answered)
    return error.response


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {404: "there is nothing at this address", 405: "this address does not take that method"}
    response = outcome(error.status_code, words.get(error.status_code, "the request cannot be answered"))
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response
