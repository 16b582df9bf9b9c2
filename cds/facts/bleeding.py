"""Bleeding on record: as a diagnosis, or as a grade of the WHO's scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cds.chart.labs import COUNTED, GRADE
from cds.chart.model import Lab
from cds.chart.samples import near
from cds.chart.times import Moment
from cds.facts.record import said
from cds.facts.situation import Situation

_CORRECTIONS = ("amended", "corrected")
_KINDS = {"bleeding": True, "skin-bleeding": False}


@dataclass(frozen=True, slots=True)
class Bleed:
    """A bleed since ``onset``; of a graded one that is when it was seen, and ``end`` the next day on which its site was graded."""

    reference: str
    onset: Moment
    words: str
    beyond_skin: bool
    end: Moment | None = None
    closed: bool = False  # resolved, without a day


def bleeds(situation: Situation) -> list[Bleed]:
    """Every bleed whose onset is known, in no particular order. A grade of 0 is none."""
    diagnosed = [
        Bleed(p.reference, p.onset, p.display.lower() or "bleeding", _KINDS[p.name], p.end, not p.active)
        for p in situation.chart.problems
        if p.name in _KINDS and p.onset is not None
    ]
    return [*diagnosed, *_graded(situation)]


def grades(situation: Situation) -> list[Lab]:
    """The final grades that can be read, oldest first, of one instant the worst last.

    A correction takes the place of what has its identifier.

    Several sites may be graded at once, so that two grades of one instant are two.
    """
    known = [lab for lab in situation.chart.lab(GRADE) if lab.moment and lab.amount and lab.status in COUNTED]
    corrections = [lab for lab in known if lab.status in _CORRECTIONS]
    kept = [lab for lab in known if lab in corrections or not any(_replaces(each, lab) for each in corrections)]
    return sorted(kept, key=lambda lab: (lab.moment.sort_key(), lab.amount.value))  # type: ignore[union-attr]  # filtered above


def _replaces(correction: Lab, lab: Lab) -> bool:
    return not set(correction.identifiers).isdisjoint(lab.identifiers) and near(lab, correction)


def uncounted_grades(situation: Situation) -> list[Lab]:
    """Those that cannot be read or are not final, though they may be of bleeding that goes on now."""
    days = situation.days("bleeding_now_days")
    labs = [lab for lab in situation.chart.lab(GRADE) if lab.problem or lab.status not in COUNTED]
    return [lab for lab in labs if not lab.moment or lab.moment.days_until(situation.now) <= days]


def _graded(situation: Situation) -> Iterator[Bleed]:
    numbers, seen = situation.definitions, grades(situation)
    first = {lab.reference: lab for lab in reversed(seen)}.values()  # the end of a period ends nothing that began in it
    for lab in seen:
        assert lab.moment is not None and lab.amount is not None
        grade, moment = lab.amount.value, lab.moment
        if grade >= numbers["bleeding_grade"]:
            ends = (each.moment for each in first if each.moment and each.site in ("", lab.site))
            over = min((end for end in ends if end.day > moment.day), key=Moment.sort_key, default=None)
            beyond = grade >= numbers["bleeding_grade_beyond_skin"]
            yield Bleed(lab.reference, moment, f"bleeding of WHO grade {said(grade)}", beyond, over)
