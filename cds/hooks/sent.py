"""Cards as a client takes them: with the address of the site's own pages, and an action at a time where it takes no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from cds.cards.build import NAMESPACE, new_id
from cds.cards.order import NOT_SHOWN
from cds.cards.text import cut

ICON = "/icon.png"
"""Where the workbench serves it: 100 by 100 pixels, PNG."""


class Sending(NamedTuple):
    """How cards are sent.

    ``check``: hold every answer against the models of the specification; ``pages``: the address at which clinicians reach the
    workbench; ``one_action``: the client takes one action in a suggestion (Epic).
    """

    check: bool = False
    pages: str = ""
    one_action: bool = False


def sent(cards: Sequence[dict[str, Any]], how: Sending) -> list[dict[str, Any]]:
    """The cards, which say the same whatever the client takes."""
    if how.one_action:
        cards = [_in_single_actions(card) for card in cards]
    return [_with_pages(card, how.pages) for card in cards] if how.pages else list(cards)


def _in_single_actions(card: dict[str, Any]) -> dict[str, Any]:
    if all(len(each["actions"]) == 1 for each in card.get("suggestions", ())):
        return card
    return card | {"suggestions": [one for each in card["suggestions"] for one in _divided(each)]}


def _divided(suggestion: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A suggestion for each action; the first one keeps the id, by which feedback tells of it."""
    several = len(suggestion["actions"]) > 1
    for number, action in enumerate(suggestion["actions"]):
        label = action["description"] if several else suggestion["label"]
        yield suggestion | {
            "uuid": new_id() if number else suggestion["uuid"],
            "label": cut(label, 80),
            "actions": [action],
        }


def _with_pages(card: dict[str, Any], pages: str) -> dict[str, Any]:
    """The source leads to the page of the rule, where the sources are in full; of a card of several, to that of the worst."""
    rule = card["extension"][f"{NAMESPACE}.findings"][0]["rule"]
    page = f"{pages}/rules" if rule == NOT_SHOWN else f"{pages}/rules/{rule}"
    return card | {"source": card["source"] | {"url": page, "icon": f"{pages}{ICON}"}}
