"""Conditions beside which sirolimus is dangerous: lungs, infection, liver, breast-feeding, a possible pregnancy."""

from __future__ import annotations

from decimal import Decimal

from cds.chart.labs import COUNTED
from cds.chart.model import Problem
from cds.chart.samples import distinct
from cds.facts.record import Named, on_day, reported
from cds.facts.situation import Situation


def put_harm(situation: Situation) -> None:
    """State the conditions that are active, and what a first order for a woman needs."""
    _put_names(situation, "lung_disease", [p for p in _active(situation, "pneumonitis") if _in_course(situation, p)])
    _put_names(situation, "serious_infections", _active(situation, "serious-infection"))
    sepsis = [problem.reference for problem in _active(situation, "sepsis")]
    situation.facts.put("sepsis", bool(sepsis), *sepsis)
    feeding = _active(situation, "breastfeeding")
    situation.facts.put("breastfeeding", bool(feeding), *(problem.reference for problem in feeding))
    _put_oxygen(situation)
    _put_bilirubin(situation)
    _put_possible_pregnancy(situation)


def _active(situation: Situation, name: str) -> list[Problem]:
    now = situation.now
    return [
        problem
        for problem in situation.chart.problems
        if problem.name == name and problem.active and (problem.end is None or problem.end.is_after(now))
    ]


def _in_course(situation: Situation, problem: Problem) -> bool:
    """Whether it began during the course, or nobody knows when: what was there before is not the drug's.

    Of an order after earlier courses, whether it began since the first of them: it may come back with the drug.
    """
    chart, course = situation.chart, situation.course
    start = course.start or course.first_order
    if start is not None:
        return problem.onset is None or problem.onset.day >= start.day
    taken = any(not order.draft for order in chart.orders) or chart.intakes or situation.first_level
    return bool(taken) or not situation.drafts  # of a first order the drug has not been taken yet


def _put_names(situation: Situation, fact: str, problems: list[Problem]) -> None:
    if not problems:
        situation.facts.miss("none is on record", fact)
        return
    listed = [Named(p.display.lower(), f"since {on_day(p.onset)}", (p.reference,)) for p in problems]
    situation.facts.put(fact, listed, *(problem.reference for problem in problems))


def _put_oxygen(situation: Situation) -> None:
    """The newest oxygen saturation, of the last days, and whether breathlessness is on record."""
    facts, days = situation.facts, situation.days("oxygen_recent")
    breathless = _active(situation, "breathless")
    facts.put("breathless", bool(breathless), *(problem.reference for problem in breathless))
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


def _put_bilirubin(situation: Situation) -> None:
    """The newest bilirubin over its laboratory's own upper limit."""
    facts, days = situation.facts, situation.days("bilirubin_recent")
    names = ("bilirubin", "bilirubin_report")
    for lab in distinct(situation.chart.lab("bilirubin"), worse=True):
        if lab.amount is None or lab.moment is None or lab.status == "preliminary":
            continue
        if lab.moment.days_until(situation.now) > days or not lab.upper or lab.amount.comparator:
            break
        facts.put("bilirubin", lab.amount.value / lab.upper, lab.reference)
        facts.put("bilirubin_report", reported(lab, "mg/dL"), lab.reference)
        return
    facts.miss(f"there is no bilirubin of the last {days} days with an upper limit", *names)


def _put_possible_pregnancy(situation: Situation) -> None:
    """A woman of an age to conceive, and for how many days a negative test has spoken."""
    facts, now = situation.facts, situation.now
    ages = situation.age_range(now.date())
    least, most = situation.days("fertile_from"), situation.days("fertile_to")
    may = situation.chart.gender == "female" and ages is not None and ages[1] >= least and ages[0] <= most
    facts.put("may_conceive", may, situation.chart.patient_reference)
    tests = [lab for lab in situation.chart.lab("hcg") if lab.moment and not lab.problem and lab.status in COUNTED]
    negative = [lab for lab in tests if not lab.positive]
    days = [lab.moment.days_until(now) for lab in negative if lab.moment is not None]
    if days:
        facts.put("days_since_negative_test", Decimal(min(days)), *(lab.reference for lab in negative))
    else:
        facts.miss("no negative pregnancy test is on record", "days_since_negative_test")
