"""Conditions and procedures, as far as the rules need them."""

from __future__ import annotations

from cds.chart.model import Event, Problem
from cds.chart.reader import Reader, first_moment, status_word
from cds.chart.times import parse_moment
from cds.chart.wire import Resource

_ACTIVE = ("active", "recurrence", "relapse")
_CONDITIONS = ("itp", "secondary-itp", "bleeding", "pregnancy", "angioedema", "harm", "hepatitis-b")
_NOT_SO = ("refuted", "entered-in-error")


def read_condition(reader: Reader, resource: Resource) -> None:
    """A diagnosis, a bleed or a pregnancy, unless it is refuted; resolved ones stay, with their end."""
    concept = reader.meant(resource, *_CONDITIONS)
    if concept is None or not reader.is_ours(resource, concept.valueset):
        return
    verification = status_word(resource.verificationStatus)
    if verification in _NOT_SO:
        reader.left_out(resource, f"it is {verification}", concept.valueset, "verificationStatus")
        return
    period = resource.onsetPeriod
    onset = first_moment(resource.onsetDateTime, period.start if period else None, resource.recordedDate)
    if not reader.exists(resource, onset, concept.valueset, "onset[x]"):
        return
    end = first_moment(resource.abatementDateTime, period.end if period else None)
    clinical = status_word(resource.clinicalStatus)
    active = clinical in _ACTIVE or (not clinical and resource.abatementDateTime is None)
    if end is not None and end.is_after(reader.now):  # an end that lies ahead has not happened
        active, end = active or reader.is_replay, None
    if concept.valueset == "bleeding" and active and onset is None:
        reader.unread(resource, "its date cannot be read", concept.valueset, "onset[x]")
    reader.chart.problems.append(Problem(resource.reference, concept.name, active, onset, end, concept.display))


def read_procedure(reader: Reader, resource: Resource) -> None:
    """A transfusion or an operation that changes what a platelet count means."""
    concept = reader.meant(resource, "procedures")
    if concept is None or not reader.is_ours(resource, concept.valueset):
        return
    if not reader.counts(resource, ("completed", "in-progress"), concept.valueset):
        return
    period = resource.performedPeriod
    moment = parse_moment(resource.performedDateTime or (period.end or period.start if period else None))
    if moment is None:
        reader.unread(resource, "its date cannot be read", concept.valueset, "performed[x]")
    elif reader.exists(resource, moment, concept.valueset, "performed[x]"):
        reader.chart.events.append(Event(resource.reference, concept.name, moment))
