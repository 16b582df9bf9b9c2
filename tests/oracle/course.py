"""The course: which orders of sirolimus make one, what was taken on which day, and when it changed.

rule-semantics, "The course" and "Dose". Everything is found the slow way, by asking day by day what was taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from tests.oracle import readings
from tests.oracle.codes import SIROLIMUS
from tests.oracle.record import Dose, Order, Record, Value

# rules/definitions.yaml
COURSE_GAP = 28  # the longest gap between two orders of one course
RESUME_GAP = 1  # the longest gap between two orders that is not a hold
STOP_STILL_COUNTS = 28  # how long after a stop sirolimus still counts as taken
LEVEL_BEFORE = 100  # "a detectable sirolimus level drawn in the 100 days before the first order"

Regimen = tuple[Order, ...]
"""The orders taken together on a day; empty when nothing is taken."""


@dataclass(frozen=True)
class Change:
    """A day from which another dose was taken, and whether it was more (+1), less (-1) or neither."""

    day: date
    way: int


@dataclass
class Course:
    """The course at ``now``; ``start`` is None where there is no order, ``start_known`` false where a level is older.

    ``next_known``: the same of a course that would begin today. ``days``: every day, of any course, on which it was taken.
    ``restarted``: the day on which the last pause began, and the day on which it ended.
    """

    start: date | None = None
    start_known: bool = True
    changes: list[Change] = field(default_factory=list)
    current: Regimen = ()
    on_hold: bool = False
    stopped: date | None = None
    days: set[date] = field(default_factory=set)
    next_known: bool = True
    restarted: tuple[date, date] | None = None

    @property
    def last_change(self) -> date | None:
        """The day of the last change; the start is one."""
        return self.changes[-1].day if self.changes else None

    def over(self, today: date) -> bool:
        """Stopped so long ago that another order would begin another course."""
        return self.stopped is not None and not self.on_hold and (today - self.stopped).days > COURSE_GAP

    @property
    def last_way(self) -> int:
        """Whether the last change was more or less."""
        return self.changes[-1].way if self.changes else 0


def sirolimus(record: Record) -> list[Order]:
    """The orders of sirolimus that are on record, by their start."""
    mine = (o for o in record.orders if o.code in SIROLIMUS and not o.draft)
    return sorted(mine, key=lambda o: (o.start, o.id))


def drafts(record: Record) -> list[Order]:
    """The orders of sirolimus that are being written."""
    return sorted((o for o in record.orders if o.code in SIROLIMUS and o.draft), key=lambda o: (o.start, o.id))


def drafted(record: Record, course: Course) -> Regimen:
    """What will be taken: a draft replaces the active orders unless it shares their groupIdentifier."""
    mine = drafts(record)
    groups = {d.group for d in mine if d.group}
    active = without_renewals(tuple(o for o in course.current if o.status == "active"))
    return tuple(mine) + tuple(o for o in active if o.group in groups)


def _end(order: Order, orders: list[Order]) -> date | None:
    """The first day without it. Only an order that is over or held ends; without a date, when the next one starts."""
    if order.step:
        return order.end
    if order.status == "active":
        # a renewal that names the order before takes its place
        heirs = [o.start for o in orders if order.id in o.prior]
        return min(heirs) if heirs else None
    if order.end is not None:
        return order.end
    if order.status == "on-hold":
        return None
    later = [o.start for o in orders if o.start > order.start]
    return min(later) if later else None


def together(one: Order, other: Order) -> bool:
    """Same authoredOn date or groupIdentifier, different strength: they add up."""
    linked = one.authored == other.authored or (one.group is not None and one.group == other.group)
    return linked and one.code != other.code


def renewal(one: Order, other: Order) -> bool:
    """One dose, written again on another day: a renewal at one dose is no change."""
    same = one.dose is not None and other.dose is not None and one.dose.same(other.dose)
    return same and one.authored != other.authored and not one.draft and not together(one, other)


def without_renewals(regimen: Regimen) -> Regimen:
    """An order that repeats another one's dose on a later day takes its place; the others stay."""
    kept: list[Order] = []
    for order in regimen:
        kept = [o for o in kept if not renewal(o, order)] + [order]
    return tuple(kept)


def all_together(regimen: Regimen) -> bool:
    """Every order is of one date or group with every other, and of another strength."""
    return all(together(one, other) for i, one in enumerate(regimen) for other in regimen[i + 1 :])


def taken(regimen: Regimen) -> Dose | None:
    """The dose of orders taken together; None where nobody can say whether they add up, or nothing is taken."""
    regimen = without_renewals(regimen)
    if not regimen:
        return None
    if len(regimen) == 1:
        return regimen[0].dose
    if all_together(regimen):
        doses = [o.dose for o in regimen]
        if len({(d.times, d.days) for d in doses if d}) == 1 and all(doses):
            first = doses[0]
            assert first is not None
            return Dose(sum((d.mg for d in doses if d), start=first.mg * 0), first.times, first.days)
        if all(d is not None and d.days == 1 for d in doses):
            return Dose(sum((d.mg * d.times for d in doses if d), start=doses[0].mg * 0))  # type: ignore[union-attr]
    return None


def conflict(regimen: Regimen) -> bool:
    """Several orders for which it is not known whether they add up."""
    regimen = without_renewals(regimen)
    return len(regimen) > 1 and taken(regimen) is None and not all_together(regimen)


def read_course(record: Record, levels: list[Value]) -> Course:
    """The course that is running, or ran until lately. ``levels``: the sirolimus levels in blood."""
    orders = sirolimus(record)
    ends = {o.id: _end(o, orders) for o in orders}
    today = record.today
    course = Course()
    if not orders:
        course.start_known = course.next_known = not unseen(levels, today, set())
        return course
    # day by day, from the first order to today: what is taken
    days = [orders[0].start + timedelta(days=n) for n in range((today - orders[0].start).days + 1)]
    by_day: dict[date, Regimen] = {}
    edges = {o.start for o in orders} | {end for end in ends.values() if end}
    regimen: Regimen = ()
    for day in days:
        if day in edges:
            regimen = tuple(o for o in orders if o.start <= day and ((end := ends[o.id]) is None or day < end))
        by_day[day] = regimen
    course.current = by_day[today]
    course.days = {day for day, regimen in by_day.items() if regimen}
    course.on_hold = any(o.status == "on-hold" for o in orders if ends[o.id] is None or o.id in _last(orders))
    _walk(course, by_day, days)
    if not course.current and course.stopped is None:
        course.stopped = days[-1]
    if course.start is not None:
        course.start_known = not unseen(levels, course.start, {day for day in course.days if day < course.start})
    course.next_known = not unseen(levels, today, course.days)
    return course


def unseen(levels: list[Value], start: date, before: set[date]) -> bool:
    """A detectable level of the 100 days before the first order, outside any earlier course, which ``before`` lists."""
    reach = range(readings.EARLIER_COURSE_REACHES + 1)
    for v in levels:
        of_another = any(v.when.day - timedelta(days=n) in before for n in reach)
        if v.comparator[:1] != "<" and 0 < (start - v.when.day).days <= LEVEL_BEFORE and not of_another:
            return True
    return False


def on_sirolimus(course: Course, day: date | None) -> bool:
    """Whether a day lies in a course, or within 28 days of its stop; a day that nobody knows is today."""
    if day is None:
        return bool(course.days)
    return any(day - timedelta(days=n) in course.days for n in range(STOP_STILL_COUNTS + 1))


def _last(orders: list[Order]) -> list[str]:
    latest = max(o.start for o in orders)
    return [o.id for o in orders if o.start == latest]


def _walk(course: Course, by_day: dict[date, Regimen], days: list[date]) -> None:
    """Changes and gaps: a change is another amount or rhythm, a hold or a resume; a longer gap ends the course."""
    before: Dose | None = None
    last: Regimen = ()
    last_taken: date | None = None
    for day in days:
        regimen = by_day[day]
        if not regimen:
            continue
        gap = 0 if last_taken is None else (day - last_taken).days - 1
        # of orders that contradict one another the newest is taken for what the doctor meant
        muddled = conflict(regimen)
        dose = regimen[-1].dose if muddled else taken(regimen)
        doses = [o.dose for o in regimen] if muddled else [dose]
        if last_taken is not None and gap > RESUME_GAP:
            course.restarted = (last_taken + timedelta(days=1), day)
        if last_taken is None or gap > COURSE_GAP:
            course.start, course.changes = day, [Change(day, 1)]
        elif gap > RESUME_GAP:
            course.changes.append(Change(last_taken + timedelta(days=1), -1))
            course.changes.append(Change(day, _way(dose, regimen[-2].dose) if muddled else 1))
        elif regimen != last and any(d is None or before is None or not d.same(before) for d in doses):
            course.changes.append(Change(day, _way(dose, regimen[-2].dose if muddled else before)))
        before, last_taken, last = dose, day, regimen
    if last_taken is not None and last_taken < days[-1]:
        course.stopped = last_taken + timedelta(days=1)
        course.changes.append(Change(course.stopped, -1))


def _way(dose: Dose | None, before: Dose | None) -> int:
    """More, less, or nobody knows."""
    if dose is None or before is None or dose.mean == before.mean:
        return 0
    return 1 if dose.mean > before.mean else -1


def dose_before(record: Record, course: Course, day: date) -> Dose | None:
    """The dose under which a level of that day was drawn: on the day of a change, the dose before it."""
    if day == course.start:
        return dose_on(record, day)
    for back in range(1, RESUME_GAP + 2):
        if (dose := dose_on(record, day - timedelta(days=back))) is not None:
            return dose
    return None


def regimen_on(record: Record, day: date) -> Regimen:
    """The orders taken on a day."""
    orders = sirolimus(record)
    ends = {o.id: _end(o, orders) for o in orders}
    return tuple(o for o in orders if o.start <= day and ((end := ends[o.id]) is None or day < end))


def dose_on(record: Record, day: date) -> Dose | None:
    """The dose taken on a day."""
    return taken(regimen_on(record, day))


def still_counts(record: Record, course: Course) -> bool:
    """On-hold orders, and 28 days after a stop, still count as taken for trough-critical and response."""
    if course.current or course.on_hold:
        return True
    return course.stopped is not None and (record.today - course.stopped).days <= STOP_STILL_COUNTS
