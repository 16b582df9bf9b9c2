"""Fetch what a client did not send from its own FHIR server, and put it where the prefetch would have been."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from cds.cards.build import NAMESPACE
from cds.chart.body import InputError, decode
from cds.chart.prefetch import MORE_PAGES, SOME_KEYS, came, type_of
from cds.chart.request import Request
from cds.chart.wire import UNREADABLE
from cds.hooks.auth import Caller
from cds.hooks.fetch import Server, allowed
from cds.hooks.peers import Peer

_PATIENT = "{{context.patientId}}"
_MOST_MEDICATIONS = 50
_MOST_OF_A_MEDICATION = 64 * 1024  # bytes; they are read while other calls wait


class Calling(msgspec.Struct):
    """The part of a request that names the FHIR server and the token; values of any type are accepted."""

    fhirServer: Any = None
    fhirAuthorization: Any = None


def server_of(body: bytes, caller: Caller) -> Server | None:
    """The FHIR server that a request names, with its token, if the settings allow that server for this caller."""
    if not caller.fhir_servers:
        return None
    try:
        calling = msgspec.json.decode(body, type=Calling)
    except UNREADABLE:
        return None
    named = calling.fhirServer if isinstance(calling.fhirServer, str) else None
    base = allowed(named, caller.fhir_servers)
    if base is None:
        return None
    given = calling.fhirAuthorization if isinstance(calling.fhirAuthorization, dict) else {}
    token = given.get("access_token")
    usable = isinstance(token, str) and token.isascii() and token.isprintable() and " " not in token
    return Server(base, token if usable and isinstance(token, str) else "")


def missing(question: Request, templates: Mapping[str, str]) -> dict[str, str]:
    """The queries whose answers were not sent, or not completely, with the patient's id filled in."""
    lacking = {*question.not_supplied, *(kind for kind, why in question.incomplete if why in (MORE_PAGES, SOME_KEYS))}
    partly = {kind for kind, why in question.incomplete if why == SOME_KEYS}
    here = {key for key, value in (question.message.prefetch or {}).items() if came(value)}
    patient = quote(question.patient_id, safe="")
    if patient in (".", ".."):  # not an id, but a path that reaches every patient
        return {}
    return {
        key: template.replace(_PATIENT, patient)
        for key, template in templates.items()
        if (kind := type_of(key)) in lacking and not (kind in partly and key in here)
    }


def medications(question: Request, server: Server) -> dict[str, str]:
    """Reads of the Medications that orders refer to and that were not sent; only those on this server.

    A reference to a version is not read, since a server may not keep versions, and the newest may be another drug. Nor is an
    id that some order refers to on another server: once fetched, the resource would be used for that order, too.
    """
    known = {resource.reference for resource in question.resources} | set(question.full_urls)
    ours = re.compile(rf"(?:{re.escape(server.base)}/)?(Medication/[A-Za-z0-9-][A-Za-z0-9.-]{{0,63}})")
    found: dict[str, None] = {}
    elsewhere: set[str] = set()
    for resource in (*question.resources, *(draft.resource for draft in question.drafts)):
        pointed = resource.medicationReference
        if pointed is None or not pointed.reference:
            continue
        match = ours.fullmatch(pointed.reference)
        if match is None:
            elsewhere.add("/".join(pointed.reference.split("/_history/")[0].split("/")[-2:]))
        elif known.isdisjoint((match[0], match[1])):
            found[match[1]] = None
    wanted = [read for read in found if read not in elsewhere][:_MOST_MEDICATIONS]
    # the keys are in our own namespace and differ in each round: resources fetched earlier must not be overwritten
    return {f"{NAMESPACE}.fetched-{len(known)}-{number}": read for number, read in enumerate(wanted)}


def _is_what_was_read(answer: bytes, read: str) -> bool:
    """Whether the answer to a read is that Medication, and is not entered in error. A larger answer cannot be a Medication."""
    if len(answer) > _MOST_OF_A_MEDICATION:
        return False
    try:
        got, broken = decode(answer)
    except InputError:
        return False
    return not broken and f"{got.resourceType}/{got.id}" == read and got.status != "entered-in-error"


async def completed(
    body: bytes, peer: Peer, server: Server, queries: Mapping[str, str], seconds: float
) -> tuple[bytes, int]:
    """The request with the fetched resources added to its prefetch, and how many queries were answered."""
    answers = await peer.fetch(server, queries, seconds)
    found = {
        key: answer
        for key, answer in answers.items()
        if not queries[key].startswith("Medication/") or _is_what_was_read(answer, queries[key])
    }
    if not found:
        return body, 0
    whole = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    prefetch: dict[str, msgspec.Raw] = {}
    if bytes(whole.get("prefetch", msgspec.Raw(b"null"))) not in (b"", b"null"):
        prefetch = msgspec.json.decode(whole["prefetch"], type=dict[str, msgspec.Raw])
    prefetch |= {key: msgspec.Raw(answer) for key, answer in found.items()}
    whole["prefetch"] = msgspec.Raw(msgspec.json.encode(prefetch))
    return msgspec.json.encode(whole), len(found)
