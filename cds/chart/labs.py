"""Observations of ours: value, unit, specimen, status and time."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import msgspec

from cds.chart.answers import detected, positive
from cds.chart.grades import grade_of
from cds.chart.medications import meant_by
from cds.chart.mentions import mentioned
from cds.chart.model import Lab
from cds.chart.numbers import Amount, Unreadable, amount, amount_from_text, exact
from cds.chart.reader import Reader
from cds.chart.times import Moment, clock_time, parse_moment
from cds.chart.units import Analyte
from cds.chart.wire import (
    ABSENT,
    CodeableConcept,
    Component,
    Identifier,
    Range,
    Reference,
    ReferenceRange,
    Resource,
    given,
    how_many,
    later,
)
from cds.knowledge.compiled import Concept, Knowledge

_ANALYTES: dict[str, Analyte] = {
    "level": "level",
    "trough": "level",
    "platelets": "platelets",
    "weight": "weight",
    "height": "height",
    "neutrophils": "platelets",
    "hemoglobin": "hemoglobin",
    "triglycerides": "triglycerides",
    "cholesterol": "cholesterol",
    "glucose": "glucose",
    "creatinine": "creatinine",
    "protein-ratio": "protein ratio",
    "alt": "enzyme",
    "ast": "enzyme",
    "hba1c": "percent",
    "oxygen": "percent",
    "bilirubin": "bilirubin",
    "lymphocytes": "platelets",
}
_PLAUSIBLE = {
    "level": ("level_lowest", "level_highest"),
    "platelets": ("", "platelets_highest"),
    "weight": ("weight_lowest", "weight_highest"),
    "height": ("height_lowest", "height_highest"),
}
_SCREENS = ("hepatitis-c", "hiv", "tuberculosis-test")
_YES_OR_NO = ("hcg", "clumps", "hbsag", "anti-hbc", "hbv-dna", *_SCREENS)
_DONE = ("random-glucose", "albumin-ratio")
"""Tests of which it only matters that they were done."""
_SHOWN_ONLY = "treg"
GRADE = "bleeding-grade"
RESULTS = frozenset((*_ANALYTES, *_YES_OR_NO, *_DONE, _SHOWN_ONLY, GRADE))
"""What an observation can be to us."""
_MOST_IDENTIFIERS = 20
_LOINC = ("http://loinc.org", "http://loinc.org/", "https://loinc.org", "urn:oid:2.16.840.1.113883.6.1")
_SIROLIMUS = re.compile(r"sirolimus|rapamycin", re.IGNORECASE)
_NO_LEVEL = re.compile(r"temsirolimus|dose|order", re.IGNORECASE)
_PLATELETS = frozenset(
    (
        "platelets", "platelet", "platelet count", "platelets count", "plt", "plt count", "thrombocytes", "thrombocyte count",
        "thrombozyten", "thrombozytenzahl", "trombocyten", "plaquettes", "numération plaquettaire", "numération des plaquettes",
        "plaquetas", "recuento de plaquetas", "contagem de plaquetas", "piastrine", "conta piastrinica", "血小板", "血小板计数", "血小板数",
    )
)  # fmt: skip
"""How a count is called; what has more words than these and ``_AROUND`` may be another test."""
_LONGEST_NAME = 100  # characters; the patterns below take their time over longer texts
_UNIT = re.compile(r"[\[(][^\])]*(?:/|10|#)[^\])]*[\])]|\S*[/^]\S*|\bx ?10\S*")
_AROUND = re.compile(r"[^\w ]|\b(?:in|im|of|whole|venous|blood|blut|edta|automated|abs|absolute)\b")
_NEVER = ("entered-in-error", "cancelled", "registered")
_SPECIMENS = {
    "119364003": "serum",
    "119361006": "plasma",
    "440500007": "dried blood spot",
    "SER": "serum",
    "PLAS": "plasma",
}
COUNTED = ("final", "amended", "corrected")
_NOT_BLOOD = ("serum", "plasma", "dried")
_ASSAYS = {
    "immunoassay": re.compile(r"immuno|\b(?:CMIA|ECLIA|MEIA|FPIA|EMIT|CLIA|ACMIA|QMS)\b", re.IGNORECASE),
    "mass spectrometry": re.compile(r"mass spec|tandem|chromatograph|\bLC.?MS|\bHPLC", re.IGNORECASE),
}


def read_observation(reader: Reader, resource: Resource) -> None:
    """An observation of ours, or those of its components that are."""
    concept = meant_by(resource.code, reader.knowledge)
    if concept is None and not given(resource.component):
        named, subject = _named(resource.code)
        if named and resource.status not in _NEVER and reader.is_ours(resource, subject):
            reader.unread(resource, f"it names {named}, but its code is not understood", subject, "code")
        return
    identifiers = _identifiers(resource)
    if concept is not None:
        _read(reader, resource, concept, identifiers)
    if not given(resource.component):
        return
    components = later(resource.component, Component)
    for index, component in enumerate(components):
        if (concept := meant_by(component.code, reader.knowledge)) is not None:
            part = {name: getattr(component, name) for name in component.__struct_fields__}
            panel = msgspec.structs.replace(resource, component=ABSENT, **part)
            _read(reader, panel, concept, identifiers, f"component[{index}].")
    if len(components) != how_many(resource.component):
        subject = mentioned(bytes(resource.component), reader.knowledge)
        if subject and reader.is_ours(resource, subject):
            reader.unread(resource, "a component of it has the wrong shape", subject, "component")


def _named(code: CodeableConcept | None) -> tuple[str, str]:
    """What a result speaks of in words, and whose value set that is, under no code of LOINC, which would say what it is."""
    if code is None or any(coding.system in _LOINC for coding in code.coding or ()):
        return "", ""
    for text in (code.text, *(coding.display for coding in code.coding or ())):
        if text and _SIROLIMUS.search(text) and not _NO_LEVEL.search(text):
            return "sirolimus", "sirolimus-level"
        if (
            text
            and len(text) <= _LONGEST_NAME
            and " ".join(_AROUND.sub(" ", _UNIT.sub(" ", text.lower())).split()) in _PLATELETS
        ):
            return "platelets", "platelets"
    return "", ""


def _identifiers(resource: Resource) -> tuple[str, ...]:
    found = later(resource.identifier, Identifier)[:_MOST_IDENTIFIERS]
    return tuple(f"{identifier.system or ''}|{identifier.value}" for identifier in found if identifier.value)


def _read(reader: Reader, resource: Resource, concept: Concept, identifiers: tuple[str, ...], part: str = "") -> None:
    if concept.name not in RESULTS or not reader.is_ours(resource, concept.valueset):
        return
    status = resource.status or ""
    if status not in (*COUNTED, "preliminary"):
        if status in _NEVER:
            reader.left_out(resource, f"its status is '{status}'", concept.valueset, "status")
            return
        reason = "its status is not understood" if status else "it has no status"
        lab = _lab(resource, concept, problem=reason, at="status")
    else:
        lab = read_lab(resource, concept, _specimen(reader, resource), reader.knowledge)
    if identifiers or (part and lab.at == "value[x]"):
        lab = replace(lab, identifiers=identifiers, at=part + lab.at if lab.at == "value[x]" else lab.at)
    if lab.moment is None or reader.exists(resource, lab.moment, concept.valueset, "effective[x]"):
        reader.chart.labs.setdefault(lab.name, []).append(lab)
    if concept.name == GRADE and lab.moment is not None and not lab.moment.is_after(reader.now):
        _until(reader, resource, lab)


def _until(reader: Reader, resource: Resource, lab: Lab) -> None:
    """A grade of a period was so on its last day too; one that goes on is so today."""
    period = resource.effectivePeriod
    if resource.effectiveDateTime is None and period is not None and period.start:
        last = parse_moment(period.end)
        if last is None or last.is_after(reader.now):
            lab = replace(lab, since=lab.moment)
            last = Moment(reader.now.date())
        reader.chart.labs[GRADE].append(replace(lab, moment=last))


def _specimen(reader: Reader, resource: Resource) -> str:
    """What was sampled, in the words and codes of the Specimen and of the reference to it."""
    if resource.specimen is None:
        return ""
    references = resource.specimen if isinstance(resource.specimen, list) else [resource.specimen]
    return " ".join(_sampled(reader, resource, reference) for reference in references[:_MOST_IDENTIFIERS])


def _sampled(reader: Reader, resource: Resource, reference: Reference) -> str:
    found = reader.resolve(resource, reference.reference) if reference.reference else None
    kind = found.type if found is not None else None
    concepts = kind if isinstance(kind, list) else [kind] if isinstance(kind, CodeableConcept) else []
    codings = [coding for concept in concepts[:3] for coding in (concept.coding or ())[:_MOST_IDENTIFIERS]]
    said = [text for text in (*(c.text for c in concepts[:3]), *(coding.display for coding in codings)) if text]
    said += [_SPECIMENS[coding.code] for coding in codings if coding.code in _SPECIMENS]
    return " ".join([*said, reference.display or ""])


def read_lab(resource: Resource, concept: Concept, specimen: str, knowledge: Knowledge) -> Lab:
    """One observation whose status counts."""
    wrong = concept.rejected or next((f"{word} was measured" for word in _NOT_BLOOD if word in specimen.lower()), "")
    moment: Moment | None = None
    try:
        moment = _moment(resource)
        if concept.name in (*_YES_OR_NO, *_DONE):
            return _lab(resource, concept, moment, positive=_answer(resource, concept.name))
        if concept.name == GRADE:
            site = bytes(resource.bodySite).decode("utf-8", "replace") if given(resource.bodySite) else ""
            return replace(_lab(resource, concept, moment, Amount(Decimal(grade_of(resource)))), site=site)
        read = _value(resource, concept.name)
        _check_plausible(read, concept.name, knowledge)
    except Unreadable as unreadable:
        at = unreadable.at or "value[x]"
        return _lab(resource, concept, moment, problem=str(unreadable), wrong=wrong, at=at)
    return _lab(resource, concept, moment, read, wrong=wrong)


def _answer(resource: Resource, name: str) -> bool:
    """Whether a test that says yes or no says yes. Raises Unreadable when it says neither."""
    if resource.dataAbsentReason is not None:
        raise Unreadable("the laboratory gives no value")
    if name in _DONE:
        if resource.valueQuantity is None and resource.valueString is None:
            raise Unreadable("it has no value")
        return False
    answer = detected(resource) if name == "hbv-dna" else positive(resource)
    if name == "clumps":
        return answer is not False  # clumps of any degree spoil a count
    if answer is None and name in _SCREENS and resource.valueQuantity is not None:
        return False  # a number without its limit: done, and not known to be positive
    if answer is None:
        raise Unreadable("it is not clear whether it is positive", "value[x]")
    return answer


def _lab(
    resource: Resource,
    concept: Concept,
    moment: Moment | None = None,
    read: Amount | None = None,
    *,
    problem: str = "",
    wrong: str = "",
    positive: bool = False,
    at: str = "",
) -> Lab:
    code = next((c.code for c in (resource.code.coding if resource.code else None) or () if c.code), "")
    return Lab(
        resource.reference,
        concept.name,
        resource.status or "",
        moment,
        read,
        problem,
        at,
        wrong,
        code or "",
        positive,
        (),
        _assay(resource.method),
        _upper(resource, concept.name),
    )


def _upper(resource: Resource, name: str) -> Decimal | None:
    """The laboratory's own upper limit for the result, in our unit; None where it gives none."""
    analyte = _ANALYTES.get(name)
    high = next((r.high for r in later(resource.referenceRange, ReferenceRange) if r.high is not None), None)
    if high is None or analyte is None:
        return None
    try:
        return amount(high, analyte).value
    except Unreadable:
        return None


def _assay(method: CodeableConcept | None) -> str:
    """How a level was measured, in our words; the code of a level does not tell."""
    if method is None:
        return ""
    said = " ".join([method.text or "", *(coding.display or "" for coding in method.coding or ())])
    found = {name for name, words in _ASSAYS.items() if words.search(said)}
    return found.pop() if len(found) == 1 else ""


def _moment(resource: Resource) -> Moment:
    """When the sample was drawn; never when the result was issued."""
    text = resource.effectiveDateTime or resource.effectiveInstant
    if text is None and resource.effectivePeriod is not None:
        text = resource.effectivePeriod.start or resource.effectivePeriod.end
    if text is None:
        raise Unreadable("it has no date of collection", "effective[x]")
    moment = parse_moment(text)
    if moment is None:
        raise Unreadable("its date of collection cannot be read to the day", "effective[x]")
    return clock_time(moment)


def _value(resource: Resource, name: str) -> Amount:
    if resource.dataAbsentReason is not None:
        raise Unreadable("the laboratory gives no value")
    analyte = _ANALYTES.get(name)
    if analyte is None:  # shown only, in the unit it came in
        quantity = resource.valueQuantity
        if quantity is None:
            raise Unreadable("it has no value")
        return Amount(exact(quantity.value), "", quantity.unit or quantity.code or "")
    if resource.valueQuantity is not None:
        return amount(resource.valueQuantity, analyte)
    if resource.valueRange is not None:
        return _bound(resource.valueRange, analyte)
    if resource.valueString is not None:
        return amount_from_text(resource.valueString, analyte)
    if given(resource.valueInteger):
        raise Unreadable("it has no unit")
    raise Unreadable("it has no value")


def _bound(value: Range, analyte: Analyte) -> Amount:
    """A range with one end is a bound; one with two ends is no value."""
    if value.low is not None and value.high is not None:
        raise Unreadable("its value is a range")
    end = value.low or value.high
    if end is None:
        raise Unreadable("it has no value")
    read = amount(end, analyte)
    return replace(read, comparator=">=" if value.low is not None else "<=")


def _check_plausible(read: Amount, name: str, knowledge: Knowledge) -> None:
    lowest, highest = _PLAUSIBLE.get("level" if name == "trough" else name, ("", ""))
    if highest and read.value > knowledge.definitions[highest]:
        raise Unreadable("its value is too high to be plausible")
    floor = knowledge.definitions[lowest] if lowest else Decimal(0)
    if read.value < floor and not read.comparator:
        raise Unreadable("its value is too low to be plausible")
