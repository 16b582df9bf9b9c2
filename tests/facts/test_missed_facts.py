"""A fact that a rule of the hook rests on and that is missed is named with its reason; one that no rule needs is not."""

from __future__ import annotations

import msgspec
import pytest

from cds.chart.read import read_chart
from cds.chart.request import read_request
from cds.compiled.knowledge import Knowledge, Rule
from cds.facts import PLAN, read_facts
from cds.facts.needs import rests_of
from cds.knowledge.load import load
from tests.charts import Resource, as_bytes, bundle, day, itp, patient, sirolimus
from tests.judge import now_on

KNOWLEDGE = load()
NOBODYS_AGE = {key: value for key, value in patient().items() if key != "birthDate"}
CHILD = patient(born="2016-03-14")


def rests(rule: Rule, fact: str) -> bool:
    """Whether a rule asks for something that is worked out from a fact."""
    named = {test.fact for variant in rule.variants for branch in variant.branches for test in branch}
    return any(fact in PLAN.needs(name) for name in named - {"gaps"})


def missed(knowledge: Knowledge, *resources: Resource) -> set[str]:
    """What is named of an opened chart."""
    chart = read_chart(read_request(as_bytes(bundle(itp(), *resources))), knowledge, now_on(20))
    facts = read_facts(chart, knowledge, "patient-view", now_on(20)).facts
    return {gap.name for gap in facts.values.get("gaps", [])}


@pytest.mark.parametrize(
    ("fact", "named", "resources"),
    [
        ("age_group", "Birth date", [NOBODYS_AGE, sirolimus("s", day(0), 2)]),
        ("recent_weight", "Weight", [CHILD, sirolimus("s", day(0), 1)]),
        ("judged_orders", "Two active orders", [patient(), sirolimus("s", day(0), 2), sirolimus("t", day(0), 3)]),
        ("daily_dose", "Dose per day", [patient(), sirolimus("s", day(0), 2, dosageInstruction=[])]),
    ],
)
def test_it_is_missed_only_where_a_rule_rests_on_it(fact: str, named: str, resources: list[Resource]) -> None:
    assert named in missed(KNOWLEDGE, *resources)
    others = tuple(rule for rule in KNOWLEDGE.rules if not rests(rule, fact))
    assert named not in missed(msgspec.structs.replace(KNOWLEDGE, rules=others), *resources)


def test_what_the_rules_of_a_hook_rest_on_is_what_they_name_and_what_that_needs() -> None:
    of = rests_of(PLAN, KNOWLEDGE)
    assert {"dose_per_kg", "recent_weight", "size", "age_group"} < set(of["patient-view"])
    assert not any("gaps" in PLAN.needs(name) for several in of.values() for name in several)
