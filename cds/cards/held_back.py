"""Cards that are held back for a while: those a clinician set aside for this patient, and those shown once in a course."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, Literal

import msgspec

from cds.cards.build import NAMESPACE
from cds.cards.text import escape
from cds.engine import Holding
from cds.facts import Situation
from cds.plan.declare import Named
from cds.vocabulary import VOCABULARY

CRITICAL = "critical"
"""The indicator of cards that are always shown."""
_MOVING = ("day", "month")  # units of facts whose number changes from day to day although nothing happened
_BASIS = 16  # hexadecimal digits


class Earlier(msgspec.Struct, frozen=True):
    """What happened to a rule's card for this patient earlier.

    ``day``: when a clinician set it aside, or when it was shown. ``until``: the first day on which it is shown again; None for the
    rest of the course. ``basis``: what it was based on (:func:`basis_of`); a card to be shown once is held back whatever its basis.
    """

    rule: str
    level: str
    why: Literal["set aside", "told"]
    day: date
    until: date | None = None
    basis: str = ""


class HeldBack(msgspec.Struct, frozen=True):
    """A rule that speaks but whose card is not shown, because of what happened to that card earlier."""

    holding: Holding
    earlier: Earlier


def parted(
    holding: Sequence[Holding], situation: Situation, earlier: Sequence[Earlier]
) -> tuple[list[Holding], list[HeldBack]]:
    """The rules to show, and those that are held back. Critical ones are always shown."""
    told, held = [], []
    for each in holding:
        why = _reason(each, situation, earlier)
        if why is None:
            told.append(each)
        else:
            held.append(HeldBack(each, why))
    return told, held


def _reason(holding: Holding, situation: Situation, earlier: Iterable[Earlier]) -> Earlier | None:
    level = holding.level.indicator
    if level == CRITICAL:
        return None
    same = [each for each in earlier if each.rule == holding.rule.id and each.level == level]
    applying = [each for each in same if _applies(each, holding, situation)]
    return max(applying, key=lambda each: (each.until or date.max, each.day), default=None)


def _applies(earlier: Earlier, holding: Holding, situation: Situation) -> bool:
    today = situation.patient.now.date()
    if earlier.why == "told":  # shown on one day of this course, any number of times on that day
        days = situation.facts.values.get("days_on_sirolimus")
        return days is not None and today - timedelta(days=int(days)) <= earlier.day < today
    is_now = earlier.until is not None and earlier.day <= today < earlier.until
    return is_now and earlier.basis == basis_of(holding, situation)


def basis_of(holding: Holding, situation: Situation) -> str:
    """A hash of what a card is based on: the facts compared, their resources, and the orders of sirolimus, including drafts.

    What changes with the calendar alone is not in it: ages of results, days since a start, texts.
    """
    facts = situation.facts
    compared = [
        (test.fact, _still(test.fact, facts.values[test.fact]), tuple(facts.evidence.get(test.fact, ())))
        for test in holding.branch
        if test.fact in facts.values
    ]
    current = situation.patient.course.current
    orders = [*(current.orders if current is not None else ()), *situation.patient.drafts]
    doses = sorted((order.reference, str(order.dose)) for order in orders)
    return sha256(repr((sorted(compared), doses)).encode()).hexdigest()[:_BASIS]


def _still(fact: str, value: Any) -> str:
    """The value without what changes with the calendar alone."""
    if VOCABULARY[fact].unit in _MOVING:
        return ""
    if isinstance(value, list):
        return repr(sorted((item.name, item.references) for item in value if isinstance(item, Named)))
    return str(value)


def named(cards: Sequence[dict[str, Any]], held: Sequence[HeldBack]) -> list[dict[str, Any]]:
    """The cards, with what is held back named on the last one. If no card is shown, none is made for this."""
    if not held or not cards:
        return list(cards)
    last = cards[-1]
    lines = [f"- Held back: **{escape(each.holding.rule.title)}** ({said(each.earlier)})" for each in held]
    extension = last["extension"] | {f"{NAMESPACE}.heldBack": [_entry(each.earlier) for each in held]}
    return [*cards[:-1], last | {"detail": f"{last['detail']}\n\n" + "\n".join(lines), "extension": extension}]


def said(earlier: Earlier) -> str:
    """What happened to a card, and for how long it is held back."""
    if earlier.why == "told":
        return f"{earlier.level}, told on {earlier.day} and once in a course"
    return f"{earlier.level}, set aside on {earlier.day}: away until {earlier.until}, or until what it rests on changes"


def _entry(earlier: Earlier) -> dict[str, str]:
    entry = {"rule": earlier.rule, "level": earlier.level, "why": earlier.why, "day": str(earlier.day)}
    return entry | ({"until": str(earlier.until)} if earlier.until is not None else {})
