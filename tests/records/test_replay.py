"""What other rules would have said of recorded patients: exactly what judging their charts anew says, or that it cannot be known."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cds.advise import advise
from cds.chart.body import InputError
from cds.chart.request import read_request
from cds.compiled.knowledge import Knowledge
from cds.engine import CheckedEngine
from cds.knowledge.read import read_folder
from cds.knowledge.reviews import active_only
from cds.records.decision import Keep, Recorder, Verdict, packed
from cds.records.find import Stored
from cds.records.replay import Change, Served, Unanswerable, replay
from tests.charts import day, itp, patient, sirolimus
from tests.conftest import LONG, RULES
from tests.oracle.charts import chart
from tests.records.doors import CRITICAL, QUIET, asked, service, told

pytestmark = pytest.mark.slow

MANY = int(os.environ.get("TESTS_DECISIONS", 1_000 if LONG else 80))
SEED = "protocols/seed-2024.yaml"
ADULT = "{age_group: adult, phase: %s, low: %s"
NUMBERS: dict[str, Callable[[str], str]] = {
    "2 mg, where adults start at the least": lambda text: text.replace("starting, low: 2, high: 4", "starting, low: 1.5, high: 4"),
    "4 mg, where adults start at the most": lambda text: text.replace("low: 2, high: 4", "low: 2, high: 3"),
    "1 mg, for adults at the least": lambda text: text.replace("adult, phase: maintenance, low: 1,", "adult, phase: maintenance, low: 1.5,"),
    "2 mg, for adults at the most": lambda text: text.replace("maintenance, low: 1, high: 2", "maintenance, low: 1, high: 3"),
    "0.5 mg, for children at the least": lambda text: text.replace("low: 0.5, high: 1", "low: 0.6, high: 1"),
    "1 mg, for children at the most": lambda text: text.replace("low: 0.5, high: 1,", "low: 0.5, high: 1.5,"),
    "5 ng/mL": lambda text: text.replace("trough_low:\n    value: 5", "trough_low:\n    value: 6"),
    "15 ng/mL": lambda text: text.replace("trough_high:\n    value: 15", "trough_high:\n    value: 12"),
    "20 ng/mL": lambda text: text.replace("trough_critical:\n    value: 20", "trough_critical:\n    value: 18"),
}  # fmt: skip
DEFINITIONS = {
    "30 x 10^9/L": ("partial_count", "30", "40"),
    "100 x 10^9/L": ("complete_count", "100", "120"),
    "18 years": ("adult_age", "18", "16"),
}


def stored(engine: CheckedEngine, number: int, keep: Keep) -> tuple[Stored, bytes] | None:
    """A random chart as it is recorded, and its body; None where it is not judged."""
    body, now = chart(number)
    content = json.dumps(body).encode()
    try:
        request = read_request(content)
        advice = advise(request, engine, now)
    except InputError:
        return None
    made = Recorder(keep, b"k" * 32).decision(advice, request, now, "")
    hook: Any = request.message.hook or "patient-view"
    call = {"id": str(number), "at": 0.0, "request": "", "hook": hook, "issuer": "", "ms": 1.0}
    return Stored(**msgspec.structs.asdict(made), **call), content


@pytest.fixture(scope="module")
def recorded(engine: CheckedEngine) -> list[tuple[Stored, bytes]]:
    found = (stored(engine, number, "input") for number in range(MANY))
    return [each for each in found if each is not None and each[0].input is not None]


def test_by_their_own_rules_they_come_out_as_they_were(
    engine: CheckedEngine, recorded: list[tuple[Stored, bytes]]
) -> None:
    assert len(recorded) > MANY * 0.9
    assert [decision.id for decision, _ in recorded if replay(decision, Served(engine))] == []


def changed_folder(tmp_path: Path, name: str) -> Path:
    """The shipped rules with one number of the study changed."""
    folder = Path(shutil.copytree(RULES, tmp_path / "changed"))
    if name in NUMBERS:
        file, text = folder / SEED, (folder / SEED).read_text()
        changed = NUMBERS[name](text)
    else:
        number, old, new = DEFINITIONS[name]
        file, text = folder / "definitions.yaml", (folder / "definitions.yaml").read_text()
        changed = text.replace(f"{number}:\n  value: {old}\n", f"{number}:\n  value: {new}\n")
    assert changed != text, name
    file.write_text(changed)
    return folder


def engine_of(folder: Path) -> CheckedEngine:
    read = read_folder(folder)
    assert read.knowledge is not None, [str(fault) for fault in read.faults]
    return CheckedEngine(read.knowledge)


def by_rule(content: bytes, engine: CheckedEngine, decision: Stored) -> dict[str, dict[str, Any]]:
    """The card of each rule on the whole chart, judged now; without the extension, which names the rules by their hash."""
    advice = advise(read_request(content), engine, decision.moment, make_id=lambda: "")
    return {rule: {**card, "extension": None} for rule, card in advice.by_rule.items()}


@pytest.mark.untraced
@pytest.mark.parametrize("name", [*NUMBERS, *DEFINITIONS])
def test_a_changed_number_moves_exactly_whom_judging_anew_moves(
    engine: CheckedEngine, recorded: list[tuple[Stored, bytes]], tmp_path: Path, name: str
) -> None:
    other = engine_of(changed_folder(tmp_path, name))
    moved = {decision.id for decision, _ in recorded if replay(decision, Served(other))}
    anew = {
        decision.id
        for decision, content in recorded
        if by_rule(content, engine, decision) != by_rule(content, other, decision)
    }
    assert moved == anew and moved


# --- facts alone -----------------------------------------------------------------------------------


def facts_alone(engine: CheckedEngine) -> list[Stored]:
    found = (stored(engine, number, "facts") for number in range(120))
    return [each[0] for each in found if each is not None]


def test_facts_answer_a_change_of_comparisons(engine: CheckedEngine, tmp_path: Path) -> None:
    """A limit that only rules compare with: who hears the rule is the same as from the whole chart."""
    folder = Path(shutil.copytree(RULES, tmp_path / "changed"))
    file = folder / "trough" / "trough-critical.yaml"
    text = file.read_text()
    file.write_text(text.replace("newest_level > {trough_critical}", "newest_level > {trough_high}"))
    assert file.read_text() != text
    other = engine_of(folder)
    change = Change(engine.knowledge, other.knowledge)
    told_by_facts = {each.id: bool(replay(each, Served(other), change).gained) for each in facts_alone(engine)}
    for name, gained in told_by_facts.items():
        found = stored(engine, int(name), "input")
        assert found is not None
        before, after = by_rule(found[1], engine, found[0]), by_rule(found[1], other, found[0])
        assert gained == bool(after.keys() - before.keys()), name
    assert any(told_by_facts.values())


def test_facts_do_not_answer_a_number_that_enters_facts(engine: CheckedEngine, tmp_path: Path) -> None:
    other = engine_of(changed_folder(tmp_path, "18 years"))
    decision = facts_alone(engine)[0]
    for change, why in (
        (None, "not known without the old rules"),
        (Change(engine.knowledge, other.knowledge), "not one of comparisons alone: adult_age"),
        (Change(other.knowledge, other.knowledge), "other rules than those that are named"),
    ):
        with pytest.raises(Unanswerable, match=why):
            replay(decision, Served(other), change)


def test_facts_tell_that_a_card_has_other_words(engine: CheckedEngine, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(RULES, tmp_path / "changed"))
    file = folder / "trough" / "trough-critical.yaml"
    file.write_text(file.read_text().replace("consider holding the next dose", "consider something else"))
    other = engine_of(folder)
    change = Change(engine.knowledge, other.knowledge)
    changed = [each for each in facts_alone(engine) if replay(each, Served(other), change).changed]
    speaking = [
        each
        for each in facts_alone(engine)
        if any(f.rule == "trough-critical" and f.is_told for f in each.verdict.findings)
    ]
    assert changed and [each.id for each in changed] == [each.id for each in speaking]


def test_where_signed_rules_alone_were_shown_they_are_judged_alone(knowledge: Knowledge) -> None:
    rules = tuple(
        msgspec.structs.replace(rule, status="active") if rule.id == "trough-critical" else rule
        for rule in knowledge.rules
    )
    every = CheckedEngine(msgspec.structs.replace(knowledge, rules=rules))
    signed = CheckedEngine(active_only(every.knowledge))
    found = [each[0] for number in range(120) if (each := stored(signed, number, "input")) is not None]
    assert [each.id for each in found if each.input is not None and replay(each, Served(every))] == []


# --- by the command --------------------------------------------------------------------------------


def test_the_command_counts_and_fails_as_it_is_told(
    engine: CheckedEngine, where: str, key_file: Path, tmp_path: Path
) -> None:
    with service(engine, where, key_file, records_keep="input") as client:
        asked(client)
        asked(client, QUIET)
    same = told("replay", "--records", where, "--rules", str(RULES), "--fail-on", "any")
    assert same.exit_code == 0 and "2 decisions judged again: no card differs" in same.output
    folder = Path(shutil.copytree(RULES, tmp_path / "changed"))
    file = folder / SEED
    file.write_text(file.read_text().replace("trough_critical:\n    value: 20", "trough_critical:\n    value: 25"))
    other = told("replay", "--records", where, "--rules", str(folder))
    assert other.exit_code == 0 and "2 decisions judged again: 1 differ" in other.output
    assert "- trough-critical: critical: Sirolimus level 22 ng/mL" in other.output and "+ trough-high" in other.output
    assert told("replay", "--records", where, "--rules", str(folder), "--fail-on", "critical").exit_code == 1
    found = json.loads(told("replay", "--records", where, "--rules", str(folder), "--format", "json").stdout)
    assert found["byRule"]["trough-critical"] == {"gained": 0, "lost": 1, "changed": 0}


def test_cards_that_are_no_longer_put_together_are_told(
    engine: CheckedEngine, where: str, key_file: Path, tmp_path: Path
) -> None:
    overdue = [patient(), itp(), sirolimus("s", day(-80), 2)]
    with service(engine, where, key_file, records_keep="input") as client:
        asked(client, overdue)
    folder = Path(shutil.copytree(RULES, tmp_path / "changed"))
    for file in (folder / "trough" / "trough-overdue.yaml", folder / "monitoring" / "monitoring-overdue.yaml"):
        file.write_text(file.read_text().replace("merge: overdue\n", ""))
    found = told("replay", "--records", where, "--rules", str(folder), "--fail-on", "any")
    assert found.exit_code == 1 and "~ (the cards together)" in found.output


def test_where_nothing_was_judged_a_gate_does_not_open(engine: CheckedEngine, where: str, key_file: Path) -> None:
    service(engine, where, key_file)
    found = told("replay", "--records", where, "--rules", str(RULES), "--fail-on", "critical")
    assert found.exit_code == 1 and "no decision was judged again" in found.output


def test_what_cannot_be_judged_anew_is_counted(engine: CheckedEngine, where: str, key_file: Path) -> None:
    broken = [*CRITICAL, {"resourceType": "Observation", "id": "b", "status": "final", "code": 5}]
    with service(engine, where, key_file, records_keep="input") as client:
        asked(client, broken)
    with service(engine, where, key_file, records_keep="verdict") as client:
        asked(client)
    found = told("replay", "--records", where, "--rules", str(RULES), "--fail-on", "unanswered")
    assert found.exit_code == 1 and "could not be judged again: neither input nor facts" in found.output


def said_nothing(engine: CheckedEngine, where: str, key_file: Path, program: str = "program") -> None:
    """One decision whose record claims that no card was shown; ``program`` is SQL."""
    with service(engine, where, key_file, records_keep="input") as client:
        asked(client)
    with closing(sqlite3.connect(where)) as connection, connection:
        connection.execute(f"UPDATE decisions SET verdict = ?, program = {program}", (packed(Verdict()),))


def test_a_record_that_comes_out_otherwise_by_its_own_rules_is_a_fault(
    engine: CheckedEngine, tmp_path: Path, key_file: Path
) -> None:
    where = str(tmp_path / "records.sqlite")
    said_nothing(engine, where, key_file)
    found = told("replay", "--records", where, "--rules", str(RULES))
    assert found.exit_code == 70 and "please report it" in found.stderr


def test_another_program_may_say_something_else(engine: CheckedEngine, tmp_path: Path, key_file: Path) -> None:
    where = str(tmp_path / "records.sqlite")
    said_nothing(engine, where, key_file, program="'0.0.1'")
    found = told("replay", "--records", where, "--rules", str(RULES))
    assert found.exit_code == 0 and "trough-critical" in found.output
    assert told("replay", "--records", where, "--rules", str(RULES), "--fail-on", "critical").exit_code == 1
