"""Bodies made to cost as much as they can: each kind of resource alone, as many as fit."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

from cds.advise import advise
from cds.chart.request import read_request
from cds.engine import CheckedEngine
from cds.hooks.judging import LARGE
from tests.charts import (
    LOINC,
    PATIENT,
    Resource,
    as_bytes,
    count,
    day,
    drug,
    graded,
    itp,
    level,
    observation,
    ordered,
    patient,
    request,
    sirolimus,
    subject,
)
from tests.judge import now_on

SIZES = LARGE, 2 * 1024 * 1024


def _named(kind: str, text: str, number: int, **more: object) -> Resource:
    field = "medicationCodeableConcept" if kind.startswith("Medication") else "code"
    whose = "patient" if kind == "AllergyIntolerance" else "subject"
    return {"resourceType": kind, "id": f"n{number}", whose: subject(), field: {"text": text}, **more}


def _order(number: int, text: str, words: str) -> Resource:
    more = {"status": "active", "intent": "order", "authoredOn": day(number % 300)}
    return _named("MedicationRequest", text, number, dosageInstruction=[{"text": words}], **more)


def _clumped(number: int) -> Resource:
    """A count beside which the laboratory wrote that platelets were clumped."""
    return count(f"c{number}", day(number % 300, f"{number % 24:02}:30"), 20) | {"note": [{"text": "platelet clumps"}]}


def _steady_count(number: int) -> Resource:
    return count(f"p{number}", day(number % 300, f"{number % 24:02}:00"), number % 200)


def _bracketed(number: int, name: str) -> Resource:
    result = observation(f"b{number}", "1742-6", day(number % 300), 22, "U/L")
    return result | {"code": {"coding": [{"system": LOINC, "code": "1742-6", "display": name}], "text": name}}


KINDS: dict[str, Callable[[int], list[Resource]]] = {
    "levels": lambda n: [level(f"l{n}", day(n % 300, f"{n % 24:02}:00"), n % 20)],
    "counts": lambda n: [_steady_count(n)],
    "counts, 80 a day": lambda n: [count(f"p{n}", day(n // 80, f"{n % 24:02}:{n % 60:02}"), n % 200)],
    "counts and clumps": lambda n: [_steady_count(n), _clumped(n)],
    "counts and grades of bleeding": lambda n: [_steady_count(n), graded(f"g{n}", day(n % 300), n % 5)],
    "counts and orders of tests": lambda n: [_steady_count(n), ordered(f"o{n}", "777-3", day(n % 300))],
    "orders of sirolimus": lambda n: [sirolimus(f"s{n}", day(n % 300), 1 + n % 4)],
    "orders of one day, each of another strength": lambda n: [sirolimus(f"s{n}", day(0), 1 + n / 1000)],
    "orders in words": lambda n: [
        _order(n, "sirolimus 1 mg tablet", "2 mg daily for 3 days then 1 mg every other day")
    ],
    "orders of other drugs": lambda n: [_order(n, f"Ketoconazol {n} mg", "10 mg daily")],
    "problems in words": lambda n: [_named("Condition", "Verdacht auf Pneumonie", n)],
    "allergies in words": lambda n: [_named("AllergyIntolerance", "sirolimus rash", n)],
    "names with a bracket": lambda n: [_bracketed(n, "ALANINE AMINOTRANSFERASE [E")],
    "names of brackets alone": lambda n: [_bracketed(n, "[{" * 90)],
    "resources of a wrong shape": lambda n: [{"resourceType": "Observation", "id": f"o{n}", "status": 5}],
}
"""What the n-th item of a body is."""
DRAFTS: dict[str, Callable[[int], list[Resource]]] = {
    "drafts, each of another strength": lambda n: [sirolimus(f"d{n}", day(290), 1 + n / 1000, status="draft")],
    "drafts of other drugs": lambda n: [drug(f"d{n}", "clarithromycin", day(290), status="draft")],
}


def body_of(kind: str, items: int) -> bytes:
    """A request with so many items of a kind."""
    base = [patient(), itp(), sirolimus("s", day(0), 2), level("l", day(290, "08:00"), 9)]
    if kind in DRAFTS:
        return as_bytes(
            request("order-sign", base, [each for n in range(items) for each in DRAFTS[kind](n)], pid=PATIENT)
        )
    return as_bytes(
        request("patient-view", base + [each for n in range(items) for each in KINDS[kind](n)], pid=PATIENT)
    )


def items_of(kind: str, size: int) -> int:
    """How many items of a kind make about so many bytes."""
    return size // (sum(len(json.dumps(each)) + 30 for each in (KINDS | DRAFTS)[kind](100)))


def measure_dense(engine: CheckedEngine) -> Iterator[str]:
    """A line a size: the kind that costs most."""
    now = now_on(300)
    for size in SIZES:
        worst = (0.0, "")
        for kind in KINDS | DRAFTS:
            body = body_of(kind, items_of(kind, size))
            begun = time.process_time()
            advise(read_request(body), engine, now)
            worst = max(worst, (time.process_time() - begun, kind))
        goal = "50 ms, for it holds the loop" if size == LARGE else "1 s"
        yield f"densest body of {size // 1024:5} kB       {worst[0] * 1000:8.0f} ms CPU ({worst[1]}; goal {goal})"
