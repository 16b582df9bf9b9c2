"""The answers about one patient: each is computed once, when it is first asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, TypeVar, cast

from cds.compiled.bound import FINEST, Bound
from cds.compiled.template import AS_REPORTED
from cds.plan.declare import Fact, Known, Told, Unknown
from cds.plan.plan import Plan, Read

T = TypeVar("T")


class Case(dict[str, Any]):
    """The answers for one request, used by one thread. A missing key is computed: a fact, a part, or what a door gives."""

    def __init__(self, plan: Plan, source: Any, constants: Mapping[str, Any], present: Iterable[Read]) -> None:
        """``present``: what is on the chart, as doors name it; for what is not there, no door needs to be opened."""
        super().__init__(constants)
        self.update(plan.empties)
        for each in present:
            for argument in plan.filled.get(each, ()):
                self.pop(argument, None)
        self._plan, self._source, self._steps = plan, source, plan.steps
        self.known: dict[str, Known[Any]] = {}

    def __missing__(self, name: str) -> Any:
        step = self._steps.get(name)
        if step is None:
            door = self._plan.doors.get(name)
            given = self[name] = door.open(self._source) if door is not None else self._told(name)
            return given
        for need in step.needs:
            answer = self[need]
            if type(answer) is Unknown:
                self[name] = answer
                return answer
        answer = step.function(*step.take(self))
        known = answer if type(answer) is Known else None
        if known is not None:
            answer = known.value
        if step.rounds and type(answer) is Decimal:
            answer = answer.quantize(FINEST, ROUND_HALF_EVEN)
        elif type(answer) is Bound:
            answer = Bound(answer.comparator, answer.number.quantize(FINEST, ROUND_HALF_EVEN))
        elif step.none is not None and not answer:
            known, answer = None, step.none
        if known is not None:
            self.known[name] = known
        self[name] = answer
        return answer

    def _told(self, inquiry: str) -> Told:
        """The answers of the facts that an inquiry names."""
        told = Told({}, self.known, [])
        for name in self[self._plan.inquiries[inquiry]]:
            answer = self[name]
            if type(answer) is Unknown:
                told.unknown.append(answer)
            else:
                told.values[name] = answer
        return told

    def of(self, fact: Fact[..., T]) -> T:
        """The answer of a part."""
        return cast(T, self[fact.name])


class Facts:
    """The facts about one patient now.

    ``compared`` holds what the engines compare. The other mappings hold every fact, including texts, each computed when it is
    asked for: its value (``values``), the resources that the value comes from (``evidence``), its day (``dates``), or why it is
    not known (``absent``).
    """

    __slots__ = ("_case", "_compared", "_wanted", "absent", "dates", "evidence", "values")

    def __init__(self, case: Case, names: Collection[str], compared: Iterable[str]) -> None:
        self._case, self._wanted = case, compared
        self._compared: dict[str, Any] | None = None
        self.values: Mapping[str, Any] = _Values(case, names)
        self.evidence: Mapping[str, tuple[str, ...]] = _Evidence(case, names)
        self.dates: Mapping[str, date] = _Dates(case, names)
        self.absent: Mapping[str, str] = _Absent(case, names)

    @property
    def compared(self) -> dict[str, Any]:
        """What the engines compare, computed on first use, so that a caller that needs one fact does not compute all of them."""
        if self._compared is None:
            case = self._case
            self._compared = {name: answer for name in self._wanted if type(answer := case[name]) is not Unknown}
        return self._compared


class _View(Mapping[str, T]):
    """One aspect of every fact, as a mapping; a name without that aspect is not in it."""

    def __init__(self, case: Case, names: Collection[str]) -> None:
        self._case, self._names = case, names

    @abstractmethod
    def get(self, name: str, default: Any = None) -> Any:
        """That aspect of a fact, or ``default``."""

    def __getitem__(self, name: str) -> T:
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return cast(T, found)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._names if self.get(name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Values(_View[Any]):
    """The values; for ``{name} as reported``, what the record itself says about a value."""

    def get(self, name: str, default: Any = None) -> Any:
        if name not in self._names:
            return self._reported(name) or default
        answer = self._case[name]
        return default if type(answer) is Unknown else answer

    def _reported(self, name: str) -> str:
        fact = name.removesuffix(AS_REPORTED)
        known = self._case.known.get(fact) if fact in self._names and type(self._case[fact]) is not Unknown else None
        return known.report() if known is not None and known.report is not None else ""


class _Evidence(_View[tuple[str, ...]]):
    def get(self, name: str, default: Any = None) -> Any:
        if name not in self._names or type(self._case[name]) is Unknown:
            return default
        return Told(self._case, self._case.known).references(name) or default


class _Dates(_View[date]):
    def get(self, name: str, default: Any = None) -> Any:
        if name not in self._names or type(self._case[name]) is Unknown:
            return default
        return Told(self._case, self._case.known).on(name) or default


class _Absent(_View[str]):
    def get(self, name: str, default: Any = None) -> Any:
        answer = self._case[name] if name in self._names else None
        return answer.reason if type(answer) is Unknown else default
