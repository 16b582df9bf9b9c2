"""The course of sirolimus: its start, its changes, and what is taken now."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from cds.chart.model import Dose, Order
from cds.chart.times import Moment

_MOST_TOGETHER = 8
"""The most tablet strengths of one day that are tried as one dose; more are not a dose but a mistake."""


class Regimen(msgspec.Struct, frozen=True):
    """Orders that make one dose together, and the time they were in force."""

    orders: tuple[Order, ...]
    start: Moment
    end: Moment | None  # None: still in force, or not known when it ended
    status: str
    dose: Dose

    @property
    def references(self) -> tuple[str, ...]:
        return tuple(order.reference for order in self.orders)


class Change(msgspec.Struct, frozen=True):
    """A start, another dose or rhythm, a hold or a resume. ``direction``: 1 more, -1 less, 0 not known."""

    moment: Moment
    direction: int
    is_start: bool = False
    is_hold: bool = False  # from here on nothing is taken

    def precedes(self, drawn: Moment) -> bool:
        """Whether a level drawn then may reflect this change.

        On the same day it may only if both times are known; otherwise the level belongs to the previous dose.
        """
        if self.moment.day != drawn.day or self.is_start:
            return self.moment.day <= drawn.day
        if self.moment.at is None or drawn.at is None:
            return False
        return self.moment.at <= drawn.at


class Course(msgspec.Struct, frozen=True):
    """The newest course. ``state``: taking, held, stopped (with ``ended``), stopped_unknown, or none."""

    state: str = "none"
    start: Moment | None = None
    regimens: tuple[Regimen, ...] = ()
    changes: tuple[Change, ...] = ()
    current: Regimen | None = None
    conflict: tuple[Order, ...] = ()
    ended: Moment | None = None
    undated: tuple[Order, ...] = ()
    first_order: Moment | None = None  # of the whole history, earlier courses included
    also_active: tuple[Order, ...] = ()  # older orders of the dose that is taken: a newer one is read as their renewal

    @property
    def last_change(self) -> Change | None:
        return self.changes[-1] if self.changes else None

    def last_change_before(self, drawn: Moment) -> Change | None:
        """The newest change that a level drawn then may reflect."""
        place = bisect_right(self.changes, drawn.day, key=lambda change: change.moment.day)
        while place and not self.changes[place - 1].precedes(drawn):
            place -= 1
        return self.changes[place - 1] if place else None

    def regimen_at(self, drawn: Moment) -> Regimen | None:
        """The dose that a level drawn then reflects; None in a hold, where there is none to scale from."""
        change = self.last_change_before(drawn)
        return None if change is None or change.is_hold else self.last_regimen_before(drawn)

    def last_regimen_before(self, drawn: Moment) -> Regimen | None:
        """The dose that a level drawn then reflects; in a hold, the dose before the hold."""
        change = self.last_change_before(drawn)
        if change is None:
            return None
        place = bisect_right(self.regimens, change.moment.sort_key(), key=lambda regimen: regimen.start.sort_key())
        return self.regimens[place - 1] if place else None


def read_course(orders: Sequence[Order], course_gap: int, resume_gap: int) -> Course:
    """The newest course in the history of orders (drafts are not part of it)."""
    undated = tuple(order for order in orders if order.start is None)
    every = _regimens([order for order in orders if order.start is not None])
    if not every:
        return Course(undated=undated)
    ended = _with_ends(every)
    regimens = _newest_chain(ended.regimens, course_gap)
    state, current = _state(regimens)
    return Course(
        state,
        regimens[0].start,
        regimens,
        _changes(regimens, resume_gap),
        current,
        ended.conflict,
        current.end if state == "stopped" else None,
        undated,
        every[0].start,
        ended.also_active,
    )


def _regimens(orders: Sequence[Order]) -> list[Regimen]:
    """Orders by date; those of one group or one day with different strengths make one dose."""
    ordered = sorted(orders, key=lambda order: (order.start.sort_key() if order.start else (), order.reference))
    groups: list[list[Order]] = []
    together: dict[tuple[str, str], list[list[Order]]] = {}  # only these can belong to one dose
    for order in ordered:
        day = order.authored.day.isoformat() if order.authored else order.reference
        near = together.setdefault((order.group, "" if order.group else day), [])
        for group in near[-_MOST_TOGETHER:]:
            if all(taken_together(order, other) for other in group):
                group.append(order)
                break
        else:
            near.append([order])
            groups.append(near[-1])
    stretches = [stretch for group in groups for stretch in _stretches(group)]
    return sorted(stretches, key=lambda regimen: (regimen.start.sort_key(), regimen.orders[0].reference))


def _stretches(group: list[Order]) -> list[Regimen]:
    """Orders that make one dose, each for as long as it is in force: a strength that is added later is a change."""
    starts = {order.start.day: order.start for order in reversed(group) if order.start is not None}
    ends = [order.end for order in group if order.end is not None]
    end = max(ends, key=Moment.sort_key) if len(ends) == len(group) else None
    sooner = {each.day: each for each in ends if end is None or each.day < end.day}
    edges = sorted({**sooner, **starts}.values(), key=Moment.sort_key)
    found = []
    for edge, following in itertools.zip_longest(edges, edges[1:]):
        inside = [order for order in group if _in_force(order, edge)]
        if inside:
            status = group[0].status if following is None else "completed"
            found.append(Regimen(tuple(inside), edge, following or end, status, combined(inside)))
    return found


def _in_force(order: Order, at: Moment) -> bool:
    """Whether an order is taken from that day on; one that ended on its first day was taken on it."""
    if order.start is None or order.start.day > at.day:
        return False
    return order.end is None or at.day < order.end.day or order.start.day == at.day


def taken_together(one: Order, other: Order) -> bool:
    """Whether two orders make one dose: same group or same day of ordering, but another strength."""
    if one.status != other.status or one.strength == other.strength:
        return False
    if one.group or other.group:
        return one.group == other.group
    return one.authored is not None and other.authored is not None and one.authored.day == other.authored.day


def combined(orders: Sequence[Order]) -> Dose:
    """The dose of orders taken together; a problem of one is the problem of all."""
    if len(orders) == 1:
        return orders[0].dose
    doses = [order.dose for order in orders]
    problem = next((dose.problem for dose in doses if dose.problem), "")
    if not problem and len({(dose.rhythm, dose.rhythm == "daily" or dose.interval_hours) for dose in doses}) > 1:
        problem = "orders that belong together have different rhythms"
    if problem:
        return Dose(problem=problem)
    hours = [dose.interval_hours for dose in doses if dose.interval_hours is not None]
    daily = doses[0].rhythm == "daily"
    return Dose(
        _sum(dose.per_day for dose in doses) if daily else None,
        None,
        _sum(dose.on_one_day for dose in doses),
        doses[0].rhythm,
        max(hours) if hours else Decimal(24) if daily else None,
        _sum(dose.mean for dose in doses),
    )


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum, if every amount is known."""
    known = list(amounts)
    return sum((each for each in known if each is not None), Decimal(0)) if None not in known else None


def changed(before: Dose, after: Dose) -> bool:
    """Whether another amount is taken on a day, or in another rhythm."""
    return (before.on_one_day, before.rhythm, before.problem) != (after.on_one_day, after.rhythm, after.problem)


class _Ended(NamedTuple):
    """Regimens with the ends that the record implies, the orders that contradict one another, and older ones of the same dose."""

    regimens: list[Regimen]
    conflict: tuple[Order, ...]
    also_active: tuple[Order, ...]


def _with_ends(regimens: Sequence[Regimen]) -> _Ended:
    ended = [
        replace(regimen, end=later.start)
        if regimen.end is None and regimen.status in ("stopped", "completed")
        else regimen
        for regimen, later in itertools.pairwise(regimens)
    ]
    ended.append(regimens[-1])
    active = [place for place, regimen in enumerate(ended) if regimen.status == "active"]
    newest = ended[active[-1]] if active else None
    replaced = {prior for place in active for order in ended[place].orders for prior in order.prior}
    conflict: list[Order] = []
    also_active: list[Order] = []
    for place, following in itertools.pairwise(active):
        older = ended[place]
        assert newest is not None
        # two orders of the same day and dose may be two intakes
        renewed = not changed(older.dose, newest.dose) and older.start.day != newest.start.day
        linked = not replaced.isdisjoint(older.references)
        if renewed or linked:
            ended[place] = replace(older, end=ended[following].start)
            also_active += () if linked else older.orders
        else:
            conflict += older.orders
    twice = (*conflict, *newest.orders) if conflict and newest is not None else ()
    return _Ended(ended, twice, tuple(also_active))


def _newest_chain(regimens: Sequence[Regimen], gap: int) -> tuple[Regimen, ...]:
    chain: list[Regimen] = []
    reached: Moment | None = None  # the end of the chain so far; None while one of its regimens goes on
    for regimen in regimens:
        if chain and reached is not None and reached.days_to(regimen.start) > gap:
            chain = []
        if not chain:
            reached = regimen.end
        elif reached is not None:
            reached = max(reached, regimen.end, key=Moment.sort_key) if regimen.end is not None else None
        chain.append(regimen)
    return tuple(chain)


def _changes(regimens: Sequence[Regimen], resume_gap: int) -> tuple[Change, ...]:
    changes = [Change(regimens[0].start, 1, is_start=True)]
    for before, after in itertools.pairwise(regimens):
        if before.status == "on-hold":
            held = (
                [Change(before.end, -1, is_hold=True)] if before.end is not None else []
            )  # else its day is not on record
            changes += [*held, Change(after.start, 1)]
        elif before.end is not None and before.end.days_to(after.start) > resume_gap:
            changes += [Change(before.end, -1, is_hold=True), Change(after.start, 1)]
        elif changed(before.dose, after.dose) and after.start.day > regimens[0].start.day:
            changes.append(Change(after.start, _direction(before.dose, after.dose)))
    last = regimens[-1]
    if last.status != "active" and last.end is not None:
        changes.append(Change(last.end, -1, is_hold=True))
    return tuple(sorted(changes, key=lambda change: change.moment.day))


def _direction(before: Dose, after: Dose) -> int:
    """1 for more on average, -1 for less, 0 when it is not known."""
    if before.mean is None or after.mean is None:
        return 0
    return (after.mean > before.mean) - (after.mean < before.mean)


def _state(regimens: Sequence[Regimen]) -> tuple[str, Regimen]:
    """Whether sirolimus is taken now, and the regimen that says so."""
    for status, state in (("active", "taking"), ("on-hold", "held")):
        found = [regimen for regimen in regimens if regimen.status == status]
        if found:
            return state, found[-1]
    last = regimens[-1]
    return ("stopped" if last.end is not None else "stopped_unknown"), last
