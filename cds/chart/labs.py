"""Observations of ours: value, unit, specimen, status and time."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import msgspec

from cds.chart.answers import detected, positive, pregnant
from cds.chart.codes import meant_by
from cds.chart.grades import grade_of
from cds.chart.lab_names import LEVEL_SET, by_local_name, speaks_of_a_level
from cds.chart.limits import upper_limit
from cds.chart.mentions import mentioned
from cds.chart.model import Lab
from cds.chart.numbers import COMPARATORS, Amount, Unreadable, amount, amount_from_text, exact
from cds.chart.reader import Reader
from cds.chart.times import Moment, clock_time, parse_moment
from cds.chart.units import Analyte, plain_unit, unit_factor
from cds.chart.wire import (
    ABSENT,
    CodeableConcept,
    Component,
    Identifier,
    Quantity,
    Range,
    Reference,
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
    "albumin-ratio": "protein ratio",
    "temperature": "temperature",
    "gestation": "weeks",
}
_PLAUSIBLE = {
    "level": ("level_lowest", "level_highest"),
    "platelets": ("", "platelets_highest"),
    "weight": ("weight_lowest", "weight_highest"),
    "height": ("height_lowest", "height_highest"),
}
_SCREENS = ("hepatitis-c", "hiv", "tuberculosis-test")
_YES_OR_NO = ("hcg", "clumps", "hbsag", "anti-hbc", "hbv-dna", *_SCREENS)
_DONE = ("random-glucose", "protein-24h")
"""Tests of which it only matters that they were done."""
_SHOWN_ONLY = "treg"
GRADE = "bleeding-grade"
_STATUS, _DUE = "pregnancy-status", "due-date"
RESULTS = frozenset((*_ANALYTES, *_YES_OR_NO, *_DONE, _SHOWN_ONLY, GRADE, _STATUS, _DUE))
"""What an observation can be to us."""
_MOST_IDENTIFIERS = 20
_NEVER = ("entered-in-error", "cancelled", "registered")
COUNTED = ("final", "amended", "corrected")
_SAID_OF_ITS_SPECIMEN = ("level", "trough", "platelets")
"""Of other tests a result from the wrong specimen is another test."""
_CELLS = ("serum", "plasma", "urine", "dried blood spot")
_NOT_FROM = {  # specimens from which a test is not taken; chemistry is measured in serum and in plasma
    **dict.fromkeys(("level", "trough", "platelets", "neutrophils", "lymphocytes", "hemoglobin", "hba1c"), _CELLS),
    **dict.fromkeys(("creatinine", "glucose", "bilirubin", "alt", "ast", "triglycerides", "cholesterol"), ("urine",)),
}
_ASSAYS = {
    "immunoassay": re.compile(r"immuno|\b(?:CMIA|ECLIA|MEIA|FPIA|EMIT|CLIA|ACMIA|QMS)\b", re.IGNORECASE),
    "mass spectrometry": re.compile(r"mass spec|tandem|chromatograph|\bLC.?MS|\bHPLC", re.IGNORECASE),
}


def read_observation(reader: Reader, resource: Resource) -> None:
    """An observation of ours, or those of its components that are."""
    identifiers = _identifiers(resource)
    if not given(resource.component):
        concept, by_name = _known(reader, resource, resource, "code")
        if concept is not None:
            _read(reader, resource, concept, identifiers, by_name=by_name)
        return
    if (concept := meant_by(resource.code, reader.knowledge)) is not None:
        _read(reader, resource, concept, identifiers)
    components = later(resource.component, Component)
    for index, component in enumerate(components):
        part = f"component[{index}]."
        concept, by_name = _known(reader, resource, component, f"{part}code")
        if concept is not None:
            its_own = {name: getattr(component, name) for name in component.__struct_fields__}
            panel = msgspec.structs.replace(resource, component=ABSENT, **its_own)
            _read(reader, panel, concept, identifiers, part, by_name)
    if len(components) != how_many(resource.component):
        subject = mentioned(bytes(resource.component), reader.knowledge)
        if subject and reader.is_ours(resource, subject):
            reader.unread(resource, "a component of it has the wrong shape", subject, "component")


def _known(reader: Reader, resource: Resource, result: Resource | Component, at: str) -> tuple[Concept | None, bool]:
    """What a result is by its code, else by its name, and whether by its name; what only speaks of a level is named."""
    concept = meant_by(result.code, reader.knowledge)
    if concept is not None:
        return concept, False
    concept = by_local_name(result, reader.knowledge)
    speaks = concept is None and resource.status not in _NEVER and speaks_of_a_level(result.code, reader.knowledge)
    if speaks and reader.is_ours(resource, LEVEL_SET):
        reader.unread(resource, "it names sirolimus, but its code is not understood", LEVEL_SET, at)
    return concept, True


def _identifiers(resource: Resource) -> tuple[str, ...]:
    found = later(resource.identifier, Identifier)[:_MOST_IDENTIFIERS]
    return tuple(f"{identifier.system or ''}|{identifier.value}" for identifier in found if identifier.value)


def _read(
    reader: Reader,
    resource: Resource,
    concept: Concept,
    identifiers: tuple[str, ...],
    part: str = "",
    by_name: bool = False,
) -> None:
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
    if lab.wrong_specimen and concept.name not in _SAID_OF_ITS_SPECIMEN:
        reader.left_out(resource, lab.wrong_specimen, concept.valueset, "specimen")
        return
    at = part + lab.at if lab.at == "value[x]" else lab.at
    if identifiers or at != lab.at or resource.issued or by_name:
        lab = replace(lab, identifiers=identifiers, at=at, issued=resource.issued or "", by_name=by_name)
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
    known = reader.knowledge.lexicon.specimen_codes
    said += [known[coding.code] for coding in codings if coding.code in known]
    return " ".join([*said, reference.display or ""])


def _wrong(name: str, specimen: str, knowledge: Knowledge) -> str:
    """Of what a test was taken that it cannot be taken of; empty where nothing says so."""
    if not specimen:
        return ""
    said = specimen.lower()
    for kind in _NOT_FROM.get(name, ()):
        if kind in said or any(word in said for word in knowledge.lexicon.specimens.get(kind, ())):
            return f"{kind} was measured"
    return ""


def read_lab(resource: Resource, concept: Concept, specimen: str, knowledge: Knowledge) -> Lab:
    """One observation whose status counts."""
    wrong = concept.rejected or _wrong(concept.name, specimen, knowledge)
    moment: Moment | None = None
    try:
        moment = _moment(resource)
        if concept.name in (*_YES_OR_NO, *_DONE):
            return _lab(resource, concept, moment, positive=_answer(resource, concept.name))
        if concept.name == _STATUS:
            return _lab(resource, concept, moment, positive=pregnant(resource))
        if concept.name == _DUE:
            return replace(_lab(resource, concept, moment), due=_due(resource))
        if concept.name == GRADE:
            site = bytes(resource.bodySite).decode("utf-8", "replace") if given(resource.bodySite) else ""
            return replace(_lab(resource, concept, moment, Amount(Decimal(grade_of(resource)))), site=site)
        read = _value(resource, concept.name)
        _check_plausible(read, concept.name, knowledge)
    except Unreadable as unreadable:
        at = unreadable.at or "value[x]"
        return _lab(resource, concept, moment, problem=str(unreadable), wrong=wrong, at=at)
    upper = upper_limit(resource, _ANALYTES.get(concept.name), knowledge)
    return _lab(resource, concept, moment, read, wrong=wrong, upper=upper)


def _due(resource: Resource) -> date:
    """The day that a pregnancy is expected to end. Raises Unreadable."""
    due = parse_moment(resource.valueDateTime or resource.valueString)
    if due is None:
        raise Unreadable("its date cannot be read")
    return due.day


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
    upper: Decimal | None = None,
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
        upper,
    )


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
        return _on_a_scale(resource.valueQuantity, name) or amount(resource.valueQuantity, analyte)
    if resource.valueRange is not None:
        return _bound(resource.valueRange, analyte)
    if resource.valueString is not None:
        return amount_from_text(resource.valueString, analyte)
    if given(resource.valueInteger):
        raise Unreadable("it has no unit")
    raise Unreadable("it has no value")


_SCALES = {  # units that are no multiples of ours: by what to multiply, and what to add
    ("hba1c", "mmol/mol"): (Decimal("0.09148"), Decimal("2.152")),  # IFCC to NGSP
    ("temperature", "[degf]"): (Decimal(5) / 9, Decimal(-160) / 9),
    ("temperature", "degf"): (Decimal(5) / 9, Decimal(-160) / 9),
    ("temperature", "f"): (Decimal(5) / 9, Decimal(-160) / 9),
    ("temperature", "°f"): (Decimal(5) / 9, Decimal(-160) / 9),
}


def _on_a_scale(quantity: Quantity, name: str) -> Amount | None:
    """A value in a unit that is not a multiple of ours; None for the others."""
    texts = [text for text in (quantity.code, quantity.unit) if text]
    scales = {scale for text in texts if (scale := _SCALES.get((name, plain_unit(text)))) is not None}
    if not scales:
        return None
    if any(unit_factor(text, _ANALYTES[name]) is not None for text in texts):
        raise Unreadable("its unit and its unit code differ")
    number, comparator, (times, plus) = exact(quantity.value), quantity.comparator or "", scales.pop()
    if comparator and comparator not in COMPARATORS:
        raise Unreadable("its comparator is not understood")
    value = (number * times + plus).quantize(Decimal("0.01"))
    return Amount(value, comparator, f"{comparator}{number:f} {quantity.unit or quantity.code}")


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
