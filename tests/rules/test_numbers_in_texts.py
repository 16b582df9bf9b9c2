"""A number that a site may change is written as ``{name}`` wherever a card says it: else the sentence would stay when the number goes.

A number may stand in a text as itself where a source of the rule states it, for that does not change with a site.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from cds.knowledge.files import RuleFile
from cds.knowledge.read import read_folder
from tests.conftest import RULES

FILES = sorted(read_folder(RULES).files, key=lambda file: file.rule.id)
_WORDS = {
    "two": "2", "twice": "2", "double": "2", "doubling": "2", "twofold": "2", "two-": "2", "three": "3", "threefold": "3", "four": "4",
    "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "nine-": "9", "ninefold": "9", "ten": "10", "elevenfold": "11", "twelve": "12",
    "half": "1/2", "third": "1/3", "week": "a week", "month": "a month",
}  # fmt: skip
_NUMBER = re.compile(rf"(?<![\w.])(?:[0-9]+(?:\.[0-9]+)?|{'|'.join(_WORDS)})(?![\w])", re.IGNORECASE)
_NO_NUMBERS = re.compile(r"\{[a-z0-9_]+\}|10\^9|P-gp|CTCAE [0-9]|-month")
"""Names that stand for numbers, and digits that are part of a unit, a protein or a title."""

ALLOWED = {
    ("dose-above-daily-maximum", "2"): "how the label spreads a loading dose; nothing is judged by it",
    ("duplicate-mtor-or-calcineurin-inhibitor", "2"): "two drugs",
    ("duplicate-orders", "2"): "two orders",
    ("child-dose-by-size", "13"): "the label's age, for comparison",
    ("child-dose-by-size", "40"): "the label's weight, for comparison",
    ("child-dose-by-size", "1"): "the label's dose, for comparison",
    ("child-dose-by-size", "2"): "two models, for comparison",
    ("hepatic-impairment", "60"): "one study, for comparison",
    ("low-platelets-adult", "24"): "when to repeat a count, as guidelines have it; nothing is judged by it",
    ("low-platelets-adult", "72"): "when to repeat a count, as guidelines have it; nothing is judged by it",
    ("neutropenia", "a week"): "when to repeat a count; nothing is judged by it",
    ("neutropenia", "6"): "the version of the criteria",
    ("proteinuria", "2"): "two samples",
    ("response-none", "45"): "how many patients the study had",
    ("steroid-dependence", "a week"): "how often to count in a taper; nothing is judged by it",
    ("steroid-dependence", "2"): "how often to count in a taper; nothing is judged by it",
    ("strong-inhibitor", "a month"): "how often to look; nothing is judged by it",
    ("response-lost", "2"): "two counts",
    ("response-partial", "2"): "two criteria",
}
"""What is not a number that anything is judged by, by rule, with the reason."""


def numbers(text: str) -> set[str]:
    """The numbers of a text, in digits or as words."""
    found = _NUMBER.findall(_NO_NUMBERS.sub(" ", text))
    return {_WORDS.get(each.lower(), each) for each in found}


def texts(file: RuleFile) -> Iterator[str]:
    """What a card of the rule may say, but for its sources."""
    yield file.rule.title
    for level in file.rule.levels:
        yield from (*level.texts, *(each.label for each in level.suggestions))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.rule.id)
def test_a_number_on_a_card_is_a_name_or_stands_in_a_source(file: RuleFile) -> None:
    stated = set().union(*(numbers(each.states) for each in file.shape.sources))
    stated |= {number for rule, number in ALLOWED if rule == file.rule.id}
    assert {text: left for text in texts(file) if (left := numbers(text) - stated)} == {}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.rule.id)
def test_what_is_our_judgement_says_its_numbers_by_name(file: RuleFile) -> None:
    """In what a limit of ours states no number stands that is a value of the definitions or of the protocol."""
    ours = [each.states for each in file.shape.sources if each.basis == "JUDGEMENT"]
    literal = {text: left for text in ours if (left := numbers(text) - _OF_A_RULE.get(file.rule.id, set()))}
    assert literal == {}


_OF_A_RULE = {
    "dose-far-above-window": {"4", "10", "2"},  # its own table, which stands in the protocol
    "duplicate-orders": {"2"},
    "duplicate-mtor-or-calcineurin-inhibitor": {"2"},
    "stomatitis": {"2"},  # a grade
    "trough-critical": {"20"},  # what laboratories print
}


def test_each_exception_is_needed() -> None:
    used = {(file.rule.id, number) for file in FILES for text in texts(file) for number in numbers(text)}
    assert set(ALLOWED) <= used
