"""What a rules folder must say, because facts read it; and what a reason to withhold a rise may not ask."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from cds.knowledge.load import load
from cds.knowledge.read import read_folder
from cds.knowledge.rests import Rests, missing
from tests.conftest import RULES


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A rules folder of one's own, in a folder with a space in its name."""
    return Path(shutil.copytree(RULES, tmp_path / "our own" / "rules"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new), encoding="utf-8")


def faults(rules: Path) -> list[str]:
    return [str(fault) for fault in read_folder(rules).faults]


def test_a_reason_may_not_rest_on_what_the_reasons_decide(rules: Path) -> None:
    edit(rules / "withhold.yaml", "when: [sepsis is true]", "when: [window_dose > 1 mg/day]")
    lines = (rules / "withhold.yaml").read_text().splitlines()
    (line,) = [number for number, text in enumerate(lines, 1) if "window_dose" in text]
    assert faults(rules) == [
        f"rules/withhold.yaml:{line}: when: 'window_dose' rests itself on the reasons for which a rise is withheld"
    ]


def test_a_number_that_the_facts_read_must_be_said(rules: Path) -> None:
    edit(rules / "definitions.yaml", "\nusable_from:\n", "\nusable_after:\n")
    assert any(each.endswith("there is no number 'usable_from', which the facts read") for each in faults(rules))


def test_a_condition_or_a_procedure_that_the_facts_read_must_have_a_code_or_a_word() -> None:
    wordless = msgspec.structs.replace(load(), codes={}, prefixes={}, names={}, words={}, problems={}, endings={})
    said = set(missing(Rests(wordless)))
    assert "there is no condition 'sepsis', which the facts read" in said
    assert "there is no procedure 'splenectomy', which the facts read" in said
    assert set(missing(Rests(load()))) == set()


def test_a_step_in_which_doses_are_counted_is_above_zero(rules: Path) -> None:
    edit(rules / "definitions.yaml", "tablet_step:\n  value: 0.5", "tablet_step:\n  value: 0")
    assert [fault.partition(": ")[2] for fault in faults(rules)][:1] == [
        "tablet_step: must be above 0, for doses are counted in it"
    ]
