"""Cards and facts as text that reads well in 80 columns."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterator
from typing import Any

import click

from cds.cards.detail import layers_of
from cds.cards.text import clean, shown
from cds.cards.why import silence
from cds.compiled.bound import Bound
from cds.engine import Explained
from cds.facts import Situation
from cds.vocabulary import VOCABULARY

WIDTH = 80
"""Columns to use if the width of the terminal is not known."""
_NARROWEST, _WIDEST = 40, 100
_COLOURS = {"critical": "red", "warning": "yellow", "info": "cyan"}
_LINK = re.compile(r"\[([^\]]*)\]\((\S+)\)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def plain(markdown: str) -> str:
    """A line of a card's detail without its markup."""
    text = _LINK.sub(r"\1 <\2>", markdown).replace("**", "")
    return _ESCAPED.sub(r"\1", text)


def width() -> int:
    """Columns to write in: those of the terminal, within a readable range."""
    return max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((WIDTH, 0)).columns))


def wrapped(text: str, first: str, rest: str) -> str:
    return textwrap.fill(
        text, width(), initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def cards_text(cards: list[dict[str, Any]]) -> str:
    """All cards, or that there are none."""
    if not cards:
        return "No cards."
    return "\n\n".join(card_text(card) for card in cards)


def card_text(card: dict[str, Any]) -> str:
    indicator = card["indicator"]
    head = wrapped(f"{indicator.upper()}  {card['summary']}", "", "  ")
    lines = [click.style(head, fg=_COLOURS[indicator], bold=True)]
    first, last = layers_of(card["detail"])
    lines += [shown for each in first for shown in _layer(each)]
    for suggestion in card.get("suggestions", ()):
        lines.append(wrapped(_offered(suggestion), "  > Suggestion: ", "    "))
    lines += [shown for each in last for shown in _layer(each)]
    return "\n".join(lines)


def _offered(suggestion: dict[str, Any]) -> str:
    """A suggestion's label, followed by its actions if they say more."""
    done = "; ".join(action["description"] for action in suggestion["actions"])
    return suggestion["label"] if done == suggestion["label"] else f"{suggestion['label']} ({done})"


def _layer(layer: str) -> Iterator[str]:
    """The lines of a layer: bullets as a list, the rest as paragraphs."""
    for line in layer.splitlines():
        bullet = line.startswith("- ")
        yield wrapped(plain(line.removeprefix("- ")), "  - " if bullet else "  ", "    " if bullet else "  ")


def card_line(card: dict[str, Any]) -> str:
    """A card as one line, whatever the width."""
    return f"{card['indicator'].upper():<8} {card['summary']}"


def facts_json(situation: Situation) -> dict[str, Any]:
    """Every fact with value, unit, date and resources, or why it is absent."""
    facts = situation.facts
    known: dict[str, Any] = {}
    for name, value in facts.values.items():
        entry: dict[str, Any] = {"value": [item.name for item in value] if isinstance(value, list) else value}
        if isinstance(value, Bound):
            entry = {"value": value.number, "comparator": value.comparator}
        if isinstance(value, list) and any(item.note for item in value):
            entry["notes"] = [item.note for item in value]
        if VOCABULARY[name].unit:
            entry["unit"] = VOCABULARY[name].unit
        if report := facts.values.get(f"{name} as reported"):
            entry["reported"] = report
        if name in facts.dates:
            entry["date"] = facts.dates[name].isoformat()
        if facts.evidence.get(name):
            entry["evidence"] = list(facts.evidence[name])
        known[name] = entry
    absent = {
        name: {"absent": facts.absent.get(name, "not on record")} for name in VOCABULARY if name not in facts.values
    }
    return known | absent


def rules_json(explained: list[Explained]) -> list[dict[str, Any]]:
    return [
        {
            "rule": item.rule.id,
            "fires": item.fires,
            **({"gives_way_to": list(item.gives_way_to)} if item.gives_way_to else {}),
            "lacking": [test.text for test in item.lacking],
            "conditions": [{"condition": test.text, "holds": holds} for test, holds in item.conditions],
        }
        for item in explained
    ]


def _with_notes(value: Any) -> str:
    """A fact in words; each item of a list with its note, such as since when and until when."""
    if not isinstance(value, list):
        return shown(value)
    return ", ".join(f"{item.name} ({item.note})" if item.note else item.name for item in value)


def explained_text(situation: Situation, explained: list[Explained]) -> str:
    """The facts, then every rule: whether it fires or is silent, and whether each condition holds."""
    lines = [click.style("Facts", bold=True)]
    for name, entry in facts_json(situation).items():
        label = name.replace("_", " ")
        if "absent" in entry:
            lines.append(wrapped(f"{label}: absent, {entry['absent']}", "  ", "    "))
            continue
        text = f"{label}: {clean(_with_notes(situation.facts.values[name]))}"
        text += f" {entry['unit']}" if "unit" in entry else ""
        text += f", {entry['date']}" if "date" in entry else ""
        text += f" [{clean(', '.join(entry['evidence']))}]" if "evidence" in entry else ""
        lines.append(wrapped(text, "  ", "    "))
    lines.append(click.style("Rules", bold=True))
    for item in explained:
        state = "fires" if item.fires else "silent"
        lines.append(click.style(f"  {item.rule.id}: {state}", bold=item.fires))
        if why := silence(item, situation.facts, situation.patient.hook):
            lines.append(wrapped(why, "    ", "      "))
        lines += [f"    [{'x' if holds else ' '}] {test.text}" for test, holds in item.conditions]
    return "\n".join(lines)
