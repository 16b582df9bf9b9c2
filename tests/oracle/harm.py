"""What goes wrong in a random chart: blood and urine tests, conditions, allergies, operations, pregnancy."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.oracle.shapes import CLINICAL, ICD10, LOINC, RXNORM, SNOMED, VERIFICATION, Story, coded, quantity

AGES = (0, 0, 1, 3, 5, 8, 13, 14, 14, 15, 20)
BEFORE = (1, 3, 7, 10, 13, 14, 15, 30, 60, 89, 90, 91, 120)
LABS: dict[str, tuple[str, str, tuple[float, ...]]] = {
    "neutrophils": ("751-8", "10*9/L", (0.3, 0.4, 0.49, 0.5, 0.6, 0.8, 0.9, 0.99, 1.0, 1.1, 2, 3.5)),
    "lymphocytes": ("731-0", "10*9/L", (0.3, 0.4, 0.49, 0.5, 0.6, 1.2)),
    "hemoglobin": ("718-7", "g/dL", (7, 7.9, 7.9, 8, 8, 8.1, 9.9, 10, 10.1, 12, 12.1)),
    "triglycerides": ("2571-8", "mg/dL", (120, 300, 499, 500, 501, 640, 999, 1000, 1001, 1500)),
    "cholesterol": ("2093-3", "mg/dL", (180, 250, 299, 300, 301, 350, 399, 400, 401, 450)),
    "creatinine": ("2160-0", "mg/dL", (0.4, 0.6, 0.8, 0.9, 1.0, 1.2, 1.21, 1.3, 1.35, 1.5, 1.6, 2)),
    "alt": ("1742-6", "U/L", (20, 80, 119, 120, 121, 150, 160, 199, 200, 201, 260)),
    "ast": ("1920-8", "U/L", (18, 70, 104, 105, 106, 140, 174, 175, 176, 300)),
    "protein": ("2890-2", "g/g", (0.1, 0.4, 0.49, 0.5, 0.9, 1.0, 1.1, 1.6, 2, 2.1, 3.4, 3.5, 4)),
    "glucose": ("1558-6", "mg/dL", (88, 110, 125, 126, 127, 150)),
    "hba1c": ("4548-4", "%", (5.4, 6.4, 6.5, 6.6, 8)),
    "oxygen": ("59408-5", "%", (88, 93, 93.5, 94, 95, 98)),
    "bilirubin": ("1975-2", "mg/dL", (0.8, 1.7, 1.8, 1.81, 1.9, 2.4, 5)),
}
OTHER_UNITS = {  # another unit, and what a value is in it, far from any limit by more than the rounding
    "triglycerides": ("14927-8", "mmol/L", (1.4, 5.6, 5.7, 7.2, 11.2, 11.4)),
    "cholesterol": ("14647-2", "mmol/L", (4.6, 7.7, 7.9, 10.2, 10.5)),
    "hemoglobin": ("718-7", "g/L", (79, 80, 81, 100, 120, 140)),
    "neutrophils": ("751-8", "/uL", (400, 499, 500, 900, 999, 1000)),
    "protein": ("2890-2", "mg/g", (499, 500, 999, 1000, 3500)),
    "glucose": ("14771-0", "mmol/L", (5, 6.9, 7.1, 9)),
    "bilirubin": ("14631-6", "umol/L", (14, 29, 32, 60)),
    "creatinine": ("14682-9", "umol/L", (70, 88, 120, 150)),
}
UPPER = {"alt": 40, "ast": 35, "bilirubin": 1.2}


def lab(r: Random, story: Story, name: str, day: int) -> None:
    """One result, most in the usual unit."""
    code, unit, values = LABS[name]
    upper = UPPER.get(name)
    if name in OTHER_UNITS and r.random() < 0.1:
        code, unit, values = OTHER_UNITS[name]
        upper = 20 if name == "bilirubin" else upper
    rest: dict[str, Any] = {}
    if upper and r.random() < 0.95:
        rest["referenceRange"] = [{"high": quantity(upper, unit)}]
    status = "final" if r.random() < 0.94 else r.choice(["amended", "preliminary", "cancelled"])
    time = r.choice([None, "07:30", "14:00"])
    value = quantity(r.choice(values), unit)
    if any(o.get("valueQuantity") == value and o["effectiveDateTime"].startswith(story.day(day)) for o in story.made):
        return
    story.add("Observation", status=status, code=coded(LOINC, code), effectiveDateTime=story.at(day, time),
              valueQuantity=value, **rest)  # fmt: skip


def labs(r: Random, story: Story, now: int) -> None:
    """Some tests: the newest lately, others before it or before the course."""
    for name in LABS:
        if r.random() > 0.25:
            continue
        newest = now - r.choice(AGES)
        if name == "oxygen":
            newest = now - r.choice([0, 1, 2, 3, 3, 4])
        if name == "bilirubin":
            newest = now - r.choice([0, 10, 60, 89, 90, 91])
        lab(r, story, name, newest)
        if r.random() < 0.6:
            lab(r, story, name, newest - r.choice(BEFORE))
        if r.random() < 0.4 or (name == "creatinine" and r.random() < 0.7):
            lab(r, story, name, -r.choice([-1, 0, 1, 2, 7, 14, 90, 364, 365, 366]))


def conditions(r: Random, story: Story, now: int) -> None:
    """What sirolimus makes dangerous, active or over."""
    kinds = {
        "205237003": "Pneumonitis", "233703007": "Interstitial lung disease", "267036007": "Dyspnoea",
        "91302008": "Sepsis", "56717001": "Tuberculosis", "415125002": "Pneumocystis pneumonia",
        "866041003": "Mother currently breast-feeding", "77386006": "Pregnant", "41291007": "Angioedema",
        "66071002": "Hepatitis B", "75331009": "Evans syndrome", "55464009": "Systemic lupus erythematosus",
    }  # fmt: skip
    for code, display in kinds.items():
        if r.random() > 0.06:
            continue
        day = now - r.choice([-1, 0, 1, 5, 10, 20, 40, 100, 150, 299, 300, 301])
        rest: dict[str, Any] = {"onsetDateTime": story.day(day)}
        if r.random() < 0.1:
            rest = {"recordedDate": story.day(day)}
        roll = r.random()
        if roll < 0.7:
            rest["clinicalStatus"] = coded(CLINICAL, r.choice(["active", "active", "active", "recurrence"]))
        elif roll < 0.85:
            rest["clinicalStatus"] = coded(CLINICAL, r.choice(["resolved", "inactive"]))
        elif roll < 0.93 and day < now:
            rest["abatementDateTime"] = story.day(r.randint(day, now))
        if r.random() < 0.06:
            rest["verificationStatus"] = coded(VERIFICATION, "refuted")
        story.add("Condition", code=coded(SNOMED, code, display), **rest)
    if r.random() < 0.02:
        story.add("Condition", code=coded(ICD10, "Z33.1"), onsetDateTime=story.day(now - 90))


def grades(r: Random, story: Story, now: int) -> None:
    """Bleeding by the WHO's grades, near now and near the counts."""
    for _ in range(r.choice([1, 1, 2, 3])):
        day = now - r.choice([-1, 0, 0, 1, 3, 5, 6, 7, 7, 8, 14, 27, 28, 29])
        code = coded("urn:sirolimus-itp-cds:observation", "who-bleeding-grade")
        status = "final" if r.random() < 0.94 else r.choice(["preliminary", "entered-in-error"])
        story.add("Observation", status=status, code=code, effectiveDateTime=story.at(day, r.choice([None, "09:00"])),
                  valueInteger=r.choice([0, 0, 1, 1, 2, 2, 3, 4]))  # fmt: skip


def pregnancy_tests(r: Random, story: Story, now: int) -> None:
    """Positive or negative, near the limits of their age."""
    day = now - r.choice([0, 1, 6, 7, 7, 8, 20, 29, 30, 31])
    status = "final" if r.random() < 0.95 else r.choice(["preliminary", "cancelled"])
    story.add("Observation", status=status, code=coded(LOINC, r.choice(["2106-3", "2118-8"])),
              effectiveDateTime=story.day(day), valueString=r.choice(["positive", "negative", "negative"]))  # fmt: skip


def allergies(r: Random, story: Story, now: int) -> None:
    """To sirolimus, everolimus, peanut, soya, and to what does not matter."""
    system, code, display = r.choice([
        (RXNORM, "35302", "sirolimus"), (RXNORM, "141704", "everolimus"), (SNOMED, "91935009", "Allergy to peanut"),
        (SNOMED, "714035009", "Allergy to soya"), (SNOMED, "91935009", "Allergy to peanut"),
        (RXNORM, "723", "amoxicillin"),
    ])  # fmt: skip
    rest: dict[str, Any] = {}
    roll = r.random()
    if roll < 0.08:
        rest["clinicalStatus"] = coded(CLINICAL.replace("condition", "allergyintolerance"), "inactive")
    elif roll < 0.16:
        rest["verificationStatus"] = coded(VERIFICATION.replace("condition-ver-status", "allergyintolerance-verification"),
                                           r.choice(["refuted", "entered-in-error"]))  # fmt: skip
    made = story.add("AllergyIntolerance", code=coded(system, code, display),
                     recordedDate=story.day(now - r.choice([0, 10, 300])), **rest)  # fmt: skip
    made["patient"] = made.pop("subject")


def operation(r: Random, story: Story, now: int) -> None:
    """Ordered or booked, within two weeks or later."""
    code, display = r.choice([("234319005", "Splenectomy"), ("38102005", "Cholecystectomy"),
                              ("387713003", "Surgical procedure")])  # fmt: skip
    day = now + r.choice([-1, 0, 1, 5, 13, 14, 14, 15, 30])
    if r.random() < 0.6:
        status = r.choice(["active", "active", "active", "draft", "completed", "revoked"])
        story.add("ServiceRequest", status=status, intent=r.choice(["order", "order", "order", "plan"]),
                  authoredOn=story.day(now - 5), code=coded(SNOMED, code, display),
                  occurrenceDateTime=story.day(day))  # fmt: skip
        return
    status = r.choice(["booked", "booked", "pending", "cancelled", "fulfilled"])
    made = story.add("Appointment", status=status, serviceType=[coded(SNOMED, code, display)],
                     start=story.at(day, "09:00"), end=story.at(day, "11:00"))  # fmt: skip
    made["participant"] = [{"actor": made.pop("subject"), "status": "accepted"}]


def happens(r: Random, story: Story, now: int) -> None:
    """All of it, each in some charts."""
    labs(r, story, now)
    conditions(r, story, now)
    if r.random() < 0.12:
        grades(r, story, now)
    if r.random() < 0.15:
        pregnancy_tests(r, story, now)
    for _ in range(r.choice([0] * 9 + [1, 1, 2])):
        allergies(r, story, now)
    if r.random() < 0.12:
        operation(r, story, now)
