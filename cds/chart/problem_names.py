"""What a problem without a code is, by its name: whole phrases of ``names:`` in the value sets, in any of their languages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cds.knowledge.compiled import Concept, Knowledge
from cds.knowledge.systems import plain_name

_LONGEST = 200  # characters; what is longer is a note
_MOST_WORDS = 7  # of one phrase


class _Named(NamedTuple):
    """A name in a text: from which word to before which, and what it means."""

    start: int
    end: int
    concept: Concept


def named_problems(text: str, knowledge: Knowledge) -> Iterator[Concept]:
    """The conditions that ``text`` names; none where a word beside a name says that it is over, denied, feared or another's.

    A word within a name says nothing of the kind: a carrier of hepatitis B has it.
    """
    words = plain_name(text[:_LONGEST]).split()
    spaced = list(_spaced(words, knowledge))
    said = " ".join(words)
    joined, left = _joined(said, knowledge) if any(not _is_spaced(word) for word in words) else ([], said)
    found = [*(each.concept for each in spaced), *joined]
    if found and not any(_stands(phrase, words, spaced, left) for phrase in knowledge.lexicon.history):
        yield from found


def _spaced(words: Sequence[str], knowledge: Knowledge) -> Iterator[_Named]:
    """The names among the words, the longest first at each place."""
    place = 0
    while place < len(words):
        length, concept = _longest(words[place:], knowledge)
        if concept is not None:
            yield _Named(place, place + length, concept)
        place += length


def _longest(words: Sequence[str], knowledge: Knowledge) -> tuple[int, Concept | None]:
    """The longest phrase with which ``words`` begin, and its length; one word further where there is none."""
    for length in range(min(len(words), _MOST_WORDS), 0, -1):
        found = knowledge.problems.get(" ".join(words[:length]))
        if found is not None:
            return length, found
    return 1, None


def _joined(said: str, knowledge: Knowledge) -> tuple[list[Concept], str]:
    """The names in a script without spaces, the longest first, and the text without them."""
    found: list[Concept] = []
    for phrase in _unspaced(knowledge):
        if phrase in said:
            found.append(knowledge.problems[phrase])
            said = said.replace(phrase, " ")
    return found, said


_known: dict[str, list[str]] = {}


def _unspaced(knowledge: Knowledge) -> list[str]:
    """The names in a script without spaces, the longest first."""
    if knowledge.hash not in _known:
        names = (name for name in knowledge.problems if not _is_spaced(name))
        _known[knowledge.hash] = sorted(names, key=len, reverse=True)
    return _known[knowledge.hash]


def _stands(phrase: str, words: Sequence[str], named: Sequence[_Named], left: str) -> bool:
    """Whether a phrase is in the text and not within a name."""
    if not _is_spaced(phrase):
        return phrase in left
    parts = plain_name(phrase).split()
    places = (place for place in range(len(words) - len(parts) + 1) if words[place : place + len(parts)] == parts)
    return any(
        not any(each.start <= place and place + len(parts) <= each.end for each in named) for place in places if parts
    )


def _is_spaced(phrase: str) -> bool:
    """Whether a phrase is of a script that puts spaces between words."""
    return all(ord(letter) < 0x2E80 for letter in phrase)
