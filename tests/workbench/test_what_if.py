"""A value moved, a suggestion pressed: what becomes of the chart, by the FHIR it turns into."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from cds.advise import Advice, advise
from cds.chart.request import read_request
from cds.engine import CheckedEngine
from cds.hooks.http import encode
from cds.timeline.rows import timeline
from cds.workbench.document import written
from cds.workbench.what_if import day_moved, moved, pressed, sliders
from tests.charts import FIRST_LINE, as_bytes, bundle, count, day, drug, itp, level, patient, request, sirolimus
from tests.judge import now_on, standing, topics


def judged(engine: CheckedEngine, document: dict[str, Any], on: int = 20) -> Advice:
    return advise(read_request(written(document)), engine, now_on(on), explain=True, max_cards=99)


CHART = bundle(
    patient(), itp(), *standing(20), sirolimus("s", day(0), 2), level("l", day(15, "07:40"), 7), count("p", day(-2), 14),
    count("p1", day(18), 40),
)  # fmt: skip


def test_what_can_be_moved(engine: CheckedEngine) -> None:
    found = {each.name: (each.value, each.unit) for each in sliders(CHART, judged(engine, CHART))}
    assert found == {
        "dose": (2.0, "mg/day"), "level": (7.0, "ng/mL"), "count": (40.0, "x 10^9/L"), "age": (33.0, "years"),
        "days": (20.0, "days"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "topic"),
    [("dose", 12, "doseFarAboveWindow"), ("level", 3, "troughLow"), ("level", 17, "troughHigh"), ("count", 4, "bleedingWithLowPlatelets"), ("age", 9, "notAssessed")],
)  # fmt: skip
def test_moving_a_value_moves_the_cards(engine: CheckedEngine, name: str, value: int, topic: str) -> None:
    before = judged(engine, CHART)
    assert topic not in topics(before)
    document, hook = moved(CHART, before, {name: Decimal(value)})
    after = advise(read_request(written(document), hook), engine, now_on(20), max_cards=99)
    assert topic in topics(after)
    assert judged(engine, CHART).cards == before.cards or topics(judged(engine, CHART)) == topics(
        before
    )  # the chart itself stays


def test_the_day_is_the_one_of_the_course(engine: CheckedEngine) -> None:
    """Also where the first dose and the moment of judging are written in other offsets, and lie on other days in them."""
    assert day_moved(judged(engine, CHART), Decimal(100)) == now_on(100)
    late = bundle(patient(), itp(), sirolimus("s", "2024-01-08T23:30:00-05:00", 2))
    before = advise(read_request(as_bytes(late)), engine, now_on(20, "02:00"), max_cards=99)
    after = advise(read_request(as_bytes(late)), engine, day_moved(before, Decimal(60)), max_cards=99)
    (days,) = [each.value for each in sliders(late, after) if each.name == "days"]
    assert days == 60


def test_who_was_born_on_a_leap_day_has_the_age_that_is_asked_for(engine: CheckedEngine) -> None:
    leap = bundle(patient("2004-02-29"), itp(), sirolimus("s", day(0), 2))
    for on in (50, 51, 52):  # 2024-02-27, 28 and 29
        before = judged(engine, leap, on)
        after = judged(engine, json.loads(written(moved(leap, before, {"age": Decimal(17)})[0])), on)
        assert after.situation.patient.age_range(after.situation.patient.now.date()) == (17, 17)


def test_a_sample_that_was_resulted_twice_is_not_moved(engine: CheckedEngine) -> None:
    for one in (level("l", day(15, "07:40"), 7), count("l", day(15, "07:40"), 50)):
        twice = bundle(patient(), itp(), sirolimus("s", day(0), 2), one, one | {"id": "again"})
        assert not {"level", "count"} & {each.name for each in sliders(twice, judged(engine, twice))}


def test_twice_a_day_each_intake_is_moved_in_proportion(engine: CheckedEngine) -> None:
    chart = bundle(patient(), itp(), sirolimus("s", day(0), 1, times=2))
    document, hook = moved(chart, judged(engine, chart), {"dose": Decimal(3)})
    assert (hook, amounts(document)) == ("order-sign", [("active", 1), ("draft", 1.5)])
    after = advise(read_request(written(document), hook), engine, now_on(20), max_cards=99)
    assert after.situation.patient.dose.per_day == 3


def amounts(document: dict[str, Any]) -> list[tuple[str, float]]:
    """Status and amount of one intake of each order of a bundle."""
    orders = [each["resource"] for each in document["entry"] if each["resource"]["resourceType"] == "MedicationRequest"]
    return [
        (each["status"], each["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"]) for each in orders
    ]


def test_a_draft_whose_dose_is_moved_stays_one_draft(engine: CheckedEngine) -> None:
    chart = bundle(patient(), itp(), sirolimus("s", day(0), 2), sirolimus("d", day(20), 3, status="draft"))
    before = advise(read_request(written(chart), "order-sign"), engine, now_on(20), explain=True, max_cards=99)
    document, hook = moved(chart, before, {"dose": Decimal(4)})
    assert (hook, amounts(document)) == ("order-sign", [("active", 2), ("draft", 4)])


def test_what_is_proposed_is_drawn_from_today_and_what_was_taken_stays(engine: CheckedEngine) -> None:
    document, hook = moved(CHART, judged(engine, CHART), {"dose": Decimal(4)})
    drawn = timeline(advise(read_request(written(document), hook), engine, now_on(20), max_cards=99))
    assert [(row["at"], row["value"]) for row in drawn.doses] == [(day(0), 2.0)]
    assert [(row["at"], row["name"]) for row in drawn.doses_ahead] == [(day(20), "4 ordered")]
    assert [(row["at"][:10], row["name"]) for row in drawn.levels_ahead] == [(day(34), "about 14")]


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
    engine: CheckedEngine, resources: list[dict[str, Any]], name: str
) -> None:
    people = [] if any(each["resourceType"] == "Patient" for each in resources) else [patient()]
    chart = bundle(*people, itp(), *resources)
    assert name not in {each.name for each in sliders(chart, judged(engine, chart))}


LOW = bundle(
    patient(), itp(), *standing(20), sirolimus("s", day(0), 2), level("l", day(15, "07:40"), 3), count("p", day(-2), 14)
)


def press(engine: CheckedEngine, document: dict[str, Any], label: str, on: int = 20) -> Advice:
    """The advice that follows a suggestion, found by the beginning of its label."""
    before = advise(read_request(as_bytes(document), hook_of(document)), engine, now_on(on), max_cards=99)
    (place, *_) = [
        (at, number)
        for at, card in enumerate(before.cards)
        for number, each in enumerate(card.get("suggestions", ()))
        if each["label"].startswith(label)
    ]
    after = pressed(document, before, *place)
    assert after is not None
    changed, hook = after
    asked = hook if changed.get("resourceType") == "Bundle" else None
    return advise(read_request(encode(changed), asked), engine, now_on(on), max_cards=99)


def hook_of(document: dict[str, Any]) -> Any:
    drafts = any(each["resource"].get("status") == "draft" for each in document.get("entry", ()))
    return "order-sign" if drafts else None


def test_a_dose_that_is_pressed_is_judged_as_the_order_that_is_signed(engine: CheckedEngine) -> None:
    after = press(engine, LOW, "Change the order to 3 mg/day")
    assert after.situation.patient.hook == "order-sign" and after.situation.patient.dose.per_day == 3
    assert [order.reference for order in after.situation.patient.drafts] == ["MedicationRequest/pressed-1"]
    assert "troughLow" not in topics(after)


def test_a_suggestion_on_a_refill_leaves_the_refill_among_the_orders(engine: CheckedEngine) -> None:
    """The context of that hook calls its orders medications."""
    asked = request("order-sign", [patient(), itp()], [sirolimus("again", day(20), 2, status="draft")])
    context = {"patientId": asked["context"]["patientId"], "medications": asked["context"]["draftOrders"]}
    refill = asked | {"hook": "medication-refill", "context": context}
    after = press(engine, refill, "Order all")
    assert [order.reference for order in after.situation.patient.drafts] == ["MedicationRequest/again"]


def test_a_hold_that_is_pressed_holds_every_copy(engine: CheckedEngine) -> None:
    order = sirolimus("s", day(0), 2)
    chart = bundle(patient(), itp(), *standing(20), order, dict(order), level("l", day(19, "07:40"), 30))
    after = press(engine, chart, "Consider holding sirolimus")
    assert after.situation.patient.course.state == "held" and after.situation.patient.hook == "patient-view"


def test_drafts_of_a_bundle_stay_but_for_the_one_that_is_removed(engine: CheckedEngine) -> None:
    drafts = [drug(name, name, day(20), status="draft") for name in ("clarithromycin", "rifampin")]
    chart = bundle(patient(gender="male"), itp(), *standing(20), sirolimus("s", day(0), 2), *drafts)
    after = press(engine, chart, "Remove the draft order of clarithromycin")
    assert topics(after) >= {"strongInducer"} and "strongInhibitor" not in topics(after)


def test_a_draft_of_a_request_that_is_removed_is_gone(engine: CheckedEngine) -> None:
    drafts = [sirolimus("d", day(20), 3, status="draft")]
    people = [patient(gender="male"), itp(), *standing(20)]
    taken = [sirolimus("s", day(0), 2, status="stopped", end=day(18)), sirolimus("s2", day(18), 2.5)]
    after = press(engine, request("order-sign", [*people, *taken], drafts), "Remove")
    assert after.situation.patient.drafts == ()


def test_pressing_twice_leaves_both_orders(engine: CheckedEngine) -> None:
    draft = sirolimus("d", day(0), 2, status="draft")
    chart: dict[str, Any] = bundle(patient(), itp(), count("p", day(-30), 14), draft)
    for label in ("Order all 11 tests", "Order a pregnancy test"):
        before = advise(read_request(as_bytes(chart), "order-sign"), engine, now_on(0), max_cards=99)
        places = [
            (a, n)
            for a, c in enumerate(before.cards)
            for n, s in enumerate(c.get("suggestions", ()))
            if s["label"] == label
        ]
        after = pressed(chart, before, *places[0])
        assert after is not None
        chart = json.loads(encode(after[0]))
    last = advise(read_request(as_bytes(chart), "order-sign"), engine, now_on(0), max_cards=99)
    assert "baseline_missing" not in last.situation.facts.values, "all of the tests were ordered, and stayed so"
    assert "baselineWorkup" not in topics(last)


def test_what_was_not_sent_is_still_not_there(engine: CheckedEngine) -> None:
    people = [
        patient(gender="male"),
        itp(),
        *standing(20),
        FIRST_LINE,
        sirolimus("s", day(0), 2),
        level("l", day(15, "07:40"), 3),
    ]
    asked = request("patient-view", people, [])
    del asked["prefetch"]["allergies"]
    after = press(engine, asked, "Change the order to 3 mg/day")
    assert "AllergyIntolerance was not supplied" in str(after.situation.facts.values["gaps"])


def test_medications_that_orders_only_refer_to_come_along(engine: CheckedEngine) -> None:
    order = sirolimus("s", day(0), 2)
    drug_of_it = {"resourceType": "Medication", "id": "m1", "code": order.pop("medicationCodeableConcept")}
    order["medicationReference"] = {"reference": "Medication/m1"}
    chart = bundle(
        patient(), itp(), *standing(20), drug_of_it, order, level("l", day(15, "07:40"), 3), count("p", day(-2), 14)
    )
    after = press(engine, chart, "Change the order to 3 mg/day")
    assert after.situation.patient.dose.per_day == 3 and after.situation.patient.course.start is not None


@pytest.mark.parametrize(("born", "mg"), [("1931-01-01", 2), ("1990-03-14", 0.3)])
def test_a_value_lies_within_its_own_bounds(engine: CheckedEngine, born: str, mg: float) -> None:
    chart = bundle(patient(born), itp(), sirolimus("s", day(0), mg), level("l", day(15, "07:40"), 0.2))
    for each in sliders(chart, judged(engine, chart)):
        assert each.low <= each.value <= each.high, each


def test_what_is_not_there_cannot_be_pressed(engine: CheckedEngine) -> None:
    before = judged(engine, LOW)
    assert pressed(LOW, before, 99, 0) is None and pressed(LOW, before, 0, 99) is None
