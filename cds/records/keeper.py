"""What the service hands to the store: decisions, feedback, and tokens that were used."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple, Protocol
from uuid import uuid4

from msgspec.structs import asdict

from cds.cards.held_back import Earlier
from cds.compiled.hooks import HookName
from cds.records.database import Connection, Unavailable
from cds.records.decision import Decision, packed
from cds.records.schema import COLUMNS
from cds.records.snooze import Snoozed, earlier_of
from cds.records.store import Store

_SWEEP = 256
"""Number of tokens after which expired ones are removed."""
_DAY = 86_400
_PURGED = 3600  # seconds between two searches for decisions that are too old
_PROBE = b"probe"  # cannot be the digest of a token, which has 32 bytes
_STEP, _PAUSE = 100, 0.05  # decisions that are deleted at a time, and seconds between two deletions


class Asked(NamedTuple):
    """Which call a decision answers: the id of the request, the hook, who asked, and how long it took in ms."""

    request: str
    hook: HookName
    issuer: str
    ms: float


class Report(Protocol):
    """What became of a card, as the service reads it; every text is bounded."""

    @property
    def card(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def at(self) -> float: ...
    @property
    def suggestions(self) -> Sequence[str]: ...
    @property
    def reason(self) -> tuple[str, str, str]:
        """Code, system and display of the reason."""

    @property
    def comment(self) -> str: ...


class Records:
    """The store of a service. ``days``: for how long decisions and feedback are kept; 0: until they are purged."""

    def __init__(self, store: Store, now: Callable[[], float], days: int = 0) -> None:
        self.store, self._now, self._days = store, now, days
        self._tokens, self._purged = 0, 0.0

    async def decided(self, decision: Decision, asked: Asked) -> None:
        """Store a decision. Raises Unavailable if it was not stored."""
        at = self._now()
        await self.store.write(lambda connection: _insert_decision(connection, decision, asked, at))

    async def probe(self) -> None:
        """Write a row without meaning, to test writing. Raises Unavailable."""
        until = self._now()
        sql = "INSERT INTO tokens VALUES (?, ?) ON CONFLICT (token) DO UPDATE SET until = excluded.until"
        await self.store.write(lambda connection: connection.execute(sql, (_PROBE, until)))

    def tidy(self) -> Coroutine[Any, Any, None] | None:
        """A coroutine that deletes decisions that are too old, a few at a time, so that no call waits for it; None if it is not due."""
        at = self._now()
        if not self._days or at - self._purged <= _PURGED:
            return None
        self._purged = at
        return self._purge(at - self._days * _DAY)

    async def _purge(self, before: float) -> None:
        with contextlib.suppress(Unavailable):  # the rest is deleted the next time
            while await self.store.write(lambda connection: purge_some(connection, before)):
                await asyncio.sleep(_PAUSE)

    async def earlier(self, patient: str, wanted: Snoozed, now: datetime) -> tuple[Earlier, ...]:
        """What happened to this patient's earlier cards, for the rules whose cards may be held back. Raises Unavailable."""
        return await self.store.write(lambda connection: earlier_of(connection, patient, wanted, now))

    async def keep(self, service: str, issuer: str, reports: Sequence[Report]) -> None:
        """Store feedback; the same reports may be sent again. Raises Unavailable if it was not stored."""
        received = self._now()

        def insert(connection: Connection) -> None:
            for report in reports:
                _insert_feedback(connection, report, service, issuer, received)

        await self.store.write(insert)

    async def take(self, token: bytes, until: float) -> bool:
        """Record a token; False if it was seen before. Raises Unavailable if that cannot be determined."""
        self._tokens += 1
        now = self._now() if self._tokens % _SWEEP == 1 else 0.0

        def insert(connection: Connection) -> bool:
            if now:
                connection.execute("DELETE FROM tokens WHERE until < ?", (now,))
            done = connection.execute("INSERT INTO tokens VALUES (?, ?) ON CONFLICT DO NOTHING", (token, until))
            return done.rowcount == 1

        return await self.store.write(insert)


def digest_of(issuer: str, jti: str) -> bytes:
    """The digest under which a token is stored."""
    return sha256(f"{len(issuer)}:{issuer}{jti}".encode()).digest()


def _insert_decision(connection: Connection, decision: Decision, asked: Asked, at: float) -> None:
    made = str(uuid4())
    values = asdict(decision) | asked._asdict() | {"id": made, "at": at, "verdict": packed(decision.verdict)}
    connection.execute(
        "INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [values[name] for name in COLUMNS]
    )
    for each in decision.verdict.findings:
        connection.execute(
            "INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (made, each.rule, each.version, each.indicator, each.place, each.card, int(each.leads), each.basis),
        )


def _insert_feedback(connection: Connection, report: Report, service: str, issuer: str, received: float) -> None:
    """Insert one report; if it is sent again, add what it says in addition. A card that was not shown to this issuer is flagged."""
    shown = connection.execute(
        "SELECT 1 FROM findings JOIN decisions ON decisions.id = findings.decision WHERE card = ? AND issuer = ? LIMIT 1",
        (report.card, issuer),
    ).fetchall()
    code, system, display = report.reason
    connection.execute(
        "INSERT INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (card, outcome, at, issuer) DO UPDATE SET"
        " reason = CASE WHEN excluded.reason <> '' THEN excluded.reason ELSE feedback.reason END,"
        " system = CASE WHEN excluded.reason <> '' THEN excluded.system ELSE feedback.system END,"
        " display = CASE WHEN excluded.reason <> '' THEN excluded.display ELSE feedback.display END,"
        " comment = CASE WHEN excluded.comment <> '' THEN excluded.comment ELSE feedback.comment END",
        (
            report.card,
            report.outcome,
            report.at,
            received,
            service,
            issuer,
            len(shown),
            json.dumps(list(report.suggestions)),
            code,
            system,
            display,
            report.comment,
        ),
    )


def purge_some(connection: Connection, before: float) -> int:
    """Delete some decisions made before that moment, with all that belongs to them. Returns how many; 0 if none is left."""
    rows = connection.execute("SELECT id FROM decisions WHERE at < ? ORDER BY at LIMIT ?", (before, _STEP)).fetchall()
    for (each,) in rows:
        cards = connection.execute("SELECT card FROM findings WHERE decision = ? AND card <> ''", (each,)).fetchall()
        for (card,) in cards:
            connection.execute("DELETE FROM feedback WHERE card = ?", (card,))
        connection.execute("DELETE FROM findings WHERE decision = ?", (each,))
        connection.execute("DELETE FROM decisions WHERE id = ?", (each,))
    if not rows:
        connection.execute("DELETE FROM feedback WHERE received < ?", (before,))
    return len(rows)
