"""``tests.yaml``: every test that is read, with its units, what is plausible, and what it is not taken from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Literal

from pydantic import Field, model_validator

from cds.knowledge.compiled import Measure
from cds.knowledge.shapes import Shape, Word
from cds.knowledge.tree import Document, Fault
from cds.knowledge.units import Scale, Units, plain_unit

FILE = "tests.yaml"
DOSE = "dose"
"""The entry that holds the units of doses; it is no test."""


class UnitShape(Shape):
    """Spellings of units with one factor to ours."""

    times: Decimal = Field(gt=0)
    written: list[Word] = Field(min_length=1)
    because: str = ""


class ScaleShape(UnitShape):
    """Spellings of units that are no multiples of ours."""

    over: Decimal = Field(default=Decimal(1), gt=0)
    plus: Decimal


class MeasureShape(Shape):
    """One test."""

    means: str
    kind: Literal["number", "yes or no", "done", "shown", "grade", "pregnancy status", "date", "dose"]
    unit: str = ""
    units: list[UnitShape] = Field(default=[])
    units_of: str = ""
    scales: list[ScaleShape] = Field(default=[])
    lowest: str = ""
    highest: str = ""
    not_from: list[str] = Field(default=[])
    wrong_specimen_told: bool = False
    thousands: Literal["", "any unit", "our unit"] = ""
    worse: Literal["higher", "lower"] = "higher"
    number_is_done: bool = False
    detected: bool = False

    @model_validator(mode="after")
    def _has_units(self) -> MeasureShape:
        if self.kind == "number" and (not self.unit or bool(self.units) == bool(self.units_of)):
            raise ValueError("a number needs its 'unit', and 'units' or 'units_of'")
        return self


def compile_measures(
    entries: Mapping[str, tuple[Document, MeasureShape]], definitions: Iterable[str], faults: list[Fault]
) -> dict[str, Measure]:
    """The tests by name; a name of another test, or of a definition, that there is not, is added to ``faults``."""
    known, units = set(definitions), {name: shape.units for name, (_, shape) in entries.items() if shape.units}
    for name, (document, shape) in entries.items():
        wrong = [f"there are no units of '{shape.units_of}'"] if shape.units_of and shape.units_of not in units else []
        wrong += [
            f"there is no definition '{each}'" for each in (shape.lowest, shape.highest) if each and each not in known
        ]
        faults += [Fault(document.path, document.line(name), f"{name}: {said}") for said in wrong]
    every = {spelling for several in units.values() for each in several for spelling in each.written}
    return {name: _measure(name, shape, units, every) for name, (_, shape) in entries.items()}


def _measure(name: str, shape: MeasureShape, units: Mapping[str, list[UnitShape]], every: set[str]) -> Measure:
    written = {text: each.times for each in units.get(shape.units_of or name, ()) for text in each.written}
    return Measure(
        name,
        shape.kind,
        shape.unit,
        Units(
            written,
            {plain_unit(text): times for text, times in written.items()},
            {
                plain_unit(text): Scale(each.times, each.over, each.plus)
                for each in shape.scales
                for text in each.written
            },
            shape.thousands,
            frozenset(every - written.keys()) if written else frozenset(),
        ),
        shape.lowest,
        shape.highest,
        tuple(shape.not_from),
        shape.wrong_specimen_told,
        shape.worse == "lower",
        shape.number_is_done,
        shape.detected,
    )
