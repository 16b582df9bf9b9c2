"""The course: its start, its chain of orders, what is taken now and what nobody can say."""

from __future__ import annotations

import pytest

from cds.engine import CheckedEngine
from tests.charts import Resource, day, intake, level, sirolimus, subject, visit
from tests.judge import fact, gaps, judge, judge_order, topics


@pytest.mark.parametrize(
    ("on", "phase"), [(0, "starting"), (89, "starting"), (90, "maintenance"), (400, "maintenance")]
)
def test_phase_turns_on_day_90(engine: CheckedEngine, on: int, phase: str) -> None:
    assert fact(judge(engine, on, sirolimus("s", day(0), 2)), "phase") == phase


def test_the_first_draft_starts_a_course(engine: CheckedEngine) -> None:
    advice = judge_order(engine, 0, [sirolimus("d", day(0), 2, status="draft")])
    assert fact(advice, "phase") == "starting"


@pytest.mark.parametrize(("gap", "day_of_course"), [(28, 150), (29, 150 - 100 - 29)])
def test_more_than_28_days_without_an_order_begin_a_new_course(
    engine: CheckedEngine, gap: int, day_of_course: int
) -> None:
    orders = [sirolimus("s1", day(0), 2, status="completed", end=day(100)), sirolimus("s2", day(100 + gap), 2)]
    assert fact(judge(engine, 150, *orders), "days_on_sirolimus") == day_of_course


def test_start_is_the_bounds_then_the_dispense_period_then_the_order_date(engine: CheckedEngine) -> None:
    order = sirolimus("s", day(0), 2)
    order["authoredOn"] = day(-5)
    assert fact(judge(engine, 10, order), "days_on_sirolimus") == 10
    del order["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]
    assert fact(judge(engine, 10, order), "days_on_sirolimus") == 15
    order["dispenseRequest"] = {"validityPeriod": {"start": day(-2)}}
    assert fact(judge(engine, 10, order), "days_on_sirolimus") == 12


def test_a_validity_period_does_not_end_an_active_order(engine: CheckedEngine) -> None:
    order = sirolimus("s", day(0), 2, dispenseRequest={"validityPeriod": {"start": day(0), "end": day(30)}})
    assert fact(judge(engine, 60, order), "daily_dose") == 2


@pytest.mark.parametrize(
    "link",
    [
        {"priorPrescription": {"reference": "MedicationRequest/s1"}},
        {"basedOn": [{"reference": "MedicationRequest/s1"}]},
    ],
)
def test_a_linked_order_replaces_the_one_before(engine: CheckedEngine, link: dict[str, object]) -> None:
    advice = judge(engine, 20, sirolimus("s1", day(0), 1), sirolimus("s2", day(10), 3, **link))
    assert fact(advice, "daily_dose") == 3
    assert gaps(advice) == set()


def test_a_renewal_at_one_dose_does_not_add_and_is_no_change(engine: CheckedEngine) -> None:
    orders = [sirolimus("s1", day(0), 2), sirolimus("s2", day(10), 2)]
    advice = judge(engine, 14, *orders, level("l", day(13, "07:30"), 6))
    assert fact(advice, "daily_dose") == 2
    assert fact(advice, "trough_basis") == "usable"


def test_two_active_orders_of_different_doses_are_a_gap(engine: CheckedEngine) -> None:
    advice = judge(engine, 20, sirolimus("s1", day(0), 1), sirolimus("s2", day(9), 2), level("l", day(18, "07:30"), 6))
    assert fact(advice, "daily_dose") is None
    assert gaps(advice) == {"Two active orders"}


def test_different_strengths_of_one_day_make_one_dose(engine: CheckedEngine) -> None:
    orders = [sirolimus("s1", day(0), 2, tablet="2"), sirolimus("s2", day(0), 1, tablet="1")]
    assert fact(judge(engine, 3, *orders), "daily_dose") == 3


def test_different_strengths_of_one_group_make_one_dose(engine: CheckedEngine) -> None:
    group = {"groupIdentifier": {"value": "g1"}}
    orders = [sirolimus("s1", day(0), 2, tablet="2", **group), sirolimus("s2", day(1), 1, tablet="1", **group)]
    assert fact(judge(engine, 3, *orders), "daily_dose") == 3


def test_one_strength_twice_on_one_day_is_a_gap(engine: CheckedEngine) -> None:
    orders = [sirolimus("s1", day(0), 2, tablet="1"), sirolimus("s2", day(0), 1, tablet="1")]
    assert gaps(judge(engine, 3, *orders)) == {"Two active orders"}


def test_a_draft_replaces_the_active_order_and_names_it(engine: CheckedEngine) -> None:
    advice = judge_order(
        engine,
        20,
        [sirolimus("d", day(20), 3, status="draft")],
        sirolimus("s", day(0), 2),
        level("l", day(15, "07:30"), 9),
    )
    assert fact(advice, "daily_dose") == 3
    assert "it would replace order of 2 mg/day (if that is left standing, the total is 5 mg/day)" in fact(
        advice, "order_working"
    )


def test_a_draft_of_the_same_group_adds_to_the_active_order(engine: CheckedEngine) -> None:
    group = {"groupIdentifier": {"value": "g1"}}
    draft = sirolimus("d", day(20), 1, tablet="1", status="draft", **group)
    active = sirolimus("s", day(0), 2, tablet="2", **group)
    assert fact(judge_order(engine, 20, [draft], active, level("l", day(15, "07:30"), 9)), "daily_dose") == 3


@pytest.mark.parametrize("intent", ["proposal", "plan"])
def test_a_proposal_is_no_order(engine: CheckedEngine, intent: str) -> None:
    assert topics(judge(engine, 3, sirolimus("s", day(0), 20, intent=intent))) == set()


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "draft"])
def test_orders_that_never_held_are_not_taken(engine: CheckedEngine, status: str) -> None:
    assert topics(judge(engine, 3, sirolimus("s", day(0), 20, status=status))) == set()


def test_a_held_order_has_no_dose_but_its_level_still_counts(engine: CheckedEngine) -> None:
    advice = judge(engine, 20, sirolimus("s", day(0), 5, status="on-hold"), level("l", day(18, "07:30"), 24))
    assert fact(advice, "daily_dose") is None
    assert topics(advice) == {"troughCritical"}


@pytest.mark.parametrize(("since", "shown"), [(28, {"notAssessed"}), (29, set())])
def test_sirolimus_counts_for_28_days_after_its_stop(engine: CheckedEngine, since: int, shown: set[str]) -> None:
    """The level that was never drawn... is not asked for after a stop; the unknown weight of a child is."""
    from tests.charts import itp, patient

    stopped = sirolimus("s", day(0), 1, status="stopped", end=day(40))
    assert topics(judge(engine, 40 + since, patient("2015-01-01"), itp(), stopped, adult=False)) == shown


def test_a_stopped_order_without_an_end_is_a_gap(engine: CheckedEngine) -> None:
    assert gaps(judge(engine, 20, sirolimus("s", day(0), 2, status="stopped"))) == {"End of the course"}


def test_a_stopped_order_without_an_end_ends_when_the_next_one_starts(engine: CheckedEngine) -> None:
    orders = [sirolimus("s1", day(0), 2, status="stopped"), sirolimus("s2", day(30), 3)]
    advice = judge(engine, 40, *orders, level("l", day(38, "07:30"), 6))
    assert fact(advice, "daily_dose") == 3
    assert gaps(advice) == set()


def test_a_level_from_before_the_first_order_means_that_the_start_is_unknown(engine: CheckedEngine) -> None:
    advice = judge(
        engine, 20, sirolimus("s", day(0), 2), level("l", day(-40, "07:30"), 6), level("l2", day(12, "07:30"), 6)
    )
    assert fact(advice, "phase") == "starting-or-maintenance", "the dose is held against the widest window"
    assert fact(advice, "days_on_sirolimus") is None
    assert gaps(advice) == {"Start of the course"}


@pytest.mark.parametrize(("age", "shown"), [(100, {"notAssessed"}), (101, set())])
def test_a_level_without_an_order_is_named_for_100_days(engine: CheckedEngine, age: int, shown: set[str]) -> None:
    assert topics(judge(engine, age, level("l", day(0, "07:30"), 6))) == shown


def test_a_very_high_level_without_an_order_is_critical(engine: CheckedEngine) -> None:
    assert topics(judge(engine, 3, level("l", day(0, "07:30"), 24))) == {"notAssessed", "troughCritical"}


def test_what_is_dated_after_now_does_not_exist(engine: CheckedEngine) -> None:
    assert topics(judge(engine, 0, sirolimus("s", day(1), 20))) == set()


def test_an_order_without_a_date_is_a_gap(engine: CheckedEngine) -> None:
    order = sirolimus("s", day(0), 2)
    del order["authoredOn"]
    del order["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]
    assert "Start of an order" in gaps(judge(engine, 3, order, visit(day(3))))


def test_a_statement_tells_the_course_when_there_is_no_order(engine: CheckedEngine) -> None:
    order = sirolimus("s", day(0), 5)
    statement = {
        "resourceType": "MedicationStatement", "id": "st", "status": "active", "subject": order["subject"],
        "medicationCodeableConcept": order["medicationCodeableConcept"], "effectivePeriod": {"start": day(0)}, "dosage": order["dosageInstruction"],
    }  # fmt: skip
    assert topics(judge(engine, 5, statement)) == {"doseAboveWindow"}


@pytest.mark.parametrize("status", ["completed", "stopped"])
@pytest.mark.parametrize(("drawn", "speaks"), [(150, True), (60, True), (59, False), (None, False)])
def test_an_order_that_is_over_since_an_unknown_day_silences_no_recent_level(
    engine: CheckedEngine, status: str, drawn: int | None, speaks: bool
) -> None:
    """Pharmacies complete an order when it is filled, and the patient goes on: a level of the last 100 days says so."""
    levels = [level("l", day(drawn, "08:00"), 26)] if drawn is not None else []
    advice = judge(engine, 160, sirolimus("s", day(0), 2, status=status), *levels)
    assert ("troughCritical" in topics(advice)) == (speaks and drawn == 150)
    assert ("End of the course" in gaps(advice)) == speaks


def statement(status: str, on: int, rid: str = "st") -> Resource:
    return {"resourceType": "MedicationStatement", "id": rid, "status": status, "subject": subject(),
            "medicationCodeableConcept": {"text": "Sirolimus"}, "effectiveDateTime": day(on)}  # fmt: skip


LOW_LEVEL = [sirolimus("s", day(0), 2), level("l", day(60, "07:40"), 4)]


@pytest.mark.parametrize("status", ["not-taken", "on-hold", "stopped"])
def test_a_statement_without_a_date_that_it_is_not_taken_is_named_and_keeps_a_rise_from_being_offered(
    engine: CheckedEngine, status: str
) -> None:
    undated = {key: value for key, value in statement(status, 0).items() if key != "effectiveDateTime"}
    advice = judge(engine, 62, *LOW_LEVEL, undated)
    assert "MedicationStatement/st was not read" in gaps(advice)
    if status == "not-taken":  # who never took it is no patient of ours
        assert not judge(engine, 62, undated).cards
    assert fact(advice, "proposed_dose") is None
    assert "troughLow" in topics(advice)


@pytest.mark.parametrize(
    ("told", "denied"),
    [
        ([statement("not-taken", 55)], True),
        (
            [
                {
                    **statement("not-taken", 55),
                    "effectiveDateTime": None,
                    "effectivePeriod": {"start": day(50), "end": day(90)},
                }
            ],
            True,
        ),
        (
            [
                {
                    **statement("not-taken", 55),
                    "effectiveDateTime": None,
                    "effectivePeriod": {"start": day(50), "end": day(55)},
                }
            ],
            True,
        ),
        (
            [
                {
                    **statement("not-taken", 55),
                    "effectiveDateTime": None,
                    "effectivePeriod": {"start": day(70), "end": day(90)},
                }
            ],
            False,
        ),
        ([statement("on-hold", 55)], True),
        ([statement("stopped", 55)], True),
        ([statement("active", 55)], False),
        ([statement("not-taken", 0)], False),  # the order is as new
        ([statement("not-taken", 55), statement("active", 56, "s2")], False),
        ([statement("not-taken", 55), intake("i", day(56, "08:00"))], False),
        ([statement("not-taken", 99)], False),
    ],
)
def test_a_statement_that_it_is_not_taken_keeps_a_rise_from_being_offered(
    engine: CheckedEngine, told: list[Resource], denied: bool
) -> None:
    """The order counts, but a level of missed doses must not lead to more of it."""
    advice = judge(engine, 62, *LOW_LEVEL, *told)
    assert ("Whether sirolimus is taken" in gaps(advice)) == denied
    assert any("3 mg/day" in s["label"] for card in advice.cards for s in card.get("suggestions", ())) != denied
