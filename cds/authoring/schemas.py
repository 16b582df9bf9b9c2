"""JSON Schemas of the files under ``rules/``, for editors: made from the shapes that the files are read with.

They say which keys there are and what they contain; whether the content makes sense as a whole, only ``check`` can tell.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from cds.authoring.scenarios import ScenarioShape
from cds.compiled.template import AS_REPORTED
from cds.knowledge.measures import MeasureShape
from cds.knowledge.shapes import (
    NumberShape,
    ProtocolShape,
    ReasonShape,
    RuleShape,
    SourceShape,
    TestShape,
    ValueSetShape,
)
from cds.knowledge.withheld import WithheldShape
from cds.knowledge.words import (
    AllergiesShape,
    Assays,
    FormsShape,
    OperationsShape,
    ProblemsShape,
    Results,
    SayingsShape,
    SpecimenShape,
)
from cds.vocabulary import VOCABULARY

_SUBJECTS = "dosing,interactions,monitoring,response,safety,trough"
KINDS: dict[str, tuple[str, Any]] = {
    "rule": (f"rules/{{{_SUBJECTS}}}/*.yaml", RuleShape),
    "protocol": ("rules/protocols/*.yaml", ProtocolShape),
    "valueset": ("rules/valuesets/*.yaml", ValueSetShape),
    "scenario": ("rules/scenarios/**/*.yaml", ScenarioShape),
    "definitions": ("rules/definitions.yaml", dict[str, NumberShape]),
    "schedule": ("rules/schedule.yaml", dict[str, TestShape]),
    "tests": ("rules/tests.yaml", dict[str, MeasureShape]),
    "sources": ("rules/sources.yaml", dict[str, SourceShape]),
    "override-reasons": ("rules/override-reasons.yaml", dict[str, ReasonShape]),
    "withhold": ("rules/withhold.yaml", dict[str, WithheldShape]),
    "dosage": ("rules/words/dosage.yaml", dict[str, SayingsShape]),
    "forms": ("rules/words/forms.yaml", FormsShape),
    "problems": ("rules/words/problems.yaml", ProblemsShape),
    "assays": ("rules/words/assays.yaml", Assays),
    "allergies": ("rules/words/allergies.yaml", AllergiesShape),
    "operations": ("rules/words/operations.yaml", OperationsShape),
    "results": ("rules/words/results.yaml", Results),
    "specimens": ("rules/words/specimens.yaml", dict[str, SpecimenShape]),
}
"""Each kind of file: the files of that kind, and the shape that they are read as."""


class _AsWritten(GenerateJsonSchema):
    """Numbers are numbers in YAML, and a word that looks like one may be written without quotes."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> dict[str, Any]:
        return {"type": "number"}

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> dict[str, Any]:
        made = super().function_before_schema(schema)
        return made | {"type": ["string", "number"]} if made.get("type") == "string" else made


def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a kind of file."""
    glob, shape = KINDS[kind]
    made = TypeAdapter(shape).json_schema(schema_generator=_AsWritten)
    made |= {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "description": f"A file {glob} of sirolimus-cds.",
    }
    if kind == "rule":
        reported = [f"{fact.name}{AS_REPORTED}" for fact in VOCABULARY.values() if fact.report]
        facts = {"propertyNames": {"enum": sorted([*VOCABULARY, *reported])}}
        made["$defs"]["CaseShape"]["properties"]["given"] |= facts
        made["properties"]["background"] |= facts
        cited = made["properties"]["sources"]["items"]
        from_protocol = {"type": "object", "properties": {"protocol": {"type": "string"}}, "required": ["protocol"]}
        made["properties"]["sources"]["items"] = {"anyOf": [cited, from_protocol | {"additionalProperties": False}]}
    return made


def plain(value: Any) -> Any:
    """A default value as JSON accepts it, for example a decimal as a float."""
    return float(value) if isinstance(value, Decimal) else str(value)
