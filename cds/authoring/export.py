"""What codes mean in the rules, as FHIR R4 for a terminology server: one ValueSet per value set, and the Library that lists them.

Each resource is validated against the R4B model before it is returned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from cds import __version__
from cds.chart.words import said
from cds.compiled.knowledge import Concept, Knowledge
from cds.compiled.systems import ICD_11, OURS
from cds.knowledge.files import Folder

Resource = dict[str, Any]
_NOT_ORAL = "a product that is not taken by mouth, or does not act on the whole body"
_NOTICE = "Sirolimus in immune thrombocytopenia is off label. No substitute for clinical judgement."


def resources(folder: Folder) -> list[Resource]:
    """Every resource of a sound folder, valid by its R4B model."""
    knowledge = folder.knowledge
    assert knowledge is not None, "only sound rules are exported"
    sets = list(_valuesets(folder, knowledge))
    found = [_library(knowledge, sets), *sets]
    for resource in found:
        kind = resource["resourceType"]
        getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind).model_validate(resource)
    return found


def bundle(found: list[Resource]) -> Resource:
    """A transaction that puts all of them on a server under their own ids."""
    entries = [
        {
            "fullUrl": each["url"],
            "resource": each,
            "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"},
        }
        for each in found
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _head(kind: str, name: str, title: str, knowledge: Knowledge) -> Resource:
    return {
        "resourceType": kind,
        "id": name,
        "url": f"{OURS}:{kind}:{name}",
        "version": f"{__version__}+{knowledge.hash}",
        "name": "".join(part.capitalize() for part in name.split("-")),
        "title": title,
    }


# --- value sets ----------------------------------------------------------------------------------------------


def _valuesets(folder: Folder, knowledge: Knowledge) -> Iterator[Resource]:
    """Each value set with all its codes; a code that looks right but is not accepted is excluded, with the reason."""
    taken: dict[str, dict[str, list[Resource]]] = {}
    left: dict[str, dict[str, list[Resource]]] = {}
    for system, codes in knowledge.codes.items():
        for code, several in codes.items():
            mine: dict[tuple[str, bool], list[Concept]] = {}
            for concept in several if _is_of(system, code) else ():
                mine.setdefault((concept.valueset, bool(concept.rejected) or not concept.oral), []).append(concept)
            for (name, out), concepts in mine.items():
                (left if out else taken).setdefault(name, {}).setdefault(system, []).append(_concept(code, concepts))
    for name, shape in folder.valuesets.items():
        source = knowledge.sources[shape.cite]
        valueset = _head("ValueSet", name, shape.means, knowledge) | {
            "status": "draft",
            "description": f"{shape.means}. Source: {source.citation}",
            "compose": {"include": [*_included(taken.get(name, {})), *_beginning(name, knowledge, excepted=False)]},
        }
        if excluded := [*_included(left.get(name, {})), *_beginning(name, knowledge, excepted=True)]:
            valueset["compose"]["exclude"] = excluded
        if known := _names(name, knowledge):
            valueset["extension"] = known
        if not valueset["compose"]["include"]:  # known by name alone, but FHIR requires something to include
            valueset["compose"]["include"] = [{"system": f"{OURS}:name", "concept": _by_name(known)}]
        yield valueset


_ICD_CM, _ICD_WHO = "http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10"


def _is_of(system: str, code: str) -> bool:
    """Whether a code can belong to its system: records write ICD-10 without the dot, and of the American codes only those with one
    digit after it are also WHO codes. Such spellings are read, but not exported."""
    dotted = "." in code or len(code) <= 3
    if system == _ICD_WHO:
        return dotted and len(code) <= 5
    return dotted or system != _ICD_CM


def _included(by_system: dict[str, list[Resource]]) -> list[Resource]:
    return [{"system": system, "concept": concepts} for system, concepts in by_system.items()]


def _beginning(valueset: str, knowledge: Knowledge, excepted: bool) -> Iterator[Resource]:
    """The codes that a prefix includes, as one filter per system; or, with ``excepted``, those that are excepted from it."""
    for system, beginnings in knowledge.prefixes.items():
        begins = sorted(
            {
                each
                for prefix, meant in beginnings.items()
                for concept, but in meant
                if concept.valueset == valueset
                for each in (but if excepted else (prefix,))
            }
        )
        if begins:
            pattern = "|".join(_dotted(each, 4 if system == ICD_11 else 3) for each in begins)
            yield {"system": system, "filter": [{"property": "code", "op": "regex", "value": f"({pattern}).*"}]}


def _dotted(prefix: str, category: int) -> str:
    """A prefix of an ICD code as a pattern, with the dot after the first ``category`` characters."""
    return prefix if len(prefix) <= category else f"{prefix[:category]}\\.{prefix[category:]}"


def _concept(code: str, meant: Sequence[Concept]) -> Resource:
    """A code with its meaning in the rules: one drug or test, or the several drugs of a combination."""
    extensions = [
        {
            "url": f"{OURS}:means",
            "extension": [{"url": key, "valueString": value} for key, value in _said(concept).items() if value],
        }
        for concept in dict.fromkeys(meant)
    ]
    display = " / ".join(dict.fromkeys(concept.display or concept.name for concept in meant))
    return {"extension": extensions, "code": code, "display": display}


def _said(concept: Concept) -> dict[str, str]:
    return {
        "name": concept.name,
        "strength": concept.strength,
        "rejected": concept.rejected,
        "not-oral": "" if concept.oral else _NOT_ORAL,
    }


def _names(valueset: str, knowledge: Knowledge) -> list[Resource]:
    """The names by which a drug, a food or a condition is recognised if there is no code."""
    problems = ((word, concept) for word, several in knowledge.problems.items() for concept in several)
    known = [*knowledge.names.items(), *knowledge.words.items(), *problems]
    return [
        {
            "url": f"{OURS}:known-by-name",
            "extension": [
                {"url": "name", "valueString": word},
                {"url": "means", "valueString": concept.name},
            ],
        }
        for word, concept in known
        if concept.valueset == valueset
    ]


def _by_name(known: list[Resource]) -> list[Resource]:
    return [{"code": each["extension"][0]["valueString"]} for each in known]


# --- the library ---------------------------------------------------------------------------------------------


def _library(knowledge: Knowledge, sets: list[Resource]) -> Resource:
    """The Library: the list of the value sets, and the numbers that the rules' words mean."""
    protocol = knowledge.protocol
    return _head("Library", protocol.id, f"Sirolimus in immune thrombocytopenia: {protocol.title}", knowledge) | {
        "type": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/library-type", "code": "asset-collection"}]
        },
        "status": "draft",
        "description": _NOTICE,
        "purpose": "Numbers: "
        + "; ".join(f"{name} {said(value)}" for name, value in {**protocol.numbers, **knowledge.definitions}.items()),
        "relatedArtifact": [{"type": "composed-of", "resource": f"{each['url']}|{each['version']}"} for each in sets],
    }
