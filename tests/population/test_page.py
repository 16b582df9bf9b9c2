"""The report on a cohort, what comes out as FHIR, and the page of docs that leads there."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds.population.rows import TABLES
from cds.population.tables import columns
from tests.charts import day, level, patient, sirolimus
from tests.conftest import ROOT
from tests.population.exports import of_patient, taker, write
from tests.population.run import cohort, run

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGE = (ROOT / "docs" / "population.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
FETCHING = [block for block in BLOCKS if "smart-fetch" in block]
COMMANDS = [block for block in BLOCKS if block not in FETCHING]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What comes out of the study's cohort."""
    folder = tmp_path_factory.mktemp("cohort")
    assert run(cohort(folder / "export"), folder / "out", "--fhir").exit_code == 0
    return folder / "out"


def test_the_page_stands_by_itself(out: Path) -> None:
    text = unescape((out / "report.html").read_text())
    assert "<script" not in text and not re.search(r'(src|href)="(?!data:)', text)
    assert "default-src 'none'" in text and "cohort-01" not in text


def test_the_studys_figures_stand_beside_ours(out: Path) -> None:
    words = " ".join(re.sub(r"<[^>]+>", " ", (out / "report.html").read_text()).split())
    assert "3 20 6 (30%; 14% to 52%) 6 (30%; 14% to 52%) 8 (40%; 22% to 61%) 12 (60%; 39% to 78%)" in words
    assert "Feng 2024 20 6 6 12" in words


def test_it_can_be_read_by_everybody(out: Path, browser: Browser) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(viewport={"width": 400, "height": 800})
    page.goto(f"file://{out}/report.html")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.close()


def test_small_numbers_can_be_kept_back(tmp_path: Path) -> None:
    people = [each for number in range(3) for each in taker(f"p{number}", level("h", day(180, "08:00"), 25))]
    run(write(tmp_path / "export", people), tmp_path / "out", "--suppress", "5")
    text = (tmp_path / "out" / "report.html").read_text()
    assert "&lt;5" in text and "<img" not in text and "<td>3</td>" not in text


def test_each_patient_has_a_report_where_they_are_asked_for(tmp_path: Path) -> None:
    without_itp = of_patient("no-itp", patient(), sirolimus("s", day(0), 2), level("h", day(180, "08:00"), 25))
    export = write(tmp_path / "export", [*taker("p", level("h", day(180, "08:00"), 25)), *taker("q"), *without_itp])
    ended = run(export, tmp_path / "out", "--reports", workers=2)
    assert ended.exit_code == 0, ended.output
    text = (tmp_path / "out" / "report.html").read_text()
    [(place, name), (_, other)] = re.findall(r'<a href="(reports/[0-9-]+\.html)">(\w+)</a>', text)
    assert (name, other) == ("p", "q"), "whom something critical holds of comes first"
    own = unescape((tmp_path / "out" / place).read_text())
    assert "Observation/p-h" in own and "<script" not in own
    alerts = list(csv.DictReader((tmp_path / "out" / "alerts.csv").read_text().splitlines()))
    [report] = {row["report"] for row in alerts if row["patient"] == "no-itp"}
    assert "no-itp" in (tmp_path / "out" / report).read_text(), "alerts lead to everybody's"
    assert "reports" not in run(export, tmp_path / "without").output and not (tmp_path / "without" / "reports").exists()


def test_reports_go_with_nothing_that_hides_who_they_are_of(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("0123456789abcdef")
    for more in (("--pseudonyms", str(tmp_path / "key")), ("--suppress", "5"), ("--engine", "spark")):
        ended = run(write(tmp_path / "export", taker("p")), tmp_path / "out", "--reports", *more)
        assert ended.exit_code == 2 and "--reports names patients" in ended.output


def test_what_comes_out_as_fhir_is_valid(out: Path, tmp_path: Path) -> None:
    [report] = [json.loads(line) for line in (out / "MeasureReport.ndjson").read_text().splitlines()]
    get_fhir_model_class("MeasureReport").model_validate(report)
    counts = [each["count"] for each in report["group"][0]["population"]]
    assert counts == [20, 20, 12] and report["group"][0]["measureScore"] == {"value": 0.6}
    run(write(tmp_path / "export", taker("p", level("h", day(180, "08:00"), 25))), tmp_path / "out", "--fhir")
    issues = [json.loads(line) for line in (tmp_path / "out" / "DetectedIssue.ndjson").read_text().splitlines()]
    for each in issues:
        get_fhir_model_class("DetectedIssue").model_validate(each)
    [high] = [each for each in issues if each["severity"] == "high"]
    assert high["patient"] == {"reference": "Patient/p"} and {"reference": "Observation/p-h"} in high["implicated"]


def test_every_column_is_on_the_page() -> None:
    for table in TABLES:
        for name, _, means in columns(table):
            bare = re.sub(r"_(3|6|12)$", "_N", name)
            assert f"| `{bare}` | {means} |" in PAGE, (table, name)


def test_every_command_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    people = [each for number in range(4) for each in taker(f"p{number}")]
    write(folder / "export", people)
    (folder / "patients.key").write_text("0123456789abcdef")
    environ = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    for command in COMMANDS:
        ended = subprocess.run(["sh", "-ec", command], cwd=folder, env=environ, capture_output=True, text=True)
        assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"
    assert (folder / "out" / "report.html").is_file() and (folder / "over-time" / "findings.parquet").is_file()


def test_the_queries_name_every_code_of_an_oral_form() -> None:
    from click.testing import CliRunner

    from cds.cli.main import main

    said = CliRunner().invoke(main, ["population", "--queries"]).output
    assert "%7C349208%252C" in said, "a comma in a filter is escaped twice, for filters are parted by commas"
    assert "_type=Patient,MedicationRequest" in said and "|349208," in said
