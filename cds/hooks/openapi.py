"""``/openapi.json``: the addresses of the service and the messages of each, from the models themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from cds import __version__
from cds.compiled.hooks import UNLESS_SET, HookName
from cds.hooks.calls import Call
from cds.hooks.discovery import service_id
from cds.hooks.feedback import Batch
from cds.hooks.messages import Answer, OperationOutcome, Services

_REF = "#/components/schemas/{model}"
_RECEIVED: tuple[type[BaseModel], ...] = (Call, Batch)
_SENT: tuple[type[BaseModel], ...] = (Services, Answer, OperationOutcome)
_WRONG = {
    400: "The body is not a call of this service, or its parts contradict one another.",
    401: "The call is not authenticated.",
    404: "There is no such service.",
    408: "The body did not arrive in time.",
    412: "The prefetch key `medications` was not supplied and could not be fetched: nothing can be judged.",
    413: "The body is too large.",
    415: "The body is compressed, or not application/json.",
    503: "Too many calls at once; come again after `retry-after` seconds.",
}
_ALWAYS = (401, 503)
_WITH_BODY = (400, 404, 408, 413, 415, *_ALWAYS)


def openapi(authenticated: bool, hooks: Iterable[HookName] = UNLESS_SET) -> dict[str, Any]:
    """The document, OpenAPI 3.1; ``authenticated`` says whether callers must bring a token."""
    _, schemas = models_json_schema(
        [*((model, "validation") for model in _RECEIVED), *((model, "validation") for model in _SENT)],
        ref_template=_REF,
    )
    service = {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "enum": [service_id(hook) for hook in hooks]},
    }
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Sirolimus in immune thrombocytopenia: CDS Hooks services",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/cds-services": {"get": _operation("Which services there are, and their prefetch", Services, _ALWAYS)},
            "/cds-services/{id}": {
                "parameters": [service],
                "post": _operation("The cards for one patient", Answer, (412, *_WITH_BODY), Call),
            },
            "/cds-services/{id}/feedback": {
                "parameters": [service],
                "post": _operation("What became of cards", None, _WITH_BODY, Batch),
            },
        },
        "components": {"schemas": schemas["$defs"]},
    }
    if authenticated:
        document["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        }
        document["security"] = [{"token": []}]
    return document


def _operation(
    summary: str, sent: type[BaseModel] | None, wrong: tuple[int, ...], received: type[BaseModel] | None = None
) -> dict[str, Any]:
    good: dict[str, Any] = {"type": "object"} if sent is None else {"$ref": _REF.format(model=sent.__name__)}
    outcome = {"$ref": _REF.format(model=OperationOutcome.__name__)}
    operation: dict[str, Any] = {
        "summary": summary,
        "responses": {"200": _body("The answer.", good)}
        | {str(status): _body(_WRONG[status], outcome) for status in sorted(wrong)},
    }
    if received is not None:
        content = _body("", {"$ref": _REF.format(model=received.__name__)})["content"]
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _body(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
