"""Corrections of one result, and units in the spellings that laboratories print."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations

import pytest

from cds.chart.read import read_chart
from cds.chart.request import read_request
from cds.chart.samples import distinct
from cds.compiled.knowledge import Knowledge
from cds.compiled.units import plain_unit
from tests.charts import Resource, as_bytes, bundle, day, level, patient
from tests.judge import now_on


def version(rid: str, status: str, value: float, issued: int, drawn: str = day(10, "08:00")) -> Resource:
    """One version of the result of order 77, issued at an hour of day 11."""
    number = [{"system": "urn:lis", "value": "77"}]
    return level(rid, drawn, value, status=status) | {"identifier": number, "issued": day(11, f"{issued:02}:00")}


FIRST = version("a", "final", 30, 9)
SECOND = version("b", "corrected", 8, 12)
LAST = version("c", "corrected", 7, 15)


def values(knowledge: Knowledge, *versions: Resource) -> list[Decimal]:
    chart = read_chart(read_request(as_bytes(bundle(patient(), *versions))), knowledge, now_on(20))
    return [lab.amount.value for lab in distinct(chart.labs["level"]) if lab.amount is not None]


@pytest.mark.parametrize("versions", list(permutations((FIRST, SECOND, LAST))))
def test_of_a_chain_of_corrections_the_last_issued_counts(knowledge: Knowledge, versions: list[Resource]) -> None:
    assert values(knowledge, *versions) == [7]
    assert values(knowledge, *(each for each in versions if each is not LAST)) == [8]


def test_a_correction_may_move_the_draw_by_a_day_and_no_further(knowledge: Knowledge) -> None:
    moved = version("c", "amended", 7, 15, day(11, "08:00"))
    assert values(knowledge, FIRST, SECOND, moved) == [7]
    other = version("c", "amended", 7, 15, day(17, "08:00"))  # some laboratories number the patient
    assert values(knowledge, FIRST, other) == [7, 30]


def test_two_corrections_that_nobody_put_in_order_are_both_left_out(knowledge: Knowledge) -> None:
    assert values(knowledge, FIRST, SECOND, version("c", "corrected", 7, 12)) == []


@pytest.mark.parametrize(
    ("analyte", "unit", "factor"),
    [
        ("platelets", "10^3/µL", "1"), ("platelets", "X10E3/UL", "1"), ("platelets", "x10(9)/L", "1"), ("platelets", "10⁹/L", "1"),
        ("platelets", "Gpt/l", "1"), ("platelets", "K/UL", "1"), ("platelets", "Tsd./µl", "1"), ("platelets", "cells/µL", "0.001"),
        ("platelets", "{cells}/uL", "0.001"), ("level", "mcg/L", "1"), ("level", "NG / ML", "1"), ("level", "ng/dl", "0.01"),
        ("creatinine", "µmol/l", "0.011312"), ("hemoglobin", "g/l", "0.1"), ("alt", "IE/l", "1"), ("alt", "µkat/l", "60"),
        ("protein-ratio", "mg/g Krea", "0.001"), ("protein-ratio", "mg/mmol", "0.00884"), ("dose", "mcg", "0.001"),
        ("platelets", "G", None), ("platelets", "10*6/L{x}y", None), ("level", "ng", None), ("level", "mL", None), ("alt", "U", None),
    ],
)  # fmt: skip
def test_spellings_of_units(knowledge: Knowledge, analyte: str, unit: str, factor: str | None) -> None:
    units = knowledge.lexicon.dose if analyte == "dose" else knowledge.measures[analyte].units
    assert units.factor(unit) == (None if factor is None else Decimal(factor))


def test_units_that_are_spelt_alike_are_one(knowledge: Knowledge) -> None:
    factors: dict[tuple[str, str], set[Decimal]] = {}
    for name, units in [("dose", knowledge.lexicon.dose), *((m.name, m.units) for m in knowledge.measures.values())]:
        for unit, factor in units.written.items():
            factors.setdefault((name, plain_unit(unit)), set()).add(factor)
    assert len(factors) > 100 and {plain: both for plain, both in factors.items() if len(both) > 1} == {}
