"""Exposure by day: how much sirolimus the orders say was taken, and when none was."""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec

from cds.chart.words import said
from cds.course.orders import Course, Regimen

_SHOWN = 8  # stretches on a card; the newest ones


class Stretch(msgspec.Struct, frozen=True):
    """Days at one dose, both ends included. ``per_day`` is the mean in mg, 0 while held, None when not known."""

    start: date
    end: date
    per_day: Decimal | None
    words: str

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


def exposure(course: Course, now: datetime, resume_gap: int) -> list[Stretch]:
    """The course as stretches without gaps between them, up to ``now`` or to its end.

    If an order follows the previous one within ``resume_gap`` days, nothing was missed; otherwise sirolimus was held.
    """
    stretches: list[Stretch] = []
    for regimen, following in itertools.zip_longest(course.regimens, course.regimens[1:]):
        begins = regimen.start.day
        until = following.start.day - timedelta(days=1) if following is not None else now.date()
        last = regimen.end.day if regimen.end is not None else until
        if following is not None and (following.start.day - last).days <= resume_gap:
            last = until
        _add(stretches, begins, min(last, until), *_dose(regimen, following is None))
        if following is not None:
            _add(stretches, last + timedelta(days=1), until, Decimal(0), "none (held)")
    return stretches


def _dose(regimen: Regimen, newest: bool) -> tuple[Decimal | None, str]:
    dose = regimen.dose
    if regimen.status == "on-hold":
        return None, "on hold, not known since when"
    if newest and regimen.end is None and regimen.status != "active":
        return None, "over, not known since when"
    if dose.per_day is not None:
        return dose.per_day, f"{said(dose.per_day)} mg/day"
    if dose.mean is not None and dose.on_one_day is not None:
        return dose.mean, f"{said(dose.on_one_day)} mg {dose.rhythm}"
    return None, "a dose that is not computed"


def _add(stretches: list[Stretch], start: date, end: date, per_day: Decimal | None, words: str) -> None:
    """Append days to the stretches; if the dose is the same as before, the last stretch is extended."""
    if end < start:
        return
    if stretches and stretches[-1].words == words:
        start = stretches.pop().start
    stretches.append(Stretch(start, end, per_day, words))


def history(stretches: list[Stretch]) -> str:
    """The stretches in words, oldest first."""
    shown = [f"{each.words} from {each.start.isoformat()}" for each in stretches[-_SHOWN:]]
    return "; ".join(([f"{len(stretches) - _SHOWN} earlier doses"] if len(stretches) > _SHOWN else []) + shown)
