"""Orders, statements and administrations: which count, and as what."""

from __future__ import annotations

from datetime import datetime

from cds.chart.medications import NOT_SUPPLIED, Drug, drugs_of, is_led_by_sirolimus, medication_of, names_something
from cds.chart.model import DrugUse, Intake, Order
from cds.chart.orders import Entry, read_entry
from cds.chart.reader import Reader
from cds.chart.request import Draft
from cds.chart.times import Moment, clock_time, parse_moment
from cds.chart.wire import Dosage, Resource

_TAKEN = ("active", "on-hold", "stopped", "completed")
_NOT_TAKEN = ("cancelled", "entered-in-error", "ended", "intended", "not-taken", "draft")
_DENIES = ("not-taken", "on-hold", "stopped")
_ENDED = ("on-hold", "stopped", "cancelled", "completed", "entered-in-error")
_NOT_ORDERED = ("proposal", "plan", "option")
_UNCLEAR = "its words name a form that is swallowed and one that is not"
BEGINS_LATER = "it begins after the time of judging"
DENIED_SOME_DAY = "it says that sirolimus is not taken, on hold or stopped, and has no date"
UNKNOWN_DRUG = "drug"
"""The subject of an order whose drug cannot be identified."""


def read_order(reader: Reader, resource: Resource, draft: Draft | None = None) -> None:
    """A MedicationRequest or MedicationStatement; ``draft`` when it is being written now."""
    medication = medication_of(resource, reader.resolve, reader.knowledge.lexicon)
    if medication is None or not names_something(medication):
        ours = reader.is_ours(resource, UNKNOWN_DRUG, draft is not None)
        if ours and _counts(reader, resource, draft, UNKNOWN_DRUG, silently=True):
            why = "its Medication was not supplied" if medication is NOT_SUPPLIED else "it names no drug"
            at = "medicationReference" if medication is NOT_SUPPLIED else "medication[x]"
            reader.unread(resource, why, UNKNOWN_DRUG, at, draft is not None)
        return
    dosages = resource.dosageInstruction
    if dosages is None:
        dosages = resource.dosage if isinstance(resource.dosage, list) else None
    drugs = drugs_of(medication, dosages, reader.knowledge)
    if not drugs:
        return
    subject = subject_of(drugs)
    if not reader.is_ours(resource, subject, draft is not None):
        return
    _note_denial(reader, resource, drugs)
    if not _counts(reader, resource, draft, subject):
        return
    if any(drug.by_name and drug.concept.valueset == "sirolimus" for drug in drugs):
        reason = ""
        if len(drugs) > 1:
            reason = "it names several drugs, and sirolimus is in no combination"
        elif not is_led_by_sirolimus(medication, reader.knowledge):
            reason = "its words name sirolimus, but its code is that of another drug"
        if reason:
            reader.unread(resource, reason, subject, "medication[x]", draft is not None)
            return
    for drug in drugs:
        if drug.acts == "unclear":
            reader.unread(resource, _UNCLEAR, subject, "medication[x]", draft is not None)
            continue
        if not drug.oral:
            reader.left_out(resource, _form(drug), drug.concept.valueset)
            continue
        status = resource.status or ""
        selected = draft is None or draft.selected
        entry = Entry(resource, medication, drug, dosages, status, draft is not None, selected)
        read = list(read_entry(entry, reader.knowledge, reader.now, lambda: reader.is_replay))
        reader.chart.orders += [each for each in read if isinstance(each, Order)]
        reader.chart.drugs += [each for each in read if isinstance(each, DrugUse)]
        if not read:
            _begins_later(reader, resource, drug.concept.valueset)


def _note_denial(reader: Reader, resource: Resource, drugs: list[Drug]) -> None:
    """Note a statement that sirolimus is not taken. An order may say otherwise, and counts; but they contradict one another."""
    if resource.resourceType != "MedicationStatement" or resource.status not in _DENIES:
        return
    if not any(drug.concept.valueset == "sirolimus" and drug.oral for drug in drugs):
        return
    moment = _told(resource, reader.now)
    if moment is None:
        reader.unread(resource, DENIED_SOME_DAY, "sirolimus", "effective[x]")
    elif not moment.is_after(reader.now):
        reader.chart.denied.append(Intake(resource.reference, moment))


def _told(resource: Resource, now: datetime) -> Moment | None:
    """The newest day of which a statement speaks, if any: of a period that is not over the day on which it was made, or began."""
    period = resource.effectivePeriod
    if period is None:
        return parse_moment(resource.effectiveDateTime or resource.dateAsserted)
    end = parse_moment(period.end)
    if end is not None and not end.is_after(now):
        return end
    made = parse_moment(resource.dateAsserted)
    began = parse_moment(period.start)
    return made if made is not None and (began is None or made.day > began.day) and not made.is_after(now) else began


def _begins_later(reader: Reader, resource: Resource, subject: str) -> None:
    """Note an order that begins later. One that is already written, of sirolimus or of a drug that moves its level, goes on a card."""
    written = parse_moment(resource.authoredOn or resource.dateAsserted)
    stands = resource.status == "active" and (written is None or not written.is_after(reader.now))
    matters = subject in ("sirolimus", *reader.knowledge.with_role("inhibitor", "inducer"))
    say = reader.unread if stands and matters else reader.left_out
    say(resource, BEGINS_LATER, subject)


def _counts(reader: Reader, resource: Resource, draft: Draft | None, subject: str, silently: bool = False) -> bool:
    """Whether the order is or was taken, or is being written; if not, the reason is noted."""
    status = resource.status or ""
    reason = at = ""
    if resource.doNotPerform:
        reason, at = "it says that the drug is not to be given", "doNotPerform"
    elif draft is not None:
        if status in _ENDED:  # an order being ended is not an order being given
            reason, at = f"its status is '{status}'", "status"
    elif resource.intent in _NOT_ORDERED and not _is_reported(resource, subject):
        reason, at = f"its intent is '{resource.intent}'", "intent"
    elif status in _NOT_TAKEN:
        reason, at = f"its status is '{status}'", "status"
    elif status not in _TAKEN:
        if not silently:
            reader.unread(resource, "its status is not understood", subject, "status")
        return False
    if reason and not silently:
        reader.left_out(resource, reason, subject, at)
    return not reason


def _is_reported(resource: Resource, subject: str) -> bool:
    """Whether a plan says what is taken: it is reported by the patient or another record (US Core), or is for another drug.

    A plan to give sirolimus is not an order for it; a plan to give another drug counts as reported.
    """
    reported = bool(resource.reportedBoolean) or resource.reportedReference is not None
    return resource.intent == "plan" and (reported or subject != "sirolimus")


def subject_of(drugs: list[Drug]) -> str:
    """The value set an order is about: sirolimus where it is among its drugs."""
    valuesets = [drug.concept.valueset for drug in drugs]
    return "sirolimus" if "sirolimus" in valuesets else valuesets[0]


def _form(drug: Drug) -> str:
    if drug.concept.valueset == "sirolimus":
        return "it is not taken by mouth"
    return "its form does not act on the whole body"


def read_administration(reader: Reader, resource: Resource) -> None:
    """A MedicationAdministration: the time of a dose of sirolimus, or another drug that was given."""
    medication = medication_of(resource, reader.resolve, reader.knowledge.lexicon)
    dosages = [resource.dosage] if isinstance(resource.dosage, Dosage) else None
    drugs = drugs_of(medication, dosages, reader.knowledge) if medication is not None else []
    if not drugs:
        return
    subject = subject_of(drugs)
    ours = any(d.concept.valueset == "sirolimus" and d.oral for d in drugs)
    not_taken = {"not-done": reader.chart.missed, "on-hold": reader.chart.held} if ours else {}
    statuses = ("completed", "in-progress", *not_taken)
    if not reader.is_ours(resource, subject) or not reader.counts(resource, statuses, subject):
        return
    period = resource.effectivePeriod
    moment = parse_moment(resource.effectiveDateTime or (period.start if period else None))
    if moment is None:
        reader.unread(resource, "its time cannot be read", subject, "effective[x]")
        return
    if not reader.exists(resource, moment, subject, "effective[x]"):
        return
    if resource.status in not_taken:
        not_taken[resource.status].append(Intake(resource.reference, clock_time(moment)))
        return
    for drug in drugs:
        if not drug.oral:
            reader.left_out(resource, _form(drug), drug.concept.valueset)
        elif drug.concept.valueset != "sirolimus":
            end = parse_moment(period.end) if period and period.end else moment
            use = DrugUse(
                resource.reference,
                drug.concept.valueset,
                drug.concept.name,
                "completed",
                False,
                moment,
                end,
                given=True,
                washout=drug.concept.washout,
            )
            reader.chart.drugs.append(use)
        elif resource.status == "completed":
            reader.chart.intakes.append(Intake(resource.reference, clock_time(moment)))
        else:
            reader.left_out(resource, "the dose is not completed", subject, "status")
