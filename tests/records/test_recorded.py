"""What the service keeps of its answers, and what an operator can read of it."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from cds.engine import CheckedEngine, EngineFault
from cds.records import keeper
from cds.records.database import Unavailable, open_reader
from cds.records.decision import Decision, Recorder, Verdict
from cds.records.find import by_name
from cds.records.keeper import Asked
from cds.records.key import open_records
from tests.charts import as_bytes, day, level, patient, request
from tests.hooks.doors import VIEW, client_of
from tests.records.doors import CRITICAL, QUIET, as_json, asked, overridden, reported, service, told


def test_a_decision_is_found_by_request_and_by_card(engine: CheckedEngine, where: str, key_file: Path) -> None:
    with service(engine, where, key_file) as client:
        cards = asked(client, name="request-0001")
    [by_request] = as_json("decisions", "show", "request-0001", "--records", where)
    [by_card] = as_json("decisions", "show", cards[0]["uuid"], "--records", where)
    assert by_request == by_card
    assert [each["uuid"] for each in by_card["verdict"]["cards"]] == [each["uuid"] for each in cards]
    assert by_card["knowledge"] == engine.knowledge.hash and by_card["hook"] == "patient-view"


def test_it_says_what_held_and_was_not_told_and_why(engine: CheckedEngine, where: str, key_file: Path) -> None:
    with service(engine, where, key_file) as client:
        asked(client, name="request-0001")
    said = told("decisions", "show", "request-0001", "--records", where).output
    assert "trough-high held and was not told: gives way to trough-critical" in said
    assert "CRITICAL  Sirolimus level 22 ng/mL" in said


@pytest.mark.parametrize(("keep", "why"), [("verdict", False), ("facts", True), ("input", True)])
def test_it_says_why_as_far_as_it_was_kept(
    engine: CheckedEngine, where: str, key_file: Path, keep: str, why: bool
) -> None:
    with service(engine, where, key_file, records_keep=keep) as client:
        asked(client, name="request-0001")
    said = told("decisions", "show", "request-0001", "--records", where).output
    assert ("by the rules of the record" in said) == why
    assert ("[x] newest_level > 20" in said) == why
    assert ("daily dose: 2 mg/day" in said) == (keep == "input")


def test_other_rules_than_those_of_the_record_are_said(
    engine: CheckedEngine, where: str, key_file: Path, rules_folder: Path
) -> None:
    with service(engine, where, key_file, records_keep="facts") as client:
        asked(client, name="request-0001")
    file = rules_folder / "protocols" / "seed-2024.yaml"
    file.write_text(file.read_text().replace("value: 20\n", "value: 21\n", 1))
    said = told("decisions", "show", "request-0001", "--records", where, "--rules", str(rules_folder)).output
    assert "OTHER rules" in said


def test_the_input_that_was_kept_is_judged_alike_elsewhere(
    engine: CheckedEngine, where: str, key_file: Path, tmp_path: Path
) -> None:
    with service(engine, where, key_file, records_keep="input") as client:
        cards = asked(client, name="request-0001")
    kept = told("decisions", "input", "request-0001", "--records", where)
    file = tmp_path / "request.json"
    file.write_text(kept.stdout)
    again = json.loads(told("evaluate", str(file), "--at", kept.stderr.split()[-1], "--format", "json").stdout)
    assert [card["summary"] for card in again["cards"]] == [card["summary"] for card in cards]


def test_an_input_that_was_not_kept_is_said(engine: CheckedEngine, where: str, key_file: Path) -> None:
    with service(engine, where, key_file, records_keep="facts") as client:
        asked(client, name="request-0001")
    assert told("decisions", "input", "request-0001", "--records", where).exit_code == 2
    assert told("decisions", "input", "request-0002", "--records", where).exit_code == 2


def test_decisions_are_listed_by_rule_and_outcome(engine: CheckedEngine, where: str, key_file: Path) -> None:
    with service(engine, where, key_file) as client:
        asked(client, name="critical-1")
        asked(client, QUIET, name="nothing-1")
    listed = {
        outcome: told("decisions", "list", "--records", where, "--outcome", outcome).output
        for outcome in ("cards", "no card", "unanswered", "accepted", "fault")
    }
    assert "critical: Sirolimus level 22" in listed["cards"] and "no card" in listed["no card"]
    assert "Sirolimus level 22" in listed["unanswered"]
    assert listed["accepted"] == listed["fault"] == ""
    assert "no card" not in told("decisions", "list", "--records", where, "--rule", "trough-critical").output
    assert told("decisions", "list", "--records", where, "--rule", "malignancy").output == ""


def test_a_failed_evaluation_is_recorded_as_one(
    engine: CheckedEngine, where: str, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise EngineFault("the engines do not agree")

    with service(engine, where, key_file, records_keep="input") as client, monkeypatch.context() as patched:
        patched.setattr(CheckedEngine, "judge", fails)
        [card] = asked(client, name="request-0001")
    [decision] = as_json("decisions", "show", card["uuid"], "--records", where)
    assert decision["outcome"] == "fault" and decision["verdict"]["findings"][0]["rule"] == "not-assessed"


@pytest.mark.slow
def test_a_large_chart_is_recorded_by_the_process_that_judged_it(start: object, tmp_path: Path) -> None:
    where = str(tmp_path / "records.sqlite")
    running = start(records=where, records_keep="input", answer_seconds=20)  # type: ignore[operator]
    chart = [*CRITICAL, *(level(f"x{at}", day(1), 9) | {"note": [{"text": "x" * 1_000}]} for at in range(150))]
    status, _ = running.call("POST", VIEW, as_bytes(request("patient-view", chart)), **{"x-request-id": "request-0001"})
    assert status == 200
    [decision] = as_json("decisions", "show", "request-0001", "--records", where)
    assert decision["kept"] == "input"


def test_what_is_kept_names_nobody(engine: CheckedEngine, tmp_path: Path, key_file: Path) -> None:
    secret = "Zebedee"
    named = patient() | {
        "name": [{"family": secret}],
        "identifier": [{"system": "urn:mrn", "value": secret}],
        "address": [{"city": secret}],
        "contact": [{"name": {"text": secret}}],
    }
    subject = {"reference": "Patient/itp-1", "display": secret}
    chart = [named, *({**each, "subject": subject} if "subject" in each else each for each in CRITICAL[1:])]
    doctor = {"resourceType": "Practitioner", "id": "d", "name": [{"family": secret}]}
    chart[3] = chart[3] | {
        "contained": [doctor],
        "performer": [{"display": secret}],
        "note": [{"text": secret}],
        "text": {"status": "generated", "div": secret},
        "basedOn": [{"reference": "ServiceRequest/x", "display": secret}],
        "focus": [subject],
        "identifier": [{"system": "urn:lab", "value": "1", "assigner": {"display": secret}}],
        "meta": {"source": secret, "tag": [{"display": secret}]},
        "component": [{"code": {"text": "x"}, "extension": [{"url": "x", "valueString": secret}]}],
    }
    allergy = {
        "resourceType": "AllergyIntolerance",
        "id": "a",
        "patient": subject,
        "identifier": [{"value": secret}],
        "code": {"text": "penicillin"},
        "reaction": [{"description": secret, "note": [{"text": secret}], "manifestation": [{"text": secret}]}],
    }
    chart.append(allergy)
    where = str(tmp_path / "records.sqlite")
    with service(engine, where, key_file, records_keep="input") as client:
        cards = asked(client, chart, name="request-0001")
    assert cards[0]["indicator"] == "critical"
    with closing(open_reader(where)) as reader, reader.transaction() as connection:
        [decision] = by_name(connection, "request-0001")
    request_kept = decision.asked()
    assert request_kept is not None and secret.encode() not in request_kept.body
    assert b"Observation" in request_kept.body  # it is the input, and not an empty one
    assert "itp-1" not in str(msgspec.structs.replace(decision, input=None))  # the patient is a hash outside of it


def test_patients_of_two_issuers_are_two(engine: CheckedEngine, tmp_path: Path, key_file: Path) -> None:
    """An id says who it is only together with who uses it."""
    recorder = Recorder("verdict", key_file.read_bytes())
    hashes = {recorder.patient(issuer, server, "1") for issuer in ("a", "b") for server in ("", "c")}
    assert len(hashes) == 4
    assert Recorder("verdict", b"another key of thirty-two bytes.").patient("a", "", "1") not in hashes


def test_without_the_setting_nothing_is_kept(
    engine: CheckedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with client_of(engine) as client:
        card = asked(client)[0]["uuid"]
        assert reported(client, overridden(card)) == 200
        assert client.app.state.service.recording.records is None  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []


def test_what_is_old_is_purged_with_all_that_belongs_to_it(engine: CheckedEngine, where: str, key_file: Path) -> None:
    with service(engine, where, key_file) as client:
        [card, *_] = asked(client, name="request-0001")
        assert reported(client, overridden(card["uuid"])) == 200
    assert "0 decisions" in told("records", "purge", "--older-than", "1d", "--records", where).output
    assert "1 decisions, 1 reports" in told("records", "state", "--records", where).output
    assert "1 decisions" in told("records", "purge", "--older-than", "2100-01-01T00:00:00Z", "--records", where).output
    assert "0 decisions, 0 reports" in told("records", "state", "--records", where).output
    assert told("decisions", "show", "request-0001", "--records", where).exit_code == 2


def test_old_decisions_go_by_themselves(engine: CheckedEngine, where: str, key_file: Path) -> None:

    clock = [1_000_000.0]
    records = open_records(where, lambda: clock[0], must=True, days=10)
    decision = Decision("p", "2024-01-01T00:00:00+00:00", "no card", "k", "seed", "0", Verdict())

    async def keep(name: str) -> None:
        await records.decided(decision, Asked(name, "patient-view", "", 1.0))
        if (tidying := records.tidy()) is not None:
            await tidying

    asyncio.run(keep("first"))
    clock[0] += 9 * 86_400
    asyncio.run(keep("second"))
    assert "2 decisions" in told("records", "state", "--records", where).output
    clock[0] += 2 * 86_400
    asyncio.run(keep("third"))
    records.store.close()
    assert "2 decisions" in told("records", "state", "--records", where).output


@pytest.mark.parametrize("command", [("decisions", "list"), ("feedback", "report"), ("replay",), ("records", "state")])
def test_commands_say_where_there_are_no_records(command: tuple[str, ...], tmp_path: Path) -> None:
    absent = told(*command, "--records", str(tmp_path / "none.sqlite"))
    assert absent.exit_code == 2 and "the records cannot be used" in absent.stderr
    assert list(tmp_path.iterdir()) == []
    assert told(*command).exit_code == 2


def test_the_settings_say_where_the_records_are(engine: CheckedEngine, tmp_path: Path, key_file: Path) -> None:
    where = str(tmp_path / "records.sqlite")
    config = tmp_path / "settings.toml"
    config.write_text(f'records = "{where}"\n')
    with service(engine, where, key_file) as client:
        asked(client)
    assert "1 decisions" in told("records", "state", "--config", str(config)).output


def test_deleting_what_is_old_keeps_no_decision_waiting_and_loses_none(
    engine: CheckedEngine, where: str, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> int:
        raise Unavailable("too much at once")

    monkeypatch.setattr(keeper, "purge_some", fails)
    with service(engine, where, key_file, records_failure="refuse") as client:
        assert asked(client)[0]["indicator"] == "critical"
    assert "1 decisions" in told("records", "state", "--records", where).output


def test_an_input_of_which_only_the_whole_tells_what_counts_is_not_kept(
    engine: CheckedEngine, where: str, key_file: Path
) -> None:
    """Two results of one id that differ in something which the reduced request leaves out."""
    twice = [
        level("l", day(19, "08:00"), 22)
        | {"contained": [{"resourceType": "Practitioner", "id": "d", "name": [{"family": name}]}]}
        for name in ("A", "B")
    ]
    with service(engine, where, key_file, records_keep="input") as client:
        asked(client, [*CRITICAL[:3], *twice], name="request-0001")
    assert told("decisions", "input", "request-0001", "--records", where).exit_code == 2


def test_the_id_of_a_request_hides_no_card(engine: CheckedEngine, where: str, key_file: Path) -> None:
    with service(engine, where, key_file, records_keep="input") as client:
        card = asked(client)[0]["uuid"]
        asked(client, QUIET, name=card)
    [found] = as_json("decisions", "show", card, "--records", where)
    assert next(each["uuid"] for each in found["verdict"]["cards"]) == card
    assert "Observation" in told("decisions", "input", card, "--records", where).stdout


@pytest.mark.parametrize("command", [("records", "purge", "--older-than"), ("decisions", "list", "--since")])
def test_a_date_alone_is_its_beginning(
    engine: CheckedEngine, where: str, key_file: Path, command: tuple[str, ...]
) -> None:
    with service(engine, where, key_file) as client:
        asked(client)
    said = told(*command, datetime.now().astimezone().date().isoformat(), "--records", where).output
    assert "0 decisions" in said or "Sirolimus level 22" in said


def test_the_settings_say_by_which_rules_it_is_judged_again(
    engine: CheckedEngine, tmp_path: Path, key_file: Path
) -> None:
    where, config = str(tmp_path / "records"), tmp_path / "settings.toml"
    with service(engine, where, key_file, records_keep="input") as client:
        asked(client, name="request-0001")
    for protocol, own in (("seed-2024", True), ("label-lam", False)):
        config.write_text(f'records = "{where}"\nprotocol = "{protocol}"\n')
        shown = told("decisions", "show", "request-0001", "--config", str(config)).output
        assert ("by the rules of the record" in shown) == own
        replayed = told("replay", "--config", str(config), "--fail-on", "any")
        assert replayed.exit_code == (0 if own else 1), replayed.output
