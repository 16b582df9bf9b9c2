"""Allergies to sirolimus and related drugs, and to ingredients of its oral solution."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from cds.chart.codes import meanings, texts_of
from cds.chart.drug_names import named_in
from cds.chart.model import Problem
from cds.chart.reader import ALLERGENIC_DRUGS, ALLERGENIC_FOODS, Reader, first_moment, status_word
from cds.chart.wire import CodeableConcept, Reaction, Resource, later
from cds.compiled.knowledge import Concept, Lexicon

_DRUGS = ALLERGENIC_DRUGS
_FOODS = ALLERGENIC_FOODS
_WORD = re.compile(r"[^\W\d_]+")
_CLAUSE = re.compile(r"[.,;()\[\]!\n]| [-\u2013\u2014] ")
"""What ends a clause. A colon does not: 'sirolimus allergy: negative' is one."""
_LONG_ENOUGH = 4
_LONGEST = 1_000
_SKEW = timedelta(days=1)
"""Tolerance for the clock or the time zone of another machine, which may write tomorrow's date."""


def read_allergy(reader: Reader, resource: Resource) -> None:
    """Read an allergy or intolerance that the rules need, unless it is refuted or no longer active."""
    concepts = [resource.code, *(each.substance for each in later(resource.reaction, Reaction))]
    meant = [m for each in concepts if each is not None for m in _allergens(each, reader)]
    ours = [m for m in meant if m.valueset in (*_DRUGS, _FOODS)]
    if not ours or not reader.is_ours(resource, ours[0].valueset):
        return
    for word, at in ((resource.verificationStatus, "verificationStatus"), (resource.clinicalStatus, "clinicalStatus")):
        if (status := status_word(word)) in ("refuted", "entered-in-error", "inactive", "resolved"):
            reader.left_out(resource, f"it is {status}", ours[0].valueset, at)
            return
    if len(ours) < len(meant):
        reader.unread(resource, "its words name several drugs, and not which one is meant", ours[0].valueset, "code")
        return
    recorded = first_moment(resource.recordedDate, resource.onsetDateTime)
    if recorded is not None and recorded.is_after(reader.now + _SKEW):
        reader.left_out(resource, "it lies after the time of judging", ours[0].valueset, "recordedDate")
        return
    for each in {(m.valueset == _FOODS, m.display or m.name): m for m in ours}.values():
        name = "soya-or-peanut" if each.valueset == _FOODS else "sirolimus-allergy"
        display = each.display or each.name
        reader.chart.allergies.append(Problem(resource.reference, name, True, recorded, None, display))


def _allergens(concept: CodeableConcept, reader: Reader) -> Iterator[Concept]:
    """The meanings of a substance: by its codes, otherwise by its words, which may also name other drugs."""
    coded = [meant for coding in concept.coding or () for meant in meanings(reader.knowledge, coding)]
    yield from (meant for meant in coded if meant.valueset in (*_DRUGS, _FOODS))
    if any(meant.valueset in (*_DRUGS, _FOODS) for meant in coded):
        return
    for text in texts_of(concept):
        if not _is_denied(text, reader.knowledge.lexicon):
            yield from named_in(text, reader.knowledge)
            yield from _inside(text[:_LONGEST].lower(), reader.allergens)


def _is_denied(text: str, lexicon: Lexicon) -> bool:
    """Whether a text says that there is no allergy: a clause denies it, and none mentions an allergy without denying it."""
    clauses = list(_clauses(text[:_LONGEST].lower(), lexicon))
    denied = [_denies(words, lexicon) for words in clauses]
    speaks = [any(stem in word for word in words for stem in lexicon.allergy) for words in clauses]
    return any(denied) and not any(told and not no for told, no in zip(speaks, denied, strict=True))


def _clauses(text: str, lexicon: Lexicon) -> Iterator[list[str]]:
    """The words of each clause; one that only says "ruled out" belongs to the one before it."""
    before: list[str] = []
    for words in map(_WORD.findall, _CLAUSE.split(text)):
        if before and " ".join(words) not in lexicon.allergy_refuted:
            yield before
            before = []
        before += words
    yield before


def _denies(words: list[str], lexicon: Lexicon) -> bool:
    """Whether a clause has a phrase that refutes an allergy, or one of denial with at most one word between it and an allergy."""
    if any(_ends(words, phrase) for phrase in lexicon.allergy_refuted):
        return True
    behind = [
        each for phrase in lexicon.allergy_denied for end in _ends(words, phrase) for each in words[end : end + 2]
    ]
    return any(stem in word for word in behind for stem in lexicon.allergy)


def _ends(words: list[str], phrase: str) -> list[int]:
    """The positions just after each occurrence of a phrase in the words of a text."""
    parts = phrase.split()
    return [at + len(parts) for at in range(len(words)) if words[at : at + len(parts)] == parts]


def _inside(text: str, known: Mapping[str, Concept]) -> Iterator[Concept]:
    """Known foods and drugs in a text, also as the beginning of a longer word (as in other languages) or in a script without spaces."""
    tokens = _WORD.findall(text)
    for word, meant in known.items():
        if word in text and (
            word in tokens
            or not _is_latin(word)
            or (len(word) >= _LONG_ENOUGH and any(token.startswith(word) for token in tokens))
        ):
            yield meant


def _is_latin(word: str) -> bool:
    return all(ord(letter) < 0x250 for letter in word)
