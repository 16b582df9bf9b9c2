"""The prefetch that a CDS Hooks client sent, and what is missing from it.

A key that is absent was not supplied; null or an empty searchset says that there is nothing; an
OperationOutcome of severity error says that the client's server could not answer.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

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
_PART = re.compile(
    r"(observations)-([1-9][0-9]?)-of-([1-9][0-9]?)"
)  # no other key may come in parts: medications are whole or missing
MORE_PAGES = "more pages exist that were not supplied"
SOME_KEYS = "only some of the prefetch keys for them were supplied"
SERVER_ERROR = "the server that was asked reported an error"

Incomplete = tuple[str, str]
"""A resource type of which some resources are missing, and the reason."""


def whole_of(key: str) -> str:
    """The key for the whole, given a key that may be for a part: ``observations`` for ``observations-2-of-5``."""
    part = _PART.fullmatch(key)
    return part[1] if part else key


def type_of(key: str) -> str | None:
    """The resource type that a key supplies, in whole or in part; None for an unknown key."""
    return PREFETCH_TYPES.get(whole_of(key))


def part_of(key: str, number: int, parts: int) -> str:
    """The key for one part of what ``key`` supplies."""
    return f"{key}-{number}-of-{parts}"


def take_prefetch(prefetch: dict[str, Resource | None]) -> tuple[Unpacked, set[str], tuple[Incomplete, ...]]:
    """The resources, the types that were supplied, and those of which something is missing."""
    found = Unpacked()
    answered: set[str] = set()  # keys
    met: set[str] = set()  # types found under keys for other types
    incomplete: dict[Incomplete, set[str]] = {}  # with the keys it applies to
    for key, value in prefetch.items():
        if not came(value):
            continue
        here, kind = _unpacked(value), type_of(key)
        kinds = {resource.resourceType for resource in here.resources} - {"OperationOutcome"}
        found.resources += here.resources
        found.urls |= here.urls
        met |= kinds - {kind or ""}
        if _answers(value, kind) and not (here.failed and kind not in kinds):
            answered.add(key)
        for each in [kind] if kind else sorted(kinds):
            for why, true in ((MORE_PAGES, here.partial), (SERVER_ERROR, here.failed)):
                if true:
                    incomplete.setdefault((each, why), set()).add(key)
    return found, *_joined(answered, met, incomplete)


def came(value: Resource | None) -> bool:
    """Whether the value of a key is an answer; an OperationOutcome means that the client failed to fetch it, and counts as absent."""
    return value is None or value.resourceType != "OperationOutcome"


def _unpacked(value: Resource | None) -> Unpacked:
    if value is None:  # asked, and there is none
        return Unpacked()
    return unpack(value) if value.resourceType == "Bundle" else Unpacked([value])


def _answers(value: Resource | None, kind: str | None) -> bool:
    return kind is not None and (value is None or value.resourceType in ("Bundle", kind))


def _joined(
    answered: set[str], met: set[str], incomplete: dict[Incomplete, set[str]]
) -> tuple[set[str], tuple[Incomplete, ...]]:
    """The types that were supplied, whole or in parts, and those of which something is missing.

    If all parts were supplied, it does not matter what is missing from the same results under their single key.
    """
    wholes, some = _series(answered)
    supplied = met | {PREFETCH_TYPES[key] for key in (answered & PREFETCH_TYPES.keys()) | wholes}
    partly = {PREFETCH_TYPES[key] for key in some} - supplied
    supplied |= partly
    left = [
        each for each, keys in incomplete.items() if keys - wholes and (each[0] in supplied or each[1] != SERVER_ERROR)
    ]
    return supplied, (*left, *((kind, SOME_KEYS) for kind in sorted(partly)))


def _series(keys: Iterable[str]) -> tuple[set[str], set[str]]:
    """The keys of which all parts are among ``keys``, and those of which only some are."""
    numbers: dict[tuple[str, str], set[str]] = defaultdict(set)
    for key in keys:
        if part := _PART.fullmatch(key):
            numbers[part[1], part[3]].add(part[2])
    wholes = {key for (key, of), seen in numbers.items() if seen >= set(map(str, range(1, int(of) + 1)))}
    return wholes, {key for key, _ in numbers} - wholes
