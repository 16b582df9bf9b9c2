"""Every scenario of rules/scenarios/: on each day exactly the expected cards; and how a wrong scenario is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds.authoring.check import Engines
from cds.authoring.scenarios import Check, run_check, scenarios_of
from cds.engine import CheckedEngine
from cds.knowledge.tree import Fault
from tests.conftest import RULES

FAULTS: list[Fault] = []
ENGINES = Engines(RULES)
CHECKS = [check for scenario in scenarios_of(RULES, FAULTS) for check in scenario.checks]


def test_the_shipped_scenarios_can_be_read() -> None:
    assert [str(fault) for fault in FAULTS] == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_scenario(check: Check) -> None:
    fault = run_check(check, ENGINES.of(check.scenario.shape.protocol, check.fault))
    assert fault is None, str(fault)


def told(folder: Path, engine: CheckedEngine, days: str, cards: str) -> str:
    """What is said of a scenario with these days and cards."""
    (folder / "scenarios").mkdir(exist_ok=True)
    text = f"scenario: A try\nstory: None.\ndays:\n  {days}\ncards:\n  - {cards}\n"
    (folder / "scenarios" / "a-try.yaml").write_text(text, encoding="utf-8")
    faults: list[Fault] = []
    for scenario in scenarios_of(folder, faults):
        faults += [fault for check in scenario.checks if (fault := run_check(check, engine)) is not None]
    return "\n".join(map(str, faults))


@pytest.mark.parametrize(
    ("days", "cards", "said"),
    [
        ("0: sirolimus 2 mg daily", "{day: 9, expect: none}", ""),
        ("0: sirolimus 12 mg daily", "{day: 9, expect: none}", "+ dose-far-above-window: Sirolimus 12 mg/day is"),
        ("0: sirolimus 2 mg daily", "{day: 9, expect: [trough-low]}", "- trough-low"),
        ("0: sirolimus 12 mg daily", "{day: 9, expect: {dose-far-above-window: no such words}}", "'no such words' is not on"),
        ("0: sirolimus 2 tablets", "{day: 9, expect: none}", "'sirolimus 2 tablets' is no event; write for example"),
        ("0: placebo starts", "{day: 9, expect: none}", "'placebo' is no drug that the rules know"),
        ("0: gout begins", "{day: 9, expect: none}", "'gout' is no condition that the rules read"),
        ("0: clarithromycin stops", "{day: 9, expect: none}", "it was not started"),
        ("noon: level 3", "{day: 9, expect: none}", "'noon' is not a day of the course"),
        ("0 25:00: level 3", "{day: 9, expect: none}", "'25:00' is not a time of day"),
        ("0: level 3", "{day: 9, hook: order-sign, draft: level 3, expect: none}", "'level 3' is no order"),
        ("0: level 3", "{day: 9, expected: none}", "unknown key 'expected'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, engine: CheckedEngine, days: str, cards: str, said: str
) -> None:
    text = told(tmp_path, engine, days, cards)
    assert said in text and bool(text) == bool(said)
    assert not text or "scenarios/a-try.yaml:" in text


def test_a_scenario_in_a_folder_by_subject_is_read(tmp_path: Path, engine: CheckedEngine) -> None:
    (tmp_path / "scenarios" / "dosing").mkdir(parents=True)
    text = (
        "scenario: A try\nstory: None.\ndays: {0: sirolimus 2 mg daily}\ncards:\n  - {day: 9, expect: [trough-low]}\n"
    )
    (tmp_path / "scenarios" / "dosing" / "a-try.yaml").write_text(text, encoding="utf-8")
    ((check,),) = [each.checks for each in scenarios_of(tmp_path, [])]
    assert "scenarios/dosing/a-try.yaml:5" in str(run_check(check, engine))
