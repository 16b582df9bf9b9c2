"""One thread writes: the writes of many calls are committed together, and each call is answered after the commit."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from cds.records.database import Connection, Database, Unavailable

_T = TypeVar("_T")
_TOGETHER = 256
"""Maximum number of writes in one commit."""
_END = 3.0  # seconds that closing may take
_SLOW = "the commit takes too long"
_WAITING = 4096
"""Maximum number of writes that wait; beyond it the store reports that it is unavailable, because memory is limited."""


class _Write(NamedTuple):
    do: Callable[[Connection], Any]
    done: Callable[[Any, str], None]


class Store:
    """A database and its one writing thread. Usable from several event loops and threads.

    ``patience``: seconds that a call waits for its commit. While a commit takes longer, as on a disk that hangs, new calls do not wait.
    """

    def __init__(self, database: Database, patience: float = 2.0) -> None:
        self._database, self._patience = database, patience
        self._began: float | None = None  # when the current commit began
        self._writes: queue.Queue[_Write | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._run, name="records", daemon=True)
        self._thread.start()
        self._is_closed = False

    async def write(self, do: Callable[[Connection], _T]) -> _T:
        """Call ``do`` in a transaction, perhaps together with the writes of other calls. Its writes are durable when this returns.

        ``do`` is called in another thread; if the transaction fails, none of its writes have happened.

        Raises:
            Unavailable: it could not be written, or not be known in time whether it was.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()

        def settle(result: Any, why: str) -> None:
            if future.done():
                return
            if why:
                future.set_exception(Unavailable(why))
            else:
                future.set_result(result)

        def done(result: Any, why: str) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, result, why)

        if self._is_closed:
            raise Unavailable("the records are closed")
        if self._began is not None and time.monotonic() - self._began > self._patience:
            raise Unavailable(_SLOW)
        try:
            self._writes.put_nowait(_Write(do, done))
        except queue.Full:
            raise Unavailable("too much waits to be written") from None
        try:
            async with asyncio.timeout(self._patience):
                return await future
        except TimeoutError:
            raise Unavailable(_SLOW) from None

    def free_bytes(self) -> int | None:
        """Bytes that are free where the records are stored; None if this program cannot know. Raises Unavailable."""
        return self._database.free_bytes()

    def close(self) -> None:
        """Write what is queued, and close the database; a disk that hangs delays this by a few seconds at most."""
        if self._is_closed:
            return
        self._is_closed = True
        with contextlib.suppress(queue.Full):
            self._writes.put(None, timeout=_END)
        self._thread.join(_END)
        if not self._thread.is_alive():
            self._database.close()

    def _run(self) -> None:
        while True:
            first = self._writes.get()
            if first is None:
                return
            batch, is_last = self._taken(first)
            self._commit(batch)
            if is_last:
                return

    def _taken(self, first: _Write) -> tuple[list[_Write], bool]:
        """``first`` and the writes that wait behind it, and whether the store is closing."""
        batch = [first]
        while len(batch) < _TOGETHER:
            try:
                following = self._writes.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return batch, True
            batch.append(following)
        return batch, False

    def _commit(self, batch: list[_Write]) -> None:
        """Commit a whole batch in one transaction; if that fails, each write by itself, so that one bad write does not fail the others."""
        self._began = time.monotonic()
        try:
            with self._database.transaction() as connection:
                results = [write.do(connection) for write in batch]
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, Unavailable):
                for write in batch:
                    self._commit([write])
                return
            why = str(error) if isinstance(error, Unavailable) else type(error).__name__
            for write in batch:
                write.done(None, why)
        else:
            for write, result in zip(batch, results, strict=True):
                write.done(result, "")
        finally:
            self._began = None
