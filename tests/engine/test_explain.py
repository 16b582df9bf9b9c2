"""Why a rule is silent: each that does not hold says what it lacks, and what is known instead."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from cds.advise import advise
from cds.cards.why import lacking, silence
from cds.chart.request import newest_date, read_request
from cds.engine import CheckedEngine
from cds.knowledge.load import load
from tests.charts import as_bytes, bundle, day, itp, level, patient, sirolimus
from tests.conftest import ROOT
from tests.judge import now_on

pytestmark = pytest.mark.untraced

STORIES = sorted((ROOT / "fhir_examples").glob("*/bundle.json"))


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.parent.name)
def test_every_rule_that_does_not_hold_says_what_it_lacks(engine: CheckedEngine, story: Path) -> None:
    request = read_request(story.read_bytes())
    now = newest_date(request)
    assert now is not None
    advice = advise(request, engine, now, explain=True)
    hold = {engine.knowledge.rules[at].id for at, _, _ in engine.positions(advice.situation.facts.values)}
    for each in advice.explained:
        truths = dict(each.conditions)
        assert (not each.lacking) == (each.rule.id in hold), each.rule.id
        assert not any(truths[test] for test in each.lacking), each.rule.id


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["seed-2024", "feng-2020", "ctd-6-15", "label-lam", "paediatric-cytopenia"])
def test_under_any_protocol_every_silent_rule_says_why(protocol: str) -> None:
    """Also one to which the protocol gives nothing to compare, as to dose windows that it does not have."""
    engine, now = CheckedEngine(load(None, protocol)), newest_date(read_request(STORIES[0].read_bytes()))
    assert now is not None
    advice = advise(read_request(STORIES[0].read_bytes()), engine, now, explain=True)
    for each in advice.explained:
        assert bool(silence(each, advice.situation.facts, "patient-view")) != each.fires, each.rule.id


def test_a_rule_that_nobody_signed_says_that_it_is_not_shown(engine: CheckedEngine) -> None:
    knowledge = msgspec.structs.replace(engine.knowledge, hidden_rules=("trough-critical",))
    chart = bundle(patient(), itp(), sirolimus("s", day(0), 2), level("l", day(15, "07:40"), 27))
    advice = advise(read_request(as_bytes(chart)), CheckedEngine(knowledge), now_on(16), explain=True)
    said = {each.rule.id: silence(each, advice.situation.facts, "patient-view") for each in advice.explained}
    assert said["trough-critical"] == "holds and is not shown, for no one has signed it"
    assert said["trough-high"] == ""  # it does not give way to what is not shown


def test_of_two_that_are_as_near_the_one_for_this_patient_is_told(engine: CheckedEngine) -> None:
    chart = bundle(patient(), itp(), sirolimus("s", day(0), 2), level("l", day(15, "07:40"), 8))
    advice = advise(read_request(as_bytes(chart)), engine, now_on(30), explain=True)
    (overdue,) = [each for each in advice.explained if each.rule.id == "trough-overdue"]
    assert [test.number is not None for test in overdue.lacking] == [True], lacking(overdue, advice.situation.facts)


def test_it_is_the_nearest_alternative_that_is_told(engine: CheckedEngine) -> None:
    """A level of 16 lacks one thing to be very high; a course without levels lacks the level."""
    chart = bundle(patient(), itp(), sirolimus("s", day(0), 2), level("l", day(15, "07:40"), 16))
    advice = advise(read_request(as_bytes(chart)), engine, now_on(16), explain=True)
    said = {each.rule.id: lacking(each, advice.situation.facts) for each in advice.explained}
    assert said["trough-critical"] == ["newest level above 20 ng/mL (it is 16 ng/mL)"]
    assert said["trough-high"] == []
    assert said["strong-inhibitor"] == [
        "there is strong inhibitors (no such drug meets sirolimus now)",
        "strong inhibitors state is unsettled (no such drug meets sirolimus now)",
    ]
