"""Keeps each EHR's FHIR server separate from the others: its own connections, a limit on queries at once, and a pause when it fails."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

import httpx

from cds.hooks.fetch import Server, fetch

_AT_ONCE = 24
"""Queries to one server at once; every query that waits in the client's pool makes the pool more costly."""
_FAILURES = 5  # calls in a row without a single answered query
_REST = 10.0  # seconds for which the server is then not queried
_log = logging.getLogger("cds.hooks")


class Peer:
    """A FHIR server. After several calls in a row without an answer it is not queried for a while, and then tried again."""

    def __init__(self, client: httpx.AsyncClient, clock: Callable[[], float] = time.monotonic) -> None:
        self.client, self._clock = client, clock
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._failures, self._rests_until = 0, float("-inf")

    async def fetch(self, server: Server, queries: Mapping[str, str], seconds: float) -> dict[str, bytes]:
        """The answers to queries, by key. Queries that failed, came too late, or were not sent are left out."""
        if not queries or self._clock() < self._rests_until:
            return {}
        found = await fetch(self.client, server, queries, seconds, self._slots)
        self._failures = 0 if found else self._failures + 1
        if self._failures >= _FAILURES:  # the next failure after the pause starts another pause
            self._rests_until = self._clock() + _REST
            _log.warning("a FHIR server is left alone for a while", extra={"fault": "no answers"})
        return found


class Peers:
    """The FHIR servers that the settings allow, each with a client of its own."""

    def __init__(self, make: Callable[[], httpx.AsyncClient]) -> None:
        self._make = make
        self._peers: dict[str, Peer] = {}

    def of(self, server: Server) -> Peer:
        """The peer for this server, whose base address is one from the settings."""
        if server.base not in self._peers:
            self._peers[server.base] = Peer(self._make())
        return self._peers[server.base]

    async def aclose(self) -> None:
        for peer in self._peers.values():
            await peer.client.aclose()
