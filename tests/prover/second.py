"""The second prover: the same properties over the same rules, as formulas for z3. It shares nothing with the first but the claims.

What the properties lean on beside the rules (how a level drives its facts, which flags are known beside it, which offers are
guarded) is written here once more, from the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import z3

from cds.compiled.knowledge import Knowledge, Rule
from cds.facts import PLAN
from cds.facts.needs import tests_of, watched
from cds.vocabulary import OFFERS
from tests.prover.formulas import Formula, Record, Rules, possible
from tests.prover.levels import misnamed, turned_off


class Verdict(NamedTuple):
    """Of one property the rules with a counterexample; of P1 the pairs; of P3 whether there is one at all."""

    property: str
    broken: frozenset[tuple[str, ...]]


def verdicts(knowledge: Knowledge) -> list[Verdict]:
    """What z3 says of P1 to P5."""
    rules = Rules(knowledge)
    return [
        Verdict("P1", frozenset(_both_ways(rules))),
        Verdict("P2", frozenset(turned_off(rules))),
        Verdict("P3", frozenset([("some level",)]) if any(misnamed(rules)) else frozenset()),
        Verdict("P4", frozenset(_silenced_unsaid(rules))),
        Verdict("P5", frozenset(_less_urgent(rules))),
    ]


def _both_ways(rules: Rules) -> Iterator[tuple[str, ...]]:
    record = Record()
    withheld = z3.Or(
        *(z3.And(*map(record.holds, branch)) for each in rules.knowledge.withheld for branch in each.branches)
    )
    every = rules.knowledge.rules
    offered = {
        each.id: [(hook, found) for hook in each.hooks for found in _offers(rules, each, hook, withheld)]
        for each in every
    }
    advised = {
        each.id: [(hook, found) for hook in each.hooks for found in _advises_less(rules, each, hook)] for each in every
    }
    for more in every:
        for less in every if offered[more.id] else ():
            both = product(offered[more.id], advised[less.id] if less.id != more.id else ())
            if any(hook == other and possible(*offer, advice) for (hook, offer), (other, advice) in both):
                yield more.id, less.id


def _offers(rules: Rules, rule: Rule, hook: str, withheld: Formula) -> Iterator[list[Formula]]:
    for at, texts in enumerate(rule.levels):
        more = [each for each in texts.suggestions if each.direction == "more"]
        if more:
            guarded = all(each.dose in OFFERS for each in more)
            yield [*_of_level(rules, rule, at, hook), *([z3.Not(withheld)] if guarded else [])]


def _of_level(rules: Rules, rule: Rule, at: int, hook: str) -> list[Formula]:
    """That a level of a rule holds; one above it may hold too."""
    record = Record()
    mine = [variant for variant in rule.variants if variant.level == at]
    holds = z3.Or(*(z3.And(*map(record.holds, branch)) for v in mine for branch in v.branches))
    ordering = record.flag("ordering") == z3.BoolVal(hook != "patient-view")
    return [ordering, holds, z3.Not(rules.silenced(rule, record))]


def _advises_less(rules: Rules, rule: Rule, hook: str) -> Iterator[Formula]:
    compared = {
        test.fact for each in rules.knowledge.rules for v in each.variants for branch in v.branches for test in branch
    } | {test.fact for each in rules.knowledge.withheld for branch in each.branches for test in branch}
    for at, texts in enumerate(rule.levels):
        holds = _of_level(rules, rule, at, hook)
        if texts.direction == "less":
            yield z3.And(*holds)
            continue
        for each in texts.suggestions:
            if each.direction == "less":
                listed = [Record().known(each.each)] if each.each in compared else []
                yield z3.And(*holds, *listed)


def _silenced_unsaid(rules: Rules) -> Iterator[tuple[str, ...]]:
    named = watched(PLAN, rules.knowledge)
    for rule in rules.knowledge.rules:
        critical = [each for each in rule.variants if rule.levels[each.level].indicator == "critical"]
        facts = {test.fact for variant in critical for branch in variant.branches for test in branch}
        measured = [fact for fact in sorted(facts) if tests_of(PLAN, fact)]
        if any(
            _goes_unsaid(rules, rule, hook, fact, bool(tests_of(PLAN, fact) - named))
            for hook in rule.hooks
            for fact in measured
        ):
            yield (rule.id,)


def _goes_unsaid(rules: Rules, rule: Rule, hook: str, fact: str, unwatched: bool) -> bool:
    near, far = Record(), Record("unreadable", (fact,))
    here = near.flag("ordering") == z3.BoolVal(hook != "patient-view")
    goes = z3.And(
        here, near.known(fact), rules.urgent(rule, "critical", near),
        z3.Not(far.known(fact)), z3.Not(rules.urgent(rule, "critical", far)),
    )  # fmt: skip
    if not possible(far.sane(), goes):
        return False
    told = z3.Or(*(rules.speaks(each, hook, near) for each in rules.knowledge.rules if _is_of_gaps(each)))
    return unwatched or possible(here, near.known("gaps"), z3.Not(told))


def _is_of_gaps(rule: Rule) -> bool:
    return any(test.fact == "gaps" for variant in rule.variants for branch in variant.branches for test in branch)


def _less_urgent(rules: Rules) -> Iterator[tuple[str, ...]]:
    record = Record()
    for rule in rules.knowledge.rules:
        for hook in rule.hooks:
            here = record.flag("ordering") == z3.BoolVal(hook != "patient-view")
            for urgency in {level.indicator for level in rule.levels} if rule.yields_to else ():
                instead = z3.Or(*(rules.speaks(each, hook, record, urgency) for each in rules.heirs(rule)))
                would = z3.And(here, rules.urgent(rule, urgency, record), rules.silenced(rule, record))
                if possible(would, z3.Not(instead)):
                    yield (rule.id,)
