"""What of a message is read, not used, ignored and unreadable, each with its FHIR path."""

from __future__ import annotations

from typing import Any

import pytest

from cds.chart.request import read_request
from cds.chart.survey import Finding, survey
from cds.compiled.knowledge import Knowledge
from tests.charts import (
    as_bytes,
    bundle,
    condition,
    count,
    day,
    drug,
    hcg,
    intake,
    itp,
    level,
    observation,
    patient,
    request,
    sirolimus,
)
from tests.judge import now_on


def findings(knowledge: Knowledge, *resources: dict[str, Any], on: int = 70) -> list[Finding]:
    return survey(read_request(as_bytes(bundle(patient(), *resources))), knowledge, now_on(on))


def the_one(knowledge: Knowledge, resource: dict[str, Any]) -> tuple[str, str, str]:
    finding = findings(knowledge, resource)[-1]
    return finding.verdict, finding.place.removeprefix("Bundle.entry[1].resource"), finding.says


GEL = {"text": "sirolimus gel"}
NO_DOSE = {"dosageInstruction": [{"text": "as told"}]}
LAB = {"resourceType": "Encounter", "id": "e", "status": "finished"}
PRESSURE = observation("bp", "85354-9", day(1), 1, "mm[Hg]")


@pytest.mark.parametrize(
    ("resource", "verdict", "at", "says"),
    [
        (sirolimus("s", day(0), 2), "read", "", "sirolimus, active order, 2 mg/day"),
        (sirolimus("s", day(0), 6, unit="wk"), "read", "", "sirolimus, active order, 6 mg weekly"),
        (sirolimus("s", day(0), 2) | {"status": "draft"}, "read", "", "sirolimus, draft order, 2 mg/day"),
        (sirolimus("s", day(0), 2) | NO_DOSE, "cannot be read", ".dosageInstruction[0].doseAndRate",
         "sirolimus: its dose is given in words only"),
        (sirolimus("s", day(0), 2) | {"medicationCodeableConcept": GEL}, "not used", "", "sirolimus: it is not taken by mouth"),
        (sirolimus("s", day(0), 2) | {"intent": "plan"}, "not used", ".intent", "sirolimus: its intent is 'plan'"),
        (sirolimus("s", day(0), 2, status="cancelled"), "not used", ".status", "sirolimus: its status is 'cancelled'"),
        (sirolimus("s", day(99), 2), "not used", "", "sirolimus: it begins after the time of judging"),
        (drug("c", "clarithromycin", day(1)), "read", "", "clarithromycin, active"),
        (drug("a", "azithromycin", day(1)), "ignored", "",
         "MedicationRequest http://www.nlm.nih.gov/research/umls/rxnorm|18631: no rule needs this code"),
        (intake("i", day(1, "08:00")), "read", "", "a dose of sirolimus that was given"),
        (intake("i", day(1)), "read", "", "a dose of sirolimus that was given (without a time of day)"),
        (level("l", day(9, "08:00"), 8), "read", "", "sirolimus level 8 ng/mL, final"),
        (level("l", day(9), 8, unit="nmol/L"), "read", "",
         "sirolimus level 7.31336 ng/mL (from 8 nmol/L), final, without a time of day"),
        (level("l", day(9, "08:00"), 8, unit="mol/L"), "cannot be read", ".value[x]", "sirolimus level: its unit is not understood"),
        (level("l", day(9, "08:00"), 8, status="entered-in-error"), "not used", ".status",
         "sirolimus-level: its status is 'entered-in-error'"),
        (level("l", day(99, "08:00"), 8), "not used", ".effective[x]", "sirolimus-level: it lies after the time of judging"),
        (level("l", day(9), 8, pid="other"), "cannot be read", ".subject", "sirolimus-level: it belongs to another patient"),
        (count("p", day(9, "08:00"), 80), "read", "", "platelet count 80 10^9/L, final"),
        (hcg(valueString="positive"), "read", "", "pregnancy test, final, without a time of day"),
        (itp(), "read", "", "Idiopathic thrombocytopenic purpura, active"),
        (itp() | {"verificationStatus": {"coding": [{"code": "refuted"}]}}, "not used", ".verificationStatus", "itp: it is refuted"),
        (condition("b", "249366005", None), "read", "", "Bleeding from nose, active"),
        (LAB, "ignored", "", "Encounter: no rule needs this type"),
        (PRESSURE, "ignored", "", "Observation http://loinc.org|85354-9: no rule needs this code"),
        ({"resourceType": "Medication", "id": "m"}, "read", "", "where an order or a result points to it"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_became_of_it(knowledge: Knowledge, resource: dict[str, Any], verdict: str, at: str, says: str) -> None:
    assert the_one(knowledge, resource) == (verdict, at, says)


@pytest.mark.parametrize(
    ("change", "verdict", "says"),
    [
        ({}, "read", "patient: birth date and sex"),
        ({"birthDate": "1990"}, "read", "birth date, not known to the day"),
        ({"birthDate": "soon"}, "cannot be read", "age: there is no birth date that can be read"),
        ({"deceasedBoolean": True}, "read", "has died: nothing is judged"),
    ],
)
def test_the_patient(knowledge: Knowledge, change: dict[str, Any], verdict: str, says: str) -> None:
    request = read_request(as_bytes(bundle(patient() | change, itp())))
    first = survey(request, knowledge, now_on(9))[0]
    assert (first.verdict, first.says) == (verdict, says)


def test_every_resource_of_a_request_has_its_place(knowledge: Knowledge) -> None:
    body = request(
        "order-sign", [patient(), itp(), level("l", day(9), 8)], [sirolimus("d", day(10), 2, status="draft")]
    )
    places = {f.reference: f.place for f in survey(read_request(as_bytes(body)), knowledge, now_on(12))}
    assert places == {
        "MedicationRequest/d": "context.draftOrders.entry[0].resource",
        "Patient/itp-1": "prefetch.patient",
        "Observation/l": "prefetch.observations.entry[0].resource",
        "Condition/itp": "prefetch.conditions.entry[0].resource",
    }


def test_versions_and_what_has_the_wrong_shape(knowledge: Knowledge) -> None:
    again = level("l", day(9), 9) | {"meta": {"versionId": "2"}}
    found = findings(knowledge, level("l", day(9), 8) | {"meta": {"versionId": "1"}}, again, LAB | {"status": 5},
                     sirolimus("s", day(0), 2) | {"authoredOn": 5}, level("m", day(9), 8), level("m", day(9), 9))  # fmt: skip
    told = {(f.place.removeprefix("Bundle."), f.verdict) for f in found}
    assert {
        ("entry[1].resource", "not used"),
        ("entry[2].resource", "read"),
        ("entry[3].resource.status", "ignored"),
        ("entry[4].resource.authoredOn", "cannot be read"),
        ("entry[5].resource", "cannot be read"),
        ("entry[6].resource", "cannot be read"),
    } <= told
