"""Proposed doses: computed, capped, dispensable, and never the cause of a warning of ours."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds.advise import Advice
from cds.engine import CheckedEngine
from cds.facts.limits import limits
from cds.plan.declare import Unknown
from tests.charts import (
    FIRST_LINE,
    UCUM,
    Resource,
    count,
    day,
    drug,
    intake,
    itp,
    level,
    observation,
    patient,
    sirolimus,
    weight,
)
from tests.judge import fact, gaps, judge, judge_order, topics, updates

pytestmark = pytest.mark.untraced

TIMED = intake("i", day(19, "07:45"))


def propose(engine: CheckedEngine, mg: float, value: float, *more: Resource, **order: Any) -> Advice:
    """A level of ``value`` on day 20 of ``mg`` a day, drawn 24 h after a recorded dose, judged on day 21."""
    return judge(engine, 21, sirolimus("s", day(0), mg, **order), TIMED, level("l", day(20, "07:40"), value), *more)


@pytest.mark.parametrize(
    ("mg", "value", "proposed"),
    [
        (2, 3.9, 3),  # 5.1 in proportion; at most 3, half of it more
        (2, 4.9, 3),  # 4.1 in proportion; 3 would give 7.4
        (4, 4, None),  # never above the protocol's highest dose
        (2, 16, 1),  # 1.25 in proportion; 1 gives 8, 1.5 gives 12: both 2 away, the lower one
        (3, 16, 2),  # 1.9 in proportion; 1.5 gives 8 and 2 gives 10.7
        (4, 19, 2),  # 2.1 in proportion; 2 gives 9.5
    ],
)  # fmt: skip
def test_the_dose_is_proportional_capped_and_whole(
    engine: CheckedEngine, mg: float, value: float, proposed: float | None
) -> None:
    advice = propose(engine, mg, value, tablet="0.5")
    assert fact(advice, "proposed_dose") == proposed
    if proposed is None:
        assert "No dose is proposed" in advice.cards[0]["detail"]


def test_the_working_is_on_the_card(engine: CheckedEngine) -> None:
    detail = propose(engine, 2, 3.9).cards[0]["detail"]
    assert "2 mg/day x 10 / 3.9 ng/mL = 5.13 mg/day" in detail
    assert "3 mg/day, predicted level 5.9 ng/mL" in detail
    assert "After a change, the next level between 2024-02-05 and 2024-02-12" in detail


def test_tablets_are_not_split(engine: CheckedEngine) -> None:
    assert fact(propose(engine, 2, 3.9, tablet="2"), "proposed_dose") is None
    assert fact(propose(engine, 2, 3.9, tablet="1"), "proposed_dose") == 3


def test_the_solution_allows_tenths(engine: CheckedEngine) -> None:
    assert fact(propose(engine, 3, 16, solution=True), "proposed_dose") == Decimal("1.9")


def trough_low(advice: Advice) -> str:
    return next(card["detail"] for card in advice.cards if card["source"]["topic"]["code"] == "troughLow")


@pytest.mark.parametrize(
    ("name", "since", "reason"),
    [
        ("clarithromycin", 0, "a strong inhibitor raises the level"),  # settled or not
        ("fluconazole", 21, "an inhibitor that no level has followed"),
    ],
)
def test_no_raise_beside_a_strong_or_an_unsettled_inhibitor(
    engine: CheckedEngine, name: str, since: int, reason: str
) -> None:
    inhibitor = drug("x", name, day(since))
    advice = propose(engine, 2, 3.9, inhibitor)
    assert fact(advice, "proposed_dose") is None
    assert f"No dose is proposed: no rise is offered: {reason}" in trough_low(advice)
    assert fact(propose(engine, 2, 16, inhibitor), "proposed_dose") == 1


def test_beside_a_settled_moderate_inhibitor_only_a_raise_into_the_target(engine: CheckedEngine) -> None:
    """A smaller one would leave the level low, and that card with no dose to offer while the new dose settles."""
    settled = drug("x", "fluconazole", day(0))
    assert fact(propose(engine, 2, 3.9, settled), "proposed_dose") == 3  # predicted 5.9
    advice = propose(engine, 2, 3, settled)
    assert fact(advice, "proposed_dose") is None  # 3 is predicted at 4.5
    assert "No dose is proposed: no dose that can be dispensed" in trough_low(advice)
    assert fact(propose(engine, 2, 3), "proposed_dose") == 3


def test_two_orders_get_no_dose(engine: CheckedEngine) -> None:
    orders = [sirolimus("s1", day(0), 2, tablet="2"), sirolimus("s2", day(0), 1, tablet="1")]
    advice = judge(engine, 21, *orders, TIMED, level("l", day(20, "07:40"), 16))
    assert "several orders make up the dose" in advice.cards[0]["detail"]
    assert "suggestions" not in advice.cards[0]


def test_beside_an_older_active_order_of_the_dose_none_is_changed(engine: CheckedEngine) -> None:
    """The newer one may be its renewal; but changed alone it would leave two orders of different doses."""
    older, newer = sirolimus("s1", day(-30), 2), sirolimus("s2", day(0), 2)
    high = level("l", day(20, "07:40"), 16)
    advice = judge(engine, 21, older, newer, TIMED, high)
    assert fact(advice, "daily_dose") == 2 and not updates(advice)
    assert "an older order of the same dose is still active" in fact(advice, "proposal_working")
    linked = newer | {"priorPrescription": {"reference": "MedicationRequest/s1"}}
    assert updates(judge(engine, 21, older, linked, TIMED, high))
    assert updates(judge(engine, 21, older | {"status": "completed"}, newer, TIMED, high))


def test_a_child_without_a_weight_is_not_raised(engine: CheckedEngine) -> None:
    child = [patient("2012-01-01"), itp(), sirolimus("s", day(0), 1), TIMED, level("l", day(20, "07:40"), 4)]
    advice = judge(engine, 21, *child, adult=False)
    assert fact(advice, "proposed_dose") is None
    assert "there is no recent weight" in next(
        c["detail"] for c in advice.cards if c["source"]["topic"]["code"] == "troughLow"
    )


@pytest.mark.parametrize(("since", "raised"), [(6, False), (7, True)])
def test_a_young_child_is_raised_at_the_earliest_7_days_after_a_change(
    engine: CheckedEngine, since: int, raised: bool
) -> None:
    child = [
        patient("2014-01-01"),
        itp(),
        weight("w", day(0), 30),
        sirolimus("s", day(0), 1, tablet="0.5"),
        intake("i", day(since - 1, "07:40")),
    ]
    advice = judge(engine, since, *child, level("l", day(since, "07:30"), 4), adult=False)
    assert (fact(advice, "proposed_dose") is not None) == raised


@pytest.mark.parametrize(("mg", "value", "dose"), [(3, 16, 2), (3.5, 16, 2), (2.5, 16, 1.5)])
def test_the_new_amount_is_written_exactly(engine: CheckedEngine, mg: float, value: float, dose: float) -> None:
    """Two thirds of 3 mg are 2 mg, not 1.9999."""
    (card,) = propose(engine, mg, value, tablet="0.5").cards
    (suggestion,) = card["suggestions"]
    assert suggestion["label"] == f"Change the order to {dose:g} mg/day"
    resource = suggestion["actions"][0]["resource"]
    assert resource["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] == Decimal(str(dose))


def test_a_dose_in_tablets_is_changed_in_tablets(engine: CheckedEngine) -> None:
    order = sirolimus("s", day(0), 2)
    order["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"] = {"value": 2, "unit": "tablet"}
    advice = judge(engine, 21, order, TIMED, level("l", day(20, "07:40"), 3.9))
    changed = advice.cards[0]["suggestions"][0]["actions"][0]["resource"]
    assert changed["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"] == {"value": 3, "unit": "tablet"}


def test_topics_of_a_patient_in_target_are_none(engine: CheckedEngine) -> None:
    assert topics(propose(engine, 2, 10)) == set()


@pytest.mark.parametrize(("born", "offered"), [("2020-10-08", []), ("2014-10-08", ["Change the order to 2 mg/day"])])
def test_no_bound_of_the_window_is_offered_that_may_be_too_much_for_the_age(
    engine: CheckedEngine, born: str, offered: list[str]
) -> None:
    """Without a weight: 2 mg/day would be too much by size for a child of three, and our own card would say so once it is signed."""
    child = [patient(born, gender="male"), itp(), FIRST_LINE]
    draft = sirolimus("d", day(0), 3, status="draft")
    cards = judge_order(engine, 0, [draft], *child, adult=False).cards
    [above] = [card for card in cards if card["source"]["topic"]["code"] == "doseAboveWindow"]
    assert [each["label"] for each in above.get("suggestions", [])] == offered


@pytest.mark.parametrize(("dose", "fits"), [("4", True), ("4.1", False)])
def test_a_small_patient_is_offered_no_more_than_the_limit_by_day(engine: CheckedEngine, dose: str, fits: bool) -> None:
    """Without a height, and heavy enough that the limit by weight is far away."""
    child = [patient("2014-01-01"), itp(), weight("w", day(15), 60), sirolimus("s", day(0), 1)]
    found = judge(engine, 20, *child, adult=False).situation.of(limits)
    assert not isinstance(found, Unknown) and found.by_size and found.fits_size(Decimal(dose)) is fits


def test_a_cut_may_reach_the_floor_of_the_window_where_the_target_is_out_of_reach(engine: CheckedEngine) -> None:
    """Half of 4 mg is the floor of the starting window; the level in proportion, 20 ng/mL, would still be too high."""
    assert fact(propose(engine, 4, 40), "proposed_dose") == 2


EVENING = {"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "timeOfDay": ["20:00:00"]}},
           "doseAndRate": [{"doseQuantity": {"value": 2, "unit": "mg", "system": UCUM, "code": "mg"}}]}  # fmt: skip


@pytest.mark.parametrize(
    ("drawn", "proposed"),
    [
        ("T22:00:00+01:00", None),
        ("T08:00:00+01:00", None),
        ("T17:59:00+01:00", None),
        ("T20:00:00+01:00", None),  # the tablet may have been taken first
        ("T18:00:00+01:00", 1),  # two hours before the next dose
        ("T19:30:00+01:00", 1),
        ("T22:00:00+00:00", 1),  # in UTC, as many servers store all times: not compared with a local clock
        ("", 1),  # no time of day
    ],
)
def test_no_dose_is_computed_from_a_level_drawn_after_the_dose_by_the_orders_times(
    engine: CheckedEngine, drawn: str, proposed: int | None
) -> None:
    order = sirolimus("s", day(0), 2) | {"dosageInstruction": [EVENING]}
    advice = judge(engine, 21, order | {"authoredOn": day(0)}, level("l", day(20) + drawn, 18))
    assert fact(advice, "proposed_dose") == proposed
    assert "troughHigh" in topics(advice)
    assert ("by the times of day that the order gives" in advice.cards[0]["detail"]) == (proposed is None)


def test_a_recorded_dose_goes_before_the_times_of_the_order(engine: CheckedEngine) -> None:
    order = sirolimus("s", day(0), 2) | {"dosageInstruction": [EVENING], "authoredOn": day(0)}
    given = intake("i", day(19) + "T08:00:00+01:00")
    assert fact(judge(engine, 21, order, given, level("l", day(20) + "T07:45:00+01:00", 18)), "proposed_dose") == 1


def test_a_level_that_is_coded_as_a_trough_goes_before_the_times_of_the_order(engine: CheckedEngine) -> None:
    order = sirolimus("s", day(0), 2) | {"dosageInstruction": [EVENING], "authoredOn": day(0)}
    trough = observation("l", "72676-0", day(20) + "T08:00:00+01:00", 18, "ng/mL")
    assert fact(judge(engine, 21, order, trough), "proposed_dose") == 1


def at(*clocks: str) -> Resource:
    repeat = {"frequency": len(clocks), "period": 1, "periodUnit": "d", "timeOfDay": [f"{each}:00" for each in clocks]}
    dose = {"value": 1, "unit": "mg", "system": UCUM, "code": "mg"}
    order = sirolimus("s", day(0), 2, tablet="0.5") | {"authoredOn": day(0)}
    return order | {"dosageInstruction": [{"timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": dose}]}]}


@pytest.mark.parametrize(("drawn", "proposed"), [("17:50", True), ("16:00", True), ("15:59", False), ("18:10", False)])
def test_of_several_times_of_day_the_next_one_decides(engine: CheckedEngine, drawn: str, proposed: bool) -> None:
    """Twice a day, ten and fourteen hours apart: shortly before either of them is a trough."""
    advice = judge(engine, 21, at("08:00", "18:00"), level("l", f"{day(20)}T{drawn}:00+01:00", 17))
    assert (fact(advice, "proposed_dose") is not None) == proposed


def test_times_of_day_that_cannot_be_read_are_no_times(engine: CheckedEngine) -> None:
    order = at("20:00")
    order["dosageInstruction"][0]["timing"]["repeat"]["timeOfDay"] = ["24:00:00"]
    assert fact(judge(engine, 21, order, level("l", f"{day(20)}T22:00:00+01:00", 17)), "proposed_dose") is not None


@pytest.mark.parametrize(("drawn", "doubted"), [("22:00", True), ("19:30", False)])
def test_a_level_after_the_dose_by_the_orders_times_supports_no_low_dose(
    engine: CheckedEngine, drawn: str, doubted: bool
) -> None:
    """1 mg a day is below the window: a level of 6 supports it if it is a trough; one of two hours after the dose does not."""
    order = at("20:00")  # 1 mg
    advice = judge(engine, 21, order, level("l", f"{day(20)}T{drawn}:00+01:00", 6))
    assert ("doseBelowWindow" in topics(advice)) == doubted
    assert ("Whether the level is a trough" in gaps(advice)) == doubted


def test_a_low_level_says_when_the_dose_was_due_and_not_that_it_is_a_trough(engine: CheckedEngine) -> None:
    advice = judge(engine, 21, at("20:00"), level("l", f"{day(20)}T22:00:00+01:00", 4))
    (card,) = [each for each in advice.cards if each["source"]["topic"]["code"] == "troughLow"]
    assert "assumed to be a trough" not in card["detail"] and "a dose was due 2 h before the draw" in card["detail"]
    assert "Whether the level is a trough" not in gaps(advice)  # that card says it


def test_no_step_down_from_a_level_after_the_dose_by_the_orders_times(engine: CheckedEngine) -> None:
    def stepped(drawn: str) -> Any:
        order = at("20:00")
        order["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] = 4
        counts = [count(f"c{on}", day(on), 150) for on in (100, 130, 160, 200, 240, 280, 295)]
        advice = judge(
            engine, 300, order, count("c0", day(-1), 20), *counts, level("l", f"{day(280)}T{drawn}:00+01:00", 11)
        )
        return fact(advice, "step_down_dose")

    assert stepped("19:30") == Decimal("3.5") and stepped("22:00") is None
