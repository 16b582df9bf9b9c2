"""The requests that the service receives, as tolerant models: the contract that ``/openapi.json`` states for callers.

Calls are read by ``cds.chart``, which takes FHIR as real clients write it; a test keeps the two consistent: a call
that does not fit these models is answered with 400. Fields that the service does not read are accepted.

Source: CDS Hooks 2.0.1, section Calling a CDS Service.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cds.compiled.hooks import HookName, orders_of


class _Received(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class Context(_Received):
    """The patient and orders. Hooks with ``draftOrders`` or ``medications`` require it; ``userId`` is not read and may be missing."""

    patientId: str = Field(min_length=1, description="The patient, as an id or as Patient/id.")
    draftOrders: Any = Field(default=None, description="A Bundle of the orders that are being written.")
    medications: Any = Field(default=None, description="A Bundle of the orders that are to be refilled.")
    selections: list[Any] | None = Field(default=None, description="References of the orders just selected.")


class Call(_Received):
    """A call to one service. ``hookInstance`` may be any text: some clients always send the same one."""

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
