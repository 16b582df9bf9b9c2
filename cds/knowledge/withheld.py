"""``withhold.yaml``: the reasons for which no higher dose is offered, each as conditions of the rule language."""

from __future__ import annotations

from pydantic import Field

from cds.compiled.knowledge import Withheld
from cds.facts import PLAN, withhold
from cds.knowledge.conditions import Unclear, known_fact
from cds.knowledge.rules import Names, compile_branches
from cds.knowledge.shapes import Basis, Conditions, Shape
from cds.knowledge.tree import Document, Fault

FILE = "withhold.yaml"
_RESTS_ON = withhold.reasons.name


class WithheldShape(Shape):
    """One reason. ``since`` names the fact whose day is its beginning, ``days`` the definition of how long it lasts."""

    says: str
    when: Conditions = Field(min_length=1)
    table: str = ""
    asks_less: bool = True
    since: str = ""
    days: str = ""
    cite: str
    basis: Basis


def compile_withheld(key: str, document: Document, shape: WithheldShape, names: Names, faults: list[Fault]) -> Withheld:
    """One reason, with its conditions read against the vocabulary."""
    try:
        if shape.since:
            known_fact(shape.since)
    except Unclear as unclear:
        faults.append(Fault(document.path, document.line(key, "since"), f"since: {unclear}"))
    if shape.days and shape.days not in names.numbers:
        faults.append(Fault(document.path, document.line(key, "days"), f"days: there is no number '{shape.days}'"))
    branches = compile_branches(document, (key, "when"), shape.table, shape.when, names, faults)
    for fact in {test.fact for branch in branches for test in branch}:
        if _RESTS_ON in PLAN.needs(fact):
            sentence = f"when: '{fact}' rests itself on the reasons for which a rise is withheld"
            faults.append(Fault(document.path, document.line(key, "when"), sentence))
    return Withheld(key, shape.says, branches, shape.asks_less, shape.since, shape.days)
