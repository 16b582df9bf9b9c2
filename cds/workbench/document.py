"""The chart as the document received, with its decimals: read, searched, written, and turned into a CDS Hooks request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from cds.chart.body import InputError
from cds.chart.prefetch import PREFETCH_TYPES
from cds.chart.wire import exact_decoder
from cds.compiled.hooks import Hook

Json = dict[str, Any]
_encode = msgspec.json.Encoder(decimal_format="number").encode
_KEYS = {kind: key for key, kind in PREFETCH_TYPES.items()} | {"Medication": "medications", "Specimen": "observations"}
"""The prefetch key of each resource type; resources that orders and results refer to go with them."""


def document_of(text: str) -> Json:
    """A document that :func:`cds.chart.request.read_request` could read.

    Raises:
        InputError: not JSON, or no object.
    """
    try:
        document = exact_decoder.decode(text.encode())
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError, ArithmeticError):
        raise InputError("this is not JSON") from None
    if not isinstance(document, dict):
        raise InputError("this is neither a FHIR Bundle nor a CDS Hooks request")
    return document


def written(document: Any, indent: int = 0) -> bytes:
    """The document as JSON, with numbers unchanged; ``indent`` formats it for people."""
    text = _encode(document)
    return msgspec.json.format(text, indent=indent) if indent else text


def resources(document: Any) -> Iterator[Json]:
    """Every resource of a Bundle or of a request's prefetch and drafts."""
    stack: list[Any] = [document]
    while stack:
        one = stack.pop()
        if isinstance(one, list):
            stack += reversed(one)
        elif isinstance(one, dict):
            if one.get("resourceType") not in (None, "Bundle"):
                yield one
            else:
                stack += [one[key] for key in reversed(list(one)) if key != "fhirAuthorization"]


def reference(resource: Json) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id')}"


def find(document: Json, wanted: str) -> Json | None:
    """The resource with this reference; None if there is none, or more than one."""
    found = [each for each in resources(document) if reference(each) == wanted]
    return found[0] if len(found) == 1 else None


def as_request(document: Json, hook: Hook, patient: str) -> Json | None:
    """The CDS Hooks request with which an EHR would ask the same; None for a Bundle that holds more than plain resources."""
    if document.get("resourceType") != "Bundle":
        return document
    entries = document.get("entry") or []
    if document.get("link") or not isinstance(entries, list) or not all(map(_is_plain, entries)):
        return None
    drafts = [each for each in entries if _is_draft(each["resource"])]
    if hook == "patient-view" and drafts:
        return None  # patient-view has no field for draft orders
    by_key: dict[str, list[Json]] = {key: [] for key in PREFETCH_TYPES}
    for each in entries:
        key = _KEYS.get(each["resource"]["resourceType"])
        if key is not None and not _is_draft(each["resource"]):  # no rule reads anything else
            by_key[key].append(each)
    people = [each["resource"] for each in by_key.pop("patient") if each["resource"].get("id") == patient]
    prefetch: Json = {"patient": people[0] if len(people) == 1 else None}
    for key, found in by_key.items():
        prefetch[key] = {"resourceType": "Bundle", "type": "searchset", "entry": found} if found else None
    context: Json = {"userId": "Practitioner/example", "patientId": patient}
    if hook != "patient-view":
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": drafts}
    if hook == "order-select":
        context["selections"] = [reference(each["resource"]) for each in drafts]
    return {
        "hook": hook,
        "hookInstance": "00000000-0000-4000-8000-000000000000",
        "context": context,
        "prefetch": prefetch,
    }


def _is_plain(entry: Any) -> bool:
    """Whether an entry is one resource with its address, and not another Bundle or an OperationOutcome of the server."""
    if not isinstance(entry, dict) or not entry.keys() <= {"fullUrl", "resource", "search"}:
        return False
    resource = entry.get("resource")
    return isinstance(resource, dict) and resource.get("resourceType") not in (None, "Bundle", "OperationOutcome")


def _is_draft(resource: Json) -> bool:
    return resource["resourceType"] == "MedicationRequest" and resource.get("status") == "draft"
