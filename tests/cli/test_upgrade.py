"""What a site wrote for the version before: each error names the words of now, and ``fmt --upgrade`` writes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cds.authoring.upgrade import upgraded
from cds.cli.main import main
from cds.knowledge.read import read_folder
from tests.conftest import RULES

DEFINITIONS = """# ours
usable_from:
  value: 8   # days; agreed in January
  unit: day
  means: Days after which a level is at steady state.
  cite: label-dosing
  basis: SEEN
  subjects: [dosing, trough]
"""
OLD_TESTS = """  - any:
      - trough < {trough_low} ng/mL
      # the laboratory reports "<5"
      - trough_under <= {trough_low} ng/mL
      - trough_at_most < {trough_low} ng/mL
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """An overlay of the version before: a rule with bounds, a definition and a value set with subjects."""
    folder = tmp_path / "our hospital"
    for each in ("trough", "valuesets"):
        (folder / each).mkdir(parents=True)
    rule = (RULES / "trough" / "trough-low.yaml").read_text(encoding="utf-8")
    rule = rule.replace("  - trough < {trough_low} ng/mL\n", OLD_TESTS).replace('{trough: "<5",', "{trough_under: 5,")
    rule = rule.replace("trough as reported", "trough_report")
    rule = rule.replace(
        "  - trough_answered_by_draft is false\n",
        "  - trough_answered_by_draft is false\n  - trough_report is present\n",
    )
    rule = rule.replace('{trough: "<=4.9",', "{trough_at_most: 4.9,").replace("priority: 31", "priority: 30")
    (folder / "trough" / "trough-low.yaml").write_text(rule, encoding="utf-8")
    (folder / "definitions.yaml").write_text(DEFINITIONS, encoding="utf-8")
    ours = (
        (RULES / "valuesets" / "live-vaccine.yaml")
        .read_text(encoding="utf-8")
        .replace("\ncite:", "\nsubjects: [interactions]\ncite:", 1)
    )
    (folder / "valuesets" / "live-vaccine.yaml").write_text(ours, encoding="utf-8")
    return folder


def faults(site: Path) -> list[str]:
    return [str(fault) for fault in read_folder(RULES, "", [site]).faults]


def test_each_error_names_what_to_write_now(site: Path) -> None:
    found = "\n".join(faults(site))
    assert "trough_under is gone: write 'trough < ...', which holds of a bound where it surely holds" in found
    assert "'trough: \"<=5\"' in a case; 'sirolimus-cds fmt --upgrade' does it" in found
    assert "trough_report is gone: write '{trough as reported}' in a text, 'trough is present' in a condition" in found
    assert "usable_from: unknown key 'subjects': delete it; a signature covers what the facts of a rule read" in found
    assert "live-vaccine.yaml" in found


@pytest.mark.slow
def test_upgraded_it_is_read_and_says_what_it_said(site: Path) -> None:
    done = CliRunner().invoke(main, ["fmt", "--upgrade", str(site)])
    assert done.exit_code == 0, done.output
    assert faults(site) == []
    read = read_folder(RULES, "", [site])
    assert read.knowledge is not None
    assert read.knowledge.definitions["usable_from"] == 8
    shipped = read_folder(RULES).knowledge
    assert shipped is not None
    now, ours = shipped.rule("trough-low"), read.knowledge.rule("trough-low")
    assert ours.priority == 30 and ours.levels == now.levels
    for mine, shipped_one in zip(
        ours.variants, now.variants, strict=True
    ):  # it asks once more whether there is a level
        assert [{t.text for t in b} - {"trough is present"} for b in mine.branches] == [
            {t.text for t in b} for b in shipped_one.branches
        ]
    assert '# the laboratory reports "<5"' in (site / "trough" / "trough-low.yaml").read_text(encoding="utf-8")
    assert "# days; agreed in January" in (site / "definitions.yaml").read_text(encoding="utf-8")
    assert 'given: {trough: "<5", trough as reported:' in (site / "trough" / "trough-low.yaml").read_text(
        encoding="utf-8"
    )


@pytest.mark.slow
@pytest.mark.untraced
def test_what_is_of_now_is_left_alone(site: Path) -> None:
    CliRunner().invoke(main, ["fmt", "--upgrade", str(site)])
    again = CliRunner().invoke(main, ["fmt", "--upgrade", "--check", str(site)])
    assert (again.exit_code, again.output) == (0, "")
    assert CliRunner().invoke(main, ["fmt", "--upgrade", "--check", str(RULES)]).exit_code == 0


@pytest.mark.parametrize(
    ("text", "now"),
    [
        ("when:\n  - any: [trough < 4 ng/mL, trough_under <= 4 ng/mL] # both\n", "# both\nwhen:\n  - trough < 4 ng/mL\n"),
        ("when:\n  - trough_under <= 4 ng/mL\n", None),  # of a bound alone: it would widen to exact levels
        ("when:\n  - any: [trough < 4 ng/mL, trough_under > 2 ng/mL]\n", None),  # the other way round
        ("given: {trough_over: 20, trough: absent}\n", 'given: {trough: ">20"}\n'),
        ("given: {trough: absent, trough_under: 4, trough_over: absent}\n", 'given: {trough: "<4"}\n'),
        ("given: {trough: 3, trough_under: absent}\n", "given: {trough: 3}\n"),
        ("given: {trough: 3, trough_under: 4}\n", None),  # which of the two?
        ("detail: ['{trough_report}, {cut_for_high_level}']\n", "detail: ['{trough as reported}, {cut_for_a_reason}']\n"),
        ("means: a trough_report of ours\n", None),
    ],
)  # fmt: skip
def test_what_a_machine_cannot_decide_is_left_to_its_author(text: str, now: str | None) -> None:
    assert upgraded(text) == (now if now is not None else text)


def test_the_lines_of_a_card_are_divided_into_its_layers(tmp_path: Path) -> None:
    text = (
        "card:\n  summary: Low\n  detail:\n"
        '    - "Level: {trough as reported}; {trough_working}."\n'
        '    - "Before a change, consider adherence."\n'
        '    - "{proposal_working}"\n'
        "    - Nobody knows.\n"
        "levels:\n  - when: [in_response is true]\n    detail: [Nobody knows.]\n"
    )
    assert upgraded(text) == (
        "card:\n  summary: Low\n  because:\n"
        '    - "Level: {trough as reported}; {trough_working}."\n'
        '    - "{proposal_working}"\n'
        '  consider:\n    - "Before a change, consider adherence."\n'
        "  working:\n    - Nobody knows.\n"
        "levels:\n  - when: [in_response is true]\n    because: []\n    consider: []\n    working:\n      - Nobody knows.\n"
    )


def test_a_rule_of_the_version_before_is_told_what_to_write(tmp_path: Path) -> None:
    folder = tmp_path / "ours" / "trough"
    folder.mkdir(parents=True)
    rule = (RULES / "trough" / "exposure-shift.yaml").read_text(encoding="utf-8").replace("  because:", "  detail:")
    (folder / "exposure-shift.yaml").write_text(rule, encoding="utf-8")
    assert "unknown key 'detail': a card has 'because', 'consider' and 'working'" in str(faults(tmp_path / "ours"))
