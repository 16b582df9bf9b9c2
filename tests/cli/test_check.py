"""``sirolimus-cds check``: what it tells of sound rules, and that no small change gets past it."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cds.cli.main import main
from cds.knowledge.load import load
from tests.conftest import ROOT, RULE_FILES, RULES
from tests.knowledge.test_wrong_rules import MY, RULE, folder_of

pytestmark = pytest.mark.slow


def check(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["check", *map(str, arguments)])


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report on a copy of the shipped rules, for which nothing outside the folder is needed."""
    rules = shutil.copytree(RULES, tmp_path_factory.mktemp("elsewhere") / "rules")
    told = check(rules, "--format", "json")
    assert told.exit_code == 0 and told.stderr == "", told.output
    return dict(json.loads(told.stdout))


def test_the_shipped_rules_are_sound_and_nothing_is_idle(report: dict[str, Any]) -> None:
    assert report["sound"] is True and report["faults"] == []
    assert report["rules"] == len(report["byRule"]) == len(RULE_FILES)
    assert (
        report["mutants"]["made"] == report["mutants"]["killed"] == sum(r["mutants"]["made"] for r in report["byRule"])
    )
    assert report["factsNeverUsed"] == [] and report["alwaysTogether"] == []


def test_every_rule_fires_and_rests_and_is_tried_on_both_sides(report: dict[str, Any]) -> None:
    for rule in report["byRule"]:
        assert all(hook["fires"] for hook in rule["hooks"].values()), rule["rule"]
        assert sum(hook["rests"] for hook in rule["hooks"].values()), rule["rule"]
        assert all(boundary["bothSides"] for boundary in rule["boundaries"]), rule["rule"]
        assert rule["scenarioDays"] > 0, rule["rule"]
    low = next(rule for rule in report["byRule"] if rule["rule"] == "trough-low")
    assert {"condition": "trough < 5 ng/mL", "holdsAt": 4.9, "failsAt": 5.0, "bothSides": True} in low["boundaries"]
    assert low["status"] == "draft"


def test_every_number_is_pinned_on_both_sides(report: dict[str, Any]) -> None:
    assert len(report["numbers"]) > 200
    assert [n["name"] for n in report["numbers"] if not (n["noticedAbove"] and n["noticedBelow"])] == []
    (age,) = (number for number in report["numbers"] if number["name"] == "adult_age")
    assert age == {
        "name": "adult_age", "protocol": "seed-2024", "value": 18.0, "unit": "year",
        "noticedAbove": "adult-from-the-eighteenth-birthday | day 0, order-select",
        "noticedBelow": "adult-from-the-eighteenth-birthday | day -1, order-select",
    }  # fmt: skip


def test_what_another_protocol_says_differently_is_pinned_under_it(report: dict[str, Any]) -> None:
    protocols = {number["protocol"] for number in report["numbers"]}
    assert protocols == {path.stem for path in (RULES / "protocols").glob("*.yaml")}


STUDY = {
    "trough_low": 5,
    "trough_high": 15,
    "partial_count": 30,
    "complete_count": 100,
    "landmark_3_from": 69,
    "landmark_6_to": 208,
}
DOSES = [
    ("adult", "starting", 2, 4),
    ("adult", "maintenance", 1, 2),
    ("child", "starting", 1, 2),
    ("child", "maintenance", 0.5, 1),
]


@pytest.mark.parametrize("name", STUDY)
def test_no_number_of_the_study_changes_unnoticed(name: str, report: dict[str, Any]) -> None:
    (number,) = [each for each in report["numbers"] if (each["name"], each["protocol"]) == (name, "seed-2024")]
    assert number["value"] == STUDY[name] and number["noticedAbove"] and number["noticedBelow"]


@pytest.mark.parametrize(("group", "phase", "low", "high"), DOSES)
def test_no_dose_of_the_study_changes_unnoticed(
    group: str, phase: str, low: float, high: float, report: dict[str, Any]
) -> None:
    for side, value in (("low", low), ("high", high)):
        (number,) = [
            each
            for each in report["numbers"]
            if (each["name"], each["protocol"]) == (f"{group} {phase} {side}", "seed-2024")
        ]
        assert number["value"] == value and number["noticedAbove"] and number["noticedBelow"]


def test_a_number_that_changed_and_a_code_that_is_too_wide_are_faults(tmp_path: Path) -> None:
    rules = shutil.copytree(RULES, tmp_path / "rules")
    file = rules / "protocols" / "seed-2024.yaml"
    text = file.read_text(encoding="utf-8")
    text = text.replace("trough_low:\n    value: 5", "trough_low:\n    value: 4.9")
    file.write_text(text.replace("trough_high:\n    value: 15", "trough_high:\n    value: 14.9"), encoding="utf-8")
    codes = rules / "valuesets" / "thrombosis.yaml"
    wide = "prefixes:\n  - {system: icd10, prefix: I80, name: thrombosis, display: Phlebitis, basis: RECALLED}\n"
    codes.write_text(codes.read_text(encoding="utf-8").replace("prefixes:\n", wide, 1), encoding="utf-8")
    told = check(rules)
    assert told.exit_code == 1 and "faults" in told.stdout.splitlines()[-1]
    assert "'I80.0' of icd10 means 'thrombosis'" in told.stdout
    assert "rules/trough/trough-low.yaml" in told.stdout and "got no card" in told.stdout
    assert "rules/trough/trough-high.yaml" in told.stdout
    assert "case '15 ng/mL is in the target': expected no card, got 'Sirolimus trough" in told.stdout
    assert load(rules).hash != load().hash  # it was read, and it is another knowledge


def test_a_rule_whose_cases_are_not_sharp(tmp_path: Path) -> None:
    blunt = RULE.replace("    given: {trough: 5}", "    given: {trough: 6}")
    told = check(folder_of(tmp_path, blunt))
    assert told.exit_code == 1
    assert f"{MY}:18: no case notices if `trough < 5 ng/mL` becomes `trough <= 5 ng/mL`\n" in told.stdout
    assert f"{MY}:18: no case notices if `trough < 5 ng/mL` becomes `trough < 5.1 ng/mL`\n" in told.stdout
    assert "boundaries 0/1; mutants 2/4" in told.stdout


def test_a_number_that_nobody_watches(tmp_path: Path) -> None:
    lines = check(folder_of(tmp_path, RULE)).stdout.splitlines()
    said = "rules/definitions.yaml:1: no case or scenario notices if adult_age becomes {} year in place of 18"
    assert said.format(19) in lines and said.format(17) in lines
    assert not any("trough_low becomes" in line for line in lines)  # the rule's own number is pinned by its cases
    assert lines[-2:] == [
        "4 numbers of definitions and protocols, 1 pinned on both sides",
        "1 rules, 2 cases, 0 scenario days, 4 mutants: 6 faults",
    ]


LEVELS = """levels:
  - when: [trough < 3 ng/mL]
    indicator: critical
  - when: [trough < {second} ng/mL]
    indicator: warning
"""
NEVER = [
    (
        RULE.replace("ng/mL\ncard", "ng/mL\n  - ordering is true\ncard"),
        f"{MY}:6: this rule can never hold: its conditions exclude one another",
    ),
    (
        RULE.replace("ng/mL\ncard", "ng/mL\n  - trough > {trough_low} ng/mL\ncard"),
        f"{MY}:6: this rule can never hold: its conditions exclude one another",
    ),
    (
        RULE.replace("ng/mL\ncard", "ng/mL\n  - trough is absent\ncard"),
        f"{MY}:6: this rule can never hold: its conditions exclude one another",
    ),
    (
        RULE.replace("  indicator: warning\n", "").replace("sources:", LEVELS.format(second=2) + "sources:")
        .replace("above 5 ng/mL", "above 5 ng/mL, not 2 or 3"),
        f"{MY}:6: degree 2 (warning) is never reached: a degree before it holds whenever it does",
    ),
    (
        RULE.replace("  - trough < {trough_low} ng/mL", "  - trough < {trough_low} ng/mL\n  - any:\n      - phase is starting\n      - trough >= {trough_low} ng/mL"),
        f"{MY}:6: the alternative `trough >= {{trough_low}} ng/mL` decides nothing: it cannot hold with the rest, or asks for more than another",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "said"), NEVER)
def test_what_can_never_hold_is_told(rule: str, said: str, tmp_path: Path) -> None:
    told = check(folder_of(tmp_path, rule))
    assert told.exit_code == 1 and said in told.stdout.splitlines(), told.stdout


def test_two_rules_that_always_speak_together(tmp_path: Path) -> None:
    rules = folder_of(tmp_path, RULE)
    twin = (
        RULE.replace("id: my-rule", "id: my-twin")
        .replace("trough < {trough_low}", "trough < 5")
        .replace("title: A rule", "title: Its twin")
    )
    (rules / "trough" / "my-twin.yaml").write_text(twin)
    assert "my-rule and my-twin always speak together" in check(rules).stdout.splitlines()


def test_a_scenario_that_is_about_a_number_nobody_knows(tmp_path: Path) -> None:
    rules = folder_of(tmp_path, RULE)
    (rules / "scenarios").mkdir()
    text = "scenario: A try\nstory: None.\nabout: [adult_agee]\ndays: {0: sirolimus 2 mg daily}\ncards: [{day: 9, expect: none}]\n"
    (rules / "scenarios" / "a-try.yaml").write_text(text, encoding="utf-8")
    told = check(rules)
    assert told.exit_code == 1
    assert "rules/scenarios/a-try.yaml:3: about: there is no number 'adult_agee'" in told.stdout


def test_a_bar_shows_how_far_it_is_where_somebody_looks(tmp_path: Path) -> None:
    """On a terminal standard error moves; the report itself stays on standard output."""
    rules = folder_of(tmp_path, RULE)
    ours, theirs = pty.openpty()
    program = [sys.executable, "-c", "from cds.cli.main import run; run()", "check", str(rules)]
    ended = subprocess.run(program, stdout=subprocess.PIPE, stderr=theirs, text=True, cwd=ROOT)
    os.close(theirs)
    seen = os.read(ours, 100_000).decode()
    os.close(ours)
    assert all(label in seen for label in ("cases", "mutants", "numbers")) and "100%" in seen
    assert ended.returncode == 1 and "100%" not in ended.stdout
