"""A request's resources read into a :class:`Chart`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from cds.chart.allergies import read_allergy
from cds.chart.drugs import read_administration, read_order
from cds.chart.history import read_condition, read_procedure
from cds.chart.isolate import CONTEXT, Broken
from cds.chart.labs import read_observation
from cds.chart.mentions import mentioned
from cds.chart.model import Chart, DrugUse, Event, Gathered, Intake, Lab, Order, Plan, Problem, Unread
from cds.chart.planned import read_appointment, read_service_request
from cds.chart.reader import Reader
from cds.chart.request import Draft, Request
from cds.chart.times import parse_birth_date, parse_moment
from cds.chart.wire import Resource
from cds.compiled.knowledge import Knowledge


def read_chart(request: Request, knowledge: Knowledge, now: datetime) -> Chart:
    """Everything in ``request`` that the rules need and that exists at ``now``."""
    reader = Reader(request, knowledge, now)
    for resource in request.resources:
        kind = resource.resourceType
        if (read := READERS.get(kind)) is not None:
            read(reader, resource)
    for draft in request.drafts:
        read_order(reader, draft.resource, draft)
    chart = reader.chart
    chart.unread += [unread for broken in request.broken if (unread := unread_of(broken, knowledge)) is not None]
    _name_unclear(reader)
    _settle(chart)
    return chart.frozen()


def read_one(reader: Reader, resource: Resource, draft: Draft | None) -> Chart:
    """The chart that this one resource alone would give; used to report what in a message is read and what is not."""
    reader = reader.alone()
    if draft is not None:
        read_order(reader, resource, draft)
    elif (read := READERS.get(resource.resourceType)) is not None:
        read(reader, resource)
    return reader.chart.frozen()


def unread_of(broken: Broken, knowledge: Knowledge) -> Unread | None:
    """What a broken resource keeps from being judged; None if it contains nothing that the rules need."""
    subject = mentioned(broken.raw, knowledge)
    if not subject:
        return None
    shown = ", ".join(broken.at)
    return Unread(
        broken.reference,
        broken.reason + (f": {shown}" if shown else ""),
        subject,
        shown,
        broken.place.startswith(CONTEXT),
    )


def _name_unclear(reader: Reader) -> None:
    """Name the versions of one resource of which it is unknown which is newer: once, if the rules need any of them."""
    subjects: dict[str, set[str]] = {}
    for resource in reader.request.unclear:
        alone = read_one(reader, resource, None)
        found = {each.subject for each in (*alone.unread, *alone.left_out)} | {use.valueset for use in alone.drugs}
        found |= {"sirolimus"} if alone.orders or alone.intakes else set()
        found |= {"sirolimus-level" if name in ("level", "trough") else name for name in alone.labs}
        found |= {problem.name for problem in alone.problems} | {event.name for event in alone.events}
        subjects.setdefault(resource.reference, set()).update(found)
    for reference, found in subjects.items():
        if found:
            subject = min(found, key=lambda each: (not each.startswith("sirolimus"), each))
            reason = "it is there twice, the two differ, and nothing says which is newer"
            reader.chart.unread.append(Unread(reference, reason, subject, "meta"))


def _settle(chart: Gathered) -> None:
    """Sort everything, so that the order of the entries does not matter."""
    for several in (
        chart.orders,
        chart.drugs,
        chart.intakes,
        chart.problems,
        chart.events,
        chart.plans,
        chart.allergies,
        *chart.labs.values(),
    ):
        several.sort(key=_place)  # type: ignore[attr-defined]
    chart.unread = sorted(set(chart.unread), key=lambda each: (each.subject, each.reference, each.reason))


def _place(each: Order | DrugUse | Intake | Problem | Event | Plan | Lab) -> tuple[str, str]:
    """Sort key: the reference; for what has no id, and so no reference of its own, all of its content."""
    return each.reference, "" if "/" in each.reference else repr(each)


def _read_patient(reader: Reader, resource: Resource) -> None:
    chart = reader.chart
    if (resource.id or "") != chart.patient_id:
        return
    chart.patient_reference = resource.reference
    chart.birth = parse_birth_date(resource.birthDate)
    chart.gender = resource.gender or ""
    died = parse_moment(resource.deceasedDateTime)
    chart.deceased = bool(resource.deceasedBoolean) or (
        resource.deceasedDateTime is not None and not (died is not None and died.is_after(reader.now))
    )


READERS: dict[str, Callable[[Reader, Resource], None]] = {
    "Observation": read_observation,
    "Patient": _read_patient,
    "MedicationRequest": read_order,
    "MedicationStatement": read_order,
    "MedicationAdministration": read_administration,
    "Condition": read_condition,
    "Procedure": read_procedure,
    "ServiceRequest": read_service_request,
    "AllergyIntolerance": read_allergy,
    "Appointment": read_appointment,
}
