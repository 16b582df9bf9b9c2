"""The knowledge as FHIR R4: a PlanDefinition a rule, a ValueSet a value set, and the Library that holds them.

What a rule decides is given as text (our condition language is not CQL); codes are given in full. Each resource is held
against the R4B model before it leaves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from cds import __version__
from cds.authoring.page import condition_words, filled
from cds.compiled.knowledge import Citation, Concept, Knowledge, Suggestion, Variant
from cds.compiled.systems import ICD_11
from cds.knowledge.files import Folder, RuleFile
from cds.knowledge.rules import shown
from cds.knowledge.valuesets import OURS

Resource = dict[str, Any]
_PRIORITY = {"info": "routine", "warning": "urgent", "critical": "stat"}
_NOT_ORAL = "a product that is not taken by mouth, or does not act on the whole body"
_NOTICE = "Sirolimus in immune thrombocytopenia is off label. No substitute for judgement."


def resources(folder: Folder) -> list[Resource]:
    """Every resource of a sound folder, valid by its R4B model."""
    knowledge = folder.knowledge
    assert knowledge is not None, "only sound rules are exported"
    sets = list(_valuesets(folder, knowledge))
    plans = [_plan(file, folder, knowledge) for file in folder.files]
    found = [_library(knowledge, plans, sets), *plans, *sets]
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


# --- rules ---------------------------------------------------------------------------------------------------


def _plan(file: RuleFile, folder: Folder, knowledge: Knowledge) -> Resource:
    """A rule as an event-condition-action rule: an action for each degree and row of its table, of which the first that
    holds is the card."""
    rule, numbers = file.rule, {name: shown(number.value) for name, number in folder.names.numbers.items()}
    plan = _head("PlanDefinition", rule.id, rule.title, knowledge) | {
        "type": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/plan-definition-type", "code": "eca-rule"}]
        },
        "status": rule.status,
        "experimental": rule.status == "draft",
        "subjectCodeableConcept": {"coding": [{"system": "http://hl7.org/fhir/resource-types", "code": "Patient"}]},
        "usage": _NOTICE
        + (" Silent where one of these speaks: " + ", ".join(rule.yields_to) if rule.yields_to else ""),
        "relatedArtifact": [_cited(citation, knowledge) for citation in rule.citations],
        "action": [
            {
                "title": "The card",
                "description": "In this order; the first whose condition holds is the card, and no other.",
                "groupingBehavior": "logical-group",
                "selectionBehavior": "at-most-one",
                "action": [_action(file, v, numbers | v.row) for v in rule.variants if v.branches],
            }
        ],
    }
    if rule.signed:
        plan["reviewer"] = [{"name": signature} for signature in rule.signed]
    return plan


def _cited(citation: Citation, knowledge: Knowledge) -> Resource:
    source = knowledge.sources[citation.cite]
    artifact = {
        "type": "citation",
        "label": f"grade {citation.grade}, {citation.basis}",
        "display": citation.states,
        "citation": source.citation,
    }
    return artifact | ({"url": source.url} if source.url else {})


def _action(file: RuleFile, variant: Variant, numbers: dict[str, str]) -> Resource:
    rule, shape = file.rule, file.shape
    level = rule.levels[variant.level]
    words = condition_words([*shape.when, *(shape.levels[variant.level].when if shape.levels else ())], numbers)
    action: Resource = {
        "title": filled(level.summary, numbers),
        "textEquivalent": "\n".join(filled(line, numbers) for line in (level.summary, *level.detail)),
        "priority": _PRIORITY[level.indicator],
        "trigger": [{"type": "named-event", "name": hook} for hook in rule.hooks],
        "condition": [
            {
                "kind": "applicability",
                "expression": {
                    "language": "text/plain",
                    "description": "all of these hold",
                    "expression": "\n".join(words).replace("**", ""),
                },
            }
        ],
    }
    if level.suggestions:
        action["action"] = [_suggested(each, numbers) for each in level.suggestions]
        action["selectionBehavior"] = "any"
    return action


def _suggested(suggestion: Suggestion, numbers: dict[str, str]) -> Resource:
    kind = "update" if suggestion.action in ("change_dose", "hold") else "create"
    withheld = [f"not while {other} speaks" for other in suggestion.yields_to]
    withheld += [f"not if {suggestion.unless.replace('_', ' ')}"] if suggestion.unless else []
    withheld += [f"only if {suggestion.dose.replace('_', ' ')} is known"] if suggestion.dose else []
    condition = {"kind": "applicability", "expression": {"language": "text/plain", "expression": "\n".join(withheld)}}
    return {
        "title": filled(suggestion.label, numbers),
        **({"condition": [condition]} if withheld else {}),
        "type": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/action-type",
                    "code": "remove" if suggestion.action == "remove_draft" else kind,
                }
            ]
        },
    }


# --- value sets ----------------------------------------------------------------------------------------------


def _valuesets(folder: Folder, knowledge: Knowledge) -> Iterator[Resource]:
    """Each value set with all its codes; a code that looks right and is not taken is excluded, with the reason."""
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
        if not valueset["compose"]["include"]:  # known by name alone: FHIR wants something to include
            valueset["compose"]["include"] = [{"system": f"{OURS}:name", "concept": _by_name(known)}]
        yield valueset


_ICD_CM, _ICD_WHO = "http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10"


def _is_of(system: str, code: str) -> bool:
    """Whether a code can be one of its system's: records write ICD-10 without the dot, and of the American codes only those
    with one digit behind it are the WHO's too. Such spellings are read, and not told to others."""
    dotted = "." in code or len(code) <= 3
    if system == _ICD_WHO:
        return dotted and len(code) <= 5
    return dotted or system != _ICD_CM


def _included(by_system: dict[str, list[Resource]]) -> list[Resource]:
    return [{"system": system, "concept": concepts} for system, concepts in by_system.items()]


def _beginning(valueset: str, knowledge: Knowledge, excepted: bool) -> Iterator[Resource]:
    """The codes that are meant by their beginning, as a filter of each system; or those that are excepted from it."""
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
    """The beginning of an ICD code as a pattern: with the dot that stands behind its category of so many characters."""
    return prefix if len(prefix) <= category else f"{prefix[:category]}\\.{prefix[category:]}"


def _concept(code: str, meant: Sequence[Concept]) -> Resource:
    """A code with what it means to us: one drug or test, or the several drugs of a combination."""
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
    """The names by which a drug, a food or a condition is known where no code says it."""
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


def _library(knowledge: Knowledge, plans: list[Resource], sets: list[Resource]) -> Resource:
    """What belongs together, and the numbers that stand behind the rules' words."""
    protocol = knowledge.protocol
    return _head("Library", protocol.id, f"Sirolimus in immune thrombocytopenia: {protocol.title}", knowledge) | {
        "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/library-type", "code": "logic-library"}]},
        "status": "active" if all(plan["status"] == "active" for plan in plans) else "draft",
        "description": _NOTICE,
        "purpose": "Numbers: "
        + "; ".join(f"{name} {shown(value)}" for name, value in {**protocol.numbers, **knowledge.definitions}.items()),
        "relatedArtifact": [
            *({"type": "composed-of", "resource": f"{plan['url']}|{plan['version']}"} for plan in plans),
            *({"type": "depends-on", "resource": f"{each['url']}|{each['version']}"} for each in sets),
        ],
    }
