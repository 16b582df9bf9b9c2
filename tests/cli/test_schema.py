"""``sirolimus-cds schema``: what an editor needs to complete keys and mark wrong ones, read by a validator of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from cds.cli.main import main
from tests.conftest import ROOT, RULES

FOLDER = ROOT / "docs" / "schemas"
EDITOR: dict[str, str] = json.loads((ROOT / ".vscode" / "settings.json").read_text())["yaml.schemas"]


def files_of(glob: str) -> list[Path]:
    """The files that an editor takes a glob with braces to mean."""
    head, _, rest = glob.partition("{")
    inner, _, tail = rest.partition("}")
    return [file for part in (inner.split(",") if rest else [""]) for file in ROOT.glob(head + part + tail)]


def content(file: Path) -> Any:
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8")), default=str))


def validator(schema: str) -> Any:
    return jsonschema_rs.validator_for(json.loads((ROOT / schema).read_text()))


def test_the_schemas_are_what_the_command_writes(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["schema", "--all", str(tmp_path / "a folder")])
    assert result.exit_code == 0
    written = {file.name: file.read_text() for file in (tmp_path / "a folder").iterdir()}
    assert written == {file.name: file.read_text() for file in FOLDER.iterdir()}, "run 'make docs'"
    assert CliRunner().invoke(main, ["schema", "rule"]).stdout == written["rule.schema.json"]


def test_the_editor_has_a_schema_for_every_rule_file() -> None:
    meant = [file for glob in EDITOR.values() for file in files_of(glob)]
    assert sorted(meant) == sorted(RULES.rglob("*.yaml"))
    assert {schema.removeprefix("./docs/schemas/") for schema in EDITOR} == {file.name for file in FOLDER.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize(("schema", "glob"), EDITOR.items(), ids=lambda value: value.split("/")[-1])
def test_every_shipped_file_is_right_by_its_schema(schema: str, glob: str) -> None:
    checker = validator(schema)
    for file in files_of(glob):
        assert [(file.name, str(error)) for error in checker.iter_errors(content(file))] == []


@pytest.mark.parametrize(
    "change",
    [
        {"priorty": 5},
        {"hooks": ["order-dispatch"]},
        {"hooks": []},
        {"priority": 101},
        {"cases": []},
        {"background": {"a fact that nobody knows": 1}},
        {"sources": [{"cite": "feng-2024", "states": "x", "grade": "E", "basis": "SEEN"}]},
        {"when": [{"all": ["trough < 5"]}]},
    ],
    ids=lambda change: str(*change),
)
def test_a_wrong_rule_is_marked(change: dict[str, Any]) -> None:
    rule = content(RULES / "trough" / "trough-low.yaml")
    checker = validator("docs/schemas/rule.schema.json")
    assert checker.is_valid(rule) and not checker.is_valid(rule | change)


def test_an_unknown_kind_is_told_the_known_ones() -> None:
    for arguments in ([], ["rules"], ["rule", "--all", "x"]):
        result = CliRunner().invoke(main, ["schema", *arguments])
        assert result.exit_code == 2 and "rule, protocol, valueset, scenario" in result.stderr
