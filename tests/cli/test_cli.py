"""The command line as its user meets it: a filter, clear errors, exit codes that mean something."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cds.cli.main import main
from cds.engine import CheckedEngine, EngineFault
from tests.charts import as_bytes, bundle, day, itp, patient, request, sirolimus
from tests.conftest import RULE_FILES, RULES
from tests.examples.write import FOLDER

TITRATION = str(FOLDER / "course-1-titration" / "bundle.json")
TODDLER = str(FOLDER / "toddler-flat-dose" / "request.json")


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=stdin)


def test_a_card_reads_well_in_80_columns() -> None:
    result = run("evaluate", "--at", "latest", TITRATION)
    assert result.exit_code == 0
    assert max(len(line) for line in result.output.splitlines() if "http" not in line) <= 80
    assert result.output.startswith(
        "WARNING  Sirolimus trough 3.9 ng/mL on 2024-01-22 07:40 is below the target of\n  5-15 ng/mL"
    )
    assert "> Suggestion: Change the order to 3 mg/day" in result.output
    assert re.search(r"Feng 2024 <https://doi.org/\S+>, grade C", " ".join(result.output.split()))
    assert "\x1b[" not in result.output, "colours are for a terminal only"
    assert "\\" not in result.output and "**" not in result.output


def test_json_is_the_cds_hooks_response() -> None:
    result = run("evaluate", "--at", "latest", "--format", "json", TITRATION)
    (card,) = json.loads(result.output)["cards"]
    assert card["source"]["topic"] == {
        "system": "urn:sirolimus-itp-cds:rule",
        "code": "troughLow",
        "display": "Sirolimus trough below target",
    }
    (finding,) = card["extension"]["net.sirolimus-itp-cds.findings"]
    assert finding["rule"] == "trough-low" and finding["protocol"] == "seed-2024" and len(finding["knowledge"]) == 64
    assert finding["facts"]["trough"] == {"value": 3.9, "unit": "ng/mL"}
    assert "Observation/level-1" in finding["evidence"]


def test_it_is_a_filter() -> None:
    result = run("evaluate", "--at", "latest", "-", stdin=Path(TITRATION).read_bytes())
    assert result.exit_code == 0 and "trough 3.9" in result.output


def test_no_card_says_so() -> None:
    result = run("evaluate", "--at", "latest", str(FOLDER / "no-sirolimus" / "bundle.json"))
    assert (result.exit_code, result.output) == (0, "No cards.\n")


def test_a_bad_file_among_several_is_reported_and_the_rest_go_on(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    result = run(
        "evaluate", "--at", "latest", "--format", "json", TITRATION, str(bad), str(tmp_path / "none.json"), TODDLER
    )
    lines = [json.loads(line) for line in result.output.splitlines()]
    assert [set(line) for line in lines] == [{"file", "cards"}, {"file", "error"}, {"file", "error"}, {"file", "cards"}]
    assert (
        lines[1]["error"].startswith("this is not JSON")
        and lines[2]["error"] == "cannot be read (No such file or directory)"
    )
    assert result.exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate"], "Missing argument"),
        (["evaluate", "none.json"], "none.json: cannot be read (No such file or directory)"),
        (["evaluate", "--at", "noon", TITRATION], "--at: 'noon' is not an ISO 8601 date or time"),
        (["evaluate", "--at", "2024-99-01", TITRATION], "--at: '2024-99-01' is not an ISO 8601 date or time"),
        (["evaluate", "--hook", "order-dispatch", TITRATION], "Invalid value for '--hook'"),
        (["evaluate", "--hook", "patient-view", TODDLER], "the request's hook is order-sign, not patient-view"),
        (
            ["evaluate", "--protocol", "unheard", TITRATION],
            "there is no protocol 'unheard'; there is: ctd-6-15, feng-2020, label-lam, paediatric-cytopenia, seed-2024",
        ),
        (["evaluate", "--rules", "nowhere", TITRATION], "is not a folder of rules"),
        (["evaluate", "--patient", "nobody", TITRATION], "the bundle does not hold the patient that was asked for"),
        (["check", "nowhere"], "nowhere: is not a folder"),
        (["unheard"], "No such command"),
    ],
)
def test_errors_name_the_place_and_exit_2(arguments: list[str], words: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in result.output
    assert "Traceback" not in result.output


def test_two_patients_need_a_choice() -> None:
    body = as_bytes(bundle(patient(), itp(), sirolimus("s", day(0), 12), patient(pid="other")))
    refused = run("evaluate", "--at", "latest", "-", stdin=body)
    assert refused.exit_code == 2 and "choose one with --patient ID" in refused.output
    assert "more than twice" in run("evaluate", "--at", "latest", "--patient", "itp-1", "-", stdin=body).output


def test_a_request_without_medications_is_refused() -> None:
    body = request("patient-view", [patient()])
    del body["prefetch"]["medications"]
    result = run("evaluate", "-", stdin=as_bytes(body))
    assert result.exit_code == 2 and "'medications'" in result.output


def test_errors_hold_nothing_of_the_patient() -> None:
    marker = "Wilhelmina-9231"
    for body in (
        f'{{"resourceType": "{marker}"}}',
        f'{{"name": "{marker}"',
        as_bytes(bundle(patient(pid=marker), patient(pid=marker + "2"))).decode(),
    ):
        result = run("evaluate", "-", stdin=body.encode())
        assert result.exit_code == 2 and marker not in result.output


def test_now_decides(engine: CheckedEngine) -> None:
    story = str(FOLDER / "very-high-level" / "bundle.json")
    assert "above 20 ng/mL" in run("evaluate", "--at", "2024-02-11", story).output
    assert "above 20 ng/mL" not in run("evaluate", "--at", "2024-02-12", story).output
    assert run("evaluate", "--at", "2024-01-01T10:00:00", story).output == "No cards.\n"


def test_without_at_it_is_now() -> None:
    assert "Sirolimus level overdue: none since 2024-01-22" in run("evaluate", TITRATION).output


def test_a_bundles_drafts_are_judged_on_an_order_hook() -> None:
    body = as_bytes(bundle(patient(), itp(), sirolimus("d", day(0), 5, status="draft")))
    assert run("evaluate", "--at", "latest", "-", stdin=body).output == "No cards.\n"
    assert "5 mg/day is above" in run("evaluate", "--at", "latest", "--hook", "order-sign", "-", stdin=body).output


def test_explain_gives_every_fact_and_every_rules_truth() -> None:
    said = json.loads(run("explain", "--at", "latest", "--format", "json", TITRATION).output)
    assert said["facts"]["trough"] == {
        "value": 3.9,
        "unit": "ng/mL",
        "reported": "3.9 ng/mL on 2024-01-22 07:40",
        "date": "2024-01-22",
        "evidence": ["Observation/level-1"],
    }
    assert said["facts"]["weight"] == {"absent": "there is no weight from the last 90 days"}
    rules = {rule["rule"]: rule for rule in said["rules"]}
    assert rules.keys() == {path.stem for path in RULE_FILES}
    assert rules["trough-low"]["fires"] is True
    assert {"condition": "trough < 5 ng/mL", "holds": True} in rules["trough-low"]["conditions"]
    assert rules["trough-high"]["fires"] is False
    assert {"condition": "trough > 15 ng/mL", "holds": False} in rules["trough-high"]["conditions"]


def test_explain_as_text_says_why_a_rule_is_silent() -> None:
    text = run("explain", "--at", "latest", TITRATION).output
    assert "  trough-low: fires" in text
    lacks = "  trough-high: silent\n    not so: trough above 15 ng/mL (it is 3.9 ng/mL)\n    [x] itp_on_record is true"
    assert lacks in text
    assert "    [ ] trough > 15 ng/mL" in text
    gives_way = run("explain", "--at", "latest", str(FOLDER / "tenfold-error" / "bundle.json")).output
    assert "dose-above-window: silent\n    gives way to dose-far-above-window" in gives_way


def test_explain_takes_several_files() -> None:
    text = run("explain", "--at", "latest", TITRATION, TODDLER).output
    assert text.count("== ") == 2 and "child-dose-by-size: fires" in text


def copy_rules(target: Path) -> Path:
    import shutil

    return Path(shutil.copytree(RULES, target / "rules"))


def test_check_prints_all_faults_with_their_place_and_exits_1(tmp_path: Path) -> None:
    rules = copy_rules(tmp_path)
    low, high = rules / "trough" / "trough-low.yaml", rules / "trough" / "trough-high.yaml"
    low.write_text(low.read_text().replace("trough < {trough_low} ng/mL", "trogh < {trough_low} ng/mL"))
    high.write_text(high.read_text().replace("trough > {trough_high} ng/mL", "trough > {trough_high} mg/L"))
    result = run("check", str(rules))
    assert result.exit_code == 1
    assert "rules/trough/trough-low.yaml:11: when: unknown fact 'trogh'; did you mean 'trough'?" in result.output
    assert "rules/trough/trough-high.yaml:12: when: trough is in ng/mL, not mg/L" in result.output


def test_other_rules_can_be_used(tmp_path: Path) -> None:
    rules = copy_rules(tmp_path)
    seed = rules / "protocols" / "seed-2024.yaml"
    seed.write_text(seed.read_text().replace("value: 5\n", "value: 3\n"))
    assert run("evaluate", "--at", "latest", "--rules", str(rules), TITRATION).output == "No cards.\n"


def test_unsound_rules_are_not_used(tmp_path: Path) -> None:
    rules = copy_rules(tmp_path)
    (rules / "sources.yaml").write_text("feng-2024: [")
    result = run("evaluate", "--rules", str(rules), TITRATION)
    assert result.exit_code == 2 and "the rules cannot be used" in result.output


def test_an_engine_fault_is_exit_70_and_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise EngineFault("the two engines disagree")

    monkeypatch.setattr(CheckedEngine, "judge", fail)
    for command in ("evaluate", "explain"):
        result = run(command, "--at", "latest", TITRATION)
        assert result.exit_code == 70
        assert "no advice, the rule engine failed" in result.output and "trough 3.9" not in result.output


def test_help_and_version() -> None:
    assert "evaluate" in run("--help").output and "not clinically signed off" in run("--help").output
    assert run("--version").output.startswith("sirolimus-cds, version ")
    for command in ("evaluate", "explain", "check", "serve"):
        assert run(command, "--help").exit_code == 0


def test_it_runs_as_a_program_from_another_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a folder with spaces"
    folder.mkdir()
    env = os.environ | {"XDG_CACHE_HOME": str(folder)}
    command = [sys.executable, "-c", "from cds.cli.main import run; run()", "evaluate", "--at", "latest", TITRATION]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True)
    assert "trough 3.9" in done.stdout and done.stderr == ""


def test_evaluate_starts_without_what_it_does_not_need() -> None:
    """Authoring needs pydantic and ruamel, serving starlette; judging a file does not."""
    code = "import sys; from cds.cli.main import main; main(['evaluate', '--at', 'latest', sys.argv[1]], standalone_mode=False); print(sorted(sys.modules))"
    run("evaluate", "--at", "latest", TITRATION)  # so that the cache is warm
    done = subprocess.run([sys.executable, "-c", code, TITRATION], capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1]
    for heavy in ("'pydantic'", "'ruamel", "'starlette'", "'uvicorn'", "'fhir"):
        assert heavy not in loaded
