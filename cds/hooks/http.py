"""What all answers over HTTP have in common: bounded bodies, and errors that contain nothing from the request."""

from __future__ import annotations

import asyncio

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

encode = msgspec.json.Encoder(decimal_format="number").encode
_ISSUE = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    408: "timeout",
    412: "required",
    413: "too-long",
    415: "not-supported",
    500: "exception",
    503: "transient",
}


class Held:
    """Counts the bytes of request bodies that are in memory, up to a limit."""

    def __init__(self, most: int) -> None:
        self._most, self._bytes = most, 0

    def take(self, number: int) -> None:
        """Count ``number`` more bytes. Raises Answered if that exceeds the limit."""
        if self._bytes + number > self._most:
            raise Answered(busy("too many bodies at once"))
        self._bytes += number

    def give_back(self, number: int) -> None:
        self._bytes -= number


class Answered(Exception):
    """The call is answered already, with an error."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def as_json(content: bytes, status: int = 200) -> Response:
    return Response(content, status_code=status, media_type="application/json")


def outcome(status: int, message: str) -> Response:
    """An error as an OperationOutcome; ``message`` never contains anything from the request."""
    issue = {"severity": "error", "code": _ISSUE.get(status, "processing"), "diagnostics": message}
    return as_json(encode({"resourceType": "OperationOutcome", "issue": [issue]}), status)


def busy(message: str) -> Response:
    """A temporary error: the same call may be made again soon."""
    response = outcome(503, message)
    response.headers["retry-after"] = "1"
    return response


async def body_of(request: Request, most: int, seconds: float) -> bytes:
    """The JSON body of a call. Raises Answered when there is none, too much of it, or it comes too slowly."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/json", "application/fhir+json"):
        raise Answered(outcome(415, "the body must be application/json"))
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Answered(outcome(415, "compressed bodies are not taken"))
    return await bounded(request, most, seconds)


async def bounded(request: Request, most: int, seconds: float) -> bytes:
    """The bytes of a body of any kind. Raises Answered when there are too many, or they come too slowly."""
    try:
        body = await asyncio.wait_for(_read(request, most), seconds)
    except TimeoutError:
        raise Answered(outcome(408, "the body did not arrive in time")) from None
    except ClientDisconnect:
        raise Answered(Response(status_code=400)) from None
    if body is None:
        raise Answered(outcome(413, f"the body is larger than {most} bytes"))
    return body


async def _read(request: Request, most: int) -> bytes | None:
    """The body, or None when it is too large; never more than the limit in memory."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > most:
        return None
    chunks: list[bytes] = []
    size = 0
    held: Held = request.app.state.held
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            return None
        held.take(len(chunk))
        request.state.held = size
        chunks.append(chunk)
    return b"".join(chunks)
