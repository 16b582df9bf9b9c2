"""Units as laboratories print them, a table an analyte, each with its factor to our unit.

What is not in a table is not understood: a general reader of units takes ``K/uL`` for kelvin and ``G/L`` for gauss.
"""

from __future__ import annotations

import re
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
            "10*9/L", "10*3/uL", "10*3/mm3", "10*3/cumm", "10*6/mL", "/nL", "K/uL", "K/mm3", "K/cumm", "G/L", "Giga/L", "Gpt/L", "thou/uL", "thou/mm3", "10*3/mmc", "10*3/cmm", "thous/uL",
            "thousand/uL", "1000/uL", "1000/mm3", "bil/L", "billion/L", "/nanoliter", "Mrd/L", "Mrd./L", "Tsd/uL", "Tsd./uL", "Tsd/mm3",
            "tys/uL", "tys./uL", "miles/uL", "miles/mm3", "mila/uL", "mila/mmc", "mila/mm3", "tausend/uL", "duizend/uL", "E9/L", "10E9/L",
        ),
        "1",
    ),
    **dict.fromkeys(("/uL", "/mm3", "/cumm", "/mmc", "/cmm", "cells/uL", "cells/mm3", "cells/mmc", "10*6/L"), "0.001"),
    **dict.fromkeys(("万/uL", "10*4/uL"), "10"),
}  # fmt: skip
_KG = {
    **dict.fromkeys(("kg", "Kg", "KG", "kgs", "kilogram", "kilograms", "kilogramm", "公斤", "千克"), "1"),
    "g": "0.001",
    **dict.fromkeys(("[lb_av]", "lb", "lbs", "[lb_us]"), "0.45359237"),
}
_CM = {
    **dict.fromkeys(("cm", "cms", "centimeter", "centimeters", "厘米", "公分"), "1"),
    "m": "100",
    "mm": "0.1",
    **dict.fromkeys(("[in_i]", "in", "[in_us]", "inches"), "2.54"),
}
_MG = {
    **dict.fromkeys(("mg", "MG", "mgs", "milligram", "milligrams", "milligramm", "毫克"), "1"),
    **dict.fromkeys(("ug", "mcg", "µg", "microgram", "micrograms", "mikrogramm", "微克"), "0.001"),
    "g": "1000",
}

_GRAMS_DL = {
    **dict.fromkeys(("g/dL", "g/dl", "gm/dL", "G/DL", "g%", "gm%", "g/100mL", "gr/dL"), "1"),
    **dict.fromkeys(("g/L", "g/l"), "0.1"),
    **dict.fromkeys(("mmol/L", "mmol/l"), "1.6114"),  # of the monomer, 16,114 g/mol
}
_MG_DL = {
    **dict.fromkeys(("mg/dL", "mg/dl", "MG/DL", "mg%", "mg/100mL", "mgs/dL"), "1"),
    **dict.fromkeys(("g/L", "g/l"), "100"),
    "mg/L": "0.1",
}
_UMOL = ("umol/L", "µmol/L", "μmol/L", "umol/l", "micromol/L", "mcmol/L")
_MMOL = ("mmol/L", "mmol/l")
_RATIO = {
    **dict.fromkeys(("g/g", "mg/mg", "g/g{creat}", "mg/mg{creat}"), "1"),
    **dict.fromkeys(("mg/g", "mg/g{creat}", "mg/g creat"), "0.001"),
    **dict.fromkeys(("mg/mmol", "mg/mmol{creat}", "g/mol", "g/mol{creat}"), "0.00884"),  # creatinine, 113.12 g/mol
}
_ENZYME = {
    **dict.fromkeys(("U/L", "u/L", "U/l", "[IU]/L", "IU/L", "iU/L", "units/L"), "1"),
    **dict.fromkeys(("UI/L", "IE/L", "E/L", "unit/L", "I.U./L", "mU/mL", "j.m./L", "j.m/L", "JM/L"), "1"),
    **dict.fromkeys(("ukat/L", "µkat/L", "umol/s/L", "umol/(s.L)"), "60"),
}
_PERCENT = dict.fromkeys(("%", "percent", "% NGSP", "%Hb", "pct", "％"), "1")

Analyte = Literal[
    "level", "platelets", "weight", "height", "dose", "hemoglobin", "triglycerides", "cholesterol", "glucose", "creatinine",
    "protein ratio", "enzyme", "percent", "bilirubin", "temperature", "weeks",
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
    "temperature": dict.fromkeys(("Cel", "C", "°C", "degC", "deg C", "Celsius", "℃", "ºC"), "1"),
    "weeks": dict.fromkeys(("wk", "weeks", "week", "w"), "1")
    | {"d": "0.142857", "days": "0.142857", "day": "0.142857"},
    "percent": _PERCENT,
}
_TEN = re.compile(r"[*x]?10(?:\*\*|[*^~e]|exp)?\(?\+?0?([0-9])\)?(?=[/{a-z]|$)")
_OF_CREATININE = re.compile(r"(?<=[gl])[_.]?[ck]r[eé]?\w*$")
_BRACES = re.compile(r"\{[^{}]*\}")
_HIGH = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_MICRO = re.compile(r"[\u00b5\u03bc]|mc(?=[gl])")


def plain_unit(text: str) -> str:
    """A unit as spellings of it are compared: small letters, one way to write powers of ten and micro, no blanks or annotations."""
    lowered = _BRACES.sub("", text.strip().replace("\u00d7", "x").translate(_HIGH).lower().replace(" ", ""))
    lowered = _OF_CREATININE.sub("", _MICRO.sub("u", lowered).replace("^", "*").rstrip("."))
    return _TEN.sub(r"10*\1", lowered.replace("mm*3", "mm3"))


def unit_factor(text: str, analyte: Analyte) -> Decimal | None:
    """The factor of a unit to ours; None for one that is not understood."""
    exact = UNITS[analyte].get(text.strip())
    return exact if exact is not None else _PLAIN[analyte].get(plain_unit(text))


UNITS: dict[Analyte, dict[str, Decimal]] = {
    analyte: {unit: Decimal(factor) for unit, factor in table.items()} for analyte, table in _TABLES.items()
}
"""Each with our unit: ng/mL, 10^9/L, kg, cm, mg, g/dL, mg/dL (four of them), g/g, U/L, %."""

_PLAIN: dict[Analyte, dict[str, Decimal]] = {
    analyte: {plain_unit(unit): factor for unit, factor in table.items()} for analyte, table in UNITS.items()
}
"""The same by the plain spelling of each unit; of two units with one spelling the tests see to it that they are one."""
