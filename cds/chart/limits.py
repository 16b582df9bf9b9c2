"""The laboratory's own upper limit for a result, as a quantity or in words such as "7 - 40 U/L"."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec

from cds.chart.numbers import Unreadable, amount, amount_from_text
from cds.chart.units import Analyte
from cds.chart.wire import Quantity, ReferenceRange, Resource, later

_LONGEST = 60  # characters
_TO = re.compile(
    r"\s*[\[(]?\s*(?:[0-9][0-9.,]{0,12}\s*[-\u2013\u2014]|<=|<|≤)\s*([0-9][0-9.,]{0,12}\s*[^\])]*?)\s*[\])]?\s*"
)
_NORMAL = "normal"


def upper_limit(resource: Resource, analyte: Analyte | None) -> Decimal | None:
    """The upper limit in our unit, the highest of several; None where there is none that can be read.

    Ranges of another type than normal, such as critical or therapeutic ones, are none.
    """
    if analyte is None:
        return None
    limits = [_limit(each, resource.valueQuantity, analyte) for each in later(resource.referenceRange, ReferenceRange)]
    return max((limit for limit in limits if limit is not None), default=None)


def _limit(given: ReferenceRange, value: Quantity | None, analyte: Analyte) -> Decimal | None:
    codes = [coding.code for coding in (given.type.coding if given.type is not None else None) or () if coding.code]
    if codes and _NORMAL not in codes:
        return None
    try:
        if given.high is not None:
            return amount(_in_its_unit(given.high, value), analyte).value
        return _in_words(given.text or "", value, analyte)
    except Unreadable:
        return None


def _in_its_unit(high: Quantity, value: Quantity | None) -> Quantity:
    """A limit without a unit is in that of the result."""
    if high.unit or high.code or value is None:
        return high
    return msgspec.structs.replace(high, unit=value.unit, code=value.code, system=value.system)


def _in_words(text: str, value: Quantity | None, analyte: Analyte) -> Decimal | None:
    """The last number of "7 - 40" or "< 40", with its unit or else that of the result."""
    match = _TO.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    said = match[1]
    unit = (value.unit or value.code or "") if value is not None else ""
    return amount_from_text(said if re.search(r"[^\W\d]", said) else f"{said} {unit}", analyte).value
