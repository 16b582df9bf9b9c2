"""The graph of facts: built and checked once, when the program is loaded, and never changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from operator import itemgetter
from types import ModuleType
from typing import Any

import msgspec

from cds.plan.declare import AnyFact, Fact, Numbers, Unknown

_NAMED = re.compile(r"\{(\w+)\}")
_MAYBE = " | Unknown"
Read = tuple[str, str]
"""What comes through a door: its kind (number, valueset, test ...) and a name."""


class DeclarationError(TypeError):
    """Facts that contradict one another or read what does not exist; ``str`` says which, and where."""


class Door(msgspec.Struct, frozen=True):
    """Access to data that is not a fact. ``open`` takes an argument's name and returns a reader; ``reads`` says what it covers."""

    open: Callable[[str], Callable[[Any], Any]]
    reads: Callable[[str], tuple[Read, ...]]
    constant: bool = False  # depends on the knowledge alone
    empty: Any = None  # what it gives if nothing that it reads is on the chart; None: it must be opened to know


class Opened(msgspec.Struct, frozen=True):
    """A door as one argument opens it."""

    open: Callable[[Any], Any]
    reads: tuple[Read, ...]
    constant: bool
    door: Door


class Step(msgspec.Struct, frozen=True):
    """How one fact or part is computed: an Unknown among ``needs`` is its answer; ``none`` is the answer for an empty list."""

    function: Callable[..., Any]
    arguments: tuple[str, ...]
    needs: tuple[str, ...]
    take: Callable[[Any], Sequence[Any]]
    rounds: bool
    none: Unknown | None


class Plan:
    """Every fact of the modules, with what it reads.

    ``modules`` names for each module the part that must have an answer before any of its facts is computed. ``doors`` are by
    type, ``givens`` by name with their type. ``inquiries``: an argument of type ``Told`` holds the answers of the facts that
    another argument names, for facts that only the knowledge can name.

    Raises:
        DeclarationError: two facts of one name, a cycle, an argument that nothing gives, a type other than that of its source, or a
            meaning that names a number which the fact does not read.
    """

    def __init__(
        self,
        modules: Mapping[ModuleType, str],
        doors: Mapping[str, Door],
        givens: Mapping[str, tuple[str, Door]],
        inquiries: Mapping[str, str],
    ) -> None:
        self._kinds, self._givens, self.inquiries = doors, givens, inquiries
        self.facts: dict[str, AnyFact] = {}
        self._groups: dict[type[Numbers], Door] = {}
        self.doors: dict[str, Opened] = {}
        gate_of: dict[str, str] = {}
        self._reads: dict[str, frozenset[Read]] = {}
        self._needs: dict[str, frozenset[str]] = {}
        for module, gate in modules.items():
            for fact in _declared(module):
                if fact.name in self.facts:
                    raise DeclarationError(f"{_place(fact)} is declared in {_module(self.facts[fact.name])}, too")
                self.facts[fact.name] = fact
                gate_of[fact.name] = gate if fact.type else ""
        self.steps = {name: self._step(fact, gate_of[name]) for name, fact in self.facts.items()}
        self._check_cycles()
        self._check_meanings()
        self.told = dict.fromkeys(name for name, fact in self.facts.items() if fact.type).keys()

    def _step(self, fact: AnyFact, gate: str) -> Step:
        kinds = {each: str(kind) for each, kind in fact.function.__annotations__.items() if each != "return"}
        for argument, kind in kinds.items():
            self._check(fact, argument, kind)
        needs = [each for each, kind in kinds.items() if each in self.facts and _MAYBE not in kind]
        gates = [gate] if gate else []
        none = Unknown(fact.none) if fact.none else None
        return Step(fact.function, tuple(kinds), (*gates, *needs), _taking(tuple(kinds)), fact.type == "number", none)

    def _check(self, fact: AnyFact, argument: str, kind: str) -> None:
        """Check that something gives an argument, and that it has this type."""
        if argument in self.facts:
            gives = _gives(self.facts[argument])
            if argument in self._givens:
                raise DeclarationError(f"{_place(self.facts[argument])} has the name of something that is given")
            if gives != kind.replace(_MAYBE, ""):
                raise DeclarationError(f"{_place(fact)} takes {argument} as {kind}, but it is {gives}")
        elif argument in self.inquiries and kind == "Told":
            named = self.inquiries[argument]
            self._open(fact, named, self._givens[named][1])
        elif argument in self._givens:
            gives, door = self._givens[argument]
            if gives != kind:
                raise DeclarationError(f"{_place(fact)} takes {argument} as {kind}, but it is {gives}")
            self._open(fact, argument, door)
        else:
            self._open(fact, argument, self._door(fact, argument, kind))

    def _open(self, fact: AnyFact, argument: str, door: Door) -> None:
        opened = self.doors.get(argument)
        if opened is None:
            self.doors[argument] = Opened(door.open(argument), door.reads(argument), door.constant, door)
        elif opened.door is not door:
            raise DeclarationError(f"{_place(fact)} takes {argument}, which is something else for other facts")

    def _door(self, fact: AnyFact, argument: str, kind: str) -> Door:
        if kind in self._kinds:
            return self._kinds[kind]
        group = fact.function.__globals__.get(kind)
        if isinstance(group, type) and issubclass(group, Numbers):
            return self._groups.setdefault(group, group_door(group, self._kinds))
        raise DeclarationError(f"{_place(fact)} takes {argument} as {kind}: there is no such fact, and no such door")

    def _check_cycles(self) -> None:
        asks = {
            name: [each for each in (*step.needs, *step.arguments) if each in self.facts]
            for name, step in self.steps.items()
        }
        try:
            TopologicalSorter(asks).prepare()
        except CycleError as error:
            raise DeclarationError("facts that need one another: " + " -> ".join(reversed(error.args[1]))) from None

    def _check_meanings(self) -> None:
        for name, fact in self.facts.items():
            for number in _NAMED.findall(fact.meaning):
                if number not in {named for _, named in self._all_reads(name)}:
                    raise DeclarationError(f"the meaning of {_place(fact)} names {{{number}}}, which it does not read")

    @cached_property
    def empties(self) -> dict[str, Any]:
        """The arguments for which most charts have nothing, each with its value in that case."""
        return {name: each.door.empty for name, each in self.doors.items() if each.door.empty is not None}

    @cached_property
    def filled(self) -> dict[Read, tuple[str, ...]]:
        """Which of the arguments in ``empties`` something on a chart fills, by what it is."""
        found: dict[Read, list[str]] = {}
        for name in self.empties:
            for read in self.doors[name].reads:
                found.setdefault(read, []).append(name)
        return {read: tuple(several) for read, several in found.items()}

    @cached_property
    def constants(self) -> tuple[str, ...]:
        """The arguments that depend on the knowledge alone."""
        return tuple(name for name, door in self.doors.items() if door.constant)

    def reads(self, name: str) -> frozenset[Read]:
        """All that a fact reads, by itself or by what it needs: what a signature covers."""
        if name not in self._reads:
            self._reads[name] = frozenset(self._all_reads(name))
        return self._reads[name]

    def needs(self, name: str) -> frozenset[str]:
        """The facts and parts that a fact depends on, including itself."""
        if name not in self._needs:
            found: set[str] = set()
            waiting = [name]
            while waiting:
                each = waiting.pop()
                if each in self.steps and each not in found:
                    found.add(each)
                    waiting += (*self.steps[each].arguments, *self.steps[each].needs)
            self._needs[name] = frozenset(found)
        return self._needs[name]

    def _all_reads(self, name: str) -> Iterator[Read]:
        for each in self.needs(name):
            for argument in self.steps[each].arguments:
                argument = self.inquiries.get(argument, argument)
                if argument in self.doors:
                    yield from self.doors[argument].reads


def _declared(module: ModuleType) -> list[AnyFact]:
    """The facts that a module declares, in its order; those that it imports belong to another module."""
    return [each for each in vars(module).values() if isinstance(each, Fact) and _module(each) == module.__name__]


def group_door(group: type[Numbers], kinds: Mapping[str, Door]) -> Door:
    """The door to a group of constants, each field read through its own door."""
    fields: Sequence[tuple[str, str]] = [
        (name, "Days" if str(kind) == "int" else "Number") for name, kind in group.__annotations__.items()
    ]

    def opened(_: str) -> Callable[[Any], Numbers]:
        return lambda source: group(*(kinds[kind].open(name)(source) for name, kind in fields))

    def reads(_: str) -> tuple[Read, ...]:
        return tuple(read for name, kind in fields for read in kinds[kind].reads(name))

    return Door(opened, reads, constant=True)


def _taking(arguments: tuple[str, ...]) -> Callable[[Any], Sequence[Any]]:
    """Takes the arguments out of a case."""
    if not arguments:
        return lambda case: ()
    if len(arguments) == 1:
        return lambda case: (case[arguments[0]],)
    return itemgetter(*arguments)


def _gives(fact: AnyFact) -> str:
    """What a fact gives, as an argument would write it."""
    kind = str(fact.function.__annotations__.get("return", ""))
    return kind.removeprefix("Answer[").removesuffix("]") if kind.startswith("Answer[") else kind


def _module(fact: AnyFact) -> str:
    return str(fact.function.__module__)


def _place(fact: AnyFact) -> str:
    return f"{_module(fact)}.{fact.name}"
