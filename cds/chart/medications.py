"""Which drug an order is: by code, and last by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from cds.chart.dosage import Product
from cds.chart.wire import CodeableConcept, Coding, Dosage, Resource
from cds.knowledge.compiled import Concept, Knowledge

Resolver = Callable[[Resource, str], Resource | None]
"""Finds the resource a reference of another one points to: contained, in the bundle, or None."""

_WORDS = re.compile(r"[\w'.-]+")
_LOCAL = re.compile(
    r"\b(gel|cream|ointment|topical|lotion|shampoo|ophthalmic|eye|ocular|otic|ear|vaginal|nasal|inhal\w*|stent\w*|eluting|"
    r"cutaneous|hyftor|fyarro|protein-bound|albumin-bound|intravenous|injection|injectable|infusion)\b",
    re.IGNORECASE,
)
_INJECTED = re.compile(
    r"\b(intravenous|injection|injectable|infusion|protein-bound|albumin-bound|fyarro)\b", re.IGNORECASE
)
_STRENGTH = re.compile(r"(?<![\w.])([0-9]+(?:\.[0-9]+)?) ?mg(?! ?/ ?(?:kg|m2|day))( ?/ ?ml)?", re.IGNORECASE)
_OTHER_ROUTES = {  # SNOMED: topical, intravenous, ophthalmic, otic, transdermal, rectal, vaginal, nasal, inhaled, subcutaneous
    "6064005",
    "47625008",
    "54485002",
    "10547007",
    "45890007",
    "37161004",
    "16857009",
    "46713006",
    "447694001",
    "34206005",
}


@dataclass(frozen=True, slots=True)
class Drug:
    """A drug that the rules name. ``oral`` is false for a form that does not act on the whole body."""

    concept: Concept
    oral: bool
    by_name: bool


def meanings(knowledge: Knowledge, coding: Coding) -> tuple[Concept, ...]:
    """What a coding means to us; nothing for most."""
    of_system = knowledge.codes.get(coding.system or "")
    return of_system.get(coding.code or "", ()) if of_system is not None else ()


def meant_by(code: CodeableConcept | None, knowledge: Knowledge) -> Concept | None:
    """The first meaning of a code to us; None for most codes."""
    if code is None or code.coding is None:
        return None
    for coding in code.coding:  # the innermost loop of reading: most codes are not ours
        if (
            (system := coding.system)
            and (of_system := knowledge.codes.get(system)) is not None
            and coding.code in of_system
        ):
            return of_system[coding.code][0]
    return None


def concept_of(resource: Resource, resolve: Resolver) -> CodeableConcept | None:
    """The coded drug of an order: its own, its Medication's, or the words of the reference."""
    if resource.medicationCodeableConcept is not None:
        return resource.medicationCodeableConcept
    reference = resource.medicationReference
    if reference is None:
        return None
    medication = resolve(resource, reference.reference) if reference.reference else None
    if medication is not None and medication.code is not None:
        return medication.code
    return CodeableConcept(text=reference.display) if reference.display else None


def drugs_of(concept: CodeableConcept, dosages: list[Dosage] | None, knowledge: Knowledge) -> list[Drug]:
    """Every drug of ours in ``concept``: all ingredients of a combination, each once."""
    found: dict[str, list[Concept]] = {}
    for coding in concept.coding or ():
        for meant in meanings(knowledge, coding):
            found.setdefault(meant.name, []).append(meant)
    texts = list(_texts(concept))
    by_name = not found
    if by_name:
        for meant in _named(texts, knowledge):
            found.setdefault(meant.name, []).append(meant)
    return [Drug(meant[-1], _acts(meant, texts, dosages), by_name) for meant in found.values()]


def product_of(concept: CodeableConcept, knowledge: Knowledge) -> Product:
    """Strength of the product, from its code or else from its printed name."""
    for coding in concept.coding or ():
        for meant in meanings(knowledge, coding):
            if meant.strength:
                number, liquid, _ = meant.strength.partition("/")
                return Product(per_ml=Decimal(number)) if liquid else Product(tablet=Decimal(number))
    strengths = {(match[1], bool(match[2])) for text in _texts(concept) for match in _STRENGTH.finditer(text)}
    if len(strengths) != 1:
        return Product()
    number, in_ml = strengths.pop()
    return Product(per_ml=Decimal(number)) if in_ml else Product(tablet=Decimal(number))


def _texts(concept: CodeableConcept) -> Iterator[str]:
    if concept.text:
        yield concept.text
    for coding in concept.coding or ():
        if coding.display:
            yield coding.display


def _named(texts: list[str], knowledge: Knowledge) -> list[Concept]:
    found = {}
    for text in texts:
        lowered = text.lower().replace("\u2019", "'")
        words = {word.strip(".-'") for word in _WORDS.findall(lowered)}
        for name, meant in knowledge.names.items():
            if name in words or ((" " in name or not name.isascii()) and name in lowered):
                found[meant.name] = meant
    return list(found.values())


def _acts(meant: list[Concept], texts: list[str], dosages: list[Dosage] | None) -> bool:
    """Whether this form acts on the whole body (and, for sirolimus, is taken by mouth)."""
    if not all(concept.oral for concept in meant):
        return False
    sirolimus = meant[0].valueset == "sirolimus"
    said = [*texts, *(text for dosage in dosages or () if dosage.route for text in _texts(dosage.route))]
    for text in said:
        if _LOCAL.search(text) and (sirolimus or not _INJECTED.search(text)):
            return False
    if not sirolimus:
        return True
    routes = [coding for dosage in dosages or () if dosage.route for coding in dosage.route.coding or ()]
    return not any(coding.code in _OTHER_ROUTES for coding in routes)  # a local code says nothing against the mouth
