"""Identifies a problem without a code by its name: whole phrases of ``names:`` in the value sets, in any of their languages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from cds.compiled.knowledge import Concept, Knowledge
from cds.compiled.systems import plain_name

_LONGEST = 200  # characters; a longer text is a note
_MOST_WORDS = 7  # of one phrase
OTHER_INDICATION, TRANSPLANT = "other-indication", "transplant"
"""The value set of other diseases that sirolimus is given for, and one of its names."""
LASTING = (TRANSPLANT,)
"""What a patient has for life: words of the past next to it, and a status that is not active, say nothing against it."""


class Called(NamedTuple):
    """A condition that a text names. ``suspected``, ``mild``: another word says that it is not certain, or mild."""

    concept: Concept
    suspected: bool
    mild: bool


class _Named(NamedTuple):
    """A name in a text: the index of its first word, the index after its last word, and what it means."""

    start: int
    end: int
    concepts: tuple[Concept, ...]


def named_problems(text: str, knowledge: Knowledge) -> Iterator[Called]:
    """The conditions that ``text`` names, except those that another word says are over, denied, feared or another person's.

    A word within a name does not count: a carrier of hepatitis B has it. A denial applies to what follows it.
    """
    words = plain_name(text[:_LONGEST]).split()
    spaced = list(_spaced(words, knowledge))
    said = " ".join(words)
    joined, left = _joined(said, knowledge) if any(not _is_spaced(word) for word in words) else ([], said)
    if not spaced and not joined:
        return
    lexicon = knowledge.lexicon
    if _places(lexicon.history, words, spaced, left) or _holds(lexicon.history, said, knowledge):
        return
    past, undone = (bool(_places(each, words, spaced, left)) for each in (lexicon.past, lexicon.undone))
    denied = min(_places(lexicon.denied, words, spaced, left), default=None)
    suspected = bool(_places(lexicon.suspected, words, spaced, left))
    mild = bool(_places(lexicon.mild, words, spaced, left))
    ahead = [concept for each in spaced if denied is None or each.end <= denied for concept in each.concepts]
    for concept in (*ahead, *(joined if denied is None else ())):
        if not (undone if concept.name in LASTING else past):
            yield Called(concept, suspected, mild)


def mentioned(text: str, knowledge: Knowledge) -> Iterator[Concept]:
    """Every condition whose name is in ``text``, whatever else it says of it: a drug is given to prevent a rejection, too."""
    words = plain_name(text[:_LONGEST]).split()
    for each in _spaced(words, knowledge):
        yield from each.concepts
    yield from _joined(" ".join(words), knowledge)[0]


def _spaced(words: Sequence[str], knowledge: Knowledge) -> Iterator[_Named]:
    """The names among the words, the longest first at each place."""
    place = 0
    while place < len(words):
        length, concepts = _longest(words[place:], knowledge)
        if concepts:
            yield _Named(place, place + length, concepts)
        place += length


def _longest(words: Sequence[str], knowledge: Knowledge) -> tuple[int, tuple[Concept, ...]]:
    """The length and meanings of the longest phrase with which ``words`` begin; else 1 and what the ending of the first word means."""
    for length in range(min(len(words), _MOST_WORDS), 0, -1):
        found = knowledge.problems.get(" ".join(words[:length]))
        if found is not None:
            return length, found
    if words[0] in knowledge.unlike:
        return 1, ()
    ended = (concept for ending, concept in knowledge.endings.items() if words[0].endswith(ending))
    return 1, tuple(dict.fromkeys(ended))


def _joined(said: str, knowledge: Knowledge) -> tuple[list[Concept], str]:
    """The names in a script without spaces, the longest first, and the text without them."""
    found: list[Concept] = []
    for phrase in _unspaced(knowledge):
        if phrase in said:
            found += knowledge.problems[phrase]
            said = said.replace(phrase, " ")
    return found, said


_known: dict[str, list[str]] = {}


def _unspaced(knowledge: Knowledge) -> list[str]:
    """The names in a script without spaces, the longest first."""
    if knowledge.hash not in _known:
        names = (name for name in knowledge.problems if not _is_spaced(name))
        _known[knowledge.hash] = sorted(names, key=len, reverse=True)
    return _known[knowledge.hash]


class _Phrases(NamedTuple):
    """Phrases by the first of their words, and those of a script without spaces."""

    spaced: dict[str, list[list[str]]]
    unspaced: list[str]


@lru_cache(16)
def _phrases(given: tuple[str, ...]) -> _Phrases:
    found = _Phrases({}, [phrase for phrase in given if not _is_spaced(phrase)])
    for parts in (plain_name(phrase).split() for phrase in given if _is_spaced(phrase)):
        if parts:
            found.spaced.setdefault(parts[0], []).append(parts)
    return found


def _holds(phrases: tuple[str, ...], said: str, knowledge: Knowledge) -> bool:
    """Whether the text contains a phrase that itself contains a name, in a script without spaces: 'not breast-feeding'."""
    return any(
        phrase in said and any(name in phrase for name in _unspaced(knowledge)) for phrase in _phrases(phrases).unspaced
    )


def _places(phrases: tuple[str, ...], words: Sequence[str], named: Sequence[_Named], left: str) -> list[int]:
    """The indices of the words at which a phrase begins that is not within a name; 0 for any place in a script without spaces."""
    spaced, unspaced = _phrases(phrases)
    found = [0] if any(phrase in left for phrase in unspaced) else []
    for place, word in enumerate(words):
        for parts in spaced.get(word, ()):
            end = place + len(parts)
            if list(words[place:end]) == parts and not any(each.start <= place and end <= each.end for each in named):
                found.append(place)
    return found


@lru_cache(8192)
def _is_spaced(phrase: str) -> bool:
    """Whether a phrase is of a script that puts spaces between words."""
    return phrase.isascii() or all(ord(letter) < 0x2E80 for letter in phrase)
