"""Stored decisions, found by card, by request, or by what they said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

import msgspec

from cds.chart.request import Request
from cds.compiled.hooks import HookName
from cds.records.database import Connection
from cds.records.decision import Decision, unpacked
from cds.records.kept_facts import facts_of
from cds.records.reduced import request_of
from cds.records.schema import COLUMNS

Outcome = Literal["cards", "no card", "fault", "accepted", "overridden", "unanswered"]
OUTCOMES: tuple[Outcome, ...] = ("cards", "no card", "fault", "accepted", "overridden", "unanswered")
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM decisions"


class Stored(Decision, frozen=True, kw_only=True):
    """A decision and the call that it answers. ``at``: when it was made; ``now``: the time as of which the chart was judged."""

    id: str
    at: float
    request: str
    hook: HookName
    issuer: str
    ms: float

    @property
    def moment(self) -> datetime:
        """The time as of which the chart was judged."""
        return datetime.fromisoformat(self.now)

    def asked(self) -> Request | None:
        """The reduced request; None where it was not kept."""
        return None if self.input is None else request_of(self.input, self.hook)

    def compared(self) -> dict[str, object] | None:
        """The facts that the rules compared; None where they were not kept."""
        return None if self.facts is None else facts_of(self.facts)


class Wanted(msgspec.Struct, frozen=True):
    """Which decisions to find: since and until when (seconds since 1970), with which rule and outcome; the newest come first."""

    since: float = 0.0
    until: float = float("inf")
    rule: str = ""
    outcome: Outcome | Literal[""] = ""
    most: int | None = None


class Answer(msgspec.Struct, frozen=True):
    """What a clinician reported on a card."""

    card: str
    outcome: str
    at: float
    reason: str
    comment: str


def by_name(connection: Connection, name: str) -> list[Stored]:
    """The decision with that id or with a card of that id; else the decisions that answered a request of that id, oldest first.

    Senders choose the ids of their requests: if such an id is also the id of another decision's card, the card takes precedence.
    """
    shown = connection.execute(
        f"{_SELECT} WHERE id = ? OR id IN (SELECT decision FROM findings WHERE card = ?)", (name, name)
    ).fetchall()
    rows = shown or connection.execute(f"{_SELECT} WHERE request = ? ORDER BY at", (name,)).fetchall()
    return [_stored(row) for row in rows]


def wanted(connection: Connection, which: Wanted) -> Iterator[Stored]:
    """The decisions that fit, without holding them all in memory at once."""
    where, parameters = ["at >= ?", "at < ?"], [which.since, which.until]
    values: list[object] = list(parameters)
    if which.rule:
        where.append("id IN (SELECT decision FROM findings WHERE rule = ?)")
        values.append(which.rule)
    if which.outcome in ("cards", "no card", "fault"):
        where.append("outcome = ?")
        values.append(which.outcome)
    elif which.outcome == "unanswered":
        where.append(
            "id IN (SELECT decision FROM findings WHERE card <> '' AND card NOT IN (SELECT card FROM feedback WHERE known = 1))"
        )
    elif which.outcome:
        where.append(
            "id IN (SELECT decision FROM findings JOIN feedback ON feedback.card = findings.card"
            " WHERE feedback.known = 1 AND feedback.outcome = ?)"
        )
        values.append(which.outcome)
    limit = "" if which.most is None else f" LIMIT {which.most}"
    ids = connection.execute(
        f"SELECT id FROM decisions WHERE {' AND '.join(where)} ORDER BY at DESC, id{limit}", values
    ).fetchall()
    for (each,) in ids:
        [row] = connection.execute(f"{_SELECT} WHERE id = ?", (each,)).fetchall()
        yield _stored(row)


def answers(connection: Connection, cards: list[str]) -> list[Answer]:
    """What was reported on these cards, oldest first."""
    found = []
    for card in cards:
        found += connection.execute(
            "SELECT card, outcome, at, COALESCE(NULLIF(display, ''), reason), comment FROM feedback WHERE card = ? AND known = 1 ORDER BY at",
            (card,),
        ).fetchall()
    return [Answer(*row) for row in found]


def _stored(row: tuple[Any, ...]) -> Stored:
    found = dict(zip(COLUMNS, row, strict=True))
    return msgspec.convert(found | {"verdict": unpacked(found["verdict"])}, Stored, builtin_types=(bytes,))
