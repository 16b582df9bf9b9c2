"""Bleeding on record: as a diagnosis, or as a grade of the WHO's scale."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from cds.chart.labs import COUNTED
from cds.chart.model import Lab
from cds.chart.samples import near
from cds.chart.times import Moment
from cds.chart.words import said
from cds.course.kinds import Labs, Problems
from cds.plan.declare import Numbers, part

_CORRECTIONS = ("amended", "corrected")
_MOST = 20  # corrections of one identifier that are looked at
_LIFE = "bleeding-life"
_KINDS = {"bleeding": True, "bleeding-gut": True, _LIFE: True, "skin-bleeding": False}


class Bleed(msgspec.Struct, frozen=True):
    """A bleed since ``onset``. For a graded bleed, ``onset`` is when it was seen, ``end`` the next day on which its site was graded."""

    reference: str
    onset: Moment
    words: str
    beyond_skin: bool
    kind: str = "bleeding"
    end: Moment | None = None
    closed: bool = False  # resolved, without a day


class Grades(Numbers, frozen=True):
    """The lowest WHO grades that count as a bleed, as a bleed beyond the skin, and as a life-threatening bleed."""

    bleeding_grade: Decimal
    bleeding_grade_beyond_skin: Decimal
    bleeding_grade_life: Decimal


@part
def bleeds(
    bleeding_problems: Problems,
    bleeding_gut_problems: Problems,
    bleeding_life_problems: Problems,
    skin_bleeding_problems: Problems,
    grades: list[Lab],
    grading: Grades,
) -> list[Bleed]:
    """Every bleed whose onset is known, in no particular order. A grade of 0 is not a bleed."""
    every = [*bleeding_problems, *bleeding_gut_problems, *bleeding_life_problems, *skin_bleeding_problems]
    diagnosed = [
        Bleed(p.reference, p.onset, p.display.lower() or "bleeding", _KINDS[p.name], p.name, p.end, not p.active)
        for p in every
        if p.onset is not None
    ]
    return [*diagnosed, *_graded(grades, grading)]


@part
def grades(bleeding_grade_labs: Labs) -> list[Lab]:
    """The final grades that can be read, oldest first; of several at one instant, the worst is last.

    A correction replaces the grades with its identifier.

    Several sites may be graded at once, so two grades at one instant are both kept.
    """
    known = [lab for lab in bleeding_grade_labs if lab.moment and lab.amount and lab.status in COUNTED]
    corrections: dict[str, list[Lab]] = {}
    for lab in known:
        for name in lab.identifiers if lab.status in _CORRECTIONS else ():
            corrections.setdefault(name, []).append(lab)
    kept = [lab for lab in known if lab.status in _CORRECTIONS or not _is_replaced(lab, corrections)]
    return sorted(kept, key=lambda lab: (lab.moment.sort_key(), lab.amount.value))  # type: ignore[union-attr]  # filtered above


def _is_replaced(lab: Lab, corrections: Mapping[str, Sequence[Lab]]) -> bool:
    return any(near(lab, other) for name in lab.identifiers for other in corrections.get(name, ())[:_MOST])


def _graded(seen: Sequence[Lab], limits: Grades) -> Iterator[Bleed]:
    days: dict[
        str, list[Moment]
    ] = {}  # by site, on which it was graded; the end of a period ends no bleed that began in it
    for lab in {lab.reference: lab for lab in reversed(seen)}.values():
        assert lab.moment is not None
        days.setdefault(lab.site, []).append(lab.moment)
    for several in days.values():
        several.sort(key=Moment.sort_key)
    for lab in seen:
        assert lab.moment is not None and lab.amount is not None
        grade, moment = lab.amount.value, lab.moment
        if grade >= limits.bleeding_grade:
            since = (lab.since or moment).day
            ends = [end for site in {"", lab.site} if (end := _next(days.get(site, []), since)) is not None]
            over = min(ends, key=Moment.sort_key, default=None)
            beyond = grade >= limits.bleeding_grade_beyond_skin
            onset = lab.since if lab.since is not None and over is not None else moment
            kind = _LIFE if grade >= limits.bleeding_grade_life else "bleeding"
            yield Bleed(lab.reference, onset, f"bleeding of WHO grade {said(grade)}", beyond, kind, over)


def _next(moments: Sequence[Moment], day: date) -> Moment | None:
    """The first of them, in order, on a later day."""
    place = bisect_right(moments, day, key=lambda moment: moment.day)
    return moments[place] if place < len(moments) else None
