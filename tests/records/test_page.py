"""docs/operation.md: its commands are run, and its settings read."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cds.engine import CheckedEngine
from cds.hooks.settings import Settings, read_settings
from tests.conftest import ROOT, RULES
from tests.records.doors import asked, overridden, reported, service

PAGE = (ROOT / "docs" / "operation.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
pytestmark = [pytest.mark.slow, pytest.mark.untraced]


def test_every_command_of_the_page_does_what_it_says(engine: CheckedEngine, tmp_path: Path, key_file: Path) -> None:
    folder = tmp_path / "a folder"
    shutil.copytree(RULES, folder / "changed")
    with service(engine, str(folder / "records.sqlite"), key_file, records_keep="input") as client:
        card = asked(client, name="request-0001")[0]["uuid"]
        assert reported(client, overridden(card, userComment="known")) == 200
    environ = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    said = {}
    for command in COMMANDS:
        ended = subprocess.run(["sh", "-ec", command], cwd=folder, env=environ, capture_output=True, text=True)
        assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"
        said[" ".join(command.split()[1:3])] = ended.stdout
    assert said["decisions list"].count("\n") == 1 and card in said["decisions show"]
    assert (folder / "request.json").stat().st_size > 500
    assert "trough-critical" in (folder / "feedback.csv").read_text()
    assert "1 decisions judged again: no card differs" in said["replay --records"]
    assert "1 decisions, 1 reports" in said["records state"] and "0 decisions" in said["records purge"]


def test_the_settings_of_the_page_are_settings(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("".join(re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)))
    assert read_settings(file, {}).records_keep == "input"


def test_every_setting_of_records_is_named_on_a_page() -> None:
    table = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    assert [name for name in Settings.model_fields if name.startswith("records") and f"`{name}`" not in table] == []
