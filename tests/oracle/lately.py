"""More of a random chart: doses that were missed, treatments that raise counts, a patient who does well, old weights."""

from __future__ import annotations

from random import Random

from tests.oracle.events import Course
from tests.oracle.others import INTERACTING, _drug, _given
from tests.oracle.samples import _count
from tests.oracle.shapes import (
    ATC,
    LOINC,
    RXNORM,
    SIROLIMUS_TABLETS,
    SNOMED,
    Json,
    Story,
    coded,
    dosage,
    quantity,
)

RAISES: tuple[Json, ...] = (
    {"text": "hetrombopag olamine"}, {"text": "重组人血小板生成素 rhTPO"}, {"text": "efgartigimod alfa"},
    coded(RXNORM, "3102", "danazol"), coded(ATC, "G03XA01"), {"text": "danazol"},
    coded(RXNORM, "68149", "mycophenolate mofetil"), coded(ATC, "L04AA06"), {"text": "mycophenolate mofetil"},
    coded(ATC, "B02BX08"), coded(ATC, "B02BX09"), {"text": "rilzabrutinib"}, coded(RXNORM, "805452", "romiplostim"),
    coded(RXNORM, "3008", "cyclosporine"), coded(RXNORM, "42316", "tacrolimus"), coded(RXNORM, "1256", "azathioprine"),
    coded(RXNORM, "3108", "dapsone"),
)  # fmt: skip


def missed(r: Random, story: Story, now: int) -> None:
    """Doses documented as not given, near a level; perhaps one that was given before them."""
    levels = [o for o in story.made if o["resourceType"] == "Observation" and "29247-4" in str(o["code"])]
    day = now
    if levels and r.random() < 0.85:
        drawn = r.choice(levels)["effectiveDateTime"][:10]
        day = next((n for n in range(-10, now + 5) if story.day(n) == drawn), now)
    for _ in range(r.choice([1, 1, 2, 4])):
        ago = r.choice([0, 1, 1, 2, 2, 3, 4, 5, 5, 6, 6, 10, 30])
        story.add("MedicationAdministration", status=r.choice(["not-done"] * 5 + ["on-hold", "entered-in-error"]),
                  effectiveDateTime=story.at(day - ago, r.choice([None, "06:00", "20:00"])),
                  medicationCodeableConcept=coded(RXNORM, SIROLIMUS_TABLETS["1"]))  # fmt: skip
    if r.random() < 0.4:
        given = story.at(day - r.choice([1, 3, 7, 12, 40]), "06:00")
        story.add("MedicationAdministration", status="completed", effectiveDateTime=given,
                  medicationCodeableConcept=coded(RXNORM, SIROLIMUS_TABLETS["1"]))  # fmt: skip


def raising(r: Random, story: Story, now: int) -> None:
    """Treatments that raise counts, started in the course or before it, running, ended or raised."""
    for drug in r.sample(RAISES, r.choice([1, 1, 2])):
        start = r.choice([now - r.choice([0, 5, 20, 27, 28, 29, 50, 84, 85, 100]), r.randrange(1, max(now, 2)), -40])
        length = r.choice([None, None, 3, 7, 14, 30, 60])
        end = None if length is None or start + length > now else start + length
        bounds = {"start": story.day(start)} | ({} if end is None else {"end": story.day(end)})
        mg = r.choice([10, 25])
        story.add("MedicationRequest", status="active" if end is None else r.choice(["completed", "stopped"]),
                  intent="order", authoredOn=story.day(start), medicationCodeableConcept=drug,
                  dosageInstruction=dosage(mg, "daily", bounds))  # fmt: skip
        if end is not None and r.random() < 0.4:  # it goes on, at the same dose or at another
            again = {"start": story.day(end)}
            story.add("MedicationRequest", status="active", intent="order", authoredOn=story.day(end),
                      medicationCodeableConcept=drug,
                      dosageInstruction=dosage(r.choice([mg, mg, 50, 5]), "daily", again))  # fmt: skip


def splenectomy(r: Random, story: Story, now: int) -> None:
    """In the course, lately or long ago; another operation that is over."""
    day = r.choice([now - r.choice([0, 5, 13, 14, 15, 28, 29]), r.randrange(-30, max(now, 1)), 69, 70, 152])
    code = r.choice([("234319005", "Splenectomy"), ("234319005", "Splenectomy"), ("38102005", "Cholecystectomy")])
    if day <= now:
        story.add("Procedure", status="completed", code=coded(SNOMED, *code), performedDateTime=story.day(day))


def supported(r: Random, story: Story, now: int) -> None:
    """A baseline under a steroid, or soon after immunoglobulin."""
    _count(r, story, r.choice([-5, -2, -1]), r.choice([15, 40, 60, 85]), None)
    if r.random() < 0.8:
        end = r.choice([None, -29, -28, -20, 5, 30, 40])
        end = None if end is not None and end > now else end
        _drug(r, story, "8640", "prednisone", -r.choice([60, 90, 150]), end, r.choice([10, 19, 20, 20, 40]))
    else:
        _given(story, "35465", "Rho(D) immune globulin", -r.choice([10, 27, 28, 29, 30, 31]))


def well(r: Random, story: Story, now: int) -> None:
    """Counts that stay high, or half as high, and a level that is low."""
    if now >= 365 or r.random() < 0.5:
        story.made = [o for o in story.made if "10*9/L" not in str(o) or o["effectiveDateTime"][:10] <= story.day(0)]
    high = r.choice([(104, 118, 131, 150, 170), (64, 71, 80, 92), (64, 71, 80, 92)])
    first = r.choice([14, 20, 30, 60])
    for day in range(first, now + 1, r.choice([14, 21, 28])):
        _count(r, story, day, r.choice(high), None)
    for ago in (r.choice([0, 2, 10]), r.choice([12, 14, 20])):
        _count(r, story, now - ago, r.choice(high), None)
    if r.random() < 0.8:
        day = now - r.choice([0, 1, 3, 7, 13, 14, 15, 20])
        story.add("Observation", status="final", code=coded(LOINC, "29247-4"), effectiveDateTime=story.day(day),
                  valueQuantity=quantity(r.choice([2, 3.5, 4.4, 4.9, 9]), "ng/mL"))  # fmt: skip


def settles(r: Random, story: Story, now: int, course: Course) -> None:
    """A drug that interacts and has been taken for long, and a level after it."""
    for code, name in r.sample(INTERACTING, r.choice([1, 1, 2])):
        since = now - r.choice([15, 20, 28, 29, 40, 60])
        roll = r.random()
        if roll < 0.8:
            _drug(r, story, code, name, since, None)
        elif roll < 0.9:
            story.add("MedicationStatement", status="active", medicationCodeableConcept=coded(RXNORM, code, name),
                      effectivePeriod={"start": story.day(since)})  # fmt: skip
        else:  # what the patient reports, as some records write it
            story.add("MedicationRequest", status="active", intent="plan", reportedBoolean=True,
                      authoredOn=story.day(since), medicationCodeableConcept=coded(RXNORM, code, name))  # fmt: skip
    changed = course.edges[-1]
    day = min(now, changed + r.choice([7, 8, 13, 14, 15, 20, 30])) if r.random() < 0.6 else now - r.choice([0, 1, 5])
    for ago in {day, now - r.choice([0, 3, 14, 15])}:
        if ago > changed:
            story.add("Observation", status="final", code=coded(LOINC, "29247-4"), effectiveDateTime=story.day(ago),
                      valueQuantity=quantity(r.choice([4, 5, 7, 9, 12, 15, 17]), "ng/mL"))  # fmt: skip


def falls(r: Random, story: Story, now: int) -> None:
    """A count that halves, near 50 and near six weeks."""
    last, apart = now - r.choice([0, 1, 13, 14, 15]), r.choice([3, 7, 14, 41, 42, 43])
    story.made = [
        o for o in story.made if "10*9/L" not in str(o) or o["effectiveDateTime"][:10] <= story.day(last - apart)
    ]
    _count(r, story, last - apart, r.choice([49, 50, 60, 90, 98, 100, 142]), None)
    _count(r, story, last, r.choice([14, 24, 25, 28, 30, 45, 49, 50]), None)


def weights(r: Random, story: Story, now: int, kind: str) -> None:
    """Weights that are old, or none."""
    ages = [31, 45, 59, 60, 61, 91, 120, 150, 179, 180, 181, 300]
    measured = [o for o in story.made if o["resourceType"] == "Observation" and "29463-7" in str(o["code"])]
    if kind == "child" and r.random() < 0.3:
        story.made = [o for o in story.made if o not in measured]
        return
    for made in measured:
        made["effectiveDateTime"] = story.day(now - r.choice(ages))


def low(r: Random, story: Story, now: int) -> None:
    """A low count of the last days."""
    _count(r, story, now - r.choice([0, 1, 2, 3, 4, 7]), r.choice([4, 8, 9, 10, 15, 19, 20]), None)


def again(r: Random, story: Story, now: int) -> None:
    """A drug that interacts and is taken is ordered again."""
    codes = {code for code, _ in INTERACTING}
    mine = [o for o in story.made if o["resourceType"] == "MedicationRequest" and o["status"] == "active"]
    mine = [o for o in mine if codes & {c["code"] for c in o["medicationCodeableConcept"].get("coding", [])}]
    if mine:
        drug = r.choice(mine)["medicationCodeableConcept"]
        when = [{"timing": {"repeat": {"boundsPeriod": {"start": story.day(now)}}}}]
        story.drafts.append(
            story.new("MedicationRequest", status="draft", intent="order", authoredOn=story.day(now),
                      medicationCodeableConcept=drug, dosageInstruction=when))  # fmt: skip


def happens(r: Random, story: Story, now: int, kind: str, course: Course) -> None:
    """All of it, each in some charts."""
    if course.edges and r.random() < 0.08:
        missed(r, story, now)
    if r.random() < 0.1:
        raising(r, story, now)
    if r.random() < 0.04:
        splenectomy(r, story, now)
    if r.random() < 0.06:
        supported(r, story, now)
    if now >= 80 and r.random() < 0.24:
        well(r, story, now)
    if now >= 365 and r.random() < 0.9:
        well(r, story, now)
    if course.edges and r.random() < 0.08:
        settles(r, story, now, course)
    if r.random() < 0.05:
        falls(r, story, now)
    if kind != "adult" and r.random() < 0.35:
        weights(r, story, now, kind)
    if r.random() < (0.1 if kind == "child" else 0.03):
        low(r, story, now)
