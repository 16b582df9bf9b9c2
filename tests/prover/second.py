"""The second prover: the same properties over the same rules, as formulas for z3. It shares nothing with the first but the claims.

Numbers are whole millionths, as both engines compare them. What the properties lean on beside the rules (how a level drives its
facts, which flags are known beside it, which offers are guarded) is written here once more, from the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import z3

from cds.compiled.knowledge import INDICATORS, Condition, Knowledge, Rule
from cds.facts import PLAN
from cds.facts.needs import tests_of, watched
from cds.vocabulary import OFFERS, VOCABULARY

HOOKS = ("patient-view", "order-select", "order-sign")
_COMPARATORS = ("", "<", "<=", ">", ">=")
_BEYOND = {"<": -1, "<=": 0, ">": 1, ">=": 0}
Formula = Any


class Verdict(NamedTuple):
    """Of one property the rules with a counterexample; of P1 the pairs; of P3 whether there is one at all."""

    property: str
    broken: frozenset[tuple[str, ...]]


class Record:
    """The facts of one patient as z3 sees them. Two records may share facts by name."""

    def __init__(self, suffix: str = "", own: Sequence[str] = ()) -> None:
        self._suffix, self._own = suffix, set(own)

    def _name(self, fact: str, part: str) -> str:
        return f"{fact}.{part}" + (self._suffix if fact in self._own else "")

    def known(self, fact: str) -> Formula:
        return z3.BoolVal(True) if fact == "ordering" else z3.Bool(self._name(fact, "known"))

    def number(self, fact: str) -> Formula:
        return z3.Int(self._name(fact, "number"))

    def comparator(self, fact: str) -> Formula:
        """Which of the comparators a bounded number has; 0 for an exact one."""
        return z3.Int(self._name(fact, "comparator")) if VOCABULARY[fact].bounded else z3.IntVal(0)

    def word(self, fact: str) -> Formula:
        return z3.Int(self._name(fact, "word"))

    def flag(self, fact: str) -> Formula:
        return z3.Bool(self._name(fact, "flag"))

    def holds(self, test: Condition) -> Formula:
        known = self.known(test.fact)
        if test.operator == "absent":
            return z3.Not(known)
        if test.operator == "present":
            return known
        return z3.And(known, self._compared(test))

    def _compared(self, test: Condition) -> Formula:
        if test.number is not None:
            exact = _compare(self.number(test.fact), test.operator, micro(test.number))
            bounds = [
                z3.And(
                    self.comparator(test.fact) == at,
                    _compare(self.number(test.fact) + _BEYOND[name], test.operator, micro(test.number)),
                )
                for at, name in enumerate(_COMPARATORS)
                if name and name[0] == test.operator[0]
            ]
            return z3.Or(z3.And(self.comparator(test.fact) == 0, exact), *bounds)
        if test.word is not None:
            same = self.word(test.fact) == VOCABULARY[test.fact].codes.index(test.word)
        else:
            same = self.flag(test.fact) == z3.BoolVal(bool(test.flag))
        return same if test.operator == "is" else z3.Not(same)

    def sane(self) -> Formula:
        """Codes are of the list, comparators too."""
        words = [
            z3.And(self.word(name) >= 0, self.word(name) < len(fact.codes))
            for name, fact in VOCABULARY.items()
            if fact.codes
        ]
        bounded = [name for name, fact in VOCABULARY.items() if fact.bounded]
        return z3.And(
            *words, *(z3.And(self.comparator(f) >= 0, self.comparator(f) < len(_COMPARATORS)) for f in bounded)
        )


def micro(number: Decimal) -> int:
    return int(number * 1_000_000)


def _compare(left: Formula, operator: str, right: Formula) -> Formula:
    made: dict[str, Formula] = {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}
    return made[operator]


class Rules:
    """The rules of one knowledge as formulas."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.by_id = {rule.id: rule for rule in knowledge.rules}

    def whole(self, rule: Rule, record: Record) -> Formula:
        return z3.Or(*(z3.And(*map(record.holds, branch)) for v in rule.variants for branch in v.branches))

    def level(self, rule: Rule, number: int, record: Record) -> Formula:
        """That the first level which holds is that one."""

        def of(at: int) -> Formula:
            mine = [variant for variant in rule.variants if variant.level == at]
            return z3.Or(*(z3.And(*map(record.holds, branch)) for v in mine for branch in v.branches))

        return z3.And(of(number), *(z3.Not(of(at)) for at in range(number)))

    def silenced(self, rule: Rule, record: Record) -> Formula:
        return z3.Or(*(self.whole(self.by_id[other], record) for other in rule.yields_to if other in self.by_id))

    def urgent(self, rule: Rule, urgency: str, record: Record) -> Formula:
        least = INDICATORS.index(urgency)  # type: ignore[arg-type]
        levels = [at for at, each in enumerate(rule.levels) if INDICATORS.index(each.indicator) >= least]
        return z3.Or(*(self.level(rule, at, record) for at in levels))

    def speaks(self, rule: Rule, hook: str, record: Record, urgency: str = "info") -> Formula:
        if hook not in rule.hooks:
            return z3.BoolVal(False)
        return z3.And(
            record.flag("ordering") == z3.BoolVal(hook != "patient-view"),
            self.urgent(rule, urgency, record),
            z3.Not(self.silenced(rule, record)),
        )

    def heirs(self, rule: Rule) -> list[Rule]:
        """The rules that it gives way to, and so on."""
        found: list[Rule] = []
        for other in rule.yields_to:
            for each in [self.by_id[other], *self.heirs(self.by_id[other])] if other in self.by_id else []:
                if each.id not in [known.id for known in found]:
                    found.append(each)
        return found


def possible(*formulas: Formula) -> bool:
    """Whether some record makes all of them true."""
    solver = z3.Solver()
    solver.add(Record().sane(), *formulas)
    answer = solver.check()
    assert answer != z3.unknown
    return bool(answer == z3.sat)


def verdicts(knowledge: Knowledge) -> list[Verdict]:
    """What z3 says of P1 to P5."""
    rules = Rules(knowledge)
    return [
        Verdict("P1", frozenset(_both_ways(rules))),
        Verdict("P2", frozenset(_turned_off(rules))),
        Verdict("P3", frozenset([("some level",)]) if any(_misnamed(rules)) else frozenset()),
        Verdict("P4", frozenset(_silenced_unsaid(rules))),
        Verdict("P5", frozenset(_less_urgent(rules))),
    ]


# --- P1


def _both_ways(rules: Rules) -> Iterator[tuple[str, ...]]:
    record = Record()
    withheld = z3.Or(
        *(z3.And(*map(record.holds, branch)) for each in rules.knowledge.withheld for branch in each.branches)
    )
    for more in rules.knowledge.rules:
        for less in rules.knowledge.rules:
            hooks = [hook for hook in more.hooks if hook in less.hooks and more.id != less.id]
            offered = [(hook, z3.And(*found)) for hook in hooks for found in _offers(rules, more, hook, withheld)]
            if any(possible(offer, advice) for hook, offer in offered for advice in _advises_less(rules, less, hook)):
                yield more.id, less.id


def _offers(rules: Rules, rule: Rule, hook: str, withheld: Formula) -> Iterator[list[Formula]]:
    record = Record()
    for at, texts in enumerate(rule.levels):
        more = [each for each in texts.suggestions if each.direction == "more"]
        if more:
            guarded = all(each.dose in OFFERS for each in more)
            yield [*_of_level(rules, rule, at, hook), *([z3.Not(withheld)] if guarded else [])]
    del record


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


# --- the level


class Numbers(NamedTuple):
    low: int
    high: int
    critical: int


def _numbers(knowledge: Knowledge) -> Numbers:
    known = {**knowledge.definitions, **knowledge.protocol.numbers}
    return Numbers(*(micro(known[name]) for name in ("trough_low", "trough_high", "trough_critical")))


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


# --- P2


def _turned_off(rules: Rules) -> Iterator[tuple[str, ...]]:
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


# --- P3


def _misnamed(rules: Rules) -> Iterator[bool]:
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
        for at, comparator in enumerate(_COMPARATORS):
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
        more = _COMPARATORS.index(">") if comparator else 0
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


# --- P4 and P5


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
    near, far = Record(), Record("unreadable", [fact])
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
