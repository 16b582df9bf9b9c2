"""What is planned: tests that are ordered, and operations."""

from __future__ import annotations

from collections.abc import Iterator

from cds.chart.codes import meanings, texts_of
from cds.chart.model import Plan
from cds.chart.operations import SURGERY, named_operations
from cds.chart.reader import Reader
from cds.chart.times import Moment, parse_moment
from cds.chart.wire import CodeableConcept, Resource, later
from cds.compiled.knowledge import Concept

_TESTS = ("sirolimus-level", "platelets", "laboratory", "screening", "panel", "pregnancy")
_NOT_ORDERED = ("proposal", "plan", "option")
_BOOKED = ("booked", "pending", "arrived", "checked-in")


def read_service_request(reader: Reader, resource: Resource) -> None:
    """Read an open order for a test that the rules need or for an operation; on an order hook also one that is being written."""
    meant = list(_meant(reader, [resource.code] if resource.code else []))
    tests = [each for each in meant if each.valueset in _TESTS and not each.rejected]
    operation = _surgery([*meant, *_of_kind(reader, later(resource.category, CodeableConcept))])
    subject = tests[0].valueset if tests else operation.valueset if operation else ""
    if not subject or not reader.is_ours(resource, subject):
        return
    if not _is_order(reader, resource, subject):
        return
    if not reader.exists(resource, parse_moment(resource.authoredOn), subject, "authoredOn"):
        return
    moments = _moments(resource)
    if tests and not _is_awaited(reader, resource, moments):
        reader.left_out(resource, "it is too old, or its date cannot be read, to be on its way", subject, "authoredOn")
        tests = []
    for test in tests:
        reader.chart.test_orders.setdefault(test.name, []).append((resource.reference, _since(moments)))
    if operation is not None:
        _plan(reader, resource, operation, _ahead(reader, resource), "occurrence[x]")


def _is_order(reader: Reader, resource: Resource, subject: str) -> bool:
    """Whether it asks for something to be done, and is still open; on an order hook also one that is being written."""
    if resource.doNotPerform:
        reader.left_out(resource, "it says that it is not to be done", subject, "doNotPerform")
        return False
    if resource.intent in _NOT_ORDERED:
        reader.left_out(resource, f"its intent is '{resource.intent}'", subject, "intent")
        return False
    written = reader.request.written
    is_written = reader.request.hook != "patient-view" and (written is None or id(resource) in written)
    return reader.counts(resource, ("active", "draft") if is_written else ("active",), subject)


def _moments(resource: Resource) -> list[Moment | None]:
    """When an order was written and when it is to be done, as far as it says; None for what cannot be read."""
    period = resource.occurrencePeriod
    texts = (resource.authoredOn, resource.occurrenceDateTime, period.start if period else None)
    return [parse_moment(text) for text in texts if text]


def _is_awaited(reader: Reader, resource: Resource, moments: list[Moment | None]) -> bool:
    """Whether a test was ordered, or is to be drawn, near enough to today that its result may still come."""
    if resource.status == "draft" or not moments:
        return True  # an order without any date is only known to be open
    near = int(reader.knowledge.definitions["test_order_counts"])
    return any(day is not None and abs(day.days_until(reader.now)) <= near for day in moments)


def _since(moments: list[Moment | None]) -> Moment | None:
    """The time from which a result may answer an order: when it was written or is to be drawn, whichever is later."""
    return max((moment for moment in moments if moment is not None), key=Moment.sort_key, default=None)


def _ahead(reader: Reader, resource: Resource) -> Moment | None:
    """The day of an operation; today, if its period has begun."""
    period = resource.occurrencePeriod
    if resource.occurrenceDateTime is not None or period is None:
        return parse_moment(resource.occurrenceDateTime)
    begin, end = parse_moment(period.start), parse_moment(period.end)
    today = reader.now.date()
    if begin is not None and end is not None and begin.day < today <= end.day:
        return Moment(today)
    return begin


def read_appointment(reader: Reader, resource: Resource) -> None:
    """An operation that is booked."""
    kinds, types = later(resource.serviceCategory, CodeableConcept), later(resource.serviceType, CodeableConcept)
    reasons = later(resource.reasonCode, CodeableConcept)
    # where a type of visit is given, the reason may be that of a follow-up
    said = types if types or kinds else reasons
    operation = _surgery([*_meant(reader, said), *_of_kind(reader, kinds)])
    if operation is None or not reader.is_ours(resource, operation.valueset):
        return
    if not reader.counts(resource, _BOOKED, operation.valueset):
        return
    if reader.exists(resource, parse_moment(resource.created), operation.valueset, "created"):
        _plan(reader, resource, operation, parse_moment(resource.start), "start")


def _meant(reader: Reader, concepts: list[CodeableConcept]) -> Iterator[Concept]:
    """Every meaning of every code, because a panel has several; and the operations that its words name."""
    for concept in concepts:
        for coding in concept.coding or ():
            yield from meanings(reader.knowledge, coding)
        for text in texts_of(concept):
            yield from named_operations(text, reader.knowledge)


def _of_kind(reader: Reader, concepts: list[CodeableConcept]) -> Iterator[Concept]:
    """The same of a category, where the bare word for surgery is the name of a department."""
    coded = (meant for each in concepts for coding in each.coding or () for meant in meanings(reader.knowledge, coding))
    yield from coded
    yield from (each for each in _meant(reader, concepts) if each.name != SURGERY)


def _surgery(meant: list[Concept]) -> Concept | None:
    """The operation among the meanings; a named operation takes precedence over the word surgery alone."""
    found = [each for each in meant if each.valueset == SURGERY]
    return min(found, key=lambda each: each.name == SURGERY, default=None)


def _plan(reader: Reader, resource: Resource, operation: Concept, day: Moment | None, at: str) -> None:
    if day is None:
        reader.left_out(resource, "its day is not known", operation.valueset, at)
        return
    draft = resource.status == "draft"
    reader.chart.plans.append(Plan(resource.reference, operation.display, day, draft))
