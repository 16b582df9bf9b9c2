"""More of a random chart: tests before and on sirolimus, what they order, partners that harm, first orders."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.oracle.harm import lab
from tests.oracle.others import _drug
from tests.oracle.samples import _count
from tests.oracle.shapes import ATC, LOINC, RXNORM, SNOMED, Json, Story, coded

CVX = "http://hl7.org/fhir/sid/cvx"
PARTNERS = (
    (RXNORM, "29046", "lisinopril"), (RXNORM, "3827", "enalapril"), (RXNORM, "1191", "aspirin"),
    (RXNORM, "5640", "ibuprofen"), (RXNORM, "1364430", "apixaban"), (RXNORM, "141704", "everolimus"),
    (RXNORM, "42316", "tacrolimus"), (RXNORM, "68149", "mycophenolate mofetil"), (RXNORM, "1256", "azathioprine"),
    (RXNORM, "1431224", "grapefruit juice"), (RXNORM, "10180", "sulfamethoxazole"), (ATC, "J05AF10", "entecavir"),
)  # fmt: skip
VACCINES = (("21", "varicella"), ("121", "zoster live"), ("37", "yellow fever"), ("188", "zoster, unspecified"),
            ("187", "zoster recombinant"))  # fmt: skip
SCREENED = ("5196-1", "13952-7", "13955-0", "56888-1", "71773-6")


def partners(r: Random, story: Story, now: int) -> None:
    """Drugs that harm beside sirolimus, ordered or stated, running or over."""
    for system, code, name in r.sample(PARTNERS, r.choice([1, 1, 2, 3])):
        start = now - r.choice([0, 0, 1, 3, 6, 13, 14, 15, 30, 90])
        end = now - r.choice([-10, 0, 1]) if r.random() < 0.15 else None
        bounds: dict[str, Any] = {"start": story.day(start)}
        if end is not None and end > start:
            bounds["end"] = story.day(end)
        status = "completed" if "end" in bounds and end is not None and end <= now else "active"
        drug = coded(system, code, name)
        if r.random() < 0.25:
            story.add("MedicationStatement", status=status, medicationCodeableConcept=drug, effectivePeriod=bounds)
        else:
            dose = [{"timing": {"repeat": {"boundsPeriod": bounds}}}]
            story.add("MedicationRequest", status=status, intent="order", authoredOn=story.day(start),
                      medicationCodeableConcept=drug, dosageInstruction=dose)  # fmt: skip


def herbs(r: Random, story: Story, now: int) -> None:
    """What the patient takes without an order."""
    drug = r.choice([coded(RXNORM, "258326", "St. John's wort extract"), coded(ATC, "N03AX24", "cannabidiol"),
                     coded(RXNORM, "1431224", "grapefruit juice")])  # fmt: skip
    start = now - r.choice([0, 1, 3, 8, 20, 60])
    story.add("MedicationStatement", status="active", medicationCodeableConcept=drug,
              effectivePeriod={"start": story.day(start)})  # fmt: skip


def steroids(r: Random, story: Story, now: int) -> None:
    """Long courses of a steroid, near 20 mg for 28 days and 5 mg for 56 days."""
    if any("8640" in str(made) for made in story.made) and r.random() < 0.9:
        return
    start = now - r.choice([20, 27, 28, 29, 35, 41, 42, 43, 55, 56, 57, 80, 150, 300])
    code, name, doses = r.choice([
        ("8640", "prednisone", (5, 5.5, 10, 19, 20, 20, 30, 40)), ("6902", "methylprednisolone", (4, 4.5, 8, 16, 24)),
    ])  # fmt: skip
    _drug(r, story, code, name, start, None, r.choice(doses))


def screening(r: Random, story: Story, now: int) -> None:
    """Tests for infections: most of them done, few positive."""
    for code in SCREENED:
        if r.random() < 0.75:
            day = now - r.choice([0, 5, 60, 179, 180, 181, 400])
            found = "positive" if r.random() < 0.15 else "negative"
            status = "final" if r.random() < 0.95 else r.choice(["preliminary", "cancelled"])
            story.add("Observation", status=status, code=coded(LOINC, code), effectiveDateTime=story.day(day),
                      valueString=found)  # fmt: skip
    if r.random() < 0.3:
        day = now - r.choice([5, 100, 179, 180, 181])
        story.add("Observation", status="final", code=coded(LOINC, "42595-9"), effectiveDateTime=story.day(day),
                  valueString=r.choice(["negative", "negative", "positive"]))  # fmt: skip


def watched(r: Random, story: Story, now: int) -> None:
    """Every test of the schedule, near the day on which it is too old."""
    for name, ages in (("hemoglobin", (7, 8, 10, 11, 20, 21, 44, 45)), ("triglycerides", (41, 42, 90, 91, 134, 135)),
                       ("creatinine", (30, 31, 41, 42, 44, 45, 134, 135)), ("alt", (30, 31, 41, 42, 45, 135)),
                       ("glucose", (30, 31, 42, 45, 135)), ("protein", (90, 91, 134, 135, 269, 270))):  # fmt: skip
        if r.random() < 0.9:
            lab(r, story, name, now - (r.choice(ages) if r.random() < 0.5 else r.choice([0, 1, 5])))


def requests(r: Random, story: Story, now: int) -> None:
    """Orders of tests, alone or in panels, near the day on which they are forgotten."""
    for code in r.sample(["57021-8", "57698-3", "24323-8", "24325-3", "2160-0", "2890-2", "42595-9", "5196-1"], 3):
        story.add("ServiceRequest", status=r.choice(["active", "active", "active", "completed"]), intent="order",
                  code=coded(LOINC, code), authoredOn=story.day(now - r.choice([0, 5, 20, 44, 45, 46])))  # fmt: skip


def assays(r: Random, story: Story) -> None:
    """The assay of some levels."""
    for made in story.made:
        level = made["resourceType"] == "Observation" and made["code"]["coding"][0]["code"] == "29247-4"
        if level and r.random() < 0.8:
            made["method"] = {"text": r.choice(["LC-MS/MS", "Immunoassay", "LC-MS/MS"])}


def vaccine(r: Random, story: Story, now: int) -> Json:
    """A vaccine that is being ordered."""
    code, name = r.choice(VACCINES)
    return story.new("MedicationRequest", status="draft", intent="order", authoredOn=story.day(now),
                     medicationCodeableConcept=coded(CVX, code, name))  # fmt: skip


def low_counts(r: Random, story: Story, now: int) -> None:
    """A low count lately, alone or the last of a series that agrees."""
    value = r.choice([5, 8, 9, 9, 10, 12, 15, 19, 19, 20, 25, 29, 30])
    days = [r.choice([0, 0, 1, 5, 6, 7, 8])]
    if r.random() < 0.5:
        days += [days[0] + r.choice([10, 14]), days[0] + r.choice([27, 28, 28, 30])]
    for ago in days:
        shown = max(1, round(value * r.choice([1, 1, 1, 1.2, 1.5, 2, 2.1])))
        _count(r, story, now - ago, value if ago == days[0] else shown, None)


def ordered(r: Random, story: Story, now: int, hook: str) -> None:
    """What else is being ordered: a vaccine, a drug that harms beside sirolimus, an operation, a test."""
    if hook == "order-sign" and r.random() < 0.25:
        code, rest = coded(SNOMED, "38102005", "Cholecystectomy"), {"occurrenceDateTime": story.day(now + 10)}
        if r.random() < 0.5:
            code, rest = coded(LOINC, r.choice(["57021-8", "42595-9", "57698-3"])), {}
        story.drafts.append(story.new("ServiceRequest", status="draft", intent="order", authoredOn=story.day(now),
                                      code=code, **rest))  # fmt: skip
        return
    if r.random() < 0.5:
        story.drafts.append(vaccine(r, story, now))
        return
    system, code, name = r.choice(PARTNERS)
    story.drafts.append(
        story.new("MedicationRequest", status="draft", intent="order", authoredOn=story.day(now),
                  medicationCodeableConcept=coded(system, code, name)))  # fmt: skip


def happens(r: Random, story: Story, now: int) -> None:
    """All of it, each in some charts."""
    if r.random() < 0.25:
        partners(r, story, now)
    if r.random() < 0.04:
        herbs(r, story, now)
    if r.random() < 0.05:
        steroids(r, story, now)
    if r.random() < 0.3:
        screening(r, story, now)
    if r.random() < 0.3:
        watched(r, story, now)
    if r.random() < 0.2:
        requests(r, story, now)
    if r.random() < 0.2:
        assays(r, story)
    if r.random() < 0.05:
        low_counts(r, story, now)
