"""Whether sirolimus is being taken up again after it did harm."""

from __future__ import annotations

from collections.abc import Sequence

from cds.chart.model import Lab, Problem
from cds.course.kinds import Problems, Samples
from cds.course.levels import Target
from cds.course.orders import Course
from cds.course.patient import Patient
from cds.plan.declare import Answer, Days, Known, Number, flag, part


@part
def harms_on_record(
    pneumonitis_problems: Problems,
    sepsis_problems: Problems,
    serious_infection_problems: Problems,
    lasting_infection_problems: Problems,
    febrile_neutropenia_problems: Problems,
    angioedema_problems: Problems,
    angioedema_past_problems: Problems,
    thrombosis_problems: Problems,
    microangiopathy_problems: Problems,
    nephrotic_problems: Problems,
    stomatitis_problems: Problems,
    malignancy_problems: Problems,
) -> list[Problem]:
    """Conditions that sirolimus may have caused, over or not; stomatitis only if it is not mild."""
    return [
        *pneumonitis_problems,
        *sepsis_problems,
        *serious_infection_problems,
        *lasting_infection_problems,
        *febrile_neutropenia_problems,
        *angioedema_problems,
        *angioedema_past_problems,
        *thrombosis_problems,
        *microangiopathy_problems,
        *nephrotic_problems,
        *(problem for problem in stomatitis_problems if problem.severity != "mild"),
        *malignancy_problems,
    ]


@flag("the draft takes sirolimus up again after a course in which it did harm")
def restart_after_harm(
    patient: Patient,
    harms_on_record: list[Problem],
    neutrophils_samples: Samples,
    neutrophils_grade_3: Number,
    critical_max_age: Days,
    target: Target,
) -> Answer[bool]:
    """The harm is a recorded condition, or a blood result at the end of the course: few neutrophils, or a level above the target."""
    before = patient.earlier or patient.course
    if not patient.drafts or patient.taking or before.state not in ("held", "stopped", "stopped_unknown"):
        return False
    references = [
        problem.reference
        for problem in harms_on_record
        if problem.onset is not None and patient.took_sirolimus(problem.onset.day)
    ]
    cells = _before(before, neutrophils_samples, patient.joining.stop_still_counts)
    references += [lab.reference for lab in cells if lab.amount and lab.amount.value < neutrophils_grade_3]
    levels = [lab for lab in patient.levels if not lab.wrong_specimen]
    newest = _before(before, levels, critical_max_age)[:1]
    references += [lab.reference for lab in newest if target.is_above(lab)]
    return Known(bool(references), references)


def _before(course: Course, labs: Sequence[Lab], days: int) -> list[Lab]:
    """The results of the days before the stop, newest first."""
    ended = course.ended
    if ended is None:
        return []
    return [lab for lab in labs if lab.moment is not None and lab.amount and 0 <= lab.moment.days_to(ended) <= days]
