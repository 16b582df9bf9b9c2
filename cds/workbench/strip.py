"""The patient at a glance: who, what dose, since when, and the newest values against what is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cds.advise import Advice
from cds.cards.text import shown
from cds.chart.words import NG_ML, reported
from cds.course.counts import counts
from cds.course.levels import levels
from cds.plan.case import Facts

_NOT_KNOWN, _NOT_USABLE = "not known", "not usable"
_SIDES = {-1: "low", 0: "in target", 1: "high"}


class Glance(NamedTuple):
    """One thing about the patient; ``side`` is low, high or in target, or that the value is not usable."""

    label: str
    value: str
    side: str = ""


def strip(advice: Advice) -> list[Glance]:
    """What is shown above everything else; what is not known is said to be so."""
    facts = advice.situation.facts
    return [
        Glance("Patient", ", ".join(_who(advice)) or _NOT_KNOWN),
        Glance("Dose", _said(facts, "daily_dose", "mg/day")),
        Glance("Day of the course", _said(facts, "days_on_sirolimus")),
        Glance("Newest level", *_level(advice)),
        Glance("Newest platelet count", *_count(advice)),
        Glance("Response", _said(facts, "response_known")),
    ]


def _who(advice: Advice) -> Iterator[str]:
    facts, patient = advice.situation.facts, advice.situation.patient
    yield from (str(each) for each in (facts.values.get("age_group"), patient.gender) if each)
    if "weight" in facts.values:
        yield shown(facts.values["weight"])


def _said(facts: Facts, name: str, unit: str = "") -> str:
    value = facts.values.get(name)
    return f"{shown(value)} {unit}".strip() if value is not None else _NOT_KNOWN


def _level(advice: Advice) -> tuple[str, str]:
    """The newest level, and on which side of the target it is, where it may be judged by and that can be told."""
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
