"""What was asked: a FHIR Bundle or a CDS Hooks request, read from bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from cds.chart.isolate import isolated_message
from cds.chart.model import HOOKS, Hook, Unread
from cds.chart.times import Moment, parse_moment
from cds.chart.wire import (
    Message,
    Resource,
    exact_decoder,
    given,
    message_decoder,
    raw_bundle_decoder,
    raw_message_decoder,
)

MAX_DEPTH = 100
PREFETCH_TYPES = {
    "patient": "Patient",
    "medications": "MedicationRequest",
    "administrations": "MedicationAdministration",
    "statements": "MedicationStatement",
    "observations": "Observation",
    "conditions": "Condition",
    "procedures": "Procedure",
    "requests": "ServiceRequest",
}
_SAID = {*PREFETCH_TYPES.values(), "OperationOutcome"}  # the only types that an error repeats
_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STRINGS = re.compile(rb'(?s)"(?:[^"\\]|\\.)*(?:"|\\?\Z)')  # an open string ends with the text, so that it is read once


class InputError(Exception):
    """The input cannot be judged; ``str`` says what and where, with nothing of the patient's."""


@dataclass(slots=True)
class Request:
    """One question about one patient."""

    hook: Hook
    patient_id: str
    resources: list[Resource]
    drafts: list[Resource]
    selected: set[str] | None  # None: all drafts
    full_urls: dict[str, Resource] = field(default_factory=dict)
    not_supplied: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    unread: list[Unread] = field(default_factory=list)
    body: bytes = b""
    from_hook: bool = False

    def original(self, reference: str) -> dict[str, Any] | None:
        """The resource of that reference as it came, decimals kept; for echoing it in a suggestion."""
        wanted = reference.rpartition("/")[2].encode()
        for resource in _raw_resources(self.body):
            if wanted not in bytes(resource):
                continue
            try:
                value = exact_decoder.decode(resource)
            except (msgspec.MsgspecError, UnicodeDecodeError, ArithmeticError):
                continue  # something in it cannot be sent back as it came
            if isinstance(value, dict) and f"{value.get('resourceType')}/{value.get('id')}" == reference:
                return value
        return None


def read_request(body: bytes, hook: Hook | None = None, patient: str | None = None) -> Request:
    """A Bundle or a CDS Hooks request. ``hook`` is the caller's; a request's own must agree.

    Raises:
        InputError: not JSON, too deep, neither of the two, no patient or several, or data that
            belongs to another patient than the one asked about.
    """
    message, unread = _decode(body)
    if message.hook is not None or message.context is not None or message.prefetch is not None:
        request = _from_hook(message, hook, patient)
    elif message.resourceType == "Bundle":
        request = _from_bundle(message, hook or "patient-view", patient)
    else:
        named = f"a {message.resourceType}" if message.resourceType in _SAID else "JSON"
        raise InputError(f"this is {named}, not a FHIR Bundle or a CDS Hooks request")
    request.unread, request.body = unread, body
    _refuse_other_versions([*request.resources, *request.drafts])
    return request


def _decode(body: bytes) -> tuple[Message, list[Unread]]:
    if _deeper_than(body, MAX_DEPTH):
        raise InputError(f"the JSON is nested deeper than {MAX_DEPTH} levels")
    try:
        return message_decoder.decode(body), []
    except msgspec.ValidationError:
        return isolated_message(body, InputError)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        place = re.search(r"byte (\d+)", str(error))
        raise InputError("this is not JSON" + (f" (byte {place[1]})" if place else "")) from None


def _deeper_than(body: bytes, limit: int) -> bool:
    """Whether brackets nest deeper than ``limit``; strings only matter when they hold odd brackets."""
    rest = body.translate(None, _BRACKETS)
    for _ in range(limit // 2):  # each turn takes away at most one [] and one {} around it
        shorter = rest.replace(b"[]", b"").replace(b"{}", b"")
        if not shorter:
            return False
        if shorter == rest:
            break
        rest = shorter
    depth = deepest = 0
    for byte in _STRINGS.sub(b"", body).translate(None, _BRACKETS):
        depth += 1 if byte in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest > limit


def _entries(bundle: Resource | None) -> Iterator[tuple[str, Resource]]:
    for entry in (bundle.entry if bundle else None) or ():
        if entry.resource is not None:
            yield entry.fullUrl or "", entry.resource


def _from_bundle(message: Message, hook: Hook, patient: str | None) -> Request:
    resources: list[Resource] = []
    drafts: list[Resource] = []
    urls: dict[str, Resource] = {}
    people: set[str] = set()
    for entry in message.entry or ():
        resource = entry.resource
        if resource is None:
            continue
        if entry.fullUrl is not None:
            urls[entry.fullUrl] = resource
        kind = resource.resourceType
        if kind == "Patient":
            people.add(resource.id or "")
        is_draft = kind == "MedicationRequest" and resource.status == "draft"
        (drafts if is_draft else resources).append(resource)
    if patient is None:
        people = people or {subject for resource in (*resources, *drafts) if (subject := subject_id(resource))}
        if len(people) > 1:
            raise InputError(f"the bundle holds {len(people)} patients; choose one with --patient ID")
        if not people:
            raise InputError("the bundle holds no Patient, and nothing in it says whose it is")
        patient = people.pop()
    elif people and patient not in people:
        raise InputError("the bundle does not hold the patient that was asked for")
    if len(people) > 1:
        resources = [r for r in resources if r.resourceType != "Patient" or r.id == patient]
    incomplete = ("Bundle",) if any(link.relation == "next" for link in message.link or ()) else ()
    return Request(hook, patient, resources, drafts, None, urls, incomplete=incomplete)


def _from_hook(message: Message, hook: Hook | None, patient: str | None) -> Request:
    named = message.hook
    if named not in HOOKS:
        raise InputError("the request's hook is not one of " + ", ".join(HOOKS))
    if hook is not None and hook != named:
        raise InputError(f"the request's hook is {named}, not {hook}")
    if not message.hookInstance:
        raise InputError("the request has no hookInstance")
    context = message.context
    if context is None or not context.patientId:
        raise InputError("the request's context has no patientId")
    asked = context.patientId.removeprefix("Patient/")
    if patient is not None and patient != asked:
        raise InputError("the request's context is about another patient than the one asked for")
    if named != "patient-view" and context.draftOrders is None:
        raise InputError(f"the context of {named} has no draftOrders")
    resources: list[Resource] = []
    drafts: list[Resource] = []
    urls: dict[str, Resource] = {}
    for url, resource in _entries(context.draftOrders):
        urls[url] = resource
        (drafts if resource.resourceType == "MedicationRequest" else resources).append(resource)
    supplied, incomplete = _take_prefetch(message.prefetch or {}, resources, urls)
    for resource in resources:
        if resource.resourceType == "Patient" and resource.id != asked:
            raise InputError("the context and the prefetched Patient are not the same patient")
    missing = tuple(kind for kind in PREFETCH_TYPES.values() if kind not in supplied)
    selected = (
        {"/".join(s.split("/_history/")[0].split("/")[-2:]) for s in context.selections or () if s}
        if named == "order-select" and context.selections is not None
        else None
    )
    return Request(named, asked, resources, drafts, selected, urls, missing, incomplete, from_hook=True)


def _take_prefetch(
    prefetch: dict[str, Resource | None], resources: list[Resource], urls: dict[str, Resource]
) -> tuple[set[str], tuple[str, ...]]:
    """Fill ``resources``; the types that were supplied, and those of which something is missing."""
    supplied: set[str] = set()
    incomplete: list[str] = []
    for key, value in prefetch.items():
        kind = PREFETCH_TYPES.get(key)
        if value is None:  # asked, and there is none
            supplied |= {kind} if kind else set()
            continue
        if value.resourceType == "OperationOutcome":
            continue  # the client failed to fetch it: as if it had not been supplied
        found = [(("", value))] if value.resourceType != "Bundle" else list(_entries(value))
        kinds = {resource.resourceType for _, resource in found} - {"OperationOutcome"}
        for url, resource in found:
            if url:
                urls[url] = resource
            resources.append(resource)
        supplied |= kinds
        if kind and value.resourceType in ("Bundle", kind):
            supplied.add(kind)
        if value.resourceType == "Bundle" and any(link.relation == "next" for link in value.link or ()):
            incomplete += [kind] if kind else sorted(kinds)
    return supplied, tuple(incomplete)


def subject_id(resource: Resource) -> str | None:
    """The id of the patient a resource is about, or the reference itself when it is not ``Patient/id``."""
    reference = resource.subject or resource.patient
    if reference is None or not reference.reference:
        return None
    parts = reference.reference.split("/_history/")[0].split("/")
    return parts[-1] if len(parts) >= 2 and parts[-2] == "Patient" else reference.reference


def _refuse_other_versions(resources: list[Resource]) -> None:
    for resource in resources:
        if not resource.resourceType.startswith("Medication"):
            continue
        if resource.resourceType == "MedicationOrder" or given(resource.medication):
            raise InputError("the resources are not FHIR R4 (4.0.1), the only version that is read")


def _raw_resources(body: bytes) -> Iterator[msgspec.Raw]:
    top = raw_message_decoder.decode(body)
    bundles = [top]
    raws = list((top.prefetch or {}).values())
    if top.context is not None and given(top.context.draftOrders):
        raws.insert(0, top.context.draftOrders)
    for raw in raws:
        try:
            bundles.append(raw_bundle_decoder.decode(raw))  # type: ignore[arg-type]  # a message is a bundle with more
        except msgspec.MsgspecError:
            continue
    for bundle in bundles:
        for entry in bundle.entry or ():
            if entry is not None and given(entry.resource):
                yield entry.resource


def newest_date(request: Request) -> datetime | None:
    """The newest effective, issued or authored moment of the input, for ``--at latest``."""
    from cds.chart.times import parse_now

    found: list[tuple[Moment, str]] = []
    for resource in (*request.resources, *request.drafts):
        period = resource.effectivePeriod
        texts = (resource.effectiveDateTime, resource.effectiveInstant, resource.issued, resource.authoredOn)
        for text in (*texts, period.start if period else None, period.end if period else None):
            moment = parse_moment(text)
            if moment is not None and text is not None:
                found.append((moment, text))
    if not found:
        return None
    return max((now for _, text in found if (now := parse_now(text)) is not None), default=None)
