"""Cards in the form that a client accepts: with links to the site's own pages, and one action per suggestion if it accepts no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from cds.cards.build import NAMESPACE, new_id
from cds.cards.order import NOT_SHOWN
from cds.cards.text import cut

ICON = "/icon.png"
"""Where the workbench serves the icon: 100 by 100 pixels, PNG."""


class Sending(NamedTuple):
    """How cards are sent.

    ``check``: validate every answer against the models of the specification; ``pages``: the address at which clinicians reach the
    workbench; ``one_action``: the client accepts only one action in a suggestion (Epic).
    """

    check: bool = False
    pages: str = ""
    one_action: bool = False


def sent(cards: Sequence[dict[str, Any]], how: Sending) -> list[dict[str, Any]]:
    """The cards for a client; what they say is the same for every client."""
    if how.one_action:
        cards = [_in_single_actions(card) for card in cards]
    return [_with_pages(card, how.pages) for card in cards] if how.pages else list(cards)


def _in_single_actions(card: dict[str, Any]) -> dict[str, Any]:
    if all(len(each["actions"]) == 1 for each in card.get("suggestions", ())):
        return card
    return card | {"suggestions": [one for each in card["suggestions"] for one in _divided(each)]}


def _divided(suggestion: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One suggestion for each action; the first one keeps the id, by which feedback refers to it."""
    several = len(suggestion["actions"]) > 1
    for number, action in enumerate(suggestion["actions"]):
        label = action["description"] if several else suggestion["label"]
        yield suggestion | {
            "uuid": new_id() if number else suggestion["uuid"],
            "label": cut(label, 80),
            "actions": [action],
        }


def _with_pages(card: dict[str, Any], pages: str) -> dict[str, Any]:
    """Link the source to the page of the rule, which has the full sources; for a card of several rules, to the page of the most urgent."""
    rule = card["extension"][f"{NAMESPACE}.findings"][0]["rule"]
    page = f"{pages}/rules" if rule == NOT_SHOWN else f"{pages}/rules/{rule}"
    return card | {"source": card["source"] | {"url": page, "icon": f"{pages}{ICON}"}}
