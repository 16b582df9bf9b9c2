"""Two provers, written apart, say the same of every property: of the shipped rules, and of random sets of rules."""

from __future__ import annotations

from collections import Counter

import pytest

from cds.authoring.proofs import all_properties
from cds.authoring.proofs.found import Property
from cds.compiled.knowledge import Knowledge
from cds.knowledge.load import load
from tests.conftest import LONG, RULES
from tests.prover import second
from tests.prover.rule_sets import made
from tests.prover.second import Verdict

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

SHIPPED = load()
PROTOCOLS = sorted(path.stem for path in (RULES / "protocols").glob("*.yaml"))
SETS, SOME = (100, 50) if LONG else (16, 25)


def first_says(knowledge: Knowledge) -> list[Verdict]:
    """The verdicts of the prover that ships, in the form of the second."""
    return [Verdict(each.id, _broken(each)) for each in all_properties([knowledge])]


def _broken(found: Property) -> frozenset[tuple[str, ...]]:
    if found.id == "P3":
        return frozenset([("some level",)] if found.counterexamples else [])
    if found.id == "P1":
        return frozenset(each.shown for each in found.counterexamples)
    return frozenset((each.rule,) for each in found.counterexamples)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_property_holds_of_the_shipped_rules(protocol: str) -> None:
    knowledge = load(protocol=protocol)
    assert [each.broken for each in second.verdicts(knowledge)] == [frozenset()] * 5
    assert [each.broken for each in first_says(knowledge)] == [frozenset()] * 5


@pytest.mark.parametrize("part", range(8))
def test_both_say_the_same_of_random_rules(part: int) -> None:
    for seed in range(part, SETS, 8):
        knowledge = made(seed, SHIPPED)
        assert first_says(knowledge) == second.verdicts(knowledge), f"seed {seed}"


def test_random_rules_break_and_keep_each_property() -> None:
    """Else that the provers agree would say little."""
    broken = Counter(each.property for seed in range(SOME) for each in first_says(made(seed, SHIPPED)) if each.broken)
    assert all(SOME // 10 <= broken[name] <= SOME - SOME // 10 for name in ("P1", "P2", "P3", "P4", "P5")), broken
