"""The whole path in one module: from a request about one patient to cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cds.cards.build import NewId, card_for, new_id
from cds.cards.held_back import Earlier, HeldBack, named, parted
from cds.cards.order import MAX_CARDS, arranged, merged, unsigned_card
from cds.chart.read import read_chart
from cds.chart.request import Request
from cds.engine import Evaluator, Explained, Verdict
from cds.facts import Situation, read_facts


@dataclass(frozen=True)
class Advice:
    """Cards for the clinician; with ``explain``, every rule and why it is silent or not.

    ``by_rule``: the card of each rule that is shown, before cards are merged or folded; ``held_back``: the rules that speak but are
    not shown, because of what happened to their cards earlier; ``verdict``: the verdict on all rules.
    """

    cards: list[dict[str, Any]]
    situation: Situation
    explained: list[Explained]
    by_rule: dict[str, dict[str, Any]]
    verdict: Verdict
    held_back: list[HeldBack]


def advise(
    request: Request,
    engine: Evaluator,
    now: datetime,
    *,
    earlier: Sequence[Earlier] = (),
    explain: bool = False,
    max_cards: int = MAX_CARDS,
    make_id: NewId = new_id,
) -> Advice:
    """Judge ``request`` at ``now``; for a clinician ``engine`` is a :class:`CheckedEngine`, whose two engines must agree.

    ``earlier``: what happened to this patient's cards before, if a site allows cards to be held back.

    Raises:
        EngineFault: the engine failed or the two engines disagree; no advice may be given.
    """
    chart = read_chart(request, engine.knowledge, now)
    situation = read_facts(chart, engine.knowledge, request.hook, now)
    verdict = engine.judge(situation.facts.compared)
    holding, hidden = verdict.holding(request.hook), verdict.hidden(request.hook)
    speaking = {item.rule.id for item in holding} | hidden  # suggestions also yield to rules that are not shown
    told, held_back = parted(holding, situation, earlier)  # suggestions also yield to rules that are held back
    on_cards = {item.rule.id for item in told}
    cards = [card_for(item, situation, speaking, request.original, make_id, on_cards) for item in told]
    shown = merged(cards, [item.rule.merge for item in told])
    if hidden:
        shown.append(unsigned_card(len(hidden), engine.knowledge, make_id))
    explained = list(verdict.explain(request.hook)) if explain else []
    by_rule = dict(zip((item.rule.id for item in told), cards, strict=True))
    arrangement = named(arranged(shown, max_cards, make_id), held_back)
    return Advice(arrangement, situation, explained, by_rule, verdict, held_back)
