"""Which tests were never done before a start, and which are overdue during the course."""

from __future__ import annotations

from collections.abc import Callable

from cds.chart.model import Lab
from cds.facts.infection import passive_antibodies
from cds.facts.record import Named, on_day
from cds.facts.situation import Situation
from cds.knowledge.compiled import LabTest

_ONCE = 36_500  # days: a result of any age will do
_SCREENS = ("hepatitis-c", "hiv", "tuberculosis")
_STRETCHES = ("weeks_1_to_4_until", "months_2_and_3_until", "months_4_to_6_until")


def put_monitoring(situation: Situation) -> None:
    """State what is missing for a first order, and what is overdue for a patient who takes sirolimus."""
    facts = situation.facts
    _put(situation, "baseline_missing", _missing(situation), "nothing is missing, or this is no first order")
    _put(situation, "tests_overdue", _overdue(situation), "nothing is overdue, or it is not known since when")
    facts.put("observations_supplied", _supplied(situation))
    _put(situation, "screening_positive", _positive_screens(situation), "no screening test was positive")


def _put(situation: Situation, fact: str, found: list[Named], reason: str) -> None:
    if found:
        situation.facts.put(fact, found, *(reference for each in found for reference in each.references))
    else:
        situation.facts.miss(reason, fact)


def _supplied(situation: Situation) -> bool:
    """Whether the results were sent, and all of them: else what is not there may only not have come."""
    chart = situation.chart
    kinds = {kind for kind, _ in chart.incomplete}
    return "Observation" not in chart.not_supplied and kinds.isdisjoint(("Observation", "Bundle"))


def _newest(situation: Situation, test: LabTest, is_passive: Callable[[Lab], bool]) -> Lab | None:
    """The newest result by which the test is seen; one that waits for confirmation counts, one of a mistake does not."""
    labs = [
        lab
        for lab in situation.chart.lab(*test.seen_by)
        if lab.moment is not None and not lab.problem and not lab.wrong_specimen
    ]
    labs = [lab for lab in labs if lab.status != "preliminary" or lab.amount is not None]  # an answer that may turn yet
    labs = [lab for lab in labs if not (lab.name == "anti-hbc" and lab.positive and is_passive(lab))]
    return max(labs, key=lambda lab: lab.moment.sort_key() if lab.moment else (), default=None)


def _positive_screens(situation: Situation) -> list[Named]:
    """Infections, other than hepatitis B, that were found before a first order; the newest answer of each counts."""
    if not situation.facts.values.get("first_order"):
        return []
    found = []
    for test in situation.knowledge.tests:
        if test.id in _SCREENS:
            newest = _newest(situation, test, lambda lab: False)
            if newest is not None and newest.positive:
                found.append(Named(test.means, f"positive on {on_day(newest.moment)}", (newest.reference,)))
    return found


def _missing(situation: Situation) -> list[Named]:
    if not situation.facts.values.get("first_order"):
        return []
    found, is_passive = [], passive_antibodies(situation)
    for test in situation.knowledge.tests:
        newest = _newest(situation, test, is_passive)
        age = newest.moment.days_until(situation.now) if newest is not None and newest.moment is not None else None
        known = age is not None and age <= test.baseline
        if test.baseline and not known and not situation.chart.awaited(*test.seen_by):
            found.append(_named(test, newest, test.baseline))
    return found


def _named(test: LabTest, newest: Lab | None, wanted: int = 0) -> Named:
    when = f"last on {on_day(newest.moment)}" if newest is not None else "none on record"
    if wanted:
        when += f"; wanted of the last {wanted} days" if wanted < _ONCE else "; wanted once"
    return Named(test.means, when, (newest.reference,) if newest is not None else (), fact=test.id)


def _overdue(situation: Situation) -> list[Named]:
    start, day = situation.course.start, situation.day
    if not situation.taking or start is None or day is None:
        return []
    stretch = next((n for n, name in enumerate(_STRETCHES) if day <= situation.days(name)), len(_STRETCHES))
    found, is_passive = [], passive_antibodies(situation)
    for test in situation.knowledge.tests:
        newest = _newest(situation, test, is_passive)
        since = newest.moment.days_until(situation.now) if newest is not None and newest.moment is not None else day
        if since < day:
            waited, every = since, test.every[stretch] if test.every else 0
        else:  # none during the course yet: the first one that was wanted is missing
            waited, every = day, next((days for days in test.every[: stretch + 1] if days), 0)
        late = waited > every * situation.definitions["overdue_share"]
        if every and late and not situation.chart.awaited(*test.seen_by):
            found.append(_named(test, newest))
    return found
