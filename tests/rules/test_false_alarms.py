"""How often each rule speaks on public synthetic patients who have nothing to do with sirolimus, with a course added."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from cds.advise import advise
from cds.chart.request import read_request
from cds.engine import CheckedEngine
from tests.charts import Resource, bundle, condition, sirolimus

FILE = Path(__file__).resolve().parents[3] / "shared" / "fhir" / "synthea-120.ndjson.gz"
DATES = ("effectiveDateTime", "issued", "authoredOn", "onsetDateTime", "recordedDate", "performedDateTime", "date")
MOST = 0.02
OFTEN = {
    "monitoring-overdue": "no level and no laboratory test follows the course that is added",
    "trough-overdue": "no level follows the course that is added",
    "moderate-modulator": "verapamil is taken, and no level has followed",
    "child-dose-by-size": "the 2 mg a day that are added are much for a small child",
    "not-assessed": "no recent weight is on record, or the patient was born after the ITP that is added",
    "renal-decline": "creatinine more than doubled in an acute illness that the record tells",
}
"""Rules that speak on more of them than that, and why it is true of these patients."""


def charts() -> Iterator[tuple[Resource, datetime]]:
    """Each patient's resources with ITP and sirolimus 2 mg daily for 60 days, on the day of the newest entry."""
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        for line in lines:
            resources = json.loads(line)["resources"]
            pid = next(each["id"] for each in resources if each["resourceType"] == "Patient")
            today = date.fromisoformat(max(_dates(resources)))
            start = (today - timedelta(days=60)).isoformat()
            added = [condition("added-itp", "32273002", "2010-01-01"), sirolimus("added-sirolimus", start, 2)]
            mine = [each | {"subject": {"reference": f"Patient/{pid}"}} for each in added]
            yield bundle(*resources, *mine), datetime.combine(today, time(23, 59), UTC)


def _dates(resources: list[dict[str, Any]]) -> Iterator[str]:
    for each in resources:
        yield from (each[name][:10] for name in DATES if isinstance(each.get(name), str))


def spoken(engine: CheckedEngine, body: Resource, now: datetime) -> set[str]:
    """The rules whose cards are shown."""
    cards = advise(read_request(json.dumps(body).encode()), engine, now, max_cards=99).cards
    return {
        finding["rule"]
        for card in cards
        for name, found in card["extension"].items()
        if name.endswith(".findings")
        for finding in found
    }


@pytest.mark.skipif(not FILE.is_file(), reason="the public charts are not beside this project")
def test_no_safety_rule_speaks_often_of_patients_who_lack_its_harm(engine: CheckedEngine) -> None:
    found: Counter[str] = Counter()
    patients = 0
    for body, now in charts():
        patients += 1
        found.update(spoken(engine, body, now))
    often = {rule: f"{times / patients:.1%}" for rule, times in found.items() if times > MOST * patients}
    assert often.keys() <= OFTEN.keys(), often
    assert patients == 120
    assert found["trough-overdue"] > 60, "the course that is added is judged"
