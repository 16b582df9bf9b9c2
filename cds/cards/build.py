"""One card per finding: its working, its source, its suggestions."""

from __future__ import annotations

from collections.abc import Callable, Set
from decimal import Decimal
from typing import Any
from uuid import uuid4

import msgspec

from cds.cards.actions import Original, action_for, order_test
from cds.cards.detail import LABEL, detail, numbers_for
from cds.cards.text import cut, escape, fill
from cds.compiled.bound import Bound
from cds.compiled.knowledge import Knowledge, Suggestion
from cds.engine import Holding
from cds.facts import Situation
from cds.plan.declare import Named
from cds.vocabulary import VOCABULARY

NAMESPACE = "net.sirolimus-itp-cds"
TOPIC_SYSTEM = "urn:sirolimus-itp-cds:rule"
NewId = Callable[[], str]
_ELSEWHERE = "The level card carries the proposed dose."
_NOWHERE = "The card that carries the proposed dose is not shown."


def new_id() -> str:
    return str(uuid4())


def card_for(
    holding: Holding,
    situation: Situation,
    speaking: set[str],
    original: Original,
    make_id: NewId = new_id,
    shown: Set[str] | None = None,
) -> dict[str, Any]:
    """The card of one rule that holds.

    ``speaking``: the ids of all rules that speak in this request; ``shown``: the ids of those that are on cards, all by default.
    """
    facts, knowledge, level = situation.facts.values, situation.knowledge, holding.level
    row = numbers_for(knowledge, holding.variant)
    found = finding(holding, situation)
    summary = fill(level.summary, facts, row, markdown=False)
    assert summary is not None, "the loader guarantees the facts of a summary"
    suggestions, withheld = _suggestions(
        holding, situation, speaking, speaking if shown is None else shown, original, make_id, row
    )
    card: dict[str, Any] = {
        "uuid": make_id(),
        "summary": cut(summary),
        "indicator": level.indicator,
        "source": source(holding, knowledge),
        "detail": detail(holding, situation, row, withheld, found.get("evidence", [])),
    }
    if suggestions:
        card["suggestions"] = suggestions
        card["selectionBehavior"] = "any"
    if holding.rule.override:
        card["overrideReasons"] = [
            {"code": reason.code, "system": reason.system, "display": reason.display}
            for reason in holding.rule.override
        ]
    extension: dict[str, Any] = {f"{NAMESPACE}.findings": [found]}
    if gaps := gap_list(holding, situation):
        extension[f"{NAMESPACE}.gaps"] = gaps
    card["extension"] = extension
    return card


def topic(code: str, display: str) -> dict[str, str]:
    return {"system": TOPIC_SYSTEM, "code": code, "display": display}


def source(holding: Holding, knowledge: Knowledge) -> dict[str, Any]:
    """Where the rule comes from: its first source, its link and the rule as topic."""
    cited = knowledge.sources[holding.rule.citations[0].cite]
    result: dict[str, Any] = {"label": f"{LABEL} · {cited.name}"}
    if cited.url:
        result["url"] = cited.url
    result["topic"] = topic(holding.rule.topic, holding.rule.title)
    return result


def finding(holding: Holding, situation: Situation) -> dict[str, Any]:
    """The rule, its knowledge, and the facts and resources that made it hold."""
    facts = situation.facts
    used: dict[str, Any] = {}
    evidence: list[str] = []
    for test in holding.branch:
        value = facts.values.get(test.fact)
        if value is None:
            continue
        evidence += facts.evidence.get(test.fact, ())
        if isinstance(value, list):
            continue
        entry: dict[str, Any] = {"value": plain(value) if isinstance(value, Decimal) else value}
        if isinstance(value, Bound):
            entry = {"value": plain(value.number), "comparator": value.comparator}
        if VOCABULARY[test.fact].unit:
            entry["unit"] = VOCABULARY[test.fact].unit
        used[test.fact] = entry
    result: dict[str, Any] = {
        "rule": holding.rule.id,
        "level": holding.level.indicator,
        "protocol": situation.knowledge.protocol.id,
        "knowledge": situation.knowledge.hash,
    }
    if used:
        result["facts"] = used
    if evidence:
        result["evidence"] = [reference for reference in dict.fromkeys(evidence) if "/" in reference]
        if not result["evidence"]:
            del result["evidence"]
    return result


def plain(value: Decimal) -> int | Decimal:
    """A decimal as JSON should show it."""
    return int(value) if value == value.to_integral_value() else value.normalize()


def gap_list(holding: Holding, situation: Situation) -> list[dict[str, Any]]:
    """The gaps, for the card that reports them; empty for any other card."""
    used = {test.fact for test in holding.branch}
    if "gaps" not in used:
        return []
    gaps = []
    for item in situation.facts.values.get("gaps", ()):
        assert isinstance(item, Named)
        gap: dict[str, Any] = {
            "fact": item.fact or item.name,
            "reason": f"{item.name}: {item.note}" if item.note else item.name,
        }
        if item.references and "/" in item.references[0]:
            gap["reference"] = item.references[0]
        gaps.append(gap)
    return gaps


def _suggestions(
    holding: Holding,
    situation: Situation,
    speaking: set[str],
    shown: Set[str],
    original: Original,
    make_id: NewId,
    row: dict[str, str],
) -> tuple[list[dict[str, Any]], list[str]]:
    """The suggestions that can be made, and why a dose is not among them."""
    made, withheld = [], []
    facts = situation.facts
    for suggestion in holding.level.suggestions:
        if suggestion.unless and facts.values.get(suggestion.unless):
            continue
        if suggestion.action == "hold" and not situation.patient.taking:
            continue  # there is no active order to hold
        if not speaking.isdisjoint(suggestion.yields_to):
            withheld.append(_ELSEWHERE if not shown.isdisjoint(suggestion.yields_to) else _NOWHERE)
            continue
        if suggestion.dose and suggestion.dose not in facts.values:
            reason = facts.absent.get(suggestion.dose)
            if reason and suggestion.dose != "proposed_dose":  # its reason is already a line of the card
                withheld.append(f"No dose is offered: {escape(reason)}.")
            continue
        if suggestion.each:
            each_of = _all_tests if suggestion.action == "order_test" else _one_by_one
            made += each_of(suggestion, situation, make_id)
            continue
        one = _suggestion(suggestion, situation, original, make_id, row)
        if one is not None:
            made.append(one)
        elif suggestion.action in ("change_dose", "hold"):
            withheld.append("No button is offered: the order cannot be rewritten without guessing.")
    return made, withheld


def _one_by_one(suggestion: Suggestion, situation: Situation, make_id: NewId) -> list[dict[str, Any]]:
    """One suggestion for each named draft order in a fact: to remove it."""
    named = situation.facts.values.get(suggestion.each, ())
    found = [(item.name, _removal(item)) for item in named]
    return [_offered(suggestion, name, [action], make_id) for name, action in found if action is not None]


def _all_tests(suggestion: Suggestion, situation: Situation, make_id: NewId) -> list[dict[str, Any]]:
    """One suggestion that orders all of the named tests in a fact."""
    named = situation.facts.values.get(suggestion.each, ())
    found = [(item.name, order_test(situation, item.fact)) for item in named]
    orders = [(name, action) for name, action in found if action is not None]
    if not orders or not situation.chart.patient_id:
        return []
    what = orders[0][0] if len(orders) == 1 else f"all {len(orders)} tests"
    return [_offered(suggestion, what, [action for _, action in orders], make_id)]


def _offered(suggestion: Suggestion, name: str, actions: list[dict[str, Any]], make_id: NewId) -> dict[str, Any]:
    label = fill(suggestion.label, {"name": name}, {}, markdown=False)
    assert label is not None, "the loader lets no other name stand in the label of several"
    return {"label": cut(label, 80), "uuid": make_id(), "isRecommended": False, "actions": actions}


def _removal(item: Named) -> dict[str, Any] | None:
    if not item.draft or not item.references or "/" not in item.references[0]:
        return None
    return {
        "type": "delete",
        "description": f"Remove the draft order of {item.name}",
        "resourceId": item.references[0],
    }


def _suggestion(
    suggestion: Suggestion, situation: Situation, original: Original, make_id: NewId, row: dict[str, str]
) -> dict[str, Any] | None:
    label = fill(suggestion.label, situation.facts.values, row, markdown=False)
    if suggestion.days:
        suggestion = msgspec.structs.replace(suggestion, days=fill(suggestion.days, {}, row, markdown=False) or "")
    action = action_for(suggestion, situation, original) if label is not None else None
    if label is None or action is None:
        return None
    return {"label": cut(label, 80), "uuid": make_id(), "isRecommended": False, "actions": [action]}
