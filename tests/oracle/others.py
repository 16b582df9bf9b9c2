"""What else happens in a random chart: what raises counts, what bleeds, what interacts."""

from __future__ import annotations

from random import Random

from tests.oracle.shapes import CLINICAL, RXNORM, SNOMED, VERIFICATION, Json, Story, coded, dosage

INHIBITORS = (("21212", "clarithromycin"), ("121243", "voriconazole"), ("85762", "ritonavir"))
INDUCERS = (("9384", "rifampin"), ("2002", "carbamazepine"))
MODERATES = (("4450", "fluconazole"), ("3443", "diltiazem"), ("195085", "efavirenz"), ("75207", "bosentan"))
INTERACTING = (*INHIBITORS, *INDUCERS, *MODERATES, ("3008", "cyclosporine"))


def _drug(r: Random, story: Story, code: str, name: str, start: int, end: int | None, mg: float | None = None) -> None:
    bounds = {"start": story.day(start)}
    if end is not None:
        bounds["end"] = story.day(end)
    status = "active" if end is None else r.choice(["stopped", "completed"])
    dose = dosage(mg, "daily", bounds) if mg else [{"timing": {"repeat": {"boundsPeriod": bounds}}}]
    story.add("MedicationRequest", status=status, intent="order", authoredOn=story.day(start),
              medicationCodeableConcept=coded(RXNORM, code, name), dosageInstruction=dose)  # fmt: skip


def _given(story: Story, code: str, name: str, day: int) -> None:
    story.add("MedicationAdministration", status="completed", effectiveDateTime=story.day(day),
              medicationCodeableConcept=coded(RXNORM, code, name))  # fmt: skip


def confounders(r: Random, story: Story, now: int) -> None:
    """What raises a count besides sirolimus."""
    kind = r.choice(["transfusion", "ivig", "anti-d", "old steroid", "steroid", "raised steroid", "pulse", "lately",
                     "stimulator", "old stimulator", "vincristine", "rituximab", "splenectomy"])  # fmt: skip
    day = now - r.choice([0, 3, 6, 7, 8, 14, 20, 27, 28, 29, 35, 56, 57, 70, 90])
    end = min(now, day + r.choice([1, 3, 5, 14, 30]))
    inside = max(day, 1)
    if kind == "transfusion":
        story.add("Procedure", status="completed", code=coded(SNOMED, "180208003"), performedDateTime=story.day(day))
    elif kind == "ivig":
        when = {"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"start": story.day(day)}}}}]}
        story.add("MedicationRequest", status="completed", intent="order", authoredOn=story.day(day),
                  medicationCodeableConcept=coded("http://www.whocc.no/atc", "J06BA02"), **when)  # fmt: skip
    elif kind == "anti-d":
        _given(story, "35465", "Rho(D) immune globulin", day)
    elif kind == "old steroid":
        _drug(r, story, "8640", "prednisone", -r.randrange(60, 200), r.choice([None, max(1, now - 10)]), 10)
    elif kind == "steroid":
        _drug(r, story, "8640", "prednisone", inside, None if end >= now or end <= inside else end, 20)
    elif kind == "raised steroid":
        _drug(r, story, "8640", "prednisone", -90, inside, 10)
        _drug(r, story, "8640", "prednisone", inside, None, r.choice([5, 20, 20]))
    elif kind == "pulse":
        start = r.choice([-25, -20, -12, -6, inside])
        if start < 0 or start + 4 <= now:
            _drug(r, story, "3264", "dexamethasone", start, start + 4, 40)
    elif kind == "lately":
        _drug(r, story, "8640", "prednisone", -r.choice([5, 10, 16, 25, 28, 29, 30, 31, 40]), None, 20)
    elif kind == "stimulator":
        _drug(r, story, "711942", "eltrombopag", inside, None if end >= now or end <= inside else end, 50)
    elif kind == "old stimulator":
        _drug(r, story, "711942", "eltrombopag", -r.randrange(10, 100), r.choice([None, now]), 50)
    elif kind == "vincristine":
        _given(story, "11202", "vincristine", inside)
    elif kind == "rituximab":
        _given(story, "121191", "rituximab", day)
    else:
        story.add("Procedure", status="completed", code=coded(SNOMED, "234319005"), performedDateTime=story.day(day))


def bleeding(r: Random, story: Story, now: int) -> None:
    """A bleed near the last counts."""
    rest: Json = {"clinicalStatus": coded(CLINICAL, r.choice(["active", "resolved"]))} if r.random() < 0.8 else {}
    if r.random() < 0.1:
        rest["verificationStatus"] = coded(VERIFICATION, "refuted")
    code = r.choice(["249366005", "86276007", "271813007", "131148009"])
    day = now - r.choice([0, 1, 5, 10, 14, 20, 28, 29, 35, 42, 60])
    story.add("Condition", code=coded(SNOMED, code), onsetDateTime=story.day(day), **rest)


def interacting(r: Random, story: Story, now: int) -> None:
    """Interacting drugs that run, or ended lately."""
    for code, name in r.sample(INTERACTING, r.choice([1, 1, 1, 2])):
        start = now - r.choice([0, 1, 2, 5, 6, 7, 8, 10, 13, 14, 15, 20, 28, 30, 60, 200])
        end = None
        if r.random() < 0.5:
            end = now - r.choice([0, 1, 3, 6, 7, 8, 10, 13, 14, 15, 27, 28, 29, 40])
            start = min(start, end - r.choice([1, 5, 10, 30]))
        _drug(r, story, code, name, start, end)
