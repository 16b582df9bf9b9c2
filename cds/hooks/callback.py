"""What a client did not send along, asked of its own FHIR server, and put where its prefetch would have been."""

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
    """The part of a request that says whom to ask; whatever its shape."""

    fhirServer: Any = None
    fhirAuthorization: Any = None


def server_of(body: bytes, caller: Caller) -> Server | None:
    """The FHIR server that a request names, if this caller's are allowed to be asked; with its token."""
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
    """The queries whose answers were not sent, or not whole, with the patient filled in."""
    lacking = {*question.not_supplied, *(kind for kind, why in question.incomplete if why in (MORE_PAGES, SOME_KEYS))}
    partly = {kind for kind, why in question.incomplete if why == SOME_KEYS}
    here = {key for key, value in (question.message.prefetch or {}).items() if came(value)}
    patient = quote(question.patient_id, safe="")
    if patient in (".", ".."):  # no id, but a way to every patient
        return {}
    return {
        key: template.replace(_PATIENT, patient)
        for key, template in templates.items()
        if (kind := type_of(key)) in lacking and not (kind in partly and key in here)
    }


def medications(question: Request, server: Server) -> dict[str, str]:
    """Reads of the Medications that orders only refer to and that nobody sent; only those of this server.

    A version of one is not asked for, since a server may not keep it, and the newest may be another drug. Nor is an id
    that some order has from elsewhere: once here, it would be taken for that one too.
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
    # the keys are ours alone, and differ from round to round: what was fetched before must not be overwritten
    return {f"{NAMESPACE}.fetched-{len(known)}-{number}": read for number, read in enumerate(wanted)}


def _is_what_was_read(answer: bytes, read: str) -> bool:
    """Whether the answer to a read of a Medication is that Medication, and stands; none of any size is so large."""
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
    """The request with what could be fetched in its prefetch, and how many queries were answered."""
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
