"""Why a rule is silent: each that does not hold says what it lacks, and what is known instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds.advise import advise
from cds.cards.why import lacking
from cds.chart.request import newest_date, read_request
from cds.engine import Engine
from tests.charts import as_bytes, bundle, day, itp, level, patient, sirolimus
from tests.conftest import ROOT
from tests.judge import now_on

STORIES = sorted((ROOT / "fhir_examples").glob("*/bundle.json"))


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.parent.name)
def test_every_rule_that_does_not_hold_says_what_it_lacks(engine: Engine, story: Path) -> None:
    request = read_request(story.read_bytes())
    now = newest_date(request)
    assert now is not None
    advice = advise(request, engine, now, explain=True)
    hold = {engine.knowledge.rules[at].id for at, _, _ in engine.positions(advice.situation.facts.values)}
    for each in advice.explained:
        truths = dict(each.conditions)
        assert (not each.lacking) == (each.rule.id in hold), each.rule.id
        assert not any(truths[test] for test in each.lacking), each.rule.id


def test_it_is_the_nearest_alternative_that_is_told(engine: Engine) -> None:
    """A level of 16 lacks one thing to be very high; a course without levels lacks the level."""
    chart = bundle(patient(), itp(), sirolimus("s", day(0), 2), level("l", day(15, "07:40"), 16))
    advice = advise(read_request(as_bytes(chart)), engine, now_on(16), explain=True)
    said = {each.rule.id: lacking(each, advice.situation.facts) for each in advice.explained}
    assert said["trough-critical"] == ["newest_level > 20 ng/mL: it is 16 ng/mL"]
    assert said["trough-high"] == []
    assert said["strong-inhibitor"] == ["strong_inhibitors is present: not known, no such drug meets sirolimus now"]
