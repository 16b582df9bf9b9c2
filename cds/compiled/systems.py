"""Code systems by their address, and ICD codes and names of conditions as they are compared."""

from __future__ import annotations

import re
import unicodedata

ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD_10 = "http://hl7.org/fhir/sid/icd-10"
ICD_10_GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
ICD_11 = "http://id.who.int/icd/release/11/mms"
SYSTEMS = {
    "loinc": ("http://loinc.org",),
    "snomed": ("http://snomed.info/sct",),
    "icd10": (ICD_10_CM, ICD_10, ICD_10_GM),
    "icd10cm": (ICD_10_CM,),
    "icd10who": (ICD_10,),
    "icd10gm": (ICD_10_GM,),
    "icd11": (ICD_11,),
    "icd9": ("http://hl7.org/fhir/sid/icd-9-cm",),
    "ucum": ("http://unitsofmeasure.org",),
    "rxnorm": ("http://www.nlm.nih.gov/research/umls/rxnorm",),
    "atc": ("http://www.whocc.no/atc",),
    "cvx": ("http://hl7.org/fhir/sid/cvx",),
}
"""Each name that a value set may write, and the addresses that it means; ``cds.chart.codes`` knows other spellings."""
SHORT = {uri: name for name, uris in reversed(SYSTEMS.items()) for uri in uris}
OURS = "urn:sirolimus-itp-cds"
"""The code system for what no other code system names."""

ICD = ("icd10", "icd10cm", "icd10who", "icd10gm", "icd9")
"""Some records write the codes of these systems without the dot."""
LEAST_PREFIX = 1
_MARKS = re.compile(r"[^0-9A-Za-z]")
_ELIDED = re.compile(r"\b(?:d|l|un|all|dall|dell|nell|sull)'(?=\w)")
"""Articles and prepositions that French and Italian join to the next word."""
_BREAKS = re.compile(r"[^\w/'?]+")


def plain_icd(code: str) -> str:
    """An ICD code as it is compared: capitals and digits alone, without the dot and the marks for daggers and asterisks."""
    return _MARKS.sub("", code[:20]).upper()


def plain_name(text: str) -> str:
    """The name of a condition as it is compared: small letters without accents, single spaces, no hyphens and points."""
    lowered = bare(text.lower()).replace("\u2019", "'").replace("\uff1f", "?").replace("?", " ? ")
    return " ".join(_ELIDED.sub(" ", _BREAKS.sub(" ", lowered)).split())


def bare(text: str) -> str:
    """A text without its accents: many records are typed without them."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text)
    return (
        "".join(each for each in apart if not unicodedata.combining(each))
        .replace("\u0142", "l")
        .replace("\u00df", "ss")
    )


def written_out(name: str) -> str:
    """A German name with its umlauts written as two letters, as keyboards without them do."""
    for letter, pair in (("\u00e4", "ae"), ("\u00f6", "oe"), ("\u00fc", "ue"), ("\u0153", "oe"), ("\u00e6", "ae")):
        name = name.replace(letter, pair)
    return name
