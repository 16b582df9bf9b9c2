"""Units as laboratories print them, a table an analyte, each with its factor to our unit.

What is not in a table is not understood: a general reader of units takes ``K/uL`` for kelvin and ``G/L`` for gauss.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

# UCUM codes first, then what laboratories print; each with the factor to our unit.
_NG_ML = {
    **dict.fromkeys(
        ("ng/mL", "ug/L", "mcg/L", "µg/L", "μg/L", "pg/uL", "ng/ml", "ug/l", "mcg/l", "µg/l", "NG/ML", "UG/L"), "1"
    ),
    **dict.fromkeys(("nmol/L", "nmol/l"), "0.91417"),  # molar mass 914.17 g/mol
    **dict.fromkeys(("mg/L", "ug/mL", "mg/l", "ug/ml", "mcg/mL"), "1000"),
    **dict.fromkeys(("ng/dL", "ng/dl"), "0.01"),
    **dict.fromkeys(("ng/L", "pg/mL", "ng/l", "pg/ml"), "0.001"),
}
_COUNT = {
    **dict.fromkeys(
        (
            "10*9/L",
            "10*3/uL",
            "10*3/mm3",
            "/nL",
            "10*9/l",
            "10*3/ul",
            "10*3/mcL",
            "K/uL",
            "K/ul",
            "k/uL",
            "k/ul",
            "K/mcL",
            "K/mm3",
            "G/L",
            "G/l",
            "Giga/L",
            "x10*9/L",
            "x10E9/L",
            "10E9/L",
            "10e9/L",
            "x10e9/L",
            "x10^9/L",
            "10^9/L",
            "x10E3/uL",
            "10E3/uL",
            "10e3/uL",
            "x10^3/uL",
            "10^3/uL",
            "10^3/ul",
            "x10*3/uL",
            "x10(3)/mcL",
            "10(9)/L",
            "thou/uL",
            "Thou/uL",
            "THOU/uL",
            "thou/mm3",
            "THOU/MM3",
            "1000/uL",
            "bil/L",
            "/nanoliter",
            "10*3/µL",
            "10^3/µL",
            "K/µL",
            "{cells}/nL",
            "10*3{cells}/uL",
        ),
        "1",
    ),
    **dict.fromkeys(("/uL", "/mm3", "{cells}/uL", "/ul", "cells/uL", "/µL", "/mcL", "/cumm", "cells/mm3"), "0.001"),
}
_KG = {
    **dict.fromkeys(("kg", "Kg", "KG", "kilogram", "kilograms"), "1"),
    "g": "0.001",
    **dict.fromkeys(("[lb_av]", "lb", "lbs", "[lb_us]"), "0.45359237"),
}
_CM = {
    **dict.fromkeys(("cm", "centimeter"), "1"),
    "m": "100",
    "mm": "0.1",
    **dict.fromkeys(("[in_i]", "in", "[in_us]", "inches"), "2.54"),
}
_MG = {
    **dict.fromkeys(("mg", "MG", "milligram", "milligrams"), "1"),
    **dict.fromkeys(("ug", "mcg", "µg"), "0.001"),
    "g": "1000",
}

_GRAMS_DL = {
    **dict.fromkeys(("g/dL", "g/dl", "gm/dL", "G/DL"), "1"),
    **dict.fromkeys(("g/L", "g/l"), "0.1"),
    **dict.fromkeys(("mmol/L", "mmol/l"), "1.6114"),  # of the monomer, 16,114 g/mol
}
_MG_DL = {**dict.fromkeys(("mg/dL", "mg/dl", "MG/DL"), "1"), **dict.fromkeys(("g/L", "g/l"), "100"), "mg/L": "0.1"}
_UMOL = ("umol/L", "µmol/L", "μmol/L", "umol/l", "micromol/L", "mcmol/L")
_MMOL = ("mmol/L", "mmol/l")
_RATIO = {
    **dict.fromkeys(("g/g", "mg/mg", "g/g{creat}", "mg/mg{creat}"), "1"),
    **dict.fromkeys(("mg/g", "mg/g{creat}", "mg/g creat"), "0.001"),
    **dict.fromkeys(("mg/mmol", "mg/mmol{creat}", "g/mol", "g/mol{creat}"), "0.00884"),  # creatinine, 113.12 g/mol
}
_ENZYME = dict.fromkeys(("U/L", "u/L", "U/l", "[IU]/L", "IU/L", "iU/L", "units/L"), "1")
_PERCENT = dict.fromkeys(("%", "percent"), "1")

Analyte = Literal[
    "level", "platelets", "weight", "height", "dose", "hemoglobin", "triglycerides", "cholesterol", "glucose", "creatinine",
    "protein ratio", "enzyme", "percent", "bilirubin",
]  # fmt: skip
_TABLES: dict[Analyte, dict[str, str]] = {
    "level": _NG_ML,
    "platelets": _COUNT,
    "weight": _KG,
    "height": _CM,
    "dose": _MG,
    "hemoglobin": _GRAMS_DL,
    "triglycerides": _MG_DL | dict.fromkeys(_MMOL, "88.57"),
    "cholesterol": _MG_DL | dict.fromkeys(_MMOL, "38.665"),
    "glucose": _MG_DL | dict.fromkeys(_MMOL, "18.016"),
    "creatinine": _MG_DL | dict.fromkeys(_UMOL, "0.011312"),
    "bilirubin": _MG_DL | dict.fromkeys(_UMOL, "0.058466"),
    "protein ratio": _RATIO,
    "enzyme": _ENZYME,
    "percent": _PERCENT,
}
UNITS: dict[Analyte, dict[str, Decimal]] = {
    analyte: {unit: Decimal(factor) for unit, factor in table.items()} for analyte, table in _TABLES.items()
}
"""Each with our unit: ng/mL, 10^9/L, kg, cm, mg, g/dL, mg/dL (four of them), g/g, U/L, %."""
