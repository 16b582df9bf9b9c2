"""No number that a chart is judged by stands in Python: neither as a constant nor in a sentence. Each literal that does is listed with its reason."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from cds.vocabulary import VOCABULARY
from tests.conftest import ROOT, RULES
from tests.rules.test_numbers_in_texts import numbers

FACTS = sorted((ROOT / "cds" / "facts").glob("*.py"))
_PLAIN = (0, 1, -1)

CONSTANTS = {
    ("bleeding", 20): "corrections of one identifier that are looked at: a bound on the work",
    ("course", 8): "orders of one day that are tried as one dose: a bound on the work",
    ("course", 24): "hours of a day",
    ("danger", 2): "the count and the one before",
    ("danger", 100): "percent",
    ("dosing", 100): "percent",
    ("dosing", 200): "years: longer than anybody lives",
    ("dosing", 366): "days of a year",
    ("dosing", 3600): "Mosteller's formula",
    ("exposure", 8): "stretches that a card shows",
    ("gaps", 2): "two levels of one day",
    ("gaps", 3): "things of one kind that are listed before they are counted",
    ("gaps", 20): "gaps that a card shows",
    ("interactions", 2): "the result and the one before",
    ("level_history", 2): "the level and the one before",
    ("levels", 2): "half of two",
    ("levels", 24): "hours of a day",
    ("levels", 3600): "seconds of an hour",
    ("monitoring", 36_500): "days: a result of any age",
    ("ordering", 2): "the regimen and the one before",
    ("ordering", 3): "references that a card shows",
    ("pregnancy", 7): "days of a week",
    ("response", 3): "the name of a landmark",
    ("response", 6): "the name of a landmark",
    ("response", 12): "the name of a landmark",
    ("response", 36_500): "days: longer than any course",
    ("withhold", 2): "reasons that a sentence gives",
}
SENTENCES = {
    " kg, which 97 of 100 children of this age do not exceed (CDC 2000)": "what growth.csv holds, and whose it is",
    "1 dose": "one dose that was not given",
    "one of the two counts is only a bound": "the count and the one before",
    "there are no two usable counts, the newer one recent and of this course": "the count and the one before",
    "there are no two usable levels with a known daily dose": "the level and the one before",
    "no two orders contradict one another": "two orders",
    "a lower count of the same day is judged: nobody knows which of the two is newer": "two counts",
    "Two levels of one day": "two levels",
    "Two ": "two orders",
    "two results of one sample differ": "two results",
    ": the two assays read differently": "two assays",
}


def literals(path_text: str) -> Iterator[int | float | str]:
    """The numbers and texts of a module, but for its docstrings."""
    tree = ast.parse(path_text)
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in told and type(node.value) in (int, float, str):
            yield node.value


def test_no_clinical_number_is_a_constant() -> None:
    found = {
        (path.stem, value)
        for path in FACTS
        for value in literals(path.read_text(encoding="utf-8"))
        if not isinstance(value, str) and value not in _PLAIN
    }
    assert found - CONSTANTS.keys() == set() and CONSTANTS.keys() - found == set()


def test_no_sentence_says_a_number() -> None:
    said = {
        value
        for path in FACTS
        for value in literals(path.read_text(encoding="utf-8"))
        if isinstance(value, str) and " " in value and numbers(value)
    }
    assert said - SENTENCES.keys() == set() and SENTENCES.keys() - said == set()


def test_meanings_say_numbers_by_name() -> None:
    known = set(re.findall(r"^([a-z0-9_]+):$", (RULES / "definitions.yaml").read_text(encoding="utf-8"), re.MULTILINE))
    named = {name for fact in VOCABULARY.values() for name in re.findall(r"\{([a-z0-9_]+)\}", fact.meaning)}
    assert named - known == set() and named
    # two counts, samples or assays are compared, and the first day of a course is day 0
    assert {fact.name for fact in VOCABULARY.values() if numbers(fact.meaning) - {"0", "2"}} == set()
