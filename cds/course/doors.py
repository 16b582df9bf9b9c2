"""The doors through which facts read a chart and the knowledge: what each provides, and what a signature covers through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from cds.chart.model import Chart, DrugUse, Lab, Problem
from cds.chart.reader import ALLERGENIC_DRUGS, ALLERGENIC_FOODS
from cds.chart.samples import distinct
from cds.compiled.knowledge import Knowledge
from cds.course.episodes import Episode, Renewals, episodes_of
from cds.course.patient import Joining, Patient
from cds.plan.declare import Numbers
from cds.plan.plan import Door, Read


class Source(msgspec.Struct, frozen=True):
    """What the doors read: one chart, and the knowledge it is judged by."""

    chart: Chart
    knowledge: Knowledge
    patient: Patient
    renewals: Renewals
    problems: Mapping[str, list[Problem]]  # by name
    uses: Mapping[str, list[DrugUse]]  # by value set
    samples: dict[str, list[Lab]]  # by test, as ``_samples`` computed them
    rests: tuple[str, ...]  # the facts and parts that the rules of the hook depend on


def source_of(
    chart: Chart, knowledge: Knowledge, patient: Patient, renewals: Renewals, rests: tuple[str, ...]
) -> Source:
    """A chart with its conditions and drugs grouped, because many doors read them."""
    problems: dict[str, list[Problem]] = {}
    for problem in chart.problems:
        problems.setdefault(problem.name, []).append(problem)
    uses: dict[str, list[DrugUse]] = {}
    for use in chart.drugs:
        uses.setdefault(use.valueset, []).append(use)
    return Source(chart, knowledge, patient, renewals, problems, uses, {}, rests)


class Ground(NamedTuple):
    """What is read by doors that depend only on the knowledge. ``needs``: by hook and test, the facts of its rules."""

    knowledge: Knowledge
    needs: Mapping[str, Mapping[str, str]]


def present(source: Source) -> set[Read]:
    """What is on a chart, as the doors name it."""
    chart = source.chart
    found = {("condition", name) for name in source.problems} | {("valueset", name) for name in source.uses}
    found |= {("test", name) for name in (*chart.labs, *chart.test_orders)}
    found |= {("valueset", item.subject) for item in chart.unread}
    return found | {("procedure", event.name) for event in chart.events}


def number(knowledge: Knowledge, name: str) -> Decimal:
    """A definition or a number of the protocol. KeyError if there is neither."""
    found = knowledge.definitions.get(name)
    return found if found is not None else knowledge.protocol.numbers[name]


def _named(argument: str) -> str:
    """What an argument is called in the data: without its last word, with hyphens."""
    return argument.rpartition("_")[0].replace("_", "-")


def _roles(argument: str) -> list[str]:
    return [role.replace("_", " ") for role in argument.rpartition("_")[0].split("_or_")]


def _samples(source: Source, test: str) -> list[Lab]:
    """One result for each sample, the worse of two that differ; computed once for all callers."""
    found = source.samples.get(test)
    if found is None:
        found = source.samples[test] = distinct(source.chart.labs.get(test, ()), worse=True)
    return found


def _results(source: Source, test: str) -> list[Lab]:
    """Final results that are judged; the list ends at a bound that may be harmless."""
    found: list[Lab] = []
    for lab in _samples(source, test):
        if lab.status == "preliminary" or lab.amount is None:
            continue
        tells = "<" if lab.lower_is_worse else ">"
        if lab.amount.comparator and lab.amount.comparator[0] != tells:
            break
        found.append(lab)
    return found


def _history(source: Source, test: str) -> list[Lab]:
    """Final results that others are compared with, which must be exact."""
    labs = distinct(source.chart.labs.get(test, ()))
    return [lab for lab in labs if lab.status != "preliminary" and lab.amount and not lab.amount.comparator]


def _uses(source: Source, valuesets: Sequence[str]) -> list[DrugUse]:
    """The uses of drugs of several value sets, in the order of the chart."""
    if source.uses.keys().isdisjoint(valuesets):
        return []
    return [use for use in source.chart.drugs if use.valueset in valuesets]


def _episodes(source: Source, uses: Sequence[DrugUse]) -> list[Episode]:
    return episodes_of(uses, source.renewals, source.patient.now) if uses else []


def _settling(knowledge: Knowledge) -> dict[str, int]:
    """Days after which a level shows the effect of a drug that changes it, by value set."""
    return {name: int(knowledge.definitions[each.settles]) for name, each in knowledge.classes.items() if each.settles}


def _shown_after_stop(knowledge: Knowledge) -> dict[str, int]:
    """Days for which the stop of such a drug is reported, by value set."""
    classes = knowledge.classes.items()
    return {name: int(knowledge.definitions[each.shown_after_stop]) for name, each in classes if each.shown_after_stop}


def _speaks_days(knowledge: Knowledge) -> dict[str, int]:
    """Days for which a result of a test counts, by test."""
    return {each.name: int(knowledge.definitions[each.speaks]) for each in knowledge.measures.values() if each.speaks}


def _means(knowledge: Knowledge) -> dict[str, str]:
    """What each test is called."""
    return {each.name: each.means for each in knowledge.measures.values()}


def _withheld_days(knowledge: Knowledge) -> dict[str, int]:
    """Days for which a reason withholds a dose increase, by the definition that says so."""
    return {each.days: int(number(knowledge, each.days)) for each in knowledge.withheld if each.days}


def _washout_days(knowledge: Knowledge) -> dict[str, int]:
    """Days after its end for which a drug raises platelets: every definition, because each of these drugs names its own."""
    return {name: int(value) for name, value in knowledge.definitions.items()}


Reader = Callable[[Source], Any]


def _numbers(group: type[Numbers]) -> tuple[Read, ...]:
    return tuple(("number", name) for name in group.__annotations__)


_ALLERGENS: tuple[Read, ...] = tuple(("valueset", name) for name in (*ALLERGENIC_DRUGS, ALLERGENIC_FOODS))
_DOSES: tuple[Read, ...] = (("number", "dose_lowest"), ("number", "dose_highest"))
"""The bounds within which a dose of any drug is plausible; they are read with the chart."""
_TAKEN: tuple[Read, ...] = (*_DOSES, *_numbers(Renewals))
_COURSE: tuple[Read, ...] = (
    ("valueset", "sirolimus"),
    ("test", "level"),
    ("test", "trough"),
    *_DOSES,
    *_numbers(Joining),
)
"""What is read to describe a patient's sirolimus treatment."""


def _door(kind: str, opened: Callable[[str], Reader], *reads: Read) -> Door:
    """A door to what is on record under the name of an argument."""
    return Door(
        lambda argument: opened(_named(argument)), lambda argument: ((kind, _named(argument)), *reads), empty=()
    )


def _role_door(read: Callable[[Source, list[DrugUse]], Any], *reads: Read) -> Door:
    """A door to the drugs of a role, or of several."""

    def opened(argument: str) -> Reader:
        roles = _roles(argument)
        return lambda source: read(source, _uses(source, source.knowledge.with_role(*roles)))

    return Door(opened, lambda argument: (*(("role", role) for role in _roles(argument)), *reads))


def _given(read: Callable[[Any], Any], *reads: Read, constant: bool = False) -> Door:
    """A door that opens on one thing, whatever the argument is called."""
    return Door(lambda _: read, lambda _: reads, constant)


def _with_washout(source: Source) -> list[DrugUse]:
    return [use for use in source.chart.drugs if use.washout]


def _unit_of(test: str) -> Callable[[Ground], str]:
    return lambda ground: ground.knowledge.measures[test].unit


_NUMBER = Door(
    lambda name: lambda source: number(source.knowledge, name), lambda name: (("number", name),), constant=True
)
_DAYS = Door(
    lambda name: lambda source: int(number(source.knowledge, name)), lambda name: (("number", name),), constant=True
)
_OPEN_ORDERS = ("number", "test_order_counts")
"""For how long an order without a result counts: read with the chart."""
_WASHOUT = (("washout", ""),)
DOORS: dict[str, Door] = {
    "Days": _DAYS,
    "Number": _NUMBER,
    "Labs": _door("test", lambda test: lambda source: source.chart.labs.get(test, ())),
    "UnitOf": Door(
        lambda argument: _unit_of(_named(argument)), lambda argument: (("test", _named(argument)),), constant=True
    ),
    "Samples": _door("test", lambda test: lambda source: _samples(source, test)),
    "Results": _door("test", lambda test: lambda source: _results(source, test)),
    "History": _door("test", lambda test: lambda source: _history(source, test)),
    "TestOrders": _door("test", lambda test: lambda source: source.chart.ordered(test), _OPEN_ORDERS),
    "UnreadOf": _door("valueset", lambda name: lambda source: [u for u in source.chart.unread if u.subject == name]),
    "Problems": _door("condition", lambda name: lambda source: source.problems.get(name, ())),
    "Events": _door("procedure", lambda name: lambda source: [e for e in source.chart.events if e.name == name]),
    "Uses": _door("valueset", lambda name: lambda source: source.uses.get(name, ()), *_DOSES),
    "Episodes": _door("valueset", lambda name: lambda source: _episodes(source, source.uses.get(name, ())), *_TAKEN),
    "RoleUses": _role_door(lambda source, uses: uses, *_DOSES),
    "RoleEpisodes": _role_door(_episodes, *_TAKEN),
    "WashoutUses": _given(_with_washout, *_WASHOUT, *_DOSES),
    "WashoutEpisodes": _given(lambda source: _episodes(source, _with_washout(source)), *_WASHOUT, *_TAKEN),
}
"""By the type of an argument."""


def _of_knowledge(name: str) -> Door:
    return _given(lambda source: getattr(source.knowledge, name), ("knowledge", name), constant=True)


def _of_protocol(name: str) -> Door:
    return _given(lambda source: getattr(source.knowledge.protocol, name), ("protocol", name), constant=True)


def _of_chart(name: str, *reads: Read) -> Door:
    return _given(lambda source: getattr(source.chart, name), *reads)


def _days_of(read: Callable[[Knowledge], dict[str, int]], *reads: Read) -> tuple[str, Door]:
    """Days by name, from definitions that only the data name, not the program."""
    return "dict[str, int]", _given(lambda source: read(source.knowledge), *reads, constant=True)


def withheld_facts(knowledge: Knowledge) -> tuple[str, ...]:
    """The facts that the reasons to withhold a dose increase name."""
    tests = (test.fact for each in knowledge.withheld for branch in each.branches for test in branch)
    since = (each.since for each in knowledge.withheld if each.since)
    return tuple(dict.fromkeys((*tests, *since)))


GIVENS: dict[str, tuple[str, Door]] = {
    "patient": ("Patient", _given(lambda source: source.patient, *_COURSE)),
    "now": ("datetime", _given(lambda source: source.patient.now)),
    "chart": ("Chart", _given(lambda source: source.chart, ("chart", ""), _OPEN_ORDERS, *_DOSES)),
    "given": ("tuple[Intake, ...]", _of_chart("intakes", ("valueset", "sirolimus"))),
    "missed": ("tuple[Intake, ...]", _of_chart("missed", ("valueset", "sirolimus"))),
    "held": ("tuple[Intake, ...]", _of_chart("held", ("valueset", "sirolimus"))),
    "denied": ("tuple[Intake, ...]", _of_chart("denied", ("valueset", "sirolimus"))),
    "allergies": ("tuple[Problem, ...]", _of_chart("allergies", *_ALLERGENS)),
    "plans": ("tuple[Plan, ...]", _of_chart("plans", ("valueset", "surgery"))),
    "unread": ("tuple[Unread, ...]", _of_chart("unread", ("chart", ""))),
    # the only orders that begin later and are named, sirolimus apart, are of drugs that move the level
    "begins_later": ("tuple[Unread, ...]", _of_chart("unread", ("role", "inhibitor"), ("role", "inducer"))),
    "schedule": ("tuple[LabTest, ...]", _of_knowledge("tests")),
    "withheld": ("tuple[Withheld, ...]", _of_knowledge("withheld")),
    "withheld_facts": (
        "tuple[str, ...]",
        _given(lambda source: withheld_facts(source.knowledge), ("knowledge", "withheld"), constant=True),
    ),
    "heavy": ("dict[str, tuple[Decimal, ...]]", _of_knowledge("heavy")),
    "classes": ("dict[str, DrugClass]", _of_knowledge("classes")),
    "windows": ("tuple[Window, ...]", _of_protocol("windows")),
    "diagnoses": ("tuple[str, ...]", _of_protocol("diagnoses")),
    "yearly": ("bool", _of_protocol("yearly")),
    "settling": _days_of(_settling, ("knowledge", "classes")),
    "shown_after_stop": _days_of(_shown_after_stop, ("knowledge", "classes")),
    "withheld_days": _days_of(_withheld_days, ("knowledge", "withheld")),
    "washout_days": _days_of(_washout_days, ("washout", "")),
    "speaks_days": _days_of(_speaks_days, ("chart", "")),
    "called": ("dict[str, str]", _given(lambda source: _means(source.knowledge), ("chart", ""), constant=True)),
    # each rule is signed for what it compares: what all of them need is not part of the meaning of the rule that reports gaps
    "needs": ("Mapping[str, Mapping[str, str]]", _given(lambda ground: ground.needs, constant=True)),
    "rests": ("tuple[str, ...]", _given(lambda source: source.rests)),
}
"""By the name of an argument, with its type."""
INQUIRIES = {"told": "withheld_facts", "rested_on": "rests"}
"""By the name of an argument of type ``Told``, the argument that says which facts it holds."""
