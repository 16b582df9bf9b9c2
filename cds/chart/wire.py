"""FHIR R4 as it comes over the wire: only the elements that are read, in one typed pass.

Numbers are kept as the bytes they were written in (``Raw``) until they are needed, so that a string
in place of a number, or an exponent, is noticed and not silently accepted.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

T = TypeVar("T")
ABSENT = Raw()
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What reading bytes may raise: not JSON, of another shape, not UTF-8, nested deeper than the reader follows."""


def given(raw: Raw) -> bool:
    """Whether an element kept as bytes is there and not null."""
    return raw is not ABSENT and bytes(raw) not in (b"", b"null")


class Wire(msgspec.Struct, gc=False, omit_defaults=True):
    """Base of all structs here; elements that a struct does not name are ignored."""


class Coding(Wire):
    system: str | None = None
    code: str | None = None
    display: str | None = None
    extension: Raw = ABSENT  # list of Extension


class Extension(Wire):
    """What a profile adds; only the elements of the extensions that are read."""

    url: str | None = None
    valueCoding: Coding | None = None
    valueDateTime: str | None = None
    valueQuantity: Quantity | None = None
    valueBoolean: bool | None = None
    extension: list[Extension] | None = None


class CodeableConcept(Wire):
    coding: list[Coding] | None = None
    text: str | None = None


class Reference(Wire):
    reference: str | None = None
    display: str | None = None


class Pointer(Wire):
    """A reference of which only the target is read: its display may be a person's name."""

    reference: str | None = None


class Identifier(Wire):
    system: str | None = None
    value: str | None = None


class Quantity(Wire):
    value: Raw = ABSENT
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Range(Wire):
    low: Quantity | None = None
    high: Quantity | None = None


class Period(Wire):
    start: str | None = None
    end: str | None = None


class Repeat(Wire):
    boundsPeriod: Period | None = None
    boundsDuration: Quantity | None = None
    boundsRange: Raw = ABSENT
    frequency: Raw = ABSENT
    frequencyMax: Raw = ABSENT
    period: Raw = ABSENT
    periodMax: Raw = ABSENT
    periodUnit: str | None = None
    dayOfWeek: list[str] | None = None
    timeOfDay: list[str] | None = None
    when: list[str] | None = None
    count: Raw = ABSENT


class Timing(Wire):
    repeat: Repeat | None = None
    code: CodeableConcept | None = None


class DoseAndRate(Wire):
    type: CodeableConcept | None = None
    doseQuantity: Quantity | None = None
    doseRange: Range | None = None


class Dosage(Wire):
    sequence: Raw = ABSENT
    text: str | None = None
    patientInstruction: str | None = None
    additionalInstruction: Raw = ABSENT  # list of CodeableConcept
    timing: Timing | None = None
    asNeededBoolean: bool | None = None
    asNeededCodeableConcept: CodeableConcept | None = None
    route: CodeableConcept | None = None
    doseAndRate: list[DoseAndRate] | None = None
    doseQuantity: Quantity | None = None  # Epic sends it here
    modifierExtension: Raw = ABSENT


class DispenseRequest(Wire):
    validityPeriod: Period | None = None


class ReferenceRange(Wire):
    high: Quantity | None = None
    text: str | None = None
    type: CodeableConcept | None = None


class Link(Wire):
    relation: str | None = None
    url: str | None = None


class Meta(Wire):
    versionId: str | None = None
    lastUpdated: str | None = None


class Issue(Wire):
    """One issue of an OperationOutcome."""

    severity: str | None = None


class Ratio(Wire):
    numerator: Quantity | None = None
    denominator: Quantity | None = None


class Ingredient(Wire):
    strength: Ratio | None = None
    itemCodeableConcept: CodeableConcept | None = None
    itemReference: Reference | None = None


class Reaction(Wire):
    """An allergic reaction; only the substance that caused it is read."""

    substance: CodeableConcept | None = None


class Participant(Wire):
    """Who takes part in an appointment."""

    actor: Pointer | None = None


class Valued(Wire):
    """What an Observation and each of its components says: what was measured, and the result."""

    code: CodeableConcept | None = None
    valueQuantity: Quantity | None = None
    valueRange: Range | None = None
    valueString: str | None = None
    valueInteger: Raw = ABSENT
    valueBoolean: bool | None = None
    valueDateTime: str | None = None
    valueCodeableConcept: CodeableConcept | None = None
    dataAbsentReason: CodeableConcept | None = None
    interpretation: Raw = ABSENT  # list of CodeableConcept
    referenceRange: Raw = ABSENT  # list of ReferenceRange


class Component(Valued):
    """Part of an Observation that has a code and a value of its own."""


class Resource(Valued):
    """Any resource: the elements of all types that are read, side by side.

    Elements that most resources have and few rules need stay ``Raw`` until :func:`later` reads them.
    """

    resourceType: str = ""
    id: str | None = None
    meta: Raw = ABSENT  # Meta
    implicitRules: str | None = None
    modifierExtension: Raw = ABSENT
    identifier: Raw = ABSENT  # list of Identifier
    extension: Raw = ABSENT  # list of Extension
    status: str | None = None
    intent: str | None = None
    doNotPerform: bool | None = None
    reportedBoolean: bool | None = None
    reportedReference: Pointer | None = None
    subject: Pointer | None = None
    patient: Pointer | None = None
    contained: Raw = ABSENT  # list of Resource
    # Patient
    birthDate: str | None = None
    gender: str | None = None
    deceasedBoolean: bool | None = None
    deceasedDateTime: str | None = None
    # Observation
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    effectiveInstant: str | None = None
    issued: str | None = None
    specimen: Reference | list[Reference] | None = None
    focus: Raw = ABSENT  # list of Pointer
    method: CodeableConcept | None = None
    component: Raw = ABSENT  # list of Component
    type: list[CodeableConcept] | CodeableConcept | str | None = None
    # medication resources
    medication: Raw = ABSENT  # R5, which is refused
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    dosageInstruction: list[Dosage] | None = None
    dosage: list[Dosage] | Dosage | None = None
    authoredOn: str | None = None
    dateAsserted: str | None = None
    priorPrescription: Pointer | None = None
    basedOn: Raw = ABSENT  # list of Pointer
    groupIdentifier: Identifier | None = None
    dispenseRequest: DispenseRequest | None = None
    reasonCode: Raw = ABSENT  # list of CodeableConcept
    form: CodeableConcept | None = None
    ingredient: Raw = ABSENT  # list of Ingredient
    # Condition, Procedure, ServiceRequest
    clinicalStatus: CodeableConcept | str | None = None
    verificationStatus: CodeableConcept | str | None = None
    onsetDateTime: str | None = None
    severity: CodeableConcept | None = None
    onsetPeriod: Period | None = None
    abatementDateTime: str | None = None
    recordedDate: str | None = None
    performedDateTime: str | None = None
    performedPeriod: Period | None = None
    category: Raw = ABSENT  # list of CodeableConcept (of codes in an AllergyIntolerance)
    bodySite: Raw = ABSENT  # compared, never read: a CodeableConcept, or a list of them
    occurrenceDateTime: str | None = None
    occurrencePeriod: Period | None = None
    # AllergyIntolerance, Appointment
    reaction: Raw = ABSENT  # list of Reaction
    participant: Raw = ABSENT  # list of Participant
    serviceCategory: Raw = ABSENT  # list of CodeableConcept
    serviceType: Raw = ABSENT  # list of CodeableConcept
    start: str | None = None
    created: str | None = None
    # Bundle, OperationOutcome
    entry: list[Entry] | None = None
    link: list[Link] | None = None
    issue: Raw = ABSENT  # list of Issue

    @property
    def reference(self) -> str:
        """``Type/id``, or the type alone for a resource without an id."""
        return f"{self.resourceType}/{self.id}" if self.id else self.resourceType


class EntryResponse(Wire):
    status: str | None = None


class EntryRequest(Wire):
    method: str | None = None
    url: str | None = None


class Entry(Wire):
    fullUrl: str | None = None
    resource: Resource | None = None
    response: EntryResponse | None = None
    request: EntryRequest | None = None


class Context(Wire):
    patientId: str | None = None
    draftOrders: Resource | None = None
    medications: Resource | None = None
    selections: list[str] | None = None


class Message(Resource):
    """The top of a file or body: a Bundle, a single resource, or a CDS Hooks request."""

    hook: str | None = None
    hookInstance: str | None = None
    fhirServer: str | None = None
    context: Context | None = None
    prefetch: dict[str, Resource | None] | None = None


class RawEntry(Wire):
    fullUrl: Any = None
    resource: Raw = ABSENT
    response: Any = None
    request: Any = None


class RawBundle(Wire):
    resourceType: Any = None
    id: Any = None
    entry: list[RawEntry | None] | None = None
    link: Any = None


class RawContext(Wire):
    patientId: Any = None
    draftOrders: Raw = ABSENT
    medications: Raw = ABSENT
    selections: Any = None


class RawMessage(RawBundle):
    hook: Any = None
    hookInstance: Any = None
    fhirServer: Any = None
    context: RawContext | None = None
    prefetch: dict[str, Raw] | None = None


message_decoder = msgspec.json.Decoder(Message)
resource_decoder = msgspec.json.Decoder(Resource)
raw_message_decoder = msgspec.json.Decoder(RawMessage)
raw_bundle_decoder = msgspec.json.Decoder(RawBundle)
_list_decoder = msgspec.json.Decoder(list[Raw])
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def later(raw: Raw, kind: type[T]) -> list[T]:
    """Decode a list that was kept as bytes; a single object in place of a list, as some clients send it, is a list of one."""
    if not given(raw):
        return []
    decoder = _decoders.setdefault(kind, msgspec.json.Decoder(kind))
    found = []
    try:
        parts = _list_decoder.decode(raw)
    except UNREADABLE:
        parts = [raw]
    for part in parts:  # an entry of another shape does not hide the others
        try:
            found.append(decoder.decode(part))
        except UNREADABLE:
            continue
    return found


def how_many(raw: Raw) -> int:
    """The number of entries of a list kept as bytes; one for anything that is not a list, so that it is not overlooked."""
    try:
        return len(_list_decoder.decode(raw))
    except UNREADABLE:
        return 1


exact_decoder = msgspec.json.Decoder(float_hook=Decimal)
"""JSON as plain values with decimals kept; for the rare resource that is echoed or mended."""
