"""Reads one resource at a time into a chart: whose it is, what it points to, what to report about it."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta
from functools import cached_property

from cds.chart.codes import all_meant
from cds.chart.model import Gathered, Unread
from cds.chart.request import Request, subject_id
from cds.chart.times import Moment, parse_moment
from cds.chart.wire import CodeableConcept, Pointer, Resource, given, later
from cds.compiled.knowledge import Concept, Knowledge

ALLERGENIC_DRUGS = ("sirolimus", "mtor-inhibitor")
ALLERGENIC_FOODS = "allergen"
AHEAD = "it lies after the time of judging"
_MIDNIGHT = timedelta(hours=1)
"""Something at most this far in the future counts as today, even if another day has begun by then."""


class Reader:
    """The chart being filled, and what is needed to read a resource in addition to the resource itself."""

    def __init__(self, request: Request, knowledge: Knowledge, now: datetime) -> None:
        self.request, self.knowledge, self.now = request, knowledge, now
        self.chart = Gathered(request.patient_id, not_supplied=request.not_supplied, incomplete=request.incomplete)
        self._by_reference: dict[str, Resource] = {}
        self._contained: dict[int, dict[str, Resource]] = {}

    def alone(self) -> Reader:
        """A reader of the same request with an empty chart; what is slow to find is shared."""
        other = copy.copy(self)
        other.chart = Gathered(self.request.patient_id)
        return other

    @property
    def by_reference(self) -> dict[str, Resource]:
        if not self._by_reference:
            drafts = (draft.resource for draft in self.request.drafts)
            self._by_reference.update({each.reference: each for each in (*self.request.resources, *drafts)})
        return self._by_reference

    @cached_property
    def allergens(self) -> dict[str, Concept]:
        """The words by which an allergy that the rules need is recognised, if no code says so."""
        known = {name: meant for name, meant in self.knowledge.names.items() if meant.valueset in ALLERGENIC_DRUGS}
        return known | {
            word: meant for word, meant in self.knowledge.words.items() if meant.valueset == ALLERGENIC_FOODS
        }

    @cached_property
    def is_replay(self) -> bool:
        """Whether the record has data from after ``now``: a past day is being judged, on which a later end was not known yet."""
        today = self.now.date().isoformat()
        periods = [(r.effectivePeriod.start if r.effectivePeriod else None, r) for r in self.request.resources]
        dates = (
            t for start, r in periods for t in (start, r.effectiveDateTime, r.authoredOn, r.issued, r.recordedDate)
        )
        return any(text is not None and text[:10] > today for text in dates)

    def unread(self, resource: Resource, reason: str, subject: str, at: str = "", draft: bool = False) -> None:
        """Note that something the rules need cannot be read; a card will say so."""
        self.chart.unread.append(Unread(resource.reference, reason, subject, at, draft))

    def left_out(self, resource: Resource, reason: str, subject: str, at: str = "") -> None:
        """Note that something the rules need rightly does not count; ``lint`` and ``explain`` say so."""
        self.chart.left_out.append(Unread(resource.reference, reason, subject, at))

    def is_ours(self, resource: Resource, subject: str, draft: bool = False) -> bool:
        """Whether the resource is this patient's and may be read as it is; if not, it is noted as unread."""
        reason, at = self._against(resource)
        if reason:
            self.unread(resource, reason, subject, at, draft)
        return not reason

    def _against(self, resource: Resource) -> tuple[str, str]:
        whose = subject_id(resource, self.chart.patient_id)
        if whose is None:
            return "it does not say whose it is", "subject"
        if whose not in (self.chart.patient_id, f"urn:uuid:{self.chart.patient_id}"):
            owner = self.request.full_urls.get(whose)
            if owner is None or owner.resourceType != "Patient" or (owner.id or "") != self.chart.patient_id:
                return "it belongs to another patient", "subject"
        if given(resource.focus) and any(
            each.reference != whose_reference(resource) for each in later(resource.focus, Pointer)
        ):
            return "it is about something else than the patient", "focus"
        if given(resource.modifierExtension) and bytes(resource.modifierExtension) != b"[]":
            return "it has a modifier extension, which is not understood", "modifierExtension"
        if resource.implicitRules:
            return "it follows rules of its own, which are not understood", "implicitRules"
        return "", ""

    def resolve(self, resource: Resource, reference: str) -> Resource | None:
        """The resource that a reference in ``resource`` points to: contained, or in the request; None if neither."""
        if reference.startswith("#"):
            inner = self._contained.get(id(resource))
            if inner is None:
                found = later(resource.contained, Resource)
                inner = {
                    each.id.removeprefix("#"): each for each in found if each.id
                }  # some write the mark in the id, too
                self._contained[id(resource)] = inner
            return inner.get(reference[1:])
        if reference in self.request.full_urls:
            return self.request.full_urls[reference]
        parts = reference.split("/_history/")[0].split("/")
        return self.by_reference.get("/".join(parts[-2:]))

    def meant(self, resource: Resource, *valuesets: str) -> Concept | None:
        """The meaning of the resource's code, if it is in one of these value sets."""
        return next((each for each in all_meant(resource.code, self.knowledge) if each.valueset in valuesets), None)

    def counts(self, resource: Resource, statuses: tuple[str, ...], subject: str) -> bool:
        """Whether the status is one of ``statuses``; any other status is noted as left out, a missing one as unread."""
        if resource.status in statuses:
            return True
        if resource.status:
            self.left_out(resource, f"its status is {_known(resource.status)}", subject, "status")
        else:
            self.unread(resource, "it has no status", subject, "status")
        return False

    def exists(self, resource: Resource, moment: Moment | None, subject: str, at: str) -> bool:
        """Whether something of that time exists at ``now``. What is in the future is left out; if it is later today, a card says so.

        A fast clock or a wrong offset must not hide a result; but nothing is judged by a time that has not come yet.
        """
        if moment is None or not moment.is_after(self.now):
            return True
        say = self.unread if _is_near(moment, self.now) else self.left_out
        say(resource, AHEAD, subject, at)
        return False


def _is_near(moment: Moment, now: datetime) -> bool:
    return moment.at is not None and (moment.days_until(now) == 0 or moment.at - now <= _MIDNIGHT)


_STATUSES = frozenset(
    [
        "active",
        "on-hold",
        "stopped",
        "completed",
        "cancelled",
        "entered-in-error",
        "draft",
        "unknown",
        "ended",
        "intended",
        "not-taken",
        "not-done",
        "preparation",
        "in-progress",
        "registered",
        "preliminary",
        "final",
        "amended",
        "corrected",
        "revoked",
        "aborted",
        "proposed",
        "pending",
        "booked",
        "arrived",
        "fulfilled",
        "noshow",
        "checked-in",
        "waitlist",
        "resolved",
        "inactive",
        "remission",
        "recurrence",
        "relapse",
        "refuted",
        "confirmed",
        "provisional",
        "differential",
        "unconfirmed",
    ]
)


def _known(status: str) -> str:
    """A status as FHIR defines it; any other text of the record is not repeated."""
    return f"'{status}'" if status in _STATUSES else "not one that FHIR defines"


def status_word(status: CodeableConcept | str | None) -> str:
    """The code of a status that is a concept in R4."""
    if isinstance(status, CodeableConcept):
        codes = [coding.code.lower() for coding in status.coding or () if coding.code]
        known = [code for code in codes if code in _STATUSES]  # local codes may come before those of HL7
        return next(iter(known or codes), (status.text or "").lower())
    return status or ""


def whose_reference(resource: Resource) -> str | None:
    """The reference by which a resource names its patient, as it is written."""
    reference = resource.subject or resource.patient
    return reference.reference if reference is not None else None


def first_moment(*texts: str | None) -> Moment | None:
    """The first of several dates that is given, read."""
    return parse_moment(next((text for text in texts if text), None))
