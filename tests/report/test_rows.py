"""What the timeline draws: every count, level, dose and event of a chart, and whether it could be used."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cds.engine import CheckedEngine
from cds.knowledge.load import load
from cds.timeline.axis import room, ticks
from cds.timeline.rows import Timeline, timeline
from cds.timeline.spec import spec
from tests.charts import SNOMED, condition, count, day, drug, graded, intake, level, sirolimus, subject
from tests.judge import judge, judge_order, standing


def drawn(engine: CheckedEngine, on: int, *resources: dict[str, Any]) -> Timeline:
    return timeline(judge(engine, on, *resources))


def says(rows: list[dict[str, Any]]) -> list[str]:
    return [row["say"] for row in rows]


COURSE = [sirolimus("s1", day(0), 2, status="stopped", end=day(30)), sirolimus("s2", day(40), 3)]


def test_counts_and_levels_are_told_usable_or_why_not(engine: CheckedEngine) -> None:
    found = drawn(
        engine, 60, *COURSE, count("p0", day(-2), 14), count("p1", day(50), 140), drug("x", "ivig", day(45)),
        intake("d", day(20, "08:00")), level("l1", day(20, "10:00"), 18), level("l2", day(55, "07:40"), 7),
    )  # fmt: skip
    assert [(row["value"], row["usable"]) for row in found.counts] == [(140.0, False), (14.0, True)]
    assert "not used: within 28 days after immunoglobulin" in says(found.counts)[0]
    assert [(row["value"], row["usable"]) for row in found.levels] == [(7.0, True), (18.0, False)]
    assert "not used, it was drawn 2 h after a dose" in says(found.levels)[1]
    assert found.baseline == 14.0 and found.target == (5.0, 15.0)
    assert [row["name"] for row in found.bars] == ["immunoglobulin (IV/SC)"]


def test_a_bound_is_drawn_as_one_and_a_level_keeps_its_digits(engine: CheckedEngine) -> None:
    below = count("p", day(18), 5)
    below["valueQuantity"]["comparator"] = "<"
    found = drawn(engine, 20, sirolimus("s", day(0), 2), below, level("l", day(15, "07:40"), 4.96))
    assert [row["name"] for row in found.counts] == ["<5"] and [row["name"] for row in found.levels] == ["4.96"]


def test_the_lines_of_the_counts_are_those_of_the_criteria(engine: CheckedEngine) -> None:
    found = drawn(engine, 20, sirolimus("s", day(0), 2))
    assert found.criteria == (30.0, 100.0)
    found.criteria = (25.0, 120.0)
    layers = spec(found)["vconcat"][0]["layer"]
    named = [row for layer in layers for row in layer["data"]["values"] if "partial" in str(row.get("name"))]
    assert {(row["value"], row["name"]) for row in named} == {(25.0, "partial, 25")}


def test_doses_are_steps_and_a_hold_is_nothing(engine: CheckedEngine) -> None:
    found = drawn(engine, 60, *COURSE)
    assert [(row["at"], row["until"], row["value"]) for row in found.doses] == [
        (day(0), day(31), 2.0),
        (day(31), day(40), 0.0),
        (day(40), day(61), 3.0),
    ]


def test_of_contradictory_orders_no_dose_is_drawn(engine: CheckedEngine) -> None:
    (unknown,) = drawn(engine, 10, sirolimus("a", day(0), 2), sirolimus("b", day(0), 3)).doses
    assert unknown["value"] is None and "not known in which dose" in unknown["say"]


def test_landmarks_carry_their_category(engine: CheckedEngine) -> None:
    counts = [count("p0", day(-2), 14), count("p1", day(80), 120), count("p2", day(90), 130)]
    (three,) = drawn(engine, 100, sirolimus("s", day(0), 2), *counts).landmarks
    assert three["name"] == "3 mo: CR" and (three["at"], three["until"]) == (day(69), day(103))
    (unsure,) = drawn(engine, 85, sirolimus("s", day(0), 2), *counts).landmarks
    assert unsure["name"] == "3 mo: CR (unconfirmed)"
    (nothing,) = drawn(engine, 75, sirolimus("s", day(0), 2), counts[0]).landmarks
    assert nothing["name"] == "3 mo: no usable count"
    assert drawn(engine, 60, sirolimus("s", day(0), 2), counts[0]).landmarks == []


def test_a_landmark_after_the_spleen_is_out_is_not_a_response(engine: CheckedEngine) -> None:
    counts = [count("p0", day(-2), 14), count("p1", day(80), 120), count("p2", day(90), 130)]
    removed = {
        "resourceType": "Procedure", "id": "x", "status": "completed", "subject": subject(), "performedDateTime": day(60),
        "code": {"coding": [{"system": SNOMED, "code": "234319005"}]},
    }  # fmt: skip
    (three,) = drawn(engine, 100, sirolimus("s", day(0), 2), *counts, removed).landmarks
    assert three["name"] == "3 mo: not evaluable"


def test_a_protocol_that_judges_a_year_has_it_drawn(engine: CheckedEngine) -> None:
    assert load().protocol.yearly and not load(None, "label-lam").protocol.yearly
    counts = [count("p0", day(-2), 14), count("p1", day(340), 120), count("p2", day(360), 130)]
    names = [row["name"] for row in drawn(engine, 370, sirolimus("s", day(0), 2), *counts).landmarks]
    assert names == ["3 mo: no usable count", "6 mo: no usable count", "12 mo: CR"]


def test_cards_bleeding_and_other_drugs_are_marked(engine: CheckedEngine) -> None:
    found = drawn(
        engine, 20, sirolimus("s", day(0), 2), level("l", day(15, "07:40"), 27), drug("c", "clarithromycin", day(12)),
        condition("b", "249366005", day(10)),
    )  # fmt: skip
    assert {(row["name"], row["kind"]) for row in found.bars} == {("clarithromycin", "moves the level")}
    kinds = {row["kind"]: row for row in found.marks}
    assert kinds["bleeding"]["at"][:10] == day(10) and kinds["critical"]["at"][:10] == day(15)
    assert "27 ng/mL" in kinds["critical"]["say"]


def test_graded_bleeding_is_a_panel_of_its_own(engine: CheckedEngine) -> None:
    chart = [sirolimus("s", day(0), 2), graded("g1", day(5), 2), graded("g0", day(9), 0), graded("odd", day(10), 9)]
    found = drawn(engine, 20, *chart)
    assert [(row["at"][:10], row["value"]) for row in found.grades] == [(day(5), 2.0), (day(9), 0.0)]
    assert says(found.grades)[0] == f"Bleeding of WHO grade 2 on {day(5)}"
    assert "Bleeding, by the WHO's grade" in [panel["title"] for panel in spec(found)["vconcat"]]
    assert all(row["kind"] != "bleeding" for row in found.marks)


def test_holds_and_unknown_doses_are_boxes_with_their_word(engine: CheckedEngine) -> None:
    def words(*resources: dict[str, Any]) -> list[str]:
        panel = next(
            p for p in spec(drawn(engine, 60, *resources))["vconcat"] if p["title"] == "Sirolimus dose, mg/day"
        )
        return [row["name"] for row in panel["layer"][3]["data"]["values"]]

    assert words(*COURSE) == ["held"]
    assert words(sirolimus("a", day(0), 2), sirolimus("b", day(0), 3)) == ["not known"]
    assert words(sirolimus("s1", day(0), 2, status="stopped", end=day(30)), sirolimus("s2", day(32), 3)) == []


def test_steroids_are_drawn_as_prednisone(engine: CheckedEngine) -> None:
    dose = {"dosageInstruction": [{"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": {"value": 20, "unit": "mg", "code": "mg", "system": "http://unitsofmeasure.org"}}]}]}  # fmt: skip
    found = drawn(engine, 20, sirolimus("s", day(0), 2), drug("p", "prednisone", day(5)) | dose)
    assert [(row["value"], row["at"], row["until"]) for row in found.steroids] == [(20.0, day(5), day(21))]
    over = drug("p", "prednisone", day(5), status="completed", end=day(8)) | {}
    over["dosageInstruction"] = [{**dose["dosageInstruction"][0], **over["dosageInstruction"][0]}]
    over["dosageInstruction"][0]["timing"] = {
        "repeat": {**dose["dosageInstruction"][0]["timing"]["repeat"], "boundsPeriod": {"start": day(5), "end": day(8)}}
    }
    assert [row["until"] for row in drawn(engine, 20, sirolimus("s", day(0), 2), over).steroids] == [day(9)]


def test_a_steroid_that_is_over_at_an_unknown_time_is_not_drawn_until_today(engine: CheckedEngine) -> None:
    dose = {"dosageInstruction": [{"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": {"value": 60, "unit": "mg", "code": "mg", "system": "http://unitsofmeasure.org"}}]}]}  # fmt: skip
    for status in ("stopped", "completed"):
        (row,) = drawn(
            engine, 50, sirolimus("s", day(0), 2), drug("p", "prednisone", day(5), status=status) | dose
        ).steroids
        assert row["until"] == day(6) and row["say"].endswith("until not known when")


def test_a_day_stays_the_sources_own(engine: CheckedEngine) -> None:
    """A draw at 23:30 in New York is of that day, though it is the next one in Greenwich."""
    late = count("p", "2024-02-01T23:30:00-05:00", 60)
    assert drawn(engine, 40, sirolimus("s", day(0), 2), late).counts[0]["at"] == "2024-02-01T23:30"


@pytest.mark.parametrize(
    "resources", [[], [sirolimus("s", day(0), 2)], [level("l", day(5), 7)], [count("p", day(0), 5)]]
)
def test_a_chart_with_little_in_it_is_drawn_too(engine: CheckedEngine, resources: list[dict[str, Any]]) -> None:
    found = drawn(engine, 10, *resources)
    assert found.first < found.last
    titles = [panel["title"] for panel in spec(found)["vconcat"]]
    assert titles[:3] == ["Platelets, 10^9/L", "Sirolimus level, ng/mL", "Sirolimus dose, mg/day"]


def test_results_that_are_not_used_bear_the_letter_of_their_reason(engine: CheckedEngine) -> None:
    found = drawn(
        engine, 60, sirolimus("s", day(0), 2), drug("x", "ivig", day(45)), count("p1", day(50), 140),
        count("p2", day(52), 90), level("l1", day(2), 3),
    )  # fmt: skip
    assert [(row["letter"], row["results"]) for row in found.reasons] == [
        ("a", f"3 on {day(2)}"),
        ("b", f"140 on {day(50)}, 90 on {day(52)}"),
    ]
    assert "after immunoglobulin" in found.reasons[1]["why"]
    assert {row["letter"] for row in found.counts} == {"b"}


def test_one_axis_has_the_dates_with_year_and_day_of_the_course(engine: CheckedEngine) -> None:
    found = drawn(engine, 165, sirolimus("s", day(0), 2), count("p", day(-20), 14))
    axes = [panel["layer"][-1]["encoding"]["x"]["axis"] for panel in spec(found)["vconcat"]]
    assert [axis["labels"] for axis in axes] == [False] * (len(axes) - 1) + [True]
    days = [(each - found.start).days for each in ticks(found, 860) if found.start is not None]
    assert days == [0, 28, 56, 84, 112, 140, 168]
    assert [(each - found.start).days for each in ticks(found, 290) if found.start is not None] == [0, 91]
    assert "%Y" in axes[-1]["labelExpr"] and "day " in axes[-1]["labelExpr"]


def test_values_stand_beside_their_marks_where_there_is_room(engine: CheckedEngine) -> None:
    near = [count(f"p{number}", day(30 + number), 40 + number) for number in range(5)]
    found = drawn(engine, 165, sirolimus("s", day(0), 2), count("p", day(-10), 14), *near, count("new", day(160), 88))
    shown = [row["name"] for row in room(found.counts, found, 860, lambda row: 30)]
    assert shown == ["88", "44", "14"]


def test_a_dose_that_a_card_offers_is_drawn_with_the_level_that_follows(engine: CheckedEngine) -> None:
    chart = [sirolimus("s", day(0), 2), level("l", day(14, "07:40"), 3.9), *standing(15)]
    found = drawn(engine, 15, *chart)
    assert [(row["at"], row["until"], row["name"]) for row in found.doses_ahead] == [(day(15), day(29), "3 proposed")]
    assert [(row["at"][:10], row["name"]) for row in found.levels_ahead] == [(day(29), "about 5.9")]
    assert found.last > date.fromisoformat(day(29)) and found.doses[-1]["until"] == day(16)
    assert drawn(engine, 15, sirolimus("s", day(0), 2), level("l", day(14, "07:40"), 8)).doses_ahead == []


def test_nothing_is_predicted_from_a_level_of_almost_nothing(engine: CheckedEngine) -> None:
    drafts = [sirolimus("d", day(20), 3, status="draft")]
    for value, names in ((1, ["about 1.5"]), (0.99, [])):
        chart = [sirolimus("s", day(0), 2), level("l", day(14, "07:40"), value)]
        assert [row["name"] for row in timeline(judge_order(engine, 20, drafts, *chart)).levels_ahead] == names


def test_no_level_is_predicted_while_another_drug_moves_it(engine: CheckedEngine) -> None:
    drafts = [sirolimus("d", day(20), 3, status="draft")]
    chart = [sirolimus("s", day(0), 2), level("l", day(14, "07:40"), 8)]
    settled = timeline(judge_order(engine, 20, drafts, *chart))
    moving = timeline(judge_order(engine, 20, drafts, *chart, drug("f", "fluconazole", day(17))))
    assert [row["name"] for row in settled.levels_ahead] == ["about 12"]
    assert [row["name"] for row in moving.doses_ahead] == ["3 ordered"] and moving.levels_ahead == []
