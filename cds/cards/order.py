"""Which cards are shown, in which order: worst first, at most so many, the rest folded into one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cds.cards.build import NAMESPACE, NewId, new_id, topic
from cds.cards.detail import LABEL
from cds.cards.text import cut, escape
from cds.compiled.knowledge import INDICATORS, Knowledge

MAX_CARDS = 4
FOLDED_TOPIC = "furtherFindings"
FAULT_TOPIC = "notAssessed"
UNSIGNED_TOPIC = "findingsNotShown"


def _rank(card: dict[str, Any]) -> int:
    return -INDICATORS.index(card["indicator"])


def merged(cards: Sequence[dict[str, Any]], groups: Sequence[str]) -> list[dict[str, Any]]:
    """Cards of one group made into one, which takes the place of the first; the worst leads and gives its topic."""
    together: dict[str, list[dict[str, Any]]] = {}
    for card, group in zip(cards, groups, strict=True):
        if group:
            together.setdefault(group, []).append(card)
    result = []
    for card, group in zip(cards, groups, strict=True):
        if not group or len(together[group]) == 1:
            result.append(card)
        elif card is together[group][0]:
            result.append(_as_one(sorted(together[group], key=_rank)))
    return result


def _as_one(cards: Sequence[dict[str, Any]]) -> dict[str, Any]:
    worst = cards[0]
    others = [card["source"]["topic"]["display"] for card in cards[1:]]
    parts = [f"- **{escape(card['summary'])}**\n{card['detail']}" for card in cards]
    card = worst | {
        "summary": cut(f"{worst['summary']}; also: {'; '.join(others)}"),
        "detail": "\n".join(dict.fromkeys("\n".join(parts).splitlines())),  # what they share is said once
        "extension": {f"{NAMESPACE}.findings": [f for c in cards for f in c["extension"][f"{NAMESPACE}.findings"]]},
    }
    offered: dict[str, dict[str, Any]] = {}
    for each in (each for c in cards for each in c.get("suggestions", ())):
        offered.setdefault(_does(each), each)  # two buttons for one thing, both pressed, would order it twice
    if offered:
        card |= {"suggestions": list(offered.values()), "selectionBehavior": "any"}
    reasons = {reason["code"]: reason for c in cards for reason in c.get("overrideReasons", ())}
    if reasons:
        card["overrideReasons"] = list(reasons.values())
    return card


def _does(suggestion: dict[str, Any]) -> str:
    """What a suggestion does, whatever it is called and whoever made it."""
    return json.dumps(suggestion["actions"], sort_keys=True, default=str)


def arranged(
    cards: Sequence[dict[str, Any]], max_cards: int = MAX_CARDS, make_id: NewId = new_id
) -> list[dict[str, Any]]:
    """Cards by urgency, then in the given order. Critical ones always show; beyond ``max_cards`` the rest fold."""
    ordered = sorted(cards, key=_rank)
    if len(ordered) <= max_cards:
        return ordered
    critical = sum(card["indicator"] == "critical" for card in ordered)
    kept = max(critical, max_cards - 1)
    rest = ordered[kept:]
    return [*ordered[:kept], *([_folded(rest, make_id)] if rest else [])]


def _folded(cards: Sequence[dict[str, Any]], make_id: NewId) -> dict[str, Any]:
    """One card that names the others; it lists every rule of theirs, and their gaps."""
    titles = [card["source"]["topic"]["display"] for card in cards]
    lines = [f"- **{escape(card['indicator'])}**: {escape(card['summary'])}" for card in cards]
    findings = [one for card in cards for one in card["extension"][f"{NAMESPACE}.findings"]]
    gaps = [gap for card in cards for gap in card["extension"].get(f"{NAMESPACE}.gaps", ())]
    extension: dict[str, Any] = {f"{NAMESPACE}.findings": findings}
    if gaps:
        extension[f"{NAMESPACE}.gaps"] = gaps
    return {
        "uuid": make_id(),
        "summary": cut(f"{len(cards)} further findings: " + "; ".join(titles)),
        "indicator": "info",
        "source": {"label": LABEL, "topic": topic(FOLDED_TOPIC, "Further findings")},
        "detail": "\n".join(lines),
        "extension": extension,
    }


def unsigned_card(number: int, knowledge: Knowledge, make_id: NewId = new_id) -> dict[str, Any]:
    """That rules hold which this service does not show. It says nothing of what they are about."""
    what = "1 finding is" if number == 1 else f"{number} findings are"
    return {
        "uuid": make_id(),
        "summary": f"{what} not shown: nobody has signed their rules here. This is not an all clear.",
        "indicator": "info",
        "source": {"label": LABEL, "topic": topic(UNSIGNED_TOPIC, "Findings that are not shown")},
        "detail": "- This service shows the cards of signed rules alone, and rules that are not signed hold for this patient.\n"
        "- Consider judging dose, level, interactions, harm and response without this service too.",
        "extension": {
            f"{NAMESPACE}.findings": [
                {"rule": "not-shown", "level": "info", "protocol": knowledge.protocol.id, "knowledge": knowledge.hash}
            ],
            f"{NAMESPACE}.gaps": [{"fact": "unsigned", "reason": "rules that hold are not signed and not shown"}],
        },
    }


def fault_card(knowledge: Knowledge, make_id: NewId = new_id) -> dict[str, Any]:
    """What is shown when the engine failed or the two engines disagree: nothing clinical."""
    return {
        "uuid": make_id(),
        "summary": "Not assessed: the sirolimus rules could not be evaluated. This is not an all clear.",
        "indicator": "info",
        "source": {"label": LABEL, "topic": topic(FAULT_TOPIC, "What could not be assessed")},
        "detail": "- The two rule engines failed or did not agree, so no advice is given.\n"
        "- Consider judging dose, level, interactions and response without this service, and report the fault.",
        "extension": {
            f"{NAMESPACE}.findings": [
                {
                    "rule": "not-assessed",
                    "level": "info",
                    "protocol": knowledge.protocol.id,
                    "knowledge": knowledge.hash,
                }
            ],
            f"{NAMESPACE}.gaps": [{"fact": "engine", "reason": "the rules could not be evaluated"}],
        },
    }
