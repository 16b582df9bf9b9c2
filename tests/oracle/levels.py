"""Sirolimus levels: rule-semantics, section "Levels".

Rules: trough-low, trough-low-in-response, trough-high, trough-critical, trough-not-usable, trough-overdue,
exposure-shift. A level is read, then judged (is it a trough, at steady state?), then compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from tests.oracle import readings
from tests.oracle.codes import LEVELS, NOT_BLOOD, SIROLIMUS
from tests.oracle.course import STOP_STILL_COUNTS, Change, Course, conflict, dose_before, sirolimus, still_counts
from tests.oracle.course import drafts as sirolimus_drafts
from tests.oracle.interactions import moved_between, settling
from tests.oracle.record import Dose, Record, Value, When
from tests.oracle.response import Response

FLOOR, CEILING, CRITICAL = 5, 15, 20  # protocol seed-2024
TOO_SOON_MARGIN, LATE_MARGIN, DOSE_SEARCH = 2, 4, 48  # hours; rule-semantics, Levels
CRITICAL_EXEMPT_HOURS = 12
USABLE_FROM, USABLE_FROM_YOUNG, YOUNG = 7, 3, 13
LEVEL_MAX_AGE, CRITICAL_MAX_AGE, UNUSABLE_SHOWN, EXPOSURE_SHOWN = 100, 14, 14, 14
FIRST_LEVEL_BY, LEVEL_AFTER_CHANGE = 21, 21
MISSED_BEFORE, MISSED_BEFORE_YOUNG = 5, 2  # days
IN_RESPONSE_FROM, IN_RESPONSE_SHOWN = 84, 14
EXPOSURE_UP, EXPOSURE_DOWN = Decimal("1.5"), Decimal("0.67")  # rules/definitions.yaml


@dataclass
class Level:
    """A level, the dose it was drawn under, and why it is of no use, if it is."""

    value: Value
    dose: Dose | None
    why: str = ""
    hours: Decimal | None = None
    interval: Decimal = Decimal(24)
    early: int = 0
    missed: bool = False

    @property
    def day(self) -> date:
        """The day of the draw."""
        return self.value.when.day

    @property
    def low(self) -> bool:
        """`<2.0` is low, `<=5` and `<10` cannot be judged."""
        v, c = self.value.value, self.value.comparator
        return (c == "" and v < FLOOR) or (c == "<" and v <= FLOOR) or (c == "<=" and v < FLOOR)

    @property
    def high(self) -> bool:
        """`>15` is high; `>=15` may be 15, which is in the target."""
        v, c = self.value.value, self.value.comparator
        return (c == "" and v > CEILING) or (c == ">" and v >= CEILING) or (c == ">=" and v > CEILING)

    @property
    def in_target(self) -> bool:
        """Within the target; a censored one may lie outside."""
        return not self.value.comparator and FLOOR <= self.value.value <= CEILING

    @property
    def judged(self) -> bool:
        """It is known whether it is low, high or in the target."""
        return self.low or self.high or self.in_target

    @property
    def critical(self) -> bool:
        """Above 20; `>=20` counts as above."""
        v, c = self.value.value, self.value.comparator
        return (c == "" and v > CRITICAL) or (c in (">", ">=") and v >= CRITICAL)


@dataclass
class Levels:
    """All levels, oldest first; the newest one that may be judged; those that were usable when drawn.

    ``in_spite``: those of the course that only lack doses that were missed ("a level above the ceiling still counts").
    """

    all: list[Level] = field(default_factory=list)
    trough: Level | None = None
    usable: list[Level] = field(default_factory=list)
    in_spite: list[Level] = field(default_factory=list)

    @property
    def accepted(self) -> list[Level]:
        """Levels in whole blood, or of an unspecified specimen."""
        return [lv for lv in self.all if lv.why != "wrong_specimen"]

    @property
    def exposed(self) -> bool:
        """At least one usable trough of the course at or above the floor; or one above the ceiling though doses were missed."""
        reached = any(lv.value.comparator in ("", ">", ">=") and lv.value.value >= FLOOR for lv in self.usable)
        return reached or any(lv.high for lv in self.in_spite)


def _hours_since_dose(record: Record, value: Value) -> Decimal | None:
    """The last completed administration before the draw, within 48 h; None where it is not known."""
    drawn = value.when.at
    if drawn is None:
        return None
    doses = [w.at for code, w in record.given if code in SIROLIMUS and w.at is not None and w.at < drawn]
    if not doses:
        return None
    hours = Decimal((drawn - max(doses)) // timedelta(minutes=1)) / 60
    return hours if hours <= DOSE_SEARCH else None


def _missed(record: Record, value: Value) -> bool:
    """Doses documented as not given.

    "Since the last completed one, however long ago"; "in the 5 days (under 13 years: 2) before the draw".
    """
    before = [w for w in record.missed if _earlier(w, value.when)]
    held = [w for w in record.held if _earlier(w, value.when)]
    days = MISSED_BEFORE_YOUNG if record.age(value.when.day) < YOUNG else MISSED_BEFORE
    if any((value.when.day - w.day).days <= days for w in before + held):
        return True
    done = [w for code, w in record.given if code in SIROLIMUS and _surely_earlier(w, value.when)]
    if not done or not readings.MISSED_LONG_AGO:
        return False
    last = max(done, key=lambda w: (w.day, w.at or record.now))
    return any(_earlier(last, w) for w in before + (held if readings.HELD_LONG_AGO else []))


def _earlier(one: When, other: When) -> bool:
    """Before the other; of one day, unless the times say that it was not."""
    same_day_unknown = one.day == other.day and (one.at is None or other.at is None)
    return (same_day_unknown and readings.MISSED_ON_THE_DAY) or _surely_earlier(one, other)


def _surely_earlier(one: When, other: When) -> bool:
    """Before the other; of one day only where both times say so."""
    if one.day != other.day:
        return one.day < other.day
    return one.at is not None and other.at is not None and one.at < other.at


def _interval(record: Record, level: Level) -> Decimal:
    """Hours between two doses: of the dose taken then, else of the last one taken before."""
    if level.dose:
        return level.dose.interval
    over = [o for o in sirolimus(record) if o.start <= level.day and o.dose]
    return over[-1].dose.interval if over and over[-1].dose else Decimal(24)


def _change_before(course: Course, day: date) -> Change | None:
    """The last change that a level of that day follows. On the day of a change it was drawn before it."""
    changes = course.changes if course.start_known else course.changes[1:]
    before = [c for c in changes if c.day < day or c.day == course.start == day]
    return before[-1] if before else None


def _judge(record: Record, course: Course, value: Value) -> Level:
    """Why a level cannot steer the dose, in the order in which one would ask."""
    level = Level(value, dose_before(record, course, value.when.day))
    level.hours = _hours_since_dose(record, value)
    level.interval = _interval(record, level)
    interval = level.interval
    level.missed = _missed(record, value)
    change = _change_before(course, value.when.day)
    if LEVELS[value.code] == "rejected" or any(word in value.specimen for word in NOT_BLOOD):
        level.why = "wrong_specimen"
    elif value.status == "preliminary":
        level.why = "preliminary"
    elif level.hours is not None and level.hours < interval - TOO_SOON_MARGIN:
        level.why = "too_soon_after_dose"
    elif level.hours is not None and level.hours > interval + LATE_MARGIN:
        level.why = "late_after_dose"
    elif settling(record, value.when.day):
        level.why = "interacting_drug_changed"
    elif change is not None:
        needed = USABLE_FROM_YOUNG if record.age(value.when.day) < YOUNG else USABLE_FROM
        if (value.when.day - change.day).days < needed:
            level.why, level.early = "not_at_steady_state", change.way
    if not level.why and level.missed:
        level.why = "doses_missed"
    return level


def read_levels(record: Record, course: Course) -> Levels:
    """Every level, judged. Of two on one day, one of them without a time, the higher comes last."""
    days: dict[date, list[Value]] = {}
    for v in record.values:
        if v.code in LEVELS:
            days.setdefault(v.when.day, []).append(v)
    found = Levels()
    for _, same in sorted(days.items()):
        if any(v.when.at is None for v in same):
            same.sort(
                key=lambda v: (v.value, "<<= >=>".find(v.comparator), v.when.at is not None)
            )  # nobody knows which is newer: the higher is judged
        else:
            same.sort(key=lambda v: v.when.at or record.now)
        found.all += [_judge(record, course, v) for v in same]
    if course.start is None:
        return found
    found.usable = [lv for lv in found.all if not lv.why and lv.day >= course.start]
    found.in_spite = [lv for lv in found.all if lv.why == "doses_missed" and lv.day >= course.start]
    for level in reversed(found.all):
        if not _since_change(course, level) or (record.today - level.day).days > LEVEL_MAX_AGE:
            break
        early = (level.early > 0 and level.high) or (level.early < 0 and level.low and not level.missed)
        late = ("doses_missed", "late_after_dose") if readings.LATE_AND_HIGH_COUNTS else ("doses_missed",)
        early |= level.why in late and level.high  # "a level above the ceiling still counts"
        if not level.why or early:
            found.trough = level
            break
    return found


def _since_change(course: Course, level: Level) -> bool:
    """Whether a level was drawn since the last change."""
    last = course.last_change
    if last is None or course.start is None:
        return True
    return level.day > last or (level.day == last == course.start)


def newest_level(record: Record, course: Course, levels: Levels) -> Level | None:
    """The newest level in blood, of use or not, unless known to be drawn less than min(12 h, interval minus 2 h)
    after a dose; at most 14 days old. Nothing was done about it: no cut and no hold since (a raise answers nothing)."""
    heard = [lv for lv in levels.accepted if not _just_after_a_dose(lv)]
    if not heard:
        return None
    newest = heard[-1]
    young = (record.today - newest.day).days <= CRITICAL_MAX_AGE
    lowered = any(c.way < 0 and c.day >= newest.day and not c.day == course.start == newest.day for c in course.changes)
    return newest if young and not lowered else None


def _just_after_a_dose(level: Level) -> bool:
    exempt = min(Decimal(CRITICAL_EXEMPT_HOURS), level.interval - TOO_SOON_MARGIN)
    return level.hours is not None and level.hours < exempt


def above(record: Record, course: Course, levels: Levels) -> bool:
    """ "The newest level at the present dose above the ceiling", but for one that is known to be drawn soon after a dose."""
    newest = newest_level(record, course, levels)
    if newest and (newest.critical or (newest.high and not readings.RAISE_ANSWERS_A_HIGH_LEVEL)):
        return True
    if levels.trough is not None and levels.trough.high:
        return True
    heard = [lv for lv in levels.accepted if not _just_after_a_dose(lv)]
    if not heard or (record.today - heard[-1].day).days > LEVEL_MAX_AGE:
        return False
    return heard[-1].high and _since_change(course, heard[-1])


def goes_on(record: Record, course: Course, levels: Levels) -> bool:
    """A level drawn more than 28 days after the end of the last order: sirolimus goes on without one."""
    return course.stopped is not None and any(
        (lv.day - course.stopped).days > STOP_STILL_COUNTS and (record.today - lv.day).days <= LEVEL_MAX_AGE
        for lv in levels.all
    )


def rules(record: Record, course: Course, levels: Levels, r: Response, answered: bool) -> dict[str, tuple[str, str]]:
    """The level rules that fire. ``answered``: the draft already corrects the level (ADR 3)."""
    fires: dict[str, tuple[str, str]] = {}
    if record.ordering and not sirolimus_drafts(record):
        return fires
    critical = newest_level(record, course, levels)
    no_order = course.start is None or goes_on(record, course, levels)
    if critical and critical.critical and (no_order or still_counts(record, course) or record.ordering):
        fires["trough-critical"] = ("critical", "")
    taking = bool(course.current) and not all(o.status == "on-hold" for o in course.current)
    if not record.itp or not taking:
        return fires
    trough = levels.trough
    if trough and trough.high and not answered:
        fires["trough-high"] = ("warning", "")
    if trough and trough.low:
        fires |= _low(record, course, trough, r, answered)
    newest = levels.all[-1] if levels.all else None
    lately = newest is not None and (record.today - newest.day).days <= UNUSABLE_SHOWN
    if newest and newest.why and newest is not trough and lately and _since_change(course, newest):
        fires["trough-not-usable"] = ("info", "")
    if not record.ordering:
        fires |= _overdue(record, course, levels)
        fires |= _exposure(record, course, levels)
    return fires


def left(record: Record, course: Course, r: Response) -> bool:
    """In response, and day 84 or later: a low level may be left."""
    return r.in_response and course.start is not None and (record.today - course.start).days >= IN_RESPONSE_FROM


def _low(record: Record, course: Course, trough: Level, r: Response, answered: bool) -> dict[str, tuple[str, str]]:
    """Below the target: "trough-low-in-response takes the place of trough-low only in response and from day 84 on".

    "It shows for 14 days after the draw, and trough-low is silent with it. Confirmed before day 84: trough-low is info."
    """
    if left(record, course, r):
        shown = (record.today - trough.day).days <= IN_RESPONSE_SHOWN
        return {"trough-low-in-response": ("info", "")} if shown else {}
    if answered:
        return {}
    return {"trough-low": ("info" if r.in_response or r.unlooked else "warning", "")}


def _overdue(record: Record, course: Course, levels: Levels) -> dict[str, tuple[str, str]]:
    """A first level by day 21, one within 21 days after a change, one every 100 days when nothing changes."""
    if record.level_ordered or record.level_ahead or course.start is None or course.last_change is None:
        return {}
    final = [lv for lv in levels.accepted if lv.why != "preliminary"]
    ever = [lv for lv in final if lv.day >= course.start or not course.start_known]
    since = [lv for lv in ever if _since_change(course, lv)]
    if since or (ever and course.last_change == course.start):
        late = (record.today - ever[-1].day).days > LEVEL_MAX_AGE
    elif not ever:
        late = (record.today - course.start).days >= FIRST_LEVEL_BY
    else:
        late = (record.today - course.last_change).days > LEVEL_AFTER_CHANGE
    return {"trough-overdue": ("info", "")} if late else {}


def _exposure(record: Record, course: Course, levels: Levels) -> dict[str, tuple[str, str]]:
    """Level by mg of daily dose over the same of the usable level before, above 1.5 or below 0.67, unexplained."""
    if conflict(course.current):
        return {}  # nobody knows under which dose the newest were drawn
    counted = [lv for lv in levels.usable if not lv.value.comparator and lv.dose and lv.dose.per_day]
    if len(counted) < 2:
        return {}
    old, new = counted[-2], counted[-1]
    if old.day == new.day and (old.value.when.at is None or new.value.when.at is None):
        return {}  # nobody knows which of the two is "the level before"
    # "a level from before the last change, or older than 100 days, fires no trough card"
    if not _since_change(course, new) or (record.today - new.day).days > EXPOSURE_SHOWN:
        return {}
    assert old.dose and new.dose and old.dose.per_day and new.dose.per_day
    ratio = (new.value.value / new.dose.per_day) / (old.value.value / old.dose.per_day)
    if EXPOSURE_DOWN <= ratio <= EXPOSURE_UP or moved_between(record, old.day, new.day):
        return {}
    return {"exposure-shift": ("info", "")}
