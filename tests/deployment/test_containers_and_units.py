"""The Containerfile and the unit of systemd, each held against the tool that knows such files."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

UNIT = ROOT / "docs" / "sirolimus-cds.service"
_AT_MOST_EXPOSED = 20
"""Of 100, as ``systemd-analyze security`` counts; what is left is that the service talks to a network."""

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def test_the_containerfile_passes_its_linter() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([linter, ROOT / "Containerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_everything_that_the_container_is_built_from_is_sent_to_its_builder() -> None:
    """What ``.dockerignore`` lets through, against what pyproject.toml says that the wheel is made of."""
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    said = project["project"]
    needed = {said["readme"], *said["license-files"], *wheel["packages"], *wheel["force-include"]}
    assert needed | {"pyproject.toml", "requirements"} == let_in


@needs_systemd
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    program = str(Path(sys.executable).resolve())  # the tests' own may lie in a folder with a space in its name
    unit.write_text(UNIT.read_text().replace("/opt/sirolimus-cds/bin/sirolimus-cds", program))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_the_unit_leaves_the_service_little_of_the_machine(tmp_path: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", f"--threshold={_AT_MOST_EXPOSED}", UNIT]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
