"""Which drug an order is: by code, and last by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from cds.chart.dosage import MILLILITRES, TABLETS, Product
from cds.chart.numbers import Unreadable, exact, factor
from cds.chart.wire import CodeableConcept, Coding, Dosage, Ingredient, Resource, later
from cds.knowledge.compiled import Concept, Knowledge

Resolver = Callable[[Resource, str], Resource | None]
"""Finds the resource a reference of another one points to: contained, in the bundle, or None."""

_WORDS = re.compile(r"[\w'.-]+")
_LETTERS = re.compile(r"[^\W\d_]+")  # of a word that is joined with a hyphen, an underscore or a number
_LOCAL = re.compile(
    r"\b(gel|cream|ointment|topical|lotion|shampoo|ophthalmic|eye|ocular|otic|ear|vaginal|nasal|inhal\w*|stent\w*|balloon\w*|eluting|"
    r"cutaneous|hyftor|fyarro|protein-bound|albumin-bound|intravenous|injection|injectable|infusion|"
    r"topisch|tópic\w*|topique|crema|crème|salbe|pomada|oftálmic\w*|augentropfen|collyre|гель|крем|мазь)\b"
    r"|凝胶|軟膏|软膏|乳膏|滴眼|洗脱支架|ゲル|クリーム|点眼|겔|연고",
    re.IGNORECASE,
)
_INJECTED = re.compile(
    r"\b(intravenous|injection|injectable|infusion|protein-bound|albumin-bound|fyarro)\b", re.IGNORECASE
)
_STRENGTH = re.compile(r"(?<![\w.,])([0-9]+(?:[.,][0-9]+)?) ?mg(?! ?/ ?(?:kg|m2|day))( ?/ ?ml)?", re.IGNORECASE)
_LOCAL_ROUTES = {  # SNOMED: topical, ophthalmic, otic, transdermal, rectal, vaginal, nasal, inhaled
    "6064005",
    "54485002",
    "10547007",
    "45890007",
    "37161004",
    "16857009",
    "46713006",
    "447694001",
    "448598008",  # cutaneous
    "TOPICAL",  # HL7 version 3
    "OPHTHALTA",
    "NASINHL",
    "VAGINSI",
}
_INJECTED_ROUTES = {  # SNOMED: intravenous, subcutaneous, intramuscular; and HL7 version 3
    "47625008",
    "34206005",
    "78421000",
    "IV",
    "IVINJ",
    "IVFUSION",
    "IVP",
    "IVPB",
    "IM",
    "SQ",
    "SQINJ",
}
_LONGEST_TEXT = 2_000
_MOST_INGREDIENTS = 20
_DRUG_SYSTEMS = ("http://www.nlm.nih.gov/research/umls/rxnorm", "http://www.whocc.no/atc")
_SPELLINGS = {
    spelling: uri
    for uri, spellings in {
        "http://www.nlm.nih.gov/research/umls/rxnorm": (
            "http://www.nlm.nih.gov/research/umls/rxnorm/",
            "https://www.nlm.nih.gov/research/umls/rxnorm",
            "urn:oid:2.16.840.1.113883.6.88",
        ),
        "http://loinc.org": ("http://loinc.org/", "https://loinc.org", "urn:oid:2.16.840.1.113883.6.1"),
        "http://snomed.info/sct": (
            "http://snomed.info/sct/",
            "https://snomed.info/sct",
            "urn:oid:2.16.840.1.113883.6.96",
        ),
        "http://www.whocc.no/atc": (
            "http://www.whocc.no/atc/",
            "https://www.whocc.no/atc",
            "urn:oid:2.16.840.1.113883.6.73",
            "http://fhir.de/CodeSystem/bfarm/atc",
            "http://fhir.de/CodeSystem/dimdi/atc",
        ),
        "http://hl7.org/fhir/sid/icd-10-cm": (
            "http://hl7.org/fhir/sid/icd-10-cm/",
            "urn:oid:2.16.840.1.113883.6.90",
        ),
        "http://hl7.org/fhir/sid/icd-9-cm": ("urn:oid:2.16.840.1.113883.6.103",),
        "http://hl7.org/fhir/sid/cvx": ("http://hl7.org/fhir/sid/cvx/", "urn:oid:2.16.840.1.113883.12.292"),
        "http://hl7.org/fhir/sid/icd-10": (
            "http://hl7.org/fhir/sid/icd-10/",
            "urn:oid:2.16.840.1.113883.6.3",
            "http://fhir.de/CodeSystem/bfarm/icd-10-gm",
            "http://fhir.de/CodeSystem/dimdi/icd-10-gm",
        ),
    }.items()
    for spelling in spellings
}


@dataclass(frozen=True, slots=True)
class Drug:
    """A drug that the rules name. ``oral`` is false for a form that does not act on the whole body."""

    concept: Concept
    oral: bool
    by_name: bool


@dataclass(frozen=True, slots=True)
class Medication:
    """What an order says its drug is: codes and texts of the product, of its ingredients and of its form."""

    concepts: tuple[CodeableConcept, ...]
    strengths: tuple[tuple[CodeableConcept | None, Product], ...] = ()  # as the ingredients state them


NOT_SUPPLIED = Medication(())
"""The order points to a Medication that was not sent, and says no name."""


def meanings(knowledge: Knowledge, coding: Coding) -> tuple[Concept, ...]:
    """What a coding means to us; nothing for most."""
    of_system = knowledge.codes.get(canonical(coding.system or ""))
    return of_system.get(coding.code or "", ()) if of_system is not None else ()


def meant_by(code: CodeableConcept | None, knowledge: Knowledge) -> Concept | None:
    """The first meaning of a code to us; None for most codes."""
    if code is None or code.coding is None:
        return None
    for coding in code.coding:  # the innermost loop of reading: most codes are not ours
        if (system := coding.system) is None:
            continue
        of_system = knowledge.codes.get(system) or knowledge.codes.get(canonical(system))
        if of_system is not None and coding.code in of_system:
            return of_system[coding.code][0]
    return None


@lru_cache(512)
def canonical(system: str) -> str:
    """A code system's URI in the form HL7 gives it, for the other forms that are met."""
    if system in _SPELLINGS:
        return _SPELLINGS[system]
    if system.startswith("http://snomed.info/sct/"):  # with an edition and a version
        return "http://snomed.info/sct"
    return system


def medication_of(resource: Resource, resolve: Resolver) -> Medication | None:
    """The drug of an order: its own code, and what its Medication says; None when it names none at all."""
    own, reference = resource.medicationCodeableConcept, resource.medicationReference
    if reference is None:
        return Medication((own,)) if own is not None else None
    concepts = [own] if own is not None else []
    strengths: list[tuple[CodeableConcept | None, Product]] = []
    found = resolve(resource, reference.reference) if reference.reference else None
    if found is not None:
        concepts += [concept for concept in (found.code, found.form) if concept is not None]
        for ingredient in later(found.ingredient, Ingredient)[:_MOST_INGREDIENTS]:
            meant = list(_ingredient((resource, found), ingredient, resolve))
            concepts += meant
            strengths += [(meant[0] if meant else None, product) for product in _strength(ingredient)]
    if reference.display:
        concepts.append(CodeableConcept(text=reference.display))
    return Medication(tuple(concepts), tuple(strengths)) if concepts else NOT_SUPPLIED


def _ingredient(holders: Sequence[Resource], ingredient: Ingredient, resolve: Resolver) -> Iterator[CodeableConcept]:
    """The concepts of an ingredient; what it points to may be contained in the order or in its Medication."""
    if ingredient.itemCodeableConcept is not None:
        yield ingredient.itemCodeableConcept
    item = ingredient.itemReference
    if item is not None:
        places = [resolve(holder, item.reference) for holder in holders] if item.reference else []
        found = next((each for each in places if each is not None), None)
        if found is not None and found.code is not None:
            yield found.code
        if item.display:
            yield CodeableConcept(text=item.display)


def _strength(ingredient: Ingredient) -> Iterator[Product]:
    """What a Medication states of its ingredient: mg in one tablet, or mg in a number of mL."""
    ratio = ingredient.strength
    if ratio is None or ratio.numerator is None or ratio.denominator is None:
        return
    try:
        milligrams = exact(ratio.numerator.value) * factor(ratio.numerator, "dose")
        of = exact(ratio.denominator.value)
    except Unreadable:
        return
    if milligrams <= 0 or of <= 0:
        return
    unit = ratio.denominator.code or ratio.denominator.unit or "1"
    if unit in MILLILITRES:
        yield Product(per_ml=milligrams / of)
    elif unit == "1" or unit.lower() in TABLETS:
        yield Product(tablet=milligrams / of)


def drugs_of(medication: Medication, dosages: list[Dosage] | None, knowledge: Knowledge) -> list[Drug]:
    """Every drug of ours in a medication: all ingredients of a combination, each once.

    A code goes before a name: sirolimus is matched by name only where no code is one of ours, the other
    drugs also beside a code, which may be that of another ingredient.
    """
    found: dict[str, list[Concept]] = {}
    for concept in medication.concepts:
        for coding in concept.coding or ():
            for meant in meanings(knowledge, coding):
                found.setdefault(meant.name, []).append(meant)
    coded = set(found)
    texts = [text for concept in medication.concepts for text in _texts(concept)]
    for meant in _named(texts, knowledge):
        if not coded or (meant.name not in coded and meant.valueset != "sirolimus"):
            found.setdefault(meant.name, []).append(meant)
    return [Drug(meant[-1], _acts(meant, texts, dosages), name not in coded) for name, meant in found.items()]


def is_led_by_sirolimus(medication: Medication, knowledge: Knowledge) -> bool:
    """Whether words that name sirolimus may stand for the drug: no code of another drug beside them, or they begin so."""
    codings = [coding for concept in medication.concepts for coding in concept.coding or () if coding.code]
    if not any(canonical(coding.system or "") in _DRUG_SYSTEMS for coding in codings):
        return True
    for text in (text for concept in medication.concepts for text in _texts(concept)):
        first = _LETTERS.search(text)
        if first is not None and (meant := knowledge.names.get(first[0].lower())) and meant.valueset == "sirolimus":
            return True
    return False


def product_of(medication: Medication, knowledge: Knowledge) -> Product:
    """Strength of the product, from its code, its ingredients, or else from its printed name."""
    stated = {product for concept, product in medication.strengths if _is_sirolimus(concept, knowledge)}
    for concept in medication.concepts:
        for coding in concept.coding or ():
            for meant in meanings(knowledge, coding):
                if meant.strength:
                    number, liquid, _ = meant.strength.partition("/")
                    stated.add(Product(per_ml=Decimal(number)) if liquid else Product(tablet=Decimal(number)))
    if not stated:
        for text in (text for concept in medication.concepts for text in _texts(concept)):
            for match in _STRENGTH.finditer(text):
                number = match[1].replace(",", ".")
                stated.add(Product(per_ml=Decimal(number)) if match[2] else Product(tablet=Decimal(number)))
    return stated.pop() if len(stated) == 1 else Product()


def _is_sirolimus(concept: CodeableConcept | None, knowledge: Knowledge) -> bool:
    """Whether an ingredient is sirolimus and not what the tablet is made of."""
    if concept is None:
        return False
    coded = [meant.name for coding in concept.coding or () for meant in meanings(knowledge, coding)]
    return "sirolimus" in (coded or [meant.name for meant in _named(list(_texts(concept)), knowledge)])


def _texts(concept: CodeableConcept) -> Iterator[str]:
    if concept.text:
        yield concept.text
    for coding in concept.coding or ():
        if coding.display:
            yield coding.display


def _named(texts: list[str], knowledge: Knowledge) -> list[Concept]:
    found = {}
    for text in texts:
        for meant in named_in(text, knowledge):
            found[meant.name] = meant
    return list(found.values())


def named_in(text: str, knowledge: Knowledge, whole: bool = False) -> Iterator[Concept]:
    """The drugs whose name or brand is a word of ``text``; in scripts without spaces, a part of it.

    No drug's name begins beyond some 2,000 characters; ``whole`` looks all the same.
    """
    lowered = (text if whole else text[:_LONGEST_TEXT]).lower().replace("\u2019", "'")
    names = knowledge.names
    for word in _WORDS.findall(lowered):
        meant = names.get(word.strip(".-'"))
        if meant is not None:
            yield meant
        elif not word.isalpha():
            yield from (names[part] for part in _LETTERS.findall(word) if part in names)
    for phrase in knowledge.phrases:
        if phrase in lowered:
            yield names[phrase]


def _acts(meant: list[Concept], texts: list[str], dosages: list[Dosage] | None) -> bool:
    """Whether this form acts on the whole body (and, for sirolimus, is taken by mouth)."""
    if not all(concept.oral for concept in meant):
        return False
    sirolimus = meant[0].valueset == "sirolimus"
    said = [*texts, *(text for dosage in dosages or () if dosage.route for text in _texts(dosage.route))]
    for text in said:
        if _LOCAL.search(text) and (sirolimus or not _INJECTED.search(text)):
            return False
    routes = {
        coding.code for dosage in dosages or () if dosage.route for coding in dosage.route.coding or () if coding.code
    }
    against = _LOCAL_ROUTES | _INJECTED_ROUTES if sirolimus else _LOCAL_ROUTES
    return routes.isdisjoint(against)  # a local code says nothing against the mouth
