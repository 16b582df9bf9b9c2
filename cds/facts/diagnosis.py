"""The diagnosis: is it the disease of the protocol, and is there another cause beside it."""

from __future__ import annotations

from cds.facts.problems import active
from cds.facts.situation import Situation


def put_diagnosis(situation: Situation) -> None:
    """Whether ITP is on record: as a problem, or as the reason of any order of the course, which renewals inherit.

    A protocol may count further diagnoses, such as Evans syndrome, as its own.
    """
    course = situation.course
    counted = situation.knowledge.protocol.diagnoses
    problems = [
        *active(situation, "itp"),
        *(problem for problem in active(situation, "secondary") if problem.also in counted),
    ]
    orders = [
        order.reference
        for order in (*situation.dose_orders, *(order for regimen in course.regimens for order in regimen.orders))
        if order.for_itp
    ]
    references = [problem.reference for problem in problems]
    situation.facts.put("itp_on_record", bool(problems or orders), *references, *orders)
