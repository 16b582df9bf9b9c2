"""From a bulk server to the report, by a client that others wrote, with the commands of docs/population.md."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cds.population.export import find_export
from tests.charts import Resource, day, drug, itp, level, patient, sirolimus
from tests.conftest import ROOT
from tests.population.bulk_server import CLIENT, BulkServer, serving
from tests.population.exports import of_patient, taker, write
from tests.population.run import rows, run, summary
from tests.population.test_page import FETCHING, PAGE

pytestmark = pytest.mark.slow

FILTER = re.compile(r'--type-filter ("\$\([^`]*\)")')


def test_a_client_of_others_brings_all_of_those_who_take_sirolimus(tmp_path: Path) -> None:
    order = sirolimus("s", day(0), 2)
    medication = {"resourceType": "Medication", "id": "m", "code": order.pop("medicationCodeableConcept")}
    pointing = order | {"medicationReference": {"reference": "Medication/m"}}
    without_category = level("x", day(180, "08:00"), 25)
    without_category.pop("category", None)
    resources = [
        *taker("taker", without_category),
        *of_patient("other", patient(), itp()),
        *of_patient("pointing", patient(), itp(), pointing),
        medication,
    ]
    with serving(resources, tmp_path) as bulk:
        said = _fetched(bulk, tmp_path)
    assert bulk.wrong == [] and said.returncode == 0, said.stderr
    assert bulk.deleted == 1, "the server may delete what it made"
    assert bulk.kicked_off[0]["_type"] == ["MedicationRequest"]
    assert (tmp_path / "patients.txt").read_text().split() == ["pointing", "taker"]
    out = tmp_path / "of-the-server"
    assert {row["patient"] for row in rows(out, "patients")} == {"pointing", "taker"}
    assert {row["reference"] for row in rows(out, "values")} >= {"Observation/taker-x"}, "a level without a category"
    assert (out / "faults.ndjson").read_text() == ""
    assert summary(out)["missing"] == ["MedicationAdministration", "MedicationStatement", "Appointment"]


def test_the_filter_of_the_queries_finds_who_is_ordered_it_by_code(tmp_path: Path) -> None:
    resources = [*taker("taker"), *of_patient("other", patient(), itp(), drug("o", "rifampin", day(0)))]
    with serving(resources, tmp_path) as bulk:
        first = FETCHING[0].splitlines()[0]
        assert _fetched(bulk, tmp_path, first + " --type-filter " + FILTER.search(PAGE)[1]).returncode == 0
    assert [each["id"] for each in _lines(tmp_path / "orders")] == ["taker-s"]


def test_a_folder_of_a_client_is_read_once_and_its_errors_are_named(tmp_path: Path) -> None:
    """As smart-fetch leaves it: links to the newest files, folders of earlier exports, and what the server could not give."""
    export = tmp_path / "everything"
    write(export / "001.first", taker("p", level("old", day(180, "08:00"), 25)))
    write(export / "002.second", taker("p", level("x", day(180, "08:00"), 7)))
    write(export / "002.second" / "error", [{"resourceType": "OperationOutcome", "issue": []}])
    (export / ".metadata").write_text('{"kind": "managed"}')
    for each in (export / "002.second").glob("*.ndjson"):
        (export / each.name).symlink_to(each.relative_to(export))
    found = find_export(export)
    assert {path.parent for path in found.files} == {export}
    [(place, why)] = found.faults
    assert place == "002.second/error/OperationOutcome.ndjson" and "some of the export may be missing" in why
    run(export, tmp_path / "out")
    assert {row["value"] for row in rows(tmp_path / "out", "values") if row["day"] == 180} == {7}


def test_a_folder_of_somebody_else_is_read_as_a_whole(tmp_path: Path) -> None:
    export = write(tmp_path / "export", taker("p"))
    write(export / "more", taker("q"))
    for content in ("{}", "not JSON", '{"kind": "output"}'):
        (export / ".metadata").write_text(content)
        assert {path.parent.name for path in find_export(export).files} == {"export", "more"}, content


def test_a_link_to_a_file_of_the_same_folder_is_no_second_file(tmp_path: Path) -> None:
    export = write(tmp_path / "export", taker("p"))
    (export / "Again.ndjson").symlink_to("Observation.ndjson")
    assert len(find_export(export).files) == len(list(export.glob("*.ndjson"))) - 1


def _fetched(bulk: BulkServer, folder: Path, commands: str = FETCHING[0]) -> subprocess.CompletedProcess[str]:
    """The commands of the page, where its server is."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environ = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "FHIR_URL": bulk.base, "CLIENT_ID": CLIENT}
    return subprocess.run(["sh", "-ec", commands], cwd=folder, env=environ, capture_output=True, text=True)


def _lines(folder: Path) -> list[Resource]:
    texts = [gzip.decompress(path.read_bytes()) for path in folder.glob("*.ndjson.gz")]
    lines = [json.loads(line) for text in texts for line in text.splitlines()]
    return [each for each in lines if each["resourceType"] == "MedicationRequest"]
