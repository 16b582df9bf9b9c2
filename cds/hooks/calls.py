"""What the service is sent, as tolerant models: the contract that ``/openapi.json`` states for callers.

Calls are read by ``cds.chart``, which takes FHIR as real clients write it; a test holds the two together: what does not
fit these models is answered with 400. Fields that nobody here reads are let through.

Source: CDS Hooks 2.0.1, section Calling a CDS Service.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cds.compiled.hooks import HookName, orders_of


class _Received(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class Context(_Received):
    """Who is asked about. ``draftOrders`` or ``medications`` is needed by the hooks that have it; ``userId`` is not read and may be missing."""

    patientId: str = Field(min_length=1, description="The patient, as an id or as Patient/id.")
    draftOrders: Any = Field(default=None, description="A Bundle of the orders that are being written.")
    medications: Any = Field(default=None, description="A Bundle of the orders that are to be refilled.")
    selections: list[Any] | None = Field(default=None, description="References of the orders just selected.")


class Call(_Received):
    """A call of one service. ``hookInstance`` may be any text: some clients send the same one always."""

    hook: HookName
    hookInstance: str = Field(min_length=1)
    context: Context
    prefetch: dict[str, Any] | None = Field(
        default=None,
        description="By the keys of the discovery document; null or an empty searchset says that there is nothing, a key "
        "that is absent that nobody asked; what is neither resource nor null is named on a card.",
    )
    fhirServer: Any = Field(default=None, description="Called back only where the settings allow it.")
    fhirAuthorization: Any = Field(default=None, description="The token for fhirServer.")

    @model_validator(mode="after")
    def _orders(self) -> Call:
        field = orders_of(self.hook)
        if field and getattr(self.context, field) is None:
            raise ValueError(f"{self.hook} needs {field}")
        return self
