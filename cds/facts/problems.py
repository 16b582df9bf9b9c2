"""Conditions on the problem list, by what they mean to the rules and how old they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from cds.chart.model import Problem
from cds.facts.record import Named, on_day
from cds.facts.situation import Situation


def on_record(situation: Situation, *names: str) -> list[Problem]:
    """The conditions of these names, active or not; those that are refuted were never read."""
    return [problem for problem in situation.chart.problems if problem.name in names]


def active(situation: Situation, *names: str, within: str = "") -> list[Problem]:
    """Those that are active by their status; ``within``: a definition, how many days ago they may have begun.

    One without a date is taken as current, and one that is called active goes on though a date says that it abated.
    """
    now = situation.now
    return [
        problem
        for problem in on_record(situation, *names)
        if problem.active
        and (not within or problem.onset is None or problem.onset.days_until(now) <= situation.days(within))
    ]


def as_named(problem: Problem) -> Named:
    """A condition as a card lists it; where nobody says since when, that is said."""
    if problem.onset is None:
        return Named(problem.display.lower(), "no date is given: taken as current", (problem.reference,))
    word = "recorded" if problem.recorded else "since"
    return Named(problem.display.lower(), f"{word} {on_day(problem.onset)}", (problem.reference,))


def put_problems(situation: Situation, fact: str, problems: Sequence[Problem]) -> None:
    """State a fact that lists conditions, the newest first, each once; its date is that of the newest."""
    if not problems:
        situation.facts.miss("none is on record", fact)
        return
    ordered = sorted(problems, key=lambda each: each.onset.day if each.onset else date.max, reverse=True)
    unique = {problem.display.lower(): problem for problem in reversed(ordered)}
    named = [as_named(problem) for problem in reversed(unique.values())]
    onset = ordered[0].onset
    references = (problem.reference for problem in ordered)
    situation.facts.put(fact, named, *references, on=onset.day if onset else None)


def put_flag(situation: Situation, fact: str, problems: Sequence[Problem]) -> None:
    """State whether there are any, with their references and the day of the newest."""
    days = [problem.onset.day for problem in problems if problem.onset is not None]
    references = (problem.reference for problem in problems)
    situation.facts.put(fact, bool(problems), *references, on=max(days, default=None))
