"""Facts that contradict one another stop the load with a sentence; an unknown fact gives its reason to what needs it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from cds.plan.case import Case, Facts
from cds.plan.declare import Answer, Days, Fact, Known, Named, Numbers, Unknown, flag, names, number, part, text
from cds.plan.plan import DeclarationError, Door, Plan

DOORS = {"Days": Door(lambda name: lambda source: source[name], lambda name: (("number", name),), constant=True)}
GIVENS = {"weeks": ("int", Door(lambda name: lambda source: source[name], lambda name: (("record", name),)))}


def plan(*facts: Fact[Any, Any] | Callable[..., Any], gate: str = "", **more: Fact[Any, Any]) -> Plan:
    """A plan of facts that are declared in one module."""
    module = ModuleType(__name__)
    for fact in (*facts, *more.values()):
        assert isinstance(fact, Fact)
        setattr(module, fact.name, fact)
    return Plan({module: gate}, DOORS, GIVENS, {})


def case(of: Plan, **source: Any) -> Case:
    return Case(of, source, {}, ())


@number("day", "1", "days since the start, at most {most_days}")
def days(weeks: int, most_days: Days) -> Answer[Decimal]:
    if weeks < 0:
        return Unknown("the start lies ahead")
    return Known(Decimal(min(weeks * 7, most_days)), ["Order/1", "", "Order/1"])


@flag("more than a month")
def long(days: Decimal) -> Answer[bool]:
    return days > 30


@text("in words, also where it is not known")
def words(days: Decimal | Unknown) -> Answer[str]:
    return days.reason if isinstance(days, Unknown) else f"{days:.0f} days"


@names("what is new", none="nothing is new")
def news(long: bool) -> Answer[list[Named]]:
    return [Named("a month", references=("Order/2",))] if long else []


def test_a_fact_is_worked_out_from_what_it_names() -> None:
    made = plan(words, long, days, news)
    of = case(made, weeks=6, most_days=100)
    assert (of["days"], of["long"], of["words"]) == (Decimal(42), True, "42 days")
    facts = Facts(of, made.told, ("days",))
    assert facts.compared == {"days": Decimal(42)}
    assert facts.evidence["days"] == ("Order/1",) and facts.evidence["news"] == ("Order/2",)
    assert "long" not in facts.evidence and dict(facts.absent) == {}


def test_what_needs_an_unknown_fact_is_unknown_for_its_reason() -> None:
    made = plan(words, long, days, news)
    facts = Facts(case(made, weeks=-1, most_days=100), made.told, made.told)
    assert dict(facts.absent) == dict.fromkeys(("days", "long", "news"), "the start lies ahead")
    assert dict(facts.values) == {"words": "the start lies ahead"}


def test_an_empty_list_is_unknown_for_its_own_reason() -> None:
    made = plan(days, long, news)
    assert case(made, weeks=1, most_days=100)["news"] == Unknown("nothing is new")


def test_a_fact_reads_what_it_needs_reads() -> None:
    assert plan(days, long, news).reads("news") == {("number", "most_days"), ("record", "weeks")}


def test_nothing_of_a_module_is_asked_where_its_gate_is_closed() -> None:
    @part
    def gate(weeks: int) -> Answer[bool]:
        return Unknown("nobody asks") if weeks == 0 else True

    made = plan(days, gate, gate="gate")
    assert case(made, weeks=0, most_days=1)["days"] == Unknown("nobody asks")
    assert case(made, weeks=1, most_days=9)["days"] == 7


def test_facts_that_need_one_another_are_refused() -> None:
    @flag("the egg")
    def egg(hen: bool) -> Answer[bool]:
        return hen

    @flag("the hen")
    def hen(egg: bool | Unknown) -> Answer[bool]:
        return egg is True

    with pytest.raises(DeclarationError, match=r"need one another: (egg -> hen -> egg|hen -> egg -> hen)"):
        plan(egg, hen)


def test_a_misspelt_argument_is_refused() -> None:
    @flag("a slip")
    def slip(dais: Decimal) -> Answer[bool]:
        return dais > 0

    with pytest.raises(DeclarationError, match="slip takes dais as Decimal: there is no such fact, and no such door"):
        plan(days, slip)


def test_another_type_than_what_gives_it_is_refused() -> None:
    @flag("a slip")
    def slip(days: str) -> Answer[bool]:
        return days == ""

    with pytest.raises(DeclarationError, match="slip takes days as str, but it is Decimal"):
        plan(days, slip)


def test_a_name_that_its_meaning_says_and_it_does_not_read_is_refused() -> None:
    @flag("more than {least_days} days")
    def slip(days: Decimal) -> Answer[bool]:
        return days > 1

    with pytest.raises(DeclarationError, match=r"slip names \{least_days\}, which it does not read"):
        plan(days, slip)


def test_two_facts_of_one_name_are_refused() -> None:
    first, second = ModuleType(__name__), ModuleType(__name__)
    first.days, second.days = days, days  # type: ignore[attr-defined]  # modules made for the test
    with pytest.raises(DeclarationError, match=r"days is declared in .*, too"):
        Plan({first: "", second: ""}, DOORS, GIVENS, {})


def test_one_name_for_two_doors_is_refused() -> None:
    class Group(Numbers, frozen=True):
        most_days: int

    group = {"Group": Door(lambda name: lambda source: Group(1), lambda name: ())}

    @flag("a slip")
    def slip(most_days: Group) -> Answer[bool]:
        return most_days.most_days > 1

    module = ModuleType(__name__)
    module.days, module.slip = days, slip  # type: ignore[attr-defined]  # a module made for the test
    with pytest.raises(DeclarationError, match="slip takes most_days, which is something else for other facts"):
        Plan({module: ""}, DOORS | group, GIVENS, {})
