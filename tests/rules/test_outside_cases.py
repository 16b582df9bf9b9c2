"""Charts that were written without looking at this program, with what their cards must say, where they lie beside the project."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from cds.cli.main import main

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "cases"
LIST = FOLDER / "cases.yaml"
CASES: list[dict[str, Any]] = YAML(typ="safe", pure=True).load(LIST) if LIST.is_file() else []
Card = dict[str, Any]


def cards_of(case: dict[str, Any]) -> list[Card]:
    """The cards that the command line shows."""
    chart = FOLDER / f"{case['name']}.json"
    command = ["evaluate", str(chart), "--format", "json", "--at", str(case["at"])]
    if "hook" in case and "hook" not in json.loads(chart.read_text(encoding="utf-8")):
        command += ["--hook", case["hook"]]
    if "protocol" in case:
        command += ["--protocol", case["protocol"]]
    ended = CliRunner().invoke(main, command)
    assert ended.exit_code == 0, ended.output
    cards: list[Card] = json.loads(ended.stdout)["cards"]
    return cards


def rules_of(card: Card) -> set[str]:
    """All rules of a card, merged and folded ones too."""
    findings = [found for key, found in card.get("extension", {}).items() if key.endswith(".findings")]
    return {each["rule"] for found in findings for each in found}


def words(cards: list[Card]) -> str:
    return "\n".join(f"{card['summary']}\n{card.get('detail', '')}" for card in cards)


def labels(cards: list[Card]) -> str:
    return "\n".join(each["label"] for card in cards for each in card.get("suggestions", []))


def told(cards: list[Card]) -> set[str]:
    return {rule for card in cards for rule in rules_of(card)}


def urgent(cards: list[Card], wanted: dict[str, str]) -> bool:
    found = {rule: {card["indicator"] for card in cards if rule in rules_of(card)} for rule in wanted}
    return found == {rule: {indicator} for rule, indicator in wanted.items()}


CHECKS: dict[str, Callable[[list[Card], Any], bool]] = {
    "has": lambda cards, wanted: told(cards) >= set(wanted),
    "lacks": lambda cards, wanted: told(cards).isdisjoint(wanted),
    "indicator": urgent,
    "some_of": lambda cards, wanted: not told(cards).isdisjoint(wanted),
    "some": lambda cards, wanted: bool(cards) or not wanted,
    "button": lambda cards, wanted: re.search(wanted, labels(cards)) is not None,
    "no_button": lambda cards, wanted: re.search(wanted, labels(cards)) is None,
    "says": lambda cards, wanted: re.search(wanted, words(cards)) is not None,
    "unsays": lambda cards, wanted: re.search(wanted, words(cards)) is None,
}


@pytest.mark.skipif(not CASES, reason="the outside cases are not beside this project")
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_an_outside_chart_gets_the_cards_that_it_must(case: dict[str, Any]) -> None:
    cards = cards_of(case)
    short = [key for key, holds in CHECKS.items() if key in case and not holds(cards, case[key])]
    assert short == [], f"{case['want']}: {[card['summary'] for card in cards]}"
