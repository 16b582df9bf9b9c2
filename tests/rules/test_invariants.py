"""What the proofs take for granted of the facts, held against random charts that are coded in every system."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from cds.authoring.proofs.latent import COURSES, FLAGS, OF_LEVELS, Target, target_of
from cds.chart.read import read_chart
from cds.chart.request import read_request
from cds.compiled.bound import Bound
from cds.compiled.knowledge import Knowledge
from cds.course import levels
from cds.engine import CheckedEngine
from cds.facts import PLAN, Situation, needs, read_facts
from tests.conftest import LONG
from tests.oracle.charts import chart
from tests.recoded import Recoder

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

Json = dict[str, Any]
CHARTS = 1_500 if LONG else 300
_TRIED = (
    Decimal("0.5"),
    Decimal("4.9"),
    Decimal(5),
    Decimal(10),
    Decimal(15),
    Decimal("15.1"),
    Decimal(20),
    Decimal(25),
)
"""Levels in ng/mL on both sides of every number that they are compared with."""


def situation(knowledge: Knowledge, body: Json, now: datetime) -> Situation:
    request = read_request(json.dumps(body).encode())
    return read_facts(read_chart(request, knowledge, now), knowledge, request.hook, now)


def of_protocol(knowledge: Knowledge) -> Target:
    target = target_of(knowledge)
    assert target is not None
    return target


@pytest.fixture(scope="module")
def charts(knowledge: Knowledge) -> list[tuple[int, Json, datetime]]:
    recoder = Recoder(knowledge)
    made = ((seed, *chart(seed)) for seed in range(CHARTS))
    return [(seed, recoder.recoded(body, Random(seed)), now) for seed, body, now in made]


def observations(body: Any) -> Iterator[Json]:
    """Every Observation of a body."""
    if isinstance(body, list):
        for item in body:
            yield from observations(item)
    elif isinstance(body, dict):
        if body.get("resourceType") == "Observation":
            yield body
        for item in body.values():
            yield from observations(item)


def test_the_flags_of_a_level_are_known_beside_it(
    knowledge: Knowledge, charts: list[tuple[int, Json, datetime]]
) -> None:
    seen = 0
    for seed, body, now in charts:
        values = situation(knowledge, body, now).facts.values
        if "trough" in values:
            seen += 1
            assert [flag for flag in (*FLAGS, "trough_basis", "trough_age") if flag not in values] == [], f"seed {seed}"
    assert seen > CHARTS / 6


def test_a_level_drives_its_facts_as_one_of_the_courses_says(
    knowledge: Knowledge, charts: list[tuple[int, Json, datetime]]
) -> None:
    """The newest level of a chart is moved; the facts of it follow one course, and what that does not drive stays."""
    target, moved, used = of_protocol(knowledge), 0, set()
    for seed, body, now in charts:
        of_level = situation(knowledge, body, now).of(levels.levels)
        newest = of_level[0].lab if of_level else None
        if newest is None or newest.amount is None or newest.amount.comparator or newest.amount.printed:
            continue
        driven = [(level, _facts_at(knowledge, body, now, newest.reference, level)) for level in _TRIED]
        if any(facts is None for _, facts in driven):
            continue
        told = [(level, facts) for level, facts in driven if facts is not None]
        fits = {name for name, course in COURSES.items() if _follows(course, told, target)}
        assert fits or _never_moves(told), f"seed {seed}: {told}"
        moved += bool(fits)
        used |= fits
    assert moved > CHARTS // 15
    assert not LONG or len(COURSES.keys() - used) <= 1, (
        COURSES.keys() - used
    )  # doses missed before a level that is not the newest are rare


def _facts_at(knowledge: Knowledge, body: Json, now: datetime, reference: str, level: Decimal) -> dict[str, Any] | None:
    """The facts of the level where the newest one is ``level``; None where that is no longer the newest (or was never one number)."""
    other = copy.deepcopy(body)
    found = [each for each in observations(other) if f"Observation/{each.get('id')}" == reference]
    if len(found) != 1 or "valueQuantity" not in found[0]:
        return None
    found[0]["valueQuantity"] = {"value": float(level), "unit": "ng/mL"}
    values = situation(knowledge, other, now)
    now_newest = values.of(levels.levels)
    if not now_newest or now_newest[0].lab.reference != reference:
        return None
    return {name: values.facts.values.get(name) for name in (*OF_LEVELS, "trough_basis")}


def _follows(course: Any, told: list[tuple[Decimal, dict[str, Any]]], target: Target) -> bool:
    """Whether the facts are as a course says at each level, and those that it does not drive are the same at all of them."""
    still: dict[str, set[str]] = {}
    for level, facts in told:
        driven = course(level, target)
        if any(facts[name] != value for name, value in driven.items()):
            return False
        for name in facts.keys() - driven.keys():
            still.setdefault(name, set()).add(str(facts[name]))
    return all(len(values) == 1 for values in still.values())


def _never_moves(told: list[tuple[Decimal, dict[str, Any]]]) -> bool:
    """Whether the level drives nothing: it is too old, or from before the last change."""
    return all(facts == told[0][1] for _, facts in told)


def test_a_critical_rule_that_a_result_silences_is_named(
    engine: CheckedEngine, charts: list[tuple[int, Json, datetime]]
) -> None:
    """Each result behind a critical card loses its unit: the card stays, or a gap names a fact of the rule."""
    silenced: set[str] = set()
    for seed, body, now in charts:
        before = situation(engine.knowledge, body, now)
        if not before.patient.asks_about_sirolimus:
            continue
        for held in engine.holding(before.facts.values, before.patient.hook):
            if held.level.indicator != "critical":
                continue
            for fact in {test.fact for test in held.branch if needs.tests_of(PLAN, test.fact)}:
                references = [each for each in before.facts.evidence.get(fact, ()) if each.startswith("Observation/")]
                if references and _silences(engine, body, now, held.rule.id, references):
                    silenced.add(held.rule.id)
                    told = situation(engine.knowledge, _unreadable(body, references), now).facts.values.get("gaps", ())
                    named = {each for gap in told for each in gap.references}
                    assert named.intersection(references), f"seed {seed}: {held.rule.id} by {fact}"
    assert {"trough-critical", "neutropenia", "bleeding-with-low-platelets"} <= silenced


def _silences(engine: CheckedEngine, body: Json, now: datetime, rule: str, references: list[str]) -> bool:
    after = situation(engine.knowledge, _unreadable(body, references), now)
    return rule not in {held.rule.id for held in engine.holding(after.facts.values, after.patient.hook)}


def _unreadable(body: Json, references: list[str]) -> Json:
    """The same chart in which these results have no unit, and their words no meaning."""
    other = copy.deepcopy(body)
    for each in observations(other):
        if f"Observation/{each.get('id')}" in references:
            for value in [name for name in each if name.startswith("value")]:
                del each[value]
            each["valueQuantity"] = {"value": 1, "unit": "furlong"}
    return other


def test_a_bound_that_tells_no_class_is_named(knowledge: Knowledge, charts: list[tuple[int, Json, datetime]]) -> None:
    target, seen = of_protocol(knowledge), 0
    for seed, body, now in charts:
        values = situation(knowledge, body, now).facts.values
        trough = values.get("trough")
        if isinstance(trough, Bound) and values["trough_basis"] == "usable":
            low = trough.surely("<", target.low)
            high = trough.surely(">", target.high)
            newest = situation(knowledge, body, now).of(levels.levels)[0]
            if not low and not high and newest.verdict == "usable":
                seen += 1
                assert "Newest level" in {gap.name for gap in values["gaps"]}, f"seed {seed}"
    assert seen > (3 if LONG else 0)
