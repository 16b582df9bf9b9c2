"""Tokens that were seen: each may be used once, whichever worker it reaches, also after a restart."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

_SWEEP = 256
"""Every so many tokens the expired ones are forgotten."""


class SeenTokens:
    """(issuer, jti) until expiry, as digests, in one SQLite file (or in memory for a single worker).

    One short statement a request: the unique key makes sure that of two workers only one accepts.
    """

    def __init__(self, file: Path | None, now: Callable[[], float]) -> None:
        self._now = now
        self._connection = sqlite3.connect(
            file or ":memory:", timeout=2.0, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("CREATE TABLE IF NOT EXISTS seen (token BLOB PRIMARY KEY, until REAL) WITHOUT ROWID")
        self._taken = 0

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
        self._connection.close()
