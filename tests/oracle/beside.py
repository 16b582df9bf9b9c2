"""What stands beside the orders of sirolimus: allergies, operations, orders of tests, and what the patient states.

docs/fhir.md, "Condition, Procedure, ServiceRequest", "AllergyIntolerance, Appointment", "MedicationStatement".
"""

from __future__ import annotations

from tests.oracle.codes import OPERATIONS, SURGERY
from tests.oracle.dates import codes, drug, when
from tests.oracle.record import Json, Order, Record, Wanted

OPEN = ("booked", "pending", "arrived", "checked-in")  # fhir.md, Appointment.status


def read(record: Record, resource: Json) -> None:
    """Allergies, appointments and statements."""
    kind = resource["resourceType"]
    if kind == "AllergyIntolerance":
        _allergy(record, resource)
    elif kind == "Appointment" and resource["status"] in OPEN:
        _operation(record, [c for t in resource.get("serviceType", []) for c in codes(t)], resource["start"])
    elif kind == "MedicationStatement" and resource["status"] in ("active", "stopped", "completed"):
        _statement(record, resource)


def _allergy(record: Record, resource: Json) -> None:
    """Refuted, entered-in-error, inactive and resolved ones do not count."""
    if set(codes(resource.get("verificationStatus"))) & {"refuted", "entered-in-error"}:
        return
    if set(codes(resource.get("clinicalStatus"))) & {"inactive", "resolved"}:
        return
    if (made := resource.get("recordedDate")) and when(made).day > record.today:
        return
    record.allergies += [(resource["id"], code) for code in codes(resource["code"])]


def _operation(record: Record, found: list[str], start: str | None, draft: bool = False) -> None:
    """An operation that lies ahead, or is today's; without a day it is left out."""
    known = [code for code in found if code in OPERATIONS or code == SURGERY]
    if known and start and when(start).day >= record.today:
        record.operations.append(Wanted(known[0], None, when(start).day, draft))


def service(record: Record, resource: Json, draft: bool = False) -> None:
    """An active order of a test, or of an operation; proposals and plans are none."""
    if resource["status"] != ("draft" if draft else "active"):
        return
    if resource["intent"] in ("proposal", "plan", "option") or resource.get("doNotPerform"):
        return
    authored = resource.get("authoredOn")
    if authored and when(authored).day > record.today:
        return
    kinds = codes(resource.get("code")) + [c for one in resource.get("category", []) for c in codes(one)]
    _operation(record, kinds, resource.get("occurrenceDateTime"), draft)
    for code in codes(resource.get("code")):
        record.wanted.append(Wanted(code, when(authored).day if authored else None, None, draft))


def _statement(record: Record, resource: Json) -> None:
    """What the patient takes without an order: since effectiveDateTime or effectivePeriod, else dateAsserted."""
    period = resource.get("effectivePeriod", {})
    start = period.get("start") or resource.get("effectiveDateTime") or resource.get("dateAsserted")
    end = period.get("end")
    if not start or when(start).day > record.today:
        return
    order = Order(
        id=resource["id"],
        code=drug(resource["medicationCodeableConcept"]),
        status=resource["status"],
        start=when(start).day,
        end=when(end).day if end else None,
        authored=when(start).day,
        dose=None,
        group=None,
        prior=[],
        itp=False,
        draft=False,
    )
    record.stated.append(order)
