"""The two engines agree: on the shipped rules, on random rules, from many threads, after many cases."""

from __future__ import annotations

import gc
import locale
import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds.compiled.bound import Bound, Comparator
from cds.compiled.knowledge import Condition, Knowledge
from cds.engine import CheckedEngine, PlainEvaluator
from cds.engine.durable import shards, written
from cds.plan.declare import Named
from cds.vocabulary import VOCABULARY, Fact
from tests.conftest import LONG

HOOKS = ("patient-view", "order-select", "order-sign")


def thresholds(knowledge: Knowledge) -> dict[str, list[Decimal]]:
    """Every number that a rule compares a fact with."""
    found: dict[str, list[Decimal]] = {}
    for rule in knowledge.rules:
        for variant in rule.variants:
            for branch in variant.branches:
                for test in branch:
                    if test.number is not None:
                        found.setdefault(test.fact, []).append(test.number)
    return found


def value_of(chance: Random, fact: Fact, numbers: dict[str, list[Decimal]]) -> Any:
    """Any value of a fact; a number is near one of those that it is compared with."""
    if fact.type == "number":
        step = chance.choice((fact.step, -fact.step, Decimal(0), Decimal("0.000001"), Decimal("-0.000001")))
        exact = chance.choice(numbers.get(fact.name, [Decimal(1)])) + step
        return Bound(chance.choice(get_args(Comparator)), exact) if fact.bounded and chance.random() < 0.5 else exact
    if fact.type == "flag":
        return chance.random() < 0.5
    if fact.type == "code":
        return chance.choice(fact.codes)
    return [Named("x")] if fact.type == "names" else "words"


def record(chance: Random, numbers: dict[str, list[Decimal]]) -> dict[str, Any]:
    """A record of facts, crowded around the thresholds; any fact may be missing."""
    share = chance.random()
    return {name: value_of(chance, fact, numbers) for name, fact in VOCABULARY.items() if chance.random() < share}


def near_a_branch(chance: Random, knowledge: Knowledge, numbers: dict[str, list[Decimal]]) -> dict[str, Any]:
    """A record that holds, or only just does not hold, one branch of one rule, and says nothing else."""
    rule = chance.choice(knowledge.rules)
    branch = chance.choice([branch for variant in rule.variants for branch in variant.branches])
    return {test.fact: near(chance, test, numbers) for test in branch if test.operator != "absent"}


def near(chance: Random, test: Condition, numbers: dict[str, list[Decimal]]) -> Any:
    """Mostly a value of which a condition holds."""
    fact = VOCABULARY[test.fact]
    if chance.random() < 0.3 or (test.number is None and test.operator != "is"):
        return value_of(chance, fact, numbers)
    if test.number is not None:
        return test.number + (fact.step if test.operator in (">", ">=") else -fact.step)
    return test.flag if test.flag is not None else test.word


@pytest.mark.slow
@pytest.mark.untraced
def test_ten_thousand_random_records(engine: CheckedEngine, knowledge: Knowledge) -> None:
    """``holding`` raises when the engines disagree, so a silent pass is agreement; rules must fire too."""
    chance, numbers, fired = Random(1), thresholds(knowledge), set[str]()
    for number in range(10_000):
        values = near_a_branch(chance, knowledge, numbers) if number % 2 else record(chance, numbers)
        fired.update(item.rule.id for item in engine.holding(values, chance.choice(HOOKS)))
    assert fired == {rule.id for rule in knowledge.rules}


_NUMBERS = [*[f for f in VOCABULARY.values() if f.type == "number"][:5], VOCABULARY["trough"]]
_CODES = [f for f in VOCABULARY.values() if f.type == "code"][:3]
_tests = st.one_of(
    st.builds(
        lambda f, o, n: Condition(f.name, o, number=n, text=f"{f.name} {o} {n}"),
        st.sampled_from(_NUMBERS), st.sampled_from(("<", "<=", ">", ">=")), st.decimals(0, 20, places=1),
    ),
    st.sampled_from(_CODES).flatmap(
        lambda f: st.builds(lambda o, w: Condition(f.name, o, word=w, text=f"{f.name} {o} {w}"), st.sampled_from(("is", "is not")), st.sampled_from(f.codes))
    ),
    st.builds(lambda f, o: Condition(f.name, o, text=f"{f.name} {o}"), st.sampled_from(_NUMBERS), st.sampled_from(("present", "absent"))),
)  # fmt: skip


def plainly(branch: tuple[Condition, ...], values: dict[str, Any]) -> bool:
    """A third reading of a conjunction, written out for this test alone."""
    for test in branch:
        known = test.fact in values
        if test.operator in ("present", "absent"):
            if known != (test.operator == "present"):
                return False
            continue
        if not known:
            return False
        value = values[test.fact]
        if test.operator == "<" and not value < test.number:
            return False
        if test.operator == "<=" and not value <= test.number:
            return False
        if test.operator == ">" and not value > test.number:
            return False
        if test.operator == ">=" and not value >= test.number:
            return False
        if test.operator == "is" and value != test.word:
            return False
        if test.operator == "is not" and value == test.word:
            return False
    return True


@pytest.mark.slow
@pytest.mark.untraced
@settings(max_examples=300)
@given(
    st.lists(st.lists(_tests, min_size=1, max_size=6).map(lambda tests: tuple(dict.fromkeys(tests))), min_size=1, max_size=20),
    st.lists(
        st.fixed_dictionaries(
            {}, optional={**{f.name: st.decimals(0, 20, places=1) for f in _NUMBERS}, **{f.name: st.sampled_from(f.codes) for f in _CODES}}
        ),
        min_size=1, max_size=4,
    ),
)  # fmt: skip
def test_random_rules_mean_what_they_say(branches: list[tuple[Condition, ...]], cases: list[dict[str, Any]]) -> None:
    made = shards([((index, 0, 0), branch) for index, branch in enumerate(branches)])
    for values in cases:
        expected = {(index, 0, 0) for index, branch in enumerate(branches) if plainly(branch, values)}
        got: set[tuple[int, int, int]] = set()
        for shard in made:
            if shard.may_hold(values):
                got |= shard.ask(written(values), values)
        assert got == expected


FIRING: dict[str, Any] = {
    "ordering": False, "itp_on_record": True, "age_group": "adult", "phase": "starting", "daily_dose": Decimal(5),
    "dose_supported_by_trough": False, "starting_dose_accepted": False,
}  # fmt: skip
HEALTHY: dict[str, Any] = {**FIRING, "daily_dose": Decimal(3), "in_response": False}


def test_a_healthy_patient_twice_and_one_in_between(engine: CheckedEngine) -> None:
    """Nothing matching is the engine's error case, and a session without a firing its crash."""
    for _ in range(2):
        assert engine.holding(HEALTHY, "patient-view") == []
        assert [item.rule.id for item in engine.holding(FIRING, "patient-view")] == ["dose-above-window"]


@pytest.mark.slow
def test_eight_threads_share_one_engine(engine: CheckedEngine) -> None:
    before = threading.active_count()

    def ask(index: int) -> bool:
        values = FIRING if index % 2 else HEALTHY
        return [item.rule.id for item in engine.holding(values, "patient-view")] == (
            ["dose-above-window"] if index % 2 else []
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(4_000)))
    assert threading.active_count() == before, "the engine left threads behind"


@pytest.mark.slow
@pytest.mark.untraced
def test_many_evaluations_leave_memory_flat(engine: CheckedEngine) -> None:
    def run(times: int) -> None:
        for _ in range(times // 2):
            engine.holding(FIRING, "patient-view")
            engine.holding(HEALTHY, "patient-view")

    run(2_000)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run(200_000 if LONG else 40_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < (2_048 if LONG else 1_024), (
        "evaluations kept memory"
    )


@pytest.mark.parametrize("name", ["C.UTF-8", "de_DE.UTF-8"])
def test_the_locale_changes_nothing(engine: CheckedEngine, name: str) -> None:
    """The engine reads decimals by the process's locale; whole numbers are immune."""
    old = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, name)
    except locale.Error:
        name = "C"  # not installed here; the C locale still runs the case
        locale.setlocale(locale.LC_ALL, name)
    try:
        assert [i.rule.id for i in engine.holding({**FIRING, "daily_dose": Decimal("4.1")}, "patient-view")] == [
            "dose-above-window"
        ]
        assert engine.holding({**FIRING, "daily_dose": Decimal("4.0")}, "patient-view") == []
    finally:
        locale.setlocale(locale.LC_ALL, old)


def test_the_plain_evaluator_alone_finds_the_same(knowledge: Knowledge) -> None:
    found = {knowledge.rules[rule_at].id for rule_at, _, _ in PlainEvaluator(knowledge).positions(FIRING)}
    assert found == {"dose-above-window"}
