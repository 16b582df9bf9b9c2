"""No number that a chart is judged by stands in Python: neither as a constant nor in a sentence. Each literal that does is listed with its reason."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from cds.vocabulary import VOCABULARY
from tests.conftest import ROOT, RULES
from tests.rules.test_numbers_in_texts import numbers

FACTS = sorted(path for room in ("course", "facts") for path in (ROOT / "cds" / room).glob("*.py"))
_PLAIN = (0, 1, -1)

CONSTANTS = {
    ("course/bleeding", 20): "corrections of one identifier that are looked at: a bound on the work",
    ("course/exposure", 8): "stretches that a card shows",
    ("course/levels", 24): "hours of a day",
    ("course/levels", 2): "the names of the events that are compared",
    ("course/levels", 3600): "seconds of an hour",
    ("course/orders", 8): "orders of one day that are tried as one dose: a bound on the work",
    ("course/orders", 24): "hours of a day",
    ("facts/__init__", 8): "rule sets that are kept read: a bound on memory",
    ("facts/draws", 2): "days after the first on which an ordered level may still be drawn",
    ("facts/low_counts", 2): "the count and the one before",
    ("facts/low_counts", 100): "percent",
    ("facts/unreadable", 2): "two levels of one day",
    ("facts/gaps", 3): "things of one kind that are listed before they are counted",
    ("facts/gaps", 20): "gaps that a card shows",
    ("facts/interactions", 2): "the result and the one before",
    ("facts/landmark", 3): "the name of a landmark",
    ("facts/landmark", 6): "the name of a landmark",
    ("facts/landmark", 12): "the name of a landmark",
    ("facts/level_history", 2): "the level and the one before",
    ("facts/monitoring", 36_500): "days: a result of any age",
    ("facts/ordering", 2): "the regimen and the one before",
    ("facts/diagnosis", 3): "references that a card shows",
    ("facts/pregnancy", 7): "days of a week",
    ("facts/size", 100): "percent",
    ("facts/size", 3600): "Mosteller's formula",
    ("facts/withhold", 2): "reasons that a sentence gives",
}
SENTENCES = {
    " kg, which 97 of 100 children of this age do not exceed (CDC 2000)": "what growth.csv holds, and whose it is",
    "1 dose": "one dose that was not given",
    "one of the two counts is only a bound": "the count and the one before",
    "there are no two usable counts, the newer one recent and of this course": "the count and the one before",
    "there are no two usable levels with a known daily dose": "the level and the one before",
    "no two orders contradict one another": "two orders",
    "no two orders contradict one another, or the dose of one is not known": "two orders",
    "regulatory T cells were not measured twice": "the first and the newest value",
    "a lower count of the same day is judged: it is not known which of the two is newer": "two counts",
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
        (f"{path.parent.name}/{path.stem}", value)
        for path in FACTS
        for value in literals(path.read_text(encoding="utf-8"))
        if not isinstance(value, str) and value not in _PLAIN
    }
    assert found - CONSTANTS.keys() == set() and CONSTANTS.keys() - found == set()


def test_no_sentence_says_a_number() -> None:
    meanings = {
        text for fact in VOCABULARY.values() for text in (fact.meaning, fact.report)
    }  # these are looked at below
    said = {
        value
        for path in FACTS
        for value in literals(path.read_text(encoding="utf-8"))
        if isinstance(value, str) and " " in value and value not in meanings and numbers(value)
    }
    assert said - SENTENCES.keys() == set() and SENTENCES.keys() - said == set()


def test_meanings_say_numbers_by_name() -> None:
    known = set(re.findall(r"^([a-z0-9_]+):$", (RULES / "definitions.yaml").read_text(encoding="utf-8"), re.MULTILINE))
    named = {name for fact in VOCABULARY.values() for name in re.findall(r"\{([a-z0-9_]+)\}", fact.meaning)}
    assert named - known == set() and named
    # two counts, samples or assays are compared, and the first day of a course is day 0
    assert {
        fact.name for fact in VOCABULARY.values() if numbers(f"{fact.meaning}; {fact.report}") - {"0", "2"}
    } == set()
