"""The table of requirements: complete, current on its page, and every test that it names is there."""

from __future__ import annotations

import ast

from tests.conftest import ROOT
from tests.hooks.conformance import PAGE, table

ROWS = [row for part in table() for row in part["rows"]]


def test_every_requirement_demand_and_threat_has_its_row() -> None:
    wanted = [f"A{n}" for n in range(1, 40)] + [f"E{n}" for n in range(1, 21)] + [f"T{n}" for n in range(1, 23)]
    assert [row["id"] for row in ROWS] == wanted
    assert all(row.get("tests") or row.get("because") for row in ROWS)


def test_every_test_that_the_table_names_is_there() -> None:
    named = {test for row in ROWS for test in row.get("tests", ())}
    there: set[str] = set()
    for file in {test.partition("::")[0] for test in named}:
        tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
        there |= {f"{file}::{node.name}" for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert named - there == set()


def test_the_page_is_current() -> None:
    said = PAGE.read_text(encoding="utf-8")
    for row in ROWS:
        (line,) = [line for line in said.splitlines() if line.startswith(f"| {row['id']} |")]
        assert row["says"] in line and row.get("because", "") in line
        assert all(f"`{test}`" in line for test in row.get("tests", ()))
