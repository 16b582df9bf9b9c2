"""500 seeded patients of 50-200 resources, with what a plain computation says each must get."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

from tests.charts import (
    LOINC,
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
    sirolimus,
    subject,
    watched,
    weight,
)  # fmt: skip

SEED = 20250601
JUDGED_ON = 100
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_CUT_SHORT = 0.1
"""Share of names that a laboratory system cut off within a bracket."""
_OTHER_ORDERS = ("Metoprolol 50 mg", "Pantoprazol 40 mg", "Colecalciferol 1000 IE", "Bisoprolol 5 mg")
_LABS = ("2951-2", "2823-3", "6690-2", "2075-0", "17861-6", "3094-0", "2885-2", "1751-7", "8480-6", "8867-4")
"""Tests that no rule reads, so that the expected cards need no second reading of the toxicity rules."""


@dataclass(frozen=True)
class Sample:
    body: bytes
    request: bytes
    topics: frozenset[str]


def samples(number: int = 500) -> list[Sample]:
    chance = random.Random(SEED)
    return [_sample(chance, index) for index in range(number)]


def _sample(chance: random.Random, index: int) -> Sample:
    pid = f"bench-{index}"
    dose, value = chance.choice([1, 2, 3, 5, 12]), chance.choice([3.1, 4.9, 5, 9, 15, 15.1, 21])
    newest, base = chance.choice([9, 40, 120]), chance.choice([8, 30])
    treated, partner = index % 8 != 0, index % 10 == 3
    ours: list[Resource] = [
        patient("1975-05-05", "male", pid),
        itp(pid),
        weight("weight", day(90), 72) | {"subject": subject(pid)},
    ]
    ours += [
        count("base", day(-2), base, pid=pid),
        count("c1", day(80), newest, pid=pid),
        count("c2", day(92), newest, pid=pid),
    ]
    if treated:
        ours += [
            sirolimus("siro", day(0), dose, pid=pid),
            level("lvl", day(91, "07:45"), value, pid=pid),
            intake("dose", day(90, "08:00"), pid),
            *(each | {"subject": subject(pid)} for each in watched(day(90))),
        ]
        if partner:
            ours.append(drug("clari", "clarithromycin", day(95), pid=pid))
    topics = _expected(dose, value, newest, base, partner) if treated else frozenset()
    ours += [
        drug(f"other{number}", "clarithromycin", day(10 * number), pid=pid)
        | {"medicationCodeableConcept": {"text": chance.choice(_OTHER_ORDERS)}}
        for number in range(chance.randint(0, 6))
    ]
    target = chance.randint(50, 200)
    noise = [noise_of(chance, f"n{number}", pid) for number in range(target - len(ours))]
    everything = [*ours, *noise]
    chance.shuffle(everything)
    content = bundle(*everything)
    return Sample(json.dumps(content).encode(), _hook_request(pid, ours, noise), topics)


def noise_of(chance: random.Random, rid: str, pid: str) -> Resource:
    """An observation with what real ones carry around their value, and no narrative."""
    code, when = chance.choice(_LABS), day(chance.randint(-300, 99), "09:00")
    number = chance.randint(10_000, 99_999)
    name = "ANALYTE IN SERUM [E" if chance.random() < _CUT_SHORT else "Analyte in serum"
    return observation(rid, code, when, chance.randint(1, 200), "mg/dL", pid=pid) | {
        "basedOn": [{"reference": f"ServiceRequest/sr-{number}", "display": "Laboratory panel"}],
        "category": [
            {"coding": [{"system": _CATEGORY, "code": "laboratory", "display": "Laboratory"}], "text": "Laboratory"},
            {"coding": [{"system": "urn:oid:1.2.840.114350.1.13.0.1.7.10.798268.30", "code": "Lab", "display": "Lab"}], "text": "Lab"},
        ],
        "code": {"coding": [{"system": "urn:local", "code": f"L{number}"}, {"system": LOINC, "code": code, "display": name}], "text": "Analyte"},
        "encounter": {"reference": f"Encounter/enc-{number}", "display": "Office visit"},
        "issued": when,
        "performer": [{"reference": f"Practitioner/pr-{number}", "display": "Laboratory"}, {"reference": "Organization/lab"}],
        "interpretation": [{"coding": [{"system": _INTERPRETATION, "code": "N", "display": "Normal"}], "text": "Normal"}],
        "referenceRange": [{"low": {"value": 1, "unit": "mg/dL"}, "high": {"value": 100, "unit": "mg/dL"}, "text": "1 - 100 mg/dL"}],
    }  # fmt: skip


def _hook_request(pid: str, ours: list[Resource], noise: list[Resource]) -> bytes:
    from tests.charts import request

    room, used = 60_000, []
    for each in noise:
        room -= len(json.dumps(each))
        if room > 0:
            used.append(each)
    body = request("patient-view", [*ours, *used], pid=pid)
    return json.dumps(body).encode()


def _expected(dose: int, value: float, newest: int, base: int, partner: bool) -> frozenset[str]:
    """What the clinician should see on day 100, worked out here without the program."""
    found = set()
    response = "CR" if newest >= 100 else "PR" if newest >= 30 and newest >= 2 * base else "NR"
    if dose > 10:
        found.add("doseFarAboveWindow")
    elif dose > 4 and value > 15:
        found.add("doseAboveWindow")  # in maintenance from day 90; 3 mg is still accepted as a starting dose
    if value > 20:
        found.add("troughCritical")
    elif value > 15:
        found.add("troughHigh")
    elif value < 5:
        found.add("troughLow" if response == "NR" else "troughLowInResponse")
    if response == "CR":
        found.add("responseComplete")
    elif response == "PR":
        found.add("responsePartial")
    else:
        found.add("responseNone" if value >= 5 else "responseNoneUnexposed")
    if response != "NR" and 2 < dose <= 10 and 5 < value <= 15:  # at 5 any smaller dose leaves the target
        found.add("stepDownToMaintenance")  # unless another card speaks of the dose
    if partner:
        found.add("strongInhibitor")
    return frozenset(found)
