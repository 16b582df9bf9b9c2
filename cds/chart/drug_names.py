"""Finds drugs by name, as a last resort: a name or brand in a text, whatever text surrounds it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cds.compiled.knowledge import Concept, Knowledge

LETTERS = re.compile(r"[^\W\d_]+")
"""A run of letters: a word, or the part of one that is joined to the rest by a hyphen, an underscore or a number."""
FIRST_IDEOGRAPH = 0x2E80
"""Scripts from this code point on may have no spaces between words."""
_WORDS = re.compile(r"[\w'.-]+")
_LONGEST_TEXT = 2_000


def named_in(text: str, knowledge: Knowledge, whole: bool = False) -> Iterator[Concept]:
    """The drugs whose name or brand is a word of ``text``; in scripts without spaces, a part of it.

    Only about the first 2,000 characters are searched, because no drug is named later; ``whole`` searches all of the text.
    """
    lowered = (text if whole else text[:_LONGEST_TEXT]).lower().replace("\u2019", "'")
    names = knowledge.names
    for word in _WORDS.findall(lowered):
        meant = names.get(word.strip(".-'"))
        if meant is not None:
            yield meant
        elif not word.isalpha():
            yield from (names[part] for part in LETTERS.findall(word) if part in names)
    for phrase in _phrases_in(lowered, knowledge.phrases):
        yield names[phrase]


def phrases_of(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The names that are not a single word: names of several words by their first word, names in a script without spaces by ""."""
    found: dict[str, list[str]] = {}
    for name in sorted(names):
        if " " in name and (first := LETTERS.search(name)) is not None and ord(first[0][0]) < FIRST_IDEOGRAPH:
            found.setdefault(first[0], []).append(name)
        elif not name.isascii() or " " in name:
            found.setdefault("", []).append(name)
    return {first: tuple(several) for first, several in found.items()}


def _phrases_in(text: str, phrases: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The phrases in a text; one of several words is looked for only if the text contains its first word."""
    firsts = phrases.keys() & set(LETTERS.findall(text))
    for first in sorted(firsts if text.isascii() else {*firsts, ""}):
        yield from (phrase for phrase in phrases.get(first, ()) if phrase in text)
