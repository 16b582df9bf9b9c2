"""P2 and P3 for z3: the level is a variable, so that nothing depends on which levels are tried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import z3

from cds.compiled.knowledge import Condition, Knowledge, Rule
from cds.vocabulary import VOCABULARY
from tests.prover.formulas import COMPARATORS, HOOKS, Formula, Record, Rules, micro, possible


class Numbers(NamedTuple):
    low: int
    high: int
    critical: int


def _numbers(knowledge: Knowledge) -> Numbers:
    known = {**knowledge.definitions, **knowledge.protocol.numbers}
    low, high, critical = (micro(known[name]) for name in ("trough_low", "trough_high", "trough_critical"))
    return Numbers(low, high, critical)


_LEVEL_FACTS = ("trough", "newest_level", "trough_basis")


def _exact(record: Record, fact: str, level: Formula) -> Formula:
    return z3.And(record.known(fact), record.comparator(fact) == 0, record.number(fact) == level)


def _basis(record: Record, word: str) -> Formula:
    return z3.And(
        record.known("trough_basis"), record.word("trough_basis") == VOCABULARY["trough_basis"].codes.index(word)
    )


def _held_still(near: Record, far: Record, *facts: str) -> Formula:
    """Facts of the level that this course does not drive."""
    kept = []
    for fact in facts:
        value = near.word(fact) == far.word(fact) if fact == "trough_basis" else near.number(fact) == far.number(fact)
        kept += [near.known(fact) == far.known(fact), value]
        if fact != "trough_basis":
            kept.append(near.comparator(fact) == far.comparator(fact))
    return z3.And(*kept)


def _courses(near: Record, far: Record, one: Formula, other: Formula, numbers: Numbers) -> Iterator[Formula]:
    """How a level of ``one``, and of ``other``, drives its facts in the two records."""
    ends = ((near, one), (far, other))
    trough = [z3.And(_exact(r, "trough", level), _basis(r, "usable")) for r, level in ends]
    newest = [_exact(r, "newest_level", level) for r, level in ends]
    yield z3.And(*trough, *newest)
    yield z3.And(*trough, _held_still(near, far, "newest_level"))
    yield z3.And(*newest, _held_still(near, far, "trough", "trough_basis"))
    for word, acts in (
        ("missed_but_high", lambda level: level > numbers.high),
        ("early_after_increase", lambda level: level > numbers.high),
        ("early_after_decrease", lambda level: level < numbers.low),
    ):
        older = Record("older", _LEVEL_FACTS)
        driven = [
            z3.If(
                acts(level),
                z3.And(_exact(r, "trough", level), _basis(r, word)),
                _held_still(older, r, "trough", "trough_basis"),
            )
            for r, level in ends
        ]
        yield z3.And(*newest, *driven)
        yield z3.And(*driven, _held_still(near, far, "newest_level"))


def turned_off(rules: Rules) -> Iterator[tuple[str, ...]]:
    numbers = _numbers(rules.knowledge)
    near, far = Record("near", _LEVEL_FACTS), Record("far", _LEVEL_FACTS)
    one, other = z3.Int("one level"), z3.Int("other level")
    sides = {rule.id: _side(rules, rule, numbers) for rule in rules.knowledge.rules}
    for rule in rules.knowledge.rules:
        side = sides[rule.id]
        if side is None:
            continue
        further = z3.And(one >= 0, other > one) if side == "above" else z3.And(other >= 0, other < one)
        heirs = [rule, *(each for each in rules.heirs(rule) if sides[each.id] == side)]
        for hook in rule.hooks:
            lost = z3.And(rules.speaks(rule, hook, near), *(z3.Not(rules.speaks(each, hook, far)) for each in heirs))
            if any(
                possible(further, near.sane(), far.sane(), course, lost)
                for course in _courses(near, far, one, other, numbers)
            ):
                yield (rule.id,)
                break


def _compared(rule: Rule) -> list[Condition]:
    tests = [test for variant in rule.variants for branch in variant.branches for test in branch]
    return [test for test in tests if test.fact in ("trough", "newest_level") and test.number is not None]


def _side(rules: Rules, rule: Rule, numbers: Numbers) -> str | None:
    up = any(test.operator in (">", ">=") for test in _compared(rule))
    down = any(test.operator in ("<", "<=") for test in _compared(rule))
    if up != down:
        return "above" if up else "below"
    return _holds_on(rules, rule, numbers) if up else None


def _holds_on(rules: Rules, rule: Rule, numbers: Numbers) -> str | None:
    """The one side of the target on which a rule holds of a usable level."""
    record, level = Record(), z3.Int("level")
    usable = z3.And(
        level >= 0, _exact(record, "trough", level), _basis(record, "usable"), _exact(record, "newest_level", level)
    )
    whole = rules.whole(rule, record)
    above = possible(usable, whole, level > numbers.high)
    below = possible(usable, whole, level < numbers.low)
    within = possible(usable, whole, level >= numbers.low, level <= numbers.high)
    return None if within or above == below else "above" if above else "below"


def misnamed(rules: Rules) -> Iterator[bool]:
    numbers, record, level = _numbers(rules.knowledge), Record(), z3.Int("level")
    named = [(rule, side) for rule in rules.knowledge.rules if (side := _names_on(rules, rule, numbers)) is not None]
    flags = ("in_response", "response_unclear", "trough_answered_by_draft", "itp_on_record")
    asked = z3.And(
        *(record.known(flag) for flag in flags),
        record.flag("itp_on_record"),
        z3.Not(record.flag("trough_answered_by_draft")),
        record.known("trough_age"),
        record.number("trough_age") == 0,
        _basis(record, "usable"),
    )
    for hook in HOOKS:
        here = record.flag("ordering") == z3.BoolVal(hook != "patient-view")
        speaking = [(rule, side, rules.speaks(rule, hook, record)) for rule, side in named]
        for at, comparator in enumerate(COMPARATORS):
            drawn = _drawn(record, level, at, comparator)
            right = [z3.And(said, _right(rule, side, level, comparator, numbers)) for rule, side, said in speaking]
            wrong = [
                z3.And(said, z3.Not(_right(rule, side, level, comparator, numbers))) for rule, side, said in speaking
            ]
            unnamed = z3.And(_must_have_a_card(level, comparator, numbers), z3.Not(z3.Or(*right)))
            twice = [
                z3.And(one, other)
                for number, (_, _, one) in enumerate(speaking)
                for _, _, other in speaking[number + 1 :]
            ]
            yield possible(asked, here, drawn, z3.Or(unnamed, *wrong, *twice))


def _names_on(rules: Rules, rule: Rule, numbers: Numbers) -> str | None:
    branches = [branch for variant in rule.variants for branch in variant.branches]
    of_the_level = all(any(test.fact in ("trough", "newest_level") for test in branch) for branch in branches)
    return _holds_on(rules, rule, numbers) if of_the_level else None


def _drawn(record: Record, level: Formula, at: int, comparator: str) -> Formula:
    """A usable level as it is reported; as the newest one 'at least' counts as more, and an upper bound does not count."""
    trough = z3.And(record.known("trough"), record.comparator("trough") == at, record.number("trough") == level)
    if comparator.startswith("<"):
        newest = z3.Not(record.known("newest_level"))
    else:
        more = COMPARATORS.index(">") if comparator else 0
        newest = z3.And(
            record.known("newest_level"),
            record.comparator("newest_level") == more,
            record.number("newest_level") == level,
        )
    return z3.And(level >= 0 if not comparator else level > 0, trough, newest)


def _all_within(level: Formula, comparator: str, least: Formula, most: Formula) -> Formula:
    """Whether every number that a report leaves open lies from ``least`` to ``most``; None for no end."""
    lowest = {"": level, "<": 0, "<=": 0, ">": level + 1, ">=": level}[comparator]
    highest = {"": level, "<": level - 1, "<=": level, ">": None, ">=": None}[comparator]
    above = z3.BoolVal(True) if least is None else lowest >= least
    below = z3.BoolVal(True) if most is None else z3.BoolVal(False) if highest is None else highest <= most
    return z3.And(above, below)


def _critical(level: Formula, comparator: str, numbers: Numbers) -> Formula:
    more = level >= numbers.critical if comparator == ">=" else z3.BoolVal(False)
    return z3.Or(_all_within(level, comparator, numbers.critical + 1, None), more)


def _right(rule: Rule, side: str, level: Formula, comparator: str, numbers: Numbers) -> Formula:
    """Whether a card may stand for a level so reported."""
    if side == "below":
        return _all_within(level, comparator, None, numbers.low - 1)
    critical = _critical(level, comparator, numbers)
    if any(each.indicator == "critical" for each in rule.levels):
        return critical
    return z3.And(_all_within(level, comparator, numbers.high + 1, None), z3.Not(critical))


def _must_have_a_card(level: Formula, comparator: str, numbers: Numbers) -> Formula:
    low = _all_within(level, comparator, None, numbers.low - 1)
    return z3.Or(low, _all_within(level, comparator, numbers.high + 1, None), _critical(level, comparator, numbers))
