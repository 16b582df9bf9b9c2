"""Bleeding grades on the WHO scale, from 0 (none) to 4 (debilitating), in the forms in which records write them.

A text is accepted only as a whole: one grade, and a description made of known words that fit it.
"""

from __future__ import annotations

import re

from msgspec import Raw

from cds.chart.numbers import Unreadable, exact
from cds.chart.wire import Resource, given

HIGHEST = 4
_LONGEST = 200  # characters; a longer text is a note, on which the pattern would be slow
_UNITS = ("", "1", "{score}", "{grade}", "score", "grade")
_GRADED = re.compile(
    r"\s*(?:who\b\W{0,2})?(?:bleeding\b\W{0,2})?"
    r"(?:(?:grade|grad|gr|g|who)\W{0,3}(?P<named>[0-4]|i{1,3}|iv)|(?P<bare>[0-4]))[ab]?"
    r"(?:\s*[:=(–-]\s*(?P<description>[^\W\d_][\w\s,.()'/-]*))?\s*",
    re.IGNORECASE,
)
_WORDS = frozenset(
    [
        "a",
        "and",
        "bleed",
        "bleeding",
        "blood",
        "bruise",
        "bruises",
        "bruising",
        "cutaneous",
        "debilitating",
        "ecchymoses",
        "ecchymosis",
        "epistaxis",
        "gastrointestinal",
        "gi",
        "gross",
        "gum",
        "gums",
        "haematuria",
        "haemorrhage",
        "hematuria",
        "hemorrhage",
        "leicht",
        "leichte",
        "life",
        "loss",
        "major",
        "melaena",
        "melena",
        "menorrhagia",
        "mild",
        "minor",
        "moderate",
        "mucosal",
        "nose",
        "nosebleed",
        "of",
        "oral",
        "petechiae",
        "petechial",
        "purpura",
        "rectal",
        "requiring",
        "retinal",
        "schwer",
        "schwere",
        "severe",
        "skin",
        "threatening",
        "transfusion",
        "transfusions",
        "transfusionspflichtig",
        "wet",
        "with",
        "blutung",
        "blutungen",
        "blutverlust",
    ]
)
"""The words that a description may contain; any other word could deny the grade, end it, or be about another one."""
_LEAST = {"gross": 3, "severe": 3, "schwer": 3, "schwere": 3, "major": 3, "debilitating": 4, "threatening": 3}
_MOST = {"mild": 2, "minor": 2, "leicht": 2, "leichte": 2}
_NONE = re.compile(r"(?:none|no bleeding|no haemorrhage|no hemorrhage)\W*", re.IGNORECASE)
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_NOT_UNDERSTOOD = "its grade is not understood"


def grade_of(resource: Resource) -> int:
    """The grade that an Observation gives.

    Raises:
        Unreadable: it has no value, or its value is not clearly one grade of the scale.
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
    texts = [text for text in (resource.valueString, concept.text if concept is not None else None, *coded) if text]
    if not texts:
        raise Unreadable("it has no value")
    grades = {_said(text) for text in texts}
    if len(grades) != 1 or (grade := grades.pop()) is None:
        raise Unreadable(_NOT_UNDERSTOOD)
    return grade


def _on_scale(raw: Raw) -> int:
    number = exact(raw)
    if number != number.to_integral_value() or not 0 <= number <= HIGHEST:
        raise Unreadable(_NOT_UNDERSTOOD)
    return int(number)


def _said(text: str) -> int | None:
    """The one grade that a text gives; None if it could mean another."""
    found = _GRADED.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    word = (found["named"] or found["bare"]).lower()
    grade, description = _ROMAN[word] if word in _ROMAN else int(word), found["description"] or ""
    if grade == 0:
        return 0 if not description or _NONE.fullmatch(description) else None
    words = re.findall(r"[^\W\d_]+", description.lower())
    fits = all(_LEAST.get(each, 0) <= grade <= _MOST.get(each, HIGHEST) for each in words)
    return grade if fits and _WORDS.issuperset(words) and not re.search(r"\d", description) else None
