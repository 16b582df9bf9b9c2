"""The orders of sirolimus of a random chart, and what is being ordered."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tests.oracle.others import INTERACTING
from tests.oracle.shapes import (
    ICD10,
    RXNORM,
    SIROLIMUS_PLAIN,
    SIROLIMUS_SOLUTION,
    SIROLIMUS_TABLETS,
    Json,
    Story,
    coded,
    dosage,
)

ADULT_DOSES = (0.5, 0.9, 1, 1, 1.5, 2, 2, 2, 2.5, 3, 3, 4, 4, 4.5, 5, 6, 10, 10.5, 12, 20, 20.5, 40, 40.5, 41)
CHILD_DOSES = (0.3, 0.4, 0.5, 0.5, 0.6, 0.8, 1, 1, 1, 1.1, 1.5, 1.5, 2, 2, 2.1, 2.5, 4, 4.5)
CHANGED_AGO = (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 14, 20, 21, 22, 27, 28, 29, 30, 45)


@dataclass
class Course:
    """What the other events need to know of the course."""

    doses: tuple[float, ...] = ADULT_DOSES
    dose: float = 2
    rhythm: str = "daily"
    edges: list[int] = field(default_factory=list)
    group: str | None = None
    last: str | None = None


def order(r: Random, story: Story, day: int, end: int | None, status: str, mg: float, rhythm: str, code: str) -> Json:
    """An order of sirolimus, its dates in one of three places."""
    display = {SIROLIMUS_SOLUTION: "sirolimus 1 MG/ML Oral Solution", SIROLIMUS_PLAIN: "sirolimus"}
    bounds: Json = {}
    rest: Json = {}
    style = r.random()
    unit = "mL" if code == SIROLIMUS_SOLUTION and r.random() < 0.3 else "mg"
    if style < 0.8 or status == "on-hold":
        bounds = {"start": story.day(day)}
        if end is not None:
            bounds["end"] = story.day(end)
    elif style < 0.9:
        period = {"start": story.day(day), "end": story.day(end if end is not None else day + 30)}
        rest["dispenseRequest"] = {"validityPeriod": period}
    elif end is not None:
        bounds = {"start": story.day(day), "end": story.day(end)}
    if r.random() < 0.03:
        rest["reasonCode"] = [coded(ICD10, "D69.3")]
    return story.new("MedicationRequest", status=status, intent="order", authoredOn=story.day(day),
                     medicationCodeableConcept=coded(RXNORM, code, display.get(code, "sirolimus Oral Tablet")),
                     dosageInstruction=dosage(mg, rhythm, bounds, unit), **rest)  # fmt: skip


def _noise(r: Random, story: Story, now: int, code: str) -> None:
    """Orders that are none: withdrawn, planned, forbidden, of the future."""
    kind = r.choice(["cancelled", "entered-in-error", "plan", "forbidden", "future"])
    made = order(r, story, now + (5 if kind == "future" else -r.choice([0, 3, 10])), None, "active", 3, "daily", code)
    if kind == "plan":
        made["intent"] = "plan"
    elif kind == "forbidden":
        made["doNotPerform"] = True
    elif kind != "future":
        made["status"] = kind
    story.made.append(made)


def _taper(r: Random, story: Story, start: int, mg: float, made: Course, code: str) -> Json:
    """One order in steps, each with its dates; the last one goes on."""
    first, second = r.choice([3, 7, 14, 28]), r.choice([3, 7, 14, 28])
    days = [start, start + first, start + first + second]
    steps = []
    for i, amount in enumerate([mg, r.choice(made.doses[:12]), r.choice(made.doses[:12])]):
        bounds = {"start": story.day(days[i])} | ({"end": story.day(days[i + 1] - 1)} if i < 2 else {})
        steps += [{"sequence": i + 1, **dosage(amount, "daily", bounds)[0]}]
    made.edges += days
    return story.new("MedicationRequest", status="active", intent="order", authoredOn=story.day(start),
                     medicationCodeableConcept=coded(RXNORM, code, "sirolimus"), dosageInstruction=steps)  # fmt: skip


def _product(r: Random, kind: str) -> str:
    if kind == "child" and r.random() < 0.5:
        return SIROLIMUS_SOLUTION
    return r.choice([SIROLIMUS_TABLETS["0.5"], SIROLIMUS_TABLETS["1"], SIROLIMUS_TABLETS["1"], SIROLIMUS_PLAIN])


def course(r: Random, story: Story, now: int, kind: str) -> Course:
    """Starts, raises, cuts, renewals, holds, gaps and stops, up to the day on which the chart is judged."""
    made = Course(CHILD_DOSES if kind == "child" else ADULT_DOSES)
    if r.random() < 0.06:
        return made
    code = _product(r, kind)
    middling = [d for d in made.doses if d <= (2 if kind == "child" else 4)]
    mg = r.choice(made.doses if r.random() < 0.4 else middling)
    rhythm = r.choice(["daily"] * 12 + ["twice", "alternate", "weekly"])
    start = 0
    pieces: list[Json] = []
    while True:
        ago = r.choice(CHANGED_AGO)
        length = (
            now - ago - start if r.random() < 0.5 and now - ago > start else r.choice([3, 7, 14, 28, 30, 60, 90, 120])
        )
        end = start + length
        made.edges.append(start)
        made.dose, made.rhythm = mg, rhythm
        lasts = end >= now and not (end == now and r.random() < 0.5)
        if lasts and rhythm == "daily" and now - start > 3 and r.random() < 0.05:
            pieces.append(_taper(r, story, start, mg, made, code))
            story.made += pieces
            return made
        if lasts or len(pieces) > 4:
            pieces.append(_last_order(r, story, start, now, mg, rhythm, code, pieces))
            break
        next_start = end + r.choice([0] * 12 + [1, 2, 3, 7, 28, 29, 40])
        over = order(r, story, start, end, r.choice(["stopped", "completed"]), mg, rhythm, code)
        pieces.append(over)
        last = r.random() < 0.12 or next_start > now
        if not last and next_start == end and over["status"] == "stopped" and r.random() < 0.1:
            over.pop("dispenseRequest", None)  # stopped, and nobody wrote when
            over["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"] = {"start": story.day(start)}
        if last:
            made.edges.append(end)
            break
        if r.random() < 0.75:
            mg = r.choice([mg, r.choice(middling), r.choice(middling), r.choice(made.doses)])
        if r.random() < 0.06:
            rhythm = r.choice(["daily", "twice", "alternate", "weekly"])
        start = next_start
    made.last = pieces[-1]["id"]
    if r.random() < 0.12:
        _second_order(r, story, pieces[-1], made, now)
    if r.random() < 0.05:
        _noise(r, story, now, code)
    story.made += pieces
    return made


def _last_order(
    r: Random, story: Story, start: int, now: int, mg: float, rhythm: str, code: str, pieces: list[Json]
) -> Json:
    """The order that runs, is held, or was given up."""
    roll = r.random()
    if roll < 0.9 or now - start < 2:
        made = order(r, story, start, None, "active", mg, rhythm, code)
        if pieces and r.random() < 0.3:
            made["priorPrescription"] = {"reference": f"MedicationRequest/{pieces[-1]['id']}"}
        return made
    end = max(start + 1, now - r.choice([0, 1, 3, 7, 13, 14, 27, 28, 29, 40]))
    if roll < 0.95:
        return order(r, story, start, None if roll < 0.92 else end, "on-hold", mg, rhythm, code)
    return order(r, story, start, end, "stopped", mg, rhythm, code)


def _second_order(r: Random, story: Story, first: Json, made: Course, now: int) -> None:
    """Another order beside the last one: of one dose, a renewal that names it, or one that nobody can place."""
    if first["status"] != "active":
        return
    start = made.edges[-1]
    roll = r.random()
    if roll < 0.45:
        code = SIROLIMUS_TABLETS["2"] if roll < 0.35 else first["medicationCodeableConcept"]["coding"][0]["code"]
        other = order(r, story, start, None, "active", r.choice([0.5, 1, 2]), made.rhythm, code)
        other["authoredOn"] = first["authoredOn"]
    else:
        day = r.randint(start, now)
        other = order(r, story, day, None, "active", r.choice([made.dose, 1, 2, 3]), "daily", SIROLIMUS_TABLETS["1"])
        if roll > 0.8 and day > start:
            other["priorPrescription"] = {"reference": f"MedicationRequest/{first['id']}"}
        elif roll > 0.7:
            other["groupIdentifier"] = first["groupIdentifier"] = {"system": "urn:x", "value": "g-1"}
            made.group = "g-1"
    story.made.append(other)


def drafts(r: Random, story: Story, now: int, course: Course) -> None:
    """What is being ordered: sirolimus, a drug that interacts, both, or something else."""
    kind = r.choice(["sirolimus"] * 5 + ["drug", "both", "two", "other"])
    if kind in ("sirolimus", "both", "two"):
        mg = r.choice([course.dose, course.dose, course.dose + 0.5, course.dose + 1, course.dose - 0.5, course.dose / 2,
                       course.dose * 1.5, r.choice(course.doses)])  # fmt: skip
        mg = round(mg, 2) if mg > 0.05 else 1
        rhythm = course.rhythm if r.random() < 0.85 else r.choice(["daily", "twice", "alternate", "weekly"])
        made = order(r, story, now, None, "draft", mg, rhythm, r.choice([SIROLIMUS_TABLETS["1"], SIROLIMUS_SOLUTION]))
        if course.group and r.random() < 0.5:
            made["groupIdentifier"] = {"system": "urn:x", "value": course.group}
        story.drafts.append(made)
    if kind == "two":
        code = r.choice([SIROLIMUS_TABLETS["2"], SIROLIMUS_TABLETS["1"]])
        story.drafts.append(order(r, story, now, None, "draft", r.choice([1, 2]), "daily", code))
    if kind in ("drug", "both"):
        code, name = r.choice(INTERACTING)
        bounds = [{"timing": {"repeat": {"boundsPeriod": {"start": story.day(now)}}}}]
        story.drafts.append(
            story.new("MedicationRequest", status="draft", intent="order", authoredOn=story.day(now),
                      medicationCodeableConcept=coded(RXNORM, code, name), dosageInstruction=bounds))  # fmt: skip
    if kind == "other":
        story.drafts.append(
            story.new("MedicationRequest", status="draft", intent="order", authoredOn=story.day(now),
                      medicationCodeableConcept=coded(RXNORM, "3108", "dapsone")))  # fmt: skip
