"""Interacting drugs, pregnancy, the diagnosis."""

from __future__ import annotations

from datetime import date

from cds.chart.model import DrugUse
from cds.facts.record import Named, on_day
from cds.facts.situation import Situation


def put_diagnosis(situation: Situation) -> None:
    """Whether ITP is on record; windows, level cards and response cards need it."""
    problems = [problem.reference for problem in situation.chart.problems if problem.name == "itp" and problem.active]
    orders = [
        order.reference
        for order in (*situation.dose_orders, *(situation.course.current.orders if situation.course.current else []))
        if order.for_itp
    ]
    situation.facts.put("itp_on_record", bool(problems or orders), *problems, *orders)


def put_interactions(situation: Situation) -> None:
    """Strong inhibitors and inducers that meet sirolimus now, or would by a draft."""
    for valueset, name in (("strong-inhibitor", "strong_inhibitors"), ("strong-inducer", "strong_inducers")):
        uses = [drug for drug in situation.chart.drugs if drug.valueset == valueset and _meets(situation, drug)]
        if not uses:
            situation.facts.miss("no such drug meets sirolimus now", name)
            continue
        by_name: dict[str, list[DrugUse]] = {}
        for drug in uses:
            by_name.setdefault(drug.name, []).append(drug)
        situation.facts.put(
            name,
            [Named(drug, _note(same), tuple(use.reference for use in same)) for drug, same in sorted(by_name.items())],
            *(drug.reference for drug in uses),
        )


def _meets(situation: Situation, drug: DrugUse) -> bool:
    if drug.given:
        return False
    if situation.ordering:
        if drug.draft:
            return situation.taking or bool(situation.drafts)
        return drug.status == "active" and bool(situation.drafts)
    if drug.draft or drug.status != "active" or not situation.taking:
        return False
    starts = [moment.day for moment in (drug.start, situation.course.start) if moment is not None]
    newest = max(
        (lab.moment.day for lab in situation.levels if lab.moment is not None and not lab.wrong_specimen),
        default=date.min,
    )
    return drug.start is None or max(starts) > newest


def _note(uses: list[DrugUse]) -> str:
    first = uses[0]
    what = "draft order" if first.draft else f"since {on_day(first.start)}"
    return what + (", matched by name" if first.by_name else "")


def put_pregnancy(situation: Situation) -> None:
    """A positive test of the last 30 days, or pregnancy as an active condition."""
    if not (situation.taking or situation.drafts) or situation.chart.gender == "male":
        return
    facts, now = situation.facts, situation.now
    tests = [
        lab
        for lab in situation.chart.lab("hcg")
        if lab.positive
        and lab.moment is not None
        and 0 <= lab.moment.days_until(now) <= situation.days("pregnancy_test_valid")
    ]
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
            facts.put("pregnancy_evidence", f"pregnancy on the problem list{since}")
