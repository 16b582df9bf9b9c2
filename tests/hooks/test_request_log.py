"""What surrounds a call, alone: when the bytes of its body are given back."""

from __future__ import annotations

import asyncio

from starlette.types import Message, Receive, Scope, Send

from cds.hooks.http import Held
from cds.hooks.request_log import RequestLog


def test_whoever_reads_an_answer_slowly_keeps_no_body_of_others_out() -> None:
    held = Held(100)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        held.take(100)
        scope["state"]["held"] = 100
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Message) -> None:
        held.take(100)  # the body of another call, while the answer goes out; more than there is raises

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    scope = {"type": "http", "headers": [], "path_params": {}}
    asyncio.run(RequestLog(app, held, lambda: False)(scope, receive, send))


def test_a_call_that_fails_gives_back_what_it_held() -> None:
    held = Held(100)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        held.take(100)
        scope["state"]["held"] = 100
        raise ConnectionResetError

    async def nothing() -> Message:
        raise AssertionError("nothing is read")

    async def never(message: Message) -> None:
        raise AssertionError("nothing is sent")

    scope = {"type": "http", "headers": [], "path_params": {}}
    try:
        asyncio.run(RequestLog(app, held, lambda: False)(scope, nothing, never))
    except ConnectionResetError:
        held.take(100)
    else:
        raise AssertionError("the failure was kept from the server")
