"""How a fact is declared: a function whose arguments are what it reads, under a decorator that says what it means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Generic, Literal, ParamSpec, TypeAlias, TypeVar

import msgspec

from cds.compiled.bound import Bound

P = ParamSpec("P")
T = TypeVar("T")
FactType = Literal["number", "code", "flag", "names", "text"]


class Known(msgspec.Struct, Generic[T], frozen=True):
    """A value with the resources it comes from and, where they have one, its day and what the record itself says."""

    value: T
    references: Sequence[str] = ()
    on: date | None = None
    report: Callable[[], str] | None = None  # asked when a card says it


class Named(msgspec.Struct, frozen=True):
    """One thing in a fact that is a list: an interacting drug, a gap."""

    name: str
    note: str = ""
    references: tuple[str, ...] = ()
    fact: str = ""  # for a gap: what it keeps from being judged
    draft: bool = False  # an order that is being written


class Unknown(msgspec.Struct, frozen=True):
    """Why there is no value. A fact that needs the value is unknown for the same reason.

    ``gap`` is reported to the clinician if a rule of the hook needs the value; without a gap, nothing is missing. ``of`` is the
    resource type that would give the value: if no resource of that type was supplied, only that is reported.
    """

    reason: str
    gap: Named | None = None
    of: str = ""


Answer: TypeAlias = T | Known[T] | Unknown


class Numbers(msgspec.Struct, frozen=True):
    """Base of groups of constants: each field is the definition, or the number of the protocol, of that name.

    A field of type ``int`` counts days or years, one of type ``Decimal`` is the number as it is.
    """


Days: TypeAlias = int
"""The type of an argument that is a definition, or a number of the protocol, which counts days or years."""
Number: TypeAlias = Decimal
"""The type of an argument that is a definition, or a number of the protocol, as it is."""


class Fact(msgspec.Struct, Generic[P, T], frozen=True):
    """A fact that rules may name or, without a ``type``, a part that facts share.

    ``meaning`` refers to numbers of definitions and protocol by ``{name}``. ``number`` facts carry a unit and the ``step`` by which
    cases and mutants move them; ``code`` facts one of ``codes``; ``flag`` facts true or false; ``names`` facts a list of named
    things (a rule can only ask whether there are any), which is unknown for the reason ``none`` when it is empty; ``text``
    facts are shown and never compared. ``report`` says what replaces ``{name as reported}`` in a text.
    """

    function: Callable[P, T]
    type: FactType | Literal[""] = ""
    meaning: str = ""
    unit: str = ""
    step: str = "1"
    codes: str = ""
    none: str = ""
    inner: bool = False
    bounded: bool = False
    report: str = ""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.function(*args, **kwargs)

    @property
    def name(self) -> str:
        """The name of the function is the name of the fact."""
        return self.function.__name__


def part(function: Callable[P, T]) -> Fact[P, T]:
    """Something that facts share and that no rule can name."""
    return Fact(function)


def number(
    unit: str, step: str, meaning: str, *, report: str = "", inner: bool = False
) -> Callable[[Callable[P, Answer[Decimal]]], Fact[P, Answer[Decimal]]]:
    """A fact that is a number. ``inner``: only other facts read it."""
    return lambda function: Fact(function, "number", meaning, unit, step, inner=inner, report=report)


def bounded_number(
    unit: str, step: str, meaning: str, *, report: str
) -> Callable[[Callable[P, Answer[Decimal | Bound]]], Fact[P, Answer[Decimal | Bound]]]:
    """A number of which a laboratory may report only a bound; a comparison holds only if it holds for every number within the bound."""
    return lambda function: Fact(function, "number", meaning, unit, step, bounded=True, report=report)


def code(
    codes: str, meaning: str, *, report: str = "", inner: bool = False
) -> Callable[[Callable[P, Answer[str]]], Fact[P, Answer[str]]]:
    """A fact that is one of the words ``codes``."""
    return lambda function: Fact(function, "code", meaning, codes=codes, inner=inner, report=report)


def flag(meaning: str, *, report: str = "") -> Callable[[Callable[P, Answer[bool]]], Fact[P, Answer[bool]]]:
    """A fact that is true or false."""
    return lambda function: Fact(function, "flag", meaning, report=report)


def names(
    meaning: str, *, none: str, inner: bool = False
) -> Callable[[Callable[P, Answer[list[Named]]]], Fact[P, Answer[list[Named]]]]:
    """A fact that lists things; its evidence is that of its items."""
    return lambda function: Fact(function, "names", meaning, none=none, inner=inner)


def text(meaning: str) -> Callable[[Callable[P, Answer[str]]], Fact[P, Answer[str]]]:
    """A fact that is shown and never compared."""
    return lambda function: Fact(function, "text", meaning)


class Told(msgspec.Struct, frozen=True):
    """The answers of facts that only the knowledge can name: the ``values`` of those that have one, with what they come from, and
    why the others have none."""

    values: dict[str, Any]
    known: Mapping[str, Known[Any]]
    unknown: list[Unknown] = []

    def references(self, name: str) -> tuple[str, ...]:
        """The resources that a value comes from; for a list, those of its items."""
        value, known = self.values.get(name), self.known.get(name)
        named = known.references if known is not None else _of_items(value)
        return tuple(dict.fromkeys(filter(None, named)))

    def on(self, name: str) -> date | None:
        """The day of a value."""
        known = self.known.get(name)
        return known.on if known is not None else None


def _of_items(value: Any) -> list[str]:
    return [reference for item in value for reference in item.references] if type(value) is list else []


AnyFact: TypeAlias = Fact[Any, Any]
