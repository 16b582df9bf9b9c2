"""The names that laboratories give to results that they send without a LOINC code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

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
"""The value sets of results that are recognised by name; all others belong to ``laboratory``."""
_CELLS = ("neutrophils", "lymphocytes")
"""Laboratories report both the number of these cells and their share of the white cells under one name."""
_LONGEST_NAME = 100  # characters; the patterns below are slow on longer texts
_UNIT = re.compile(r"[\[(][^\])\[(]{0,30}(?:/|10|#)[^\])\[(]{0,30}[\])]|\S*[/^]\S*|\bx ?10\S*")
_AROUND = re.compile(r"[^\w -]")


def local_names(code: CodeableConcept | None) -> list[str]:
    """The names of a result; none if it has a LOINC code, which would say what it is."""
    if code is None:
        return []
    found = [code.text] if code.text else []
    for coding in code.coding or ():
        if coding.system and canonical(coding.system) == LOINC:
            return []
        if coding.display:
            found.append(coding.display)
    return found


def by_local_name(called: Sequence[str], result: Resource | Component, knowledge: Knowledge) -> Concept | None:
    """A result that is recognised by its whole local name, apart from units and brackets; a share of cells is not."""
    for text in called:
        name = _name(text, knowledge) if len(text) <= _LONGEST_NAME else None
        if name is not None and not (name in _CELLS and _is_share(result)):
            return Concept(_VALUESETS.get(name, "laboratory"), name)
    return None


def _name(text: str, knowledge: Knowledge) -> str | None:
    lexicon = knowledge.lexicon
    whole, words = _spellings(text)
    return (
        lexicon.results.get(whole)
        or lexicon.results.get(" ".join(words))
        or lexicon.results.get(" ".join(word for word in words if word not in lexicon.beside))
    )


@lru_cache(1024)
def _spellings(text: str) -> tuple[str, tuple[str, ...]]:
    """A name as it is written, and its words without units and brackets; cached, because laboratories use few names for many results."""
    return " ".join(text.lower().split()), tuple(_AROUND.sub(" ", _UNIT.sub(" ", text.lower())).split())


def _is_share(result: Resource | Component) -> bool:
    """Whether a value is a percent, by its unit or in its text."""
    quantity = result.valueQuantity
    if quantity is not None:
        return any(plain_unit(text) == "%" for text in (quantity.unit, quantity.code) if text)
    return (result.valueString or "").rstrip().endswith("%")


def speaks_of_a_level(called: Sequence[str], knowledge: Knowledge) -> bool:
    """Whether a name contains that of sirolimus, and no word that makes it a dose or an order."""
    lexicon = knowledge.lexicon
    return any(
        any(word in text for word in lexicon.drug) and not any(word in text for word in lexicon.no_level)
        for text in map(str.lower, called)
    )
