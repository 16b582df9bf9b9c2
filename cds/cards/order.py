"""Which cards are shown, in which order: worst first, up to a maximum number, the rest folded into one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cds.cards.build import NAMESPACE, NewId, new_id, topic
from cds.cards.detail import LABEL, SOURCES
from cds.cards.text import cut, escape
from cds.compiled.knowledge import INDICATORS, Knowledge

MAX_CARDS = 4
FOLDED_TOPIC = "furtherFindings"
FAULT_TOPIC = "notAssessed"
UNSIGNED_TOPIC = "findingsNotShown"
NOT_SHOWN = "not-shown"
"""Used in place of a rule's id on the card that says that some findings are not shown."""


def _rank(card: dict[str, Any]) -> int:
    return -INDICATORS.index(card["indicator"])


def merged(cards: Sequence[dict[str, Any]], groups: Sequence[str]) -> list[dict[str, Any]]:
    """Merges the cards of each group into one, in the place of the first; the worst card leads and gives the topic."""
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
    card = worst | {
        "summary": cut(f"{worst['summary']}; also: {'; '.join(others)}"),
        "detail": _in_one([(card["summary"], card["detail"]) for card in cards]),
        "extension": {f"{NAMESPACE}.findings": [f for c in cards for f in c["extension"][f"{NAMESPACE}.findings"]]},
    }
    if offered := _each_once([each for c in cards for each in c.get("suggestions", ())]):
        card |= {"suggestions": offered, "selectionBehavior": "any"}
    reasons = {reason["code"]: reason for c in cards for reason in c.get("overrideReasons", ())}
    if reasons:
        card["overrideReasons"] = list(reasons.values())
    return card


def _in_one(cards: Sequence[tuple[str, str]]) -> str:
    """The layers of each card below its summary, then the sources of all and, once, what every card says about itself."""
    parted = [(summary, *text.partition(f"{SOURCES}\n")) for summary, text in cards]
    bodies = [f"**{escape(summary)}**\n\n{body.rstrip()}" for summary, body, _, _ in parted]
    ends = [end.split("\n\n", 1) for *_, end in parted]
    sources = dict.fromkeys(line for sources, *_ in ends for line in sources.splitlines())
    of_themselves = dict.fromkeys(each for _, *rest in ends for each in rest)
    return "\n\n".join([*bodies, "\n".join([SOURCES, *sources]), *of_themselves])


def _each_once(suggestions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The suggestions without actions that an earlier one already has: if both were pressed, the same would be ordered twice."""
    done: set[str] = set()
    kept = []
    for each in suggestions:
        new = [action for action in each["actions"] if _does(action) not in done]
        done.update(map(_does, new))
        if new:
            kept.append(each | {"actions": new})
    return kept


def _does(action: dict[str, Any]) -> str:
    """What an action does, whichever card offers it."""
    return json.dumps(action, sort_keys=True, default=str)


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
    """One card that names the others, with the findings of all their rules and their gaps."""
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
    """The card that says that rules hold which this service does not show. It does not say what they are about."""
    what = "1 finding is" if number == 1 else f"{number} findings are"
    return {
        "uuid": make_id(),
        "summary": f"{what} not shown: no one has signed their rules here. This is not an all clear.",
        "indicator": "info",
        "source": {"label": LABEL, "topic": topic(UNSIGNED_TOPIC, "Findings that are not shown")},
        "detail": "- This service shows the cards of signed rules alone, and rules that are not signed hold for this patient.\n"
        "- Consider judging dose, level, interactions, harm and response without this service too.",
        "extension": {
            f"{NAMESPACE}.findings": [
                {"rule": NOT_SHOWN, "level": "info", "protocol": knowledge.protocol.id, "knowledge": knowledge.hash}
            ],
            f"{NAMESPACE}.gaps": [{"fact": "unsigned", "reason": "rules that hold are not signed and not shown"}],
        },
    }


def fault_card(knowledge: Knowledge, make_id: NewId = new_id) -> dict[str, Any]:
    """The card shown when the engine failed or the two engines disagree; it says nothing clinical."""
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
