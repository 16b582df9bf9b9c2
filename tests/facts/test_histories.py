"""Charts with a past: several courses, holds, steps, renewals, and results that contradict one another."""

from __future__ import annotations

from typing import Any

import pytest

from cds.engine import CheckedEngine
from tests.charts import Resource, count, day, drug, given, hcg, intake, level, ordered, sirolimus, subject
from tests.judge import fact, gaps, judge, judge_order, topics

ORDER = sirolimus("s", day(0), 2)
BASE = count("base", day(-3), 12)
LEVEL = level("l", day(60, "08:00"), 8)


CR = [count("c1", day(80), 120), count("c2", day(90), 130)]


# --- orders ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["on-hold", "stopped", "completed", "active"])
def test_a_planned_end_in_the_future_hides_no_level(engine: CheckedEngine, status: str) -> None:
    order = sirolimus("s", day(0), 2, status=status, end=day(180))
    assert "troughCritical" in topics(judge(engine, 60, order, level("l", day(58, "08:00"), 25), BASE))


def test_two_orders_of_one_strength_on_one_day_are_not_a_renewal(engine: CheckedEngine) -> None:
    morning, evening = sirolimus("am", day(0), 4), sirolimus("pm", day(0), 4)
    assert gaps(judge(engine, 10, morning, evening)) == {"Two active orders"}


def steps(*mg: float, on: int = 29) -> Resource:
    """One order that changes its dose by date."""
    order = sirolimus("s", day(0), mg[0], solution=True)
    first = order["dosageInstruction"][0]
    later = sirolimus("s", day(on), mg[1], solution=True)["dosageInstruction"][0]
    first["timing"]["repeat"]["boundsPeriod"]["end"] = day(on - 1)
    order["dosageInstruction"] = [first | {"sequence": 1}, later | {"sequence": 2}]
    return order


def test_a_step_inside_an_order_is_a_change_of_dose(engine: CheckedEngine) -> None:
    chart = [steps(4, 2), intake("i", day(19, "08:00")), level("l", day(20, "07:45"), 16)]
    advice = judge(engine, 35, *chart)
    assert fact(advice, "daily_dose") == 2
    assert topics(advice) == set(), "the level was drawn at the dose before"
    early = judge(engine, 31, *chart, level("l2", day(31, "07:45"), 6))
    assert fact(early, "unusable_level") == "not_at_steady_state"


def test_an_order_of_several_steps_is_not_rewritten(engine: CheckedEngine) -> None:
    chart = [steps(4, 3), intake("i", day(59, "08:00")), level("l", day(60, "07:45"), 16)]
    (card,) = judge(engine, 61, *chart).cards
    assert fact(judge(engine, 61, *chart), "proposed_dose") is not None
    assert "suggestions" not in card
    assert "the order cannot be rewritten without guessing" in card["detail"]


def test_a_second_course_has_a_start_of_its_own(engine: CheckedEngine) -> None:
    first = sirolimus("a", day(0), 2, status="stopped", end=day(40))
    chart = [first, level("l0", day(20, "08:00"), 8), sirolimus("b", day(100), 6), count("b2", day(98), 12)]
    advice = judge(engine, 115, *chart)
    assert fact(advice, "days_on_sirolimus") == 15
    assert topics(advice) == {"doseAboveWindow"}


@pytest.mark.parametrize(("mg", "shown"), [(3, set()), (1, {"doseBelowWindow"})])
def test_a_draft_long_after_a_stop_starts_anew(engine: CheckedEngine, mg: float, shown: set[str]) -> None:
    stopped = sirolimus("a", day(0), 2, status="stopped", end=day(40))
    advice = judge_order(engine, 200, [sirolimus("d", day(200), mg, status="draft")], stopped)
    assert fact(advice, "phase") == "starting"
    assert topics(advice) == shown


@pytest.mark.parametrize(
    ("drawn", "mg", "phase", "shown"),
    [
        (-100, 1, "starting-or-maintenance", {"notAssessed"}),
        (-100, 0.5, "starting-or-maintenance", {"notAssessed", "doseBelowWindow"}),
        (-100, 4.5, "starting-or-maintenance", {"notAssessed", "doseAboveWindow"}),
        (-101, 1, "starting", {"doseBelowWindow"}),  # it belongs to a course long over
    ],
)
def test_a_first_draft_after_a_level_is_held_against_the_widest_window(
    engine: CheckedEngine, drawn: int, mg: float, phase: str, shown: set[str]
) -> None:
    draft = sirolimus("d", day(0), mg, tablet="0.5", status="draft")
    advice = judge_order(engine, 0, [draft], level("l", day(drawn, "08:00"), 6))
    assert fact(advice, "phase") == phase
    assert topics(advice) == shown


def test_a_resumed_order_starts_the_wait_again(engine: CheckedEngine) -> None:
    chart = [sirolimus("a", day(0), 2, status="on-hold"), sirolimus("b", day(60), 2), level("l", day(62, "08:00"), 3)]
    assert topics(judge(engine, 62, *chart)) == {"troughNotUsable"}


def test_a_current_statement_counts_when_every_order_is_over(engine: CheckedEngine) -> None:
    over = sirolimus("s", day(0), 2, status="stopped", end=day(20))
    taken = sirolimus("x", day(60), 6)
    statement = {
        "resourceType": "MedicationStatement", "id": "st", "status": "active", "subject": subject(), "effectivePeriod": {"start": day(60)},
        "medicationCodeableConcept": taken["medicationCodeableConcept"], "dosage": taken["dosageInstruction"],
    }  # fmt: skip
    assert "doseAboveWindow" in topics(judge(engine, 70, over, statement))


def test_the_labels_maximum_is_found_in_one_order_of_several_unclear_ones(engine: CheckedEngine) -> None:
    assert "doseAboveDailyMaximum" in topics(judge(engine, 10, sirolimus("a", day(0), 45), sirolimus("b", day(3), 2)))
    unclear = sirolimus("b", day(0), 2, tablet="2") | {"dosageInstruction": [{"text": "as told"}]}
    assert "doseAboveDailyMaximum" in topics(judge(engine, 10, sirolimus("a", day(0), 50), unclear))


@pytest.mark.parametrize("change", [{"doNotPerform": True}, {"intent": "option"}])
def test_an_order_not_to_give_is_no_order(engine: CheckedEngine, change: Resource) -> None:
    assert topics(judge(engine, 3, sirolimus("s", day(0), 50) | change)) == set()
    assert topics(judge(engine, 70, ORDER, LEVEL, drug("x", "clarithromycin", day(65)) | change)) == set()


def test_a_draft_of_the_group_with_the_same_strength_is_a_gap(engine: CheckedEngine) -> None:
    group = {"groupIdentifier": {"value": "g"}}
    advice = judge_order(
        engine, 20, [sirolimus("d", day(20), 3, status="draft", **group)], sirolimus("s", day(0), 2, **group)
    )
    assert fact(advice, "daily_dose") is None
    assert "Two active orders" in gaps(advice)


def test_a_revised_order_does_not_replace_itself(engine: CheckedEngine) -> None:
    advice = judge_order(engine, 20, [sirolimus("s", day(0), 5)], ORDER)
    assert "it would replace" not in fact(advice, "order_working")


def test_one_dose_only_is_not_a_daily_dose(engine: CheckedEngine) -> None:
    once = sirolimus("s", day(0), 12)
    once["dosageInstruction"][0]["timing"]["repeat"]["count"] = 1
    assert gaps(judge(engine, 3, once)) == {"Dose per day"}


# --- holds and drafts ------------------------------------------------------------------------------


def actions(advice: Any) -> list[Resource]:
    return [a["resource"] for c in advice.cards for s in c.get("suggestions", ()) for a in s["actions"]]


def test_a_hold_is_of_what_is_taken_never_of_the_draft(engine: CheckedEngine) -> None:
    advice = judge_order(
        engine, 60, [sirolimus("d", day(60), 1, status="draft")], ORDER, level("l", day(59, "08:00"), 25)
    )
    held = [r for r in actions(advice) if r.get("status") == "on-hold"]
    assert [r["id"] for r in held] == ["s"]


def test_where_two_orders_conflict_none_is_held_and_no_dose_is_proposed(engine: CheckedEngine) -> None:
    both = [sirolimus("a", day(0), 2), sirolimus("b", day(30), 3)]
    assert not [
        r
        for r in actions(judge(engine, 60, *both, level("l", day(58, "08:00"), 25)))
        if r["resourceType"] == "MedicationRequest"
    ]
    advice = judge_order(
        engine, 60, [sirolimus("d", day(60), 3, status="draft")], *both, level("l", day(58, "08:00"), 18)
    )
    assert fact(advice, "proposed_dose") is None
    assert "order of 2 mg/day and order of 3 mg/day (if that is left standing, the total is 8 mg/day)" in fact(
        advice, "order_working"
    )


def test_an_order_with_a_limit_beside_its_dose_is_not_rewritten(engine: CheckedEngine) -> None:
    order = sirolimus("s", day(0), 2)
    order["dosageInstruction"][0]["maxDosePerPeriod"] = {
        "numerator": {"value": 2, "unit": "mg"},
        "denominator": {"value": 1, "unit": "d"},
    }
    advice = judge(engine, 21, order, intake("i", day(19, "07:45")), level("l", day(20, "07:40"), 3.9))
    assert actions(advice) == []


def test_a_partner_started_after_the_level_of_its_day_is_newer(engine: CheckedEngine) -> None:
    chart = [ORDER, level("l", day(50, "08:00"), 8)]
    assert topics(judge(engine, 51, *chart, drug("x", "clarithromycin", day(50, "15:00")))) == {"strongInhibitor"}


@pytest.mark.parametrize("selected", ["s", "x"])
def test_either_partner_may_be_the_selected_draft(engine: CheckedEngine, selected: str) -> None:
    drafts = [sirolimus("s", day(0), 2, status="draft"), drug("x", "clarithromycin", day(0), status="draft")]
    advice = judge_order(engine, 0, drafts, hook="order-select", selections=[f"MedicationRequest/{selected}"])
    assert topics(advice) == {"strongInhibitor"}


def test_a_course_of_an_inhibitor_ends_by_its_own_dates(engine: CheckedEngine) -> None:
    short = drug("x", "clarithromycin", day(20), end=day(30))
    soon = judge(engine, 33, ORDER, short, level("l", day(32, "08:00"), 18))
    assert topics(soon) == {"troughNotUsable", "interactingDrugStopped"}
    assert topics(judge(engine, 90, ORDER, short, level("l", day(60, "08:00"), 8), BASE, *CR)) == {"responseComplete"}


def test_an_inducer_that_is_over_since_nobody_knows_when_spoils_levels(engine: CheckedEngine) -> None:
    over = drug("x", "rifampin", day(10), status="stopped")
    advice = judge(engine, 41, ORDER, over, level("l", day(40, "08:00"), 3))
    assert topics(advice) == {"troughNotUsable"}
    assert "rifampin is over, but not known since when" in advice.cards[0]["detail"]


def test_a_renewed_partner_neither_stopped_nor_started(engine: CheckedEngine) -> None:
    renewed = [drug("x1", "fluconazole", day(-30), status="completed", end=day(60)), drug("x2", "fluconazole", day(60))]
    assert topics(judge(engine, 64, ORDER, *renewed, level("l", day(63, "08:00"), 8))) == set()


def test_a_partner_that_was_only_given_counts(engine: CheckedEngine) -> None:
    infusion = given("clarithromycin", "g", day(38, "10:00"))
    shown = topics(judge(engine, 41, ORDER, infusion, level("l", day(40, "08:00"), 18)))
    assert shown == {"troughNotUsable", "interactingDrugStopped"}


def test_a_drafted_inhibitor_holds_a_raise_back(engine: CheckedEngine) -> None:
    drafts = [sirolimus("d", day(40), 2, status="draft"), drug("x", "fluconazole", day(40), status="draft")]
    advice = judge_order(engine, 40, drafts, ORDER, intake("i", day(38, "08:00")), level("l", day(39, "08:00"), 3.9))
    assert fact(advice, "proposed_dose") is None


@pytest.mark.parametrize("name", ["St John\u2019s wort", "Johanniskraut 900 mg", "St. John's wort"])
def test_the_herb_by_its_names(engine: CheckedEngine, name: str) -> None:
    herb = drug("x", "rifampin", day(65)) | {"medicationCodeableConcept": {"text": name}}
    assert topics(judge(engine, 70, ORDER, LEVEL, herb)) == {"strongInducer"}


# --- what a clinician would not sign ---------------------------------------------------------------


def test_no_dose_is_raised_in_pregnancy(engine: CheckedEngine) -> None:
    low = [ORDER, intake("i", day(64, "08:00")), level("l", day(65, "07:45"), 3.9)]
    advice = judge(engine, 66, *low, hcg(valueString="positive"))
    assert topics(advice) == {"pregnancy", "troughLow"}
    written = [r for r in actions(advice) if r["resourceType"] == "MedicationRequest"]
    assert [r["status"] for r in written] == ["on-hold"]
    (card,) = [card for card in advice.cards if card["source"]["topic"]["code"] == "troughLow"]
    assert "No dose is proposed: no rise is offered: pregnancy is on record." in card["detail"]


def test_a_dose_below_the_window_is_not_spoken_of_in_pregnancy(engine: CheckedEngine) -> None:
    small = [sirolimus("s", day(0), 1), ordered("lvl", "29247-4", day(60))]
    assert topics(judge(engine, 66, *small)) == {"doseBelowWindow"}
    advice = judge(engine, 66, *small, hcg(valueString="positive"))
    assert topics(advice) == {"pregnancy"}
    written = [r for r in actions(advice) if r["resourceType"] == "MedicationRequest"]
    assert [r["status"] for r in written] == ["on-hold"]


def test_the_toddler_is_offered_a_dose_by_weight_for_four_weeks(engine: CheckedEngine) -> None:
    from tests.charts import FIRST_LINE, height, itp, patient, weight

    child = [patient("2021-07-01"), itp(), FIRST_LINE, weight("w", day(-25), 10), height("h", day(-25), 82)]
    draft = sirolimus("d", day(0), 2, solution=True, status="draft")
    advice = judge_order(engine, 0, [draft], *child, adult=False)
    (card,) = advice.cards
    (suggestion,) = card["suggestions"]
    assert suggestion["label"] == "Change the order to 0.7 mg/day"
    signed = sirolimus("s", day(0), 0.7, solution=True)
    for on in range(29):
        assert "doseBelowWindow" not in topics(judge(engine, on, *child, signed, adult=False)), on


def test_without_itp_a_card_does_not_speak_of_its_protocol(engine: CheckedEngine) -> None:
    from tests.charts import patient

    cards = judge(engine, 61, patient(), ORDER, level("l", day(60, "08:00"), 24), adult=False).cards
    assert all("Protocol:" not in card["detail"] for card in cards)
    assert all("the ITP protocol is not applied" in card["detail"] for card in cards)


def test_a_revised_order_is_not_held_with_its_new_dose(engine: CheckedEngine) -> None:
    advice = judge_order(
        engine, 60, [sirolimus("s", day(60), 4)], sirolimus("s", day(0), 3), level("l", day(59, "08:00"), 25)
    )
    assert "troughCritical" in topics(advice)
    assert not [r for r in actions(advice) if r.get("status") == "on-hold"]
