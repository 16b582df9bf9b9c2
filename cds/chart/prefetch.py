"""What a CDS Hooks client sent along, and what of it is missing.

A key that is absent was not supplied; null or an empty searchset says that there is nothing; an
OperationOutcome of severity error says that the client's server could not tell.
"""

from __future__ import annotations

from cds.chart.body import Unpacked, unpack
from cds.chart.wire import Resource

PREFETCH_TYPES = {
    "patient": "Patient",
    "medications": "MedicationRequest",
    "administrations": "MedicationAdministration",
    "statements": "MedicationStatement",
    "observations": "Observation",
    "conditions": "Condition",
    "procedures": "Procedure",
    "requests": "ServiceRequest",
    "allergies": "AllergyIntolerance",
    "appointments": "Appointment",
}
MORE_PAGES = "more pages exist that were not supplied"
SERVER_ERROR = "the server that was asked reported an error"

Incomplete = tuple[str, str]
"""A type of resource of which some are missing, and why."""


def take_prefetch(
    prefetch: dict[str, Resource | None],
) -> tuple[Unpacked, set[str], tuple[Incomplete, ...]]:
    """The resources, the types that were supplied, and those of which something is missing."""
    found = Unpacked()
    supplied: set[str] = set()
    incomplete: list[Incomplete] = []
    for key, value in prefetch.items():
        kind = PREFETCH_TYPES.get(key)
        if value is None:  # asked, and there is none
            supplied |= {kind} if kind else set()
            continue
        if value.resourceType == "OperationOutcome":
            continue  # the client failed to fetch it: as if it had not been supplied
        is_bundle = value.resourceType == "Bundle"
        here = unpack(value) if is_bundle else Unpacked([value])
        kinds = {resource.resourceType for resource in here.resources} - {"OperationOutcome"}
        found.resources += here.resources
        found.urls |= here.urls
        supplied |= kinds
        if kind and (is_bundle or value.resourceType == kind) and not (here.failed and kind not in kinds):
            supplied.add(kind)
        whose = [kind] if kind else sorted(kinds)
        incomplete += [(each, MORE_PAGES) for each in whose if here.partial]
        incomplete += [(each, SERVER_ERROR) for each in whose if here.failed and each in supplied]
    return found, supplied, tuple(incomplete)
