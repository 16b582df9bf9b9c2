"""The whole path on a page: from a request about one patient to cards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cds.cards.build import NewId, card_for, new_id
from cds.cards.order import MAX_CARDS, arranged, merged, unsigned_card
from cds.chart.read import read_chart
from cds.chart.request import Request
from cds.engine import Opinion
from cds.engine.evaluate import Explained
from cds.facts import Situation, read_facts


@dataclass(frozen=True)
class Advice:
    """Cards for the clinician; with ``explain``, every rule and why it is silent or not."""

    cards: list[dict[str, Any]]
    situation: Situation
    explained: list[Explained]


def advise(
    request: Request,
    engine: Opinion,
    now: datetime,
    *,
    explain: bool = False,
    max_cards: int = MAX_CARDS,
    make_id: NewId = new_id,
) -> Advice:
    """Judge ``request`` at ``now``; for advice ``engine`` is an :class:`Engine`, whose two halves must agree.

    Raises:
        EngineFault: the engine failed or the two engines disagree; no advice may be given.
    """
    chart = read_chart(request, engine.knowledge, now)
    situation = read_facts(chart, engine.knowledge, request.hook, now)
    holding = engine.holding(situation.facts.compared, request.hook)
    unseen = engine.unseen(situation.facts.compared, request.hook)
    speaking = {item.rule.id for item in holding} | unseen  # suggestions give way to rules that are not shown, too
    cards = [card_for(item, situation, speaking, request.original, make_id) for item in holding]
    cards = merged(cards, [item.rule.merge for item in holding])
    if unseen:
        cards.append(unsigned_card(len(unseen), engine.knowledge, make_id))
    explained = engine.explain(situation.facts.compared, holding, request.hook) if explain else []
    return Advice(arranged(cards, max_cards, make_id), situation, explained)
