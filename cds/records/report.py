"""What clinicians did with cards, by rule and version of the rule."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from statistics import median
from typing import NamedTuple

import msgspec

from cds.records.database import Connection

_Z = 1.959964  # of a 95 % interval


class Comment(msgspec.Struct, frozen=True):
    """What a clinician wrote when setting a card aside; ``rule`` is empty where the card is not ours."""

    rule: str
    at: float
    reason: str
    text: str


class RuleFeedback(msgspec.Struct, frozen=True):
    """One version of a rule. ``shown``: cards that it led; on other cards it appeared together with another rule, or folded.

    If there are several reports on a card, the last one counts. ``median_seconds``: from the answer to the report.
    ``reasons``: how often each was given. Intervals are 95 % Wilson intervals of the share of cards shown.
    """

    rule: str
    version: str
    shown: int
    accepted: int
    overridden: int
    unanswered: int
    accepted_interval: tuple[float, float]
    overridden_interval: tuple[float, float]
    median_seconds: float | None
    reasons: dict[str, int]


class FeedbackReport(msgspec.Struct, frozen=True):
    """All rules that led a card, and every comment. ``unknown``: reports on cards that this store does not know."""

    rules: tuple[RuleFeedback, ...]
    comments: tuple[Comment, ...]
    unknown: int


class _Row(NamedTuple):
    rule: str
    version: str
    card: str
    shown_at: float
    outcome: str | None
    at: float | None
    reason: str | None


def feedback_report(connection: Connection, since: float) -> FeedbackReport:
    """The report on cards that were shown since that moment (seconds since 1970)."""
    rows = connection.execute(
        "SELECT f.rule, f.version, f.card, d.at, b.outcome, b.at, COALESCE(NULLIF(b.display, ''), b.reason)"
        " FROM findings f JOIN decisions d ON d.id = f.decision"
        " LEFT JOIN feedback b ON b.card = f.card AND b.issuer = d.issuer"
        " WHERE f.leads = 1 AND d.at >= ? ORDER BY f.rule, f.version, b.at",
        (since,),
    ).fetchall()
    cards: dict[tuple[str, str], dict[str, _Row]] = defaultdict(dict)
    for each in map(_Row._make, rows):
        cards[each.rule, each.version][each.card] = each  # the last report on a card comes last
    rules = tuple(_of_rule(rule, version, found.values()) for (rule, version), found in cards.items())
    [(unknown,)] = connection.execute(
        "SELECT COUNT(*) FROM feedback WHERE known = 0 AND received >= ?", (since,)
    ).fetchall()
    return FeedbackReport(rules, tuple(_comments(connection, since)), unknown)


def _of_rule(rule: str, version: str, cards: Iterable[_Row]) -> RuleFeedback:
    rows = list(cards)
    outcomes = Counter(row.outcome for row in rows)
    accepted, overridden = outcomes["accepted"], outcomes["overridden"]
    times = [row.at - row.shown_at for row in rows if row.at is not None]
    return RuleFeedback(
        rule,
        version,
        len(rows),
        accepted,
        overridden,
        outcomes[None],
        wilson(accepted, len(rows)),
        wilson(overridden, len(rows)),
        round(median(times), 1) if times else None,
        dict(Counter(row.reason or "none given" for row in rows if row.outcome == "overridden").most_common()),
    )


def _comments(connection: Connection, since: float) -> Iterator[Comment]:
    rows = connection.execute(
        "SELECT COALESCE((SELECT MIN(rule) FROM findings WHERE findings.card = feedback.card AND leads = 1 AND known = 1), ''), at,"
        " COALESCE(NULLIF(display, ''), reason), comment FROM feedback WHERE comment <> '' AND received >= ? ORDER BY 1, 2",
        (since,),
    ).fetchall()
    return (Comment(*row) for row in rows)


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share, to three digits; 0 to 1 if ``of`` is 0 (Wilson 1927)."""
    if not of:
        return 0.0, 1.0
    share, z2 = hits / of, _Z**2
    centre = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z * math.sqrt(share * (1 - share) / of + z2 / (4 * of**2)) / (1 + z2 / of)
    return round(max(0.0, centre - half), 3), round(min(1.0, centre + half), 3)
