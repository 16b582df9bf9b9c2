"""Exports for the tests: many patients' resources as the NDJSON files of a bulk server."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from cds.chart.prefetch import PREFETCH_TYPES
from tests.charts import PATIENT, Resource, day, itp, level, patient, sirolimus
from tests.conftest import LONG
from tests.oracle.charts import chart

EVERY = ",".join(PREFETCH_TYPES.values())
AT = f"{day(182)}T20:00:00Z"
MANY = 10_000 if LONG else 200


def of_patient(pid: str, *resources: Resource) -> list[Resource]:
    """Resources as this patient's, with ids of their own."""
    text = json.dumps(resources).replace(f'"Patient/{PATIENT}"', f'"Patient/{pid}"')
    made: list[Resource] = json.loads(text)
    for each in made:
        each["id"] = pid if each["resourceType"] == "Patient" else f"{pid}-{each['id']}"
    return made


def taker(pid: str, *more: Resource) -> list[Resource]:
    """Somebody with ITP who takes sirolimus since day 0, with a level on day 100."""
    return of_patient(pid, patient(), itp(), sirolimus("s", day(0), 2), level("l", day(100, "08:00"), 8), *more)


def many_people(many: int) -> dict[str, list[Resource]]:
    """The resources of the oracle's charts by patient, each with an id of its own; charts without a Patient are left out."""
    people: dict[str, list[Resource]] = {}
    for number in range(many):
        body, _ = chart(number)
        resources = [each["resource"] for each in body["entry"]] if "entry" in body else []
        pid = next((each["id"] for each in resources if each["resourceType"] == "Patient"), "")
        if pid:
            text = json.dumps(resources).replace(f"Patient/{pid}", f"Patient/p{number}")
            people[f"p{number}"] = json.loads(text.replace(f'"id": "{pid}"', f'"id": "p{number}"'))
    return people


def write(folder: Path, resources: Iterable[Resource]) -> Path:
    """A file for each type of resource."""
    by_type: dict[str, list[str]] = defaultdict(list)
    for each in resources:
        by_type[each["resourceType"]].append(json.dumps(each))
    folder.mkdir(parents=True, exist_ok=True)
    for kind, lines in by_type.items():
        (folder / f"{kind}.ndjson").write_text("".join(f"{line}\n" for line in lines))
    return folder
