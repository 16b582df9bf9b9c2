"""What was asked: a FHIR Bundle or a CDS Hooks request, read from bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from cds.chart.body import InputError, Unpacked, as_it_came, being_written, decode, unpack
from cds.chart.isolate import Broken
from cds.chart.prefetch import MORE_PAGES, PREFETCH_TYPES, SERVER_ERROR, Incomplete, take_prefetch
from cds.chart.revisions import newest_versions
from cds.chart.times import Moment, parse_moment, parse_now
from cds.chart.wire import Context, Message, Participant, Resource, given, later
from cds.compiled.hooks import SERVED, Hook, HookName, served_hook

_COMMON = frozenset(("Observation", "Condition", "Patient", "Procedure"))  # most of a chart
_MOST_DRAFTS = 20  # of one id
_SAID = {*PREFETCH_TYPES.values(), "OperationOutcome"}  # the only types that an error repeats


class Draft(NamedTuple):
    """An order that is being written; ``selected`` says whether the request is about it."""

    resource: Resource
    selected: bool


@dataclass(slots=True)
class Request:
    """One question about one patient."""

    hook: Hook
    patient_id: str
    resources: list[Resource]
    drafts: list[Draft]
    message: Message = field(default_factory=Message)
    full_urls: dict[str, Resource] = field(default_factory=dict)
    not_supplied: tuple[str, ...] = ()
    incomplete: tuple[Incomplete, ...] = ()
    broken: list[Broken] = field(default_factory=list)
    older: list[Resource] = field(default_factory=list)
    unclear: list[Resource] = field(default_factory=list)
    body: bytes = b""
    from_hook: bool = False
    written: frozenset[int] | None = (
        None  # the draft orders by identity, of any type; None for a Bundle, where any draft is one
    )

    def original(self, reference: str) -> dict[str, Any] | None:
        """The resource with this reference as it was received, decimals kept; used to echo it in a suggestion."""
        return as_it_came(self.body, reference)


def read_request(body: bytes, hook: HookName | None = None, patient: str | None = None) -> Request:
    """Read a Bundle or a CDS Hooks request. ``hook`` (of SERVED) is set by the caller; a request's own hook must agree.

    Raises:
        InputError: not JSON, too deep, neither of the two, no patient or several, or data that
            belongs to another patient than the one asked about.
    """
    message, broken = decode(body)
    if message.hook is not None or message.context is not None or message.prefetch is not None:
        request = _from_hook(message, hook, patient, broken)
    elif message.resourceType == "Bundle":
        request = _from_bundle(message, SERVED[hook or "patient-view"].judged_as, patient)
    else:
        named = f"a {message.resourceType}" if message.resourceType in _SAID else "JSON"
        raise InputError(f"this is {named}, not a FHIR Bundle or a CDS Hooks request")
    request.broken, request.body, request.message = broken, body, message
    _keep_newest(request)
    _refuse_other_versions([*request.resources, *(draft.resource for draft in request.drafts)])
    return request


def _from_bundle(message: Message, hook: Hook, patient: str | None) -> Request:
    bundle = unpack(message)
    resources: list[Resource] = []
    drafts: list[Draft] = []
    people: set[str] = set()
    for resource in bundle.resources:
        kind = resource.resourceType
        if kind == "Patient":
            people.add(resource.id or "")
        if kind == "MedicationRequest" and resource.status == "draft":
            drafts.append(Draft(resource, True))
        else:
            resources.append(resource)
    if patient is None:
        everything = (*resources, *(draft.resource for draft in drafts))
        people = people or {subject for resource in everything if (subject := subject_id(resource))}
        if len(people) > 1:
            raise InputError(f"the bundle holds {len(people)} patients; choose one with --patient ID")
        if not people:
            raise InputError("the bundle holds no Patient, and nothing in it says whose it is")
        patient = people.pop()
    elif people and patient not in people:
        raise InputError("the bundle does not hold the patient that was asked for")
    if len(people) > 1:
        resources = [r for r in resources if r.resourceType != "Patient" or r.id == patient]
    incomplete = [("Bundle", MORE_PAGES)] if bundle.partial else []
    incomplete += [("Bundle", SERVER_ERROR)] if bundle.failed else []
    return Request(hook, patient, resources, drafts, full_urls=bundle.urls, incomplete=tuple(incomplete))


def _from_hook(message: Message, hook: HookName | None, patient: str | None, broken: list[Broken]) -> Request:
    named = message.hook
    served = served_hook(named)
    if served is None:
        raise InputError("the request's hook is not one of " + ", ".join(SERVED))
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
    orders = being_written(message)
    if served.orders and orders is None:
        raise InputError(f"the context of {named} has no {served.orders}")
    ordered = _ordered(orders)
    if orders is not None and orders.entry and not ordered.resources and not broken:
        raise InputError(f"no entry of {served.orders} holds a resource")
    fetched, supplied, incomplete = take_prefetch(message.prefetch or {})
    urls = {id(resource): url for url, resource in ordered.urls.items()}
    selected = _selected(served.judged_as, context, ordered.resources, urls)
    drafts = [
        Draft(resource, selected is None or not selected.isdisjoint(_handles(resource, urls)))
        for resource in ordered.resources
        if resource.resourceType == "MedicationRequest"
    ]
    others = [resource for resource in ordered.resources if resource.resourceType != "MedicationRequest"]
    resources = [*others, *fetched.resources]
    for resource in resources:
        if resource.resourceType == "Patient" and resource.id != asked:
            raise InputError("the context and the prefetched Patient are not the same patient")
    return Request(
        served.judged_as,
        asked,
        resources,
        drafts,
        full_urls=ordered.urls | fetched.urls,
        not_supplied=tuple(kind for kind in PREFETCH_TYPES.values() if kind not in supplied),
        incomplete=incomplete,
        from_hook=True,
        written=frozenset(map(id, ordered.resources)),
    )


def _ordered(orders: Resource | None) -> Unpacked:
    """The orders being written: a Bundle of them, or a single resource."""
    if orders is None or orders.resourceType == "Bundle" or orders.entry is not None:
        return unpack(orders)
    return Unpacked([orders])


def _selected(hook: Hook, context: Context, ordered: list[Resource], urls: dict[int, str]) -> set[str] | None:
    """The handles of the orders just selected; None, meaning all, if the client does not say or no order matches."""
    if hook != "order-select" or not context.selections:
        return None
    wanted = {part for text in context.selections for part in _parts(text)}
    known = {handle for resource in ordered for handle in _handles(resource, urls)}
    return wanted & known or None


def _handles(resource: Resource, urls: dict[int, str]) -> set[str]:
    """All the forms in which a selection may name this resource."""
    return {*((resource.reference, resource.id) if resource.id else ()), *_parts(urls.get(id(resource), ""))}


def _parts(reference: str) -> set[str]:
    """A reference as ``Type/id``, and as it is written, because it may have no such form."""
    parts = reference.split("/_history/")[0].split("/")
    return {part for part in ("/".join(parts[-2:]), reference) if part}


def subject_id(resource: Resource, preferred: str = "") -> str | None:
    """The id of the patient a resource is about, or the reference itself when it is not ``Patient/id``."""
    reference = resource.subject or resource.patient
    if reference is None and given(resource.participant):  # an appointment names its patient among its participants
        actors = [each.actor for each in later(resource.participant, Participant) if each.actor]
        people = [each for each in actors if "Patient/" in (each.reference or "")]
        wanted = (each for each in people if preferred and (each.reference or "").split("/")[-1] == preferred)
        reference = next(wanted, people[0] if people else None)  # a mother may come with her child
    if reference is None or not reference.reference:
        return None
    parts = reference.reference.split("/_history/")[0].split("/")
    return parts[-1] if len(parts) >= 2 and parts[-2] == "Patient" else reference.reference


def _keep_newest(request: Request) -> None:
    """Keep every resource once. Raises InputError when versions of the Patient contradict each other."""
    request.resources, older, unclear = newest_versions(request.resources)
    kept: list[Draft] = []
    by_id: dict[str, list[Draft]] = {}
    for draft in request.drafts:
        same = by_id.setdefault(draft.resource.id or str(id(draft)), [])
        if len(same) < _MOST_DRAFTS and draft not in same:
            same.append(draft)
            kept.append(draft)
    request.older, request.unclear = older, unclear  # drafts have no versions: two of one id are two orders
    chosen = {id(draft.resource) for draft in kept}
    request.older += [draft.resource for draft in request.drafts if id(draft.resource) not in chosen]
    request.drafts = kept
    out = {id(resource) for resource in (*request.older, *unclear)}
    if out:  # a reference leads to what counts, never to an older version
        newest = {resource.reference: resource for resource in request.resources}
        request.full_urls = {
            url: newest.get(resource.reference, resource) if id(resource) in out else resource
            for url, resource in request.full_urls.items()
            if id(resource) not in out or resource.reference in newest
        }
    if any(resource.resourceType == "Patient" for resource in unclear):
        raise InputError("two versions of the Patient differ, and nothing says which is newer")


def _refuse_other_versions(resources: Iterable[Resource]) -> None:
    for resource in resources:
        kind = resource.resourceType
        if kind in _COMMON:
            continue
        if kind == "MedicationOrder" or (kind.startswith("Medication") and given(resource.medication)):
            raise InputError("the resources are not FHIR R4 (4.0.1), the only version that is read")


def newest_date(request: Request) -> datetime | None:
    """The newest effective, issued or authored moment of the input, for ``--at latest``."""
    found: list[tuple[Moment, str]] = []
    for resource in (*request.resources, *(draft.resource for draft in request.drafts)):
        period = resource.effectivePeriod
        texts = (resource.effectiveDateTime, resource.effectiveInstant, resource.issued, resource.authoredOn)
        for text in (*texts, period.start if period else None, period.end if period else None):
            moment = parse_moment(text)
            if moment is not None and text is not None:
                found.append((moment, text))
    return max((now for _, text in found if (now := parse_now(text)) is not None), default=None)
