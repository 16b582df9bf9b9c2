"""One rule file's shape compiled into a :class:`Rule`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from cds.chart.words import said
from cds.compiled.knowledge import Citation, Condition, LabTest, Level, Reason, Rule, Suggestion, Variant
from cds.compiled.template import filled_where_known, named
from cds.knowledge.conditions import MAX_BRANCHES, Unclear, branches, parse
from cds.knowledge.shapes import AnyOf, CardShape, Conditions, LevelShape, NumberShape, RuleShape, SuggestionShape
from cds.knowledge.tree import Document, Fault


@dataclass(frozen=True)
class Names:
    """What ``{name}`` may mean in a rule, apart from facts: cited numbers and the protocol's tables."""

    numbers: dict[str, NumberShape] = field(default_factory=dict)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    reasons: dict[str, Reason] = field(default_factory=dict)
    tests: dict[str, LabTest] = field(default_factory=dict)

    @cached_property
    def _said(self) -> dict[str, str]:
        return {name: said(number.value) for name, number in self.numbers.items()}

    def values(self, row: dict[str, str]) -> dict[str, str]:
        """The value of each name, in words; those of a table row take precedence over the numbers."""
        return self._said | row


def compile_rule(document: Document, shape: RuleShape, subject: str, names: Names, faults: list[Fault]) -> Rule | None:
    """The rule, or None if one of its conditions could not be used (the faults say why)."""
    rows = rows_of(document, ("table",), shape.table, names, faults)
    variants: list[Variant] = []
    before = len(faults)
    for level, when in enumerate(_levels(shape)):
        for row in rows:
            found = _branches(document, when, names.values(row), faults)
            if len(found) > MAX_BRANCHES:
                faults.append(
                    Fault(
                        document.path,
                        document.line("when"),
                        f"has {len(found)} alternatives; at most {MAX_BRANCHES} may be tried",
                    )
                )
            variants.append(Variant(level, row, found))
        if len(faults) > before:
            return None  # the same faults would be found again for every level and row
    return Rule(
        id=shape.id,
        subject=subject,
        title=shape.title,
        status="draft",  # until the signatures are read
        hooks=tuple(shape.hooks),
        priority=shape.priority,
        variants=tuple(variants),
        levels=tuple(_texts(shape)),
        yields_to=tuple(shape.yields_to),
        override=_override(document, shape, names, faults),
        merge=shape.merge,
        citations=tuple(_citations(document, shape, names, faults)),
    )


def _citations(document: Document, shape: RuleShape, names: Names, faults: list[Fault]) -> Iterator[Citation]:
    """What the sources state; numbers that are ours to change are written as ``{name}``, and shown with their current value."""
    values = names.values({})
    for index, each in enumerate(shape.sources):
        unknown = [name for name in named(each.states) if name not in values]
        if unknown:
            sentence = f"states: {{{unknown[0]}}} is no number of the definitions or the protocol"
            faults.append(Fault(document.path, document.line("sources", index), sentence))
        said = filled_where_known(each.states, values.get)
        yield Citation(each.cite, said, each.grade, each.basis)


def compile_branches(
    document: Document,
    place: tuple[str | int, ...],
    table: str,
    when: Conditions,
    names: Names,
    faults: list[Fault],
) -> tuple[tuple[Condition, ...], ...]:
    """Standalone conditions: every way in which they hold, for each row of ``table`` if there is one."""
    rows = rows_of(document, place, table, names, faults)
    placed: list[Placed] = [((*place, index), item) for index, item in enumerate(when)]
    return tuple(branch for row in rows for branch in _branches(document, placed, names.values(row), faults))


def _override(document: Document, shape: RuleShape, names: Names, faults: list[Fault]) -> tuple[Reason, ...]:
    for index, code in enumerate(shape.override):
        if code not in names.reasons:
            known = ", ".join(names.reasons) or "none"
            faults.append(
                Fault(document.path, document.line("override", index), f"override: '{code}' is not one of {known}")
            )
    return tuple(names.reasons[code] for code in shape.override if code in names.reasons)


def rows_of(
    document: Document, place: tuple[str | int, ...], named: str, names: Names, faults: list[Fault]
) -> list[dict[str, str]]:
    """The rows of a table of the protocol, as words; one empty row if no table is named."""
    if not named:
        return [{}]
    room, _, table = named.partition(".")
    if room != "protocol" or table not in names.tables:
        known = ", ".join(f"protocol.{name}" for name in names.tables)
        faults.append(Fault(document.path, document.line(*place), f"there is no table '{named}'; there is: {known}"))
        return []
    return [
        {
            key: said(value) if isinstance(value, Decimal) else str(value)
            for key, value in row.items()
            if key not in ("cite", "basis", "note")
        }
        for row in names.tables[table]
    ]


Placed = tuple[tuple[str | int, ...], str | AnyOf]


def _levels(shape: RuleShape) -> list[list[Placed]]:
    """The conditions of each level with their places: the rule's own and the level's."""
    common: list[Placed] = [(("when", index), item) for index, item in enumerate(shape.when)]
    if not shape.levels:
        return [common]
    return [
        common + [(("levels", number, "when", index), item) for index, item in enumerate(level.when)]
        for number, level in enumerate(shape.levels)
    ]


def _branches(
    document: Document, when: Iterable[Placed], values: dict[str, str], faults: list[Fault]
) -> tuple[tuple[Condition, ...], ...]:
    groups: list[list[Condition]] = []
    for place, item in when:
        texts: Conditions = list(item.any) if isinstance(item, AnyOf) else [item]
        group = []
        for index, text in enumerate(texts):
            assert isinstance(text, str)
            inner = (*place, "any", index) if isinstance(item, AnyOf) else place
            try:
                group.append(parse(text, values))
            except Unclear as unclear:
                fault = Fault(document.path, document.line(*inner), f"when: {unclear}")
                if str(fault) not in map(str, faults):
                    faults.append(fault)
        groups.append(group)
    return branches(groups)


def _texts(shape: RuleShape) -> Iterable[Level]:
    levels: Sequence[LevelShape | None] = shape.levels or [None]
    for level in levels:
        yield Level(
            indicator=level.indicator if level else shape.card.indicator or "info",
            summary=(level.summary if level and level.summary else shape.card.summary),
            because=_lines(level.because if level else None, shape.card.because),
            consider=_lines(level.consider if level else None, shape.card.consider),
            working=_lines(level.working if level else None, shape.card.working),
            suggestions=tuple(_suggestion(s) for s in _suggestions(level, shape.card)),
            direction=(level.direction if level and level.direction is not None else shape.card.direction),
        )


def _lines(own: list[str] | None, of_card: list[str]) -> tuple[str, ...]:
    return tuple(of_card if own is None else own)


def _suggestions(level: LevelShape | None, card: CardShape) -> list[SuggestionShape]:
    return level.suggestions if level and level.suggestions is not None else card.suggestions


def _suggestion(shape: SuggestionShape) -> Suggestion:
    return Suggestion(
        shape.label,
        shape.action,
        shape.daily_dose.strip("{}"),
        tuple(shape.yields_to),
        shape.unless,
        shape.days,
        shape.since.strip("{}"),
        shape.each,
        shape.test,
        shape.direction or ("less" if shape.action == "hold" else ""),
    )
