"""The hazard table of docs/clinical-validation.md: enough rows, each with tests and rules that exist."""

from __future__ import annotations

import re

from cds.knowledge.files import Folder
from tests.conftest import ROOT, RULES

TABLE = (ROOT / "docs" / "clinical-validation.md").read_text(encoding="utf-8").split("## Hazards")[1].split("\n## ")[0]
ROWS = [line.split(" | ") for line in TABLE.splitlines() if re.match(r"\| [0-9]+ \|", line)]


def test_there_are_twenty_hazards_or_more_each_with_a_control() -> None:
    assert len(ROWS) >= 20
    assert all(len(row) == 5 and all(cell.strip(" |") for cell in row) for row in ROWS)
    assert [int(row[0].strip("| ")) for row in ROWS] == list(range(1, len(ROWS) + 1))


def test_every_test_that_the_table_names_is_there() -> None:
    for row in ROWS:
        named = re.findall(r"`([^`]+)`", row[4])
        assert named
        for name in named:
            place = RULES / name if name.endswith(".yaml") else ROOT / "tests" / name
            assert place.is_file(), name


def test_every_rule_that_the_table_names_is_there(folder: Folder) -> None:
    known = {file.rule.id for file in folder.files}
    named = set(re.findall(r"\b[a-z]+(?:-[a-z]+){1,5}\b", " ".join(row[3] for row in ROWS)))
    assert {
        name
        for name in named
        if name.split("-")[0] in ("dose", "interacting", "falling", "bleeding", "surgery", "hepatitis", "ace", "trough")
    } <= known
