"""Run the cases in the rule files through both engines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cds.cards.detail import numbers_for
from cds.cards.text import cut, fill, shown
from cds.compiled.bound import bound_of
from cds.compiled.template import AS_REPORTED
from cds.engine import Evaluator, Holding
from cds.knowledge.files import Folder, RuleFile
from cds.knowledge.shapes import CaseShape, ExpectedCard
from cds.knowledge.tree import Fault
from cds.plan.declare import Named
from cds.vocabulary import VOCABULARY


@dataclass(frozen=True)
class Case:
    """One case with the facts it gives and the card it expects (None for none)."""

    file: RuleFile
    index: int
    shape: CaseShape

    @property
    def name(self) -> str:
        return f"{self.file.rule.id} | {self.shape.case}"

    @property
    def hook(self) -> str:
        return self.shape.hook or self.file.rule.hooks[0]

    @property
    def facts(self) -> dict[str, Any]:
        """The record of facts: what all cases of the file share, and what this one gives."""
        values = {name: _value(name, value) for name, value in self._given.items() if name in VOCABULARY}
        values.setdefault("ordering", self.hook != "patient-view")
        return values

    @property
    def _given(self) -> dict[str, Any]:
        given = {**self.file.shape.background, **self.shape.given}
        return {name: value for name, value in given.items() if value != "absent"}

    @property
    def words(self) -> dict[str, Any]:
        """The facts as the texts of a card show them; a fact that is not given as reported is shown as its value with its unit."""
        plain = {
            f"{name}{AS_REPORTED}": f"{shown(value)} {VOCABULARY[name].unit}".strip()
            for name, value in self.facts.items()
        }
        return plain | self._given | self.facts

    @property
    def expected(self) -> tuple[str | None, str | None]:
        """Indicator (None: not stated) and summary (None: no card)."""
        card = self.shape.card
        if isinstance(card, ExpectedCard):
            return card.indicator, card.summary
        return None, None if card == "none" else card

    def fault(self, message: str) -> Fault:
        document = self.file.document
        return Fault(document.path, document.line("cases", self.index), f"case '{self.shape.case}': {message}")


def _value(name: str, value: Any) -> Any:
    if VOCABULARY[name].bounded and isinstance(value, str):
        return bound_of(value)
    return [Named(str(item)) for item in value] if VOCABULARY[name].type == "names" else value


def cases_of(folder: Folder) -> Iterator[Case]:
    for file in folder.files:
        for index, shape in enumerate(file.shape.cases):
            yield Case(file, index, shape)


def run_case(case: Case, engine: Evaluator) -> Fault | None:
    """None when the case gets the card it expects; else what it got instead."""
    facts = case.facts
    holding = next((item for item in engine.holding(facts, case.hook) if item.rule.id == case.file.rule.id), None)
    indicator, summary = case.expected
    got = summary_of(holding, case.words, engine) if holding else None
    if got != summary:
        return case.fault(f"expected {_words(summary)}, got {_words(got)}")
    if holding is not None and indicator is not None and holding.level.indicator != indicator:
        return case.fault(f"expected indicator {indicator}, got {holding.level.indicator}")
    return None


def summary_of(holding: Holding, facts: dict[str, Any], engine: Evaluator) -> str:
    """The summary of a rule that holds."""
    row = numbers_for(engine.knowledge, holding.variant)
    return cut(fill(holding.level.summary, facts, row, markdown=False) or "")


def _words(summary: str | None) -> str:
    return "no card" if summary is None else f"'{summary}'"


def check_both_ways(folder: Folder) -> Iterator[Fault]:
    """Every rule must fire in one case and rest in another, and fire on each of its hooks."""
    for file in folder.files:
        mine = [Case(file, index, shape) for index, shape in enumerate(file.shape.cases)]
        document = file.document
        if all(case.expected[1] is None for case in mine):
            yield Fault(document.path, document.line("cases"), "no case makes this rule fire")
        if all(case.expected[1] is not None for case in mine):
            yield Fault(document.path, document.line("cases"), "no case shows this rule at rest")
        for hook in file.rule.hooks:
            if not any(case.hook == hook and case.expected[1] is not None for case in mine):
                yield Fault(document.path, document.line("cases"), f"no case makes this rule fire on {hook}")
