"""``sirolimus-cds lint``: an integrator sees at once why a card is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cds.cli.main import main
from tests.charts import as_bytes, bundle, day, itp, level, patient, request, sirolimus


def lint(folder: Path, chart: Any, *options: str) -> Result:
    file = folder / "a chart.json"
    file.write_bytes(chart if isinstance(chart, bytes) else as_bytes(chart))
    return CliRunner().invoke(main, ["lint", "--at", day(30), *options, str(file)])


SOUND = bundle(patient(), itp(), sirolimus("s", day(0), 2), level("l", day(20, "08:00"), 8))
UNSOUND = bundle(patient(), sirolimus("s", day(0), 2) | {"dosageInstruction": [{"text": "2 tablets"}]})


def test_a_chart_that_can_be_read(tmp_path: Path) -> None:
    result = lint(tmp_path, SOUND)
    assert result.exit_code == 0
    assert "read (4)" in result.output and "cannot be read" not in result.output
    assert "Bundle.entry[3].resource (Observation/l): sirolimus level 8 ng/mL, final" in result.output


def test_what_cannot_be_read_has_a_path_and_an_exit_code(tmp_path: Path) -> None:
    result = lint(tmp_path, UNSOUND)
    assert result.exit_code == 1
    text = " ".join(result.output.split())
    assert (
        "Bundle.entry[1].resource.dosageInstruction[0].doseAndRate (MedicationRequest/s): sirolimus: its dose is"
        in text
    )


def test_what_was_not_sent_is_said(tmp_path: Path) -> None:
    body = request("patient-view", [patient(), itp()])
    del body["prefetch"]["medications"], body["prefetch"]["procedures"]
    result = lint(tmp_path, body)
    assert "missing: MedicationRequest was not supplied" in result.output
    assert "missing: Procedure was not supplied" in result.output


def test_json(tmp_path: Path) -> None:
    said = json.loads(lint(tmp_path, UNSOUND, "--format", "json").output)
    assert said["findings"][1] == {
        "path": "Bundle.entry[1].resource.dosageInstruction[0].doseAndRate",
        "reference": "MedicationRequest/s",
        "verdict": "cannot be read",
        "says": "sirolimus: its dose is given in words only",
    }


def test_what_is_ignored_is_counted(tmp_path: Path) -> None:
    visits = [{"resourceType": "Encounter", "id": f"e{n}"} for n in range(500)]
    result = lint(tmp_path, bundle(patient(), *visits))
    assert "500 x Encounter: no rule needs this type; first at Bundle.entry[1].resource" in result.output
    assert result.output.count("\n") < 10


def test_a_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_bytes(b"{")
    (tmp_path / "good.json").write_bytes(as_bytes(SOUND))
    files = [str(tmp_path / "bad.json"), str(tmp_path / "good.json")]
    result = CliRunner().invoke(main, ["lint", "--at", day(30), *files])
    assert result.exit_code == 2
    assert "this is not JSON" in result.output and "read (4)" in result.output


def test_hostile_text_stays_one_plain_line(tmp_path: Path) -> None:
    order = sirolimus("s", day(0), 2) | {"id": "\x1b[31mred\u202e\n<script>"}
    result = lint(tmp_path, bundle(patient(), order))
    assert "\x1b" not in result.output and "\u202e" not in result.output


@pytest.mark.parametrize("text", ["Wilhelmina", "1990-03-14", "Hospital Road"])
def test_names_and_birth_dates_are_not_repeated(tmp_path: Path, text: str) -> None:
    person = patient() | {"name": [{"text": "Wilhelmina"}], "address": [{"text": "Hospital Road"}]}
    assert (
        text
        not in lint(tmp_path, bundle(person, {"resourceType": "Condition", "id": "c", "code": {"text": text}})).output
    )
