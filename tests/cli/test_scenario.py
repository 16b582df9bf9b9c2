"""``sirolimus-cds scenario`` and ``pytest --sirolimus-rules``: rules prove themselves, here and at a site."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds.cli.main import main
from tests.conftest import RULES

FILE = str(RULES / "scenarios" / "interactions" / "rifampin.yaml")
TROUGH_LOW = Path("trough") / "trough-low.yaml"


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["scenario", *arguments], input=stdin)


def test_every_day_is_judged() -> None:
    result = run(FILE)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:2] == ["day 29, order-sign: as expected", "day 31, patient-view: as expected"]


def test_a_day_becomes_fhir_that_brings_its_card(tmp_path: Path) -> None:
    written = run(FILE, "--day", "40", "--bundle")
    assert written.exit_code == 0 and "--at 2024-02-17T20:00:00+00:00" in written.stderr
    file = tmp_path / "day.json"
    file.write_text(written.stdout)
    judged = CliRunner().invoke(main, ["evaluate", "--at", "2024-02-17T20:00:00+00:00", "--format", "json", str(file)])
    topics = [card["source"]["topic"]["code"] for card in json.loads(judged.stdout)["cards"]]
    assert "interactingDrugStopped" in topics


def test_another_card_than_expected_is_told_on_its_day(tmp_path: Path) -> None:
    file = tmp_path / "rifampin.yaml"
    text = Path(FILE).read_text(encoding="utf-8")
    assert "interacting-drug-stopped" in text
    file.write_text(text.replace("interacting-drug-stopped", "trough-high"), encoding="utf-8")
    result = run(str(file))
    assert result.exit_code == 1
    assert "day 40: expected (-) and got (+):\n  - trough-high\n  + interacting-drug-stopped: " in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((FILE, "--bundle"), "choose a day with --day: 29, 31, 40, 61"),
        ((FILE, "--day", "7"), "the scenario looks at no day 7; it looks at 29, 31, 40, 61"),
        (("nowhere.yaml",), "nowhere.yaml:1: cannot be read: No such file or directory"),
        ((str(RULES / TROUGH_LOW),), "trough-low.yaml:1: 'scenario' is missing"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.fixture
def at_a_site(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """pytest in a folder that holds nothing but rules, as a site's CI runs it."""

    def go(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:schemathesis", *arguments]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        return ended.returncode, ended.stdout + ended.stderr

    return go


def copied(tmp_path: Path, old: str, new: str) -> None:
    """The rules beside the tests of a site, with one thing changed."""
    shutil.copytree(RULES, tmp_path / "rules")
    file = tmp_path / "rules" / TROUGH_LOW
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.slow
def test_a_site_runs_its_rules_as_tests(at_a_site: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    shutil.copytree(RULES, tmp_path / "rules")
    code, said = at_a_site("-v", "--sirolimus-rules", "rules")
    assert code == 0
    assert "rules::trough-low | 4.9 ng/mL is below the target PASSED" in said
    assert "rules::rifampin | day 40, patient-view PASSED" in said


@pytest.mark.slow
def test_a_case_that_fails_shows_both_cards(at_a_site: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    given = "case: 4.9 ng/mL is below the target\n    given: {trough: 4.9}\n    card: Sirolimus trough 4."
    copied(tmp_path, f"{given}9", f"{given}8")
    code, said = at_a_site("--sirolimus-rules", "rules")
    assert code == 1
    assert (
        "case '4.9 ng/mL is below the target':\n"
        "  expected 'Sirolimus trough 4.8 ng/mL on 2024-05-01 is below the target of 5-15 ng/mL'\n"
        "  got      'Sirolimus trough 4.9 ng/mL on 2024-05-01 is below the target of 5-15 ng/mL'"
    ) in said
    assert "1 failed" in said and "Traceback" not in said


@pytest.mark.slow
def test_unsound_rules_fail_once_and_say_where(at_a_site: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    copied(tmp_path, "trough < {trough_low} ng/mL", "trough < {trough_lo} ng/mL")
    code, said = at_a_site("--sirolimus-rules", "rules")
    assert code == 1 and "1 failed" in said and "passed" not in said
    assert "trough-low.yaml:" in said and "trough_lo" in said


@pytest.mark.slow
def test_a_folder_that_is_none_is_a_usage_error(at_a_site: Callable[..., tuple[int, str]]) -> None:
    code, said = at_a_site("--sirolimus-rules", "nowhere")
    assert code == pytest.ExitCode.USAGE_ERROR and "nowhere is not a folder of rules" in said
