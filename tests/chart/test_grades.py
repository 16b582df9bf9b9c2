"""A grade of bleeding, in the ways in which records write it, and what is none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.chart.grades import grade_of
from cds.chart.numbers import Unreadable
from cds.chart.wire import resource_decoder
from tests.charts import as_bytes


def read(**elements: Any) -> int:
    return grade_of(resource_decoder.decode(as_bytes({"resourceType": "Observation", **elements})))


def words(text: str) -> dict[str, Any]:
    return {"valueCodeableConcept": {"text": text}}


@pytest.mark.parametrize(
    ("value", "grade"),
    [
        ({"valueInteger": 0}, 0),
        ({"valueInteger": 4}, 4),
        ({"valueQuantity": {"value": 2}}, 2),
        ({"valueQuantity": {"value": 3.0, "unit": "grade"}}, 3),
        ({"valueQuantity": {"value": 2, "unit": "points", "code": "{score}"}}, 2),
        ({"valueString": "2"}, 2),
        ({"valueString": "Grade 2"}, 2),
        ({"valueString": "WHO grade II"}, 2),
        ({"valueString": "WHO Grad 3 (transfusionspflichtig)"}, 3),
        ({"valueString": "grade IV"}, 4),
        ({"valueString": "Grade: 3"}, 3),
        ({"valueString": "Grade-3"}, 3),
        ({"valueString": "G3"}, 3),
        ({"valueString": "Gr. 3"}, 3),
        ({"valueString": "WHO 3"}, 3),
        ({"valueString": "WHO: 3"}, 3),
        ({"valueString": "0 - none"}, 0),
        ({"valueString": "Grade 0: no bleeding"}, 0),
        ({"valueString": "1 - petechiae"}, 1),
        ({"valueString": "2: mild blood loss"}, 2),
        ({"valueString": "Grade 2b"}, 2),
        ({"valueString": "2 (epistaxis)"}, 2),
        (words("Grade 3 - gross blood loss"), 3),
        ({"valueCodeableConcept": {"coding": [{"system": "urn:ours", "code": "b2", "display": "Grade 2"}]}}, 2),
    ],
)
def test_a_grade(value: dict[str, Any], grade: int) -> None:
    assert read(**value) == grade


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"valueInteger": 5},
        {"valueInteger": -1},
        {"valueInteger": "2"},
        {"valueQuantity": {"value": 2.5}},
        {"valueQuantity": {"value": 2, "comparator": ">="}},
        {"valueQuantity": {"value": 2, "unit": "mL"}},
        {"valueQuantity": {"unit": "grade"}},
        {"valueString": "Grade 5"},
        {"valueString": "Grade 12"},
        {"valueString": "Grade 1-2"},
        {"valueString": "Grade I - II"},
        {"valueString": "1-2"},
        {"valueString": "1 - 2"},
        {"valueString": "Grade 2.5"},
        {"valueString": "2.5"},
        {"valueString": "Grade 1, before Grade 3"},
        {"valueString": "mild"},
        {"valueString": "2 episodes"},
        {"valueString": "no bleeding"},
        words("see note"),
        {"valueCodeableConcept": {"text": "Grade 2", "coding": [{"display": "Grade 3"}]}},
        {"valueString": "Grade 3: resolved"},
        {"valueString": "WHO grade 3 - stopped yesterday"},
        {"valueString": "Grade 3: ruled out"},
        {"valueString": "Grade 3: absent"},
        {"valueString": "Grade 2 - denied"},
        {"valueString": "Grade 2: last week"},
        {"valueString": "Grade 3: risk"},
        {"valueString": "Grad 2: ausgeschlossen"},
        {"valueString": "Grade 0: gross blood loss"},
        {"valueString": "Grade 1: gross blood loss"},
        {"valueString": "Grade 3: mild"},
        {"valueString": "Grade 2: mild" + " " * 100_000 + "!"},  # at once, too
        {"valueInteger": 2, "dataAbsentReason": {"text": "unknown"}},
    ],
)
def test_what_is_no_grade(value: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        read(**value)


@given(st.text() | st.from_regex(r"(grade )?[0-9ivIV]{1,4}[ab]?( ?[-–,.] ?[0-9ivIV]{1,3})?", fullmatch=True))
def test_of_any_words_it_is_a_grade_of_the_scale_or_unreadable(text: str) -> None:
    try:
        assert read(valueString=text) in range(5)
    except Unreadable as refused:
        assert "grade" in str(refused) or "no value" in str(refused)
