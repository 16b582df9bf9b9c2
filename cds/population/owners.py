"""Which patients a resource of an export belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from cds.chart.wire import UNREADABLE
from cds.population.export import BOM


def resource_in(line: bytes) -> dict[str, Any] | None:
    """The resource in a line; None if none can be read."""
    try:
        resource = msgspec.json.decode(line.removeprefix(BOM))
    except UNREADABLE:
        return None
    return resource if isinstance(resource, dict) and isinstance(resource.get("resourceType"), str) else None


def owners_of(resource: dict[str, Any]) -> set[str]:
    """The ids of the patients that a resource is about: a Patient's own id; for an Appointment, all patients who take part."""
    if resource["resourceType"] == "Patient":
        return {str(resource["id"])} if resource.get("id") else set()
    found = next((each for name in ("subject", "patient") if (each := _reference(resource.get(name)))), "")
    if found:
        return {patient_in(found)}
    several = resource.get("participant")
    actors = [each.get("actor") for each in several if isinstance(each, dict)] if isinstance(several, list) else []
    return {patient_in(each) for each in map(_reference, actors) if "Patient/" in each}


def references_in(resource: Any, name: str) -> Iterator[str]:
    """Every reference under an element of that name, at any depth of a resource."""
    if isinstance(resource, list):
        for each in resource:
            yield from references_in(each, name)
    elif isinstance(resource, dict):
        for key, value in resource.items():
            if key == name and (reference := _reference(value)):
                yield reference
            yield from references_in(value, name)


def strings_in(value: Any) -> Iterator[str]:
    """Every text of a resource."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings_in(each)


def patient_in(reference: str) -> str:
    """The id of the patient that a reference points to: relative, absolute, with a version, or a UUID."""
    return _last_of(reference, "Patient")


def medication_in(reference: str) -> str:
    """The id of the Medication to which a reference points."""
    return _last_of(reference, "Medication")


def medications_of(resource: dict[str, Any]) -> set[str]:
    """The ids of all Medications that a resource or its ingredients point to."""
    names = ("medicationReference", "itemReference")
    return {medication_in(each) for name in names for each in references_in(resource, name)}


def _last_of(reference: str, kind: str) -> str:
    parts = reference.split("/_history/")[0].split("/")
    return parts[-1] if len(parts) >= 2 and parts[-2] == kind else reference.removeprefix("urn:uuid:")


def _reference(value: Any) -> str:
    reference = value.get("reference") if isinstance(value, dict) else None
    return reference if isinstance(reference, str) else ""
