"""Random plausible charts, crowded around the thresholds; the same seed gives the same chart.

A chart is told as a story on a day line (shapes.Story): who it is, the course of sirolimus up to the day on which it is
judged, levels, counts, what confounds them, what interacts, and what is being ordered.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from tests.oracle import events, extras, harm, illness, lately, others, samples
from tests.oracle.shapes import (
    CLINICAL,
    ICD10,
    ICD10_GM,
    ICD10_WHO,
    PATIENT,
    SNOMED,
    VERIFICATION,
    Json,
    Story,
    as_bundle,
    as_request,
    coded,
    quantity,
)

EDGES = (0, 1, 2, 3, 5, 6, 7, 8, 13, 14, 15, 20, 21, 22, 28, 29, 40, 60, 68, 69, 70, 76, 80, 83, 84, 85, 89, 90, 91, 95)
LATE = (
    *range(100, 121, 5),
    111,
    112,
    118,
    119,
    125,
    126,
    140,
    151,
    152,
    160,
    180,
    185,
    200,
    208,
    209,
    222,
    223,
    240,
    260,
)
LONG = (370, 393, 394, 395, 409, 420, 440, 460, 480, 500, 520, 540)


def chart(seed: int) -> tuple[dict[str, Any], datetime]:
    """A Bundle or a CDS Hooks request, and the moment at which it is judged."""
    r = Random(seed)
    offset = r.choice(["+00:00", "+00:00", "+08:00", "+13:00", "-05:00", "-09:30"])
    story = Story(date(2023, 1, 1) + timedelta(days=r.randrange(700)), offset)
    now_day = r.choice(EDGES + LATE + LATE) if r.random() < 0.8 else r.randrange(260)
    since = Random(f"{seed} since")  # draws of their own, so that the charts stay what they were in all else
    if since.random() < 0.1:
        now_day = since.choice(LONG)
    patient, kind = person(r, story)
    _diagnosis(r, story)
    if since.random() < 0.1:
        _recoded(since, story)
    course = events.course(r, story, now_day, kind)
    if kind != "adult":
        _body(r, story, now_day, kind)
    samples.levels(r, story, now_day, course)
    samples.counts(r, story, now_day, course)
    if r.random() < 0.45:
        others.confounders(r, story, now_day)
    if r.random() < 0.3:
        others.bleeding(r, story, now_day)
    if r.random() < 0.4:
        others.interacting(r, story, now_day)
    if r.random() < 0.1:
        days = r.choice([0, 1, 20, 44, 45, 46])
        story.add("ServiceRequest", status=r.choice(["active", "active", "completed"]), intent="order",
                  authoredOn=story.day(now_day - days), code=coded("http://loinc.org", "29247-4"))  # fmt: skip
    more = Random(f"{seed} more")
    if since.random() < 0.6:  # the others are well
        harm.happens(more, story, now_day)
        illness.happens(since, story, now_day, patient["gender"])
    extras.happens(more, story, now_day)
    lately.happens(since, story, now_day, kind, course)
    hook = r.choice(["bundle", "bundle", "patient-view", "order-sign", "order-sign", "order-select"])
    now = story.moment(now_day, r.choice(["07:00", "12:00", "18:30"]))
    if hook == "bundle":
        r.shuffle(story.made)
        return as_bundle(patient, story.made), now
    selections = None
    if hook != "patient-view":
        if more.random() < 0.06:  # a first order
            story.made = [made for made in story.made if not about_sirolimus(made)]
        events.drafts(r, story, now_day, course)
        if more.random() < 0.15:
            extras.ordered(more, story, now_day, hook)
        if since.random() < 0.15:
            lately.again(since, story, now_day)
        if hook == "order-select" and r.random() < 0.8:
            chosen = r.sample(story.drafts, r.randint(1, len(story.drafts)))
            selections = [f"{d['resourceType']}/{d['id']}" for d in chosen]
    return as_request(hook, patient, story.made, story.drafts, selections), now


def about_sirolimus(resource: Json) -> bool:
    """An order or a dose of sirolimus, or a level of it."""
    text = str(resource.get("medicationCodeableConcept", resource.get("code")))
    return any(
        code in text for code in ("35302", "905158", "349208", "360110", "314230", "29247-4", "115766-8", "80548-1")
    )


def person(r: Random, story: Story) -> tuple[Json, str]:
    """The patient: adult, small adult, or a child, crowded around 2, 5, 13 and 18 years."""
    kind = r.choice(["adult"] * 5 + ["small", "child", "child", "child"])
    if kind == "child":
        days = r.choice([2, 5, 13, 18]) * 365.25 + r.choice([-200, -60, -20, -3, 0, 3, 20])
        days = days if r.random() < 0.3 else r.uniform(0.8, 17.9) * 365.25
    else:
        days = r.choice([18.05, 18.2, 25, 33, 40, 58, 71]) * 365.25
    born = story.base - timedelta(days=int(days))
    gender = r.choice(["male", "female"])
    patient = {"resourceType": "Patient", "id": PATIENT[8:], "gender": gender, "birthDate": born.isoformat()}
    return patient, kind


def _diagnosis(r: Random, story: Story) -> None:
    """ITP, in most charts on the problem list."""
    roll = r.random()
    if roll > 0.97:
        return
    code = r.choice([coded(SNOMED, "32273002"), coded(SNOMED, "2897005"), coded(ICD10, "D69.3")])
    rest: Json = {"code": code, "onsetDateTime": story.day(-r.randrange(100, 900))}
    if roll < 0.85:
        rest["clinicalStatus"] = coded(CLINICAL, "active")
    elif roll < 0.9:
        rest["clinicalStatus"] = coded(CLINICAL, "resolved")
    elif roll < 0.93:
        rest["verificationStatus"] = coded(VERIFICATION, "refuted")
    story.add("Condition", **rest)


def _recoded(r: Random, story: Story) -> None:
    """The same diagnosis in another ICD-10."""
    for made in story.made:
        if made["resourceType"] == "Condition":
            made["code"] = coded(r.choice([ICD10_WHO, ICD10_GM]), "D69.3")


def _body(r: Random, story: Story, now_day: int, kind: str) -> None:
    """Weight and height, some of them old."""
    if r.random() < 0.1:
        return
    weight = r.choice([36.0, 39.5, 39.9, 40.0, 40.1, 45.0]) if kind == "small" else r.choice(
        [8.0, 9.5, 10.0, 11.0, 12.0, 14.0, 15.0, 18.0, 20.0, 25.0, 30.0, 38.0, 45.0, 55.0]
    )  # fmt: skip
    height = round(75 + 70 * (weight - 8) / 32) if weight < 40 else r.choice([150, 160, 168])
    for code, value, unit in (("29463-7", weight, "kg"), ("8302-2", height, "cm")):
        if code == "8302-2" and r.random() < 0.25:
            continue
        age = r.choice([0, 1, 5, 10, 29, 30, 31, 60, 89, 90, 91, 120])
        story.add("Observation", status="final", code=coded("http://loinc.org", code),
                  effectiveDateTime=story.day(now_day - age), valueQuantity=quantity(value, unit))  # fmt: skip
