"""Does a case or scenario notice when a number changes? Each number of definitions and protocols is moved one step up and one step down.

A number is pinned when some case, or some day of a scenario, gets another card on either side. Rules are judged by the
plain evaluator alone: the question is whether cases and scenarios are sharp, not whether the engines agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from cds.advise import Advice, advise
from cds.authoring.cases import Case, summary_of
from cds.authoring.scenarios import Check, body_of, difference
from cds.chart.read import read_chart
from cds.chart.request import Request, read_request
from cds.chart.words import said
from cds.compiled.knowledge import WIDEST, Knowledge
from cds.engine import Evaluator, PlainEvaluator
from cds.facts import read_facts
from cds.knowledge.files import Folder, RuleFile
from cds.knowledge.rules import Names, compile_rule
from cds.knowledge.shapes import AnyOf, NumberShape, RuleShape
from cds.knowledge.tree import Fault
from cds.knowledge.windows import windows_of, with_widest
from cds.knowledge.withheld import compile_withheld

_STEPS = {"year": "1", "month": "1", "day": "1", "hour": "1", "kg": "1", "cm": "1", "percent": "1", "10^9/L": "1",
          "mg/dL": "1", "mg/day": "0.1", "mg": "0.1", "mg/m2/day": "0.1", "mg/kg/day": "0.01", "ng/mL": "0.1", "g/dL": "0.1",
          "g/g": "0.1", "g/day": "0.1", "x": "0.1"}  # fmt: skip

_YES = "yes"  # 0 or 1
_NO_SUCH = "there is no such value"
_WHOLE = ("year", "month", "day", "hour", "grade", "count", _YES)  # counted, never divided


@dataclass(frozen=True)
class Number:
    """A number of a protocol or of definitions.yaml; ``row`` is the table, row and column of one in a table."""

    name: str
    value: Decimal
    unit: str
    place: tuple[str, int]
    row: tuple[str, int, str] | None = None

    @property
    def step(self) -> Decimal:
        """By how much it is moved: to what a clinician would call the next number, but never down to zero."""
        usual = Decimal(_STEPS.get(self.unit, "1"))
        own = Decimal(1).scaleb(min(int(self.value.as_tuple().exponent), 0))
        step = min(usual, own) if own != 1 else usual
        return step if step < self.value or self.unit in _WHOLE else step / 10

    @property
    def sides(self) -> tuple[int, ...]:
        """In which directions it can move: a choice between 0 and 1 in one only."""
        return tuple(sign for sign in (1, -1) if self.unit != _YES or self.value + sign in (0, 1))


@dataclass(frozen=True)
class Pin:
    """A number, and for each direction the case or scenario day that notices when it moves; empty if none does."""

    number: Number
    protocol: str
    more: str
    less: str

    @property
    def faults(self) -> Iterator[Fault]:
        """The directions in which no case or scenario notices, in words."""
        path, line = self.number.place
        for noticed, sign in ((self.more, 1), (self.less, -1)):
            if not noticed:
                value = said(self.number.value + sign * self.number.step)
                yield Fault(
                    path,
                    line,
                    f"no case or scenario notices if {self.number.name} becomes {value} {self.number.unit} "
                    f"in place of {said(self.number.value)}",
                )


@dataclass
class Day:
    """A day of a scenario, ready to be judged again and again."""

    check: Check
    request: Request
    now: datetime
    facts: dict[str, Any]

    @property
    def name(self) -> str:
        return self.check.name


class Bench:
    """The rules under one protocol with their cases and days, on which a number may be moved."""

    def __init__(self, read: Folder, default: bool) -> None:
        assert read.knowledge is not None
        self.read, self.knowledge = read, read.knowledge
        self._said = {file.rule.id: str(file.shape) for file in read.files}
        mine = self.knowledge.protocol.id
        self.days: list[Day] = []
        normal = PlainEvaluator(self.knowledge)
        self.cases: dict[str, list[tuple[Case, tuple[int, str] | None]]] = {}
        for file in read.files:
            cases = [Case(file, index, shape) for index, shape in enumerate(file.shape.cases)]
            taken = [case for case in cases if case.shape.protocol in ((mine, "") if default else (mine,))]
            self.cases[file.rule.id] = [(case, _card(case, normal)) for case in taken]

    def take(self, check: Check, engine: Evaluator) -> Advice:
        """Judge a day of a scenario and add it to the bench. Raises Fault for a line that cannot be written."""
        body, now = body_of(check, self.knowledge)
        request = read_request(body)
        advice = advise(request, engine, now, max_cards=99)
        self.days.append(Day(check, request, now, dict(advice.situation.facts.values)))
        return advice

    def pin(self, number: Number) -> Pin:
        """Which case or scenario day notices when ``number`` moves, in each direction."""
        more, less = (
            self._noticed(number, number.value + sign * number.step) if sign in number.sides else _NO_SUCH
            for sign in (1, -1)
        )
        return Pin(number, self.knowledge.protocol.id, more, less)

    def _noticed(self, number: Number, value: Decimal) -> str:
        changed, files = self._with(number, value)
        engine = PlainEvaluator(changed)
        for file in files:
            compared = _in_conditions(file.shape, number)
            for case, normal in self.cases[file.rule.id]:
                card = _card(case, engine)
                if (card and card[0], normal and normal[0]) != (None, None) and (
                    (card and card[0]) != (normal and normal[0]) or (not compared and card != normal)
                ):
                    return case.name
        named = {file.rule.id for file in files}
        for day in sorted(self.days, key=lambda day: _hope(day.check, number, named)):
            if not files and _facts(day.request, changed, day.now) == day.facts:
                continue
            if difference(day.check, advise(day.request, engine, day.now, max_cards=99).cards) is not None:
                return day.name
        return ""

    def _with(self, number: Number, value: Decimal) -> tuple[Knowledge, list[RuleFile]]:
        """The knowledge in which ``number`` is ``value``, and the files that name it."""
        names, knowledge = self.read.names, self.knowledge
        if number.row is not None:
            table, at, column = number.row
            rows = [row | ({column: value} if index == at else {}) for index, row in enumerate(names.tables[table])]
            names = Names(names.numbers, with_widest(names.tables | {table: rows}), names.reasons, names.tests)
            protocol = msgspec.structs.replace(knowledge.protocol, windows=windows_of(names.tables))
            knowledge = msgspec.structs.replace(knowledge, protocol=protocol)
            files = [file for file in self.read.files if file.shape.table == f"protocol.{table}"]
        else:
            changed = names.numbers[number.name].model_copy(update={"value": value})
            names = Names(names.numbers | {number.name: changed}, names.tables, names.reasons, names.tests)
            knowledge = _put(knowledge, number.name, value)
            files = [file for file in self.read.files if f"{{{number.name}}}" in self._said[file.rule.id]]
        rules = {
            file.rule.id: compile_rule(file.document, file.shape, file.rule.subject, names, []) or file.rule
            for file in files
        }
        withheld = [
            compile_withheld(key, document, shape, names, [])
            if number.row or f"{{{number.name}}}" in str(shape)
            else each
            for each, (key, (document, shape)) in zip(knowledge.withheld, self.read.withheld.items(), strict=True)
        ]
        hashed = f"{knowledge.hash}, but {number.name} {value}"
        rules_now = tuple(rules.get(rule.id, rule) for rule in knowledge.rules)
        return msgspec.structs.replace(knowledge, hash=hashed, rules=rules_now, withheld=tuple(withheld)), files


def _hope(check: Check, number: Number, rules: set[str]) -> int:
    """Which days are tried first: those of a scenario about the number, then those that expect a rule that names it."""
    if number.name in check.scenario.shape.about:
        return 0
    return 1 if rules.intersection(check.expected) else 2


def _put(knowledge: Knowledge, name: str, value: Decimal) -> Knowledge:
    if name in knowledge.definitions:
        return msgspec.structs.replace(knowledge, definitions=knowledge.definitions | {name: value})
    numbers = knowledge.protocol.numbers | {name: value}
    return msgspec.structs.replace(knowledge, protocol=msgspec.structs.replace(knowledge.protocol, numbers=numbers))


def _facts(request: Request, knowledge: Knowledge, now: datetime) -> dict[str, Any]:
    return dict(read_facts(read_chart(request, knowledge, now), knowledge, request.hook, now).facts.values)


def _card(case: Case, engine: Evaluator) -> tuple[int, str] | None:
    """The degree and the summary that a case gets."""
    facts = case.facts
    held = next((item for item in engine.holding(facts, case.hook) if item.rule.id == case.file.rule.id), None)
    return (held.variant.level, summary_of(held, facts, engine)) if held else None


def _in_conditions(shape: RuleShape, number: Number) -> bool:
    """Whether the rule compares with that number, rather than only mentioning it in a text."""
    conditions = [*shape.when, *(item for level in shape.levels for item in level.when)]
    texts = [text for item in conditions for text in (item.any if isinstance(item, AnyOf) else [item])]
    column = number.row[2] if number.row is not None else number.name
    return any(f"{{{column}}}" in text for text in texts)


def numbers_of(read: Folder, but: Mapping[str, Decimal]) -> Iterator[Number]:
    """Every number of definitions and of the protocol, except those that ``but`` contains with the same value."""
    numbers: dict[str, NumberShape] = read.names.numbers
    for name, number in numbers.items():
        if but.get(name) != number.value:
            yield Number(name, number.value, number.unit, read.places[name])
    for table, rows in read.names.tables.items():
        for index, row in enumerate(rows):
            if row.get("phase") == WIDEST:
                continue  # computed from the others
            words = " ".join(str(value) for value in row.values() if not isinstance(value, Decimal)).split(" ")
            for column, value in row.items():
                name = f"{' '.join(words[:2])} {column}"
                if isinstance(value, Decimal) and but.get(name) != value:
                    unit = "day" if column == "after" else str(row.get("unit", "mg/day"))
                    yield Number(name, value, unit, read.places[f"{table} {index}"], (table, index, column))


def pins_of(benches: Sequence[Bench]) -> Iterator[tuple[Bench, Number]]:
    """The numbers to pin: all under the first protocol, and those that differ from it under the others."""
    known: dict[str, Decimal] = {}
    for bench in benches:
        mine = list(numbers_of(bench.read, known))
        yield from ((bench, number) for number in mine)
        known = known or {number.name: number.value for number in mine}
