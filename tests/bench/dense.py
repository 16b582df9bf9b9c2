"""Bodies made to cost as much as they can: each kind of resource alone, as many as fit."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

from cds.advise import advise
from cds.chart.request import read_request
from cds.engine import CheckedEngine
from cds.hooks.judging import LARGE
from tests.charts import PATIENT, Resource, as_bytes, count, day, itp, level, patient, request, sirolimus, subject
from tests.judge import now_on

SIZES = LARGE, 2 * 1024 * 1024


def _named(kind: str, text: str, number: int, **more: object) -> Resource:
    field = "medicationCodeableConcept" if kind.startswith("Medication") else "code"
    whose = "patient" if kind == "AllergyIntolerance" else "subject"
    return {"resourceType": kind, "id": f"n{number}", whose: subject(), field: {"text": text}, **more}


def _order(number: int, text: str, words: str) -> Resource:
    more = {"status": "active", "intent": "order", "authoredOn": day(number % 300)}
    return _named("MedicationRequest", text, number, dosageInstruction=[{"text": words}], **more)


KINDS: dict[str, Callable[[int], Resource]] = {
    "levels": lambda n: level(f"l{n}", day(n % 300, f"{n % 24:02}:00"), n % 20),
    "counts": lambda n: count(f"p{n}", day(n % 300, f"{n % 24:02}:00"), n % 200),
    "orders of sirolimus": lambda n: sirolimus(f"s{n}", day(n % 300), 1 + n % 4),
    "orders in words": lambda n: _order(n, "sirolimus 1 mg tablet", "2 mg daily for 3 days then 1 mg every other day"),
    "orders of other drugs": lambda n: _order(n, f"Ketoconazol {n} mg", "10 mg daily"),
    "problems in words": lambda n: _named("Condition", "Verdacht auf Pneumonie", n),
    "allergies in words": lambda n: _named("AllergyIntolerance", "sirolimus rash", n),
    "resources of a wrong shape": lambda n: {"resourceType": "Observation", "id": f"o{n}", "status": 5},
}


def body_of(kind: str, size: int) -> bytes:
    """A request of about so many bytes."""
    base = [patient(), itp(), sirolimus("s", day(0), 2), level("l", day(290, "08:00"), 9)]
    each = len(json.dumps(KINDS[kind](100))) + 40
    return as_bytes(request("patient-view", base + [KINDS[kind](n) for n in range(size // each)], pid=PATIENT))


def measure_dense(engine: CheckedEngine) -> Iterator[str]:
    """A line a size: the kind that costs most."""
    now = now_on(300)
    for size in SIZES:
        worst = (0.0, "")
        for kind in KINDS:
            body = body_of(kind, size)
            begun = time.process_time()
            advise(read_request(body), engine, now)
            worst = max(worst, (time.process_time() - begun, kind))
        goal = "50 ms, for it holds the loop" if size == LARGE else "1 s"
        yield f"densest body of {size // 1024:5} kB       {worst[0] * 1000:8.0f} ms CPU ({worst[1]}; goal {goal})"
