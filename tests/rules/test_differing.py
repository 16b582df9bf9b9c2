"""P6: ``diff --prove`` says where two sets of rules differ, and nowhere else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cds.authoring.proofs.differing import Differing, differing
from cds.authoring.proofs.regions import Box, Space
from cds.cli.main import main
from cds.compiled.knowledge import Knowledge
from cds.compiled.truth import truth
from cds.knowledge.load import load
from tests.conftest import RULES
from tests.prover.rule_sets import made

SHIPPED = load()


def prove(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["diff", "--prove", *arguments])


@pytest.fixture
def higher(tmp_path: Path) -> Path:
    """The shipped rules, but a level of just the upper end of the target is high."""
    folder = tmp_path / "our rules"
    shutil.copytree(RULES, folder)
    file = folder / "trough" / "trough-high.yaml"
    text = file.read_text(encoding="utf-8").replace("trough > {trough_high} ng/mL", "trough >= {trough_high} ng/mL")
    file.write_text(text, encoding="utf-8")
    return folder


def test_it_tells_the_region_in_words_with_a_scenario(higher: Path, tmp_path: Path) -> None:
    result = prove(str(RULES), str(higher))
    assert result.exit_code == 1
    said, _, rest = result.output.partition("    | ")
    assert said == (
        "trough-high: does not hold -> warning on patient-view, order-select, order-sign, where\n"
        "  itp_on_record is true, trough 15 ng/mL, trough_answered_by_draft is false, "
        "trough_basis is usable or early_after_increase or missed_but_high\n"
    )
    assert rest.splitlines()[-1] == "step-down-to-maintenance fires elsewhere, since it gives way to trough-high"
    region = json.loads(prove(str(RULES), str(higher), "--format", "json").output)["regions"][0]
    scenario = tmp_path / "found.yaml"
    scenario.write_text(region["scenario"], encoding="utf-8")
    ran = {
        name: CliRunner().invoke(main, ["scenario", str(scenario), "--rules", str(rules)])
        for name, rules in (("old", RULES), ("new", higher))
    }
    assert (ran["old"].exit_code, ran["new"].exit_code) == (1, 0), ran["new"].output


def test_the_same_rules_are_proved_the_same() -> None:
    result = prove(str(RULES), str(RULES))
    assert (result.exit_code, result.output) == (0, "the rules say the same of every record: proved\n")


def test_what_the_proof_does_not_reach_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(RULES, folder)
    file = folder / "definitions.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("adult_age:\n  value: 18", "adult_age:\n  value: 16"), encoding="utf-8")
    output = prove(str(RULES), str(folder)).output
    assert "not proved, since facts are worked out with another number: adult_age: 18 -> 16 (" in output
    assert "age_group" in output


def test_another_protocol_is_another_set_of_rules() -> None:
    output = prove(str(RULES), f"{RULES}@feng-2020").output
    assert "trough >= 4 and < 5 ng/mL" in output
    assert "not proved, since facts are worked out with another number: trough_low: 5 -> 4" in output
    assert "not proved, since facts read other data: dose windows" in output


def test_it_judges_no_patients(tmp_path: Path) -> None:
    result = prove(str(RULES), str(RULES), str(tmp_path))
    assert result.exit_code == 2
    assert "--prove judges no patients" in result.output


@pytest.mark.parametrize("seed", range(1, 41, 2))
def test_a_record_is_told_if_and_only_if_a_rule_holds_otherwise_in_it(seed: int) -> None:
    """Random records of two random sets of rules."""
    old, new = made(seed, SHIPPED), made(seed + 2, SHIPPED)
    space, random, found = Space(old, new), Random(seed), differing(old, new)
    told = 0
    for _ in range(100):
        region = random.choice(found.regions) if found.regions and random.random() < 0.5 else None
        record, cells = _random_record(space, random, random.choice(region.boxes) if region else {})
        hook = random.choice(region.hooks if region else ("patient-view", "order-select", "order-sign"))
        cells["ordering"] = int(hook == "patient-view")
        record["ordering"] = hook != "patient-view"
        for name in {rule.id for rule in (*old.rules, *new.rules)}:
            was, now = _urgency(old, name, hook, record), _urgency(new, name, hook, record)
            assert _tells(found, name, hook, was, now, cells) == (was != now), (name, record)
            told += was != now
    assert told or not found.regions


def _random_record(space: Space, random: Random, box: Box) -> tuple[dict[str, Any], dict[str, int]]:
    """A record in a box, by its cells too."""
    record: dict[str, Any] = {}
    cells: dict[str, int] = {}
    for fact in space.facts:
        cells[fact] = random.choice(sorted(box.get(fact, space.everything(fact))))
        if fact == "ordering" or cells[fact]:
            record[fact] = space.value(fact, cells[fact])
    return record, cells


def _urgency(knowledge: Knowledge, name: str, hook: str, record: dict[str, Any]) -> str:
    """How urgent a rule is in a record, by the second engine's own reading of conditions."""
    rule = next((each for each in knowledge.rules if each.id == name), None)
    if rule is None or hook not in rule.hooks:
        return "does not hold"
    for variant in rule.variants:
        if any(all(truth(test, record) for test in branch) for branch in variant.branches):
            return rule.levels[variant.level].indicator
    return "does not hold"


def _tells(found: Differing, name: str, hook: str, was: str, now: str, cells: dict[str, int]) -> bool:
    regions = [
        each for each in found.regions if (each.rule, each.was, each.now) == (name, was, now) and hook in each.hooks
    ]
    return any(_within(cells, box) for each in regions for box in each.boxes)


def _within(cells: dict[str, int], box: Box) -> bool:
    return all(cells[fact] in allowed for fact, allowed in box.items() if fact not in ("hook", "ordering"))
