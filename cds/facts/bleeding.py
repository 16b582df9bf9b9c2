"""Bleeding on record: as a diagnosis, or as a grade of the WHO's scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cds.chart.labs import GRADE
from cds.chart.model import Lab
from cds.chart.samples import not_corrected
from cds.chart.times import Moment
from cds.facts.record import said
from cds.facts.situation import Situation

_KINDS = {"bleeding": True, "skin-bleeding": False}


@dataclass(frozen=True, slots=True)
class Bleed:
    """A bleed since ``onset``; of a graded one that is when it was seen, and ``end`` when it was graded next."""

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
    """The grades that can be read, oldest first."""
    known = [lab for lab in not_corrected(situation.chart.lab(GRADE)) if lab.moment and lab.amount]
    return sorted(known, key=lambda lab: lab.moment.sort_key())  # type: ignore[union-attr]  # filtered above


def _graded(situation: Situation) -> Iterator[Bleed]:
    numbers, seen = situation.definitions, grades(situation)
    for place, lab in enumerate(seen):
        assert lab.moment is not None and lab.amount is not None
        grade, moment = lab.amount.value, lab.moment
        if grade >= numbers["bleeding_grade"]:
            later = (other.moment for other in seen[place + 1 :] if other.moment is not None)
            over = next((other for other in later if _later(other, moment)), None)
            beyond = grade >= numbers["bleeding_grade_beyond_skin"]
            yield Bleed(lab.reference, moment, f"bleeding of WHO grade {said(grade)}", beyond, over)


def _later(one: Moment, other: Moment) -> bool:
    """Whether ``one`` is surely later; of two of a day, one without a time, nobody knows."""
    if one.at is not None and other.at is not None:
        return one.at > other.at
    return one.day > other.day
