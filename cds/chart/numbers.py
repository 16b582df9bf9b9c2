"""Numbers and units as laboratories print them: read exactly, or not at all."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

import msgspec
from msgspec import Raw

from cds.chart.wire import Quantity, given
from cds.compiled.units import Units

_JSON_NUMBER = re.compile(rb"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
_REPORTED = re.compile(r"\s*(<=|>=|<|>|≤|≥|=)?\s*([0-9]{1,12}(?:[.,][0-9]{1,12})?)\s*([^\s0-9].*?)?\s*")
_FLAG = re.compile(r"\s+(?:[(\[](?:H{1,2}|L{1,2}|\+{1,3}|-{1,3}|\*{1,3})[)\]]|H{1,2}|L{1,2}|\+{1,3}|\*{1,3}|[↑↓]+)\s*$")
"""The flag that a laboratory prints after a result that is high or low."""
_EITHER_WAY = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
"""A number whose point or comma may set off thousands."""
_SIGNS = {"≤": "<=", "≥": ">=", "=": ""}
MOST_TIMES = 1000  # a count or a period in a timing beyond this is a mistake
COMPARATORS = ("<", "<=", ">", ">=")


class Unreadable(Exception):
    """A value that cannot be read; ``str`` says why, without the value, and ``at`` names the element."""

    def __init__(self, reason: str, at: str = "") -> None:
        super().__init__(reason)
        self.at = at


class Amount(msgspec.Struct, frozen=True):
    """A number in our unit for its analyte, with the comparator it was reported with."""

    value: Decimal
    comparator: str = ""
    printed: str = ""  # as the laboratory gave it, for the card


def exact(raw: Raw) -> Decimal:
    """A JSON number, exactly.

    Raises:
        Unreadable: absent, a string, or not a plain finite number.
    """
    if not given(raw):
        raise Unreadable("it has no value")
    text = bytes(raw)
    if text[:1] == b'"':
        raise Unreadable("its value is text, not a number")
    if not _JSON_NUMBER.fullmatch(text):
        raise Unreadable("its value is not a plain number")
    return Decimal(text.decode())


def whole(raw: Raw) -> int | None:
    """A JSON integer, or None when absent. Raises Unreadable for anything else."""
    if not given(raw):
        return None
    number = exact(raw)
    if number != number.to_integral_value() or abs(number) > MOST_TIMES:
        raise Unreadable("a small whole number is expected")
    return int(number)


def factor(quantity: Quantity, units: Units) -> Decimal:
    """The factor from a quantity's unit to ours: the UCUM code if there is one, else the printed unit.

    Raises:
        Unreadable: no unit, an unknown one, or a code and a text that differ.
    """
    code, unit = quantity.code, quantity.unit
    by_code = units.factor(code) if code else None
    by_unit = units.factor(unit) if unit else None
    if by_code is not None:
        if (by_unit is not None and by_unit != by_code) or (by_unit is None and unit and unit.strip() in units.foreign):
            raise Unreadable("its unit and its unit code differ")
        return by_code
    if code and quantity.system == "http://unitsofmeasure.org":
        raise Unreadable("its unit is not understood")
    if by_unit is None:
        raise Unreadable("its unit is not understood" if unit or code else "it has no unit")
    return by_unit


def amount(quantity: Quantity, units: Units) -> Amount:
    """A quantity in our unit.

    Raises:
        Unreadable: the value, comparator or unit cannot be read.
    """
    number = exact(quantity.value)
    comparator = quantity.comparator or ""
    if comparator and comparator not in COMPARATORS:
        raise Unreadable("its comparator is not understood")
    unit = quantity.unit or quantity.code or ""
    times = factor(quantity, units)
    return Amount(_plain(number * times), comparator, f"{comparator}{number:f} {unit}" if times != 1 else "")


def amount_from_text(text: str, units: Units) -> Amount:
    """A result reported as text, such as ``<2.0 ng/mL``.

    Raises:
        Unreadable: more or less than one number with an understood unit.
    """
    match = _REPORTED.fullmatch(_FLAG.sub("", text)) if len(text) <= 60 and text.isprintable() else None
    if match is None:
        raise Unreadable("its text is not one number with a unit")
    comparator = _SIGNS.get(match[1], match[1]) or ""
    if _EITHER_WAY.fullmatch(match[2]) and ("," in match[2] or _may_have_thousands(match[3] or "", units)):
        raise Unreadable("its number can be read in two ways")
    number = match[2].replace(",", ".")
    return amount(Quantity(Raw(number.encode()), comparator or None, match[3]), units)


def _may_have_thousands(unit: str, units: Units) -> bool:
    """Whether results in that unit can be large enough for their thousands to be set off."""
    return units.thousands == "any unit" or (units.thousands == "our unit" and units.factor(unit) == 1)


def _plain(number: Decimal) -> Decimal:
    try:
        return number.quantize(Decimal("0.000001")).normalize() + 0
    except InvalidOperation:
        raise Unreadable("its value is beyond any range") from None
