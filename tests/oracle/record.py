"""What a record is to the oracle: plain lists of orders, values and events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, order=True)
class When:
    """A day, and the instant where the record has one; midnight is a date, not a time (fhir.md)."""

    day: date
    at: datetime | None = None


@dataclass(frozen=True)
class Dose:
    """So many mg an intake, so many intakes in a period of so many days."""

    mg: Decimal
    times: int = 1
    days: int = 1

    @property
    def per_day(self) -> Decimal | None:
        """Mg a day only for a daily rhythm (rule-semantics, Dose)."""
        return self.mg * self.times if self.days == 1 else None

    @property
    def one_day(self) -> Decimal:
        """The mg of one day in any rhythm."""
        return self.mg * self.times if self.days == 1 else self.mg

    @property
    def mean(self) -> Decimal:
        """The mg of a day on the average, to say which of two rhythms is more."""
        return self.mg * self.times / self.days

    def same(self, other: Dose) -> bool:
        """The same amount a day, however often a day; or the same amount in the same other rhythm."""
        if self.days == other.days == 1:
            return self.per_day == other.per_day
        return self == other

    @property
    def interval(self) -> Decimal:
        """Hours between two intakes."""
        return Decimal(24) * self.days / self.times


@dataclass
class Order:
    """A MedicationRequest of one drug."""

    id: str
    code: str
    status: str
    start: date
    end: date | None
    authored: date
    dose: Dose | None
    group: str | None
    prior: list[str]
    itp: bool
    draft: bool
    step: bool = False


@dataclass
class Value:
    """An Observation with a number."""

    code: str
    when: When
    value: Decimal
    comparator: str
    status: str
    specimen: str
    unit: str
    printed: Decimal
    upper: Decimal | None = None
    method: str = ""


@dataclass(frozen=True)
class Problem:
    """A Condition that is not refuted: what it is, whether it is active, since when, and whether it is said to be mild."""

    id: str
    kind: str
    active: bool
    start: date | None
    mild: bool = False


@dataclass(frozen=True)
class Test:
    """A test that was done, and whether it was positive where that was said."""

    code: str
    when: When
    positive: bool | None


@dataclass(frozen=True)
class Wanted:
    """A ServiceRequest or an Appointment: something ordered or booked, when it was written and for which day."""

    code: str
    written: date | None
    due: date | None
    draft: bool = False


@dataclass
class Record:
    """Everything that the rules of the oracle look at."""

    hook: str
    today: date
    now: datetime
    birth: date
    orders: list[Order] = field(default_factory=list)
    given: list[tuple[str, When]] = field(default_factory=list)
    missed: list[When] = field(default_factory=list)
    held: list[When] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    clumps: list[When] = field(default_factory=list)
    itp: bool = False
    bleeds: list[date] = field(default_factory=list)
    transfusions: list[When] = field(default_factory=list)
    splenectomies: list[date] = field(default_factory=list)
    operated: list[date] = field(default_factory=list)
    statuses: list[tuple[When, bool]] = field(default_factory=list)
    level_ordered: bool = False
    level_ahead: bool = False
    unselected: list[Order] = field(default_factory=list)
    gender: str = ""
    problems: list[Problem] = field(default_factory=list)
    tests: list[Test] = field(default_factory=list)
    grades: list[tuple[When, int]] = field(default_factory=list)
    stated: list[Order] = field(default_factory=list)
    allergies: list[tuple[str, str]] = field(default_factory=list)
    operations: list[Wanted] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)

    @property
    def ordering(self) -> bool:
        """Whether the question comes from an order hook."""
        return self.hook != "patient-view"

    def age(self, on: date) -> int:
        """Whole years on a day."""
        return on.year - self.birth.year - ((on.month, on.day) < (self.birth.month, self.birth.day))
