"""Conditions on the problem list, by how old they are, and how they become facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from cds.chart.model import Problem
from cds.chart.words import on_day
from cds.plan.declare import Answer, Known, Named, Unknown


def active(problems: Sequence[Problem], now: datetime, days: int | None = None) -> list[Problem]:
    """The problems that are active by their status and, if ``days`` is given, began at most that many days ago.

    A problem without a date counts as current, and one with an active status goes on even if a date says that it abated.
    """
    return [
        problem
        for problem in problems
        if problem.active and (days is None or problem.onset is None or problem.onset.days_until(now) <= days)
    ]


def as_named(problem: Problem) -> Named:
    """A condition as a card lists it; if it has no date, the card says so."""
    if problem.onset is None:
        return Named(problem.display.lower(), "no date is given: taken as current", (problem.reference,))
    word = "recorded" if problem.recorded else "since"
    return Named(problem.display.lower(), f"{word} {on_day(problem.onset)}", (problem.reference,))


def listed_problems(problems: Sequence[Problem]) -> Answer[list[Named]]:
    """A fact that lists conditions, the newest first, each once; its day is that of the newest."""
    if not problems:
        return Unknown("none is on record")
    ordered = sorted(problems, key=lambda each: each.onset.day if each.onset else date.max, reverse=True)
    unique = {problem.display.lower(): problem for problem in reversed(ordered)}
    named = [as_named(problem) for problem in reversed(unique.values())]
    onset = ordered[0].onset
    return Known(named, [problem.reference for problem in ordered], onset.day if onset else None)


def any_of(problems: Sequence[Problem]) -> Known[bool]:
    """A fact that says whether there are any, with their references and the day of the newest."""
    days = [problem.onset.day for problem in problems if problem.onset is not None]
    return Known(bool(problems), [problem.reference for problem in problems], max(days, default=None))
