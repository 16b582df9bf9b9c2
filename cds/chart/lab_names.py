"""What laboratories call a result that they send without a code of LOINC."""

from __future__ import annotations

import re

from cds.chart.codes import LOINC, canonical
from cds.chart.wire import CodeableConcept, Component, Resource
from cds.compiled.knowledge import Concept, Knowledge
from cds.compiled.units import plain_unit

LEVEL_SET = "sirolimus-level"
_VALUESETS = {
    "level": LEVEL_SET,
    "trough": LEVEL_SET,
    "platelets": "platelets",
    "weight": "body-size",
    "height": "body-size",
}
"""Of results that are known by name; all others are of the laboratory's."""
_CELLS = ("neutrophils", "lymphocytes")
"""Laboratories give both their number and their share of the white cells under one name."""
_LONGEST_NAME = 100  # characters; the patterns below take their time over longer texts
_UNIT = re.compile(r"[\[(][^\])\[(]{0,30}(?:/|10|#)[^\])\[(]{0,30}[\])]|\S*[/^]\S*|\bx ?10\S*")
_AROUND = re.compile(r"[^\w -]")


def _texts(code: CodeableConcept | None) -> list[str]:
    """What a result is called, under no code of LOINC, which would say what it is."""
    if code is None or any(coding.system and canonical(coding.system) == LOINC for coding in code.coding or ()):
        return []
    return [text for text in (code.text, *(coding.display for coding in code.coding or ())) if text]


def by_local_name(result: Resource | Component, knowledge: Knowledge) -> Concept | None:
    """A result that is known by the whole of what its laboratory calls it, units and brackets aside; no share of cells."""
    for text in _texts(result.code):
        name = _name(text, knowledge) if len(text) <= _LONGEST_NAME else None
        if name is not None and not (name in _CELLS and _is_share(result)):
            return Concept(_VALUESETS.get(name, "laboratory"), name)
    return None


def _name(text: str, knowledge: Knowledge) -> str | None:
    lexicon = knowledge.lexicon
    words = _AROUND.sub(" ", _UNIT.sub(" ", text.lower())).split()
    spellings = (text.lower().split(), words, [word for word in words if word not in lexicon.beside])
    found = (lexicon.results.get(" ".join(each)) for each in spellings)
    return next((each for each in found if each is not None), None)


def _is_share(result: Resource | Component) -> bool:
    """Whether a value is a percent, by its unit or in its text."""
    quantity = result.valueQuantity
    if quantity is not None:
        return any(plain_unit(text) == "%" for text in (quantity.unit, quantity.code) if text)
    return (result.valueString or "").rstrip().endswith("%")


def speaks_of_a_level(code: CodeableConcept | None, knowledge: Knowledge) -> bool:
    """Whether a name holds that of sirolimus, and nothing that makes it a dose or an order."""
    lexicon = knowledge.lexicon
    return any(
        any(word in text for word in lexicon.drug) and not any(word in text for word in lexicon.no_level)
        for text in (each.lower() for each in _texts(code))
    )
