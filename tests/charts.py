"""Small builders of real-looking FHIR R4 for tests and examples. Days count from the first dose."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

START = date(2024, 1, 8)
"""Day 0 of every course here, a Monday."""

Resource = dict[str, Any]
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
OURS = "urn:sirolimus-itp-cds:observation"
PATIENT = "itp-1"
TABLETS = {
    "0.5": ("905158", "sirolimus 0.5 MG Oral Tablet"),
    "1": ("349208", "sirolimus 1 MG Oral Tablet"),
    "2": ("360110", "sirolimus 2 MG Oral Tablet"),
}
SOLUTION = ("314230", "sirolimus 1 MG/ML Oral Solution")
DRUGS = {
    "clarithromycin": ("21212", "clarithromycin"),
    "rifampin": ("9384", "rifampin"),
    "fluconazole": ("4450", "fluconazole"),
    "prednisone": ("8640", "prednisone"),
    "eltrombopag": ("711942", "eltrombopag"),
    "ciclosporin": ("3008", "ciclosporin"),
    "rituximab": ("121191", "rituximab"),
    "azithromycin": ("18631", "azithromycin"),
    "ivig": ("", "Privigen"),
    "ibuprofen": ("5640", "ibuprofen"),
    "lisinopril": ("29046", "lisinopril"),
}


def day(number: int, clock: str = "") -> str:
    """The date of a day of the course, with a time of day if given (``08:00``)."""
    text = (START + timedelta(days=number)).isoformat()
    return f"{text}T{clock}:00+00:00" if clock else text


def subject(patient: str = PATIENT) -> Resource:
    return {"reference": f"Patient/{patient}"}


def patient(born: str = "1990-03-14", gender: str = "female", pid: str = PATIENT) -> Resource:
    return {"resourceType": "Patient", "id": pid, "gender": gender, "birthDate": born}


def itp(pid: str = PATIENT) -> Resource:
    return {
        "resourceType": "Condition",
        "id": "itp",
        "clinicalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
        },
        "code": {"coding": [{"system": SNOMED, "code": "32273002", "display": "Idiopathic thrombocytopenic purpura"}]},
        "subject": subject(pid),
        "onsetDateTime": "2023-02-01",
    }


def condition(rid: str, code: str, onset: str | None, status: str = "active", system: str = SNOMED) -> Resource:
    resource = itp() | {"id": rid, "code": {"coding": [{"system": system, "code": code}]}}
    resource["clinicalStatus"]["coding"][0]["code"] = status
    del resource["onsetDateTime"]
    return resource | ({"onsetDateTime": onset} if onset else {})


def sirolimus(
    rid: str,
    start: str,
    mg: float,
    *,
    tablet: str = "1",
    solution: bool = False,
    status: str = "active",
    end: str | None = None,
    times: int = 1,
    period: int = 1,
    unit: str = "d",
    pid: str = PATIENT,
    **more: Any,
) -> Resource:
    """An order of ``mg`` an intake, ``times`` in ``period`` ``unit``."""
    code, display = SOLUTION if solution else TABLETS[tablet]
    bounds: Resource = {"start": start} | ({"end": end} if end else {})
    return {
        "resourceType": "MedicationRequest",
        "id": rid,
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code, "display": display}]},
        "subject": subject(pid),
        "authoredOn": start,
        "dosageInstruction": [
            {
                "timing": {
                    "repeat": {"boundsPeriod": bounds, "frequency": times, "period": period, "periodUnit": unit}
                },
                "doseAndRate": [{"doseQuantity": {"value": mg, "unit": "mg", "system": UCUM, "code": "mg"}}],
            }
        ],
    } | more


def drug(
    rid: str,
    name: str,
    start: str,
    *,
    status: str = "active",
    end: str | None = None,
    mg: float | None = None,
    as_needed: bool = False,
    pid: str = PATIENT,
) -> Resource:
    """An order of another drug, by ingredient."""
    code, display = DRUGS[name]
    concept: Resource = (
        {"coding": [{"system": RXNORM, "code": code, "display": display}]} if code else {"text": display}
    )
    dosage: Resource = {"timing": {"repeat": {"boundsPeriod": {"start": start} | ({"end": end} if end else {})}}}
    if as_needed:
        dosage["asNeededBoolean"] = True
    if mg is not None:
        dosage["timing"]["repeat"] |= {"frequency": 1, "period": 1, "periodUnit": "d"}
        dosage["doseAndRate"] = [{"doseQuantity": {"value": mg, "unit": "mg", "system": UCUM, "code": "mg"}}]
    return {
        "resourceType": "MedicationRequest",
        "id": rid,
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": concept,
        "subject": subject(pid),
        "authoredOn": start,
        "dosageInstruction": [dosage],
    }


def graded(
    rid: str, when: str, grade: Any, system: str = OURS, code: str = "who-bleeding-grade", **more: Any
) -> Resource:
    """Bleeding by the grade of the WHO."""
    return {
        "resourceType": "Observation",
        "id": rid,
        "status": "final",
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": subject(),
        "effectiveDateTime": when,
        "valueInteger": grade,
    } | more


def ordered(rid: str, code: str, when: str | None = None, **more: Any) -> Resource:
    """An open order of a test or, by a code of SNOMED CT, of an operation."""
    system = LOINC if "-" in code else SNOMED
    request: Resource = {
        "resourceType": "ServiceRequest",
        "id": rid,
        "status": "active",
        "intent": "order",
        "subject": subject(),
        "code": {"coding": [{"system": system, "code": code}]},
    }
    return request | ({"authoredOn": when} if when else {}) | more


def bloods(when: str, pid: str = PATIENT) -> list[Resource]:
    """Every test that is watched on sirolimus, done and normal."""
    alt = observation("alt", "1742-6", when, 22, "U/L", pid=pid)
    alt["referenceRange"] = [{"high": {"value": 40, "unit": "U/L", "system": UCUM, "code": "U/L"}}]
    screens = {"hbsag": "5196-1", "anti-hbc": "13952-7", "hcv": "13955-0", "hiv": "56888-1", "igra": "71773-6"}
    negative = {"coding": [{"system": SNOMED, "code": "260385009", "display": "Negative"}]}
    return [
        observation("hemoglobin", "718-7", when, 13.6, "g/dL", pid=pid),
        observation("creatinine", "2160-0", when, 0.8, "mg/dL", pid=pid),
        alt,
        observation("glucose", "1558-6", when, 88, "mg/dL", pid=pid),
        observation("triglycerides", "2571-8", when, 120, "mg/dL", pid=pid),
        observation("protein", "2890-2", when, 0.1, "g/g", pid=pid),
        *(answered(name, code, when, negative, pid) for name, code in screens.items()),
    ]


def answered(rid: str, code: str, when: str, answer: Resource, pid: str = PATIENT) -> Resource:
    """A test whose result is a word."""
    test = observation(rid, code, when, None, "", pid=pid)
    del test["valueQuantity"]
    return test | {"valueCodeableConcept": answer}


def watched(when: str) -> list[Resource]:
    """Every test that is watched on sirolimus is on its way."""
    codes = (
        "57021-8",
        "57698-3",
        "2160-0",
        "24325-3",
        "1558-6",
        "2890-2",
        "5196-1",
        "13952-7",
        "13955-0",
        "56888-1",
        "71773-6",
    )
    return [ordered(f"w{code}", code, when) for code in codes]


FIRST_LINE = drug("first-line", "prednisone", day(-400), status="stopped", end=day(-370), mg=60)
"""What was given before sirolimus: long over."""


def observation(
    rid: str,
    code: str,
    when: str,
    value: float | None,
    unit: str,
    *,
    status: str = "final",
    comparator: str = "",
    pid: str = PATIENT,
) -> Resource:
    quantity: Resource = {"value": value, "unit": unit, "system": UCUM, "code": unit}
    if comparator:
        quantity["comparator"] = comparator
    return {
        "resourceType": "Observation",
        "id": rid,
        "status": status,
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": subject(pid),
        "effectiveDateTime": when,
        "valueQuantity": quantity,
    }


def level(rid: str, when: str, value: float, unit: str = "ng/mL", **more: Any) -> Resource:
    return observation(rid, "29247-4", when, value, unit, **more)


def count(rid: str, when: str, value: float, unit: str = "10*3/uL", **more: Any) -> Resource:
    return observation(rid, "777-3", when, value, unit, **more)


def weight(rid: str, when: str, kg: float) -> Resource:
    return observation(rid, "29463-7", when, kg, "kg")


def height(rid: str, when: str, cm: float) -> Resource:
    return observation(rid, "8302-2", when, cm, "cm")


def visit(when: str) -> Resource:
    """Something of no interest to the rules, so that the chart has a newest date."""
    return observation("temperature", "8310-5", when, 36.6, "Cel")


def intake(rid: str, when: str, pid: str = PATIENT) -> Resource:
    """A dose of sirolimus that was given."""
    return {
        "resourceType": "MedicationAdministration",
        "id": rid,
        "status": "completed",
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "349208"}]},
        "subject": subject(pid),
        "effectiveDateTime": when,
    }


def bundle(*resources: Resource) -> Resource:
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": f"https://ehr.example/fhir/{r['resourceType']}/{r['id']}", "resource": r} for r in resources
        ],
    }


PREFETCH = {
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


def request(
    hook: str,
    resources: list[Resource],
    drafts: list[Resource] | None = None,
    selections: list[str] | None = None,
    pid: str = PATIENT,
) -> Resource:
    """A CDS Hooks request with everything in prefetch."""
    context: Resource = {"userId": "Practitioner/example", "patientId": pid}
    if hook != "patient-view":
        context["draftOrders"] = bundle(*(drafts or []))
    if hook == "order-select":
        context["selections"] = (
            selections if selections is not None else [f"MedicationRequest/{d['id']}" for d in drafts or []]
        )
    prefetch: Resource = {}
    for resource in resources:
        if resource["resourceType"] == "Patient":
            prefetch["patient"] = resource
    for kind, key in PREFETCH.items():
        found = [{"resource": r} for r in resources if r["resourceType"] == kind]
        prefetch[key] = {"resourceType": "Bundle", "type": "searchset", "total": len(found)} | (
            {"entry": found} if found else {}
        )
    return {
        "hook": hook,
        "hookInstance": "3f2b9a52-3c1f-4d0e-9b7e-0d5a7f1c2e44",
        "context": context,
        "prefetch": prefetch,
    }


def as_bytes(value: Resource) -> bytes:
    return json.dumps(value).encode()


def given(name: str, rid: str, when: str) -> Resource:
    """A drug that was given, once."""
    order = drug(rid, name, when)
    return {"resourceType": "MedicationAdministration", "id": rid, "status": "completed", "subject": subject(), "effectiveDateTime": when,
            "medicationCodeableConcept": order["medicationCodeableConcept"]}  # fmt: skip


def hcg(**answer: Any) -> Resource:
    """A pregnancy test on day 65, with its answer in whatever form."""
    test = observation("h", "21198-7", day(65), 1, "x")
    del test["valueQuantity"]
    return test | answer


def as_json(resource: Resource) -> Resource:
    """As an EHR would store it: numbers plain."""
    return json.loads(json.dumps(resource, default=lambda v: float(v) if isinstance(v, Decimal) else v))  # type: ignore[no-any-return]
