"""The tests before the first dose, and those that are overdue; the limits are written out here, not read from the rules."""

from __future__ import annotations

import pytest

from cds.engine import CheckedEngine
from tests.charts import Resource, answered, bloods, count, day, given, level, observation, ordered, sirolimus, watched
from tests.judge import fact, judge, judge_order, topics

FIRST = [sirolimus("d", day(0), 2, status="draft")]
ALL = ["blood count", "lipids", "creatinine", "liver enzymes", "glucose", "protein in urine"]
ONCE = ["hepatitis B surface antigen", "hepatitis B core antibody", "hepatitis C", "HIV", "IGRA (tuberculosis)"]


def missing(engine: CheckedEngine, *chart: Resource) -> list[str]:
    advice = judge_order(engine, 0, FIRST, *chart, watched=False)
    return [item.name for item in fact(advice, "baseline_missing") or ()]


def overdue(engine: CheckedEngine, on: int, *chart: Resource) -> list[str]:
    advice = judge(engine, on, sirolimus("s", day(0), 2), *chart, watched=False)
    return [item.name for item in fact(advice, "tests_overdue") or ()]


def test_the_first_order_brings_one_card_with_a_button_for_each_test(engine: CheckedEngine) -> None:
    advice = judge_order(engine, 0, FIRST, watched=False)
    (card,) = [card for card in advice.cards if card["source"]["topic"]["code"] == "baselineWorkup"]
    assert missing(engine) == [*ALL, *ONCE]
    actions = [action for suggestion in card["suggestions"] for action in suggestion["actions"]]
    assert [action["resource"]["code"]["text"] for action in actions] == [*ALL, *ONCE]
    assert {action["resource"]["subject"]["reference"] for action in actions} == {"Patient/itp-1"}


def test_nothing_is_missing_when_all_was_done_or_is_on_order(engine: CheckedEngine) -> None:
    assert missing(engine, *bloods(day(-3))) == []
    assert missing(engine, *watched(day(-1))) == []


@pytest.mark.parametrize(
    ("test", "oldest"),
    [
        ("blood count", 7),
        ("lipids", 90),
        ("creatinine", 30),
        ("liver enzymes", 30),
        ("glucose", 30),
        ("protein in urine", 90),
    ],
)
def test_how_old_a_result_may_be_before_the_first_dose(engine: CheckedEngine, test: str, oldest: int) -> None:
    assert test not in missing(engine, *bloods(day(-oldest)))
    assert test in missing(engine, *bloods(day(-oldest - 1)))


def test_screening_counts_however_old(engine: CheckedEngine) -> None:
    assert not set(ONCE) & set(missing(engine, *bloods(day(-3000))))


def test_a_core_antibody_soon_after_immunoglobulin_does_not_count_as_screening(engine: CheckedEngine) -> None:
    chart = [given("ivig", "g", day(-30)), answered("ab", "13952-7", day(-20), {"text": "positive"})]
    assert "hepatitis B core antibody" in missing(engine, *chart)


def test_a_panel_on_order_stands_for_its_tests(engine: CheckedEngine) -> None:
    assert not {"creatinine", "liver enzymes", "glucose"} & set(missing(engine, ordered("cmp", "24323-8", day(-1))))


def test_tests_that_are_signed_together_with_the_drug_are_not_asked_for(engine: CheckedEngine) -> None:
    tests = [order | {"status": "draft"} for order in watched(day(0))]
    assert "baselineWorkup" not in topics(judge_order(engine, 0, [*FIRST, *tests], watched=False))


def test_no_baseline_is_asked_for_later(engine: CheckedEngine) -> None:
    change = [sirolimus("d", day(60), 3, status="draft")]
    advice = judge_order(engine, 60, change, sirolimus("s", day(0), 2), watched=False)
    assert "baselineWorkup" not in topics(advice)


@pytest.mark.parametrize(
    ("test", "last", "waits"),
    [  # the day of the last result, and the days that may pass: half the interval again
        ("blood count", 0, 10),
        ("blood count", 29, 21),
        ("blood count", 95, 45),
        ("blood count", 190, 135),
        ("lipids", 20, 135),
        ("lipids", 200, 547),
        ("creatinine", 30, 45),
        ("creatinine", 40, 135),
        ("creatinine", 200, 135),
        ("liver enzymes", 30, 45),
        ("liver enzymes", 40, 135),
        ("liver enzymes", 200, 135),
        ("glucose", 30, 45),
        ("glucose", 40, 135),
        ("glucose", 200, 135),
        ("protein in urine", 40, 135),
        ("protein in urine", 190, 270),
    ],
)
def test_when_a_test_is_overdue(engine: CheckedEngine, test: str, last: int, waits: int) -> None:
    done = bloods(day(last))
    assert test not in overdue(engine, last + waits, *done)
    assert test in overdue(engine, last + waits + 1, *done)


@pytest.mark.parametrize(("on", "late"), [(28, True), (29, False), (90, False), (91, False)])
def test_the_first_weeks_end_on_day_28(engine: CheckedEngine, on: int, late: bool) -> None:
    assert ("blood count" in overdue(engine, on, *bloods(day(on - 11)))) == late


@pytest.mark.parametrize(("on", "late"), [(90, True), (91, False)])
def test_the_third_month_ends_on_day_90(engine: CheckedEngine, on: int, late: bool) -> None:
    assert ("creatinine" in overdue(engine, on, *bloods(day(on - 46)))) == late


@pytest.mark.parametrize(("on", "late"), [(182, True), (183, False)])
def test_the_sixth_month_ends_on_day_182(engine: CheckedEngine, on: int, late: bool) -> None:
    assert ("blood count" in overdue(engine, on, *bloods(day(on - 46)))) == late


@pytest.mark.parametrize(
    ("test", "waits"),
    [
        ("blood count", 10),
        ("lipids", 42),
        ("creatinine", 42),
        ("liver enzymes", 42),
        ("glucose", 42),
        ("protein in urine", 135),
    ],
)
def test_a_test_never_done_is_counted_from_the_start(engine: CheckedEngine, test: str, waits: int) -> None:
    assert test not in overdue(engine, waits, level("l", day(9), 8))
    assert test in overdue(engine, waits + 1, level("l", day(9), 8))


def test_an_order_counts_for_45_days(engine: CheckedEngine) -> None:
    assert "lipids" not in overdue(engine, 80, ordered("o", "57698-3", day(35)))
    assert "lipids" in overdue(engine, 80, ordered("o", "57698-3", day(34)))


def test_a_result_that_cannot_be_read_was_not_done(engine: CheckedEngine) -> None:
    assert "creatinine" in overdue(engine, 60, observation("c", "2160-0", day(58), 1, "mg/ddL"))


def test_one_card_for_all_that_is_overdue_levels_too(engine: CheckedEngine) -> None:
    advice = judge(engine, 60, sirolimus("s", day(0), 2), count("c", day(55), 120), watched=False)
    (card,) = [card for card in advice.cards if card["source"]["topic"]["code"] == "troughOverdue"]
    rules = [finding["rule"] for finding in card["extension"]["net.sirolimus-itp-cds.findings"]]
    assert rules == ["trough-overdue", "monitoring-overdue"]
    level, tests = card["suggestions"]
    assert level["label"] == "Order a sirolimus level" and len(level["actions"]) == 1
    assert tests["label"] == f"Order all {len(tests['actions'])} tests", "one press orders all"
    assert "Order lipids" in [action["description"] for action in tests["actions"]]
    assert "monitoringOverdue" not in topics(advice) and "Level" not in str(topics(advice))


@pytest.mark.parametrize("code", ["71773-6", "56888-1", "13955-0"])
@pytest.mark.parametrize("words", ["Indeterminate", "Not performed - insufficient sample", ""])
def test_a_screening_test_without_an_answer_was_not_done(engine: CheckedEngine, code: str, words: str) -> None:
    others = [each for each in bloods(day(-3)) if each["code"]["coding"][0]["code"] != code]
    void = (
        answered("x", code, day(-3), {"text": words})
        if words
        else ordered("x", code) | {"resourceType": "Observation", "status": "final", "effectiveDateTime": day(-3)}
    )
    assert len(missing(engine, *others, void)) == 1


@pytest.mark.parametrize(
    ("code", "name"), [("71773-6", "IGRA (tuberculosis)"), ("56888-1", "HIV"), ("13955-0", "hepatitis C")]
)
def test_a_positive_screening_test_is_said(engine: CheckedEngine, code: str, name: str) -> None:
    others = [each for each in bloods(day(-3)) if each["code"]["coding"][0]["code"] != code]
    found = answered("x", code, day(-3), {"text": "POSITIVE"})
    (card,) = judge_order(engine, 0, FIRST, *others, found, watched=False).cards
    assert card["indicator"] == "warning" and name in card["summary"]


@pytest.mark.parametrize(
    ("written", "drawn", "result", "waits"),
    [
        (day(10), None, day(12), False),
        (day(10), None, day(10), True),  # it may be why the order was written
        (day(10, "08:00"), None, day(10, "14:00"), False),
        (day(10, "14:00"), None, day(10, "08:00"), True),
        (day(10), day(44), day(20), True),  # it is booked for tomorrow
    ],
)
def test_an_order_waits_until_it_is_answered(
    engine: CheckedEngine, written: str, drawn: str | None, result: str, waits: bool
) -> None:
    order = ordered("o", "58410-2", written, **({"occurrenceDateTime": drawn} if drawn else {}))
    blood = count("c", result, 60)
    advice = judge(engine, 43, sirolimus("s", day(0), 2), level("l", day(30), 8), order, blood, watched=False)
    overdue = [each.name for each in fact(advice, "tests_overdue") or ()]
    assert ("blood count" not in overdue) is waits
