"""Stories about reading: charts in the shapes that hospitals send them in."""

from __future__ import annotations

from tests.charts import (
    FIRST_LINE,
    LOINC,
    RXNORM,
    UCUM,
    Resource,
    bundle,
    count,
    day,
    drug,
    intake,
    itp,
    level,
    observation,
    patient,
    request,
    sirolimus,
    subject,
)
from tests.examples.story import Story

_ADULT = [patient(), itp()]
_TAKEN = sirolimus("siro-1", day(0), 2)
_BASELINE = count("plt-0", day(-2), 14)
_DAILY: Resource = {"frequency": 1, "period": 1, "periodUnit": "d"}


def _mg(value: float, unit: str = "mg") -> Resource:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def _typed(kind: str, value: float, unit: str) -> Resource:
    return {"type": {"coding": [{"code": kind}]}, "doseQuantity": _mg(value, unit)}


def _without(resource: Resource, *names: str) -> Resource:
    return {name: part for name, part in resource.items() if name not in names}


_SHAPED_ORDER = _without(sirolimus("order-7", day(20), 6), "medicationCodeableConcept", "dosageInstruction") | {
    "status": "draft",
    "category": [{"text": "Outpatient"}],
    "subject": {"reference": "https://ehr.example/fhir/R4/Patient/itp-1", "display": "Patient"},
    "medicationReference": {
        "reference": "https://ehr.example/fhir/R4/Medication/med-3",
        "display": "sirolimus 2 MG tablet",
    },
    "dosageInstruction": [
        {
            "timing": {
                "repeat": _DAILY,
                "code": {"coding": [{"system": "urn:oid:1.2.840.114350", "code": "3"}], "text": "Daily"},
            },
            "doseAndRate": [
                _typed("calculated", 0.1, "mg/kg"),
                _typed("admin-amount", 3, "{tbl}"),
                _typed("ordered", 6, "mg"),
            ],
        }
    ],
}
_SHAPED_MEDICATION: Resource = {
    "resourceType": "Medication",
    "id": "med-3",
    "code": {
        "coding": [
            {"system": "urn:oid:1.2.840.114350.1.13", "code": "33011"},
            {"system": "urn:oid:2.16.840.1.113883.6.88", "code": "360110"},
            {"system": RXNORM, "code": "35302"},
        ]
    },
}


def _shaped_request() -> Resource:
    body = request("order-sign", [patient(gender="male"), itp(), FIRST_LINE], [_SHAPED_ORDER, _SHAPED_MEDICATION])
    for entry in body["context"]["draftOrders"]["entry"]:
        del entry["fullUrl"]
    nothing = {"severity": "warning", "code": "not-found", "details": {"text": "Resource request returns no results."}}
    outcome = {"resourceType": "OperationOutcome", "issue": [nothing]}
    body["prefetch"]["procedures"] = {"resourceType": "Bundle", "type": "searchset", "total": 0,
                                      "entry": [{"search": {"mode": "outcome"}, "resource": outcome}]}  # fmt: skip
    body["extension"] = {"com.epic.cdshooks.request.bpa-trigger-action": "23"}
    return body


def _step(mg: float, sequence: int, days: int = 0) -> Resource:
    repeat = _DAILY | ({"boundsDuration": {"value": days, "unit": "d", "system": UCUM, "code": "d"}} if days else {})
    return {"sequence": sequence, "timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": _mg(mg)}]}


_PANEL = _without(observation("panel-1", "", day(28, "07:40"), None, ""), "valueQuantity") | {
    "code": {"text": "Immunosuppressants, whole blood"},
    "component": [
        {"code": {"coding": [{"system": LOINC, "code": "11253-2"}], "text": "Tacrolimus"}, "dataAbsentReason": {"text": "not ordered"}},
        {"code": {"coding": [{"system": LOINC, "code": "29247-4"}], "text": "Sirolimus"}, "valueString": "<2.0 ng/mL"},
    ],
}  # fmt: skip
_CLUMPS = _without(observation("smear", "7796-6", day(91, "08:00"), None, ""), "valueQuantity") | {
    "valueString": "present"
}

READING: tuple[Story, ...] = (
    Story(
        "as-one-ehr-sends-it",
        "6 mg a day is about to be signed for an adult. The drug stands in a Medication beside the order, under an absolute "
        "reference; the dose comes three times, as calculated, as tablets and as ordered; an empty search carries a warning.",
        _shaped_request(),
        (("doseAboveWindow", "warning", "Sirolimus 6 mg/day is above the adult starting window of 2-4 mg/day"),),
    ),
    Story(
        "corrected-level",
        "A level of 17 ng/mL was corrected to 7 by the laboratory the same afternoon: the first version does not count.",
        bundle(
            *_ADULT,
            _TAKEN,
            level("level-1", day(28, "07:40"), 17),
            level("level-2", day(28, "07:40"), 7, status="corrected"),
        ),
        (),
    ),
    Story(
        "clumped-count",
        "Day 91: 17 x 10^9/L, but the smear shows clumps. That is no count, and not the end of the drug.",
        bundle(
            *_ADULT,
            _BASELINE,
            _TAKEN,
            level("level-1", day(80, "07:40"), 8),
            count("plt-1", day(70), 64),
            count("plt-2", day(80), 71),
            count("plt-3", day(91, "08:00"), 17),
            _CLUMPS,
        ),
        (
            ("plateletCountNotUsable", "info", "Platelets 17 x 10^9/L on 2024-04-08 08:00 are no count: consider a smear and a citrate tube"),
            ("responsePartial", "info", "Partial response (PR, the working group's R) at the 3-month landmark"),
        ),
    ),
    Story(
        "five-days-of-paxlovid",
        "Nirmatrelvir with ritonavir for five days is about to be signed: the booster is what matters.",
        request(
            "order-sign",
            [*_ADULT, _TAKEN, level("level-1", day(30, "07:40"), 8)],
            [
                drug("paxlovid", "clarithromycin", day(40), status="draft")
                | {
                    "medicationCodeableConcept": {
                        "coding": [{"system": RXNORM, "code": "2587899", "display": "Paxlovid 5-Day"}]
                    },
                    "dosageInstruction": [_step(300, 1, 5)],
                }
            ],
        ),
        (
            (
                "strongInhibitor",
                "critical",
                "Strong inhibitor with sirolimus: nirmatrelvir and ritonavir; the label says to avoid the combination",
            ),
        ),
    ),
    Story(
        "taper-in-one-order",
        "One order of three steps: 4 mg for two weeks, 3 mg for two weeks, then 2 mg. Two days into the second step a level is drawn.",
        bundle(
            *_ADULT,
            sirolimus("siro-1", day(0), 4) | {"dosageInstruction": [_step(4, 1, 14), _step(3, 2, 14), _step(2, 3)]},
            intake("dose-1", day(15, "08:00")),
            level("level-1", day(16, "07:40"), 16),
        ),
        (("troughNotUsable", "info", "Sirolimus level 16 ng/mL on 2024-01-24 07:40 cannot steer the dose: consider drawing it again"),),
    ),
    Story(
        "level-inside-a-panel",
        "The laboratory reports a panel; the sirolimus in it is text, below the limit of quantitation.",
        bundle(*_ADULT, _TAKEN, intake("dose-1", day(27, "08:00")), _PANEL),
        (("troughLow", "warning", "Sirolimus trough <2 ng/mL on 2024-02-05 07:40 is below the target of 5-15 ng/mL"),),
    ),
    Story(
        "year-of-birth-only",
        "Only the year of birth is on record, and she may be 17 or 18: no window is applied.",
        bundle(patient("2006"), itp(), sirolimus("siro-1", day(0), 3), level("level-1", day(20, "07:40"), 8)),
        (("notAssessed", "info", "Not assessed: Birth date"),),
    ),
    Story(
        "weekly-for-another-reason",
        "6 mg once a week: not 6 mg a day, and not a schedule that the protocol knows.",
        bundle(
            *_ADULT,
            sirolimus("siro-1", day(0), 6, unit="wk"),
            level("level-1", day(25, "07:40"), 6),
            {"resourceType": "Encounter", "id": "visit", "status": "finished", "class": {"code": "AMB"}, "subject": subject()},
        ),
        (("notAssessed", "info", "Not assessed: Dose per day"),),
    ),
)  # fmt: skip
