"""What a code means to the rules, by exact match or by the beginning of an ICD code; and the spellings of code systems."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from cds.chart.wire import CodeableConcept, Coding
from cds.compiled.knowledge import Concept, Knowledge
from cds.compiled.systems import ICD_10, ICD_10_CM, ICD_10_GM, ICD_11, LEAST_PREFIX, plain_icd

SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
_SPELLINGS = {
    spelling: uri
    for uri, spellings in {
        "http://www.nlm.nih.gov/research/umls/rxnorm": (
            "http://www.nlm.nih.gov/research/umls/rxnorm/",
            "https://www.nlm.nih.gov/research/umls/rxnorm",
            "urn:oid:2.16.840.1.113883.6.88",
        ),
        LOINC: ("http://loinc.org/", "https://loinc.org", "urn:oid:2.16.840.1.113883.6.1"),
        SNOMED: (
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
        ICD_10_CM: (
            "http://hl7.org/fhir/sid/icd-10-cm/",
            "https://hl7.org/fhir/sid/icd-10-cm",
            "urn:oid:2.16.840.1.113883.6.90",
            "urn:oid:2.16.724.4.21.5.29",  # the Spanish edition is a translation of it
        ),
        "http://hl7.org/fhir/sid/icd-9-cm": ("urn:oid:2.16.840.1.113883.6.103",),
        "http://hl7.org/fhir/sid/cvx": ("http://hl7.org/fhir/sid/cvx/", "urn:oid:2.16.840.1.113883.12.292"),
        ICD_10: (
            "http://hl7.org/fhir/sid/icd-10/",
            "https://hl7.org/fhir/sid/icd-10",
            "http://id.who.int/icd/release/10",
            "urn:oid:1.2.250.1.213.2.5",
            "urn:oid:2.16.840.1.113883.6.3",
            "urn:oid:2.16.840.1.113883.6.135",
        ),
        ICD_10_GM: ("urn:oid:1.2.276.0.76.5.409",),
        ICD_11: (
            "http://id.who.int/icd11/mms",
            "http://id.who.int/icd/release/11/mms/",
            "https://id.who.int/icd/release/11/mms",
            "http://hl7.org/fhir/sid/icd-11",
        ),
    }.items()
    for spelling in spellings
}
_RESIDUAL = re.compile(r"\.[YZ]$")
"""The ending of an ICD-11 code for what its category does not specify further; the code means the category itself."""
_ICD_10 = re.compile(r"(?:icd|cim|cie)-?10(?:-?([a-z]{2}))?")
_PROCEDURES = ("http://www.cms.gov/Medicare/Coding/ICD10",)
"""An address of ICD-10-PCS, which codes procedures."""
_LONGEST_CLUSTER = 100  # characters
_LONGEST_ADDRESS = 200  # characters; longer ones are not kept, for they could fill the memory
_RELEASES_11 = ("http://id.who.int/icd/release/11/", "https://id.who.int/icd/release/11/")
_Codes = dict[str, tuple[Concept, ...]]
_Beginnings = dict[str, tuple[tuple[Concept, tuple[str, ...]], ...]]
CONDITION_SYSTEMS = frozenset((SNOMED, ICD_10, ICD_10_CM, ICD_10_GM, ICD_11, "http://hl7.org/fhir/sid/icd-9-cm"))
"""The code systems that say what a condition is; a problem with a code in none of them is recognised only by its name."""


def texts_of(concept: CodeableConcept) -> Iterator[str]:
    """Its text, and what its codings display."""
    if concept.text:
        yield concept.text
    for coding in concept.coding or ():
        if coding.display:
            yield coding.display


def meanings(knowledge: Knowledge, coding: Coding) -> tuple[Concept, ...]:
    """The meanings of a coding to the rules; most codings have none. This is the innermost loop of reading."""
    system, code = coding.system or "", coding.code or ""
    of_system = knowledge.codes.get(system)
    if of_system is None or system in knowledge.prefixes or system == ICD_11:
        return _in_system(knowledge, canonical(system), code)
    return of_system.get(code, ())


def _in_system(knowledge: Knowledge, system: str, code: str) -> tuple[Concept, ...]:
    """The meanings of a code that may be an ICD code, or whose system may be in another spelling."""
    of_system, begins = knowledge.codes.get(system, {}), knowledge.prefixes.get(system, {})
    if system == ICD_11:
        return tuple(_of_cluster(code, of_system, begins))
    exact = of_system.get(code, ())
    return _with_prefixes(exact, of_system, begins, code) if begins else exact


def _of_cluster(code: str, of_system: _Codes, begins: _Beginnings) -> Iterator[Concept]:
    """The meanings of the stems of an ICD-11 code: stems are joined by a slash, each followed by its extensions after an ampersand."""
    for stem in (part.partition("&")[0].strip() for part in code[:_LONGEST_CLUSTER].split("/")):
        exact = of_system.get(stem) or of_system.get(_RESIDUAL.sub("", stem), ())
        yield from _with_prefixes(exact, of_system, begins, stem)


def _with_prefixes(
    exact: tuple[Concept, ...],
    of_system: _Codes,
    begins: _Beginnings,
    code: str,
) -> tuple[Concept, ...]:
    """The exact meanings of an ICD code and those of its prefixes; within a value set, only those of the longest match."""
    plain = plain_icd(code)
    found: dict[str, tuple[Concept, ...]] = {
        concept.valueset: (concept,) for concept in exact or of_system.get(plain, ())
    }
    for length in range(len(plain), LEAST_PREFIX - 1, -1):
        longest: dict[str, tuple[Concept, ...]] = {}
        for concept, excepted in begins.get(plain[:length], ()):
            if concept.valueset not in found and not plain.startswith(excepted):
                longest[concept.valueset] = (*longest.get(concept.valueset, ()), concept)
        found |= longest
    return tuple(concept for several in found.values() for concept in several)


def meant_by(code: CodeableConcept | None, knowledge: Knowledge) -> Concept | None:
    """The first meaning of a code to us; None for most codes."""
    for coding in (code.coding or ()) if code is not None else ():
        for concept in meanings(knowledge, coding):
            return concept
    return None


def all_meant(code: CodeableConcept | None, knowledge: Knowledge) -> list[Concept]:
    """Every meaning of every coding."""
    if code is None or code.coding is None:
        return []
    return [concept for coding in code.coding for concept in meanings(knowledge, coding)]


def canonical(system: str) -> str:
    """A code system's URI in the form that HL7 gives it, for any other form that records use."""
    return _cached(system) if len(system) <= _LONGEST_ADDRESS else _canonical(system)


def _canonical(system: str) -> str:
    if system in _SPELLINGS:
        return _SPELLINGS[system]
    if system.startswith("http://snomed.info/sct/"):  # with an edition and a version
        return SNOMED
    if system.startswith(_RELEASES_11):  # with a release
        return ICD_11
    bare = system.partition("|")[0]
    return _SPELLINGS.get(bare) or _edition_of_icd_10(bare) or bare


_cached = lru_cache(512)(_canonical)


def _edition_of_icd_10(system: str) -> str:
    """The ICD-10 edition of an address: for what is read here, editions of countries not known here count as the WHO's."""
    match = _ICD_10.search(system.lower())
    if match is None or "pcs" in system.lower() or system in _PROCEDURES:
        return ""
    return {"cm": ICD_10_CM, "gm": ICD_10_GM, "de": ICD_10_GM}.get(match[1] or "", ICD_10)
