"""Orders and statements of sirolimus and of the drugs the rules name, read into the chart's terms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import NamedTuple

from msgspec.structs import replace

from cds.chart.codes import all_meant, texts_of
from cds.chart.dosage import Product, dated_steps, last_day, read_dose
from cds.chart.medications import Drug, Medication, product_of
from cds.chart.model import Dose, DrugUse, Order
from cds.chart.numbers import Unreadable
from cds.chart.order_changes import in_turn, read_changes
from cds.chart.problem_names import OTHER_INDICATION, mentioned, named_problems
from cds.chart.revisions import meta_of
from cds.chart.sayings import DIFFER, differs, understood
from cds.chart.times import Moment, parse_moment
from cds.chart.wire import CodeableConcept, Dosage, Period, Pointer, Resource, given, later
from cds.compiled.knowledge import Concept, Knowledge


class Entry(NamedTuple):
    """One drug of an order or statement, as it is being read."""

    resource: Resource
    medication: Medication
    drug: Drug
    dosages: list[Dosage] | None
    status: str
    draft: bool
    selected: bool
    for_itp: bool = False
    for_other: str = ""


def read_entry(
    entry: Entry, knowledge: Knowledge, now: datetime, is_replay: Callable[[], bool]
) -> Iterator[Order | DrugUse]:
    """The sirolimus orders in ``entry``, one for each dose, or the use of another drug; nothing that begins after ``now``."""
    start, end = _course(entry.resource, entry.dosages)
    if not entry.draft and start is not None and start.is_after(now):
        return
    if end is not None and end.is_after(now):  # an end in the future has not happened
        end = None
        if entry.status in ("stopped", "completed") and is_replay():
            entry = entry._replace(status="active")  # else it was ended early, at an unknown time
    if entry.drug.concept.valueset != "sirolimus":
        yield _partner(entry, knowledge, start, end, now)
        return
    if entry.status == "active":
        end = None  # an active order of sirolimus goes on until its status says otherwise
    product = product_of(entry.medication, knowledge)
    reasons = later(entry.resource.reasonCode, CodeableConcept)
    reasons_are = {concept.valueset: concept.display for reason in reasons for concept in _meant(reason, knowledge)}
    entry = entry._replace(for_itp="itp" in reasons_are, for_other=reasons_are.get(OTHER_INDICATION, ""))
    steps = [] if entry.draft else dated_steps(entry.dosages, start)
    for place, (dosage, begun, over) in enumerate(steps):
        if begun.is_after(now):
            break
        last = place == len(steps) - 1 or steps[place + 1][1].is_after(now)
        closed = over if over is not None and _is_over(over, now) else None
        dose = _dose(entry, [dosage], product, knowledge, now.date(), None)
        if not last:
            past = entry._replace(status="completed")
            yield _order(past, knowledge, product, dose, begun, closed or steps[place + 1][1])
            continue
        if closed is not None and entry.status == "active":
            dose = Dose(problem="none of its dated doses is for this day")
        yield _order(entry, knowledge, product, dose, begun, end)
    if not steps:
        on = now.date() if end is None else end.day
        dose = _dose(entry, entry.dosages, product, knowledge, now.date(), on)
        yield from _since_changes(entry, _order(entry, knowledge, product, dose, start, end), now)


def _since_changes(entry: Entry, order: Order, now: datetime) -> Iterator[Order]:
    """The order, and what it was before each change that a suggestion of ours made to it."""
    try:
        changes = [] if order.draft else read_changes(entry.resource.extension)
    except Unreadable as unreadable:
        yield replace(order, dose=Dose(problem=str(unreadable), at=unreadable.at))
        return
    yield from in_turn(order, changes, now)


def _dose(
    entry: Entry, dosages: list[Dosage] | None, product: Product, knowledge: Knowledge, today: date, on: date | None
) -> Dose:
    """The dose of some instructions, unless the order's words say otherwise."""
    dose = read_dose(dosages, product, knowledge, on)
    if dose.problem or entry.status not in ("active", "draft", ""):
        return dose
    if differs(_words(dosages), dose, product.tablet, product.per_ml, knowledge, today):
        return Dose(problem=DIFFER, at="dosageInstruction[0].text")
    return dose


def _words(dosages: list[Dosage] | None) -> Iterator[str]:
    """Every free text in the instructions."""
    for dosage in dosages or ():
        yield from (dosage.text or "", dosage.patientInstruction or "")
        for concept in later(dosage.additionalInstruction, CodeableConcept):
            yield concept.text or next((coding.display or "" for coding in concept.coding or ()), "")


def _order(
    entry: Entry, knowledge: Knowledge, product: Product, dose: Dose, start: Moment | None, end: Moment | None
) -> Order:
    resource = entry.resource
    return Order(
        reference=resource.reference,
        id=resource.id or "",
        status=entry.status,
        draft=entry.draft,
        selected=entry.selected,
        authored=parse_moment(resource.authoredOn or resource.dateAsserted),
        start=start,
        end=end,
        dose=dose,
        strength=product.tablet,
        liquid=product.per_ml is not None,
        group=resource.groupIdentifier.value or "" if resource.groupIdentifier else "",
        prior=_prior(resource),
        by_name=entry.drug.by_name,
        for_itp=entry.for_itp,
        for_other=entry.for_other,
        updated=parse_moment(meta_of(resource).lastUpdated)
        if entry.status == "active" and given(resource.meta)
        else None,
    )


def _is_over(end: Moment, now: datetime) -> bool:
    """Whether an end is before ``now``; a last day without a time of day still counts."""
    return end.at <= now if end.at is not None else end.day < now.date()


def _partner(entry: Entry, knowledge: Knowledge, start: Moment | None, end: Moment | None, now: datetime) -> DrugUse:
    """The use of another drug. An active order whose own dates are past counts as over."""
    over = end is not None and _is_over(end, now) and entry.status == "active" and not entry.draft
    on = start.day if start else now.date()
    dose = read_dose(entry.dosages, Product(), knowledge, on)
    return DrugUse(
        entry.resource.reference,
        entry.drug.concept.valueset,
        entry.drug.concept.name,
        "completed" if over else entry.status,
        entry.draft,
        start,
        end,
        selected=entry.selected,
        repeats=bool(dose.rhythm) or _repeats(entry.dosages),
        per_day=dose.per_day,
        by_name=entry.drug.by_name,
        as_needed=_is_as_needed(entry, knowledge),
        washout=entry.drug.concept.washout,
    )


def _is_as_needed(entry: Entry, knowledge: Knowledge) -> bool:
    """Whether a drug that moves the sirolimus level is taken only as needed; not asked for any other drug."""
    if entry.drug.concept.valueset not in knowledge.with_role("inhibitor", "inducer"):
        return False
    if any(d.asNeededBoolean or d.asNeededCodeableConcept for d in entry.dosages or ()):
        return True
    codes = (d.timing.code for d in entry.dosages or () if d.timing is not None and d.timing.code is not None)
    texts = [*_words(entry.dosages), *(text for code in codes for text in texts_of(code))]
    words = ". ".join(text for text in texts if text)
    return bool(words) and understood(words, knowledge).as_needed


def _course(resource: Resource, dosages: list[Dosage] | None) -> tuple[Moment | None, Moment | None]:
    """The start that an order states, otherwise when it was written; and the end that it states."""
    bounds = [
        d.timing.repeat.boundsPeriod
        for d in dosages or ()
        if d.timing and d.timing.repeat and d.timing.repeat.boundsPeriod
    ]
    validity = resource.dispenseRequest.validityPeriod if resource.dispenseRequest else None
    periods: list[Period] = [
        *([resource.effectivePeriod] if resource.effectivePeriod else []),
        *([validity] if validity else []),
    ]
    begins = _first(sorted(b.start for b in bounds if b.start), *(p.start for p in periods), resource.effectiveDateTime)
    ends = _first(sorted((b.end for b in bounds if b.end), reverse=True), *(p.end for p in periods))
    start = parse_moment(begins) if begins else parse_moment(resource.authoredOn or resource.dateAsserted)
    if any(b.end for b in bounds):
        return start, parse_moment(ends)
    last = last_day(dosages, start)
    if last is not None:
        return start, Moment(last)
    if resource.status == "active":
        stated = (
            resource.effectivePeriod
        )  # of a statement; the end of the dispensing period does not end an active order
        return start, parse_moment(stated.end) if stated else None
    return start, parse_moment(ends)


def _first(several: list[str], *others: str | None) -> str | None:
    return several[0] if several else next((other for other in others if other), None)


def _prior(resource: Resource) -> tuple[str, ...]:
    references = [resource.priorPrescription, *later(resource.basedOn, Pointer)]
    return tuple("/".join(r.reference.split("/")[-2:]) for r in references if r is not None and r.reference)


def _repeats(dosages: list[Dosage] | None) -> bool:
    """Whether the timing says that the dose is repeated, even if the dose itself cannot be read."""
    return any(d.timing and d.timing.repeat and given(d.timing.repeat.period) for d in dosages or ())


def _meant(reason: CodeableConcept, knowledge: Knowledge) -> Iterator[Concept]:
    """What an order is given for, by code or by name."""
    yield from (each for each in all_meant(reason, knowledge) if not each.rejected)
    for text in texts_of(reason):
        yield from (each.concept for each in named_problems(text, knowledge))
        yield from (each for each in mentioned(text, knowledge) if each.valueset == OTHER_INDICATION)
