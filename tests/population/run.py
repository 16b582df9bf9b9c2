"""The command as the tests call it, and what came out of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from click.testing import CliRunner, Result

from cds.cli.main import main
from tests.examples.cohort import COHORT
from tests.population.exports import AT, EVERY, of_patient, write


def run(export: Path, out: Path, *more: str, at: str = AT, supplied: str = EVERY, workers: int = 1) -> Result:
    """The command; with one worker it is all in this process."""
    return CliRunner().invoke(
        main,
        [
            "population",
            str(export),
            "-o",
            str(out),
            "--at",
            at,
            "--supplied",
            supplied,
            "--workers",
            str(workers),
            *more,
        ],
    )


def rows(out: Path, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(out / f"{table}.parquet").to_pylist()
    return found


def summary(out: Path) -> Any:
    return json.loads((out / "summary.json").read_text())


def cohort(folder: Path) -> Path:
    return write(folder, [each for member in COHORT for each in of_patient(member.pid, *(entry["resource"] for entry in member.chart()["entry"]))])  # fmt: skip
