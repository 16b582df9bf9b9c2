"""Text on a card: templates filled with facts, everything from FHIR escaped, summaries cut at a word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cds.chart.words import listed, said
from cds.compiled.bound import Bound
from cds.compiled.template import filled
from cds.plan.declare import Named

SUMMARY_LENGTH = 139
_PUNCTUATION = re.compile(r"([!-,./:-?\[-`{-~])")  # all of ASCII's except - in a word, and @, which is replaced
_HARMLESS = re.compile(r"[A-Za-z0-9 .,:;()/%=+^<>'x-]*")  # none of these starts markup inside a line, except < and >
_STARTS_BLOCK = re.compile(r"\s*([-+]|[0-9]+[.)])\s")
_SPACES = re.compile(r"\s+")
_LONGEST = 300


def clean(text: str) -> str:
    """Text from outside as one plain line: no controls, no invisible or direction marks, of bounded length."""
    if text.isascii() and text.isprintable():
        return _SPACES.sub(" ", text).strip()[:_LONGEST] if "  " in text or len(text) > _LONGEST else text.strip()
    kept = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    return _SPACES.sub(" ", kept).strip()[:_LONGEST]


def escape(text: str) -> str:
    """Text escaped so that CommonMark shows it literally.

    Plain words, numbers and units stay as they are; in any other text every punctuation mark is escaped.
    """
    plain = clean(text).replace("@", " at ")
    lowered = plain.lower()
    if _HARMLESS.fullmatch(plain) and "//" not in plain and "www." not in lowered and not _STARTS_BLOCK.match(plain):
        return plain.replace("<", "\\<").replace(">", "\\>")
    escaped = _PUNCTUATION.sub(r"\\\1", plain)
    return re.sub(r"(^|(?<=\s))([-+])", r"\1\\\2", escaped)


def shown(value: Any) -> str:
    """A fact's value as plain words."""
    if isinstance(value, Decimal):
        return said(value.quantize(Decimal("0.01")) if value != value.quantize(Decimal("0.1")) else value)
    if isinstance(value, Bound):
        return f"{value.comparator}{shown(value.number)}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return listed(item.name if isinstance(item, Named) else str(item) for item in value)
    return str(value)


def fill(template: str, facts: Mapping[str, Any], row: Mapping[str, str], *, markdown: bool) -> str | None:
    """``template`` with its names replaced; None when one of them is not known.

    With ``markdown`` the values are escaped; the template's own text is the author's and stays.
    """

    def value(name: str) -> str | None:
        if name in row:
            return row[name]
        found = facts.get(name)
        if found is None:
            return None
        return escape(shown(found)) if markdown else clean(shown(found))

    return filled(template, value)


def cut(text: str, length: int = SUMMARY_LENGTH) -> str:
    """``text`` in at most ``length`` characters, cut between words and so never inside a number."""
    if len(text) <= length:
        return text
    kept = text[: length - 1]
    if " " in kept:
        kept = kept[: kept.rindex(" ")]
    return kept.rstrip(" ,;:(") + "…"
