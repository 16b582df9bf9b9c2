"""What the service sends, as strict models: the cards, the discovery document, an error.

They are the contract of ``/openapi.json``. Answers are validated against them before they are sent in tests and
where ``check_answers`` is set; otherwise not, since validation costs more than judging.

Source: CDS Hooks 2.0.1, sections Discovery and CDS Service Response; where 3.0 is stricter, 3.0.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from cds.compiled.hooks import HookName

Text = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]
Uuid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Template = Annotated[
    str, StringConstraints(pattern=r"^[A-Z][A-Za-z]+(/\{\{context\.\w+\}\}|\?patient=\{\{context\.patientId\}\}.*)$")
]


class NotValid(Exception):
    """An answer that must not be sent; ``str`` names the places, never the values."""


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)


class Coding(_Sent):
    """A code with its system; ``display`` is required wherever we send one."""

    system: Text
    code: Text
    display: Text


class Topic(Coding):
    """The rule behind a card: clients tie what a user set aside to this code, so it never changes between calls."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,100}$")]


class Source(_Sent):
    """Where the advice comes from."""

    label: Text
    url: AnyHttpUrl | None = None
    icon: AnyHttpUrl | None = None
    topic: Topic


class Action(_Sent):
    """One change of an order: a whole resource to create or update, or the reference of one to delete."""

    type: Literal["create", "update", "delete"]
    description: Text
    resource: dict[str, Any] | None = None
    resourceId: Annotated[str, StringConstraints(pattern=r"^[A-Z]\w+/\S+$")] | None = None

    @model_validator(mode="after")
    def _resource_or_reference(self) -> Action:
        wanted = self.resourceId if self.type == "delete" else self.resource
        other = self.resource if self.type == "delete" else self.resourceId
        if wanted is None or other is not None:
            raise ValueError("create and update need a resource, delete needs a resourceId, and neither both")
        return self


class Suggestion(_Sent):
    """A button with one action; some clients support no more than one."""

    label: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    uuid: Uuid
    isRecommended: bool
    actions: list[Action] = Field(min_length=1)


class Card(_Sent):
    """A piece of advice. ``extension`` holds the rule, its facts and what was missing, for machines."""

    uuid: Uuid
    summary: Annotated[str, StringConstraints(min_length=1, max_length=139, pattern=r"^[^\n\r]+$")]
    indicator: Literal["info", "warning", "critical"]
    source: Source
    detail: Text
    suggestions: list[Suggestion] | None = None
    selectionBehavior: Literal["any"] | None = None
    overrideReasons: list[Coding] | None = None
    extension: dict[
        Literal["net.sirolimus-itp-cds.findings", "net.sirolimus-itp-cds.gaps", "net.sirolimus-itp-cds.heldBack"], Any
    ]

    @model_validator(mode="after")
    def _how_to_select(self) -> Card:
        if (self.suggestions is None) != (self.selectionBehavior is None):
            raise ValueError("suggestions and selectionBehavior come together")
        return self


class Answer(_Sent):
    """The answer to a call. An empty list of cards means that no rule fired; nothing else in the answer may be empty."""

    cards: list[Card]

    @model_validator(mode="before")
    @classmethod
    def _nothing_empty(cls, value: Any) -> Any:
        cards = value.get("cards") if isinstance(value, dict) else None
        if isinstance(cards, list) and any(map(_empty, cards)):
            raise ValueError("null or an empty value inside a card")
        return value

    @model_validator(mode="after")
    def _ids_once(self) -> Answer:
        ids = [card.uuid for card in self.cards]
        ids += [each.uuid for card in self.cards for each in card.suggestions or ()]
        if len(ids) != len(set(ids)):
            raise ValueError("a uuid is used twice")
        return self


class Service(_Sent):
    """One service of the discovery document."""

    hook: HookName
    id: Annotated[str, StringConstraints(pattern=r"^[a-z-]+$")]
    title: Text
    description: Text
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
    hookVersion: Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+){1,2}$")]
    usageRequirements: Text
    prefetch: dict[str, Template]


class Services(_Sent):
    """The discovery document."""

    services: list[Service]


class Issue(_Sent):
    """What is wrong with a call, in our own words."""

    severity: Literal["error"]
    code: Text
    diagnostics: Text


class OperationOutcome(_Sent):
    """The body of every answer that is not 200."""

    resourceType: Literal["OperationOutcome"]
    issue: list[Issue] = Field(min_length=1)


def _empty(value: Any) -> bool:
    if value is None or value in ("", [], {}):
        return True
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(map(_empty, parts))


def check_answer(content: bytes) -> None:
    """Validate an answer against the models, and the resources that it would create against FHIR R4B.

    Raises:
        NotValid: it breaks the contract.
    """
    try:
        answer = Answer.model_validate_json(content)
        for card in answer.cards:
            for suggestion in card.suggestions or ():
                for action in suggestion.actions:
                    if action.type == "create":  # an order that is changed stays as its sender wrote it
                        _check_resource(action.resource or {})
    except ValidationError as error:
        found = error.errors(include_input=False)
        raise NotValid(" ".join(sorted({".".join(map(str, each["loc"])) or "answer" for each in found}))) from None


def _check_resource(resource: dict[str, Any]) -> None:
    from fhir.resources.R4B import get_fhir_model_class  # takes a second to import, and is only needed here

    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
