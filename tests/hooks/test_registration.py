"""docs/registration.md: its settings are taken, its addresses are served, and its test script gives the cards that it says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cds.compiled.hooks import SERVED
from cds.engine import CheckedEngine
from cds.hooks.discovery import service_id
from cds.hooks.settings import Settings, read_settings
from tests.charts import Resource, as_bytes, day, drug, intake, itp, level, patient, request, sirolimus
from tests.conftest import ROOT
from tests.hooks.doors import JSON, SIGN, VIEW, client_of

PAGE = (ROOT / "docs" / "registration.md").read_text(encoding="utf-8")
SCRIPT = dict(re.findall(r"^\| (\d) \| (.*) \|$", PAGE.partition("## Test script")[2], re.MULTILINE))
PEOPLE = [patient(), itp()]
MUCH, USUAL = sirolimus("s", day(0), 12), sirolimus("s", day(0), 2)


def _drawn(value: float) -> list[Resource]:
    return [intake("dose", day(19, "08:00")), level("l", day(20, "07:30"), value)]


def _without(*keys: str, **more: Any) -> bytes:
    body = request("patient-view", [*PEOPLE, MUCH])
    for key in keys:
        del body["prefetch"][key]
    body["prefetch"] |= more
    return as_bytes(body)


ROWS: dict[str, tuple[int, str, bytes]] = {
    "1": (13, VIEW, _without()),
    "2": (20, VIEW, as_bytes(request("patient-view", [*PEOPLE, USUAL, *_drawn(22)]))),
    "3": (20, VIEW, as_bytes(request("patient-view", [*PEOPLE, USUAL, *_drawn(8)]))),
    "4": (
        20,
        SIGN,
        as_bytes(request("order-sign", [*PEOPLE, USUAL], [drug("d", "clarithromycin", day(20), status="draft")])),
    ),
    "6": (13, VIEW, _without("observations", **{f"observations-{n}-of-6": None for n in range(1, 6)})),
    "7": (13, VIEW, as_bytes(request("patient-view", PEOPLE))),
}


def topics(engine: CheckedEngine, row: str) -> dict[str, str]:
    """The indicator of each card by its topic."""
    on, address, body = ROWS[row]
    with client_of(engine, on=on) as client:
        cards = client.post(address, content=body, headers=JSON).json()["cards"]
    return {card["source"]["topic"]["code"]: card["indicator"] for card in cards}


@pytest.mark.parametrize("row", ["1", "2", "4"])
def test_a_row_of_the_script_gives_the_card_that_it_names(engine: CheckedEngine, row: str) -> None:
    (expected,) = re.findall(r"`(\w+)`, critical", SCRIPT[row])
    shown = topics(engine, row)
    assert expected in shown
    assert ("critical" in SCRIPT[row]) == (shown[expected] == "critical")


@pytest.mark.parametrize("row", ["1", "2", "6"])
def test_the_words_of_the_script_are_on_a_card(engine: CheckedEngine, row: str) -> None:
    (words,) = re.findall(r'"([^"]+)"', SCRIPT[row])
    on, address, body = ROWS[row]
    with client_of(engine, on=on) as client:
        cards = client.post(address, content=body, headers=JSON).json()["cards"]
    assert any(words in card["summary"] for card in cards)


@pytest.mark.parametrize("kind", ["requests", "appointments"])
def test_of_orders_of_tests_and_appointments_no_card_says_that_they_lack(engine: CheckedEngine, kind: str) -> None:
    assert "Without ServiceRequest or Appointment no card says so" in PAGE
    with client_of(engine, on=13) as client:
        cards = client.post(VIEW, content=_without(kind), headers=JSON).json()["cards"]
    assert not any("was not supplied" in card["detail"] for card in cards)


def test_where_the_script_says_no_card_there_is_none(engine: CheckedEngine) -> None:
    assert "no card on dose or level" in SCRIPT["3"]
    assert not [topic for topic in topics(engine, "3") if topic.startswith(("dose", "trough"))]
    assert SCRIPT["7"].endswith("no card") and topics(engine, "7") == {}


def test_without_the_medications_it_is_412(engine: CheckedEngine) -> None:
    assert "412" in SCRIPT["5"]
    with client_of(engine, on=13) as client:
        assert client.post(VIEW, content=_without("medications"), headers=JSON).status_code == 412


def test_without_a_part_of_the_results_a_card_says_so(engine: CheckedEngine) -> None:
    assert {"doseFarAboveWindow", "notAssessed"} <= set(topics(engine, "6"))


@pytest.mark.parametrize("key", ["patient", "conditions"])
def test_without_a_patient_or_problems_there_is_no_card_on_the_dose(engine: CheckedEngine, key: str) -> None:
    assert "without Patient or Condition there is no card on the dose" in PAGE
    with client_of(engine, on=13) as client:
        cards = client.post(VIEW, content=_without(key), headers=JSON).json()["cards"]
    shown = {card["source"]["topic"]["code"] for card in cards}
    assert "notAssessed" in shown and not [topic for topic in shown if topic.startswith("dose")]


def test_every_address_of_the_page_is_one_of_the_table_of_hooks() -> None:
    listed = dict(re.findall(r"^\| ([\w-]+) \| `(/cds-services/[\w-]+)` \|", PAGE, re.MULTILINE))
    assert listed == {hook: f"/cds-services/{service_id(hook)}" for hook in SERVED}


def test_the_settings_of_the_page_are_taken(tmp_path: Any) -> None:
    file, ours = tmp_path / "settings.toml", re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert len(ours) == 2
    for text in ours:
        file.write_text(text)
        issuer = read_settings(file, {}).issuers[0]
        assert issuer.jwks_url and issuer.audiences == ["https://cds.example/cds-services"]


def test_what_the_page_says_of_times_is_so() -> None:
    assert f"`answer_seconds`, {Settings().answer_seconds:g} s" in PAGE
