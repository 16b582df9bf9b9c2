"""``python -m tests.load.ours PORT``: the service as a user starts it, with its clock on the day of the bench's patients.

Every worker is started by importing this, so all of them have the clock, and note turns of their loop that took long in
the file that the environment names.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from functools import partial
from pathlib import Path

from cds.hooks import serving
from tests.bench.patients import JUDGED_ON
from tests.judge import now_on
from tests.load.calls import LONG, SLOW_TURNS


def note_long_turns(file: Path) -> None:
    """Append, for each handle that the loop ran for longer than ``LONG``: milliseconds, those of the processor, what it was."""
    run = asyncio.events.Handle._run

    def timed(handle: asyncio.events.Handle) -> None:
        began, worked = time.perf_counter(), time.thread_time()
        run(handle)
        if (took := time.perf_counter() - began) > LONG:
            with file.open("a") as noted:
                noted.write(f"{took * 1000:.0f} ({(time.thread_time() - worked) * 1000:.0f}) {_name_of(handle)}\n")

    asyncio.events.Handle._run = timed


def _name_of(handle: asyncio.events.Handle) -> str:
    owner = getattr(handle._callback, "__self__", None)
    coroutine = owner.get_coro() if isinstance(owner, asyncio.Task) else owner
    return getattr(coroutine, "__qualname__", type(coroutine).__name__)


serving.create_app = partial(serving.create_app, clock=lambda: now_on(JUDGED_ON))
if SLOW_TURNS in os.environ:
    note_long_turns(Path(os.environ[SLOW_TURNS]))

if __name__ == "__main__":
    from cds.cli.main import run

    sys.argv = ["sirolimus-cds", "serve", "--port", sys.argv[1]]
    run()
