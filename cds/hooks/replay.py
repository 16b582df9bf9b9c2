"""Tokens that were seen: each may be used once, whichever worker it reaches, also after a restart."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

_WAIT = 0.5  # seconds for whoever else writes
_SWEEP = 256
"""Every so many tokens the expired ones are forgotten."""


class SeenTokens:
    """(issuer, jti) until expiry, as digests, in one SQLite file (or in memory for a single worker).

    One short statement a request: the unique key makes sure that of two workers only one accepts. A file is asked in a thread of
    its own: one that somebody else has locked holds no other call up.
    """

    def __init__(self, file: Path | None, now: Callable[[], float]) -> None:
        self._now = now
        self._thread = ThreadPoolExecutor(1, "replay-store") if file is not None else None
        self._connection = sqlite3.connect(
            file or ":memory:", timeout=_WAIT, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("CREATE TABLE IF NOT EXISTS seen (token BLOB PRIMARY KEY, until REAL) WITHOUT ROWID")
        self._taken = 0

    async def take(self, issuer: str, jti: str, until: float) -> bool:
        """``first_use`` without holding the loop. Raises sqlite3.Error or TimeoutError when it cannot be known in time."""
        if self._thread is None:
            return self.first_use(issuer, jti, until)
        async with asyncio.timeout(2 * _WAIT):
            return await asyncio.get_running_loop().run_in_executor(self._thread, self.first_use, issuer, jti, until)

    def first_use(self, issuer: str, jti: str, until: float) -> bool:
        """Take note of a token; False if it was seen before. Raises sqlite3.Error when that cannot be known."""
        self._taken += 1
        if self._taken % _SWEEP == 1:
            self._connection.execute("DELETE FROM seen WHERE until < ?", (self._now(),))
        token = sha256(f"{len(issuer)}:{issuer}{jti}".encode()).digest()
        cursor = self._connection.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (token, until))
        return cursor.rowcount == 1

    def close(self) -> None:
        """Let go of the file."""
        if self._thread is not None:
            self._thread.shutdown(wait=True, cancel_futures=True)
        self._connection.close()
