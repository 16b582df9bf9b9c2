"""What became of cards: kept once, whatever is sent, and counted for the rule that leads the card."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path

import pytest

from cds.engine import CheckedEngine
from cds.hooks.feedback import Feedback
from cds.records.report import wilson
from tests.charts import day, drug
from tests.records.doors import CRITICAL, accepted, as_json, asked, overridden, reported, service, told


def by_rule(where: str) -> dict[str, dict[str, object]]:
    return {each["rule"]: each for each in as_json("feedback", "report", "--records", where)["rules"]}


def test_cards_are_counted_by_what_became_of_them(engine: CheckedEngine, where: str, key_file: Path) -> None:
    with service(engine, where, key_file) as client:
        three = [[card["uuid"] for card in asked(client)] for _ in range(3)]
        critical, low = zip(*three, strict=True)
        assert reported(client, accepted(critical[0]), overridden(critical[1]), overridden(low[0])) == 200
    found = by_rule(where)
    numbers = {
        rule: (each["shown"], each["accepted"], each["overridden"], each["unanswered"]) for rule, each in found.items()
    }
    assert numbers == {"trough-critical": (3, 1, 1, 1), "low-platelets-adult": (3, 0, 1, 2)}


def test_the_same_report_counts_once(engine: CheckedEngine, where: str, key_file: Path) -> None:
    """Clients send again what was not answered in time."""
    with service(engine, where, key_file) as client:
        card = asked(client)[0]["uuid"]
        for _ in range(3):
            assert reported(client, overridden(card), overridden(card)) == 200
    assert by_rule(where)["trough-critical"]["overridden"] == 1


def test_the_last_report_on_a_card_counts(engine: CheckedEngine, where: str, key_file: Path) -> None:
    with service(engine, where, key_file) as client:
        card = asked(client)[0]["uuid"]
        assert reported(client, accepted(card, "2030-01-02T00:00:00Z"), overridden(card)) == 200
    found = by_rule(where)["trough-critical"]
    assert (found["accepted"], found["overridden"], found["shown"]) == (1, 0, 1)


def test_reasons_and_comments_are_told(engine: CheckedEngine, where: str, key_file: Path) -> None:
    reason = {
        "reason": {"code": "x", "system": "urn:x", "display": "Known and accepted"},
        "userComment": "drawn\x1b[2J late",
    }
    with service(engine, where, key_file) as client:
        card = asked(client)[0]["uuid"]
        assert reported(client, overridden(card, **reason)) == 200
    found = as_json("feedback", "report", "--records", where)
    assert by_rule(where)["trough-critical"]["reasons"] == {"Known and accepted": 1}
    assert [(each["rule"], each["text"]) for each in found["comments"]] == [("trough-critical", "drawn\x1b[2J late")]
    printed = told("feedback", "report", "--records", where).output
    assert "Known and accepted" in printed and "\x1b" not in printed


def test_a_card_that_is_not_ours_is_kept_flagged_and_counts_for_nothing(
    engine: CheckedEngine, where: str, key_file: Path
) -> None:
    with service(engine, where, key_file) as client:
        asked(client)
        assert reported(client, overridden("somebody-elses", userComment="why not")) == 200
    found = as_json("feedback", "report", "--records", where)
    assert found["unknown"] == 1 and found["comments"][0]["rule"] == ""
    assert by_rule(where)["trough-critical"]["unanswered"] == 1


def test_a_card_of_two_rules_counts_for_the_one_that_leads(engine: CheckedEngine, where: str, key_file: Path) -> None:
    chart = [
        *CRITICAL,
        *(drug(name, name, day(10)) for name in ("clarithromycin", "rifampin", "ibuprofen", "lisinopril")),
    ]
    with service(engine, where, key_file) as client:
        cards = asked(client, chart)
    rules = [[one["rule"] for one in card["extension"]["net.sirolimus-itp-cds.findings"]] for card in cards]
    assert max(map(len, rules)) > 1  # the last card is of several
    assert set(by_rule(where)) == {each[0] for each in rules}


def test_a_nul_in_a_comment_is_taken(engine: CheckedEngine, where: str, key_file: Path) -> None:
    """PostgreSQL takes none in a text; the others of the batch must not suffer."""
    with service(engine, where, key_file) as client:
        card = asked(client)[0]["uuid"]
        assert reported(client, overridden(card, userComment="a\0b"), overridden("other")) == 200
    assert as_json("feedback", "report", "--records", where)["comments"][0]["text"] == "ab"


def test_the_table_is_read_by_a_spreadsheet(engine: CheckedEngine, where: str, key_file: Path) -> None:
    with service(engine, where, key_file) as client:
        assert reported(client, accepted(asked(client)[0]["uuid"])) == 200
    printed = told("feedback", "report", "--records", where, "--format", "csv").output
    rows = {row["rule"]: row for row in csv.DictReader(io.StringIO(printed))}
    assert (rows["trough-critical"]["accepted"], rows["trough-critical"]["accepted_high"]) == ("1", "1.0")


def test_intervals_are_wilsons() -> None:
    """Newcombe 1998, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    found = [wilson(81, 263), wilson(15, 148), wilson(0, 20), wilson(1, 29)]
    assert found == [(0.255, 0.366), (0.062, 0.16), (0.0, 0.161), (0.006, 0.172)]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1999-12-31T00:00:00Z"])
def test_a_report_of_a_time_that_cannot_be_is_refused(
    engine: CheckedEngine, where: str, key_file: Path, at: str
) -> None:
    with service(engine, where, key_file) as client:
        assert reported(client, overridden(asked(client)[0]["uuid"], at)) == 400
    assert told("feedback", "report", "--records", where).exit_code == 0


def test_what_the_same_report_says_more_the_second_time_is_kept(
    engine: CheckedEngine, where: str, key_file: Path
) -> None:
    with service(engine, where, key_file) as client:
        card = asked(client)[0]["uuid"]
        for report in (overridden(card), overridden(card, userComment="known"), overridden(card)):
            assert reported(client, report) == 200
    assert [each["text"] for each in as_json("feedback", "report", "--records", where)["comments"]] == ["known"]


def test_a_report_of_another_issuer_stands_apart(engine: CheckedEngine, where: str, key_file: Path) -> None:
    """Ids of cards are no secret of one EHR."""
    with service(engine, where, key_file) as client:
        card = asked(client)[0]["uuid"]
        keeper = client.app.state.service.keeper  # type: ignore[attr-defined]
        report = Feedback.model_validate(overridden(card, userComment="forged"))
        asyncio.run(keeper.keep("s", "https://other.example", [report]))
    found = as_json("feedback", "report", "--records", where)
    assert found["unknown"] == 1 and [each["rule"] for each in found["comments"]] == [""]
    assert by_rule(where)["trough-critical"]["overridden"] == 0
    assert "forged" not in told("decisions", "show", card, "--records", where).output
    assert told("decisions", "list", "--outcome", "overridden", "--records", where).output == ""
