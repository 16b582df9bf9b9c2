"""What a patient falls ill with in a random chart, coded as problem lists are: six systems, or a name only."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.oracle.shapes import (
    CLINICAL,
    ICD10,
    ICD10_GM,
    ICD10_WHO,
    ICD11,
    LOINC,
    RXNORM,
    SNOMED,
    VERIFICATION,
    Json,
    Story,
    coded,
    quantity,
)

CM, WHO, GM = ICD10, ICD10_WHO, ICD10_GM
ILLNESSES: dict[str, list[tuple[str, str]]] = {  # how often a thing is coded how; a pair without a system is a name only
    "sepsis": [(CM, "A41.9"), (WHO, "A41.9"), (GM, "A41.9"), (SNOMED, "91302008"), (ICD11, "1G40"), ("", "Sepsis")],
    "pneumonia": [(CM, "J18.9"), (WHO, "J18.9"), (GM, "J18.9"), (SNOMED, "233604007"), (ICD11, "CA40.Z"),
                  ("", "Pneumonia"), ("", "Pneumonie")],
    "zoster": [(CM, "B02.9"), (WHO, "B02.9"), (GM, "B02.9"), (SNOMED, "4740000"), (ICD11, "1E91.Z"),
               ("", "Herpes zoster"), ("", "带状疱疹")],
    "urine": [(CM, "N39.0"), (GM, "N39.0"), (SNOMED, "68566005")],
    "tuberculosis": [(CM, "A15.0"), (WHO, "A15.0"), (GM, "A15.0"), (ICD11, "1B10.Z"), ("", "Tuberculosis")],
    "aspergillosis": [(CM, "B44.1"), (WHO, "B44.1"), (GM, "B44.1"), (SNOMED, "65553006")],
    "fever": [(CM, "R50.9"), (WHO, "R50.9"), (GM, "R50.9"), (SNOMED, "386661006")],
    "lungs": [(CM, "J84.9"), (WHO, "J84.9"), (GM, "J84.9"), (CM, "J70.4"), (WHO, "J70.4"), (SNOMED, "205237003"),
              ("", "Interstitial lung disease")],
    "breathless": [(CM, "R06.00"), (GM, "R06.0"), (SNOMED, "267036007")],
    "pregnancy": [(CM, "O09.91"), (CM, "Z34.90"), (CM, "Z33.1"), (WHO, "Z33"), (GM, "Z33"), (WHO, "Z34.9")],
    "delivery": [(CM, "O80"), (WHO, "O80"), (CM, "O03.9")],
    "lactation": [(CM, "Z39.1"), (WHO, "Z39.1"), (GM, "Z39.1")],
    "lymphoma": [(CM, "C85.90"), (WHO, "C85.9"), (GM, "C85.9"), (SNOMED, "118600007"), ("", "Lymphoma")],
    "breast cancer": [(CM, "C50.919"), (WHO, "C50.9"), (GM, "C50.9"), (SNOMED, "254837009"), ("", "Breast cancer")],
    "once": [(CM, "Z85.3"), (WHO, "Z85.3"), (GM, "Z85.3"), (CM, "Z86.718"), (CM, "Z86.711")],
    "basal cell carcinoma": [(CM, "C44.91"), (WHO, "C44.9"), (GM, "C44.9"), (SNOMED, "254701007")],
    "vein": [(CM, "I82.401"), (WHO, "I80.2"), (GM, "I80.28"), (SNOMED, "128053003"), ("", "Deep vein thrombosis")],
    "clot": [(CM, "I26.99"), (WHO, "I26.9"), (GM, "I26.9"), (CM, "I21.9"), (WHO, "I21.9"), (CM, "I63.9"),
             (WHO, "I63.9"), (GM, "I63.9"), (SNOMED, "59282003"), ("", "Pulmonary embolism")],
    "liver": [(CM, "K74.60"), (CM, "K70.30"), (WHO, "K74.6"), (WHO, "K70.3"), (GM, "K74.6"), (CM, "K72.90"),
              (WHO, "K72.9"), (GM, "K72.9"), (SNOMED, "19943007"), ("", "Cirrhosis of liver")],
    "angioedema": [(CM, "T78.3XXA"), (WHO, "T78.3"), (GM, "T78.3"), (SNOMED, "41291007"), ("", "Angioedema")],
    "angioedema once": [(CM, "T78.3XXS"), (CM, "T78.3XXD")],
    "evans": [(CM, "D69.41"), (SNOMED, "75331009")],
    "lupus": [(CM, "M32.9"), (WHO, "M32.9"), (GM, "M32.9")],
    "head bleed": [(CM, "I61.9"), (WHO, "I61.9"), (GM, "I61.9"), (SNOMED, "1386000")],
    "gut bleed": [(CM, "K92.2"), (WHO, "K92.2"), (GM, "K92.2"), (CM, "K92.1"), (SNOMED, "74474003")],
    "haemorrhoids": [(CM, "K64.9"), (WHO, "K64.9"), (GM, "K64.9"), (CM, "K62.5")],
    "nose": [(CM, "R04.0"), (WHO, "R04.0"), (GM, "R04.0")],
    "stomatitis": [(CM, "K12.30"), (WHO, "K12.3"), (GM, "K12.3"), (SNOMED, "61170000"), ("", "Stomatitis")],
}  # fmt: skip
AGES = (-1, 0, 1, 3, 6, 7, 8, 13, 14, 15, 20, 27, 28, 29, 41, 42, 43, 60, 88, 89, 90, 91, 150, 293, 294, 295, 400)
OFTEN = (  # what the rules that fire seldom need
    "stomatitis", "stomatitis", "stomatitis", "lymphoma", "breast cancer", "vein", "clot", "liver", "lungs", "lungs", "head bleed",
    "gut bleed", "angioedema",
)  # fmt: skip
SEVERITIES = ("255604002", "6736007", "24484000")  # mild, moderate, severe


def condition(r: Random, story: Story, kind: str, day: int, now: int, code: Json | None = None) -> Json:
    """A problem, active in most charts: by its status, or without one."""
    system, text = r.choice(ILLNESSES[kind])
    rest: dict[str, Any] = {"code": code or (coded(system, text) if system else {"text": text})}
    rest["onsetDateTime" if r.random() < 0.88 else "recordedDate"] = story.day(day)
    roll = r.random()
    if roll < 0.75:
        rest["clinicalStatus"] = coded(CLINICAL, r.choice(["active", "active", "active", "recurrence", "relapse"]))
    elif roll < 0.9:
        rest["clinicalStatus"] = coded(CLINICAL, r.choice(["resolved", "inactive", "remission"]))
        if day < now:
            rest["abatementDateTime"] = story.day(r.randint(max(day, now - 30), now))
    elif roll < 0.94 and day < now:
        rest["abatementDateTime"] = story.day(r.randint(day, now))
    if r.random() < 0.05:
        rest["verificationStatus"] = coded(VERIFICATION, r.choice(["refuted", "entered-in-error"]))
    if kind == "stomatitis" and r.random() < 0.6:
        rest["severity"] = coded(SNOMED, r.choice(SEVERITIES))
    return story.add("Condition", **rest)


def problems(r: Random, story: Story, now: int) -> None:
    """Some illnesses, near the days on which a rule forgets them."""
    for _ in range(r.choice([1, 1, 2, 3])):
        kind = r.choice(OFTEN) if r.random() < 0.45 else r.choice(sorted(ILLNESSES))
        condition(r, story, kind, now - r.choice(AGES), now)


def fever(r: Random, story: Story, now: int) -> None:
    """A fever, with few neutrophils."""
    condition(r, story, "fever", now - r.choice([0, 1, 5, 41, 42, 43]), now)
    measured(story, "751-8", "10*9/L", r.choice([0.3, 0.4, 0.49, 0.5, 0.7]), now - r.choice([0, 1, 13, 14, 15]))


def measured(story: Story, code: str, unit: str, value: float, day: int) -> None:
    """One laboratory result."""
    story.add("Observation", status="final", code=coded(LOINC, code), effectiveDateTime=story.day(day),
              valueQuantity=quantity(value, unit))  # fmt: skip


def expecting(r: Random, story: Story, now: int) -> None:
    """Whether a woman is pregnant, as a status; perhaps an older one that says otherwise, or a delivery."""
    for _ in range(r.choice([1, 1, 2])):
        day = now - r.choice([-1, 0, 1, 10, 60, 200, 293, 294, 295])
        said = r.choice(["77386006", "77386006", "60001007"])
        status = "final" if r.random() < 0.95 else r.choice(["entered-in-error", "cancelled"])
        if any("82810-3" in str(o) and o["effectiveDateTime"] == story.day(day) for o in story.made):
            continue
        story.add("Observation", status=status, code=coded(LOINC, "82810-3"), effectiveDateTime=story.day(day),
                  valueCodeableConcept=coded(SNOMED, said))  # fmt: skip
    if r.random() < 0.25:
        condition(r, story, "delivery", now - r.choice([0, 20, 100, 250]), now)


def bleeds(r: Random, story: Story, now: int) -> None:
    """A bleed from the head or the gut, with a count near its limits."""
    kind = r.choice(["head bleed", "gut bleed", "gut bleed", "haemorrhoids", "nose"])
    condition(r, story, kind, now - r.choice([0, 1, 6, 7, 8]), now)
    day, value = now - r.choice([0, 1, 6, 7, 8]), r.choice([9, 20, 29, 30, 45, 49, 50, 70, 99, 100, 120])
    taken = [o for o in story.made if "777-3" in str(o) and o["effectiveDateTime"].startswith(story.day(day))]
    if not taken:
        measured(story, "777-3", "10*9/L", value, day)


def swells(r: Random, story: Story, now: int) -> None:
    """Angioedema, now or once, beside an ACE inhibitor."""
    kind = r.choice(["angioedema", "angioedema", "angioedema once"])
    condition(r, story, kind, now - r.choice([0, 1, 13, 14, 15, 89, 90, 91, 300]), now)
    bounds = {"start": story.day(now - r.choice([0, 5, 13, 14, 15, 60]))}
    story.add("MedicationRequest", status="active", intent="order", authoredOn=bounds["start"],
              medicationCodeableConcept=coded(RXNORM, "29046", "lisinopril"),
              dosageInstruction=[{"timing": {"repeat": {"boundsPeriod": bounds}}}])  # fmt: skip


def lungs_once(r: Random, story: Story, now: int) -> None:
    """A lung disease that is over, or was there before sirolimus."""
    made = condition(r, story, "lungs", now - r.choice([5, 20, 40, 80, 120, 200, now + 10, now + 100]), now)
    made["clinicalStatus"] = coded(CLINICAL, r.choice(["resolved", "resolved", "inactive", "active"]))


def urine_and_fat(r: Random, story: Story, now: int) -> None:
    """Albumin in urine twice, or much cholesterol."""
    if r.random() < 0.5:
        last = now - r.choice([0, 5, 13, 14, 15, 99, 100, 101])
        for day in (last, last - r.choice([7, 89, 90, 91])):
            measured(story, "9318-7", "mg/g", r.choice([50, 150, 4000, 5000]), day)
    else:
        measured(story, "2093-3", "mg/dL", r.choice([499, 500, 501, 520]), now - r.choice([0, 14, 15, 89, 90, 91]))


def oxygen(r: Random, story: Story) -> None:
    """The saturation under FHIR's own code."""
    for made in story.made:
        if (
            made["resourceType"] == "Observation"
            and made["code"]["coding"][0]["code"] == "59408-5"
            and r.random() < 0.5
        ):
            made["code"] = coded(LOINC, "2708-6")


def happens(r: Random, story: Story, now: int, gender: str) -> None:
    """All of it, each in some charts."""
    if r.random() < 0.3:
        problems(r, story, now)
    if r.random() < 0.03:
        fever(r, story, now)
    if gender == "female" and r.random() < 0.06:
        expecting(r, story, now)
    if r.random() < 0.05:
        bleeds(r, story, now)
    if r.random() < 0.04:
        swells(r, story, now)
    if r.random() < 0.05:
        lungs_once(r, story, now)
    if r.random() < 0.05:
        urine_and_fat(r, story, now)
    oxygen(r, story)
