"""Serving signed rules alone: what a signed rule offers never stands where an unsigned one would have withheld it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cds.compiled.knowledge import Knowledge
from cds.engine import CheckedEngine
from cds.hooks.settings import Settings
from cds.knowledge.load import load
from cds.knowledge.reviews import active_only
from tests.charts import day, level, sirolimus
from tests.conftest import RULE_FILES
from tests.hooks.doors import VIEW, client_of
from tests.judge import judge, topics

LOW_DOSE = [sirolimus("s", day(0), 1), level("l", day(3, "14:00"), 30)]
"""1 mg a day, and 30 ng/mL on the third day: below the window, and far above the target."""


def signed(*rules: str) -> Knowledge:
    knowledge = load()
    marked = tuple(
        msgspec.structs.replace(rule, status="active", signed=("A tester, haematologist, 2026-01-31",))
        if rule.id in rules
        else rule
        for rule in knowledge.rules
    )
    return active_only(msgspec.structs.replace(knowledge, rules=marked))


def cards(knowledge: Knowledge, *resources: dict[str, Any], on: int = 3) -> dict[str, dict[str, Any]]:
    advice = judge(CheckedEngine(knowledge), on, *resources)
    return {card["source"]["topic"]["code"]: card for card in advice.cards}


def test_a_raise_is_not_offered_where_an_unsigned_rule_speaks_of_the_level() -> None:
    low = [sirolimus("s", day(0), 1), level("l", day(10, "07:40"), 3)]
    alone = cards(signed("dose-below-window", "trough-low"), low[0], on=12)
    assert [each["label"] for each in alone["doseBelowWindow"]["suggestions"]] == ["Change the order to 2 mg/day"]
    found = cards(signed("dose-below-window"), *low, on=12)
    assert set(found) == {"doseBelowWindow", "findingsNotShown"}
    assert "suggestions" not in found["doseBelowWindow"]


def test_a_dose_below_the_window_is_silent_beside_a_critical_level_that_an_unsigned_rule_sees() -> None:
    assert set(cards(signed("dose-below-window"), *LOW_DOSE)) == {"findingsNotShown"}


def test_what_would_be_silent_beside_an_unsigned_rule_speaks_and_offers_nothing() -> None:
    found = cards(signed("trough-high"), *LOW_DOSE)
    assert "suggestions" not in found["troughHigh"] and "troughCritical" not in found


def test_what_is_not_shown_is_counted_and_not_told() -> None:
    card = cards(signed("dose-below-window"), *LOW_DOSE)["findingsNotShown"]
    assert card["summary"] == "2 findings are not shown: no one has signed their rules here. This is not an all clear."
    assert "30" not in card["detail"] and card["indicator"] == "info" and "suggestions" not in card


def test_what_could_not_be_judged_is_always_said() -> None:
    unreadable = level("l", day(3, "07:40"), 7) | {"valueQuantity": {"value": 7, "unit": "furlong"}}
    assert "notAssessed" in cards(signed("trough-high"), sirolimus("s", day(0), 2), unreadable)


def test_with_every_rule_signed_nothing_is_missing() -> None:
    every = signed(*(rule.id for rule in load().rules))
    usual = topics(judge(CheckedEngine(load()), 3, *LOW_DOSE))
    assert set(cards(every, *LOW_DOSE)) == usual and every.hidden_rules == ()


@pytest.mark.parametrize("resources", [[], [sirolimus("s", day(0), 2)]])
def test_where_nothing_unsigned_holds_nothing_is_said_of_it(resources: list[dict[str, Any]]) -> None:
    assert "findingsNotShown" not in cards(signed("trough-high"), *resources)


def test_over_http_the_description_says_how_many_are_drafts() -> None:
    with client_of(CheckedEngine(signed("trough-high", "trough-low")), Settings(active_only=True)) as client:
        described = client.get("/cds-services").json()["services"][0]["description"]
        assert f"{len(RULE_FILES) - 2} of {len(RULE_FILES)} rules are drafts, not clinically signed off" in described
        assert client.get(VIEW.rsplit("/", 1)[0]).status_code == 200
