"""Problem and drug lists as long as real ones: those of public synthetic patients, none of whom has to do with sirolimus."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from tests.charts import START, Resource, subject

FILE = Path(__file__).resolve().parents[3] / "shared" / "fhir" / "synthea-120.ndjson.gz"
_KINDS = ("Condition", "MedicationRequest", "AllergyIntolerance", "Procedure")
_DATES = ("authoredOn", "onsetDateTime", "recordedDate", "abatementDateTime", "performedDateTime")
_BEFORE = 30  # days between the newest entry and the first dose


@cache
def lists() -> tuple[tuple[Resource, ...], ...]:
    """Of each patient the lists, as of shortly before the first dose; none where the data are not there."""
    if not FILE.is_file():
        return ()
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        return tuple(tuple(_moved(json.loads(line)["resources"])) for line in lines)


def _moved(resources: Sequence[dict[str, Any]]) -> Iterator[Resource]:
    mine = [each for each in resources if each["resourceType"] in _KINDS]
    newest = max((each[name][:10] for each in mine for name in _DATES if name in each), default="2020-01-01")
    by = START - timedelta(days=_BEFORE) - date.fromisoformat(newest)
    for number, each in enumerate(mine):
        whose = "patient" if each["resourceType"] == "AllergyIntolerance" else "subject"
        dated = {name: _later(each[name], by) for name in _DATES if name in each}
        period = each.get("performedPeriod")
        if period is not None:
            dated["performedPeriod"] = {name: _later(text, by) for name, text in period.items()}
        yield each | dated | {"id": f"listed-{number}", whose: subject()}


def _later(text: str, by: timedelta) -> str:
    return (date.fromisoformat(text[:10]) + by).isoformat() + text[10:]
