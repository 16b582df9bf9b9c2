"""What was done or is to be done to a patient, by code or, where no code says so, by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from cds.chart.codes import all_meant, texts_of
from cds.chart.drug_names import FIRST_IDEOGRAPH, named_in
from cds.chart.problem_names import OTHER_INDICATION, TRANSPLANT, named_problems
from cds.chart.wire import CodeableConcept
from cds.compiled.knowledge import Concept, Knowledge

SURGERY = "surgery"
_PROCEDURES = "procedures"
_RAISES = "raises platelets"
_WORD = re.compile(r"[^\W\d_]+")
_LONGEST = 500  # characters of a name that are read
_LONGEST_KEPT, _MOST_KEPT = 120, 1024  # characters of a name that is kept with its meaning, and names
_kept: dict[str, dict[str, tuple[Concept, ...]]] = {}
"""The meanings of names, by knowledge."""


def done(code: CodeableConcept | None, knowledge: Knowledge) -> Concept | None:
    """What a procedure means to the rules: a transplant, a splenectomy or transfusion, a drug that raises platelets, or an operation of any kind."""
    if code is None:
        return None
    coded = _wanted((each for each in all_meant(code, knowledge) if not each.rejected), knowledge)
    return coded or _wanted((each for text in texts_of(code) for each in _named(text, knowledge)), knowledge)


def _wanted(meant: Iterable[Concept], knowledge: Knowledge) -> Concept | None:
    """The meaning that says most: what the count is read by, then any operation."""
    found = list(meant)
    if not found:
        return None  # as for most procedures
    order = (OTHER_INDICATION, _PROCEDURES, *knowledge.with_role(_RAISES), SURGERY)
    wanted = (each for each in found if each.valueset in order and _is_done(each))
    return min(wanted, key=lambda each: order.index(each.valueset), default=None)


def _is_done(concept: Concept) -> bool:
    """Whether it can be done to a patient; of the diseases that sirolimus is given for, only a transplant can."""
    return concept.valueset != OTHER_INDICATION or concept.name == TRANSPLANT


def _named(text: str, knowledge: Knowledge) -> tuple[Concept, ...]:
    """What a name means. Procedures use few names, and most of them mean nothing here: those of usual length are kept."""
    if len(text) > _LONGEST_KEPT:
        return tuple(_read(text[:_LONGEST], knowledge))
    kept = _kept.setdefault(knowledge.hash, {})
    if text not in kept:
        if len(kept) >= _MOST_KEPT:
            kept.clear()
        kept[text] = tuple(_read(text, knowledge))
    return kept[text]


def _read(text: str, knowledge: Knowledge) -> Iterator[Concept]:
    if _is_about_another_time(text, knowledge):
        return
    partial = not knowledge.lexicon.partial_operation.isdisjoint(
        _words(text)
    )  # the spleen is not gone; a wound is there
    for called in named_problems(text, knowledge):
        if called.concept.valueset in (_PROCEDURES, OTHER_INDICATION) and not called.suspected and not partial:
            yield called.concept
    raising = knowledge.with_role(_RAISES)
    yield from (drug for drug in named_in(text, knowledge) if drug.valueset in raising)
    yield from named_operations(text, knowledge)


def named_operations(text: str, knowledge: Knowledge) -> Iterator[Concept]:
    """The operations whose name is a word of ``text``, or a part of it in a script without spaces; none if it is about a visit."""
    text = text[:_LONGEST]
    if _is_about_another_time(text, knowledge):
        return
    words = _words(text)
    for name in (*words, *_unspaced(knowledge.words, text)):
        meant = knowledge.words.get(name)
        if meant is not None and meant.valueset == SURGERY:
            yield meant


def _is_about_another_time(text: str, knowledge: Knowledge) -> bool:
    """Whether it is about what comes before or after an operation, or a measurement, and not about doing it."""
    beside = knowledge.lexicon.beside_operation
    return not beside.isdisjoint(_words(text)) or any(_unspaced(beside, text))


@lru_cache(1024)
def _words(text: str) -> tuple[str, ...]:
    """The words of a name; cached, because orders use few names."""
    return tuple(_WORD.findall(text.lower()))


def _unspaced(names: Iterable[str], text: str) -> Iterator[str]:
    """The names in a script without spaces that are part of ``text``."""
    if not text.isascii():
        yield from (name for name in names if ord(name[0]) >= FIRST_IDEOGRAPH and name in text)
