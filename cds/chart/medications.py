"""Which drug an order is for: by code, and by name as a last resort."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

import msgspec

from cds.chart.codes import canonical, meanings, texts_of
from cds.chart.dosage import Product
from cds.chart.drug_names import LETTERS, named_in
from cds.chart.forms import Acts, Route, acts
from cds.chart.numbers import Unreadable, exact, factor
from cds.chart.wire import CodeableConcept, Dosage, Ingredient, Resource, later
from cds.compiled.knowledge import Concept, Knowledge, Lexicon

Resolver = Callable[[Resource, str], Resource | None]
"""Finds the resource a reference of another one points to: contained, in the bundle, or None."""

_STRENGTH = re.compile(
    r"(?<![\w.,])([0-9]+(?:[.,][0-9]+)?) ?(mg|mcg|ug|\u00b5g|\u03bcg|micrograms?|mikrogramm)(?! ?/ ?(?:kg|m2|day))( ?/ ?ml)?(?![a-z])",
    re.IGNORECASE,
)
_MOST_INGREDIENTS = 20
_DRUG_SYSTEMS = ("http://www.nlm.nih.gov/research/umls/rxnorm", "http://www.whocc.no/atc")


class Drug(msgspec.Struct, frozen=True):
    """A drug that the rules name, and how it acts: see :mod:`cds.chart.forms`."""

    concept: Concept
    acts: Acts
    by_name: bool

    @property
    def oral(self) -> bool:
        """Whether it acts on the whole body (sirolimus: is taken by mouth)."""
        return self.acts == "everywhere"


class Medication(msgspec.Struct, frozen=True):
    """What an order says its drug is: codes and texts of the product, of its ingredients and of its form."""

    concepts: tuple[CodeableConcept, ...]
    strengths: tuple[tuple[CodeableConcept | None, Product], ...] = ()  # as the ingredients state them


NOT_SUPPLIED = Medication(())
"""The order points to a Medication that was not sent, and gives no name."""


def medication_of(resource: Resource, resolve: Resolver, words: Lexicon) -> Medication | None:
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
            strengths += [(meant[0] if meant else None, product) for product in _strength(ingredient, words)]
    if reference.display:
        concepts.append(CodeableConcept(text=reference.display))
    return Medication(tuple(concepts), tuple(strengths)) if concepts else NOT_SUPPLIED


def names_something(medication: Medication) -> bool:
    """Whether it has any code or text by which the drug could be identified."""
    codings = (coding for concept in medication.concepts for coding in concept.coding or ())
    return any(concept.text for concept in medication.concepts) or any(each.code or each.display for each in codings)


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


def _strength(ingredient: Ingredient, words: Lexicon) -> Iterator[Product]:
    """What a Medication states of its ingredient: mg in one tablet, or mg in a number of mL."""
    ratio = ingredient.strength
    if ratio is None or ratio.numerator is None or ratio.denominator is None:
        return
    try:
        milligrams = exact(ratio.numerator.value) * factor(ratio.numerator, words.dose)
        of = exact(ratio.denominator.value)
    except Unreadable:
        return
    if milligrams <= 0 or of <= 0:
        return
    unit = (ratio.denominator.code or ratio.denominator.unit or "1").lower()
    if unit in words.millilitres:
        yield Product(per_ml=milligrams / of)
    elif unit == "1" or unit in words.tablets:
        yield Product(tablet=milligrams / of)


def drugs_of(medication: Medication, dosages: list[Dosage] | None, knowledge: Knowledge) -> list[Drug]:
    """Every drug in a medication that the rules name: all ingredients of a combination, each once.

    A code takes precedence over a name: sirolimus is matched by name only if no code is one that the rules
    know; the other drugs also if there is a code, which may be that of another ingredient.
    """
    found: dict[str, list[Concept]] = {}
    for concept in medication.concepts:
        for coding in concept.coding or ():
            for meant in meanings(knowledge, coding):
                found.setdefault(meant.name, []).append(meant)
    coded = set(found)
    texts = [text for concept in medication.concepts for text in texts_of(concept)]
    for meant in _named(texts, knowledge):
        if not coded or (meant.name not in coded and meant.valueset != "sirolimus"):
            found.setdefault(meant.name, []).append(meant)
    routes = [dosage.route for dosage in dosages or () if dosage.route]
    route = Route(
        [text for route in routes for text in texts_of(route)],
        {coding.code for route in routes for coding in route.coding or () if coding.code},
    )
    return [Drug(meant[-1], acts(meant, texts, route, knowledge), name not in coded) for name, meant in found.items()]


def is_led_by_sirolimus(medication: Medication, knowledge: Knowledge) -> bool:
    """Whether text that names sirolimus may identify the drug: there is no code of another drug, or the text begins with the name."""
    codings = [coding for concept in medication.concepts for coding in concept.coding or () if coding.code]
    if not any(canonical(coding.system or "") in _DRUG_SYSTEMS for coding in codings):
        return True
    for text in (text for concept in medication.concepts for text in texts_of(concept)):
        first = LETTERS.search(text)
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
        for text in (text for concept in medication.concepts for text in texts_of(concept)):
            for match in _STRENGTH.finditer(text):
                milligrams = Decimal(match[1].replace(",", ".")) * (1 if match[2].lower() == "mg" else Decimal("0.001"))
                stated.add(Product(per_ml=milligrams) if match[3] else Product(tablet=milligrams.normalize()))
    return stated.pop() if len(stated) == 1 else Product()


def _is_sirolimus(concept: CodeableConcept | None, knowledge: Knowledge) -> bool:
    """Whether an ingredient is sirolimus and not an excipient."""
    if concept is None:
        return False
    coded = [meant.name for coding in concept.coding or () for meant in meanings(knowledge, coding)]
    return "sirolimus" in (coded or [meant.name for meant in _named(list(texts_of(concept)), knowledge)])


def _named(texts: list[str], knowledge: Knowledge) -> list[Concept]:
    found = {}
    for text in texts:
        for meant in named_in(text, knowledge):
            found[meant.name] = meant
    return list(found.values())
