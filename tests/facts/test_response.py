"""Response by the working group's criteria, each limit and each washout from both sides."""

from __future__ import annotations

from typing import Any

import pytest

from cds.course.counts import counts
from cds.engine import CheckedEngine
from tests.charts import Resource, condition, count, day, drug, intake, level, sirolimus, subject
from tests.judge import fact, gaps, judge, judge_order, topics

ORDER = sirolimus("s", day(0), 2)
LEVEL = level("l", day(60, "07:30"), 7)
BASE = count("base", day(-3), 14)


def at_landmark(
    engine: CheckedEngine,
    value: float,
    *more: Resource,
    on: int = 90,
    base: Resource | None = BASE,
    earlier: bool = True,
) -> Any:
    """Judge a count of ``value`` on day ``on``, with the same count a week before unless told otherwise."""
    counts = [count("now", day(on), value)] + ([count("before", day(on - 7), value)] if earlier else [])
    return judge(engine, on, ORDER, LEVEL, *([base] if base else []), *counts, *more)


@pytest.mark.parametrize(
    ("value", "base", "category"),
    [
        (100, 14, "complete"), (99, 14, "partial"), (30, 15, "partial"), (30, 14, "partial"), (29, 14, None), (30, 16, None),
        (60, 40, None), (80, 40, "partial"), (79, 40, None), (100, 60, "complete"),
    ],
)  # fmt: skip
def test_both_thirty_and_doubling_are_needed_for_a_partial_response(
    engine: CheckedEngine, value: float, base: float, category: str | None
) -> None:
    advice = at_landmark(engine, value, base=count("base", day(-3), base))
    assert fact(advice, "landmark_response") == category


@pytest.mark.parametrize(
    ("value", "category"), [(100, "complete"), (99, "not_evaluable"), (30, "not_evaluable"), (29, None)]
)
def test_without_a_baseline_only_the_ends_can_be_told(
    engine: CheckedEngine, value: float, category: str | None
) -> None:
    assert fact(at_landmark(engine, value, base=None), "landmark_response") == category


@pytest.mark.parametrize(
    ("on", "months"), [(68, None), (69, 3), (111, 3), (112, None), (151, None), (152, 6), (208, 6), (209, None)]
)
def test_the_landmarks_are_windows(engine: CheckedEngine, on: int, months: int | None) -> None:
    advice = at_landmark(engine, 120, on=on, earlier=False)
    assert (fact(advice, "landmark_response") == "complete") == (months is not None)
    if months is not None:
        assert fact(advice, "landmark") == months


@pytest.mark.parametrize(("apart", "confirmed"), [(6, False), (7, True)])
def test_a_response_is_confirmed_seven_calendar_days_apart(engine: CheckedEngine, apart: int, confirmed: bool) -> None:
    counts = [count("now", day(90, "08:50"), 120), count("before", day(90 - apart, "09:10"), 110)]
    assert fact(judge(engine, 90, ORDER, LEVEL, BASE, *counts), "landmark_confirmed") == confirmed


def test_one_count_between_that_fails_leaves_it_unconfirmed(engine: CheckedEngine) -> None:
    counts = [count("now", day(90), 120), count("mid", day(86), 95), count("before", day(80), 110)]
    assert fact(judge(engine, 90, ORDER, LEVEL, BASE, *counts), "landmark_confirmed") is False


@pytest.mark.parametrize(("later", "shown"), [(14, True), (15, False)])
def test_a_landmark_is_shown_for_14_days(engine: CheckedEngine, later: int, shown: bool) -> None:
    counts = [count("now", day(90), 120), count("before", day(83), 110)]
    assert ("responseComplete" in topics(judge(engine, 90 + later, ORDER, LEVEL, BASE, *counts))) == shown


def test_a_later_count_of_the_same_category_does_not_show_it_again(engine: CheckedEngine) -> None:
    counts = [count("c1", day(72), 120), count("c2", day(79), 110), count("c3", day(108), 130)]
    assert topics(judge(engine, 108, ORDER, LEVEL, BASE, *counts)) == set()


@pytest.mark.parametrize(("on", "shown"), [(111, False), (112, True), (125, True), (126, False)])
def test_no_count_at_all_is_said_when_the_window_has_closed(engine: CheckedEngine, on: int, shown: bool) -> None:
    assert ("responseNotEvaluable" in topics(judge(engine, on, ORDER, LEVEL, BASE))) == shown


def test_a_confounded_count_long_ago_does_not_hide_that_none_came(engine: CheckedEngine) -> None:
    confounded = [drug("r", "ivig", day(60), status="completed"), count("c", day(75), 150)]
    for on, shown in ((89, True), (90, False), (111, False), (112, True)):
        advice = judge(engine, on, ORDER, level("l", day(60, "07:30"), 7), BASE, *confounded)
        assert ("responseNotEvaluable" in topics(advice)) == shown, on


@pytest.mark.parametrize(("before", "used"), [(14, True), (15, False), (0, True)])
def test_the_baseline_is_from_the_14_days_before(engine: CheckedEngine, before: int, used: bool) -> None:
    advice = at_landmark(engine, 60, base=count("base", day(-before), 20))
    assert fact(advice, "landmark_response") == ("partial" if used else "not_evaluable")


def test_a_count_after_the_first_dose_is_no_baseline(engine: CheckedEngine) -> None:
    given = intake("i", day(0, "08:00"))
    assert (
        fact(at_landmark(engine, 60, given, base=count("base", day(0, "09:00"), 20)), "landmark_response")
        == "not_evaluable"
    )
    assert (
        fact(at_landmark(engine, 60, given, base=count("base", day(0, "07:00"), 20)), "landmark_response") == "partial"
    )


def test_a_baseline_reported_as_less_than_counts_as_that_number(engine: CheckedEngine) -> None:
    advice = at_landmark(engine, 40, base=count("base", day(-3), 5, comparator="<"))
    assert fact(advice, "landmark_response") == "partial"
    assert "<5 x 10^9/L on 2024-01-05, counted as that number" in fact(advice, "baseline")


def procedure(code: str, when: str) -> Resource:
    return {"resourceType": "Procedure", "id": "p", "status": "completed", "subject": subject(), "performedDateTime": when,
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": code}]}}  # fmt: skip


@pytest.mark.parametrize(("days", "usable"), [(7, False), (8, True)])
def test_a_platelet_transfusion_spoils_counts_for_7_days(engine: CheckedEngine, days: int, usable: bool) -> None:
    advice = at_landmark(engine, 120, procedure("180208003", day(90 - days)), earlier=False)
    assert topics(advice) == {"responseComplete" if usable else "responseNotEvaluable"}


@pytest.mark.parametrize(("days", "usable"), [(28, False), (29, True)])
@pytest.mark.parametrize(
    "rescue",
    [
        lambda last: drug("r", "ivig", last, status="completed"),
        lambda last: drug("r", "prednisone", day(55), status="completed", end=last, mg=40),
    ],
    ids=["IVIG", "a steroid started during the course"],
)
def test_rescue_spoils_counts_for_28_days_after_its_last_dose(
    engine: CheckedEngine, rescue: Any, days: int, usable: bool
) -> None:
    advice = at_landmark(engine, 120, rescue(day(90 - days)), earlier=False)
    assert topics(advice) == {"responseComplete" if usable else "responseNotEvaluable"}


def test_a_steroid_stable_from_before_the_start_does_not_confound(engine: CheckedEngine) -> None:
    shown = topics(at_landmark(engine, 120, drug("r", "prednisone", day(-200), mg=10)))
    assert shown == {"responseComplete", "steroidDependence"}


def test_nor_does_a_taper_of_it(engine: CheckedEngine) -> None:
    taper = [
        drug("r1", "prednisone", day(-200), status="stopped", end=day(70), mg=10),
        drug("r2", "prednisone", day(70), mg=5),
    ]
    assert topics(at_landmark(engine, 120, *taper)) == {"responseComplete"}


def test_raising_it_does(engine: CheckedEngine) -> None:
    raised = [
        drug("r1", "prednisone", day(-200), status="stopped", end=day(70), mg=10),
        drug("r2", "prednisone", day(70), mg=20),
    ]
    assert topics(at_landmark(engine, 120, *raised)) == {"responseNotEvaluable"}


@pytest.mark.parametrize(("days", "usable"), [(56, False), (57, True)])
def test_a_stimulator_started_during_the_course_spoils_counts_for_56_days(
    engine: CheckedEngine, days: int, usable: bool
) -> None:
    given = drug("r", "eltrombopag", day(5), status="stopped", end=day(90 - days))
    assert topics(at_landmark(engine, 120, given, earlier=False)) == {
        "responseComplete" if usable else "responseNotEvaluable"
    }


def test_a_stimulator_from_before_the_course_does_not_confound(engine: CheckedEngine) -> None:
    assert topics(at_landmark(engine, 120, drug("r", "eltrombopag", day(-100)))) == {"responseComplete"}


def not_evaluable(advice: Any) -> list[str]:
    return [c["detail"] for c in advice.cards if c["source"]["topic"]["code"] == "responseNotEvaluable"]


def test_rituximab_confounds_the_rest_of_the_course(engine: CheckedEngine) -> None:
    rituximab, newer = drug("r", "rituximab", day(20), status="completed"), level("l2", day(150, "07:30"), 7)
    (detail,) = not_evaluable(at_landmark(engine, 120, rituximab, newer, on=180))
    assert f"Confounded: the count 120 x 10^9/L on {day(180)} cannot be used, after rituximab on {day(20)}" in detail


@pytest.mark.parametrize(("on", "said"), [(151, False), (152, True), (166, True), (167, False)])
def test_splenectomy_confounds_the_next_landmark_whatever_is_counted(
    engine: CheckedEngine, on: int, said: bool
) -> None:
    """It is told for 14 days from where the window opens, or from the operation."""
    chart = [procedure("234319005", day(120)), level("l2", day(150, "07:30"), 7)]
    advice = at_landmark(engine, 120, *chart, on=on)
    assert topics(advice) == ({"responseNotEvaluable"} if said else set())
    for detail in not_evaluable(advice):
        assert f"Confounded: splenectomy on {day(120)}" in detail
    for detail in not_evaluable(judge(engine, on, ORDER, BASE, *chart)):
        assert f"Confounded: splenectomy on {day(120)}" in detail


@pytest.mark.parametrize(
    "answer",
    [
        {"valueBoolean": True},
        {"valueCodeableConcept": {"text": "Present"}},
        {"valueCodeableConcept": {"text": "1+"}},
        {"valueString": "many"},
    ],
)
def test_clumped_platelets_are_not_counted(engine: CheckedEngine, answer: dict[str, Any]) -> None:
    clumps = (
        count("k", day(90, "08:00"), 1)
        | {"code": {"coding": [{"system": "http://loinc.org", "code": "7796-6"}]}}
        | answer
    )
    del clumps["valueQuantity"]
    advice = at_landmark(engine, 15, clumps, earlier=False)
    assert fact(advice, "current_response") is None
    assert topics(advice) == {"plateletCountNotUsable"}, "the landmark waits for a usable count"


def test_a_count_without_clumps_is_counted(engine: CheckedEngine) -> None:
    clumps = count("k", day(90), 0) | {"code": {"coding": [{"system": "http://loinc.org", "code": "40741-1"}]}}
    assert fact(at_landmark(engine, 120, clumps), "landmark_response") == "complete"


@pytest.mark.parametrize(("days", "category"), [(28, None), (29, "complete")])
def test_bleeding_in_the_28_days_before_is_no_response(engine: CheckedEngine, days: int, category: str | None) -> None:
    bleeding = condition("b", "249366005", day(90 - days))
    assert fact(at_landmark(engine, 120, bleeding, earlier=False), "landmark_response") == category


def test_undocumented_bleeding_is_taken_as_none_and_said(engine: CheckedEngine) -> None:
    assert "No bleeding is documented; that is taken as none." in at_landmark(engine, 120).cards[0]["detail"]


@pytest.mark.parametrize(("value", "reached"), [(5, "responseNone"), (4.9, "responseNoneUnexposed")])
def test_no_response_asks_for_exposure_first(engine: CheckedEngine, value: float, reached: str) -> None:
    exposed = [level("l", day(80, "07:30"), value), level("l2", day(83, "07:30"), 6, status="preliminary")]
    advice = judge(engine, 90, ORDER, BASE, *exposed, count("c1", day(70), 18), count("c2", day(90), 21))
    assert reached in topics(advice)
    assert len(topics(advice) & {"responseNone", "responseNoneUnexposed"}) == 1


@pytest.mark.parametrize(("on", "shown"), [(83, False), (84, True)])
def test_no_response_is_not_spoken_of_before_day_84(engine: CheckedEngine, on: int, shown: bool) -> None:
    assert ("responseNone" in topics(judge(engine, on, ORDER, LEVEL, BASE, count("c", day(on), 20)))) == shown


def test_one_count_without_response_is_called_unconfirmed(engine: CheckedEngine) -> None:
    (card,) = judge(engine, 90, ORDER, LEVEL, BASE, count("c", day(90), 20)).cards
    assert "unconfirmed, no second count agrees" in card["detail"]


LOST = [count("c1", day(60), 120), count("c2", day(70), 131)]


def test_a_lost_response_needs_two_counts_on_two_days(engine: CheckedEngine) -> None:
    one = [*LOST, count("c3", day(119), 20)]
    assert "responseLost" not in topics(judge(engine, 119, ORDER, LEVEL, BASE, *one))
    same_day = [*one, count("c4", day(119, "18:00"), 19)]
    assert "responseLost" not in topics(judge(engine, 119, ORDER, LEVEL, BASE, *same_day))
    two = [*one, count("c4", day(120), 19)]
    assert topics(judge(engine, 120, ORDER, LEVEL, BASE, *two)) == {"responseLost", "lowPlateletsAdult"}


@pytest.mark.parametrize(("later", "shown"), [(14, True), (15, False)])
def test_a_lost_response_is_spoken_of_for_14_days(engine: CheckedEngine, later: int, shown: bool) -> None:
    counts = [*LOST, count("c3", day(119), 20), count("c4", day(121), 19)]
    assert ("responseLost" in topics(judge(engine, 121 + later, ORDER, LEVEL, BASE, *counts))) == shown


def test_from_complete_to_partial_is_no_loss(engine: CheckedEngine) -> None:
    counts = [*LOST, count("c3", day(119), 60), count("c4", day(121), 55)]
    assert topics(judge(engine, 121, ORDER, LEVEL, BASE, *counts)) == set()


def test_one_sample_reported_twice_is_one(engine: CheckedEngine) -> None:
    twice = [*LOST, count("c3", day(119, "08:00"), 20), count("c4", day(119, "08:00"), 20)]
    assert "responseLost" not in topics(judge(engine, 119, ORDER, LEVEL, BASE, *twice))


def test_a_never_treated_patient_has_no_response(engine: CheckedEngine) -> None:
    assert topics(judge(engine, 90, BASE, count("c", day(90), 200))) == set()


@pytest.mark.parametrize(("age", "known"), [(42, True), (43, False)])
def test_a_patient_is_in_response_for_42_days_after_a_count(engine: CheckedEngine, age: int, known: bool) -> None:
    counts = [count("c0", day(223), 110), count("c", day(230), 120)]
    advice = judge(engine, 230 + age, ORDER, BASE, *counts, level("l", day(265, "07:30"), 4))
    assert topics(advice) == {"troughLowInResponse" if known else "troughLow"}
    assert [card["indicator"] for card in advice.cards] == ["info"]
    assert ("consider a platelet count before the dose" in advice.cards[0]["summary"]) is not known


def test_an_unreadable_newest_count_is_named(engine: CheckedEngine) -> None:
    assert gaps(
        judge(engine, 40, ORDER, level("l", day(30, "07:30"), 7), BASE, count("c", day(40), 120, unit="furlongs"))
    ) == {"A platelet count was not read"}


def test_regulatory_t_cells_are_shown_as_a_trend_and_trigger_nothing(engine: CheckedEngine) -> None:
    def treg(rid: str, when: str, value: float) -> Resource:
        return count(rid, when, value, "%") | {"code": {"coding": [{"system": "http://loinc.org", "code": "80700-8"}]}}

    cells = [treg("t1", day(-2), 3.1), treg("t2", day(85), 5.2)]
    (card,) = at_landmark(engine, 120, *cells).cards
    assert "3.1 on 2024-01-06, 5.2 on 2024-04-02 (%, LOINC 80700-8)" in card["detail"]
    assert topics(judge(engine, 10, ORDER, *cells)) == set()


@pytest.mark.parametrize(("since", "held_up"), [(-3, True), (-2, False)])
def test_prednisone_that_began_after_the_baseline_did_not_hold_it_up(
    engine: CheckedEngine, since: int, held_up: bool
) -> None:
    steroid = drug("pred", "prednisone", day(since), mg=60)
    assert fact(judge(engine, 30, ORDER, BASE, steroid), "baseline").startswith("none") is held_up


def test_prednisone_that_is_only_drafted_holds_no_baseline_up(engine: CheckedEngine) -> None:
    drafts = [sirolimus("d", day(30), 2, status="draft"), drug("p", "prednisone", day(-10), mg=60, status="draft")]
    assert not fact(judge_order(engine, 30, drafts, ORDER, BASE), "baseline").startswith("none")


@pytest.mark.parametrize(("on", "explained"), [(-1, False), (0, True)])
def test_counts_after_a_splenectomy_from_the_first_day_on_are_explained_by_it(
    engine: CheckedEngine, on: int, explained: bool
) -> None:
    newest = judge(engine, 90, ORDER, BASE, procedure("234319005", day(on)), count("c", day(80), 90)).situation.of(
        counts
    )[0]
    assert newest.why_not == (f"after splenectomy on {day(on)}" if explained else "")


@pytest.mark.parametrize(("mg", "usable"), [(50, True), (75, False)])
def test_a_stimulator_that_goes_on_at_its_dose_is_not_raised(engine: CheckedEngine, mg: int, usable: bool) -> None:
    before = drug("e", "eltrombopag", day(-200), mg=50, status="completed", end=day(60))
    after = drug("f", "eltrombopag", day(60), mg=mg)
    advice = judge(engine, 72, sirolimus("s", day(0), 2), before, after, count("c", day(70), 120))
    assert (fact(advice, "unusable_count") is None) == usable
