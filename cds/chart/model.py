"""The chart: what the record says about one patient, in the form that the facts need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal

import msgspec

from cds.chart.numbers import Amount
from cds.chart.times import BirthDate, Moment


class Unread(msgspec.Struct, frozen=True):
    """Something in the record that could not be read. ``reason`` contains no patient data."""

    reference: str
    reason: str
    subject: str  # the fact or topic it keeps from being judged
    at: str = ""  # the element in question, as a FHIR path within the resource
    draft: bool = False


class Lab(msgspec.Struct, frozen=True):
    """One observation that the rules need. ``amount`` is None when it could not be read (``problem`` says why)."""

    reference: str
    name: str  # level, trough, platelets, weight, height, hcg, treg, clumps, bleeding-grade
    status: str
    moment: Moment | None
    amount: Amount | None = None
    problem: str = ""
    at: str = ""  # the element that has the problem
    wrong_specimen: str = ""
    code: str = ""
    positive: bool = False
    identifiers: tuple[str, ...] = ()
    assay: str = ""  # immunoassay or mass spectrometry, where the result says so
    upper: Decimal | None = None  # the laboratory's upper limit, in our unit
    site: str = ""  # on the body, as it was written; only for bleeding grades
    since: Moment | None = None  # of a grade that goes on: a grade after this moment would end it
    due: date | None = None  # the day that a pregnancy is expected to end
    issued: str = ""  # when the result was released, as it was written; of several corrections the last one counts
    by_name: bool = False  # recognised by its laboratory's name for it, without a code
    lower_is_worse: bool = False  # whether low values, not high ones, are the harmful side


class Dose(msgspec.Struct, frozen=True):
    """What a dosage instruction says. ``per_day`` only for a daily rhythm; ``problem`` when not understood."""

    per_day: Decimal | None = None
    per_intake: Decimal | None = None
    on_one_day: Decimal | None = None
    rhythm: str = ""
    interval_hours: Decimal | None = None
    mean: Decimal | None = None  # mg a day on average, whatever the rhythm
    parts: tuple[Decimal, ...] = ()  # mg of each of several intakes that differ
    clock: tuple[time, ...] = ()  # the times of day at which it is taken, where the order gives each
    problem: str = ""
    at: str = ""  # the element that has the problem


class Order(msgspec.Struct, frozen=True):
    """One order (or statement) of oral sirolimus."""

    reference: str
    id: str
    status: str
    draft: bool
    selected: bool  # on order-select, whether this draft is among the selections
    authored: Moment | None
    start: Moment | None
    end: Moment | None
    dose: Dose
    strength: Decimal | None  # mg in one tablet
    liquid: bool
    group: str
    prior: tuple[str, ...]
    by_name: bool
    for_itp: bool
    for_other: str  # another disease for which its reason says that sirolimus is given
    updated: Moment | None = None  # when the server last stored it, of an active order; what changed then is not known


class DrugUse(msgspec.Struct, frozen=True):
    """Another drug that the rules name: ordered, stated or given."""

    reference: str
    valueset: str
    name: str
    status: str
    draft: bool
    start: Moment | None
    end: Moment | None
    selected: bool = True
    repeats: bool = False  # ordered repeatedly, not once
    given: bool = False  # a MedicationAdministration
    per_day: Decimal | None = None
    by_name: bool = False
    as_needed: bool = False
    washout: str = ""  # of a drug that raises platelets: the definition that says for how long


class Intake(msgspec.Struct, frozen=True):
    """A dose of sirolimus that was given, at a known time."""

    reference: str
    moment: Moment


class Problem(msgspec.Struct, frozen=True):
    """A condition that the rules need."""

    reference: str
    name: str  # itp, bleeding, pregnant; of an allergy: sirolimus-allergy, soya-or-peanut
    active: bool
    onset: Moment | None
    end: Moment | None
    display: str
    recorded: bool = False  # the date is when it was recorded, not its onset
    status: str = ""  # the clinical status as FHIR has it: active, remission, resolved ...
    also: str = ""  # a diagnosis that a protocol may count as its own
    severity: str = ""  # mild, moderate or severe, where the record says so


class Event(msgspec.Struct, frozen=True):
    """A procedure that the rules need."""

    reference: str
    name: str
    moment: Moment | None


class Plan(msgspec.Struct, frozen=True):
    """A planned operation."""

    reference: str
    display: str
    day: Moment
    draft: bool


class Chart(msgspec.Struct, frozen=True):
    """Everything that the rules need: what was read, and what could not be read. It is never changed."""

    patient_id: str
    birth: BirthDate | None
    gender: str
    deceased: bool
    patient_reference: str
    orders: tuple[Order, ...]
    intakes: tuple[Intake, ...]
    missed: tuple[Intake, ...]  # doses that are documented as not given
    held: tuple[Intake, ...]  # doses that are documented as held
    denied: tuple[Intake, ...]  # statements that it is not taken, is on hold or was stopped, with their days
    drugs: tuple[DrugUse, ...]
    labs: Mapping[str, tuple[Lab, ...]]
    problems: tuple[Problem, ...]
    events: tuple[Event, ...]
    plans: tuple[Plan, ...]
    allergies: tuple[Problem, ...]
    test_orders: Mapping[str, tuple[tuple[str, Moment | None], ...]]  # open orders by result, with since when
    unread: tuple[Unread, ...]
    left_out: tuple[Unread, ...]  # needed by the rules and read, but rightly not counted
    not_supplied: tuple[str, ...]
    incomplete: tuple[tuple[str, str], ...]  # a type of resource, and why some of it is missing

    def lab(self, *names: str) -> list[Lab]:
        """The observations of these names, in no particular order."""
        return [lab for name in names for lab in self.labs.get(name, ())]

    def ordered(self, *names: str) -> list[str]:
        """The open orders of these tests, each once."""
        return sorted({reference for name in names for reference, _ in self.test_orders.get(name, ())})

    def awaited(self, *names: str) -> bool:
        """Whether an open order of these tests still waits for its result: none has come since it was written, or is to be drawn.

        A result of the same day answers an order only if both have a time: it may be the reason for the order.
        """
        orders = [since for name in names for _, since in self.test_orders.get(name, ())]
        came = [lab.moment for lab in self.lab(*names) if lab.moment is not None and not lab.problem]
        day = max((moment.day for moment in came), default=None)
        at = max((moment.at for moment in came if moment.at is not None), default=None)
        return any(not _answered(since, day, at) for since in orders)


@dataclass(slots=True)
class Gathered:
    """A chart while its resources are read, one after the other."""

    patient_id: str
    birth: BirthDate | None = None
    gender: str = ""
    deceased: bool = False
    patient_reference: str = ""
    orders: list[Order] = field(default_factory=list)
    intakes: list[Intake] = field(default_factory=list)
    missed: list[Intake] = field(default_factory=list)
    held: list[Intake] = field(default_factory=list)
    denied: list[Intake] = field(default_factory=list)
    drugs: list[DrugUse] = field(default_factory=list)
    labs: dict[str, list[Lab]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    allergies: list[Problem] = field(default_factory=list)
    test_orders: dict[str, list[tuple[str, Moment | None]]] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)
    left_out: list[Unread] = field(default_factory=list)
    not_supplied: tuple[str, ...] = ()
    incomplete: tuple[tuple[str, str], ...] = ()

    def frozen(self) -> Chart:
        """What was gathered, as a chart that is never changed."""
        return Chart(
            self.patient_id,
            self.birth,
            self.gender,
            self.deceased,
            self.patient_reference,
            tuple(self.orders),
            tuple(self.intakes),
            tuple(self.missed),
            tuple(self.held),
            tuple(self.denied),
            tuple(self.drugs),
            {name: tuple(several) for name, several in self.labs.items()},
            tuple(self.problems),
            tuple(self.events),
            tuple(self.plans),
            tuple(self.allergies),
            {name: tuple(several) for name, several in self.test_orders.items()},
            tuple(self.unread),
            tuple(self.left_out),
            self.not_supplied,
            self.incomplete,
        )


def _answered(since: Moment | None, day: date | None, at: datetime | None) -> bool:
    """Whether the newest result, of that day and that time, came after an order."""
    if since is None or day is None:
        return False
    return day > since.day or (at is not None and since.at is not None and at > since.at)
