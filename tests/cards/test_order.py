"""Worst first, at most so many, the rest folded; and the folded card lists every rule."""

from __future__ import annotations

from typing import Any

import pytest

from cds.cards.order import arranged
from cds.engine import CheckedEngine
from tests.charts import condition, day, drug, intake, level, observation, sirolimus, weight
from tests.judge import judge

FINDINGS = "net.sirolimus-itp-cds.findings"


def card(rule: str, indicator: str) -> dict[str, Any]:
    return {
        "uuid": rule, "summary": f"Summary of {rule}", "indicator": indicator,
        "source": {"label": "x", "topic": {"system": "s", "code": rule, "display": rule}}, "detail": "d",
        "extension": {FINDINGS: [{"rule": rule}], "net.sirolimus-itp-cds.gaps": [{"fact": rule}]},
    }  # fmt: skip


def shape(cards: list[dict[str, Any]]) -> list[str]:
    return [c["source"]["topic"]["code"] for c in cards]


def test_worst_first_and_otherwise_in_the_given_order() -> None:
    cards = [card("a", "info"), card("b", "warning"), card("c", "critical"), card("d", "warning")]
    assert shape(arranged(cards)) == ["c", "b", "d", "a"]


def test_beyond_four_the_rest_fold_into_one_that_names_them() -> None:
    cards = [card(name, "warning") for name in "abcdef"]
    shown = arranged(cards)
    assert shape(shown) == ["a", "b", "c", "furtherFindings"]
    folded = shown[-1]
    assert folded["indicator"] == "info" and folded["summary"] == "3 further findings: d; e; f"
    assert [finding["rule"] for finding in folded["extension"][FINDINGS]] == ["d", "e", "f"]
    assert [gap["fact"] for gap in folded["extension"]["net.sirolimus-itp-cds.gaps"]] == ["d", "e", "f"]
    assert "Summary of e" in folded["detail"]


def test_critical_cards_always_show() -> None:
    cards = [card(name, "critical") for name in "abcdef"] + [card("g", "warning"), card("h", "info")]
    assert shape(arranged(cards)) == [*"abcdef", "furtherFindings"]


@pytest.mark.parametrize("most", [1, 2, 3, 4, 5])
def test_no_rule_is_ever_lost(engine: CheckedEngine, most: int) -> None:
    chart = [
        sirolimus("s", day(0), 12), drug("x", "clarithromycin", day(5)), drug("y", "rifampin", day(5)), weight("w", day(0), 38),
        condition("p", "77386006", day(0)), intake("i", day(4, "08:00")), level("l", day(4, "10:00"), 9), level("bad", day(5), 9, "furlongs"),
    ]  # fmt: skip
    every = {f["rule"] for c in judge(engine, 5, *chart).cards for f in c["extension"][FINDINGS]}
    shown = judge(engine, 5, *chart, max_cards=most).cards
    assert {f["rule"] for c in shown for f in c["extension"][FINDINGS]} == every
    assert len(every) >= 7
    assert len([c for c in shown if c["indicator"] != "critical"]) <= most


def test_a_merged_card_offers_what_two_rules_ask_for_once(engine: CheckedEngine) -> None:
    """Few neutrophils and high lipids both ask for a level: two buttons, both pressed, would be two orders."""
    high = observation("t", "2571-8", day(20, "08:00"), 700, "mg/dL")
    few = observation("n", "751-8", day(20, "08:00"), 0.8, "10*9/L")
    [card] = [
        each for each in judge(engine, 20, sirolimus("s", day(0), 2), high, few).cards if "also: " in each["summary"]
    ]
    labels = [each["label"] for each in card["suggestions"]]
    assert sorted(labels) == ["Order a sirolimus level", "Order fasting lipids again"]
