"""Milligrams a day: understood, or refused with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cds.chart.dosage import Product, read_dose
from cds.chart.model import Dose
from cds.chart.wire import Dosage
from cds.compiled.knowledge import Knowledge

TABLET = Product(tablet=Decimal("0.5"))
LIQUID = Product(per_ml=Decimal(1))
DAILY = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
MG = {"value": 2, "unit": "mg"}


Reading = Callable[..., Dose]


@pytest.fixture(scope="module")
def read(knowledge: Knowledge) -> Reading:
    """The dose of some instructions, of a tablet of 0.5 mg unless another product is named."""

    def reading(*dosages: dict[str, Any], product: Product = TABLET, on: date | None = None) -> Dose:
        decoded = msgspec.json.decode(json.dumps(dosages), type=list[Dosage])
        return read_dose(decoded, product, knowledge, on)

    return reading


def dosage(quantity: dict[str, Any] | None = None, timing: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"timing": DAILY if timing is None else timing, "doseAndRate": [{"doseQuantity": quantity or MG}]} | more


@pytest.mark.parametrize(
    ("timing", "per_day", "rhythm", "hours"),
    [
        ({"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}, 2, "daily", 24),
        ({"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}, 4, "daily", 12),
        ({"repeat": {"period": 1, "periodUnit": "d"}}, 2, "daily", 24),
        ({"repeat": {"frequency": 1, "period": 24, "periodUnit": "h"}}, 2, "daily", 24),
        ({"repeat": {"frequency": 1, "period": 12, "periodUnit": "h"}}, 4, "daily", 12),
        ({"repeat": {"timeOfDay": ["08:00:00"]}}, 2, "daily", 24),
        ({"repeat": {"timeOfDay": ["08:00:00", "20:00:00"]}}, 4, "daily", 12),
        ({"repeat": {"frequency": 7, "period": 1, "periodUnit": "wk"}}, 2, "daily", 24),
        ({"repeat": {"dayOfWeek": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}}, 2, "daily", 24),
        ({"code": {"coding": [{"code": "QD"}]}}, 2, "daily", 24),
        ({"code": {"coding": [{"code": "BID"}]}}, 4, "daily", 12),
        ({"code": {"text": "daily"}}, 2, "daily", 24),
        ({"code": {"coding": [{"code": "QOD"}]}}, None, "every 2 days", 48),
        ({"repeat": {"frequency": 1, "period": 2, "periodUnit": "d"}}, None, "every 2 days", 48),
        ({"repeat": {"frequency": 1, "period": 48, "periodUnit": "h"}}, None, "every 2 days", 48),
        ({"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}}, None, "weekly", 168),
        ({"repeat": {"frequency": 1, "period": 7, "periodUnit": "d"}}, None, "weekly", 168),
        ({"repeat": {"frequency": 3, "period": 1, "periodUnit": "wk"}}, None, "on 3 days a week", 56),
        ({"repeat": {"dayOfWeek": ["mon", "thu"]}}, None, "on 2 days a week", 84),
    ],
)  # fmt: skip
def test_rhythms(read: Reading, timing: dict[str, Any], per_day: int | None, rhythm: str, hours: int) -> None:
    dose = read(dosage(timing=timing))
    assert (dose.per_day, dose.rhythm, dose.interval_hours, dose.problem) == (per_day, rhythm, hours, "")


def test_another_rhythm_keeps_its_amount_and_its_day(read: Reading) -> None:
    dose = read(dosage({"value": 6, "unit": "mg"}, {"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}}))
    assert (dose.per_day, dose.per_intake, dose.on_one_day) == (None, 6, 6)


@pytest.mark.parametrize(
    ("quantity", "product", "mg"),
    [
        ({"value": 2, "unit": "mg"}, TABLET, "2"), ({"value": 500, "unit": "ug"}, TABLET, "0.5"), ({"value": 3, "unit": "tablet"}, TABLET, "1.5"),
        ({"value": 3, "code": "{tbl}"}, TABLET, "1.5"), ({"value": 0.7, "unit": "mL"}, LIQUID, "0.7"),
    ],
)  # fmt: skip
def test_amounts(read: Reading, quantity: dict[str, Any], product: Product, mg: str) -> None:
    assert read(dosage(quantity), product=product).per_day == Decimal(mg)


def typed(kind: str, value: float, unit: str) -> dict[str, Any]:
    return {"type": {"coding": [{"code": kind}]}, "doseQuantity": {"value": value, "unit": unit}}


def test_of_several_typed_amounts_the_ordered_one_counts(read: Reading) -> None:
    rates = [typed("calculated", 1.93, "mg"), typed("admin-amount", 4, "{tbl}"), typed("ordered", 2, "mg")]
    assert read({"timing": DAILY, "doseAndRate": rates}).per_day == 2


def test_an_amount_outside_its_place_is_still_read(read: Reading) -> None:
    assert read({"timing": DAILY, "doseQuantity": MG}).per_day == 2


def test_morning_and_evening_add_up(read: Reading) -> None:
    morning = dosage({"value": 1, "unit": "mg"}, {"repeat": {"timeOfDay": ["08:00:00"]}})
    evening = dosage({"value": 0.5, "unit": "mg"}, {"repeat": {"timeOfDay": ["20:00:00"]}})
    dose = read(morning, evening)
    assert (dose.per_day, dose.per_intake, dose.interval_hours) == (Decimal("1.5"), None, 12)


def test_a_dated_sequence_gives_the_dose_of_the_day(read: Reading) -> None:
    def step(number: int, mg: int, start: str, end: str) -> dict[str, Any]:
        return dosage(
            {"value": mg, "unit": "mg"},
            {"repeat": DAILY["repeat"] | {"boundsPeriod": {"start": start, "end": end}}},
            sequence=number,
        )

    steps = [step(1, 3, "2024-01-01", "2024-01-31"), step(2, 2, "2024-02-01", "2024-02-29")]
    assert read(*steps, on=date(2024, 1, 31)).per_day == 3
    assert read(*steps, on=date(2024, 2, 1)).per_day == 2
    assert read(*steps, on=date(2024, 3, 1)).problem == "none of its dated doses is for this day"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([], "it has no dosage instruction"),
        ([{"text": "as directed"}], "its dose is given in words only"),
        ([dosage(asNeededBoolean=True)], "it is taken as needed"),
        ([dosage(asNeededCodeableConcept={"text": "pain"})], "it is taken as needed"),
        ([{"timing": DAILY, "doseAndRate": [{"doseRange": {"low": MG, "high": {"value": 3, "unit": "mg"}}}]}], "its dose is a range"),
        ([dosage({"value": 2, "unit": "drops"})], "the unit of its dose is not understood"),
        ([dosage({"value": 2})], "its dose has no unit"),
        ([dosage({"value": "2", "unit": "mg"})], "its value is text, not a number"),
        ([dosage({"value": 0, "unit": "mg"})], "its dose is not above zero"),
        ([dosage({"value": -2, "unit": "mg"})], "its dose is not above zero"),
        ([dosage({"value": 2, "unit": "mg", "comparator": "<"})], "its dose has a comparator"),
        ([{"doseAndRate": [{"doseQuantity": MG}]}], "it does not say how often the dose is taken"),
        ([dosage(timing={"code": {"text": "take as directed"}})], "it does not say how often the dose is taken"),
        ([dosage(timing={"repeat": {"frequency": 1, "frequencyMax": 2, "period": 1, "periodUnit": "d"}})], "its timing is a range"),
        ([dosage(timing={"repeat": {"frequency": 1, "period": 1, "periodUnit": "a"}})], "its timing is not understood"),
        ([dosage(timing={"repeat": {"frequency": 2, "period": 3, "periodUnit": "d"}})], "its timing is not understood"),
        ([dosage(timing={"repeat": {"frequency": 2}})], "its timing is incomplete"),
        ([dosage(timing=DAILY | {"code": {"coding": [{"code": "BID"}]}})], "its timing and its timing code differ"),
        ([dosage(sequence=1), dosage({"value": 1, "unit": "mg"}, sequence=2)], "it is a sequence of doses without dates"),
        ([dosage(), dosage(timing={"code": {"coding": [{"code": "QOD"}]}})], "its doses have different rhythms"),
        ([{"timing": DAILY, "doseAndRate": [{"doseQuantity": MG}, {"doseQuantity": {"value": 3, "unit": "mg"}}]}], "it gives several doses that differ"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_named(read: Reading, given: list[dict[str, Any]], problem: str) -> None:
    dose = read(*given)
    assert (dose.per_day, dose.problem) == (None, problem)


def test_tablets_and_millilitres_of_unknown_strength_are_not_guessed(read: Reading) -> None:
    assert (
        read(dosage({"value": 2, "unit": "tablet"}), product=Product()).problem
        == "its dose is in tablets of unknown strength"
    )
    assert (
        read(dosage({"value": 2, "unit": "mL"}), product=Product()).problem
        == "its dose is in mL of unknown concentration"
    )
