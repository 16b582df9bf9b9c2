"""What lies ahead: tests that are ordered, and operations."""

from __future__ import annotations

from collections.abc import Iterator

from cds.chart.medications import meanings
from cds.chart.model import Plan
from cds.chart.reader import Reader, first_moment
from cds.chart.times import Moment, parse_moment
from cds.chart.wire import CodeableConcept, Resource, later
from cds.knowledge.compiled import Concept

_TESTS = ("sirolimus-level", "platelets", "laboratory", "screening", "panel", "pregnancy")
_SURGERY = "surgery"
_BOOKED = ("booked", "pending", "arrived", "checked-in")


def read_service_request(reader: Reader, resource: Resource) -> None:
    """An open order of a test of ours, or of an operation; on an order hook also one that is being written."""
    meant = list(_meant(reader, [resource.code] if resource.code else []))
    tests = [each for each in meant if each.valueset in _TESTS and not each.rejected]
    operation = _surgery([*meant, *_meant(reader, later(resource.category, CodeableConcept))])
    subject = tests[0].valueset if tests else operation.valueset if operation else ""
    if not subject or not reader.is_ours(resource, subject):
        return
    open_ones = ("active", "draft") if reader.request.hook != "patient-view" else ("active",)
    if not reader.counts(resource, open_ones, subject):
        return
    if not reader.exists(resource, parse_moment(resource.authoredOn), subject, "authoredOn"):
        return
    asked_for = first_moment(resource.occurrenceDateTime, resource.authoredOn)
    oldest = int(reader.knowledge.definitions["test_order_counts"])
    if tests and asked_for is not None and asked_for.days_until(reader.now) > oldest:
        reader.left_out(resource, f"it was ordered more than {oldest} days ago", subject, "authoredOn")
        tests = []
    for test in tests:
        reader.chart.test_orders.setdefault(test.name, []).append(resource.reference)
    if operation is not None:
        period = resource.occurrencePeriod
        day = first_moment(resource.occurrenceDateTime, period.start if period else None)
        _plan(reader, resource, operation, day, "occurrence[x]")


def read_appointment(reader: Reader, resource: Resource) -> None:
    """An operation that is booked."""
    said = (resource.serviceType, resource.serviceCategory, resource.reasonCode)
    operation = _surgery(_meant(reader, [each for some in said for each in later(some, CodeableConcept)]))
    if operation is None or not reader.is_ours(resource, operation.valueset):
        return
    if not reader.counts(resource, _BOOKED, operation.valueset):
        return
    if reader.exists(resource, parse_moment(resource.created), operation.valueset, "created"):
        _plan(reader, resource, operation, parse_moment(resource.start), "start")


def _meant(reader: Reader, concepts: list[CodeableConcept]) -> Iterator[Concept]:
    """Every meaning of every code; a panel has several."""
    for concept in concepts:
        for coding in concept.coding or ():
            yield from meanings(reader.knowledge, coding)


def _surgery(meant: Iterator[Concept] | list[Concept]) -> Concept | None:
    """The operation among the meanings; one with a name goes before the word surgery alone."""
    found = [each for each in meant if each.valueset == _SURGERY]
    return min(found, key=lambda each: each.name == _SURGERY, default=None)


def _plan(reader: Reader, resource: Resource, operation: Concept, day: Moment | None, at: str) -> None:
    if day is None:
        reader.left_out(resource, "its day is not known", operation.valueset, at)
        return
    draft = resource.status == "draft"
    reader.chart.plans.append(Plan(resource.reference, operation.display, day, draft))
