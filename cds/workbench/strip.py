"""The patient at a glance: who, what dose, since when, and the newest values against what is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cds.advise import Advice
from cds.cards.text import shown
from cds.chart.words import MG_DAY, NG_ML, reported, said
from cds.course.counts import counts
from cds.course.levels import levels
from cds.course.patient import Patient
from cds.plan.case import Facts

_NOT_KNOWN, _NOT_USABLE = "not known", "not usable"
_NOT_TAKEN = {"held": "held", "stopped": "stopped", "stopped_unknown": "stopped"}
_IN_MONTHS = 2  # years of age
_SIDES = {-1: "low", 0: "in target", 1: "high"}


class Glance(NamedTuple):
    """One item about the patient; ``side`` is low, high or in target, or says that the value is not usable."""

    label: str
    value: str
    side: str = ""


def strip(advice: Advice) -> list[Glance]:
    """What is shown above everything else; an unknown value is shown as not known."""
    facts = advice.situation.facts
    return [
        Glance("Patient", ", ".join(_who(advice)) or _NOT_KNOWN),
        Glance("Dose", _dose(advice.situation.patient)),
        Glance("Day of the course", _said(facts, "days_on_sirolimus")),
        Glance("Newest level", *_level(advice)),
        Glance("Newest platelet count", *_count(advice)),
        Glance("Response", _said(facts, "response_known")),
    ]


def _who(advice: Advice) -> Iterator[str]:
    facts, patient = advice.situation.facts, advice.situation.patient
    yield from (each for each in (_age(patient), patient.gender) if each)
    if "weight" in facts.values:
        yield shown(facts.values["weight"])


def _age(patient: Patient) -> str:
    """Completed years or, under two years, months; if the birth date is not exact to the day, the least and the most it can be."""
    ages = patient.age_range(patient.now.date())
    if patient.birth is None or ages is None or ages[0] < 0:
        return ""
    if ages[1] < _IN_MONTHS:
        return f"{patient.birth.most_months_on(patient.now.date())} months"
    return f"{ages[0]} years" if ages[0] == ages[1] else f"{ages[0]} to {ages[1]} years"


def _dose(patient: Patient) -> str:
    """The dose that is taken, and the dose that the draft orders come to."""
    course = patient.course
    taken = course.current.dose.per_day if patient.taking and course.current and not course.conflict else None
    ordered = patient.dose.per_day if patient.drafts else None
    told = [f"{said(taken)} {MG_DAY}"] if taken is not None else []
    told += [f"{said(ordered)} {MG_DAY} ordered"] if ordered is not None else []
    return ", ".join(told) or _NOT_TAKEN.get(course.state, _NOT_KNOWN)


def _said(facts: Facts, name: str, unit: str = "") -> str:
    value = facts.values.get(name)
    return f"{shown(value)} {unit}".strip() if value is not None else _NOT_KNOWN


def _level(advice: Advice) -> tuple[str, str]:
    """The newest level, and on which side of the target it is, if it is usable and the side is known."""
    target = advice.situation.case["target"]
    for each in advice.situation.of(levels):  # newest first
        if each.lab.amount is not None:
            told = target.decides(each.lab.amount)
            side = _SIDES[target.side(each.lab.amount)] if told else ""
            return reported(each.lab, NG_ML), side if each.verdict == "usable" else _NOT_USABLE
    return _NOT_KNOWN, ""


def _count(advice: Advice) -> tuple[str, str]:
    found = advice.situation.of(counts)
    newest = max(found, key=lambda each: each.moment.sort_key(), default=None)
    if newest is None:
        return _NOT_KNOWN, ""
    return newest.words(), _NOT_USABLE if newest.why_not else ""
