"""Stories that are days of the scenarios in rules/scenarios/: the FHIR is what a scenario becomes."""

from __future__ import annotations

import json

from cds.authoring.scenarios import Check, body_of, scenarios_of
from cds.engine import CheckedEngine
from cds.knowledge.load import load
from tests.conftest import RULES
from tests.examples.story import Card, Story

_SCENARIOS = {scenario.document.path.split("/")[-1]: scenario for scenario in scenarios_of(RULES, [])}
_ENGINE = CheckedEngine(load())


def told(name: str, day: str, *cards: Card, hook: str = "patient-view", draft: str = "") -> Story:
    """One day of a scenario, with the cards it should bring, written by hand."""
    scenario = _SCENARIOS[f"{name}.yaml"]
    check: Check = next(
        each
        for each in scenario.checks
        if (each.shape.day, each.shape.hook) == (day, hook) and draft in each.shape.draft
    )
    body, _ = body_of(check, _ENGINE.knowledge)
    return Story(name, scenario.shape.story, json.loads(body), cards)


TOLD = (
    told(
        "a-graded-bleed",
        "22",
        (
            "bleedingWithLowPlatelets",
            "critical",
            "Platelets 25 x 10^9/L on 2024-01-30 with bleeding: consider the emergency pathway",
        ),
    ),
    told(
        "first-order-prepared",
        "-3",
        (
            "baselineWorkup",
            "info",
            "Before the first dose of sirolimus: blood count, lipids, creatinine, liver enzymes, glucose, protein in urine, hepatitis B surface…",
        ),
        hook="order-sign",
    ),
    told(
        "high-for-a-reason",
        "41",
        ("troughHigh", "warning", "Sirolimus trough 17 ng/mL on 2024-02-17 07:40 is above the target of 5-15 ng/mL"),
        ("moderateModulator", "info", "Sirolimus with fluconazole: settled, and the level is outside the target"),
    ),
    told(
        "rifampin",
        "40",
        (
            "interactingDrugStopped",
            "warning",
            "Stopped while on sirolimus: rifampin; no level shows the effect yet",
        ),
    ),
    told(
        "falling-counts-at-a-high-level",
        "60",
        (
            "fallingPlateletsOnSirolimus",
            "warning",
            "Platelets fell by 60.53 %, and something else is wrong: the drug or microangiopathy before a relapse",
        ),
        ("troughHigh", "warning", "Sirolimus trough 18 ng/mL on 2024-03-08 07:40 is above the target of 5-15 ng/mL"),
        ("exposureShift", "info", "Sirolimus exposure by mg is 2 times that of the level before: consider why"),
    ),
    told(
        "allergies",
        "0",
        ("allergy", "critical", "Allergy to peanut: the oral solution of sirolimus holds soya oil"),
        hook="order-sign",
        draft="solution",
    ),
    told(
        "before-surgery",
        "46",
        (
            "surgeryPlanned",
            "warning",
            "Surgery ahead on sirolimus (cholecystectomy): wound healing against relapse",
        ),
    ),
    told(
        "hepatitis-b",
        "15",
        ("hepatitisB", "warning", "Hepatitis B may come back on sirolimus: surface antigen positive on 2024-01-13"),
    ),
    told("core-antibody-from-immunoglobulin", "15"),
    told(
        "few-neutrophils",
        "29",
        (
            "neutropenia",
            "critical",
            "Neutrophils 0.4 x 10^9/L on 2024-02-05: grade 4 (CTCAE 5); consider holding sirolimus; also: High lipids on sirolimus",
        ),
    ),
    told(
        "confirmed-response-lost",
        "107",
        (
            "responseLost",
            "warning",
            "A confirmed platelet response to sirolimus is gone on the two newest usable counts",
        ),
    ),
    told(
        "steroid-dependence",
        "61",
        ("steroidDependence", "info", "In response, with prednisone above 5 mg/day for 120 days: consider a taper"),
    ),
)
