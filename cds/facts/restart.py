"""Whether sirolimus is being taken up again after it did harm."""

from __future__ import annotations

from collections.abc import Sequence

from cds.chart.model import Lab
from cds.chart.samples import distinct
from cds.facts.course import Course
from cds.facts.levels import beyond
from cds.facts.problems import on_record
from cds.facts.situation import Situation

_HARMS = (
    "pneumonitis", "sepsis", "serious-infection", "lasting-infection", "febrile-neutropenia", "angioedema", "angioedema-past",
    "thrombosis", "microangiopathy", "stomatitis", "malignancy",
)  # fmt: skip


def put_restart(situation: Situation) -> None:
    """State whether a draft begins again where the course before had a harm, as a condition or in the blood at its end."""
    before = situation.earlier or situation.course
    again = bool(situation.drafts) and not situation.taking and before.state in ("held", "stopped", "stopped_unknown")
    references = [*_conditions(situation), *_blood(situation, before)] if again else []
    situation.facts.put("restart_after_harm", bool(references), *references)


def _conditions(situation: Situation) -> list[str]:
    days = situation.days("stop_still_counts")
    return [
        problem.reference
        for problem in on_record(situation, *_HARMS)
        if problem.onset is not None and situation.took_sirolimus(problem.onset.day, days)
        if problem.name != "stomatitis" or problem.severity != "mild"
    ]


def _blood(situation: Situation, before: Course) -> list[str]:
    """Few neutrophils in the weeks before the stop, or a newest level of then above the target."""
    if before.ended is None:
        return []
    numbers = situation.knowledge.protocol.numbers
    few = situation.definitions["neutrophils_grade_3"]
    cells = _before(situation, before, distinct(situation.chart.lab("neutrophils"), worse=True), "stop_still_counts")
    found = [lab.reference for lab in cells if lab.amount and lab.amount.value < few]
    levels = [lab for lab in situation.levels if not lab.wrong_specimen]
    newest = _before(situation, before, levels, "critical_max_age")[:1]
    return found + [lab.reference for lab in newest if lab.amount and beyond(lab.amount, numbers) > 0]


def _before(situation: Situation, before: Course, labs: Sequence[Lab], within: str) -> list[Lab]:
    """The results of the days before the stop, newest first."""
    assert before.ended is not None
    days, ended = situation.days(within), before.ended
    return [lab for lab in labs if lab.moment is not None and lab.amount and 0 <= lab.moment.days_to(ended) <= days]
