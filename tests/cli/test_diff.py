"""``sirolimus-cds diff``: who would get other cards under other rules."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds.cli.main import main
from tests.conftest import ROOT, RULES

EXAMPLES = ROOT / "fhir_examples"
LOW = EXAMPLES / "course-1-titration" / "bundle.json"  # a level of 3.9 ng/mL
QUIET = EXAMPLES / "no-sirolimus" / "bundle.json"


def diff(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["diff", *map(str, arguments)])


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder over the rules with a protocol of its own: a target of 3.5 to 15 ng/mL."""
    folder = tmp_path / "our site"
    (folder / "protocols").mkdir(parents=True)
    text = (RULES / "protocols" / "seed-2024.yaml").read_text(encoding="utf-8")
    text = text.replace("id: seed-2024", "id: ours").replace("default: true\n", "")
    text = text.replace("trough_low:\n    value: 5", "trough_low:\n    value: 3.5")
    (folder / "protocols" / "ours.yaml").write_text(text, encoding="utf-8")
    return folder


def test_the_same_rules_bring_the_same_cards() -> None:
    same = diff(RULES, RULES, LOW, QUIET)
    assert (same.exit_code, same.stdout) == (0, "2 judged by both: no card differs\n")


def test_a_patient_who_loses_a_card_is_named_with_it(site: Path) -> None:
    found = diff(RULES, f"{RULES}+{site}@ours", LOW, QUIET)
    assert found.exit_code == 1
    assert found.stdout.splitlines() == [
        str(LOW),
        "  - trough-low: Sirolimus trough 3.9 ng/mL on 2024-01-22 07:40 is below the target of 5-15 ng/mL",
        "",
        f"{'rule':<44} gained   lost changed",
        f"{'trough-low':<44} {0:>6} {1:>6} {0:>7}",
        "2 judged by both: 1 differ",
    ]


def test_the_other_way_round_it_is_gained(site: Path) -> None:
    found = diff(f"{RULES}+{site}@ours", RULES, LOW, "--format", "json")
    told = json.loads(found.stdout)
    assert found.exit_code == 1
    assert (told["judged"], told["differ"]) == (1, 1)
    assert told["byRule"] == {"trough-low": {"gained": 1, "lost": 0, "changed": 0}}
    assert list(told["patients"][0]["gained"]) == ["trough-low"]
    assert told["old"]["hash"] != told["new"]["hash"]


@pytest.mark.slow
def test_a_card_that_changes_says_in_what(site: Path) -> None:
    (site / "protocols" / "ours.yaml").write_text(
        (site / "protocols" / "ours.yaml")
        .read_text()
        .replace("trough_low:\n    value: 3.5", "trough_low:\n    value: 4"),
    )
    found = diff(RULES, f"{RULES}+{site}@ours", LOW)
    assert "  ~ trough-low (summary, detail): Sirolimus trough 3.9 ng/mL" in found.stdout
    (one,) = json.loads(diff(RULES, f"{RULES}+{site}@ours", LOW, "--format", "json").stdout)["patients"]
    (changed,) = one["changed"]
    assert changed["rule"] == "trough-low" and changed["summary"]["new"].endswith("below the target of 4-15 ng/mL")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "old", "new", "part"),
    [
        ("trough/trough-low.yaml", "override: [known-monitored, ", "override: [", "overrideReasons"),
        ("trough/trough-low.yaml", "title: Sirolimus trough below target", "title: Sirolimus too low", "source"),
        ("response/response-none.yaml", "hooks: [patient-view]", "hooks: [patient-view] # as it was", ""),
    ],
)
def test_no_change_that_a_clinician_sees_is_called_the_same(
    tmp_path: Path, file: str, old: str, new: str, part: str
) -> None:
    rules = shutil.copytree(RULES, tmp_path / "rules")
    text = (rules / file).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (rules / file).write_text(text.replace(old, new), encoding="utf-8")
    found = diff(RULES, rules, LOW, EXAMPLES / "no-response-well-exposed")
    assert (f"~ trough-low ({part})" in found.stdout) == bool(part)
    assert found.exit_code == (1 if part else 0)


def test_cards_put_together_otherwise_are_told(tmp_path: Path) -> None:
    """Two laboratory cards are one; without `merge` they are two, with the same words."""
    rules = shutil.copytree(RULES, tmp_path / "rules")
    for file in (rules / "safety").glob("*.yaml"):
        file.write_text(file.read_text(encoding="utf-8").replace("merge: laboratory\n", ""), encoding="utf-8")
    found = diff(RULES, rules, EXAMPLES / "few-neutrophils")
    assert found.exit_code == 1 and "~ (the order of cards) (summary): " in found.stdout


@pytest.mark.slow
def test_a_scenario_of_a_protocol_that_only_one_side_has_is_judged_by_both(site: Path) -> None:
    (site / "scenarios").mkdir()
    text = (RULES / "scenarios" / "response" / "titrated-to-response.yaml").read_text(encoding="utf-8")
    ours = site / "scenarios" / "ours.yaml"
    ours.write_text(text.replace("days:\n", "protocol: ours\ndays:\n", 1), encoding="utf-8")
    found = diff(RULES, f"{RULES}+{site}@ours", ours)
    assert found.exit_code == 1 and "ours | day 14, patient-view\n  - trough-low: " in found.stdout
    assert "ours | day 14" in diff(RULES, f"{RULES}+{site}@ours", site / "scenarios").stdout


def test_paths_upwards_are_no_commits(tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    shutil.copytree(RULES, tmp_path / "rules")
    monkeypatch.chdir(tmp_path / "here")
    assert diff(f"../rules+../{site.name}", "../rules", LOW).exit_code == 0


@pytest.mark.slow
def test_without_files_the_scenarios_are_judged(tmp_path: Path) -> None:
    over = tmp_path / "over"
    over.mkdir()
    (over / "definitions.yaml").write_text(
        "adult_age: {value: 17, unit: year, means: Adult, cite: judgement, basis: JUDGEMENT}\n"
    )
    found = diff(RULES, f"{RULES}+{over}")
    assert found.exit_code == 1
    assert "adult-from-the-eighteenth-birthday | day -1, order-select\n  - dose-above-window: " in found.stdout


def test_lines_of_ndjson_and_scenarios_and_folders(tmp_path: Path, site: Path) -> None:
    lines = [json.dumps(json.loads(LOW.read_text())), "", "not JSON", json.dumps(json.loads(QUIET.read_text()))]
    many = tmp_path / "many.ndjson"
    many.write_text("\n".join(lines) + "\n")
    found = diff(
        RULES, f"{RULES}+{site}@ours", many, RULES / "scenarios" / "response" / "titrated-to-response.yaml", LOW.parent
    )
    assert found.exit_code == 2
    assert f"{many}:1\n  - trough-low: " in found.stdout and f"{LOW}\n  - trough-low: " in found.stdout
    assert "titrated-to-response | day 14, patient-view\n  - trough-low" in found.stdout
    assert found.stderr == f"sirolimus-cds: {many}:2: is not valid JSON\n" or f"{many}:2: " in found.stderr
    assert "10 judged by both: 3 differ" in found.stdout


def test_nothing_to_judge_is_no_sameness(tmp_path: Path) -> None:
    (tmp_path / "empty.ndjson").write_text("\n")
    refused = diff(RULES, RULES, tmp_path / "empty.ndjson")
    assert refused.exit_code == 2 and "there is nothing to judge" in refused.stderr


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("day: 14\n", "day: foo\n", "'foo' is not a day of the course"),
        ("platelets 14", "platelets 1.2.3", "'platelets 1.2.3' is no event"),
        ("sirolimus 2 mg daily", "sirolimus 1.2.3 mg daily", "'sirolimus 1.2.3 mg daily' is no event"),
        ("tests ordered", "cholecystectomy planned in 99999999999 days", "is no event"),
    ],
)
def test_a_slip_in_a_scenario_is_a_sentence(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = (RULES / "scenarios" / "response" / "titrated-to-response.yaml").read_text(encoding="utf-8")
    slip = tmp_path / "slip.yaml"
    slip.write_text(text.replace(old, new, 1), encoding="utf-8")
    for told in (diff(RULES, RULES, slip), CliRunner().invoke(main, ["scenario", str(slip)])):
        assert told.exit_code in (1, 2) and said in told.output and told.exception.__class__ is SystemExit


def test_two_commits_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = tmp_path / "a repository"
    shutil.copytree(RULES, repository / "rules")

    def git(*words: str) -> None:
        who = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *words], cwd=repository, check=True, capture_output=True)

    git("init", "--quiet", "--initial-branch=main")
    git("add", ".")
    git("commit", "--quiet", "-m", "as shipped")
    protocol = repository / "rules" / "protocols" / "seed-2024.yaml"
    protocol.write_text(protocol.read_text().replace("trough_low:\n    value: 5", "trough_low:\n    value: 3.5"))
    git("commit", "--quiet", "-am", "a lower floor")
    monkeypatch.chdir(repository / "rules")
    found = diff("main~1..HEAD", LOW)
    assert found.exit_code == 1 and "  - trough-low: " in found.stdout
    assert diff("main~1...HEAD", LOW).stdout == found.stdout
    assert diff("HEAD", repository / "rules", LOW).exit_code == 0
    shutil.rmtree(repository / "rules" / "trough")
    git("rm", "-r", "--quiet", "--cached", ".")
    git("commit", "--quiet", "--allow-empty", "-m", "nothing left")
    gone = diff("main~1..HEAD", LOW)
    assert gone.exit_code == 2 and "the commit HEAD has no folder 'rules'" in gone.stderr


def test_a_commit_is_compared_whole_and_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = tmp_path / "repository"
    shutil.copytree(RULES, repository / "rules")
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]

    def committed() -> None:
        for words in (["add", "."], ["commit", "--quiet", "-m", "a step"]):
            subprocess.run(["git", *who, *words], cwd=repository, check=True, capture_output=True)

    subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], cwd=repository, check=True)
    (repository / ".gitattributes").write_text("rules/trough/trough-low.yaml export-ignore\n")
    committed()
    monkeypatch.chdir(repository)
    assert diff("HEAD", RULES, LOW).exit_code == 0
    (repository / "rules" / "trough" / "linked.yaml").symlink_to("/etc/passwd")
    committed()
    refused = diff("HEAD", RULES, LOW)
    assert refused.exit_code == 2 and "(rules/trough/linked.yaml is no file)" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((RULES,), "name two sets of rules: OLD NEW, or OLD..NEW for two git commits"),
        ((RULES, "no-such-branch"), "'no-such-branch' is neither a rules folder nor a git commit of the repository here"),
        ((RULES, "--upload-pack=x"), "No such option"),
        ((RULES, f"{RULES}+/no/such/folder"), "/no/such/folder: is not a folder"),
        ((RULES, f"{RULES}@nobodys"), "there is no protocol 'nobodys'"),
        ((RULES, RULES, "/no/such/file.json"), "/no/such/file.json: cannot be read (No such file or directory)"),
        ((RULES, RULES, RULES / "trough"), "there is no Bundle, CDS Hooks request or .ndjson file in it"),
        ((RULES, RULES, RULES / "trough" / "trough-low.yaml"), "trough-low.yaml:1: "),
        ((RULES, RULES, "/dev/null.ndjson"), "/dev/null.ndjson: cannot be read"),
        ((RULES, RULES, LOW, "--at", "soon"), "--at: 'soon' is not an ISO 8601 date or time, nor 'latest'"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_said(arguments: tuple[str | Path, ...], said: str) -> None:
    refused = diff(*arguments)
    assert refused.exit_code == 2 and said in refused.stderr and refused.stdout == ""
