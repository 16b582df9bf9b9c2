"""Cards that a clinician set aside, or that are told once in a course: away and back exactly when they should be."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from cds.compiled.knowledge import Knowledge
from cds.engine import CheckedEngine
from cds.hooks.settings import Settings, WrongSettings, read_settings
from cds.knowledge.load import load
from tests.charts import Resource, as_bytes, count, day, itp, level, patient, request, sirolimus
from tests.conftest import RULES
from tests.hooks.doors import JSON, SIGN, VIEW, client_of
from tests.hooks.process import Running
from tests.judge import now_on
from tests.records.doors import CRITICAL, accepted, as_json, overridden, reported, told

LOW = [patient(), itp(), sirolimus("s", day(0), 2), level("l", day(19, "08:00"), 3), count("c", day(19), 12)]
"""A low level and a low count: two warnings, for some days."""
SNOOZE = {"trough-low": 14}


class Ward:
    """A service whose clock a test sets, on a store that may be opened again."""

    def __init__(self, engine: CheckedEngine, where: str, key_file: Path, **settings: Any) -> None:
        self.on = 20
        self._made = lambda: client_of(
            engine,
            Settings(records=where, records_key_file=key_file, **({"snooze": SNOOZE} | settings)),
            on=lambda: now_on(self.on),
        )
        self.client: TestClient = self._made()

    def opened_again(self) -> None:
        """End the service and start it anew."""
        self.client.app.state.service.recording.close()  # type: ignore[attr-defined]
        self.client = self._made()

    def cards(self, chart: list[Resource], on: int, path: str = VIEW, **more: Any) -> dict[str, dict[str, Any]]:
        """The cards on a chart on a day, by the rule that leads each."""
        self.on = on
        hook = "order-sign" if path == SIGN else "patient-view"
        answer = self.client.post(path, content=as_bytes(request(hook, chart, **more)), headers=JSON)
        assert answer.status_code == 200, answer.text
        return {findings(card)[0]["rule"]: card for card in answer.json()["cards"]}

    def set_aside(self, card: dict[str, Any], on: int) -> None:
        assert reported(self.client, overridden(card["uuid"], at=day(on, "20:01"))) == 200


def findings(card: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = card["extension"]["net.sirolimus-itp-cds.findings"]
    return found


@pytest.fixture
def ward(engine: CheckedEngine, where: str, key_file: Path) -> Ward:
    return Ward(engine, where, key_file)


def test_a_card_that_was_set_aside_is_away_for_its_days_and_back_after(ward: Ward) -> None:
    ward.set_aside(ward.cards(LOW, 20)["trough-low"], 20)
    assert "trough-low" not in ward.cards(LOW, 20)
    ward.opened_again()
    assert "trough-low" not in ward.cards(LOW, 33)
    assert "trough-low" in ward.cards(LOW, 34)


def test_rules_that_are_not_named_and_cards_that_nobody_answered_stay(ward: Ward) -> None:
    cards = ward.cards(LOW, 20)
    ward.set_aside(cards["low-platelets-adult"], 20)
    assert list(ward.cards(LOW, 21)) == list(cards)


def test_what_was_taken_in_the_end_was_not_set_aside(ward: Ward) -> None:
    card = ward.cards(LOW, 20)["trough-low"]
    ward.set_aside(card, 20)
    assert reported(ward.client, accepted(card["uuid"], at=day(20, "20:05"))) == 200
    assert "trough-low" in ward.cards(LOW, 21)


NEW_LEVEL = level("l2", day(21, "08:00"), 3)
CORRECTED = level("l", day(19, "08:00"), 2)


@pytest.mark.parametrize(
    "chart",
    [[*LOW, NEW_LEVEL], [*LOW[:3], CORRECTED, LOW[4]], [*LOW[:2], sirolimus("s", day(0), 1), *LOW[3:]]],
    ids=["a new level", "a corrected level", "another dose"],
)
def test_it_comes_back_when_what_it_rests_on_changes(ward: Ward, chart: list[Resource]) -> None:
    ward.set_aside(ward.cards(LOW, 21)["trough-low"], 21)
    assert "trough-low" not in ward.cards(LOW, 21)
    assert "trough-low" in ward.cards(chart, 21)


def test_a_draft_that_was_not_there_brings_it_back(ward: Ward) -> None:
    chart = [LOW[0] | {"gender": "male"}, *LOW[1:]]
    ward.set_aside(ward.cards(chart, 21)["trough-low"], 21)
    draft = sirolimus("d", day(21), 2, status="draft")
    signed = ward.cards(chart, 21, SIGN, drafts=[draft])
    assert "trough-low" in signed
    ward.set_aside(signed["trough-low"], 21)
    assert "trough-low" not in ward.cards(chart, 21, SIGN, drafts=[draft])


def test_another_patient_another_issuer_and_another_version_know_nothing_of_it(
    ward: Ward, engine: CheckedEngine, where: str, key_file: Path, rules_folder: Path
) -> None:
    ward.set_aside(ward.cards(LOW, 20)["trough-low"], 20)
    elsewhere = json.loads(as_bytes(request("patient-view", LOW)).replace(b"itp-1", b"itp-2"))
    answer = ward.client.post(VIEW, content=json.dumps(elsewhere), headers=JSON)
    assert "trough-low" in [findings(card)[0]["rule"] for card in answer.json()["cards"]]
    file = rules_folder / "trough" / "trough-low.yaml"
    file.write_text(file.read_text().replace("title: Sirolimus trough below target", "title: Trough below target"))
    changed = Ward(CheckedEngine(load(rules_folder)), where, key_file)
    assert "trough-low" in changed.cards(LOW, 21)


def test_critical_cards_are_always_shown(engine: CheckedEngine, where: str, key_file: Path) -> None:
    ward = Ward(engine, where, key_file, snooze={"dose-above-window": 90, "low-platelets-adult": 90})
    ward.set_aside(ward.cards(CRITICAL, 20)["trough-critical"], 20)
    assert "trough-critical" in ward.cards(CRITICAL, 21)


def test_what_is_held_back_is_named_on_the_next_card_and_in_the_record(ward: Ward, where: str) -> None:
    ward.set_aside(ward.cards(LOW, 20)["trough-low"], 20)
    [card] = ward.cards(LOW, 21).values()
    assert card["detail"].splitlines()[-1] == (
        "- Held back: **Sirolimus trough below target** (warning, set aside on 2024-01-28: away until 2024-02-11, "
        "or until what it rests on changes)"
    )
    [held] = card["extension"]["net.sirolimus-itp-cds.heldBack"]
    assert held["rule"] == "trough-low" and held["until"] == "2024-02-11"
    said = told("decisions", "show", card["uuid"], "--records", where).output
    assert "trough-low held and was not told: held back, warning, set aside on 2024-01-28" in " ".join(said.split())
    [shown] = as_json("feedback", "report", "--records", where)["rules"][1:]
    assert shown["rule"] == "trough-low" and shown["shown"] == 1


def test_where_nothing_else_is_shown_no_card_is_made_for_it(ward: Ward, where: str) -> None:
    ward.set_aside(ward.cards(LOW, 20)["trough-low"], 33)
    assert ward.cards(LOW, 40) == {}
    [newest, *_] = [json.loads(line) for line in told("decisions", "list", "--records", where, "--format", "json").output.splitlines()]  # fmt: skip
    assert newest["outcome"] == "no card"
    assert [each["rule"] for each in newest["verdict"]["held_back"]] == ["trough-low"]


@pytest.mark.parametrize("keep", ["input", "facts"])
def test_a_recorded_decision_with_a_card_held_back_comes_out_as_it_was(
    engine: CheckedEngine, where: str, key_file: Path, keep: str
) -> None:
    ward = Ward(engine, where, key_file, records_keep=keep)
    ward.set_aside(ward.cards(LOW, 20)["trough-low"], 20)
    assert "trough-low" not in ward.cards(LOW, 21)
    found = as_json("replay", "--records", where, "--rules", str(RULES), "--was", str(RULES))
    assert found["judged"] == 2 and not found["differ"]


def test_a_rule_of_once_a_course_is_told_on_one_day_of_it(engine: CheckedEngine, where: str, key_file: Path) -> None:
    ward = Ward(engine, where, key_file, snooze={}, once_a_course=["trough-low"])
    assert "trough-low" in ward.cards(LOW, 20)
    assert "trough-low" in ward.cards(LOW, 20)  # the chart may be opened again on that day
    ward.opened_again()
    assert "trough-low" not in ward.cards(LOW, 21)
    assert "trough-low" not in ward.cards([*LOW, NEW_LEVEL], 22)  # whatever it rests on
    [card] = ward.cards(LOW, 22).values()
    assert "told on 2024-01-28 and once in a course" in card["detail"]


def test_a_later_course_is_told_anew(engine: CheckedEngine, where: str, key_file: Path) -> None:
    ward = Ward(engine, where, key_file, snooze={}, once_a_course=["trough-low"])
    assert "trough-low" in ward.cards(LOW, 20)
    later = [patient(), itp(), sirolimus("s9", day(400), 2), level("l9", day(419, "08:00"), 3)]
    first = [sirolimus("s", day(0), 2, status="stopped", end=day(60)), *later]
    assert "trough-low" in ward.cards(first, 420)
    assert "trough-low" not in ward.cards(first, 421)


def test_records_that_cannot_be_asked_hide_nothing(ward: Ward, caplog: pytest.LogCaptureFixture) -> None:
    ward.set_aside(ward.cards(LOW, 20)["trough-low"], 20)
    ward.client.app.state.service.recording.records.store.close()  # type: ignore[attr-defined]
    assert "trough-low" in ward.cards(LOW, 21)
    assert "what became of earlier cards is not known: all are shown" in caplog.text


@pytest.mark.slow
def test_other_workers_know_it_too(start: Any, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[snooze]\ntrough-low = 14\n")
    running: Running = start(config=file, records=str(tmp_path / "records.sqlite"), workers=2, answer_seconds=20)
    today = datetime.now().astimezone().date()

    def ago(days: int, clock: str = "") -> str:
        text = (today - timedelta(days=days)).isoformat()
        return f"{text}T{clock}:00+00:00" if clock else text

    chart = [patient(), itp(), sirolimus("s", ago(30), 2), level("l", ago(2, "08:00"), 3)]
    body = as_bytes(request("patient-view", chart))

    def cards() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(running.call("POST", VIEW, body)[1])["cards"]
        return [card for card in found if findings(card)[0]["rule"] == "trough-low"]

    [card] = cards()
    report = json.dumps({"feedback": [overridden(card["uuid"], at=f"{ago(0)}T00:00:00Z")]}).encode()
    assert running.call("POST", f"{VIEW}/feedback", report)[0] == 200
    assert [cards() for _ in range(12)] == [[]] * 12


def test_a_card_does_not_point_to_one_that_is_held_back(engine: CheckedEngine, where: str, key_file: Path) -> None:
    """The window card leaves the dose to the level card, and says where it is."""
    ward = Ward(engine, where, key_file, snooze={"trough-high": 14})
    chart = [patient(), itp(), sirolimus("s", day(0), 5), level("l", day(20, "07:30"), 17)]
    cards = ward.cards(chart, 30)
    assert "The level card carries the proposed dose." in cards["dose-above-window"]["detail"]
    ward.set_aside(cards["trough-high"], 30)
    cards = ward.cards(chart, 30)
    card = cards["dose-above-window"]
    assert "trough-high" not in cards
    assert "The level card carries" not in card["detail"] and "suggestions" not in card
    assert "The card that carries the proposed dose is not shown." in card["detail"]


def test_settings_that_cannot_be_are_refused(tmp_path: Path, knowledge: Knowledge) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[snooze]\ntrough-low = 14\n")
    with pytest.raises(WrongSettings, match="need records"):
        read_settings(file, {})
    for snooze, why in (
        ("trogh-low = 14", "no rule trogh-low"),
        ("trough-critical = 14", "always shown"),
        ("not-assessed = 14", "what could not be judged"),
    ):
        file.write_text(f'records = "{tmp_path / "r.sqlite"}"\n[snooze]\n{snooze}\n')
        result = told("serve", "--config", str(file))
        assert result.exit_code == 2 and why in result.output
        assert why in " ".join(told("doctor", "--config", str(file)).output.split())


def test_records_of_the_version_before_are_brought_up(
    ward: Ward, engine: CheckedEngine, tmp_path: Path, key_file: Path
) -> None:
    file = tmp_path / "before.sqlite"
    before = Ward(engine, str(file), key_file)
    before.set_aside(before.cards(LOW, 20)["trough-low"], 20)
    before.client.app.state.service.recording.close()  # type: ignore[attr-defined]
    with sqlite3.connect(file) as connection:
        connection.execute("ALTER TABLE findings DROP COLUMN basis")
        connection.execute("PRAGMA user_version = 1")
    before.opened_again()
    cards = before.cards(LOW, 21)  # what it rested on was not recorded, so nothing is held back
    before.set_aside(cards["trough-low"], 21)
    assert "trough-low" not in before.cards(LOW, 22)
