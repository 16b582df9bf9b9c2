"""The study's table comes out of our own evaluation of an invented cohort: the criteria compute.

It says nothing about efficacy, and nothing the study does not print is asserted.
"""

from __future__ import annotations

from collections import Counter

import pytest

from cds.advise import advise
from cds.chart.request import read_request
from cds.engine import CheckedEngine
from tests.charts import as_bytes
from tests.examples.cohort import COHORT, Member
from tests.judge import now_on, topics

_CARDS = {"complete": "responseComplete", "partial": "responsePartial", "none": "responseNone"}


def category(engine: CheckedEngine, member: Member, on: int) -> str:
    """The category on a day, by the cards a clinician sees."""
    shown = topics(advise(read_request(as_bytes(member.chart())), engine, now_on(on), max_cards=99))
    found = [name for name, card in _CARDS.items() if card in shown]
    if "responseLost" in shown:
        found.append("none")
    assert len(found) == 1, (member.number, on, shown)
    return found[0]


@pytest.mark.parametrize("member", COHORT, ids=lambda member: member.pid)
def test_each_member_reaches_the_category_written_beside_the_counts(engine: CheckedEngine, member: Member) -> None:
    assert category(engine, member, 91) == member.at_three
    assert category(engine, member, 182) == member.at_six


def test_the_studys_table_at_three_months(engine: CheckedEngine) -> None:
    table = Counter(category(engine, member, 91) for member in COHORT)
    assert len(COHORT) == 20 and sum(member.child for member in COHORT) == 4
    assert table["complete"] + table["partial"] == 12
    assert (table["complete"], table["partial"]) == (6, 6)


def test_complete_responses_at_six_months(engine: CheckedEngine) -> None:
    assert Counter(category(engine, member, 182) for member in COHORT)["complete"] == 6
