"""Numbers and units: exact, or refused. Checked against an independent reading of UCUM."""

from __future__ import annotations

import warnings
from decimal import Decimal

import pytest
from msgspec import Raw

from cds.chart.numbers import Unreadable, amount, amount_from_text, exact
from cds.chart.wire import Quantity, resource_decoder
from cds.knowledge.load import load

_KNOWN = load()
UNITS = {"dose": _KNOWN.lexicon.dose} | {name: measure.units for name, measure in _KNOWN.measures.items()}


def quantity(
    value: str,
    unit: str | None = "ng/mL",
    code: str | None = None,
    system: str | None = None,
    comparator: str | None = None,
) -> Quantity:
    return Quantity(Raw(value.encode()), comparator, unit, system, code)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", "5"),
        ("5.0", "5.0"),
        ("85.00", "85.00"),
        ("1e1", "10"),
        ("1.5E-1", "0.15"),
        ("123456789012345678.12", "123456789012345678.12"),
    ],
)
def test_json_numbers_are_read_exactly(text: str, value: str) -> None:
    assert exact(Raw(text.encode())) == Decimal(value)


@pytest.mark.parametrize("text", ["", "null", '"5.0"', '"٣"', "true", "[]", "{}", "1e9999", "9" * 40])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        exact(Raw(text.encode()))


@pytest.mark.parametrize("value", ["1e300", "99999999999999999999999999"])
def test_absurd_numbers_are_refused_not_rounded(value: str) -> None:
    with pytest.raises(Unreadable):
        amount(quantity(value, "mg/L"), UNITS["level"])


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [
        ("ng/mL", "15", "15"), ("ug/L", "15", "15"), ("µg/L", "15", "15"), ("mcg/L", "15", "15"), ("nmol/L", "10", "9.1417"), ("ng/dL", "500", "5"),
        ("mg/L", "0.0051", "5.1"), ("pg/mL", "5000", "5"),
    ],
)  # fmt: skip
def test_levels_in_the_units_that_laboratories_print(unit: str, value: str, expected: str) -> None:
    assert amount(quantity(value, unit), UNITS["level"]).value == Decimal(expected)


@pytest.mark.parametrize("unit", ["10*3/uL", "10*9/L", "K/uL", "x10E3/uL", "G/L", "thou/mm3", "/nL", "10^9/L"])
def test_counts_in_thousands(unit: str) -> None:
    assert amount(quantity("124", unit), UNITS["platelets"]).value == 124


@pytest.mark.parametrize("unit", ["/uL", "/mm3", "cells/uL"])
def test_counts_in_single_cells(unit: str) -> None:
    assert amount(quantity("124000", unit), UNITS["platelets"]).value == 124


@pytest.mark.parametrize("unit", [None, "", "ng", "mg/dL", "furlongs", "NG", "ng/ml/h", "mmol/L"])
def test_an_unknown_unit_is_refused(unit: str | None) -> None:
    with pytest.raises(Unreadable, match="unit"):
        amount(quantity("5", unit), UNITS["level"])


def test_a_code_and_a_text_that_differ_are_refused() -> None:
    with pytest.raises(Unreadable, match="differ"):
        amount(quantity("5", "ng/mL", "nmol/L"), UNITS["level"])


def test_an_unknown_ucum_code_is_not_overruled_by_its_text() -> None:
    with pytest.raises(Unreadable, match="not understood"):
        amount(quantity("5", "ng/mL", "ng/mmol", "http://unitsofmeasure.org"), UNITS["level"])


@pytest.mark.parametrize(
    ("text", "comparator", "value"),
    [
        ("<2.0 ng/mL", "<", "2.0"),
        ("> 30 ng/mL", ">", "30"),
        ("≤5 ug/L", "<=", "5"),
        ("12.5 ng/mL", "", "12.5"),
        (" 7 ng/mL ", "", "7"),
    ],
)
def test_a_result_as_text(text: str, comparator: str, value: str) -> None:
    read = amount_from_text(text, UNITS["level"])
    assert (read.comparator, read.value) == (comparator, Decimal(value))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "<2.0",
        "5-7 ng/mL",
        "1_000 ng/mL",
        "٣ ng/mL",
        "see comment",
        "5 6 ng/mL",
        "1e3 ng/mL",
        "5 ng/mL\x00",
        "9" * 70,
    ],
)
def test_a_text_that_is_not_one_number_with_a_unit_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        amount_from_text(text, UNITS["level"])


def test_the_wire_keeps_a_string_apart_from_a_number() -> None:
    resource = resource_decoder.decode(
        b'{"resourceType": "Observation", "valueQuantity": {"value": "5.0", "unit": "ng/mL"}}'
    )
    assert resource.valueQuantity is not None
    with pytest.raises(Unreadable, match="text, not a number"):
        amount(resource.valueQuantity, UNITS["level"])


IN_UCUM = {
    "level": ("ng/mL", ["ng/mL", "ug/L", "mg/L", "ug/mL", "ng/dL", "ng/L", "pg/mL"]),
    "platelets": ("10*9/L", ["10*9/L", "10*3/uL", "10*3/mm3", "/nL", "/uL", "/mm3"]),
    "weight": ("kg", ["kg", "g", "[lb_av]"]),
    "height": ("cm", ["cm", "m", "mm", "[in_i]"]),
    "dose": ("mg", ["mg", "ug", "g"]),
    "hemoglobin": ("g/dL", ["g/dL", "g/L"]),
    "cholesterol": ("mg/dL", ["mg/dL", "g/L", "mg/L"]),
    "protein-ratio": ("g/g", ["g/g", "mg/mg", "mg/g"]),
}
MOLAR = [  # g/mol, and the unit that the factor leads to as a multiple of g/L
    ("triglycerides", "mmol/L", "885.7", "0.1"), ("cholesterol", "mmol/L", "386.65", "0.1"), ("glucose", "mmol/L", "180.16", "0.1"),
    ("creatinine", "umol/L", "113.12", "0.0001"), ("bilirubin", "umol/L", "584.66", "0.0001"), ("hemoglobin", "mmol/L", "16114", "0.0001"), ("protein-ratio", "mg/mmol", "0.00884", "1"),
]  # fmt: skip


@pytest.mark.parametrize(("analyte", "unit", "mass", "scale"), MOLAR)
def test_molar_factors_are_the_molar_masses(analyte: str, unit: str, mass: str, scale: str) -> None:
    assert abs(UNITS[analyte].written[unit] / (Decimal(mass) * Decimal(scale)) - 1) < Decimal("0.001")


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("analyte", "unit"), [(analyte, unit) for analyte, (_, units) in IN_UCUM.items() for unit in units]
)
def test_factors_agree_with_a_ucum_library(analyte: str, unit: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own dependencies warn
        from ucumvert import PintUcumRegistry

        registry = PintUcumRegistry()
        ours, _ = IN_UCUM[analyte]
        expected = registry.from_ucum(unit).to(registry.from_ucum(ours)).magnitude
    factor = UNITS[analyte].written[unit]
    assert float(factor) == pytest.approx(float(expected), rel=1e-9)


def test_the_molar_factor_is_that_of_sirolimus() -> None:
    """C51H79NO13 from atomic weights: 5-15 ng/mL are 5.47-16.41 nmol/L."""
    weight = 51 * Decimal("12.011") + 79 * Decimal("1.008") + Decimal("14.007") + 13 * Decimal("15.999")
    assert abs(UNITS["level"].written["nmol/L"] * 1000 - weight) < Decimal("0.05")
