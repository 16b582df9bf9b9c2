"""Proposed doses: computed, capped, dispensable, and never the cause of a warning of ours."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cds.advise import Advice
from cds.engine import CheckedEngine
from cds.facts.limits import limits
from cds.plan.declare import Unknown
from tests.charts import (
    FIRST_LINE,
    TABLETS,
    Resource,
    count,
    day,
    drug,
    height,
    intake,
    itp,
    level,
    patient,
    sirolimus,
    weight,
)
from tests.conftest import LONG
from tests.judge import fact, judge, judge_order, topics

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


def test_an_update_is_the_whole_order_with_only_the_dose_changed(engine: CheckedEngine) -> None:
    order = sirolimus("s", day(0), 2, note=[{"text": "with breakfast"}], dispenseRequest={"quantity": {"value": 30.5}})
    advice = judge(engine, 21, order, TIMED, level("l", day(20, "07:40"), 3.9))
    (suggestion,) = advice.cards[0]["suggestions"]
    (action,) = suggestion["actions"]
    expected = copy.deepcopy(order)
    expected["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] = 3
    assert action["type"] == "update"
    assert action["resource"] == expected


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


def test_a_hold_puts_the_whole_order_on_hold(engine: CheckedEngine) -> None:
    order = sirolimus("s", day(0), 2)
    (card,) = judge(engine, 21, order, level("l", day(20, "07:40"), 24)).cards
    assert card["suggestions"][0]["actions"][0]["resource"] == order | {"status": "on-hold"}
    draw = card["suggestions"][1]["actions"][0]["resource"]["occurrencePeriod"]
    assert draw == {"start": day(24), "end": day(26)}


# --- no suggestion of ours, once signed, raises a warning of ours ---------------------------------

OURS = {
    "doseAboveWindow", "doseBelowWindow", "doseFarAboveWindow", "doseAboveDailyMaximum", "childDoseBySize", "troughLow", "troughHigh", "troughCritical",
}  # fmt: skip

doses = st.sampled_from([0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 12])


@st.composite
def charts(draw: st.DrawFn) -> tuple[int, list[Resource], Resource]:
    """A day, everything but the order, and the order of a plausible patient."""
    on = draw(st.integers(8, 130))
    born = draw(st.sampled_from(["1980-01-01", "1980-01-01", "2009-06-01", "2014-06-01", "2019-06-01", "2021-03-01"]))
    kg = draw(st.sampled_from([9.5, 12, 16, 22, 30, 38, 45, 70]))
    rest = [patient(born), itp(), weight("w", day(on - draw(st.integers(0, 95))), kg)]
    if draw(st.booleans()):
        rest.append(height("h", day(on - 3), draw(st.sampled_from([75, 95, 120, 165]))))
    drawn = draw(st.integers(3, on))
    rest.append(
        level("l", day(drawn, "07:40"), draw(st.sampled_from([1.5, 3, 3.9, 4.6, 4.9, 8, 14, 15.1, 16, 18, 19.9])))
    )
    if draw(st.booleans()):
        rest.append(intake("i", day(drawn - 1, "07:45")))
    if draw(st.integers(0, 4)) == 0:
        rest.append(drug("x", "fluconazole", day(-30)))
    if draw(st.booleans()):
        rest += [count("b", day(-2), 14), count("c", day(on - 1), draw(st.sampled_from([20, 60, 130])))]
    solution = draw(st.booleans())
    order = sirolimus(
        "s",
        day(0),
        draw(doses),
        tablet=draw(st.sampled_from(sorted(TABLETS))),
        solution=solution,
        times=draw(st.sampled_from([1, 1, 1, 2])),
    )
    return on, rest, order


def updates(advice: Advice) -> list[Resource]:
    """The orders that our suggestions would write."""
    actions = [a for card in advice.cards for s in card.get("suggestions", ()) for a in s["actions"]]
    return [
        a["resource"]
        for a in actions
        if a["resource"]["resourceType"] == "MedicationRequest" and a["resource"]["status"] != "on-hold"
    ]


def as_json(resource: Resource) -> Resource:
    """As an EHR would store it: numbers plain."""
    import json

    return json.loads(json.dumps(resource, default=lambda v: float(v) if isinstance(v, Decimal) else v))  # type: ignore[no-any-return]


def signed(old: Resource, new: Resource, on: int) -> list[Resource]:
    """The old order ends today and the new one begins."""
    stopped = copy.deepcopy(old) | {"status": "stopped"}
    stopped["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]["end"] = day(on)
    begun = as_json(new) | {
        "id": "s-new",
        "authoredOn": day(on),
        "priorPrescription": {"reference": f"MedicationRequest/{old['id']}"},
    }
    begun["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"] = {"start": day(on)}
    return [stopped, begun]


def warnings(advice: Advice) -> set[str]:
    return {c["source"]["topic"]["code"] for c in advice.cards if c["indicator"] != "info"} & OURS


def test_an_offer_holds_when_an_older_weight_counts_again(engine: CheckedEngine) -> None:
    """Of 9.5 kg, 31 days old: under five years it counts for 30 days, and from the birthday on for 90."""
    child, older = patient(born="2019-06-01"), weight("w", day(88), 9.5)
    order, high = sirolimus("s", day(0), 1.5, tablet="0.5"), level("l", day(117, "07:40"), 16)
    offered = updates(judge(engine, 119, child, itp(), older, order, high, adult=False))
    for new in offered:
        later = judge(engine, 145, child, itp(), older, high, *signed(order, new, 119), adult=False)
        assert warnings(later) == set()
    grown = weight("w", day(88), 12)
    assert updates(judge(engine, 119, child, itp(), grown, order, high, adult=False)), "a dose that fits is offered"


@pytest.mark.slow
def test_a_suggestion_that_was_signed_raises_no_warning(engine: CheckedEngine) -> None:
    seen: list[str] = []

    @settings(max_examples=300 if LONG else 120, database=None)
    @given(charts())
    def hold(case: tuple[int, list[Resource], Resource]) -> None:
        on, rest, order = case
        suggested = updates(judge(engine, on, *rest, order, adult=False))
        assume(suggested)
        for new in suggested:
            seen.append(order["id"])
            draft = as_json(new) | {"status": "draft", "authoredOn": day(on)}
            assert warnings(judge_order(engine, on, [draft], *rest, order, adult=False)) == set()
            for later in range(29):
                assert warnings(judge(engine, on + later, *rest, *signed(order, new, on), adult=False)) == set(), later

    hold()
    assert len(seen) > (50 if LONG else 20)


@pytest.mark.slow
def test_a_changed_draft_raises_no_warning_either(engine: CheckedEngine) -> None:
    seen: list[str] = []

    @settings(max_examples=450 if LONG else 180, database=None)
    @given(charts(), doses)
    def hold(case: tuple[int, list[Resource], Resource], mg: float) -> None:
        on, rest, order = case
        draft = copy.deepcopy(order) | {"id": "d", "status": "draft", "authoredOn": day(on)}
        draft["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] = mg
        for new in updates(judge_order(engine, on, [draft], *rest, order, adult=False)):
            seen.append(new["id"])
            changed = as_json(new)
            for hook in ("order-select", "order-sign"):
                assert warnings(judge_order(engine, on, [changed], *rest, order, hook=hook, adult=False)) == set()
            for later in range(29):
                assert (
                    warnings(
                        judge(
                            engine, on + later, *rest, *signed(order, changed | {"status": "active"}, on), adult=False
                        )
                    )
                    == set()
                ), later

    hold()
    assert len(seen) > (50 if LONG else 20)


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
