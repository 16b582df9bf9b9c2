"""What laboratories call a result that they send without a code of LOINC."""

from __future__ import annotations

import re

from cds.chart.codes import LOINC, canonical
from cds.chart.wire import CodeableConcept
from cds.knowledge.compiled import Concept, Knowledge

LEVEL_SET = "sirolimus-level"
_VALUESETS = {
    "level": LEVEL_SET,
    "trough": LEVEL_SET,
    "platelets": "platelets",
    "weight": "body-size",
    "height": "body-size",
}
"""Of results that are known by name; all others are of the laboratory's."""
_SIROLIMUS = re.compile(r"sirolimus|rapamun|rapamycin|rapamycine|rapamicina|西罗莫司|雷帕霉素", re.IGNORECASE)
_NO_LEVEL = re.compile(r"temsirolimus|dose|dosis|order", re.IGNORECASE)
_LONGEST_NAME = 100  # characters; the patterns below take their time over longer texts
_UNIT = re.compile(r"[\[(][^\])\[(]{0,30}(?:/|10|#)[^\])\[(]{0,30}[\])]|\S*[/^]\S*|\bx ?10\S*")
_AROUND = re.compile(r"[^\w -]")
_BESIDE = re.compile(
    r"\b(?:in|im|of|en|dans|whole|venous|blood|blut|vollblut|sang|sangre|sangue|bloed|edta|automated|abs|absolute)\b"
)
"""What may stand beside the name of a result without making another one of it."""


def _texts(code: CodeableConcept | None) -> list[str]:
    """What a result is called, under no code of LOINC, which would say what it is."""
    if code is None or any(coding.system and canonical(coding.system) == LOINC for coding in code.coding or ()):
        return []
    return [text for text in (code.text, *(coding.display for coding in code.coding or ())) if text]


def by_local_name(code: CodeableConcept | None, knowledge: Knowledge) -> Concept | None:
    """A result that is known by the whole of what its laboratory calls it, units and brackets aside."""
    for text in _texts(code):
        if len(text) <= _LONGEST_NAME:
            bare = _AROUND.sub(" ", _UNIT.sub(" ", text.lower()))
            spellings = (text.lower(), bare, _BESIDE.sub(" ", bare))
            found = (knowledge.lexicon.results.get(" ".join(each.split())) for each in spellings)
            if (name := next((each for each in found if each is not None), None)) is not None:
                return Concept(_VALUESETS.get(name, "laboratory"), name)
    return None


def speaks_of_a_level(code: CodeableConcept | None) -> bool:
    """Whether a name holds that of sirolimus, and nothing that makes it a dose or an order."""
    return any(_SIROLIMUS.search(text) and not _NO_LEVEL.search(text) for text in _texts(code))
