"""A run as it is run: over time, ended and resumed, refused, and with faults of our own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cds.population import workers
from tests.charts import PATIENT, day, itp, level, patient
from tests.conftest import LONG
from tests.population.exports import AT, EVERY, of_patient, taker, write
from tests.population.run import rows, run, summary

pytestmark = pytest.mark.slow


def test_over_time_each_moment_has_its_findings(tmp_path: Path) -> None:
    out = tmp_path / "out"
    export = write(tmp_path / "export", taker("p", level("h", day(47, "08:00"), 25)))
    assert run(export, out, "--every", "28d", "--from", day(20), at=f"{day(104)}T20:00:00Z").exit_code == 0
    found = Counter(row["at"].date().isoformat() for row in rows(out, "findings") if row["rule"] == "trough-critical")
    assert found == {day(48): 1}


def test_with_pseudonyms_nobody_is_named(tmp_path: Path) -> None:
    key, out = tmp_path / "key", tmp_path / "out"
    key.write_text("0123456789abcdef")
    run(write(tmp_path / "export", taker("somebody", level("h", day(180, "08:00"), 25))), out, "--pseudonyms", str(key))
    [name] = {row["patient"] for table in ("patients", "findings", "values") for row in rows(out, table)}
    written = b"".join(each.read_bytes() for each in out.iterdir())
    assert len(name) == 24 and b"somebody" not in written and rows(out, "findings")[0]["evidence"] == []


def test_what_was_ended_is_gone_on_with_and_comes_out_alike(tmp_path: Path) -> None:
    """Killed with some buckets judged, the run goes on with the others; byte by byte the same comes out."""
    export = write(tmp_path / "export", [each for number in range(700) for each in taker(f"p{number}")])
    whole, ended = tmp_path / "whole", tmp_path / "ended"
    assert run(export, whole, workers=2).exit_code == 0  # however many work
    for number, bucket in enumerate(range(4) if LONG else (2,)):
        process = _killed_at(bucket, export, ended, "--resume" if number else "")
        assert process.returncode == -9, process.stderr
        assert len(list((ended / "work").glob("part-*"))) == bucket
    again = run(export, ended)
    assert again.exit_code == 2 and "--resume" in again.output
    assert run(export, ended, "--resume").exit_code == 0
    for name in ("patients.parquet", "findings.parquet", "values.parquet", "alerts.csv", "summary.json"):
        assert (whole / name).read_bytes() == (ended / name).read_bytes()
    assert not (ended / "work").exists()  # the lines of patients are gone


def _killed_at(bucket: int, export: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The command in a process that is killed as soon as so many buckets are judged."""
    arguments = [
        "population",
        str(export),
        "-o",
        str(out),
        "--at",
        AT,
        "--supplied",
        EVERY,
        "--workers",
        "1",
        *filter(None, more),
    ]
    code = (
        "import os, sys; from cds.population import workers\n"
        "judge = workers.judge_lines\n"
        "def killed(*given):\n"
        f"    if len(list(__import__('pathlib').Path({str(out)!r}, 'work').glob('part-*'))) == {bucket}: os.kill(os.getpid(), 9)\n"
        "    return judge(*given)\n"
        "workers.judge_lines = killed\n"
        "from cds.cli.main import main\n"
        f"main({arguments!r})"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)


@pytest.mark.skipif(not LONG, reason="a file of a gigabyte: make population")
def test_a_line_of_a_gigabyte_is_left_out_and_costs_no_memory(tmp_path: Path) -> None:
    export = write(tmp_path / "export", taker("p"))
    block = b"a" * (1 << 20)
    with (export / "Huge.ndjson").open("wb") as file:
        file.write(b'{"resourceType": "Observation", "subject": {"reference": "Patient/p"}, "note": "sirolimus ')
        for _ in range(1024):
            file.write(block)
        file.write(b'"}\n' + json.dumps(taker("q")[2]).encode() + b"\n")
    code = (
        "import sys, resource; from cds.cli.main import main\n"
        f"try: main(['population', {str(export)!r}, '-o', {str(tmp_path / 'out')!r}, '--at', {AT!r}, '--workers', '1'])\n"
        "except SystemExit as end: print(end.code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    code_and_memory = ended.stdout.splitlines()[-1].split()
    assert code_and_memory[0] == "1" and int(code_and_memory[1]) < 600, ended.stdout + ended.stderr
    [fault] = [json.loads(line) for line in (tmp_path / "out" / "faults.ndjson").read_text().splitlines()]
    assert fault["file"] == "Huge.ndjson" and fault["line"] == 1 and "longer than 64 MB" in fault["reason"]
    assert {row["patient"] for row in rows(tmp_path / "out", "patients")} == {"p", "q"}, "what follows it is read"


def test_another_run_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    export, out = write(tmp_path / "export", taker("p")), tmp_path / "out"
    (out / "work").mkdir(parents=True)
    (out / "work" / "run.json").write_text("{}")
    assert "another run was begun there" in run(export, out, "--resume").output


def test_what_came_out_is_not_written_over(tmp_path: Path) -> None:
    export, out = write(tmp_path / "export", taker("p")), tmp_path / "out"
    assert run(export, out).exit_code == 0
    assert "holds what came out of a run" in run(export, out).output
    assert "holds what came out of a run" in run(export, out, "--resume").output
    assert "must not be written inside the export" in run(export, export / "out").output


def test_a_fault_of_ours_costs_one_patient_and_says_nothing_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = workers.judge

    def fails(who: str, *rest: Any) -> Any:
        if who == "p1":
            raise ValueError("platelets of p1")
        return judged(who, *rest)

    monkeypatch.setattr(workers, "judge", fails)
    out = tmp_path / "out"
    result = run(write(tmp_path / "export", [each for number in range(3) for each in taker(f"p{number}")]), out)
    assert result.exit_code == 70 and [row["patient"] for row in rows(out, "patients")] == ["p0", "p2"]
    assert (
        out / "faults.ndjson"
    ).read_text() == '{"patient":"p1","reason":"an internal fault (ValueError): no advice"}\n'


def test_a_manifest_that_says_that_something_is_missing_is_believed(tmp_path: Path) -> None:
    export = write(tmp_path / "export", taker("p"))
    output = [{"type": each.stem, "url": f"https://bulk.example/{each.name}?sig=1%2F2"} for each in export.iterdir()]
    said = {"transactionTime": AT, "output": output, "error": [{"type": "OperationOutcome", "url": "e"}], "deleted": []}
    (export / "manifest.json").write_text(json.dumps(said))
    out = tmp_path / "out"
    assert run(export / "manifest.json", out).exit_code == 1 and len(rows(out, "patients")) == 1
    [fault] = [json.loads(line) for line in (out / "faults.ndjson").read_text().splitlines()]
    assert fault["file"] == "manifest.json" and "errors" in fault["reason"]


def test_a_patient_who_kills_the_process_costs_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = tmp_path / "sitecustomize.py"
    hook.write_text(
        "import os\n"
        "from cds.population import judge, workers\n"
        "judged = workers.judge\n"
        "def dies(patient, *rest):\n"
        "    if patient == 'p3': os._exit(9)\n"
        "    return judged(patient, *rest)\n"
        "workers.judge = dies\n"
    )
    monkeypatch.setenv(
        "PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}:{Path(workers.__file__).parents[2]}"
    )
    out = tmp_path / "out"
    result = run(
        write(tmp_path / "export", [each for number in range(6) for each in taker(f"p{number}")]), out, workers=2
    )
    assert result.exit_code == 70
    assert [row["patient"] for row in rows(out, "patients")] == ["p0", "p1", "p2", "p4", "p5"]
    [fault] = [json.loads(line) for line in (out / "faults.ndjson").read_text().splitlines()]
    assert fault == {"patient": "p3", "reason": "the process that judged it died"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--supplied", "Letters"), "Letters is not read"),
        (("--at", "latest"), "name a time"),
        (("--every", "4 weeks"), "as 28d"),
        (("--every", "28d"), "--from"),
        (("--pseudonyms", "nowhere"), "nowhere"),
        (("--engine", "spark", "--resume"), "Spark starts from the beginning"),
    ],
)
def test_what_is_asked_wrongly_is_said(tmp_path: Path, more: tuple[str, ...], said: str) -> None:
    result = run(write(tmp_path / "export", taker("p")), tmp_path / "out", *more)
    assert result.exit_code == 2 and said in result.output


def test_an_export_of_nobody_is_written_too(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(write(tmp_path / "export", of_patient("p", patient(), itp())), out).exit_code == 0
    assert rows(out, "patients") == [] and summary(out)["landmarks"][0]["evaluable"] == 0
    shutil.rmtree(out)
    assert run(tmp_path / "nowhere", out).exit_code == 2


def test_alerts_hold_no_formula(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(write(tmp_path / "export", taker("=HYPERLINK(1)", level("h", day(180, "08:00"), 25))), out)
    assert "\n'=HYPERLINK(1)," in (out / "alerts.csv").read_text()
    assert PATIENT not in (out / "alerts.csv").read_text()
