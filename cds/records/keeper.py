"""What the service hands to the store: decisions, feedback, and tokens that were used."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import NamedTuple, Protocol
from uuid import uuid4

from cds.compiled.hooks import HookName
from cds.records.database import Connection
from cds.records.decision import Decision, packed
from cds.records.store import Store

_SWEEP = 256
"""Every so many tokens the expired ones are forgotten."""
_DAY = 86_400
_PURGED = 3600  # seconds between two looks for what is too old


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
    """The store of a service. ``days``: for how long decisions and feedback are kept; 0 for as long as nobody purges them."""

    def __init__(self, store: Store, now: Callable[[], float], days: int = 0) -> None:
        self.store, self._now, self._days = store, now, days
        self._tokens, self._purged = 0, 0.0

    async def decided(self, decision: Decision, asked: Asked) -> None:
        """Keep a decision, and now and then delete what is too old. Raises Unavailable: it is not kept."""
        at = self._now()
        await self.store.write(lambda connection: _insert_decision(connection, decision, asked, at))
        if self._days and at - self._purged > _PURGED:
            self._purged = at
            await self.store.write(lambda connection: purge(connection, at - self._days * _DAY))

    async def keep(self, service: str, issuer: str, reports: Sequence[Report]) -> None:
        """Keep feedback; the same may come again. Raises Unavailable: it was not kept."""
        received = self._now()

        def insert(connection: Connection) -> None:
            for report in reports:
                _insert_feedback(connection, report, service, issuer, received)

        await self.store.write(insert)

    async def take(self, token: bytes, until: float) -> bool:
        """Take note of a token; False if it was seen before. Raises Unavailable when that cannot be known."""
        self._tokens += 1
        now = self._now() if self._tokens % _SWEEP == 1 else 0.0

        def insert(connection: Connection) -> bool:
            if now:
                connection.execute("DELETE FROM tokens WHERE until < ?", (now,))
            done = connection.execute("INSERT INTO tokens VALUES (?, ?) ON CONFLICT DO NOTHING", (token, until))
            return done.rowcount == 1

        return await self.store.write(insert)


def digest_of(issuer: str, jti: str) -> bytes:
    """A token as it is kept."""
    return sha256(f"{len(issuer)}:{issuer}{jti}".encode()).digest()


def _insert_decision(connection: Connection, decision: Decision, asked: Asked, at: float) -> None:
    made = str(uuid4())
    connection.execute(
        "INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            made,
            at,
            asked.request,
            asked.hook,
            asked.issuer,
            decision.patient,
            decision.now,
            decision.outcome,
            decision.knowledge,
            decision.protocol,
            decision.program,
            asked.ms,
            packed(decision.verdict),
            decision.facts,
            decision.input,
        ),
    )
    for each in decision.verdict.findings:
        connection.execute(
            "INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?, ?)",
            (made, each.rule, each.version, each.indicator, each.place, each.card, int(each.leads)),
        )


def _insert_feedback(connection: Connection, report: Report, service: str, issuer: str, received: float) -> None:
    """One report. A card that this service did not show to this issuer is flagged, and counts for no rule."""
    shown = connection.execute(
        "SELECT 1 FROM findings JOIN decisions ON decisions.id = findings.decision WHERE card = ? AND issuer = ? LIMIT 1",
        (report.card, issuer),
    ).fetchall()
    code, system, display = report.reason
    connection.execute(
        "INSERT INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
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


def purge(connection: Connection, before: float) -> int:
    """Delete decisions of before that moment with all that belongs to them; how many decisions it were."""
    connection.execute(
        "DELETE FROM feedback WHERE received < ? OR card IN (SELECT card FROM findings WHERE decision IN"
        " (SELECT id FROM decisions WHERE at < ?))",
        (before, before),
    )
    connection.execute("DELETE FROM findings WHERE decision IN (SELECT id FROM decisions WHERE at < ?)", (before,))
    return connection.execute("DELETE FROM decisions WHERE at < ?", (before,)).rowcount
