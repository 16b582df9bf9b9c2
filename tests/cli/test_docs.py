"""docs/rules.md: every rule as a clinician reads it, and current."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from cds.cli.main import main
from cds.knowledge.files import Folder
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
    assert "Shown while the risk is new, for 14 days." in section("pjp-prophylaxis")
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


def test_the_rule_that_the_readme_shows_is_the_shipped_one() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("```yaml\n")[2].partition("```")[0].splitlines()
    rule = (RULES / "trough" / "trough-low.yaml").read_text(encoding="utf-8").splitlines()
    assert shown and [line for line in shown if line not in rule] == []
