"""A value moved, a suggestion pressed: what becomes of the chart, by the FHIR it turns into."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds.advise import Advice, advise
from cds.chart.request import read_request
from cds.engine import Engine
from cds.workbench.what_if import moved, pressed, sliders
from tests.charts import as_bytes, bundle, count, day, itp, level, patient, request, sirolimus
from tests.judge import now_on, standing, topics


def judged(engine: Engine, document: dict[str, Any], on: int = 20) -> Advice:
    return advise(read_request(as_bytes(document)), engine, now_on(on), explain=True, max_cards=99)


CHART = bundle(
    patient(), itp(), *standing(20), sirolimus("s", day(0), 2), level("l", day(15, "07:40"), 7), count("p", day(-2), 14),
    count("p1", day(18), 40),
)  # fmt: skip


def test_what_can_be_moved(engine: Engine) -> None:
    found = {each.name: (each.value, each.unit) for each in sliders(CHART, judged(engine, CHART))}
    assert found == {
        "dose": (2.0, "mg/day"), "level": (7.0, "ng/mL"), "count": (40.0, "x 10^9/L"), "age": (33.0, "years"),
        "days": (20.0, "days"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "topic"),
    [("dose", 12, "doseFarAboveWindow"), ("level", 3, "troughLowInResponse"), ("level", 17, "troughHigh"), ("count", 4, "bleedingWithLowPlatelets"), ("age", 9, "notAssessed")],
)  # fmt: skip
def test_moving_a_value_moves_the_cards(engine: Engine, name: str, value: int, topic: str) -> None:
    before = judged(engine, CHART)
    assert topic not in topics(before)
    document, now = moved(CHART, before, {name: Decimal(value)})
    after = advise(read_request(as_bytes(document)), engine, now, max_cards=99)
    assert topic in topics(after)
    assert judged(engine, CHART).cards == before.cards or topics(judged(engine, CHART)) == topics(
        before
    )  # the chart itself stays


def test_the_day_moves_the_time_of_judging_alone(engine: Engine) -> None:
    document, now = moved(CHART, judged(engine, CHART), {"days": Decimal(100)})
    assert document == CHART and now == now_on(100)


def test_twice_a_day_each_intake_is_moved_in_proportion(engine: Engine) -> None:
    chart = bundle(patient(), itp(), sirolimus("s", day(0), 1, times=2))
    document, _ = moved(chart, judged(engine, chart), {"dose": Decimal(3)})
    (order,) = [
        each["resource"] for each in document["entry"] if each["resource"]["resourceType"] == "MedicationRequest"
    ]
    assert order["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] == 1.5
    after = judged(engine, document)
    assert after.situation.dose.per_day == 3


@pytest.mark.parametrize(
    ("resources", "name"),
    [
        ([sirolimus("a", day(0), 2), sirolimus("b", day(0), 3)], "dose"),
        ([sirolimus("s", day(0), 2, unit="wk")], "dose"),
        ([sirolimus("s", day(0), 2), level("l", day(15), 7) | {"valueQuantity": {"value": 7.6, "unit": "nmol/L", "system": "http://unitsofmeasure.org", "code": "nmol/L"}}], "level"),
        ([sirolimus("s", day(0), 2), patient("1990")], "age"),
    ],
)  # fmt: skip
def test_what_could_only_be_moved_by_a_guess_is_not_offered(
    engine: Engine, resources: list[dict[str, Any]], name: str
) -> None:
    people = [] if any(each["resourceType"] == "Patient" for each in resources) else [patient()]
    chart = bundle(*people, itp(), *resources)
    assert name not in {each.name for each in sliders(chart, judged(engine, chart))}


LOW = bundle(
    patient(), itp(), *standing(20), sirolimus("s", day(0), 2), level("l", day(15, "07:40"), 3), count("p", day(-2), 14)
)


def test_a_dose_that_is_pressed_is_judged_as_the_order_that_is_signed(engine: Engine) -> None:
    before = judged(engine, LOW)
    (card,) = [at for at, card in enumerate(before.cards) if card["source"]["topic"]["code"] == "troughLow"]
    labels = [each["label"] for each in before.cards[card]["suggestions"]]
    asked = pressed(LOW, before, card, labels.index("Change the order to 3 mg/day"))
    assert asked is not None and asked["hook"] == "order-sign"
    (draft,) = [each["resource"] for each in asked["context"]["draftOrders"]["entry"]]
    assert draft["status"] == "draft" and draft["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] == 3
    after = judged(engine, asked)
    assert after.situation.dose.per_day == 3 and "troughLow" not in topics(after)


def test_a_hold_that_is_pressed_holds(engine: Engine) -> None:
    chart = bundle(patient(), itp(), *standing(20), sirolimus("s", day(0), 2), level("l", day(19, "07:40"), 30))
    before = judged(engine, chart)
    labels = [each["label"] for each in before.cards[0]["suggestions"]]
    held = pressed(chart, before, 0, labels.index("Consider holding sirolimus"))
    assert held is not None and judged(engine, held).situation.course.state == "held"


def test_a_draft_that_is_removed_is_gone(engine: Engine) -> None:
    drafts = [sirolimus("d", day(20), 3, status="draft")]
    people = [patient(gender="male"), itp(), *standing(20)]
    chart = request(
        "order-sign",
        [*people, sirolimus("s", day(0), 2, status="stopped", end=day(18)), sirolimus("s2", day(18), 2.5)],
        drafts,
    )
    before = judged(engine, chart)
    place = [
        (at, n)
        for at, card in enumerate(before.cards)
        for n, each in enumerate(card.get("suggestions", ()))
        if each["label"].startswith("Remove")
    ]
    asked = pressed(chart, before, *place[0])
    assert asked is not None and asked["context"]["draftOrders"]["entry"] == []


def test_what_is_not_there_cannot_be_pressed(engine: Engine) -> None:
    before = judged(engine, LOW)
    assert pressed(LOW, before, 99, 0) is None and pressed(LOW, before, 0, 99) is None
