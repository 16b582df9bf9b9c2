"""The HTTP service. It knows HTTP and nothing of the inside: ``advise`` does the rest."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from cds.advise import advise
from cds.cards.order import fault_card
from cds.chart.body import InputError
from cds.chart.model import Hook
from cds.chart.request import read_request
from cds.engine import Engine, EngineFault
from cds.hooks.discovery import SERVICES, discovery

MAX_BODY = 2 * 1024 * 1024
BODY_SECONDS = 5.0
LOOPBACK = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?"
_encode = msgspec.json.Encoder(decimal_format="number").encode
_log = logging.getLogger("cds.hooks")

_ISSUE = {
    400: "invalid",
    404: "not-found",
    405: "not-supported",
    408: "timeout",
    412: "required",
    413: "too-long",
    415: "not-supported",
}


Clock = Callable[[], datetime]


def local_now() -> datetime:
    """The time where the service runs, so that a date without a time is today's when it is today there."""
    return datetime.now(UTC).astimezone()


def settle_memory() -> None:
    """Keep the collector away from what lives as long as the process: it is what makes slow requests slow."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def create_app(engine: Engine, clock: Clock = local_now, origins: Sequence[str] = ()) -> Starlette:
    """The service over one engine.

    ``clock`` says what time it is; pages of ``origins``, and of loopback, may call it from a browser.
    """
    document = _encode(discovery(engine.knowledge))

    async def services(request: HttpRequest) -> Response:
        return _json(document)

    async def service(request: HttpRequest) -> Response:
        return await _answer(request, engine, clock)

    routes = [
        Route("/cds-services", services, methods=["GET"]),
        Route("/cds-services/", services, methods=["GET"]),
        Route("/cds-services/{id}", service, methods=["POST"]),
    ]
    cors = Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_origin_regex=LOOPBACK,
        allow_private_network=True,  # a page on the internet asks the browser before it calls loopback
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type"],
    )
    app = Starlette(routes=routes, middleware=[cors], exception_handlers={HTTPException: _http_error})
    app.router.redirect_slashes = False  # a redirect would answer with the caller's own Host
    return app


async def _answer(request: HttpRequest, engine: Engine, clock: Clock) -> Response:
    hook = SERVICES.get(request.path_params["id"])
    if hook is None:
        return outcome(404, "there is no service of that id; see /cds-services")
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind not in ("application/json", "application/fhir+json"):
        return outcome(415, "the body must be application/json")
    if request.headers.get("content-encoding", "identity") != "identity":
        return outcome(415, "compressed bodies are not taken")
    try:
        body = await asyncio.wait_for(_body(request), BODY_SECONDS)
    except TimeoutError:
        return outcome(408, "the body did not arrive in time")
    except ClientDisconnect:
        return Response(status_code=400)
    if body is None:
        return outcome(413, f"the body is larger than {MAX_BODY} bytes")
    return _judge(body, hook, engine, clock())


def _judge(body: bytes, hook: Hook, engine: Engine, now: datetime) -> Response:
    try:
        question = read_request(body, hook)
        if not question.from_hook:
            return outcome(400, "this is a FHIR Bundle, not a CDS Hooks request")
        if "MedicationRequest" in question.not_supplied:
            return outcome(412, "the prefetch key 'medications' was not supplied; without it nothing can be judged")
        cards = advise(question, engine, now).cards
    except InputError as error:
        return outcome(400, str(error))
    except EngineFault as fault:
        # an error status reads as 'all clear' in a client and is posted again; a card is seen
        _log.error("engine fault: %s", fault)
        cards = [fault_card(engine.knowledge)]
    except Exception as error:  # whatever else goes wrong: no advice, no text of the request, and a card that says so
        _log.error("fault: %s", type(error).__name__)
        cards = [fault_card(engine.knowledge)]
    return _json(_encode({"cards": cards}))


async def _body(request: HttpRequest) -> bytes | None:
    """The body, or None when it is too large; never more than the limit in memory."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > MAX_BODY:
        return None
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _json(content: bytes, status: int = 200) -> Response:
    return Response(content, status_code=status, media_type="application/json")


def outcome(status: int, message: str) -> Response:
    """An error as an OperationOutcome; ``message`` never holds anything of the request."""
    issue = {"severity": "error", "code": _ISSUE.get(status, "processing"), "diagnostics": message}
    return _json(_encode({"resourceType": "OperationOutcome", "issue": [issue]}), status)


async def _http_error(request: HttpRequest, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {404: "there is nothing at this address", 405: "this address does not take that method"}
    response = outcome(error.status_code, words.get(error.status_code, "the request cannot be answered"))
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response
