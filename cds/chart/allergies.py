"""Allergies to sirolimus and its kin, and to what its oral solution holds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds.chart.medications import meanings, named_in
from cds.chart.model import Problem
from cds.chart.reader import Reader, first_moment, status_word
from cds.chart.wire import CodeableConcept, Reaction, Resource, later
from cds.knowledge.compiled import Concept, Knowledge

_DRUGS = ("sirolimus", "mtor-inhibitor")
_FOODS = "allergen"
_WORD = re.compile(r"[^\W\d_]+")
_DENIED = re.compile(r"\b(?:no|not|nil|denies|without)\b", re.IGNORECASE)


def read_allergy(reader: Reader, resource: Resource) -> None:
    """An allergy or intolerance of ours, unless it is refuted or over."""
    concepts = [resource.code, *(each.substance for each in later(resource.reaction, Reaction))]
    meant = next((m for each in concepts if each is not None for m in _allergens(each, reader.knowledge)), None)
    if meant is None or not reader.is_ours(resource, meant.valueset):
        return
    for word, at in ((resource.verificationStatus, "verificationStatus"), (resource.clinicalStatus, "clinicalStatus")):
        if (status := status_word(word)) in ("refuted", "entered-in-error", "inactive", "resolved"):
            reader.left_out(resource, f"it is {status}", meant.valueset, at)
            return
    recorded = first_moment(resource.recordedDate, resource.onsetDateTime)
    if reader.exists(resource, recorded, meant.valueset, "recordedDate"):
        name = meant.name if meant.valueset == _FOODS else "sirolimus-allergy"
        display = meant.display or meant.name
        reader.chart.allergies.append(Problem(resource.reference, name, True, recorded, None, display))


def _allergens(concept: CodeableConcept, knowledge: Knowledge) -> Iterator[Concept]:
    """What of ours a substance is: by code, and else by its words."""
    wanted = (*_DRUGS, _FOODS)
    for coding in concept.coding or ():
        yield from (meant for meant in meanings(knowledge, coding) if meant.valueset in wanted)
    for text in (concept.text, *(coding.display for coding in concept.coding or ())):
        if text and not _DENIED.search(text):
            yield from (meant for meant in named_in(text, knowledge) if meant.valueset in _DRUGS)
            words = _WORD.findall(text[:1_000].lower())
            yield from (knowledge.words[word] for word in words if word in knowledge.words)
