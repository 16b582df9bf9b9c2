"""Pregnancy, the diagnosis."""

from __future__ import annotations

from cds.chart.model import Lab, Unread
from cds.facts.record import on_day
from cds.facts.situation import Situation


def put_diagnosis(situation: Situation) -> None:
    """Whether ITP is on record: as a problem, or as the reason of any order of the course, which renewals inherit."""
    course = situation.course
    problems = [problem.reference for problem in situation.chart.problems if problem.name == "itp" and problem.active]
    orders = [
        order.reference
        for order in (*situation.dose_orders, *(order for regimen in course.regimens for order in regimen.orders))
        if order.for_itp
    ]
    situation.facts.put("itp_on_record", bool(problems or orders), *problems, *orders)


def put_pregnancy(situation: Situation) -> None:
    """A positive test of the last 30 days, or pregnancy as an active condition."""
    if not (situation.taking or situation.drafts) or situation.chart.gender == "male":
        return
    facts, now = situation.facts, situation.now
    known = [lab for lab in situation.chart.lab("hcg") if lab.moment is not None and not lab.problem]
    newest = max(known, key=lambda lab: (lab.moment.sort_key() if lab.moment else (), lab.positive), default=None)
    tests = [newest] if newest is not None and newest.positive and _recent(situation, newest) else []
    for lab in situation.chart.lab("hcg"):
        if lab.problem and (lab.moment is None or _recent(situation, lab)):
            situation.chart.unread.append(Unread(lab.reference, lab.problem, "pregnancy"))
    conditions = [
        problem
        for problem in situation.chart.problems
        if problem.name == "pregnant"
        and problem.active
        and (problem.end is None or problem.end.is_after(now))
        and (problem.onset is None or problem.onset.days_until(now) <= situation.days("pregnancy_longest"))
    ]
    if tests:
        facts.put("pregnancy_test_positive", True, *(lab.reference for lab in tests))
        facts.put("pregnancy_evidence", f"positive pregnancy test on {on_day(tests[0].moment)}")
    if conditions:
        facts.put("pregnancy_on_record", True, *(problem.reference for problem in conditions))
        if not tests:
            since = f" since {on_day(conditions[0].onset)}" if conditions[0].onset else ""
            facts.put(
                "pregnancy_evidence", f"pregnancy on the problem list{since}; consider closing it there if it has ended"
            )


def _recent(situation: Situation, lab: Lab) -> bool:
    assert lab.moment is not None
    return 0 <= lab.moment.days_until(situation.now) <= situation.days("pregnancy_test_valid")
