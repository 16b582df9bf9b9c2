"""A chart says the same in every system: codes of one meaning may be exchanged, and no card moves."""

from __future__ import annotations

from random import Random

import pytest

from cds.compiled.knowledge import Knowledge
from cds.engine import CheckedEngine
from tests.conftest import LONG
from tests.oracle.charts import chart
from tests.oracle.test_oracle import said
from tests.recoded import Recoder, codings

pytestmark = pytest.mark.untraced

CHARTS = 400 if LONG else 150


@pytest.fixture(scope="module")
def recoder(knowledge: Knowledge) -> Recoder:
    return Recoder(knowledge)


@pytest.mark.slow
def test_no_card_moves_when_a_chart_is_coded_otherwise(engine: CheckedEngine, recoder: Recoder) -> None:
    for seed in range(CHARTS):
        body, now = chart(seed)
        again = recoder.recoded(body, Random(seed))
        assert said(engine, again, now) == said(engine, body, now), f"seed {seed}"


def test_most_codes_are_exchanged(recoder: Recoder) -> None:
    """Else that nothing moves would say little."""
    body, _ = chart(3)
    before, after = ([str(each) for each in _codes(made)] for made in (body, recoder.recoded(body, Random(3))))
    assert len(before) == len(after)
    assert sum(one != other for one, other in zip(before, after, strict=True)) > len(before) / 4


def _codes(body: object) -> list[object]:
    return [(each["system"], each["code"]) for each in codings(body)]
