"""What an order means beside what is taken, and levels in time."""

from __future__ import annotations

import pytest

from cds.engine import CheckedEngine
from tests.charts import FIRST_LINE, Resource, condition, day, drug, level, sirolimus
from tests.judge import fact, gaps, judge, judge_order, topics

TAKEN = sirolimus("s", day(0), 2)


def draft(mg: float, **more: object) -> Resource:
    return sirolimus("d", day(0), mg, status="draft", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("on", "mg", "soon"), [(6, 3, True), (7, 3, False), (6, 2, False), (6, 1, True)])
def test_a_change_within_a_week_of_the_last(engine: CheckedEngine, on: int, mg: float, soon: bool) -> None:
    assert ("doseChangeTooSoon" in topics(judge_order(engine, on, [draft(mg)], TAKEN))) == soon


@pytest.mark.parametrize(("value", "soon"), [(15.1, False), (15, True)])
def test_a_cut_for_a_level_above_the_target_need_not_wait(engine: CheckedEngine, value: float, soon: bool) -> None:
    advice = judge_order(engine, 6, [draft(1)], TAKEN, level("l", day(5, "08:00"), value))
    assert ("doseChangeTooSoon" in topics(advice)) == soon
    more = judge_order(engine, 6, [draft(3)], TAKEN, level("l", day(5, "08:00"), value))
    assert "doseChangeTooSoon" in topics(more)


def test_orders_that_contradict_one_another_are_named_with_their_sum(engine: CheckedEngine) -> None:
    advice = judge(engine, 12, TAKEN, sirolimus("t", day(9), 1))
    assert topics(advice) == {"duplicateOrders", "notAssessed"} and gaps(advice) == {"Two active orders"}
    card = next(c for c in advice.cards if c["source"]["topic"]["code"] == "duplicateOrders")
    assert "together they are 3 mg/day" in card["detail"]


def test_a_renewal_or_two_strengths_do_not(engine: CheckedEngine) -> None:
    for other in (sirolimus("t", day(9), 2), sirolimus("t", day(0), 0.5, tablet="0.5")):
        assert "duplicateOrders" not in topics(judge(engine, 12, TAKEN, other))


def test_a_switch_of_the_product_on_the_order(engine: CheckedEngine) -> None:
    assert (
        fact(judge_order(engine, 12, [draft(2, solution=True)], TAKEN), "product_switch") == "from tablets to solution"
    )
    assert fact(judge_order(engine, 12, [draft(2)], TAKEN), "product_switch") is None


def test_a_product_that_is_not_known_is_no_switch(engine: CheckedEngine) -> None:
    unknown = draft(2) | {"medicationCodeableConcept": {"text": "sirolimus"}}
    assert fact(judge_order(engine, 12, [unknown], TAKEN), "product_switch") is None
    before = TAKEN | {"medicationCodeableConcept": {"text": "sirolimus"}}
    assert fact(judge_order(engine, 12, [draft(2, solution=True)], before), "product_switch") is None


@pytest.mark.parametrize(("on", "said"), [(34, True), (35, False)])
def test_a_switch_in_the_course_for_two_weeks(engine: CheckedEngine, on: int, said: bool) -> None:
    course = [sirolimus("a", day(0), 2, status="stopped", end=day(20)), sirolimus("b", day(20), 2, solution=True)]
    assert ("productSwitch" in topics(judge(engine, on, *course))) == said
    assert "productSwitch" not in topics(judge(engine, on, *course, level("l", day(27, "08:00"), 8)))


def test_a_first_order_asks_what_came_before(engine: CheckedEngine) -> None:
    assert "notSecondLine" not in topics(judge_order(engine, 0, [draft(2)]))
    from tests.charts import itp, patient

    alone = [patient(gender="male"), itp()]
    assert topics(judge_order(engine, 0, [draft(2)], *alone, adult=False)) == {"notSecondLine"}
    assert "notSecondLine" not in topics(judge_order(engine, 9, [draft(2)], TAKEN, *alone, adult=False))
    rescued = drug("g", "ivig", day(-20), status="completed")
    assert "notSecondLine" not in topics(judge_order(engine, 0, [draft(2)], rescued, *alone, adult=False))


def test_a_first_order_for_another_disease(engine: CheckedEngine) -> None:
    evans = condition("e", "75331009", day(-300))
    assert "outsideProtocolPopulation" in topics(judge_order(engine, 0, [draft(2)], evans))
    assert "outsideProtocolPopulation" not in topics(judge_order(engine, 9, [draft(2)], TAKEN, evans))
    from tests.charts import patient

    without = judge_order(engine, 0, [draft(2)], patient(), FIRST_LINE, adult=False)
    assert "outsideProtocolPopulation" in topics(without)


def levels(*values: tuple[int, float]) -> list[Resource]:
    return [level(f"l{on}", day(on, "08:00"), value) for on, value in values]


@pytest.mark.parametrize(
    ("values", "ratio"),
    [
        ([(20, 8), (50, 12)], "1.5"),
        ([(20, 12), (50, 6)], "0.5"),
        ([(3, 12), (20, 6)], None),  # the first was not usable
        ([(20, 8)], None),
    ],
)
def test_exposure_by_mg_against_the_usable_level_before(
    engine: CheckedEngine, values: list[tuple[int, float]], ratio: str | None
) -> None:
    found = fact(judge(engine, 52, TAKEN, *levels(*values)), "exposure_ratio")
    assert (str(found.normalize()) if found is not None else None) == ratio


def test_exposure_by_mg_across_a_change_of_dose(engine: CheckedEngine) -> None:
    course = [sirolimus("a", day(0), 2, status="stopped", end=day(30)), sirolimus("b", day(30), 4)]
    assert fact(judge(engine, 52, *course, *levels((20, 6), (50, 12))), "exposure_ratio") == 1


def test_an_interacting_drug_explains_it(engine: CheckedEngine) -> None:
    moved = levels((20, 6), (50, 12))
    assert "exposureShift" in topics(judge(engine, 52, TAKEN, *moved))
    assert "exposureShift" not in topics(judge(engine, 52, TAKEN, *moved, drug("f", "fluconazole", day(30))))


def test_another_assay_is_a_card_of_its_own(engine: CheckedEngine) -> None:
    first, second = levels((20, 8), (50, 8))
    advice = judge(engine, 52, TAKEN, first | {"method": {"text": "LC-MS/MS"}}, second | {"method": {"text": "CMIA"}})
    assert topics(advice) == {"assayChanged"}
    assert not topics(
        judge(engine, 52, TAKEN, first | {"method": {"text": "CMIA"}}, second | {"method": {"text": "CMIA"}})
    )


def test_a_draft_is_of_the_day_it_was_written_unless_that_lies_ahead(engine: CheckedEngine) -> None:
    for written, on in ((day(18), day(18)), (day(25), day(20))):
        draft = sirolimus("d", day(20), 2, status="draft", authoredOn=written)
        dated = judge_order(engine, 20, [draft]).situation.patient.dose_date
        assert dated is not None and dated.isoformat() == on
