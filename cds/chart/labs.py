"""Reads the Observations that the rules need: value, unit, specimen, status and time."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from cds.chart.answers import detected, positive, pregnant
from cds.chart.codes import meant_by
from cds.chart.grades import grade_of
from cds.chart.lab_names import LEVEL_SET, by_local_name, local_names, speaks_of_a_level
from cds.chart.limits import upper_limit
from cds.chart.mentions import mentioned
from cds.chart.model import Lab
from cds.chart.numbers import COMPARATORS, Amount, Unreadable, amount, amount_from_text, exact
from cds.chart.reader import Reader
from cds.chart.times import Moment, clock_time, parse_moment
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
from cds.compiled.knowledge import Concept, Knowledge, Lexicon, Measure
from cds.compiled.units import Units, plain_unit

GRADE = "bleeding-grade"
_MOST_IDENTIFIERS = 20
_NEVER = ("entered-in-error", "cancelled", "registered")
COUNTED = ("final", "amended", "corrected")
_SHORT = 5  # letters; a word of at most this length is matched only at the beginning of a word


def read_observation(reader: Reader, resource: Resource) -> None:
    """Read an observation that the rules need, or those of its components that they need."""
    if not given(resource.component):
        concept, by_name = _known(reader, resource, resource, "code")
        if concept is not None:
            _read(reader, resource, concept, _identifiers(resource), by_name=by_name)
        return
    identifiers = _identifiers(resource)
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
    """The meaning of a result by its code, else by its name, and whether by its name; one that only mentions a level is noted."""
    concept = meant_by(result.code, reader.knowledge)
    if concept is not None:
        return concept, False
    called = local_names(result.code)
    if not called:
        return None, True
    concept = by_local_name(called, result, reader.knowledge)
    speaks = concept is None and resource.status not in _NEVER and speaks_of_a_level(called, reader.knowledge)
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
    measure = reader.knowledge.measures.get(concept.name)
    if measure is None or not reader.is_ours(resource, concept.valueset):
        return
    status = resource.status or ""
    if status not in (*COUNTED, "preliminary"):
        if status in _NEVER:
            reader.left_out(resource, f"its status is '{status}'", concept.valueset, "status")
            return
        reason = "its status is not understood" if status else "it has no status"
        lab = _lab(resource, concept, problem=reason, at="status")
    else:
        lab = read_lab(resource, concept, measure, _specimen(reader, resource), reader.knowledge)
    if lab.wrong_specimen and not measure.wrong_specimen_told:
        reader.left_out(resource, lab.wrong_specimen, concept.valueset, "specimen")
        return
    at = part + lab.at if lab.at == "value[x]" else lab.at
    lab = replace(
        lab,
        identifiers=identifiers,
        at=at,
        issued=resource.issued or "",
        by_name=by_name,
        lower_is_worse=measure.lower_is_worse,
    )
    if lab.moment is None or reader.exists(resource, lab.moment, concept.valueset, "effective[x]"):
        reader.chart.labs.setdefault(lab.name, []).append(lab)
    if concept.name == GRADE and lab.moment is not None and not lab.moment.is_after(reader.now):
        _until(reader, resource, lab)


def _until(reader: Reader, resource: Resource, lab: Lab) -> None:
    """Add the last day of a graded period, on which the grade still holds: today, if the period goes on."""
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


def _wrong(measure: Measure, specimen: str, knowledge: Knowledge) -> str:
    """The wrong specimen that a test was measured in; empty if nothing says so."""
    if not specimen:
        return ""
    said = specimen.lower()
    for kind in measure.not_from:
        if kind in said or any(word in said for word in knowledge.lexicon.specimens.get(kind, ())):
            return f"{kind} was measured"
    return ""


def read_lab(resource: Resource, concept: Concept, measure: Measure, specimen: str, knowledge: Knowledge) -> Lab:
    """One observation whose status counts."""
    wrong = concept.rejected or _wrong(measure, specimen, knowledge)
    moment: Moment | None = None
    try:
        moment = _moment(resource)
        if measure.kind in ("yes or no", "done"):
            return _lab(resource, concept, moment, positive=_answer(resource, measure))
        if measure.kind == "pregnancy status":
            return _lab(resource, concept, moment, positive=pregnant(resource))
        if measure.kind == "date":
            return replace(_lab(resource, concept, moment), due=_due(resource))
        if measure.kind == "grade":
            site = bytes(resource.bodySite).decode("utf-8", "replace") if given(resource.bodySite) else ""
            return replace(_lab(resource, concept, moment, Amount(Decimal(grade_of(resource)))), site=site)
        read = _value(resource, measure)
        _check_plausible(read, measure, knowledge)
    except Unreadable as unreadable:
        at = unreadable.at or "value[x]"
        return _lab(resource, concept, moment, problem=str(unreadable), wrong=wrong, at=at)
    upper = upper_limit(resource, measure.units, knowledge) if measure.kind == "number" else None
    return _lab(
        resource, concept, moment, read, wrong=wrong, upper=upper, assay=_assay(resource.method, knowledge.lexicon)
    )


def _due(resource: Resource) -> date:
    """The day that a pregnancy is expected to end. Raises Unreadable."""
    due = parse_moment(resource.valueDateTime or resource.valueString)
    if due is None:
        raise Unreadable("its date cannot be read")
    return due.day


def _answer(resource: Resource, measure: Measure) -> bool:
    """Whether a test that says yes or no says yes. Raises Unreadable when it says neither."""
    if resource.dataAbsentReason is not None:
        raise Unreadable("the laboratory gives no value")
    if measure.kind == "done":
        if resource.valueQuantity is None and resource.valueString is None:
            raise Unreadable("it has no value")
        return False
    answer = detected(resource) if measure.detected else positive(resource)
    if measure.name == "clumps":
        return answer is not False  # clumps of any degree make a count unusable
    if answer is None and measure.number_is_done and resource.valueQuantity is not None:
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
    assay: str = "",
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
        assay,
        upper,
    )


def _assay(method: CodeableConcept | None, lexicon: Lexicon) -> str:
    """How a level was measured, in our words; the code of a level does not tell."""
    if method is None:
        return ""
    said = " ".join([method.text or "", *(coding.display or "" for coding in method.coding or ())]).lower()
    found = {name for name, words in lexicon.assays.items() if any(_speaks_of(word, said) for word in words)}
    return found.pop() if len(found) == 1 else ""


def _speaks_of(word: str, said: str) -> bool:
    return re.search(rf"\b{re.escape(word)}", said) is not None if len(word) <= _SHORT else word in said


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


def _value(resource: Resource, measure: Measure) -> Amount:
    if resource.dataAbsentReason is not None:
        raise Unreadable("the laboratory gives no value")
    units = measure.units
    if measure.kind == "shown":  # shown only, in the unit it came in
        quantity = resource.valueQuantity
        if quantity is None:
            raise Unreadable("it has no value")
        return Amount(exact(quantity.value), "", quantity.unit or quantity.code or "")
    if resource.valueQuantity is not None:
        return _on_a_scale(resource.valueQuantity, units) or amount(resource.valueQuantity, units)
    if resource.valueRange is not None:
        return _bound(resource.valueRange, units)
    if resource.valueString is not None:
        return amount_from_text(resource.valueString, units)
    if given(resource.valueInteger):
        raise Unreadable("it has no unit")
    raise Unreadable("it has no value")


def _on_a_scale(quantity: Quantity, units: Units) -> Amount | None:
    """A value in a unit that is not a multiple of ours; None for the others."""
    if not units.scales:
        return None
    texts = [text for text in (quantity.code, quantity.unit) if text]
    scales = {scale for text in texts if (scale := units.scales.get(plain_unit(text))) is not None}
    if not scales:
        return None
    if any(units.factor(text) is not None for text in texts):
        raise Unreadable("its unit and its unit code differ")
    number, comparator, scale = exact(quantity.value), quantity.comparator or "", scales.pop()
    if comparator and comparator not in COMPARATORS:
        raise Unreadable("its comparator is not understood")
    value = ((number * scale.times + scale.plus) / scale.over).quantize(Decimal("0.01"))
    return Amount(value, comparator, f"{comparator}{number:f} {quantity.unit or quantity.code}")


def _bound(value: Range, units: Units) -> Amount:
    """A range with one end is a bound; one with two ends is no value."""
    if value.low is not None and value.high is not None:
        raise Unreadable("its value is a range")
    end = value.low or value.high
    if end is None:
        raise Unreadable("it has no value")
    read = amount(end, units)
    return replace(read, comparator=">=" if value.low is not None else "<=")


def _check_plausible(read: Amount, measure: Measure, knowledge: Knowledge) -> None:
    if measure.highest and read.value > knowledge.definitions[measure.highest]:
        raise Unreadable("its value is too high to be plausible")
    floor = knowledge.definitions[measure.lowest] if measure.lowest else Decimal(0)
    if read.value < (0 if read.comparator else floor):  # a bound may lie below plausible values, but not below zero
        raise Unreadable("its value is too low to be plausible")
