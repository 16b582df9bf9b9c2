"""``check`` and the age of evidence: what nobody has looked at for 12 months, and what was recalled."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds.authoring import check as checking
from cds.authoring.evidence import not_looked_at, recalled
from cds.cli import check
from cds.cli.main import main
from cds.knowledge.read import read_folder
from tests.conftest import RULES

pytestmark = pytest.mark.slow


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


@pytest.fixture
def in_a_year(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "_today", lambda: date(2027, 11, 25))


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RULES, tmp_path / "our rules"))


def changed(folder: Path, name: str, old: str, new: str) -> list[str]:
    """What is not looked at on the day of the newest definition, in a copy with one text changed."""
    newest = max(
        re.findall(r"^  valid_from: (\S+)$", (RULES / "definitions.yaml").read_text(encoding="utf-8"), re.MULTILINE)
    )
    file = folder / name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return [fault.message for fault in not_looked_at([read_folder(folder)], date.fromisoformat(newest))]


def test_a_year_is_enough_and_a_day_more_is_not() -> None:
    read = read_folder(RULES)
    assert not_looked_at([read], date(2027, 11, 24)) == []
    late = not_looked_at([read], date(2027, 11, 25))
    assert [each for each in late if each.message == "feng-2024: not reviewed since 2026-11-24"]
    assert all("since 2026-11-24" in each.message for each in late)


@pytest.mark.usefixtures("in_a_year")
def test_check_remarks_it_and_a_release_is_refused() -> None:
    usual = run()
    assert usual.exit_code == 0
    assert "items that no one has reviewed for 12 months, which --release would refuse" in usual.output
    refused = run("--release")
    assert refused.exit_code == 1
    assert re.search(r"sources\.yaml:4: feng-2024: not reviewed since 2026-11-24", refused.output)


@pytest.mark.usefixtures("in_a_year")
def test_a_program_gets_the_remarks_too() -> None:
    report = json.loads(run("--format", "json").output)
    assert report["sound"] is True
    assert report["notLookedAt"][0]["file"].endswith("sources.yaml")


def test_a_source_that_facts_were_taken_from_must_say_when(rules: Path) -> None:
    said = changed(rules, "sources.yaml", "  kind: study\n  checked_on: 2026-11-24\n", "  kind: study\n")
    assert said == ["feng-2024: nothing says when anybody looked at it; write checked_on: YYYY-MM-DD"]


@pytest.mark.parametrize(
    ("again", "said"),
    [
        ("", ["dose_highest: not reviewed since 2025-11-29"]),
        ("\n  checked_on: 2026-11-01", []),
    ],
)
def test_a_judgement_is_as_old_as_the_last_look_at_it(rules: Path, again: str, said: list[str]) -> None:
    entry = "means: A dose of any drug above this is a slip of the unit.\n  cite: judgement\n  basis: JUDGEMENT\n  valid_from: "
    assert changed(rules, "definitions.yaml", f"{entry}2026-11-29", f"{entry}2025-11-29{again}") == said


def test_a_protocol_that_is_valid_from_a_day_ahead_is_told(rules: Path) -> None:
    text = (rules / "protocols" / "seed-2024.yaml").read_text(encoding="utf-8")
    [day] = re.findall(r"^valid_from: (\S+)$", text, re.MULTILINE)
    said = changed(rules, "protocols/seed-2024.yaml", f"valid_from: {day}", "valid_from: 2027-01-01")
    assert said == ["seed-2024: 2027-01-01 lies ahead"]


def test_every_protocol_is_looked_at(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        checking, "check_folder", lambda folder, *_: checking.Report(read=checking.Engines(folder).every())
    )
    file = rules / "protocols" / "feng-2020.yaml"
    text = file.read_text(encoding="utf-8")
    [day] = re.findall(r"^valid_from: (\S+)$", text, re.MULTILINE)
    file.write_text(text.replace(f"valid_from: {day}", "valid_from: 2020-01-01"), encoding="utf-8")
    report = run("--release", str(rules))
    assert report.exit_code == 1 and "feng-2020: not reviewed since 2020-01-01" in report.output


def test_codes_and_names_that_are_recalled_are_listed() -> None:
    sentences = {(where, says) for each in recalled([read_folder(RULES)]) for where, says in each.sentences}
    assert any(" names of Angioedema, from 'angioedema' on" in says for _, says in sentences)
    assert any(
        where == "value set strong-inhibitor" and "voriconazole is sold as Voriole" in says for where, says in sentences
    )


def test_a_code_that_is_recalled_is_listed(rules: Path) -> None:
    file = rules / "valuesets" / "pregnancy.yaml"
    text = file.read_text(encoding="utf-8")
    entry = '{system: loinc, code: "2106-3", name: hcg, display: "Choriogonadotropin", basis: SEEN}'
    assert entry in text
    file.write_text(text.replace(entry, entry.replace("SEEN", "RECALLED")), encoding="utf-8")
    listed = {says for each in recalled([read_folder(rules)]) for _, says in each.sentences}
    assert "loinc 2106-3 is Choriogonadotropin" in listed


def test_what_only_memory_says_is_listed_with_the_sentence_to_look_for() -> None:
    result = run("--recalled")
    assert result.exit_code == 0
    assert "KDIGO guideline on chronic kidney disease" in result.output
    assert "https://kdigo.org/guidelines/ckd-evaluation-and-management/" in result.output
    assert "0.7 g/g: From this on albumin in an adult's urine is reported" in result.output
    [counted] = re.findall(r"^(\d+) sentences to look for in (\d+) sources$", result.output, re.MULTILINE)
    found = json.loads(run("--recalled", "--format", "json").output)
    assert counted == (str(sum(len(each["sentences"]) for each in found)), str(len(found)))


def test_no_recalled_fact_is_left_out() -> None:
    """Counted in the files as they are written: of rules each source, of definitions each number."""
    listed = {(each.source, where) for each in recalled([read_folder(RULES)]) for where, _ in each.sentences}
    for file in RULES.glob("*/*.yaml"):
        if file.parent.name not in ("dosing", "trough", "response", "interactions", "safety", "monitoring"):
            continue
        for cite, _ in re.findall(
            r"- cite: (\S+)\n(?:    (?!cite).*\n)*?    basis: (RECALLED)", file.read_text("utf-8")
        ):
            assert (cite, file.stem) in listed
    text = (RULES / "definitions.yaml").read_text(encoding="utf-8")
    for name, cite in re.findall(r"^(\w+):\n(?:  (?!cite).*\n)*?  cite: (\S+)\n  basis: RECALLED", text, re.MULTILINE):
        assert (cite, name) in listed


def test_rules_that_cannot_be_read_have_no_worklist(rules: Path) -> None:
    (rules / "sources.yaml").write_text("feng-2024: 1\n", encoding="utf-8")
    assert run("--recalled", str(rules)).exit_code == 2
