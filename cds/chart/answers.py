"""Yes-or-no tests, read from value, code, words, interpretation or their own upper limit; an unclear result is neither."""

from __future__ import annotations

import re

from cds.chart.numbers import Unreadable, exact
from cds.chart.wire import CodeableConcept, Coding, ReferenceRange, Resource, given, later

_SNOMED = {
    "10828004": True,
    "260373001": True,
    "52101004": True,
    "260385009": False,
    "260415000": False,
    "2667000": False,
}
_LOINC = {
    **dict.fromkeys(("LA6576-8", "LA9633-4", "LA11882-0"), True),
    **dict.fromkeys(("LA6577-6", "LA9634-2", "LA11883-8"), False),
}
_PREGNANT = {
    **dict.fromkeys(("77386006", "LA15173-0"), True),
    **dict.fromkeys(("60001007", "LA26683-5"), False),
}
"""Codes of SNOMED CT and of LOINC's answers for a pregnancy status."""
_PREGNANT_WORDS = {
    **dict.fromkeys(
        ("pregnant", "schwanger", "enceinte", "embarazada", "incinta", "grávida", "zwanger", "w ciąży", "已孕", "怀孕"),
        True,
    ),
    **dict.fromkeys(
        ("not pregnant", "nicht schwanger", "non enceinte", "no embarazada", "non incinta", "未孕", "未怀孕"), False
    ),
}
_INTERPRETED = {
    **dict.fromkeys(("POS", "H", "HH", "A", "AA", "DET"), True),
    **dict.fromkeys(("NEG", "N", "ND"), False),
}
"""HL7's interpretation codes; the letters of a local code system mean whatever its laboratory decides."""
_INTERPRETS = ("ObservationInterpretation", "v2/0078", "v2-0078", "2.16.840.1.113883.5.83")
_YES = {
    "positive",
    "pos",
    "detected",
    "reactive",
    "present",
    "positiv",
    "reaktiv",
    "nachweisbar",
    "positif",
    "positivo",
    "positiva",
    "dodatni",
    "阳性",
}
_NO = {
    "negative",
    "neg",
    "absent",
    "nonreactive",
    "undetected",
    "negativ",
    "négatif",
    "negatif",
    "negativo",
    "negativa",
    "ujemny",
    "阴性",
}
_BARE_NO = {"not", "non", "none", "no", "nicht", "kein", "keine"}
_NEGATED = re.compile(
    r"\b(?:not|non|none|no|nicht|kein|keine)\b(?:[ -]+\w+){0,2}?[ -]*"
    r"\b(?:detected|reactive|present|positive|pos|found|seen|nachweisbar|reaktiv|positiv|détecté|detectado)\b"
)
_DOUBTED = re.compile(
    r"not confirmed|unconfirmed|nicht bestätigt|[:=]\s*(?:no|not|none|nein|non)\W*$|\bnot (?:done|performed|tested)\b"
)
_PERHAPS = re.compile(_NEGATED.pattern.replace("{0,2}?", "{3,8}?"))
"""A negation too far from the word to know whether it applies to it."""
_WORD = re.compile(r"[^\W\d_]+")


def positive(resource: Resource) -> bool | None:
    """Whether a yes-or-no test is positive; None when not clear."""
    if resource.valueBoolean is not None:
        return resource.valueBoolean
    said = [resource.valueCodeableConcept, *later(resource.interpretation, CodeableConcept)]
    answers = [answer for concept in said if concept is not None and (answer := _says(concept)) is not None]
    if resource.valueString is not None and (by_words := _by_words(resource.valueString)) is not None:
        answers.append(by_words)
    if answers:
        return any(answers)
    if resource.valueQuantity is not None and bytes(resource.valueQuantity.value) == b"0":
        return False
    return _above_own_limit(resource)


def pregnant(resource: Resource) -> bool:
    """Whether a pregnancy status says pregnant.

    Raises:
        Unreadable: it says neither pregnant nor not.
    """
    concept = resource.valueCodeableConcept
    codes = [coding.code for coding in (concept.coding if concept is not None else None) or () if coding.code]
    coded = {_PREGNANT[code] for code in codes if code in _PREGNANT}
    texts = [resource.valueString or "", (concept.text if concept is not None else None) or ""]
    said = {_PREGNANT_WORDS[word] for text in texts if (word := text.strip().lower()) in _PREGNANT_WORDS}
    if resource.valueBoolean is not None:
        said.add(resource.valueBoolean)
    answers = coded or said
    if len(answers) != 1:
        raise Unreadable("it is not clear whether it says pregnant")
    return answers.pop()


def detected(resource: Resource) -> bool | None:
    """Whether something that is counted, such as a virus, was found at all; None when not clear."""
    quantity = resource.valueQuantity
    if quantity is None or not given(quantity.value):
        return positive(resource)
    try:
        return exact(quantity.value) > 0 and not (quantity.comparator or "").startswith("<")
    except Unreadable:
        return None


def _above_own_limit(resource: Resource) -> bool | None:
    quantity = resource.valueQuantity
    ranges = later(resource.referenceRange, ReferenceRange)
    highs = [r.high for r in ranges if r.high is not None and quantity and _bare(r.high.unit) == _bare(quantity.unit)]
    if not highs or quantity is None:
        return None
    try:  # the lowest of several ranges: the others are for weeks of pregnancy
        limit = min(exact(high.value) for high in highs)
        return exact(quantity.value) > limit and not (quantity.comparator or "").startswith("<")
    except Unreadable:
        return None


def _bare(unit: str | None) -> str:
    """A unit in lower case and without brackets, which is where printed and coded forms differ."""
    return (unit or "").replace("[", "").replace("]", "").lower()


def _by_words(text: str) -> bool | None:
    """The answer that a text gives; None if it says neither yes nor no, or both."""
    lowered = text.lower()
    if _DOUBTED.search(lowered):
        return None
    negated, times = _NEGATED.subn(" ", lowered)
    if _PERHAPS.search(negated):
        return None
    words = set(_WORD.findall(negated))
    no = bool(times) or bool(words & _NO)
    yes = bool(words & _YES)
    if no and yes:
        return None
    if yes:
        return True
    return False if no or words & _BARE_NO else None


def _says(concept: CodeableConcept) -> bool | None:
    coded = [answer for coding in concept.coding or () if (answer := _by_code(coding)) is not None]
    if coded:
        return any(coded)
    texts = [concept.text or "", *(coding.display or "" for coding in concept.coding or ())]
    return next((answer for text in texts if (answer := _by_words(text)) is not None), None)


def _by_code(coding: Coding) -> bool | None:
    code, system = coding.code or "", coding.system or ""
    if code in _SNOMED:
        return _SNOMED[code]  # no other code system has codes like these
    if code in _LOINC:
        return _LOINC[code]
    interprets = any(name in system for name in _INTERPRETS) or not (system or coding.display)
    return _INTERPRETED.get(code) if interprets else None
