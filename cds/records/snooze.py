"""Which cards a site allows to be held back for a while, and what the records say about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

import msgspec

from cds.cards.held_back import CRITICAL, Earlier
from cds.compiled.knowledge import Knowledge, Rule
from cds.records.database import Connection
from cds.records.decision import version_of

_DAY = 86_400


class Snoozed(msgspec.Struct, frozen=True):
    """Rules by id. ``days``: for how long a card is held back after it was set aside; ``once``: rules whose card is shown once in a course.

    ``versions``: the current version of each rule; what another version said does not count.
    """

    days: Mapping[str, int]
    once: frozenset[str]
    versions: Mapping[str, str]

    def __bool__(self) -> bool:
        return bool(self.days or self.once)


class History(msgspec.Struct, frozen=True):
    """What happened to one patient's cards; ``patient`` is the keyed hash."""

    patient: str
    earlier: tuple[Earlier, ...]


class _Report(NamedTuple):
    rule: str
    version: str
    level: str
    basis: str
    card: str
    outcome: str
    at: float


def snoozed(days: Mapping[str, int], once: list[str], knowledge: Knowledge) -> Snoozed:
    """The rules that the settings name, with their versions in ``knowledge``."""
    return Snoozed(days, frozenset(once), {rule: version_of(knowledge, rule) for rule in {*days, *once}})


def unusable_snooze(days: Mapping[str, int], once: list[str], knowledge: Knowledge) -> str:
    """Why cards cannot be held back as the settings ask, in words; empty if they can."""
    rules = {rule.id: rule for rule in knowledge.rules}
    for setting, ids in (("snooze", list(days)), ("once_a_course", once)):
        for each in ids:
            if each not in rules:
                return f"{setting}: there is no rule {each}"
            if _says_gaps(rules[each]):
                return f"{setting}: {each} says what could not be judged, and silence would read as an all clear"
            if all(level.indicator == CRITICAL for level in rules[each].levels):
                return f"{setting}: every card of {each} is critical, and those are always shown"
    return ""


def _says_gaps(rule: Rule) -> bool:
    """Whether a rule reports what could not be judged."""
    return any(test.fact == "gaps" for each in rule.variants for branch in each.branches for test in branch)


def earlier_of(connection: Connection, patient: str, wanted: Snoozed, now: datetime) -> tuple[Earlier, ...]:
    """Which of a patient's earlier cards may hold a card back at ``now``."""
    return (*_set_aside(connection, patient, wanted, now), *_told(connection, patient, wanted))


def _set_aside(connection: Connection, patient: str, wanted: Snoozed, now: datetime) -> Iterator[Earlier]:
    """Cards that were set aside according to the last report on them; a report dated in the future counts from when it was received."""
    if not wanted.days:
        return
    since = now.timestamp() - (max(wanted.days.values()) + 1) * _DAY
    rows = connection.execute(
        "SELECT f.rule, f.version, f.indicator, f.basis, f.card, b.outcome, CASE WHEN b.at > b.received THEN b.received ELSE b.at END"
        " FROM decisions d JOIN findings f ON f.decision = d.id JOIN feedback b ON b.card = f.card AND b.issuer = d.issuer"
        " WHERE d.patient = ? AND f.place IN ('card', 'with') AND b.received >= ? ORDER BY b.at, b.received",
        (patient, since),
    ).fetchall()
    last = {(each.card, each.rule): each for each in map(_Report._make, rows)}
    for each in last.values():
        if each.outcome == "overridden" and each.rule in wanted.days and each.version == wanted.versions[each.rule]:
            day = datetime.fromtimestamp(each.at, now.tzinfo).date()
            until = day + timedelta(days=wanted.days[each.rule])
            yield Earlier(each.rule, each.level, "set aside", day, until, each.basis)


def _told(connection: Connection, patient: str, wanted: Snoozed) -> Iterator[Earlier]:
    """Each day on which the card of a rule in ``once`` was shown."""
    for rule in sorted(wanted.once):
        rows = connection.execute(
            "SELECT DISTINCT f.indicator, SUBSTR(d.now, 1, 10) FROM decisions d JOIN findings f ON f.decision = d.id"
            " WHERE d.patient = ? AND f.rule = ? AND f.version = ? AND f.place IN ('card', 'with')",
            (patient, rule, wanted.versions[rule]),
        ).fetchall()
        for level, day in rows:
            yield Earlier(rule, level, "told", date.fromisoformat(day))
