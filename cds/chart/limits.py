"""The laboratory's own upper limit for a result, as a quantity or in words such as "7 - 40 U/L"."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec

from cds.chart.numbers import Unreadable, amount, amount_from_text
from cds.chart.wire import Quantity, ReferenceRange, Resource, later
from cds.compiled.knowledge import Knowledge
from cds.compiled.units import Units

_LONGEST = 60  # characters
_NUMBER = r"[0-9][0-9.,]{0,12}"
_BEHIND = r"\s*(?P<unit>[^\s0-9.,;()\[\]<>≤~-][^\s,;()\[\]]{0,15})?"
_NORMAL = "normal"


def upper_limit(resource: Resource, units: Units, knowledge: Knowledge) -> Decimal | None:
    """The upper limit in our unit, the highest of several; None if none can be read.

    Ranges of another type than normal, such as critical or therapeutic ones, are not used.
    """
    ranges = later(resource.referenceRange, ReferenceRange)
    limits = [_limit(each, resource.valueQuantity, units, knowledge) for each in ranges]
    return max((limit for limit in limits if limit is not None), default=None)


def _limit(given: ReferenceRange, value: Quantity | None, units: Units, knowledge: Knowledge) -> Decimal | None:
    codes = [coding.code for coding in (given.type.coding if given.type is not None else None) or () if coding.code]
    if codes and _NORMAL not in codes:
        return None
    try:
        if given.high is not None:
            return amount(_in_its_unit(given.high, value), units).value
        return _in_words(given.text or "", value, units, knowledge)
    except Unreadable:
        return None


def _in_its_unit(high: Quantity, value: Quantity | None) -> Quantity:
    """The limit with its unit; one without a unit has the unit of the result."""
    if high.unit or high.code or value is None:
        return high
    return msgspec.structs.replace(high, unit=value.unit, code=value.code, system=value.system)


def _in_words(text: str, value: Quantity | None, units: Units, knowledge: Knowledge) -> Decimal | None:
    """The highest upper end in words such as "7 - 40 U/L", "bis 40" or "m < 50, w < 35"; in its unit, else in that of the result.

    Raises:
        Unreadable: a unit that is not understood.
    """
    unit = (value.unit or value.code or "") if value is not None else ""
    limits = []
    for match in _ends(knowledge).finditer(text.lower()) if len(text) <= _LONGEST else ():
        said = match["unit"] or unit
        if units.factor(said) is None:
            raise Unreadable("its unit is not understood")
        limits.append(amount_from_text(f"{match['end']} {said}", units).value)
    return max(limits, default=None)


_compiled: dict[str, re.Pattern[str]] = {}


def _ends(knowledge: Knowledge) -> re.Pattern[str]:
    """A pattern for the upper end of a range: after another number, or after a sign or a word for 'at most'."""
    known = _compiled.get(knowledge.hash)
    if known is None:
        words = "|".join(rf"\b{re.escape(word)}" for word in knowledge.lexicon.upper) or "(?!)"
        before = rf"(?:{_NUMBER}\s*(?:[-\u2013\u2014~;]|--)\s*|<=|<|≤|&lt;|{words})"
        known = _compiled[knowledge.hash] = re.compile(rf"{before}\s*(?P<end>{_NUMBER}(?<![.,])){_BEHIND}")
    return known
