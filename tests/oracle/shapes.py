"""FHIR R4 resources as an EHR sends them, for the generator: nothing here knows a rule."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

Json = dict[str, Any]

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10_WHO = "http://hl7.org/fhir/sid/icd-10"
ICD10_GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
ICD11 = "http://id.who.int/icd/release/11/mms"
ATC = "http://www.whocc.no/atc"
UCUM = "http://unitsofmeasure.org"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
PATIENT = "Patient/p-1"

SIROLIMUS_TABLETS = {"0.5": "905158", "1": "349208", "2": "360110"}
SIROLIMUS_SOLUTION = "314230"
SIROLIMUS_PLAIN = "35302"


class Story:
    """A patient's record on a day line: day 0 is ``base``; resources gather in ``made``."""

    def __init__(self, base: date, offset: str) -> None:
        self.base = base
        self.offset = offset
        self.made: list[Json] = []
        self.drafts: list[Json] = []
        self.count = 0

    def new(self, kind: str, **rest: Any) -> Json:
        """A resource of ``kind`` with an id; the caller decides where it goes."""
        self.count += 1
        resource: Json = {"resourceType": kind, "id": f"{kind.lower()}-{self.count}"}
        resource["subject"] = {"reference": PATIENT}
        resource.update(rest)
        return resource

    def add(self, kind: str, **rest: Any) -> Json:
        """A resource on record."""
        resource = self.new(kind, **rest)
        self.made.append(resource)
        return resource

    def day(self, day: int) -> str:
        """The date of a day of the story."""
        return (self.base + timedelta(days=day)).isoformat()

    def at(self, day: int, time: str | None) -> str:
        """The date, with a time where there is one."""
        return self.day(day) if time is None else f"{self.day(day)}T{time}:00{self.offset}"

    def moment(self, day: int, time: str) -> datetime:
        """The same as a datetime."""
        return datetime.fromisoformat(self.at(day, time))


def coded(system: str, code: str, display: str | None = None) -> Json:
    """A CodeableConcept with one coding."""
    coding = {"system": system, "code": code}
    if display:
        coding["display"] = display
    return {"coding": [coding]}


def quantity(value: float, unit: str, comparator: str | None = None) -> Json:
    """A Quantity in UCUM."""
    made: Json = {"value": value, "unit": unit, "system": UCUM, "code": unit}
    if comparator:
        made["comparator"] = comparator
    return made


RHYTHMS: dict[str, Json] = {
    "daily": {"frequency": 1, "period": 1, "periodUnit": "d"},
    "twice": {"frequency": 2, "period": 1, "periodUnit": "d"},
    "alternate": {"frequency": 1, "period": 2, "periodUnit": "d"},
    "weekly": {"frequency": 1, "period": 1, "periodUnit": "wk"},
}


def dosage(mg: float, rhythm: str, bounds: Json, unit: str = "mg") -> list[Json]:
    """One dosageInstruction: so many mg (or mL of the solution) an intake, in a rhythm, within bounds."""
    repeat: Json = dict(RHYTHMS[rhythm])
    if bounds:
        repeat = {"boundsPeriod": bounds, **repeat}
    return [{"timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": quantity(mg, unit)}]}]


def as_bundle(patient: Json, resources: list[Json]) -> Json:
    """A plain Bundle: judged as when a chart is opened."""
    entries = [
        {"fullUrl": f"https://ehr.example/fhir/{r['resourceType']}/{r['id']}", "resource": r}
        for r in [patient, *resources]
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


KEYS = {
    "MedicationRequest": "medications",
    "MedicationAdministration": "administrations",
    "MedicationStatement": "statements",
    "Observation": "observations",
    "Condition": "conditions",
    "Procedure": "procedures",
    "ServiceRequest": "requests",
    "AllergyIntolerance": "allergies",
    "Appointment": "appointments",
}


def as_request(
    hook: str, patient: Json, resources: list[Json], drafts: list[Json], selections: list[str] | None
) -> Json:
    """A CDS Hooks request: the record in the prefetch, the drafts in the context."""
    context: Json = {"userId": "Practitioner/example", "patientId": patient["id"]}
    if hook != "patient-view":
        context["draftOrders"] = {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": draft} for draft in drafts],
        }
    if selections is not None:
        context["selections"] = selections
    prefetch: Json = {"patient": patient}
    for kind, key in KEYS.items():
        entries = [{"resource": r} for r in resources if r["resourceType"] == kind]
        bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
        if entries:
            bundle["entry"] = entries
        prefetch[key] = bundle
    return {
        "hook": hook,
        "hookInstance": "3f2b9a52-3c1f-4d0e-9b7e-0d5a7f1c2e44",
        "context": context,
        "prefetch": prefetch,
    }
