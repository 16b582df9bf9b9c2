"""docs/rules.md: every rule as a clinician reads it, and current."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from cds.cli.main import GROUPS, main
from cds.knowledge.files import Folder
from tests.cli.page import page
from tests.conftest import ROOT, RULES

PAGE = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")


def section(rule: str) -> str:
    return PAGE.split(f"\n### {rule}\n", 1)[1].split("\n### ", 1)[0]


def test_the_page_is_what_the_rules_say() -> None:
    assert CliRunner().invoke(main, ["docs"]).stdout == PAGE, "run 'make docs'"


def test_the_page_of_what_is_proved_is_current() -> None:
    page = (ROOT / "docs" / "proof.md").read_text(encoding="utf-8")
    told = CliRunner().invoke(main, ["docs", "--proof"])
    assert told.exit_code == 0 and told.stdout == page, "run 'make docs'"
    assert "**Sound.**" in page and page.count("| holds |") == 5


def test_every_rule_and_every_case_is_on_it(folder: Folder) -> None:
    for file in folder.files:
        text = section(file.rule.id)
        assert text.count("\n| ") >= len(file.shape.cases)
        assert all(citation.states in text for citation in file.rule.citations)


def test_a_rule_reads_as_words() -> None:
    text = section("hyperlipidaemia")
    assert "Makes one card with the others of the group *laboratory*." in text
    assert "triglycerides above 1000 mg/dL" in text and "{triglycerides_grade_4}" not in PAGE
    assert "Shown for 14 days, while the risk is new." in section("pjp-prophylaxis")
    assert "not: hepatitis b covered" in section("hepatitis-b")
    assert "> Suggestion: Order {name} (all of baseline missing)" in section("baseline-workup")
    assert "| adult | maintenance | 1 | 2 |" in section("dose-above-window")


def test_what_is_recalled_is_marked() -> None:
    assert "*Grade B; recalled, not checked against the source.*" in section("hepatitis-b")


def test_another_protocol_has_its_own_page() -> None:
    other = CliRunner().invoke(main, ["docs", "--protocol", "ctd-6-15"]).stdout
    assert "the protocol `ctd-6-15`" in other and "trough below 6 ng/mL" in other


def test_unsound_rules_have_no_page(tmp_path: Path) -> None:
    (tmp_path / "definitions.yaml").write_text("adult_age: {}\n")
    result = CliRunner().invoke(main, ["docs", "--rules", str(RULES), "--overlay", str(tmp_path)])
    assert result.exit_code == 1 and result.stdout == "" and "adult_age: 'value' is missing" in result.stderr


def test_the_page_of_commands_is_current() -> None:
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == page(), "run 'make docs'"


def test_help_groups_the_commands() -> None:
    text = CliRunner().invoke(main, ["--help"]).output
    places = [
        text.index(each) for each in ("Judge charts:\n  evaluate", "Serve an EHR:\n  serve", "Write rules:\n  check")
    ]
    assert places == sorted(places)
    modules = {path.stem for path in (ROOT / "cds" / "cli").glob("*.py") if "\ndef command(" in path.read_text()}
    assert modules == {name for names in GROUPS.values() for name in names}


def test_the_shell_completes_as_the_page_says() -> None:
    environ = os.environ | {
        "_SIROLIMUS_CDS_COMPLETE": "bash_complete",
        "COMP_WORDS": "sirolimus-cds ev",
        "COMP_CWORD": "1",
    }
    code = "from cds.cli.main import run; run()"
    said = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True).stdout
    assert said.split() == ["plain,evaluate"]


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 100


def test_the_rule_that_the_readme_shows_is_the_shipped_one() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("```yaml\n")[2].partition("```")[0].splitlines()
    rule = (RULES / "trough" / "trough-low.yaml").read_text(encoding="utf-8").splitlines()
    assert shown and [line for line in shown if line not in rule] == []
