"""Every fact that a rule may name: its type, unit, step and meaning, as the functions of ``cds.facts`` declare it.

The vocabulary is closed: a rule that names anything else is rejected when it is read, and the engine accepts nothing that is not
listed here. A fact that is not known is absent from the record; it is never null, zero or a guess.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from cds.facts import PLAN
from cds.plan.declare import AnyFact, FactType


class Fact(NamedTuple):
    """One entry of the vocabulary.

    ``meaning`` names numbers of the definitions and the protocol as ``{name}``; ``report`` says what ``{name as reported}`` shows.

    ``number`` facts have a unit and the step by which cases and mutants move them; for ``bounded`` ones only a bound may be
    known. ``code`` facts are one of ``codes``; ``flag`` facts are true or false; ``names`` facts are a list of named things (a rule
    can only ask whether there are any); ``text`` facts are shown and never compared.
    """

    name: str
    type: FactType
    meaning: str
    unit: str = ""
    step: Decimal = Decimal(1)
    codes: tuple[str, ...] = ()
    bounded: bool = False
    report: str = ""


def _entry(fact: AnyFact) -> Fact:
    assert fact.type, fact.name
    return Fact(
        fact.name,
        fact.type,
        fact.meaning,
        fact.unit,
        Decimal(fact.step),
        tuple(fact.codes.split()),
        fact.bounded,
        fact.report,
    )


RENAMED = {"cut_for_high_level": "cut_for_a_reason"}
"""Names of facts in rules that were written for an earlier version, and the current names."""
BOUNDS = {
    "trough_under": ("trough", "<"),
    "trough_at_most": ("trough", "<="),
    "trough_over": ("trough", ">"),
    "trough_at_least": ("trough", ">="),
    "newest_level_over": ("newest_level", ">"),
    "newest_level_at_least": ("newest_level", ">"),  # 'at least' counts as more
}
"""Facts of an earlier version that held a level reported only as a bound: the fact that holds it now, and its comparator."""

INNER = frozenset(name for name, fact in PLAN.facts.items() if fact.inner)
"""Facts that only other facts read; `explain` shows them."""
REPORTS = {
    f"{name}_report": {
        "creatinine": "creatinine_ratio", "exposure": "exposure_ratio", "steroid": "days_on_steroid",
    }.get(name, name)
    for name in (
        "neutrophils", "hemoglobin", "triglycerides", "cholesterol", "fasting_glucose", "hba1c", "proteinuria", "albuminuria",
        "creatinine", "liver_enzymes", "bilirubin", "trough", "newest_level", "unusable_level", "level_wait", "exposure",
        "platelet_count", "unusable_count", "platelet_fall", "bleeding_now", "steroid",
    )
}  # fmt: skip
"""Text facts of an earlier version that held what the record says about a fact: the fact that a text now names ``as reported``."""


def _known_with(name: str) -> frozenset[str]:
    """The facts that must be known for a fact to be known, whatever the chart."""
    needs = {need for need in PLAN.steps[name].needs if need in PLAN.steps}
    below = frozenset[str]().union(*map(_known_with, needs))
    return below | {need for need in needs if PLAN.facts[need].type}


KNOWN_WITH = {name: _known_with(name) for name in PLAN.told}
"""For each fact, the facts that it is computed from: they are known whenever it is known."""

OFFERS = {
    "proposed_dose": "rise_withheld is absent",
    "window_dose": "rise_withheld is absent",
    "size_dose": "rise_withheld is absent",
    "step_down_dose": "rise_withheld is absent",
}
"""Invariants of the facts: a dose that may be offered and is above the one that is judged or taken implies this condition.

The proof that no two cards point in opposite directions relies on them; property tests check them on random charts.
"""

VOCABULARY: dict[str, Fact] = {name: _entry(PLAN.facts[name]) for name in PLAN.told}
