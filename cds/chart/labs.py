"""Observations of ours: value, unit, specimen, status and time."""

from __future__ import annotations

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
_POSITIVE = {"10828004", "POS", "H", "HH", "A", "AA", "260373001", "DET"}
_POSITIVE_WORDS = {"positive", "pos", "detected", "reactive"}


def read_lab(resource: Resource, concept: Concept, specimen: str, knowledge: Knowledge) -> Lab | None:
    """One observation; None for a status that never counts (entered in error, cancelled, registered)."""
    status = resource.status or ""
    if status not in (*COUNTED, "preliminary"):
        return None if status else _lab(resource, concept, problem="it has no status")
    wrong = concept.rejected or next((f"{word} was measured" for word in _NOT_BLOOD if word in specimen.lower()), "")
    try:
        moment = _moment(resource)
        if concept.name in ("hcg", "clumps"):
            return _lab(resource, concept, moment, positive=_positive(resource))
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


def _positive(resource: Resource) -> bool:
    """Whether a yes-or-no test is positive, by its value, its interpretation or its own upper limit."""
    if resource.valueBoolean is not None:
        return resource.valueBoolean
    said = [resource.valueCodeableConcept, *later(resource.interpretation, CodeableConcept)]
    for concept in said:
        if concept is not None and _says_positive(concept):
            return True
    if resource.valueString is not None and resource.valueString.strip().lower() in _POSITIVE_WORDS:
        return True
    high = next((r.high for r in later(resource.referenceRange, ReferenceRange) if r.high is not None), None)
    quantity = resource.valueQuantity
    if high is None or quantity is None or quantity.unit != high.unit:
        return False
    try:
        return exact(quantity.value) > exact(high.value) and not (quantity.comparator or "").startswith("<")
    except Unreadable:
        return False


def _says_positive(concept: CodeableConcept) -> bool:
    words = {
        (concept.text or "").strip().lower(),
        *((coding.display or "").strip().lower() for coding in concept.coding or ()),
    }
    return bool(words & _POSITIVE_WORDS) or any(coding.code in _POSITIVE for coding in concept.coding or ())


def distinct(labs: list[Lab]) -> list[Lab]:
    """Readable results, newest first, one a sample: a corrected version takes the first one's place.

    Two results of one instant that differ, neither of them a correction, are both left out.
    """
    kept: dict[tuple[object, ...], Lab | None] = {}
    for lab in labs:
        if lab.moment is None or lab.amount is None:
            continue
        # without a time of day only equal values are known to be one sample
        sample: tuple[object, ...] = (lab.moment.day, lab.moment.at) if lab.moment.at else (lab.moment.day, lab.amount)
        other = kept.get(sample, lab)
        if other is None or other is lab:
            kept[sample] = lab if other is lab else None
        elif other.amount == lab.amount:
            kept[sample] = min(lab, other, key=lambda each: (each.status == "preliminary", each.reference))
        else:
            kept[sample] = _corrected(lab, other)
    found = [lab for lab in kept.values() if lab is not None]
    return sorted(found, key=lambda lab: (lab.moment.sort_key(), lab.reference) if lab.moment else (), reverse=True)


def _corrected(lab: Lab, other: Lab) -> Lab | None:
    by_rank = sorted((lab, other), key=lambda each: {"preliminary": 0, "final": 1}.get(each.status, 2))
    return by_rank[1] if by_rank[0].status != by_rank[1].status else None
