"""The end in two steps: first every answer says that it is the last of its connection and readiness that the end is near, then the door closes."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def drained(seconds: float, begin: Callable[[], None]) -> Iterator[None]:
    """Put off SIGTERM: ``begin`` is called at once, and the handler that stood before only ``seconds`` later.

    Calls are heard and answered meanwhile, so that whoever hands them on can look at readiness and go elsewhere. Told a
    second time, it waits no longer.
    """
    if threading.current_thread() is not threading.main_thread():  # as in tests; signals are not its own there
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
