"""``tests.yaml``: every test that is read, with its units, its plausible range, and the specimens it is not taken from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Literal

from pydantic import Field, model_validator

from cds.compiled.knowledge import Measure
from cds.compiled.units import Scale, Units, plain_unit
from cds.knowledge.shapes import Shape, Word
from cds.knowledge.tree import Document, Fault

FILE = "tests.yaml"
DOSE = "dose"
"""The entry that holds the units of doses; it is no test."""
_READ = {
    ("number", "ng/mL"): "level trough",
    ("number", "x 10^9/L"): "platelets neutrophils lymphocytes",
    ("number", "kg"): "weight",
    ("number", "cm"): "height",
    ("number", "g/dL"): "hemoglobin",
    ("number", "mg/dL"): "triglycerides cholesterol glucose creatinine bilirubin",
    ("number", "g/g"): "protein-ratio albumin-ratio",
    ("number", "g/day"): "protein-24h",
    ("number", "U/L"): "alt ast",
    ("number", "%"): "hba1c oxygen",
    ("number", "°C"): "temperature",
    ("number", "weeks"): "gestation",
    ("yes or no", ""): "hcg clumps hbsag anti-hbc hbv-dna hepatitis-c hiv tuberculosis-test",
    ("done", ""): "random-glucose",
    ("shown", ""): "treg",
    ("grade", ""): "bleeding-grade",
    ("pregnancy status", ""): "pregnancy-status",
    ("date", ""): "due-date",
    ("dose", "mg"): DOSE,
}
"""What the facts read: the tests by kind of answer and unit. Rules compare in these units, so no file may state others."""


class UnitShape(Shape):
    """Spellings of units that one factor converts to ours."""

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
    speaks: str = ""

    @model_validator(mode="after")
    def _has_units(self) -> MeasureShape:
        if self.kind == "number" and (not self.unit or bool(self.units) == bool(self.units_of)):
            raise ValueError("a number needs its 'unit', and 'units' or 'units_of'")
        return self


def compile_measures(
    entries: Mapping[str, tuple[Document, MeasureShape]],
    definitions: Iterable[str],
    results: Iterable[str],
    specimens: Iterable[str],
    faults: list[Fault],
) -> dict[str, Measure]:
    """The tests by name; an unknown name of a result, test, definition or specimen is added to ``faults``."""
    known, known_results, sampled = set(definitions), set(results), set(specimens)
    units = {name: shape.units for name, (_, shape) in entries.items() if shape.units}
    for name, (document, shape) in entries.items():
        wrong = [f"there are no units of '{shape.units_of}'"] if shape.units_of and shape.units_of not in units else []
        wrong += [
            f"there is no definition '{each}'"
            for each in (shape.lowest, shape.highest, shape.speaks)
            if each and each not in known
        ]
        wrong += [f"there is no specimen '{each}'" for each in shape.not_from if each not in sampled]
        if name not in known_results and name != DOSE:
            wrong.append("no value set knows such a result")
        faults += [Fault(document.path, document.line(name), f"{name}: {said}") for said in wrong]
    every = {spelling for several in units.values() for each in several for spelling in each.written}
    return {name: _measure(name, shape, units, every) for name, (_, shape) in entries.items()}


def check_read(measures: Mapping[str, Measure], place: str, faults: list[Fault]) -> None:
    """Every test that the facts read must exist, in the unit that rules compare in; results of a missing test would be silently ignored."""
    for (kind, unit), names in _READ.items():
        for name in names.split():
            found = measures.get(name)
            if found is None:
                faults.append(Fault(place, 1, f"there is no test '{name}', which the facts read"))
            elif (found.kind, found.unit) != (kind, unit):
                of = f" in {unit}" if unit else ""
                faults.append(Fault(place, 1, f"{name}: must be of the kind '{kind}'{of}, as rules compare it"))


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
        shape.means,
        shape.speaks,
    )
