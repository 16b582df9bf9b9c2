"""A grade of bleeding on the WHO's scale, from 0 (none) to 4 (debilitating), in the ways in which records write it."""

from __future__ import annotations

import re

from msgspec import Raw

from cds.chart.numbers import Unreadable, exact
from cds.chart.wire import Resource, given

HIGHEST = 4
_UNITS = ("", "1", "{score}", "{grade}", "score", "grade")
_NUMBER = r"([0-9]{1,2}|i{1,3}|iv)[ab]?\b(?!\s*[-–/.,]\s*(?:[0-9]|i{1,3}\b|iv\b))"  # and no range of two
_NAMED = re.compile(rf"\b(?:grade|grad)\s*{_NUMBER}", re.IGNORECASE)
_BARE = re.compile(rf"\s*{_NUMBER}\s*(?:[:=(–-]\s*[^\W\d_].*)?", re.IGNORECASE | re.DOTALL)
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_NOT_UNDERSTOOD = "its grade is not understood"


def grade_of(resource: Resource) -> int:
    """The grade that an Observation gives.

    Raises:
        Unreadable: it has no value, or not one grade of the scale.
    """
    if resource.dataAbsentReason is not None:
        raise Unreadable("no value was recorded")
    if given(resource.valueInteger):
        return _on_scale(resource.valueInteger)
    if resource.valueQuantity is not None:
        quantity = resource.valueQuantity
        if quantity.comparator or (quantity.code or quantity.unit or "").lower() not in _UNITS:
            raise Unreadable(_NOT_UNDERSTOOD)
        return _on_scale(quantity.value)
    concept = resource.valueCodeableConcept
    coded = [coding.display for coding in concept.coding or ()] if concept is not None else []
    texts = [resource.valueString, concept.text if concept is not None else None, *coded]
    if not any(texts):
        raise Unreadable("it has no value")
    grades = {grade for text in texts if text for grade in _said(text)}
    if len(grades) != 1 or max(grades) > HIGHEST:
        raise Unreadable(_NOT_UNDERSTOOD)
    return grades.pop()


def _on_scale(raw: Raw) -> int:
    number = exact(raw)
    if number != number.to_integral_value() or not 0 <= number <= HIGHEST:
        raise Unreadable(_NOT_UNDERSTOOD)
    return int(number)


def _said(text: str) -> list[int]:
    """The grades that words name: each number after the word, or the one with which they begin."""
    bare = _BARE.fullmatch(text)
    named = [match[1].lower() for match in _NAMED.finditer(text)] or ([bare[1].lower()] if bare else [])
    return [_ROMAN[word] if word in _ROMAN else int(word) for word in named]
