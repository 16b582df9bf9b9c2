"""Rules as formulas for z3: facts as variables, conditions over them, and which rule speaks where.

Numbers are whole millionths, as both engines compare them.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import z3

from cds.compiled.knowledge import INDICATORS, Condition, Knowledge, Rule
from cds.vocabulary import VOCABULARY

HOOKS = ("patient-view", "order-select", "order-sign")
COMPARATORS = ("", "<", "<=", ">", ">=")
_BEYOND = {"<": -1, "<=": 0, ">": 1, ">=": 0}
Formula = Any


class Record(NamedTuple):
    """The facts of one patient as z3 sees them; those in ``own`` are its own, and the others it shares with every other record."""

    suffix: str = ""
    own: tuple[str, ...] = ()

    def _name(self, fact: str, part: str) -> str:
        return f"{fact}.{part}" + (self.suffix if fact in self.own else "")

    def known(self, fact: str) -> Formula:
        return z3.BoolVal(True) if fact == "ordering" else z3.Bool(self._name(fact, "known"))

    def number(self, fact: str) -> Formula:
        return z3.Int(self._name(fact, "number"))

    def comparator(self, fact: str) -> Formula:
        """Which of the comparators a bounded number has; 0 for an exact one."""
        return z3.Int(self._name(fact, "comparator")) if VOCABULARY[fact].bounded else z3.IntVal(0)

    def word(self, fact: str) -> Formula:
        return z3.Int(self._name(fact, "word"))

    def flag(self, fact: str) -> Formula:
        return z3.Bool(self._name(fact, "flag"))

    def holds(self, test: Condition) -> Formula:
        return _holds(self, test)

    def condition(self, test: Condition) -> Formula:
        known = self.known(test.fact)
        if test.operator == "absent":
            return z3.Not(known)
        if test.operator == "present":
            return known
        return z3.And(known, self._compared(test))

    def _compared(self, test: Condition) -> Formula:
        if test.number is not None:
            exact = _compare(self.number(test.fact), test.operator, micro(test.number))
            bounds = [
                z3.And(
                    self.comparator(test.fact) == at,
                    _compare(self.number(test.fact) + _BEYOND[name], test.operator, micro(test.number)),
                )
                for at, name in enumerate(COMPARATORS)
                if name and name[0] == test.operator[0]
            ]
            return z3.Or(z3.And(self.comparator(test.fact) == 0, exact), *bounds)
        if test.word is not None:
            same = self.word(test.fact) == VOCABULARY[test.fact].codes.index(test.word)
        else:
            same = self.flag(test.fact) == z3.BoolVal(bool(test.flag))
        return same if test.operator == "is" else z3.Not(same)

    def sane(self) -> Formula:
        """Codes are of the list, comparators too."""
        return _sane(self)

    def within_lists(self) -> Formula:
        words = [
            z3.And(self.word(name) >= 0, self.word(name) < len(fact.codes))
            for name, fact in VOCABULARY.items()
            if fact.codes
        ]
        bounded = [name for name, fact in VOCABULARY.items() if fact.bounded]
        return z3.And(
            *words, *(z3.And(self.comparator(f) >= 0, self.comparator(f) < len(COMPARATORS)) for f in bounded)
        )


def micro(number: Decimal) -> int:
    return int(number * 1_000_000)


def _compare(left: Formula, operator: str, right: Formula) -> Formula:
    made: dict[str, Formula] = {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}
    return made[operator]


class Rules:
    """The rules of one knowledge as formulas."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.by_id = {rule.id: rule for rule in knowledge.rules}

    def whole(self, rule: Rule, record: Record) -> Formula:
        return z3.Or(*(z3.And(*map(record.holds, branch)) for v in rule.variants for branch in v.branches))

    def level(self, rule: Rule, number: int, record: Record) -> Formula:
        """That the first level which holds is that one."""

        def of(at: int) -> Formula:
            mine = [variant for variant in rule.variants if variant.level == at]
            return z3.Or(*(z3.And(*map(record.holds, branch)) for v in mine for branch in v.branches))

        return z3.And(of(number), *(z3.Not(of(at)) for at in range(number)))

    def silenced(self, rule: Rule, record: Record) -> Formula:
        return z3.Or(*(self.whole(self.by_id[other], record) for other in rule.yields_to if other in self.by_id))

    def urgent(self, rule: Rule, urgency: str, record: Record) -> Formula:
        least = INDICATORS.index(urgency)  # type: ignore[arg-type]
        levels = [at for at, each in enumerate(rule.levels) if INDICATORS.index(each.indicator) >= least]
        return z3.Or(*(self.level(rule, at, record) for at in levels))

    def speaks(self, rule: Rule, hook: str, record: Record, urgency: str = "info") -> Formula:
        if hook not in rule.hooks:
            return z3.BoolVal(False)
        return z3.And(
            record.flag("ordering") == z3.BoolVal(hook != "patient-view"),
            self.urgent(rule, urgency, record),
            z3.Not(self.silenced(rule, record)),
        )

    def heirs(self, rule: Rule) -> list[Rule]:
        """The rules that it gives way to, and so on."""
        found: list[Rule] = []
        for other in rule.yields_to:
            for each in [self.by_id[other], *self.heirs(self.by_id[other])] if other in self.by_id else []:
                if each.id not in [known.id for known in found]:
                    found.append(each)
        return found


def possible(*formulas: Formula) -> bool:
    """Whether some record makes all of them true."""
    solver = z3.Solver()
    solver.add(Record().sane(), *formulas)
    answer = solver.check()
    assert answer != z3.unknown
    return bool(answer == z3.sat)


@cache  # a formula is made once, whoever asks
def _holds(record: Record, test: Condition) -> Formula:
    return record.condition(test)


@cache
def _sane(record: Record) -> Formula:
    return record.within_lists()
