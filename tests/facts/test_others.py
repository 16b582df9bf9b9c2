"""Interactions whichever drug is ordered, pregnancy, and whose data it is."""

from __future__ import annotations

import pytest

from cds.engine import CheckedEngine
from tests.charts import Resource, condition, count, day, drug, itp, level, observation, patient, sirolimus
from tests.judge import fact, gaps, judge, judge_order, topics

ORDER = sirolimus("s", day(0), 2)
LEVEL = level("l", day(10, "07:30"), 7)
CVX = "http://hl7.org/fhir/sid/cvx"


@pytest.mark.parametrize(("name", "topic"), [("clarithromycin", "strongInhibitor"), ("rifampin", "strongInducer")])
def test_whichever_of_the_two_is_ordered(engine: CheckedEngine, name: str, topic: str) -> None:
    by_partner = judge_order(engine, 12, [drug("d", name, day(12), status="draft")], ORDER, LEVEL)
    by_sirolimus = judge_order(engine, 12, [sirolimus("d", day(12), 2, status="draft")], drug("x", name, day(-50)))
    together = judge_order(
        engine, 0, [sirolimus("d1", day(0), 2, status="draft"), drug("d2", name, day(0), status="draft")]
    )
    for advice in (by_partner, by_sirolimus, together):
        assert [c["indicator"] for c in advice.cards if c["source"]["topic"]["code"] == topic] == ["critical"]


def test_only_the_selected_order_is_judged_on_order_select(engine: CheckedEngine) -> None:
    drafts = [
        drug("d1", "clarithromycin", day(12), status="draft"),
        drug("d2", "azithromycin", day(12), status="draft"),
    ]
    assert (
        topics(judge_order(engine, 12, drafts, ORDER, LEVEL, hook="order-select", selections=["MedicationRequest/d2"]))
        == set()
    )
    assert topics(
        judge_order(engine, 12, drafts, ORDER, LEVEL, hook="order-select", selections=["MedicationRequest/d1"])
    ) == {"strongInhibitor"}


@pytest.mark.parametrize(
    ("started", "value", "on", "indicators"),
    [
        (3, 7, 24, ["info"]),  # the level of day 10 is in the target, and came a week after the inhibitor
        (3, 7, 25, []),  # that is told for 14 days
        (3, 17, 25, ["critical"]),  # settled, but not in the target
        (4, 7, 25, ["critical"]),  # six days after it no level can show what it does
        (11, 7, 25, ["critical"]),
    ],
)
def test_on_opening_a_chart_a_usable_level_in_the_target_answers_a_strong_inhibitor(
    engine: CheckedEngine, started: int, value: float, on: int, indicators: list[str]
) -> None:
    drawn = level("l", day(10, "07:30"), value)
    cards = judge(engine, on, ORDER, drawn, drug("x", "clarithromycin", day(started))).cards
    assert [c["indicator"] for c in cards if c["source"]["topic"]["code"] == "strongInhibitor"] == indicators


@pytest.mark.parametrize(
    ("status", "shown"),
    [("stopped", {"interactingDrugStopped"}), ("completed", {"interactingDrugStopped"}), ("cancelled", set())],
)
def test_a_partner_that_is_over_does_not_interact(engine: CheckedEngine, status: str, shown: set[str]) -> None:
    """But that it stopped is reported, until a level can show it."""
    partner = drug("x", "clarithromycin", day(15), status=status, end=day(20))
    assert topics(judge(engine, 25, ORDER, LEVEL, partner)) == shown
    assert topics(judge(engine, 28, ORDER, LEVEL, partner, level("new", day(27, "08:00"), 8))) == set()


@pytest.mark.parametrize(("name", "days"), [("clarithromycin", 14), ("rifampin", 28)])
def test_a_stop_is_spoken_of_for_two_weeks_or_four(engine: CheckedEngine, name: str, days: int) -> None:
    partner = drug("x", name, day(15), status="stopped", end=day(20))
    for on, said in ((20 + days, True), (21 + days, False)):
        assert ("interactingDrugStopped" in topics(judge(engine, on, ORDER, LEVEL, partner))) == said


def test_a_drug_that_ended_before_sirolimus_began_is_not(engine: CheckedEngine) -> None:
    before = drug("x", "clarithromycin", day(-20), status="stopped", end=day(-1))
    assert topics(judge(engine, 5, ORDER, before)) == set()


def test_what_is_taken_without_an_order_is_spoken_of_as_such(engine: CheckedEngine) -> None:
    herb = {"resourceType": "MedicationStatement", "id": "h", "status": "active", "subject": {"reference": "Patient/itp-1"},
            "effectivePeriod": {"start": day(15)}, "medicationCodeableConcept": {"text": "St John's wort 300 mg"}}  # fmt: skip
    assert topics(judge(engine, 25, ORDER, LEVEL, herb)) == {"foodAndHerbal"}
    order = herb | {"resourceType": "MedicationRequest", "intent": "order", "authoredOn": day(15)}
    assert topics(judge(engine, 25, ORDER, LEVEL, order)) == {"strongInducer"}


@pytest.mark.parametrize(("drawn", "platelets", "said"), [(11, 49, True), (11, 50, False), (10, 49, False)])
def test_a_count_speaks_for_two_weeks(engine: CheckedEngine, drawn: int, platelets: int, said: bool) -> None:
    draft = drug("x", "ibuprofen", day(25), status="draft")
    shown = judge_order(engine, 25, [draft], ORDER, LEVEL, count("c", day(drawn), platelets))
    assert ("bleedingRiskDrug" in topics(shown)) == said


def test_a_draft_may_be_left_out_again_by_a_button(engine: CheckedEngine) -> None:
    draft = drug("x", "clarithromycin", day(25), status="draft")
    (card,) = judge_order(engine, 25, [draft], ORDER, LEVEL).cards
    (suggestion,) = card["suggestions"]
    assert suggestion["label"] == "Remove the draft order of clarithromycin"
    assert suggestion["actions"] == [
        {
            "type": "delete",
            "description": "Remove the draft order of clarithromycin",
            "resourceId": "MedicationRequest/x",
        }
    ]
    assert {"code": "known-monitored", "system": "urn:sirolimus-itp-cds:override-reason",
            "display": "Known and being monitored"} in card["overrideReasons"]  # fmt: skip


def test_a_level_for_the_days_that_the_rule_names(engine: CheckedEngine) -> None:
    draft = drug("x", "fluconazole", day(25), status="draft")
    (card,) = judge_order(engine, 25, [draft], ORDER, LEVEL).cards
    order = card["suggestions"][0]["actions"][0]["resource"]
    assert order["occurrencePeriod"] == {"start": day(30), "end": day(32)}


@pytest.mark.parametrize(
    "form", ["clarithromycin ophthalmic ointment", "ketoconazole 2 % Topical Cream", "erythromycin eye drops"]
)
def test_local_forms_do_not_interact(engine: CheckedEngine, form: str) -> None:
    local = drug("x", "clarithromycin", day(15))
    local["medicationCodeableConcept"] = {"text": form}
    assert topics(judge(engine, 25, ORDER, LEVEL, local)) == set()


def test_ivig_prednisone_and_azithromycin_never_interact(engine: CheckedEngine) -> None:
    drafts = [drug(name, name, day(12), status="draft") for name in ("ivig", "prednisone", "azithromycin")]
    assert topics(judge_order(engine, 12, drafts, ORDER, LEVEL)) == set()


def hcg(when: str, positive: bool) -> dict[str, object]:
    answer = {"coding": [{"system": "http://snomed.info/sct", "code": "10828004" if positive else "260385009"}]}
    test = count("h", when, 1) | {
        "code": {"coding": [{"system": "http://loinc.org", "code": "2106-3"}]},
        "valueCodeableConcept": answer,
    }
    del test["valueQuantity"]
    return test


@pytest.mark.parametrize(("age", "shown"), [(30, {"pregnancy"}), (31, set())])
def test_a_positive_pregnancy_test_counts_for_30_days(engine: CheckedEngine, age: int, shown: set[str]) -> None:
    assert topics(judge(engine, 20 + age, ORDER, level("l", day(20, "07:30"), 7), hcg(day(20), True))) == shown


def test_a_negative_test_says_nothing(engine: CheckedEngine) -> None:
    assert topics(judge(engine, 20, ORDER, LEVEL, hcg(day(20), False))) == set()


@pytest.mark.parametrize(("age", "shown"), [(294, {"pregnancy"}), (295, set())])
def test_a_pregnancy_that_was_never_closed_is_not_a_pregnancy(engine: CheckedEngine, age: int, shown: set[str]) -> None:
    pregnant = condition("p", "77386006", day(20 - age))
    assert topics(judge(engine, 20, ORDER, LEVEL, pregnant)) == shown


@pytest.mark.parametrize(("ended", "shown"), [(10, set()), (9, {"pregnancy"})])
def test_a_delivery_ends_a_pregnancy_that_was_noted_on_its_day(
    engine: CheckedEngine, ended: int, shown: set[str]
) -> None:
    pregnant = condition("p", "77386006", day(10))
    delivered = condition("d", "O80", day(ended), system="http://hl7.org/fhir/sid/icd-10-cm")
    assert topics(judge(engine, 20, ORDER, LEVEL, pregnant, delivered)) == shown


def test_pregnancy_without_sirolimus_says_nothing(engine: CheckedEngine) -> None:
    assert topics(judge(engine, 20, condition("p", "77386006", day(0)))) == set()


def test_another_patients_resource_is_left_and_named(engine: CheckedEngine) -> None:
    foreign = level("l2", day(11, "07:30"), 24, pid="somebody-else")
    advice = judge(engine, 12, ORDER, LEVEL, foreign)
    assert topics(advice) == {"notAssessed"}
    assert gaps(advice) == {"Observation/l2 was not read"}
    assert "belongs to another patient" in advice.cards[0]["detail"]


def test_a_resource_that_says_nobodys_name_is_left_and_named(engine: CheckedEngine) -> None:
    nobodys = {key: value for key, value in level("l2", day(11, "07:30"), 24).items() if key != "subject"}
    assert gaps(judge(engine, 12, ORDER, LEVEL, nobodys)) == {"Observation/l2 was not read"}


def test_absolute_and_versioned_references_are_understood(engine: CheckedEngine) -> None:
    absolute = level("l2", day(11, "07:30"), 24) | {
        "subject": {"reference": "https://ehr.example/fhir/Patient/itp-1/_history/3"}
    }
    assert topics(judge(engine, 12, ORDER, LEVEL, absolute)) == {"troughCritical"}


def test_whoever_takes_no_sirolimus_gets_no_card(engine: CheckedEngine) -> None:
    nothing = [
        patient("1950"),
        itp(),
        drug("x", "clarithromycin", day(3)),
        count("c", day(3), 4),
        level("old", day(-200, "07:30"), 30),
    ]
    assert topics(judge(engine, 5, *nothing, adult=False)) == set()


def test_a_high_level_names_the_inhibitor_that_may_explain_it(engine: CheckedEngine) -> None:
    long = drug("f", "fluconazole", day(1))
    card, modulator = judge(engine, 41, ORDER, long, level("l2", day(40, "07:30"), 18)).cards
    assert card["source"]["topic"]["code"] == "troughHigh"
    assert (modulator["source"]["topic"]["code"], modulator["indicator"]) == ("moderateModulator", "info")
    assert "An inhibitor is taken and may explain it: fluconazole" in card["detail"]
    (without,) = judge(engine, 41, ORDER, level("l2", day(40, "07:30"), 18)).cards
    assert "inhibitor is taken" not in without["detail"]


@pytest.mark.parametrize(
    ("weeks", "on", "pregnant"),
    [(0, 20, None), (1, 20, True), (42, 20, True), (43, 20, None), (40, 34, True), (40, 41, None)],
)
def test_weeks_of_pregnancy_are_counted_on_until_it_would_have_ended(
    engine: CheckedEngine, weeks: int, on: int, pregnant: bool | None
) -> None:
    counted = observation("g", "18185-9", day(20), weeks, "wk")
    assert fact(judge(engine, on, ORDER, LEVEL, counted), "pregnancy_on_record") is pregnant


@pytest.mark.parametrize(("due", "pregnant"), [(19, None), (20, True), (20 + 294, True), (20 + 295, None)])
def test_a_due_date_ahead_is_a_pregnancy(engine: CheckedEngine, due: int, pregnant: bool | None) -> None:
    expected = observation("e", "11778-8", day(15), None, "") | {"valueQuantity": None, "valueDateTime": day(due)}
    assert fact(judge(engine, 20, ORDER, LEVEL, expected), "pregnancy_on_record") is pregnant


@pytest.mark.parametrize(
    "concept",
    [
        {"coding": [{"system": CVX, "code": "149", "display": "influenza, live, intranasal, quadrivalent"}]},
        {"text": "FluMist Quadrivalent Nasal Spray"},
        *({"text": name} for name in ("卡介苗 0.1 ml", "M-M-RvaxPro", "Gelbfieberimpfstoff", "vaccin ROR", "Imojev")),
    ],
    ids=str,
)
def test_a_live_vaccine_is_one_also_in_the_nose_and_by_its_local_name(engine: CheckedEngine, concept: Resource) -> None:
    draft = drug("v", "ivig", day(12), status="draft") | {"medicationCodeableConcept": concept}
    assert "liveVaccine" in topics(judge_order(engine, 12, [draft], ORDER, LEVEL))


@pytest.mark.parametrize(("ended", "taken"), [(-30, False), (12, True), (40, True)])
def test_an_active_statement_of_a_period_that_is_over_is_of_a_drug_that_was_taken(
    engine: CheckedEngine, ended: int, taken: bool
) -> None:
    statement = drug("k", "clarithromycin", day(-40)) | {"resourceType": "MedicationStatement", "authoredOn": None}
    statement |= {"dosageInstruction": None, "effectivePeriod": {"start": day(-40), "end": day(ended)}}
    assert ("strongInhibitor" in topics(judge(engine, 12, ORDER, LEVEL, statement))) is taken
