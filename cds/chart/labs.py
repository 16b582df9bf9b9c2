"""Observations of ours: value, unit, specimen, status and time."""

from __future__ import annotations

import re
from decimal import Decimal

from cds.chart.model import Lab
from cds.chart.numbers import Amount, Analyte, Unreadable, amount, amount_from_text, exact
from cds.chart.times import Moment, parse_moment
from cds.chart.wire import CodeableConcept, ReferenceRange, Resource, given, later
from cds.knowledge.compiled import Concept, Knowledge

_ANALYTES: dict[str, Analyte] = {
    "level": "level",
    "trough": "level",
    "platelets": "platelets",
    "weight": "weight",
    "height": "height",
}
_PLAUSIBLE = {
    "level": ("level_lowest", "level_highest"),
    "platelets": ("", "platelets_highest"),
    "weight": ("weight_lowest", "weight_highest"),
    "height": ("height_lowest", "height_highest"),
}
COUNTED = ("final", "amended", "corrected")
_NOT_BLOOD = ("serum", "plasma", "dried")
_POSITIVE = {
    "10828004",
    "260373001",
    "52101004",
    "POS",
    "H",
    "HH",
    "A",
    "AA",
    "DET",
    "LA6576-8",
    "LA9633-4",
    "LA11882-0",
}
_NEGATIVE = {"260385009", "260415000", "2667000", "NEG", "N", "ND", "LA6577-6", "LA9634-2", "LA11883-8"}
_POSITIVE_WORDS = {"positive", "pos", "detected", "reactive", "present"}
_NEGATIVE_WORDS = {"negative", "neg", "not", "non", "none", "no", "absent", "nonreactive", "undetected"}
_COARSE = Decimal("0.1")
_TOLERANCE = Decimal("0.01")  # one value in two units differs by its rounding
_WORD = re.compile(r"[a-z]+")


def read_lab(resource: Resource, concept: Concept, specimen: str, knowledge: Knowledge) -> Lab | None:
    """One observation; None for a status that never counts (entered in error, cancelled, registered)."""
    status = resource.status or ""
    if status not in (*COUNTED, "preliminary"):
        return None if status else _lab(resource, concept, problem="it has no status")
    wrong = concept.rejected or next((f"{word} was measured" for word in _NOT_BLOOD if word in specimen.lower()), "")
    try:
        moment = _moment(resource)
        if concept.name in ("hcg", "clumps"):
            positive = _positive(resource)
            if positive is None and concept.name == "hcg":
                raise Unreadable("it is not clear whether it is positive")
            return _lab(resource, concept, moment, positive=positive is not False)  # clumps of any degree spoil a count
        read = _value(resource, concept.name)
        _check_plausible(read, concept.name, knowledge)
    except Unreadable as unreadable:
        return _lab(resource, concept, parse_moment(resource.effectiveDateTime), problem=str(unreadable), wrong=wrong)
    return _lab(resource, concept, moment, read, wrong=wrong)


def _lab(
    resource: Resource,
    concept: Concept,
    moment: Moment | None = None,
    read: Amount | None = None,
    *,
    problem: str = "",
    wrong: str = "",
    positive: bool = False,
) -> Lab:
    code = next((c.code for c in (resource.code.coding if resource.code else None) or () if c.code), "")
    return Lab(
        resource.reference, concept.name, resource.status or "", moment, read, problem, wrong, code or "", positive
    )


def _moment(resource: Resource) -> Moment:
    """When the sample was drawn; never when the result was issued."""
    text = resource.effectiveDateTime or resource.effectiveInstant
    if text is None and resource.effectivePeriod is not None:
        text = resource.effectivePeriod.start or resource.effectivePeriod.end
    if text is None:
        raise Unreadable("it has no date of collection")
    moment = parse_moment(text)
    if moment is None:
        raise Unreadable("its date of collection cannot be read to the day")
    if moment.at is not None and (moment.at.hour, moment.at.minute, moment.at.second) == (0, 0, 0):
        return Moment(moment.day)  # midnight is what systems print for a date without a time
    return moment


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
    if resource.valueString is not None:
        return amount_from_text(resource.valueString, analyte)
    if given(resource.valueInteger):
        raise Unreadable("it has no unit")
    raise Unreadable("it has no value")


def _check_plausible(read: Amount, name: str, knowledge: Knowledge) -> None:
    lowest, highest = _PLAUSIBLE.get("level" if name == "trough" else name, ("", ""))
    if highest and read.value > knowledge.definitions[highest]:
        raise Unreadable("its value is too high to be plausible")
    floor = knowledge.definitions[lowest] if lowest else Decimal(0)
    if read.value < floor and not read.comparator:
        raise Unreadable("its value is too low to be plausible")


def _positive(resource: Resource) -> bool | None:
    """Whether a yes-or-no test is positive, by its value, interpretation or own upper limit; None when not clear."""
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
    high = next((r.high for r in later(resource.referenceRange, ReferenceRange) if r.high is not None), None)
    quantity = resource.valueQuantity
    if high is None or quantity is None or _bare(quantity.unit) != _bare(high.unit):
        return None
    try:
        return exact(quantity.value) > exact(high.value) and not (quantity.comparator or "").startswith("<")
    except Unreadable:
        return None


def _bare(unit: str | None) -> str:
    """A unit without the brackets and case in which printed and coded forms differ."""
    return (unit or "").replace("[", "").replace("]", "").lower()


def _by_words(text: str) -> bool | None:
    words = set(_WORD.findall(text.lower()))
    if words & _NEGATIVE_WORDS:
        return False
    return True if words & _POSITIVE_WORDS else None


def _says(concept: CodeableConcept) -> bool | None:
    codes = {coding.code for coding in concept.coding or ()}
    if codes & _POSITIVE:
        return True
    if codes & _NEGATIVE:
        return False
    texts = [concept.text or "", *(coding.display or "" for coding in concept.coding or ())]
    return next((answer for text in texts if (answer := _by_words(text)) is not None), None)


def distinct(labs: list[Lab]) -> list[Lab]:
    """Readable results, newest first, one a sample: a corrected version takes the first one's place.

    A result from a wrong specimen never stands beside one from the right. Two results of one instant
    that differ, neither of them a correction, are both left out.
    """
    kept: dict[tuple[object, ...], Lab | None] = {}
    for lab in sorted(labs, key=lambda each: bool(each.wrong_specimen)):
        if lab.moment is None or lab.amount is None:
            continue
        # without a time of day only equal values are known to be one sample
        rounded = lab.amount.value.quantize(_COARSE)
        sample: tuple[object, ...] = (
            (lab.moment.day, lab.moment.at) if lab.moment.at else (lab.moment.day, rounded, lab.amount.comparator)
        )
        if sample not in kept:
            kept[sample] = lab
            continue
        other = kept[sample]
        if lab.wrong_specimen or other is None:
            continue
        kept[sample] = _one_of(lab, other)
    found = [lab for lab in kept.values() if lab is not None]
    return sorted(found, key=lambda lab: (lab.moment.sort_key(), lab.reference) if lab.moment else (), reverse=True)


def _one_of(lab: Lab, other: Lab) -> Lab | None:
    """Of two results of one sample the corrected one; of two equal ones the one that was not converted."""
    assert lab.amount is not None and other.amount is not None
    ranks = {"preliminary": 0, "final": 1}
    first, second = sorted((lab, other), key=lambda each: ranks.get(each.status, 2))
    if first.status != second.status:
        return second
    near = abs(lab.amount.value - other.amount.value) <= _TOLERANCE * max(lab.amount.value, other.amount.value)
    if lab.amount.comparator != other.amount.comparator or not near:
        return None
    return min(lab, other, key=lambda each: (bool(each.amount and each.amount.printed), each.reference))
