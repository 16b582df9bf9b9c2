"""The condition language: one comparison per line, read and checked against the vocabulary.

``<fact> < <= > >= <number> <unit>``, ``<fact> is | is not <value>``, ``<fact> is present | absent``.
There is no arithmetic and there are no dates: whatever needs them is a named fact.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from itertools import product

from cds.compiled.knowledge import Condition, Operator
from cds.compiled.template import filled, split
from cds.vocabulary import BOUNDS, KNOWN_WITH, RENAMED, REPORTS, VOCABULARY, Fact

_COMPARISON = re.compile(r"(?P<fact>\S+)\s+(?P<operator><=|>=|<|>)\s+(?P<number>\S+)(?:\s+(?P<unit>\S.*))?")
_WORD = re.compile(r"(?P<fact>\S+)\s+(?P<operator>is not|is)\s+(?P<value>\S+)")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
MAX_BRANCHES = 16


class Unclear(Exception):
    """A condition that cannot be used as it is written; ``str`` says why."""


def known_fact(name: str) -> Fact:
    """The vocabulary's entry for ``name``. Raises Unclear, with a hint, if there is none."""
    fact = VOCABULARY.get(name)
    if name in RENAMED:
        raise Unclear(f"the fact '{name}' is called '{RENAMED[name]}' now")
    if name in BOUNDS:
        instead, comparator = BOUNDS[name]
        raise Unclear(
            f"{name} is gone: write '{instead} {comparator[0]} ...', which holds of a bound where it surely holds, "
            f"and '{instead}: \"{comparator}5\"' in a case; 'sirolimus-cds fmt --upgrade' does it"
        )
    if name in REPORTS:
        instead = REPORTS[name]
        raise Unclear(
            f"{name} is gone: write '{{{instead} as reported}}' in a text, '{instead} is present' in a condition and "
            f"'{instead} as reported: ...' in a case; 'sirolimus-cds fmt --upgrade' does it"
        )
    if fact is None:
        near = get_close_matches(name, list(VOCABULARY), 1, 0.6)
        raise Unclear(f"unknown fact '{name}'" + (f"; did you mean '{near[0]}'?" if near else ""))
    return fact


def fill(text: str, values: Mapping[str, str]) -> str:
    """``text`` with each ``{name}`` replaced. Raises Unclear for a name that is not in ``values``."""
    found = filled(text, values.get)
    if found is None:
        unknown = next(name for name in split(text)[1::2] if name not in values)
        raise Unclear(f"nothing here is called {{{unknown}}}; it must come from the table, the protocol or definitions")
    return found


def parse(text: str, values: Mapping[str, str]) -> Condition:
    """One condition. ``values`` are those of the table's row, the protocol and the definitions.

    Raises:
        Unclear: an unknown fact, operator, value or unit.
    """
    said = fill(text, values)
    if match := _COMPARISON.fullmatch(said):
        return _comparison(match, said)
    if match := _WORD.fullmatch(said):
        return _word(match, said)
    raise Unclear(f"'{text}' is not a condition; write 'fact < number unit', 'fact is value' or 'fact is present'")


def _comparison(match: re.Match[str], text: str) -> Condition:
    fact = known_fact(match["fact"])
    operator: Operator = match["operator"]  # type: ignore[assignment]  # the pattern admits no other
    if fact.type != "number":
        raise Unclear(f"{fact.name} is not a number and cannot be compared with {operator}")
    if not _NUMBER.fullmatch(match["number"]):
        raise Unclear(f"'{match['number']}' is not a number")
    unit = match["unit"] or ""
    if unit != fact.unit:
        raise Unclear(
            f"{fact.name} is in {fact.unit}, not {unit}" if unit else f"say the unit: {fact.name} is in {fact.unit}"
        )
    return Condition(fact.name, operator, number=Decimal(match["number"]), text=text)


def _word(match: re.Match[str], text: str) -> Condition:
    fact = known_fact(match["fact"])
    value = match["value"]
    if value in ("present", "absent"):
        if match["operator"] == "is not":
            raise Unclear(f"write '{fact.name} is {'absent' if value == 'present' else 'present'}'")
        return Condition(fact.name, value, text=text)  # type: ignore[arg-type]
    operator: Operator = match["operator"]  # type: ignore[assignment]
    if fact.type == "flag":
        if value not in ("true", "false"):
            raise Unclear(f"{fact.name} is true or false, not '{value}'")
        return Condition(fact.name, operator, flag=value == "true", text=text)
    if fact.type == "code":
        if value not in fact.codes:
            raise Unclear(f"{fact.name} is one of {', '.join(fact.codes)}; not '{value}'")
        return Condition(fact.name, operator, word=value, text=text)
    raise Unclear(
        f"{fact.name} can only be 'present' or 'absent'" + (" or compared with <, >" if fact.type == "number" else "")
    )


def branches(groups: Sequence[Sequence[Condition]]) -> tuple[tuple[Condition, ...], ...]:
    """Every way to satisfy ``groups``, each a choice of alternatives of which one must hold.

    Single tests come first in every branch, so that branches share their beginning. A branch that requires
    one fact to be two words can never hold and is left out, as is one that requires more than another branch.
    """
    ordered = sorted(groups, key=len)
    choices = dict.fromkeys(tuple(dict.fromkeys(choice)) for choice in product(*ordered))
    possible = [choice for choice in choices if not _contradicts(choice)]
    sets = [frozenset(choice) for choice in possible]
    return tuple(
        choice for choice, tests in zip(possible, sets, strict=True) if not any(other < tests for other in sets)
    )


def _contradicts(tests: Sequence[Condition]) -> bool:
    wanted: dict[str, str] = {}
    return any(
        test.operator == "is" and test.word is not None and wanted.setdefault(test.fact, test.word) != test.word
        for test in tests
    )


def guaranteed(alternatives: Sequence[Sequence[Condition]]) -> set[str]:
    """Facts that are known whenever one of ``alternatives`` holds."""
    known = [{test.fact for test in branch if test.operator != "absent"} for branch in alternatives]
    known = [facts.union(*(KNOWN_WITH[fact] for fact in facts)) for facts in known]
    return set.intersection(*known) if known else set()
