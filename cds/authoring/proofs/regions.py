"""Where rules hold, decided exactly: which can never hold, and which always hold together.

A condition compares one fact with constants. So the values of each fact fall into finitely many cells (a number between
two thresholds, at one of them, not known at all) within which the result of no condition changes, and a rule holds in a union
of boxes of cells. Whether boxes cover others is decided by set arithmetic: nothing is sampled.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, get_args

from cds.compiled.bound import Bound, Comparator
from cds.compiled.hooks import HOOKS
from cds.compiled.knowledge import Condition, Knowledge, Variant
from cds.compiled.truth import truth
from cds.knowledge.conditions import fill
from cds.knowledge.files import RuleFile
from cds.knowledge.rules import Names
from cds.knowledge.shapes import AnyOf, Conditions
from cds.plan.declare import Named
from cds.vocabulary import VOCABULARY

Box = Mapping[str, frozenset[int]]
"""Fact by fact the cells that are allowed; a fact that is not named may be anything."""

_HOOK = "hook"  # a dimension in addition to the facts


class Space:
    """The cells of every fact that the rules of ``several`` compare, and of the hooks."""

    def __init__(self, *several: Knowledge) -> None:
        numbers: dict[str, set[Decimal]] = defaultdict(set)
        self._tests: dict[str, set[Condition]] = defaultdict(set)
        for test in {test for knowledge in several for test in _compared(knowledge)}:
            self._tests[test.fact].add(test)
            if test.number is not None:
                numbers[test.fact].add(test.number)
        self.hooks = HOOKS
        self._samples = {fact: _samples(fact, sorted(numbers[fact])) for fact in self._tests}
        self._samples["ordering"] = [{"ordering": True}, {"ordering": False}]

    def cells(self, test: Condition) -> frozenset[int]:
        """The cells of its fact in which a condition holds."""
        return frozenset(at for at, sample in enumerate(self._samples[test.fact]) if truth(test, sample))

    def box(self, tests: Iterable[Condition]) -> Box | None:
        """Where all of ``tests`` hold; None if they never do."""
        box: dict[str, frozenset[int]] = {}
        for test in tests:
            box[test.fact] = box[test.fact] & self.cells(test) if test.fact in box else self.cells(test)
            if not box[test.fact]:
                return None
        return box

    def region(self, variants: Iterable[Variant], hooks: Iterable[str] = ()) -> list[Box]:
        """Where one of ``variants`` holds, on ``hooks`` (on any, where none is named)."""
        plain = [box for variant in variants for branch in variant.branches if (box := self.box(branch)) is not None]
        if not hooks:
            return plain
        return [placed for hook in hooks for box in plain if (placed := self.meet(box, self.place(hook))) is not None]

    def covered(self, box: Box, others: Sequence[Box]) -> bool:
        """Whether every record in ``box`` is in one of ``others``."""
        near = [other for other in others if self._meet(box, other)]
        if not near:
            return False
        return all(self.covered(piece, near[1:]) for piece in self._less(box, near[0]))

    def within(self, region: Sequence[Box], other: Sequence[Box]) -> bool:
        """Whether ``region`` lies wholly in ``other``."""
        return all(self.covered(box, other) for box in region)

    def without(self, region: Sequence[Box], other: Sequence[Box]) -> list[Box]:
        """``region`` less ``other``."""
        left = list(region)
        for each in other:
            left = [piece for box in left for piece in (self._less(box, each) if self._meet(box, each) else (box,))]
        return left

    def meet(self, one: Box, other: Box) -> Box | None:
        """What two boxes share; None if nothing."""
        if not self._meet(one, other):
            return None
        return {
            fact: one.get(fact, other.get(fact, frozenset())) & other.get(fact, one.get(fact, frozenset()))
            for fact in one.keys() | other.keys()
        }

    def both(self, one: Iterable[Box], other: Sequence[Box]) -> list[Box]:
        """What two regions share."""
        return [shared for a in one for b in other if (shared := self.meet(a, b)) is not None]

    def any_holds(self, region: Iterable[Box], box: Box) -> bool:
        """Whether one box of a region meets ``box``."""
        return any(self._meet(each, box) for each in region)

    def known(self, fact: str) -> frozenset[int]:
        """The cells in which a fact is known; none where no rule compares it."""
        return self._all(fact) - {0} if fact in self._samples else frozenset()

    def everything(self, fact: str) -> frozenset[int]:
        """All cells of a fact."""
        return self._all(fact)

    def allowed(self, box: Box, fact: str) -> frozenset[int]:
        """The cells of a fact in a box."""
        return box.get(fact) or self._all(fact)

    @property
    def facts(self) -> list[str]:
        """Every fact that is compared."""
        return sorted(self._samples)

    def value(self, fact: str, cell: int) -> Any:
        """A value that represents a cell."""
        return self._samples[fact][cell][fact]

    def exact(self, fact: str) -> list[Decimal]:
        """The exact numbers that represent cells of a fact, in order."""
        return sorted(value for sample in self._samples[fact] if isinstance(value := sample.get(fact), Decimal))

    def numbers(self, fact: str) -> list[Decimal]:
        """The numbers that a fact is compared with, in order."""
        return sorted({test.number for test in self._tests[fact] if test.number is not None})

    def place(self, hook: str) -> Box:
        """All records of a hook."""
        return {"ordering": frozenset({int(hook == "patient-view")}), _HOOK: frozenset({self.hooks.index(hook)})}

    def cell(self, fact: str, value: Any) -> int:
        """The cell of a value; 0 is the cell in which the fact is not known."""
        answers = [truth(test, {fact: value}) for test in self._tests[fact]]
        for at, sample in enumerate(self._samples[fact][1:], 1):
            if [truth(test, sample) for test in self._tests[fact]] == answers and type(sample[fact]) is type(value):
                return at
        raise KeyError(f"{fact} is never {value}")

    def at(self, region: Iterable[Box], cells: Mapping[str, int]) -> list[Box]:
        """The part of a region that has those cells, as boxes of the other facts."""
        return [
            {fact: allowed for fact, allowed in box.items() if fact not in cells}
            for box in region
            if all(cells[fact] in box[fact] for fact in cells.keys() & box.keys())
        ]

    @staticmethod
    def holds_all_of(box: Box, other: Box) -> bool:
        """Whether ``other`` lies wholly in ``box``."""
        return all(fact in other and other[fact] <= cells for fact, cells in box.items())

    def where_known(self, region: Sequence[Box], fact: str) -> list[Box]:
        """The part of ``region`` in which ``fact`` is known; all of it where no rule compares the fact."""
        if not fact or fact not in self._samples:
            return list(region)
        known = {fact: self._all(fact) - {0}}
        return [both for box in region if (both := self.meet(box, known)) is not None]

    def example(self, box: Box) -> dict[str, Any]:
        """One record of facts in ``box``; facts that may be anything are left out."""
        record: dict[str, Any] = {}
        for fact, cells in box.items():
            if fact != _HOOK:
                record |= self._samples[fact][max(cells)]
        return record

    def _all(self, fact: str) -> frozenset[int]:
        return frozenset(range(len(self.hooks) if fact == _HOOK else len(self._samples[fact])))

    @staticmethod
    def _meet(one: Box, other: Box) -> bool:
        return all(one[fact] & other[fact] for fact in one.keys() & other.keys())

    def _less(self, box: Box, other: Box) -> Iterator[Box]:
        """``box`` without ``other``, which it meets, as boxes that do not overlap."""
        left = dict(box)
        for fact, cells in other.items():
            mine = left.get(fact, self._all(fact))
            if outside := mine - cells:
                yield {**left, fact: outside}
            left[fact] = mine & cells


def _compared(knowledge: Knowledge) -> Iterator[Condition]:
    """Every comparison of the rules, and of the reasons that withhold a rise."""
    branches = [branch for rule in knowledge.rules for variant in rule.variants for branch in variant.branches]
    for branch in (*branches, *(branch for each in knowledge.withheld for branch in each.branches)):
        yield from branch


def _samples(fact: str, thresholds: Sequence[Decimal]) -> list[dict[str, Any]]:
    """One record for each cell of a fact; the first is the one in which it is not known."""
    entry = VOCABULARY[fact]
    if entry.type == "number":
        values: list[Any] = []
        for at, threshold in enumerate(thresholds):
            below = thresholds[at - 1] if at else threshold - 2
            values += [(below + threshold) / 2, threshold]
        values.append(thresholds[-1] + 1 if thresholds else Decimal(0))
        if entry.bounded:  # before the exact ones, which examples prefer
            values = [*(Bound(each, value) for each in get_args(Comparator) for value in values), *values]
    elif entry.type == "flag":
        values = [True, False]
    elif entry.type == "code":
        values = list(entry.codes)
    else:
        values = [[Named("something")]] if entry.type == "names" else ["something"]
    return [{}, *({fact: value} for value in values)]


def never(file: RuleFile, names: Names, space: Space) -> Iterator[str]:
    """Degrees and alternatives of a rule that can never hold or never be reached, in words."""
    rule = file.rule
    by_level: dict[int, list[Variant]] = defaultdict(list)
    for variant in rule.variants:
        by_level[variant.level].append(variant)
    earlier: list[Box] = []
    for level, variants in by_level.items():
        region = space.region(variants, rule.hooks)
        name = f"degree {level + 1} ({rule.levels[level].indicator})" if len(by_level) > 1 else "this rule"
        if not region:
            yield f"{name} can never hold: its conditions exclude one another"
        elif level and space.within(region, earlier):
            yield f"{name} is never reached: a degree before it holds whenever it does"
        earlier += region
        if file.shape.levels:
            yield from _idle(file.shape.levels[level].when, variants, names, space)
    yield from _idle(file.shape.when, rule.variants, names, space)


def _idle(when: Conditions, variants: Sequence[Variant], names: Names, space: Space) -> Iterator[str]:
    """Alternatives, of which one is enough, that decide nothing in any of ``variants``."""
    alive = {test.text for v in variants for b in v.branches if space.box(b) is not None for test in b}
    texts = [text for item in when if isinstance(item, AnyOf) for text in item.any]
    for text in texts if alive else ():
        if not any(fill(text, names.values(variant.row)) in alive for variant in variants):
            yield f"the alternative `{text}` decides nothing: it cannot hold with the rest, or asks for more than another"


def together(knowledge: Knowledge) -> Iterator[tuple[str, str]]:
    """Pairs of rules that speak whenever the other does, on the same hooks."""
    space = Space(knowledge)
    whole = {rule.id: space.region(rule.variants, rule.hooks) for rule in knowledge.rules}
    speaks = {
        rule.id: space.without(whole[rule.id], [box for other in rule.yields_to for box in whole.get(other, [])])
        for rule in knowledge.rules
    }
    ids = [rule.id for rule in knowledge.rules]
    for at, one in enumerate(ids):
        for other in ids[at + 1 :]:
            if speaks[one] and space.within(speaks[one], speaks[other]) and space.within(speaks[other], speaks[one]):
                yield one, other
