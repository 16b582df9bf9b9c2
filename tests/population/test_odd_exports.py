"""Exports as they come: odd lines, files and patients are right, or named."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from cds.engine import CheckedEngine
from tests.charts import count, day, itp, level, patient, sirolimus
from tests.conftest import LONG
from tests.population.exports import of_patient, taker, write
from tests.population.run import rows, run


def test_lines_that_cannot_be_read_are_named_and_stop_nothing(tmp_path: Path) -> None:
    export = write(tmp_path / "export", taker("p"))
    with (export / "Observation.ndjson").open("a") as file:
        file.write('{"resourceType": "Observation", "subject": {"reference": "Patient/p"}, \n[1]\nletter\n')
    out = tmp_path / "out"
    result = run(export, out)
    assert result.exit_code == 1 and len(rows(out, "patients")) == 1
    faults = [json.loads(line) for line in (out / "faults.ndjson").read_text().splitlines()]
    assert [(each["file"], each["line"]) for each in faults] == [("Observation.ndjson", line) for line in (2, 3, 4)]
    assert "letter" not in (out / "faults.ndjson").read_text()


@pytest.mark.slow
def test_a_file_that_is_cut_off_is_named(tmp_path: Path) -> None:
    export = write(tmp_path / "export", [each for number in range(300) for each in taker(f"p{number}")])
    plain = export / "Condition.ndjson"
    content = gzip.compress(plain.read_bytes())
    (export / "Condition.ndjson.gz").write_bytes(content[: len(content) // 2])
    plain.unlink()
    out = tmp_path / "out"
    assert run(export, out).exit_code == 1 and len(rows(out, "patients")) == 300
    [fault] = [json.loads(line) for line in (out / "faults.ndjson").read_text().splitlines()]
    assert fault["file"] == "Condition.ndjson.gz" and "what follows is missing" in fault["reason"]


def test_versions_duplicates_and_absolute_references(engine: CheckedEngine, tmp_path: Path) -> None:
    old = level("l", day(100, "08:00"), 22) | {"meta": {"versionId": "1"}}
    new = level("l", day(100, "08:00"), 8) | {"meta": {"versionId": "2"}}
    text = json.dumps(of_patient("p", patient(), itp(), sirolimus("s", day(0), 2), old, new, new))
    resources = json.loads(text.replace('"Patient/p"', '"https://fhir.example/r4/Patient/p/_history/4"'))
    out = tmp_path / "out"
    assert run(write(tmp_path / "export", resources), out, at=f"{day(101)}T20:00:00Z").exit_code == 0
    [row] = rows(out, "patients")
    assert (row["trough_ng_ml"], row["critical"]) == (8.0, 0)


def test_orders_that_point_to_medications_in_another_file(tmp_path: Path) -> None:
    order = sirolimus("s", day(0), 2)
    concept = order.pop("medicationCodeableConcept")
    order["medicationReference"] = {"reference": "Medication/m"}
    medication = {"resourceType": "Medication", "id": "m", "code": concept}
    out = tmp_path / "out"
    run(
        write(tmp_path / "export", [*of_patient("p", patient(), itp(), order), medication]),
        out,
        at=f"{day(10)}T20:00:00Z",
    )
    [row] = rows(out, "patients")
    assert row["dose_mg_day"] == 2.0


def test_a_patient_who_contradicts_themself_is_named_and_the_others_are_judged(tmp_path: Path) -> None:
    twice = [*taker("q"), patient(born="1950-01-01", pid="q")]
    out = tmp_path / "out"
    assert run(write(tmp_path / "export", [*taker("p"), *twice]), out).exit_code == 1
    assert [row["patient"] for row in rows(out, "patients")] == ["p"]
    [fault] = [json.loads(line) for line in (out / "faults.ndjson").read_text().splitlines()]
    assert fault["patient"] == "q" and "two versions of the Patient differ" in fault["reason"]


def test_a_patient_of_very_many_resources(tmp_path: Path) -> None:
    bloods = [count(f"c{number}", day(number % 180), 90) for number in range(100_000 if LONG else 5_000)]
    out = tmp_path / "out"
    assert run(write(tmp_path / "export", taker("p", *bloods)), out).exit_code == 0
    assert rows(out, "patients")[0]["resources"] > len(bloods)
