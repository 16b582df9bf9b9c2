"""When the next level is to be drawn, and the last dose before it to be taken."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from cds.compiled.bound import Bound
from cds.course.levels import Intakes, Judged
from cds.course.patient import Patient
from cds.plan.declare import Answer, Days, Known, Number, Unknown, part, text

DRAWN_IN = 2  # days after the first possible day on which a level may still be drawn, unless something else says so


class Draw(NamedTuple):
    """When to draw the level again. ``timed``: the time of day is known; it is that of the last documented dose."""

    at: datetime
    timed: bool


@part
def draw_at(level_of_no_use: Judged, intakes: Intakes, now: datetime) -> Answer[Draw]:
    """When to draw the level again."""
    tomorrow = now.date() + timedelta(days=1)
    day = max(tomorrow, level_of_no_use.draw_again or tomorrow)
    last = max((each.moment.at for each in intakes.given if each.moment.at is not None), default=None)
    return Draw(datetime.combine(day, (last or now).timetz()), last is not None)


@text("when to draw the level again")
def next_draw(draw_at: Draw) -> Answer[str]:
    day, clock = draw_at.at.date(), f" at {draw_at.at:%H:%M}" if draw_at.timed else ""
    return Known(f"{day.isoformat()}{clock}, just before that day's dose", on=day)


class Within(NamedTuple):
    """The first and the last day."""

    first: date
    last: date


@part
def draw_within(
    patient: Patient,
    newest_level: Decimal | Bound | Unknown,
    trough_critical: Number,
    draw_at: Draw | Unknown,
    recheck_from: Days,
    recheck_to: Days,
    early_level_from: Days,
    early_level_to: Days,
) -> Within:
    """Within which days to draw: a recheck after a very high level, an early level of a drug not yet taken; else as soon as useful."""
    today = patient.now.date()
    newest = newest_level.number if isinstance(newest_level, Bound) else newest_level
    if not isinstance(newest, Unknown) and newest >= trough_critical:
        return Within(today + timedelta(days=recheck_from), today + timedelta(days=recheck_to))
    if patient.drafts and patient.course.start is None:
        return Within(today + timedelta(days=early_level_from), today + timedelta(days=early_level_to))
    first = today + timedelta(days=1) if isinstance(draw_at, Unknown) else draw_at.at.date()
    return Within(first, first + timedelta(days=DRAWN_IN))
