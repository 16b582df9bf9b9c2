"""Levels and platelet counts of a random chart, crowded around their limits."""

from __future__ import annotations

from random import Random

from tests.oracle.events import Course
from tests.oracle.shapes import LOINC, RXNORM, SIROLIMUS_TABLETS, Json, Story, coded, quantity

LEVELS = (1.5, 2, 3, 3.9, 4.4, 4.9, 5, 5.1, 6, 7, 8, 9, 10, 11, 12, 13, 14.9, 15, 15.1, 16, 18, 19.9, 20, 20.1, 22, 27)
HOURS = (
    0.5,
    2,
    6,
    9.5,
    10,
    10.5,
    11.5,
    12,
    12.5,
    15.5,
    16,
    16.5,
    21.5,
    22,
    22.5,
    23.5,
    24,
    26,
    28,
    28.5,
    30,
    45.5,
    46,
    47.5,
    48,
    49,
)


def levels(r: Random, story: Story, now: int, course: Course) -> None:
    """Sirolimus levels near the last change and near now, some timed after a recorded dose."""
    taken: set[str] = set()
    apart = now - course.edges[-1] if course.edges else 0
    pair = apart > 16 and r.random() < 0.6  # two levels at one dose, to compare exposure
    for i in range(r.choice([2, 3] if pair else [0, 1, 1, 2, 2, 3, 4])):
        roll = r.random()
        if roll < 0.5 or not course.edges:
            day = now - r.choice([0, 0, 1, 2, 3, 5, 7, 10, 13, 14, 15, 15, 16, 21, 21, 28, 28, 40, 99, 100, 101])
        elif roll < 0.9:
            day = r.choice(course.edges[-3:]) + r.choice([0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 14, 15, 20])
        else:
            day = r.randrange(-3, now + 4)
        if pair and i < 2:
            day = course.edges[-1] + r.choice([7, 8, 9]) if i == 0 else now - r.choice([0, 1, 2, 5, 7])
        if day < 0 and r.random() < 0.9:
            continue
        time = None if r.random() < 0.2 else r.choice(["07:30", "08:00", "10:15", "16:00"])
        if story.at(day, time) in taken:
            continue
        taken.add(story.at(day, time))
        value = r.choice(LEVELS)
        comparator = None
        if r.random() < 0.1:
            comparator = r.choice(["<", "<", "<=", ">", ">="])
            value = r.choice([2, 4.9, 5, 10] if comparator[0] == "<" else [14.9, 15, 15.1, 20, 25, 30])
        unit = "ng/mL"
        if r.random() < 0.07:
            unit, value = "nmol/L", round(value * 1.0939, 2)
        status = "preliminary" if r.random() < 0.06 else r.choice(["final", "final", "amended", "corrected"])
        status = status if r.random() < 0.97 else r.choice(["entered-in-error", "cancelled", "registered"])
        code = r.choice(["29247-4"] * 8 + ["115766-8"]) if r.random() < 0.98 else "80548-1"
        rest: Json = {"specimen": {"display": r.choice(["Serum", "Whole blood EDTA"])}} if r.random() < 0.06 else {}
        printed: Json = {"valueQuantity": quantity(value, unit, comparator)}
        if comparator and r.random() < 0.3:
            printed = {"valueString": f"{comparator}{value} {unit}"}
        stamp = story.at(day, time)
        story.add("Observation", status=status, code=coded(LOINC, code), effectiveDateTime=stamp, **printed, **rest)
        if time and r.random() < 0.45:
            minutes = int(time[:2]) * 60 + int(time[3:]) - int(r.choice(HOURS) * 60)
            back, minutes = divmod(minutes, 1440)
            given = story.at(day + back, f"{minutes // 60:02d}:{minutes % 60:02d}")
            story.add("MedicationAdministration", status="completed", effectiveDateTime=given,
                      medicationCodeableConcept=coded(RXNORM, SIROLIMUS_TABLETS["1"]))  # fmt: skip


def counts(r: Random, story: Story, now: int, course: Course) -> None:
    """Platelet counts: perhaps a baseline, then a series around 30, 100 and twice the baseline."""
    base = r.choice([8, 12, 14, 15, 16, 20, 24, 28, 35, 40, 45, 60, 110])
    if r.random() < 0.85:
        day = r.choice([-15, -14, -10, -7, -3, -2, -1, -1, 0])
        _count(r, story, day, base, "<" if r.random() < 0.03 else None)
    style = r.choice(["none", "partial", "partial", "complete", "complete", "lost", "mixed", "mixed"])
    pool = {
        "none": (6, 9, 15, 20, 26, 29, 2 * base - 1),
        "partial": tuple(v for v in (30, 31, 45, 60, 80, 99, 2 * base, 2 * base + 1) if v >= 2 * base) or (30, 60, 99),
        "complete": (100, 101, 120, 150, 180),
        "lost": (100, 110, 140),
        "mixed": (10, 25, 29, 30, 31, 60, 98, 99, 100, 101, 130, 2 * base - 1, 2 * base),
    }[style]
    day = r.choice([5, 10, 14, 30, 50, 65, 75])
    while day <= now + 2:
        low = style == "lost" and day > now - 15
        value = r.choice((12, 20, 25, 29, 40, 99)) if low else r.choice(pool)
        if r.random() < 0.9:
            _count(r, story, day, value, None)
        day += r.choice([1, 3, 5, 6, 7, 7, 8, 10, 14, 14, 21, 28, 45])
    if r.random() < 0.5:
        _count(r, story, now - r.choice([0, 1, 3, 13, 14, 15, 41, 42, 43]), r.choice(pool), None)


def _count(r: Random, story: Story, day: int, value: int, comparator: str | None) -> None:
    if any(o["resourceType"] == "Observation" and o["valueQuantity"]["unit"] == "10*9/L"
           and o["effectiveDateTime"].startswith(story.day(day)) for o in story.made if "valueQuantity" in o):  # fmt: skip
        return
    time = r.choice([None, None, "07:30", "08:00", "14:20"])
    code = r.choice(["777-3"] * 6 + ["778-1", "26515-7"]) if r.random() < 0.98 else "13056-7"
    status = "final" if r.random() < 0.97 else r.choice(["amended", "cancelled"])
    made = {"status": status, "code": coded(LOINC, code), "effectiveDateTime": story.at(day, time),
            "valueQuantity": quantity(value, "10*9/L", comparator)}  # fmt: skip
    story.add("Observation", **made)
    if r.random() < 0.03:
        story.add("Observation", **made)
    if r.random() < 0.03:
        again = {**made, "effectiveDateTime": story.at(day, r.choice([None, "19:00"]))}
        story.add("Observation", **{**again, "valueQuantity": quantity(value + 40, "10*9/L")})
    if r.random() < 0.03:
        present = r.choice(["present", "present", "absent"])
        stamp = made["effectiveDateTime"]
        story.add(
            "Observation", status="final", code=coded(LOINC, "7796-6"), effectiveDateTime=stamp, valueString=present
        )
