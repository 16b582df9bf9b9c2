"""A card read in ten seconds: because, what to consider, the working, the sources, and one line of what it is."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner

from cds.advise import advise
from cds.cards.detail import _compared, layers_of
from cds.chart.request import read_request
from cds.cli.main import main
from cds.compiled.knowledge import Condition
from cds.engine import CheckedEngine
from cds.hooks.sent import Sending, sent
from cds.hooks.settings import Settings
from cds.knowledge.files import Folder
from tests.charts import condition, count, day, itp, level, patient, request, sirolimus
from tests.conftest import ROOT
from tests.fingerprint.corpus import days
from tests.hooks.doors import VIEW, client_of
from tests.judge import judge

TITRATION = ROOT / "fhir_examples" / "course-1-titration" / "bundle.json"
MOST_BEFORE_SOURCES, MOST_OF_ITSELF = 900, 200


def low(engine: CheckedEngine) -> dict[str, Any]:
    chart = [sirolimus("s", day(0), 2), count("c", day(13), 20), level("l", day(14, "07:40"), 3.9)]
    (card,) = [each for each in judge(engine, 20, *chart).cards if each["source"]["topic"]["code"] == "troughLow"]
    return card


def test_the_values_come_first_and_the_sources_last(engine: CheckedEngine) -> None:
    because, consider, working, sources, itself = low(engine)["detail"].split("\n\n")
    assert because.startswith("Level: 3.9 ng/mL on 2024-01-22 07:40;") and "Dose: order of 2 mg/day." in because
    assert consider.startswith("- Before a change, consider adherence")
    assert (
        "\n- In proportion, 2 mg/day x 10 / 3.9 ng/mL = 5.13 mg/day" in consider
        and "predicted level 5.9 ng/mL" in consider
    )
    assert working.startswith("**Working**: The protocol's target is not validated for ITP.")
    assert "Compared: " in working and "trough 3.9 \\< 5 ng/mL" in working
    assert sources.splitlines()[:2] == [
        "**Sources**",
        "- [Feng 2024](https://doi.org/10.1097/MBC.0000000000001303), grade C",
    ]
    assert itself.startswith("Off label. Protocol: Feng 2024") and itself.endswith("Draft: not clinically signed off.")


def test_why_no_dose_is_offered_and_what_was_taken_for_granted_are_read_first(engine: CheckedEngine) -> None:
    pregnant = condition("p", "77386006", day(10))
    several = [sirolimus("s", day(0), 2), count("c", day(13), 20), level("l", day(14, "07:40"), 3.9), pregnant]
    (card,) = [each for each in judge(engine, 20, *several).cards if each["source"]["topic"]["code"] == "troughLow"]
    first, _ = layers_of(card["detail"])
    assert "No dose is proposed: no rise is offered: pregnancy is on record" in " ".join(first)
    responding = [
        sirolimus("s", day(0), 2),
        count("b", day(-2), 14),
        count("c", day(83), 110),
        count("d", day(91), 126),
    ]
    (card,) = [
        each for each in judge(engine, 92, *responding).cards if each["source"]["topic"]["code"] == "responseComplete"
    ]
    first, _ = layers_of(card["detail"])
    assert "No bleeding is documented; that is taken as none." in " ".join(first)


def test_resources_are_in_words_and_named_in_the_extension(engine: CheckedEngine) -> None:
    card = low(engine)
    assert "From: Idiopathic thrombocytopenic purpura of 2023-02-01, level of 2024-01-22" in card["detail"]
    (finding,) = card["extension"]["net.sirolimus-itp-cds.findings"]
    assert "Observation/l" in finding["evidence"] and "Observation/" not in card["detail"]


@pytest.mark.slow
@pytest.mark.untraced
def test_every_card_of_every_scenario_is_short() -> None:
    for item in days():
        for card in advise(read_request(item.body), item.engine, item.now, max_cards=99).cards:
            before, sources, after = card["detail"].partition("\n\n**Sources**\n")
            assert len(before) <= MOST_BEFORE_SOURCES, f"{item.name}: {card['summary']}"
            assert sources and len(after.split("\n\n")[1]) <= MOST_OF_ITSELF
            assert card["detail"].count("ff label") == 1


def test_every_source_has_a_short_name(folder: Folder) -> None:
    for key, (_, source) in folder.sources.items():
        assert 0 < len(source.short) <= 50, key


@pytest.mark.parametrize(
    ("value", "number", "words"),
    [
        ("83.08", "50", "83.1 \\>= 50"),
        ("49.96", "50", "49.96 \\< 50"),
        ("50.04", "50", "50.04 \\>= 50"),
        ("0.583", "0.67", "0.58 \\< 0.67"),
        ("0.17", "0.1", "0.17 \\>= 0.1"),
        ("50", "50", "50 \\>= 50"),
    ],
)
def test_a_value_is_rounded_as_long_as_it_stays_on_its_side(value: str, number: str, words: str) -> None:
    sign = "<" if "\\<" in words else ">="
    test = Condition("platelet_fall", sign, Decimal(number))
    assert _compared(test, {"platelet_fall": Decimal(value)}) == f"platelet fall {words} percent"


# --- as a client takes them --------------------------------------------------------------------------


def test_a_client_that_takes_one_action_gets_a_suggestion_for_each(engine: CheckedEngine) -> None:
    chart = [sirolimus("s", day(0), 2), count("c", day(55), 120)]
    cards = judge(engine, 60, *chart, watched=False).cards
    (before,) = [each for each in cards if each["source"]["topic"]["code"] == "troughOverdue"]
    (after,) = [
        each for each in sent(cards, Sending(one_action=True)) if each["source"]["topic"]["code"] == "troughOverdue"
    ]
    assert len(before["suggestions"]) == 2 and all(len(each["actions"]) == 1 for each in after["suggestions"])
    told = [action for each in before["suggestions"] for action in each["actions"]]
    assert [action for each in after["suggestions"] for action in each["actions"]] == told
    uuids = [each["uuid"] for each in after["suggestions"]]
    assert len(set(uuids)) == len(uuids) and {each["uuid"] for each in before["suggestions"]} <= set(uuids)
    assert sent(cards, Sending()) == cards


def test_where_a_site_says_where_its_pages_are_cards_lead_there(engine: CheckedEngine) -> None:
    (card,) = sent([low(engine)], Sending(pages="https://cds.example"))
    assert card["source"]["label"] == "Sirolimus in ITP · Feng 2024"
    assert card["source"]["url"] == "https://cds.example/rules/trough-low"
    assert card["source"]["icon"] == "https://cds.example/icon.png"


def test_the_service_sends_them_as_its_settings_say(engine: CheckedEngine) -> None:
    settings = Settings(pages="https://cds.example", one_action=True)
    chart = [patient(), itp(), sirolimus("s", day(0), 2), count("c", day(55), 120)]
    with client_of(engine, settings, on=60) as client:
        cards = client.post(VIEW, json=request("patient-view", chart)).json()["cards"]
    (overdue,) = [each for each in cards if each["source"]["topic"]["code"] == "troughOverdue"]
    assert overdue["source"]["url"] == "https://cds.example/rules/trough-overdue"
    assert len(overdue["suggestions"]) > 3 and all(len(each["actions"]) == 1 for each in overdue["suggestions"])


# --- in a terminal -----------------------------------------------------------------------------------


def told(*arguments: str, **environment: str) -> str:
    ended = CliRunner().invoke(main, ["evaluate", "--at", "latest", str(TITRATION), *arguments], env=environment)
    assert ended.exit_code == 0
    return ended.output


def test_the_button_stands_before_the_working() -> None:
    text = told()
    places = [text.index(each) for each in ("Level: 3.9", "> Suggestion: Change the order", "Working:", "Sources")]
    assert places == sorted(places)


def test_a_line_for_each_card() -> None:
    assert told("--quiet").splitlines() == [
        "WARNING  Sirolimus trough 3.9 ng/mL on 2024-01-22 07:40 is below the target of 5-15 ng/mL"
    ]
    assert json.loads(told("--quiet", "--format", "json"))["cards"]


@pytest.mark.parametrize(("columns", "widest"), [("50", 50), ("200", 100)])
def test_it_is_as_wide_as_the_terminal(columns: str, widest: int) -> None:
    longest = max(len(line) for line in told(COLUMNS=columns).splitlines() if "http" not in line)
    assert widest - 12 <= longest <= widest


def test_no_colour_where_none_is_wanted() -> None:
    arguments = ["evaluate", "--at", "latest", str(TITRATION)]
    assert "\x1b[" in CliRunner().invoke(main, arguments, color=True).output
    assert "\x1b[" not in CliRunner().invoke(main, arguments, color=True, env={"NO_COLOR": "1"}).output
