"""Orders as the buttons of cards change them: what is written, and how it is read when a server stores it as sent."""

from __future__ import annotations

import copy

import pytest

from cds.advise import Advice
from cds.engine import CheckedEngine
from tests.charts import (
    UCUM,
    Resource,
    as_json,
    day,
    intake,
    level,
    sirolimus,
)
from tests.judge import fact, judge, updates

pytestmark = pytest.mark.untraced

TIMED = intake("i", day(19, "07:45"))


def order_change(before: float, held: bool) -> Resource:
    """The extension that an order gets when a suggestion changes it on day 21."""
    quantity = {"value": before, "unit": "mg/day", "system": UCUM, "code": "mg/d"}
    parts = [
        {"url": "at", "valueDateTime": "2024-01-29T20:00:00+00:00"},
        {"url": "before", "valueQuantity": quantity},
        {"url": "held", "valueBoolean": held},
    ]
    return {"extension": [{"url": "urn:sirolimus-itp-cds:order-change", "extension": parts}]}


def test_an_update_is_the_whole_order_with_the_dose_and_the_day_of_the_change(engine: CheckedEngine) -> None:
    order = sirolimus("s", day(0), 2, note=[{"text": "with breakfast"}], dispenseRequest={"quantity": {"value": 30.5}})
    advice = judge(engine, 21, order, TIMED, level("l", day(20, "07:40"), 3.9))
    (suggestion,) = advice.cards[0]["suggestions"]
    (action,) = suggestion["actions"]
    expected = copy.deepcopy(order) | order_change(2, held=False)
    expected["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] = 3
    assert action["type"] == "update"
    assert action["resource"] == expected


def test_a_hold_puts_the_whole_order_on_hold(engine: CheckedEngine) -> None:
    order = sirolimus("s", day(0), 2)
    (card,) = judge(engine, 21, order, level("l", day(20, "07:40"), 24)).cards
    assert card["suggestions"][0]["actions"][0]["resource"] == order | {"status": "on-hold"} | order_change(
        2, held=True
    )
    draw = card["suggestions"][1]["actions"][0]["resource"]["occurrencePeriod"]
    assert draw == {"start": day(24), "end": day(26)}


def why_not_assessed(advice: Advice) -> str:
    return "; ".join(item.note for item in fact(advice, "gaps") or ())


def rise_after(engine: CheckedEngine, order: Resource, on: int, *more: Resource) -> list[Resource]:
    return updates(judge(engine, on, order, TIMED, level("l", day(20, "07:40"), 3.9), *more))


def test_a_changed_order_that_is_stored_as_sent_offers_no_second_rise(engine: CheckedEngine) -> None:
    """Its dates are those of its start: without the day of the change, the level of 2 mg would be read as one of 3 mg."""
    [three] = rise_after(engine, sirolimus("s", day(0), 2), 21)
    for on in range(21, 60):
        assert not rise_after(engine, as_json(three), on), on
    again = [level("m", day(35, "07:40"), 4.2), intake("j", day(34, "07:45"))]
    [four] = rise_after(engine, as_json(three), 36, *again)
    assert [each["extension"][1]["valueQuantity"]["value"] for each in four["extension"]] == [2, 3]
    course = judge(engine, 50, as_json(four)).situation.patient.course
    assert [regimen.dose.per_day for regimen in course.regimens] == [2, 3, 4]
    assert course.start is not None and course.start.day.isoformat() == day(0)


@pytest.mark.parametrize(
    ("stored_on", "offers"),
    [
        (day(0, "09:00"), True),  # the day on which it was written
        (day(13, "09:00"), True),
        (day(14, "09:00"), False),  # less than 7 days before the level
        (day(21, "09:00"), False),
        (day(22, "09:00"), True),  # after the day of judging: nothing of it is known yet
    ],
)
def test_no_dose_is_computed_where_the_order_may_have_been_another_one(
    engine: CheckedEngine, stored_on: str, offers: bool
) -> None:
    """An EHR may change an order in place and keep its dates; only the time at which it was stored shows that."""
    for value in (3.9, 16):
        order = sirolimus("s", day(0), 2, meta={"lastUpdated": stored_on})
        advice = judge(engine, 21, order, TIMED, level("l", day(20, "07:40"), value))
        assert bool(updates(advice)) == offers
        assert ("does not say what was changed" in fact(advice, "proposal_working")) != offers


@pytest.mark.parametrize(
    "broken", [{"valueDateTime": "soon"}, {"valueQuantity": {"value": 2, "code": "mg"}}, {"valueBoolean": None}]
)
def test_a_change_that_cannot_be_read_leaves_no_dose(engine: CheckedEngine, broken: Resource) -> None:
    order = sirolimus("s", day(0), 3) | order_change(2, held=False)
    for part in order["extension"][0]["extension"]:
        part |= {key: value for key, value in broken.items() if key in part}
    advice = judge(engine, 30, order)
    assert fact(advice, "daily_dose") is None
    assert "an earlier change of the order cannot be read" in why_not_assessed(advice)


def test_a_hold_that_was_stored_keeps_its_day(engine: CheckedEngine) -> None:
    """Resumed in place, the order would look as if it had never been held, and a level of the hold like one of the dose."""
    high = level("l", day(20, "07:40"), 24)
    [hold] = [
        action["resource"]
        for card in judge(engine, 21, sirolimus("s", day(0), 2), high).cards
        for suggestion in card["suggestions"]
        for action in suggestion["actions"]
        if action["type"] == "update"
    ]
    held = judge(engine, 25, as_json(hold), high).situation.patient.course
    assert held.state == "held" and held.last_change is not None and held.last_change.moment.day.isoformat() == day(21)
    resumed = judge(engine, 28, as_json(hold) | {"status": "active"}, high, level("m", day(26, "07:40"), 4))
    assert not updates(resumed)
    assert "resumed, and the day of resuming is not on record" in why_not_assessed(resumed)
    as_of_before = judge(engine, 20, as_json(hold), high)
    assert fact(as_of_before, "daily_dose") == 2


def test_after_a_hold_that_was_stored_a_new_order_takes_it_up_again(engine: CheckedEngine) -> None:
    held = sirolimus("s", day(0), 2, status="on-hold") | order_change(2, held=True)
    course = judge(engine, 40, held, sirolimus("t", day(28), 2)).situation.patient.course
    days = [(change.moment.day.isoformat(), change.is_hold) for change in course.changes]
    assert days == [(day(0), False), (day(21), True), (day(28), False)]


def test_a_change_from_before_the_first_dose_changes_nothing(engine: CheckedEngine) -> None:
    """An order that was written, changed, and then begun."""
    course = judge(engine, 60, sirolimus("s", day(30), 3) | order_change(2, held=False)).situation.patient.course
    assert [(regimen.dose.per_day, regimen.start.day.isoformat()) for regimen in course.regimens] == [(3, day(30))]
