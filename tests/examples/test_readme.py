"""What README shows is what there is."""

from __future__ import annotations

import re

from click.testing import CliRunner

from cds.cli.main import main
from tests.conftest import ROOT, RULES

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(after: str) -> str:
    """The first fenced block behind some words."""
    found = re.search(r"```\w*\n(.*?)```", README.split(after)[1], re.DOTALL)
    assert found is not None
    return found[1]


def test_every_line_of_the_rule_stands_in_its_file() -> None:
    file = (RULES / "trough" / "trough-low.yaml").read_text(encoding="utf-8")
    assert [line for line in block("This is the heart of").splitlines() if line not in file.splitlines()] == []


def test_the_card_is_what_the_command_prints() -> None:
    command, *shown = block("the card it produces for a patient's chart").splitlines()
    place = shown.index("  ...")
    words = command.split()[2:]
    printed = CliRunner().invoke(main, [word.replace("fhir_examples", str(ROOT / "fhir_examples")) for word in words])
    lines = printed.stdout.splitlines()
    assert lines[:place] == shown[:place]
    assert shown[place + 1] in lines
