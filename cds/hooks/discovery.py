"""The answer to ``GET /cds-services``: one service per hook, with the prefetch that the rules need."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from cds.chart.prefetch import PREFETCH_TYPES, part_of
from cds.compiled.hooks import SERVED, UNLESS_SET, HookName
from cds.compiled.knowledge import Knowledge
from cds.compiled.systems import OURS, SHORT

_PATIENT = "{{context.patientId}}"
_ROOM = 1_750
"""Maximum length of the encoded codes in one query. With a patient id of 64 characters and the rest of the query, an address stays under
1,900 characters, which clients and proxies accept."""
_IN_ADDRESS = ":/"  # left unescaped in the name of a code system; anything else could end the query
_FIRST = ("level", "trough", "platelets", "clumps", "weight", "height")  # needed for every judgement


def service_id(hook: HookName) -> str:
    return f"sirolimus-itp-{hook}"


SERVICES = {service_id(hook): hook for hook in SERVED}
"""The hook of each service id; the settings may choose which are served."""


def discovery(knowledge: Knowledge, hooks: Iterable[HookName] = UNLESS_SET) -> dict[str, Any]:
    """The discovery document of a service that answers these hooks."""
    return {"services": [_service(hook, knowledge) for hook in hooks]}


def _service(hook: HookName, knowledge: Knowledge) -> dict[str, Any]:
    return {
        "hook": hook,
        "id": service_id(hook),
        "title": "Sirolimus in immune thrombocytopenia",
        "description": f"Dose, level, response and interactions of sirolimus in primary ITP (off label), {SERVED[hook].when}. "
        f"{_signed_off(knowledge)}; no substitute for clinical judgement.",
        "version": "2.0.1",
        "hookVersion": SERVED[hook].version,
        "usageRequirements": "FHIR R4 (4.0.1) only. The prefetch key 'medications' is mandatory and must hold the whole history; "
        "what is missing of the other keys is named on a card (but for requests and appointments). Keys that are absent are fetched from fhirServer where the "
        "service's settings allow that server; otherwise everything is judged from prefetch alone.",
        "prefetch": prefetch(knowledge),
    }


def _signed_off(knowledge: Knowledge) -> str:
    drafts = sum(rule.status == "draft" for rule in knowledge.rules)
    if drafts == len(knowledge.rules):
        return "Draft rules, not clinically signed off"
    if drafts:
        return f"{drafts} of {len(knowledge.rules)} rules are drafts, not clinically signed off"
    return "Clinically signed off by the site's own reviewers"


def prefetch(knowledge: Knowledge) -> dict[str, str]:
    """The prefetch templates: one query per key, with ``{{context.patientId}}`` as the only token. Results are split into as many queries
    as their codes need."""
    queries = {key: f"{kind}?patient={_PATIENT}" for key, kind in PREFETCH_TYPES.items()}
    queries["patient"] = f"Patient/{_PATIENT}"
    found: dict[str, str] = {}
    for key, query in queries.items():
        found |= _in_parts(query, knowledge) if key == "observations" else {key: query}
    return found


def _in_parts(query: str, knowledge: Knowledge) -> dict[str, str]:
    """The queries of results by key, the newest result first."""
    parts = _parts(_observed(knowledge))
    return {
        part_of("observations", number, len(parts)): f"{query}&code={','.join(codes)}&_sort=-date"
        for number, codes in enumerate(parts, 1)
    }


def _parts(tokens: Iterable[str]) -> list[list[str]]:
    """The tokens in order, divided into parts that each fit into one address."""
    parts: list[list[str]] = [[]]
    room = _ROOM
    for token in tokens:
        needed = len(quote(f"{token},", safe="%"))
        if needed > room:
            parts.append([])
            room = _ROOM
        parts[-1].append(token)
        room -= needed
    return parts


def _observed(knowledge: Knowledge) -> list[str]:
    """Every observation code that the rules read, by LOINC or by a code system of the site, in a fixed order.

    Codes of our own system are left out: a server knows them only through a mapping that its site has made.
    """
    by_name: dict[str, list[str]] = defaultdict(list)
    for system, codes in knowledge.codes.items():
        if system == "http://loinc.org" or not (system in SHORT or system.startswith(OURS)):
            for code, meant in codes.items():
                if not meant[0].rejected and (system in SHORT or meant[0].name in knowledge.measures):
                    by_name[meant[0].name].append(f"{quote(system, safe=_IN_ADDRESS)}|{_escaped(code)}")
    ordered = [*_FIRST, *sorted(by_name.keys() - set(_FIRST))]
    return [token for name in ordered for token in sorted(by_name[name])]


def _escaped(code: str) -> str:
    """A code as a token of a search, escaped for use in a URL."""
    return quote(re.sub(r"([\\$,|])", r"\\\1", code))
