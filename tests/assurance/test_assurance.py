"""The assurance case: no leaf of it is dead."""

from __future__ import annotations

import pytest

from tests.assurance.__main__ import claims, dead, page

pytestmark = pytest.mark.slow

LEAVES = [leaf for claim in claims() for leaf in claim["rests"]]


def test_every_leaf_is_there_and_every_property_is_proved() -> None:
    assert list(dead(LEAVES)) == []


@pytest.mark.parametrize(
    ("leaf", "says"),
    [
        ({"property": "P9"}, "P9 is not proved"),
        ({"tests": ["cards/test_no_such_file.py"]}, "tests/cards/test_no_such_file.py is not there"),
        (
            {"tests": ["cards/test_order.py::test_of_nothing"]},
            "tests/cards/test_order.py::test_of_nothing is not there",
        ),
    ],
)
def test_a_dead_leaf_is_named(leaf: dict[str, object], says: str) -> None:
    assert list(dead([leaf])) == [says]


def test_every_claim_rests_on_something_that_is_said() -> None:
    assert all(leaf["says"] and ("property" in leaf or leaf["tests"]) for leaf in LEAVES)
    assert {leaf["property"] for leaf in LEAVES if "property" in leaf} == {"P1", "P2", "P3", "P4", "P5"}


def test_the_page_names_a_commit_for_each_leaf() -> None:
    lines = [line for line in page().splitlines() if line.startswith("- ")]
    assert len(lines) == len(LEAVES) and all(" of 20" in line or "not committed" in line for line in lines)
