"""Whether a drug acts on the whole body, by its form, its route and the words of its order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from cds.chart.drug_names import FIRST_IDEOGRAPH
from cds.compiled.knowledge import Concept, Knowledge

Acts = Literal["everywhere", "locally", "unclear"]
"""Where a drug acts; sirolimus acts everywhere only if it is swallowed. ``unclear``: its words name a form of either kind."""

_VACCINES = ("live-vaccine", "unspecified-vaccine")
_ON_DEVICES = ("sirolimus", "mtor-inhibitor")
"""Drugs that stents and balloons are coated with; next to another drug these words tell only what it is taken for."""
_MARKS = "[()\\[\\],;]"


class Route(NamedTuple):
    """How the drug is given: words and codes."""

    texts: Sequence[str]
    codes: set[str]


class _Patterns(NamedTuple):
    """The words of ``rules/words/forms.yaml``, compiled; ``coated`` are those of local forms and of coated devices."""

    local: re.Pattern[str]
    coated: re.Pattern[str]
    not_local: re.Pattern[str]
    injected: re.Pattern[str]
    swallowed: re.Pattern[str]
    purpose: re.Pattern[str]


_compiled: dict[str, _Patterns] = {}
"""By knowledge: looking words up in a cache by themselves costs more than searching them."""


def acts(meant: Sequence[Concept], texts: Sequence[str], route: Route, knowledge: Knowledge) -> Acts:
    """Where a drug acts. A route that is stated decides; then a form that is swallowed, except for sirolimus, where both are unclear."""
    if not all(concept.oral for concept in meant):
        return "locally"
    drug, routes = meant[0].valueset, knowledge.lexicon.routes
    if drug in _VACCINES:
        return "everywhere"  # one that is sprayed into the nose lives, too
    words = _patterns(knowledge)
    kinds = {routes[code] for code in route.codes if code in routes}  # codes of local systems rule nothing out
    if "local" in kinds or (drug == "sirolimus" and "injected" in kinds):
        return "locally"
    if any(_is_local(text, drug, words) for text in route.texts):
        return "locally"
    local = [_is_local(text, drug, words) for text in texts]
    if not any(local):
        return "everywhere"
    swallowed = "oral" in kinds or any(
        words.swallowed.search(text.lower()) for text, is_so in zip(texts, local, strict=True) if not is_so
    )
    return ("unclear" if drug == "sirolimus" else "everywhere") if swallowed else "locally"


def _is_local(text: str, drug: str, words: _Patterns) -> bool:
    """Whether a text names a form that does not act on the whole body; a part of it behind a swallowed form says only what for."""
    lowered = text.lower()
    if drug == "sirolimus" and words.injected.search(lowered):
        return True
    local = words.coated if drug in _ON_DEVICES else words.local
    if not local.search(lowered):
        return False
    lowered = words.not_local.sub(" ", lowered)
    if words.injected.search(lowered):
        return False
    swallowed = [match.end() for match in words.swallowed.finditer(lowered)]
    return any(not _is_purpose(match.start(), swallowed, lowered, words) for match in local.finditer(lowered))


def _is_purpose(begin: int, swallowed: Sequence[int], text: str, words: _Patterns) -> bool:
    return any(words.purpose.search(text, end, begin) for end in swallowed)


def _patterns(knowledge: Knowledge) -> _Patterns:
    found = _compiled.get(knowledge.hash)
    if found is None:
        forms = {name: knowledge.lexicon.forms.get(name, ()) for name in ("local", "device", *_Patterns._fields[2:])}
        coated = (*forms["local"], *forms["device"])
        found = _compiled[knowledge.hash] = _Patterns(
            _pattern(forms["local"]),
            _pattern(coated),
            _pattern(forms["not_local"]),
            _pattern(forms["injected"]),
            _pattern(forms["swallowed"]),
            _pattern(forms["purpose"], _MARKS),
        )
    return found


def _pattern(words: tuple[str, ...], marks: str = "") -> re.Pattern[str]:
    """A pattern for any of the words: as a whole word; anywhere, in a script without spaces; with a star, as the beginning of a word."""
    whole: list[str] = []
    begun: list[str] = []
    anywhere: list[str] = [marks] if marks else []
    for word in words:
        spaced = all(ord(letter) < FIRST_IDEOGRAPH for letter in word)
        kind = anywhere if not spaced else begun if word.endswith("*") else whole
        kind.append(re.escape(word.rstrip("*")))
    # one look back for all words: a look back for each is ten times slower
    made = [rf"(?<!\w)(?:(?:{'|'.join(whole) or '(?!)'})(?!\w)|(?:{'|'.join(begun) or '(?!)'}))", *anywhere]
    return re.compile("|".join(made))
