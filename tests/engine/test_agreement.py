"""The two engines agree: on the shipped rules, on random rules, from many threads, after many cases."""

from __future__ import annotations

import gc
import locale
import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds.compiled.bound import Bound, Comparator
from cds.compiled.knowledge import Condition, Knowledge
from cds.engine import Engine
from cds.engine.durable import shards
from cds.engine.opinion import alternatives, holding
from cds.plan.declare import Named
from cds.vocabulary import VOCABULARY, Fact

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


def values_of(fact: Fact, numbers: dict[str, list[Decimal]]) -> st.SearchStrategy[Any]:
    if fact.type == "number":
        near = [n + d * fact.step for n in numbers.get(fact.name, [Decimal(1)]) for d in (-1, 0, 1)]
        finest = [n + Decimal(d).scaleb(-6) for n in numbers.get(fact.name, [Decimal(1)]) for d in (-1, 1)]
        exact = st.sampled_from([*near, *finest])
        if not fact.bounded:
            return exact
        return st.one_of(exact, st.builds(Bound, st.sampled_from(get_args(Comparator)), exact))
    if fact.type == "flag":
        return st.booleans()
    if fact.type == "code":
        return st.sampled_from(fact.codes)
    return st.just([Named("x")]) if fact.type == "names" else st.just("words")


def records(knowledge: Knowledge) -> st.SearchStrategy[dict[str, Any]]:
    """Random records of facts, crowded around the thresholds, any fact missing."""
    numbers = thresholds(knowledge)
    each = {name: values_of(fact, numbers) for name, fact in VOCABULARY.items()}
    return st.fixed_dictionaries({}, optional=each)


def near_a_branch(knowledge: Knowledge) -> st.SearchStrategy[dict[str, Any]]:
    """Records that hold, or only just do not hold, one branch of one rule, and say nothing else."""
    numbers = thresholds(knowledge)
    by_rule = [[branch for variant in rule.variants for branch in variant.branches] for rule in knowledge.rules]

    def value(test: Condition) -> st.SearchStrategy[Any]:
        fact = VOCABULARY[test.fact]
        others = values_of(fact, numbers)
        if test.number is not None:
            beyond = fact.step if test.operator in (">", ">=") else -fact.step
            return st.one_of(st.just(test.number + beyond), st.just(test.number + beyond), others)
        if test.operator == "is":
            met = test.flag if test.flag is not None else test.word
            return st.one_of(st.just(met), st.just(met), others)
        return others

    def of_branch(branch: tuple[Condition, ...]) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries({test.fact: value(test) for test in branch if test.operator != "absent"})

    return st.sampled_from(by_rule).flatmap(st.sampled_from).flatmap(of_branch)


def test_ten_thousand_random_records(engine: Engine, knowledge: Knowledge) -> None:
    """``holding`` raises when the engines disagree, so a silent pass is agreement; rules must fire too."""
    fired: set[str] = set()

    @settings(max_examples=10_000, database=None)
    @given(st.one_of(records(knowledge), near_a_branch(knowledge)), st.sampled_from(HOOKS))
    def agree(values: dict[str, Any], hook: str) -> None:
        fired.update(item.rule.id for item in engine.holding(values, hook))

    agree()
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
    from cds.engine.guard import admitted

    made = shards([((index, 0, 0), branch) for index, branch in enumerate(branches)])
    for values in cases:
        expected = {(index, 0, 0) for index, branch in enumerate(branches) if plainly(branch, values)}
        got: set[tuple[int, int, int]] = set()
        for shard in made:
            if shard.may_hold(values):
                got |= shard.ask(admitted(values), values)
        assert got == expected


FIRING: dict[str, Any] = {
    "ordering": False, "itp_on_record": True, "age_group": "adult", "phase": "starting", "daily_dose": Decimal(5),
    "dose_supported_by_trough": False, "starting_dose_accepted": False,
}  # fmt: skip
HEALTHY: dict[str, Any] = {**FIRING, "daily_dose": Decimal(3), "in_response": False}


def test_a_healthy_patient_twice_and_one_in_between(engine: Engine) -> None:
    """Nothing matching is the engine's error case, and a session without a firing its crash."""
    for _ in range(2):
        assert engine.holding(HEALTHY, "patient-view") == []
        assert [item.rule.id for item in engine.holding(FIRING, "patient-view")] == ["dose-above-window"]


def test_eight_threads_share_one_engine(engine: Engine) -> None:
    before = threading.active_count()

    def ask(index: int) -> bool:
        values = FIRING if index % 2 else HEALTHY
        return [item.rule.id for item in engine.holding(values, "patient-view")] == (
            ["dose-above-window"] if index % 2 else []
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(4_000)))
    assert threading.active_count() == before, "the engine left threads behind"


def test_two_hundred_thousand_evaluations_leave_memory_flat(engine: Engine) -> None:
    def run(times: int) -> None:
        for _ in range(times // 2):
            engine.holding(FIRING, "patient-view")
            engine.holding(HEALTHY, "patient-view")

    run(2_000)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run(200_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2_048, "more than 2 MB were kept"


@pytest.mark.parametrize("name", ["C.UTF-8", "de_DE.UTF-8"])
def test_the_locale_changes_nothing(engine: Engine, name: str) -> None:
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


def test_the_second_opinion_alone_finds_the_same(knowledge: Knowledge) -> None:
    flat = alternatives(knowledge.rules)
    found = {knowledge.rules[rule_at].id for rule_at, _, _ in holding(flat, FIRING)}
    assert found == {"dose-above-window"}
