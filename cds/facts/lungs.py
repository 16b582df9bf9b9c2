"""Lungs: pneumonitis that began on sirolimus, lung disease from before it, breathlessness and oxygen."""

from __future__ import annotations

from cds.chart.model import Problem
from cds.chart.samples import distinct
from cds.facts.problems import active, on_record, put_flag, put_problems
from cds.facts.situation import Situation

_LUNG = "pneumonitis"


def put_lungs(situation: Situation) -> None:
    """State lung disease by whether sirolimus was taken when it began, and what speaks of it without a diagnosis."""
    known, now = on_record(situation, _LUNG), active(situation, _LUNG)
    mine = [problem for problem in known if _on_sirolimus(situation, problem)]
    put_problems(situation, "lung_disease", [problem for problem in now if problem in mine])
    put_problems(situation, "lung_history", [problem for problem in mine if problem not in now])
    starts = bool(situation.drafts) and (situation.course.start is None or situation.earlier is not None)
    put_problems(situation, "lung_disease_before", [problem for problem in now if starts and problem not in mine])
    new = active(situation, _LUNG, within="lung_acts")
    put_problems(situation, "lung_harm", mine)
    put_problems(situation, "lung_new", [problem for problem in new if problem not in mine])
    put_flag(situation, "breathless", active(situation, "breathless"))
    _put_oxygen(situation)


def _on_sirolimus(situation: Situation, problem: Problem) -> bool:
    """Whether it began while sirolimus was taken, in any course, or shortly after a stop; without a date, if it ever was.

    Where no order is on record and it was given or measured, nobody knows since when: it may have been on it.
    """
    ordered = any(not order.draft for order in situation.chart.orders)
    unseen = not ordered and bool(situation.chart.intakes or situation.levels)
    if problem.onset is None or unseen:
        return ordered or unseen
    return situation.took_sirolimus(problem.onset.day, situation.days("stop_still_counts"))


def _put_oxygen(situation: Situation) -> None:
    """The newest oxygen saturation, of the last days."""
    facts, days = situation.facts, situation.days("oxygen_recent")
    labs = [
        lab for lab in distinct(situation.chart.lab("oxygen"), worse=True) if lab.amount and not lab.amount.comparator
    ]
    newest = labs[0] if labs else None
    if newest is None or newest.amount is None or newest.moment is None:
        facts.miss("no oxygen saturation is on record", "oxygen_saturation")
    elif newest.moment.days_until(situation.now) > days:
        facts.miss(f"there is no oxygen saturation of the last {days} days", "oxygen_saturation")
    else:
        facts.put("oxygen_saturation", newest.amount.value, newest.reference, on=newest.moment.day)
