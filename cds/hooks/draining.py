"""Shutdown in two steps: first every answer says that it is the last on its connection, and /readyz that the service is shutting down;
then no more calls are accepted."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def drained(seconds: float, begin: Callable[[], None]) -> Iterator[None]:
    """Delay SIGTERM: ``begin`` is called at once, and the previous handler only ``seconds`` later.

    Calls are accepted and answered meanwhile, so that a load balancer can check readiness and send calls elsewhere. A second
    SIGTERM ends the delay.
    """
    if threading.current_thread() is not threading.main_thread():  # as in tests: no handlers can be set here
        yield
        return
    loop, before = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)
    told = False

    def end(number: int, frame: FrameType | None) -> None:
        if callable(before):
            before(number, frame)

    def first(number: int, frame: FrameType | None) -> None:
        nonlocal told
        if told:
            end(number, frame)
            return
        told = True
        begin()
        loop.call_soon_threadsafe(loop.call_later, seconds, end, number, None)

    signal.signal(signal.SIGTERM, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
