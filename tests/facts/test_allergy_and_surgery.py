"""Allergies that speak against sirolimus, and operations that lie ahead."""

from __future__ import annotations

from typing import Any

import pytest

from cds.engine import CheckedEngine
from tests.charts import RXNORM, SNOMED, Resource, day, itp, level, ordered, patient, sirolimus, subject
from tests.judge import fact, judge, judge_order, topics

TAKEN = [sirolimus("s", day(0), 2), level("l", day(60, "08:00"), 8)]


def allergy(code: Resource, **more: Any) -> Resource:
    return {"resourceType": "AllergyIntolerance", "id": "a", "patient": subject(), "code": code} | more


def coded(code: str, system: str = SNOMED, display: str = "") -> Resource:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def status(word: str) -> Resource:
    return {"coding": [{"code": word}]}


PEANUT = coded("91935009", display="Allergy to peanuts")
SOLUTION = [sirolimus("d", day(70), 2, solution=True, status="draft")]
TABLETS = [sirolimus("d", day(70), 2, status="draft")]


@pytest.mark.parametrize(
    "substance",
    [
        coded("35302", RXNORM),
        coded("141704", RXNORM, "everolimus"),
        {"text": "Rapamune"},
        {"text": "Allergy to sirolimus (rash)"},
        coded("ALG1", "urn:local", "TEMSIROLIMUS"),
    ],
    ids=lambda s: s.get("text") or s["coding"][0]["code"],
)
def test_an_allergy_to_sirolimus_or_its_kin(engine: CheckedEngine, substance: Resource) -> None:
    (card,) = judge_order(engine, 70, TABLETS, allergy(substance)).cards
    assert card["source"]["topic"]["code"] == "allergy" and card["indicator"] == "critical"
    (removal,) = [action for suggestion in card["suggestions"] for action in suggestion["actions"]]
    assert removal["type"] == "delete" and removal["resourceId"] == "MedicationRequest/d"


def test_one_named_only_as_the_substance_of_a_reaction(engine: CheckedEngine) -> None:
    reaction = [{"substance": coded("35302", RXNORM), "manifestation": [{"text": "rash"}]}]
    assert topics(judge(engine, 62, *TAKEN, allergy({"text": "drug allergy"}, reaction=reaction))) == {"allergy"}


@pytest.mark.parametrize("substance", [PEANUT, {"text": "Soya"}, {"text": "PEANUTS, severe"}, coded("714035009")])
def test_peanut_and_soya_matter_for_the_solution_only(engine: CheckedEngine, substance: Resource) -> None:
    (card,) = judge_order(engine, 70, SOLUTION, allergy(substance)).cards
    assert card["indicator"] == "critical" and "the oral solution of sirolimus holds soya oil" in card["summary"]
    assert not judge_order(engine, 70, TABLETS, allergy(substance)).cards


def test_a_product_that_is_not_said(engine: CheckedEngine) -> None:
    draft = TABLETS[0] | {"medicationCodeableConcept": coded("35302", RXNORM)}
    (card,) = judge_order(engine, 70, [draft], allergy(PEANUT)).cards
    assert card["indicator"] == "info" and "suggestions" not in card


@pytest.mark.parametrize(
    "no",
    [
        allergy({"text": "No known allergy to sirolimus"}),
        allergy({"text": "penicillin"}),
        allergy(coded("21212", RXNORM, "clarithromycin")),
        allergy(coded("35302", RXNORM), verificationStatus=status("refuted")),
        allergy(coded("35302", RXNORM), verificationStatus=status("entered-in-error")),
        allergy(coded("35302", RXNORM), clinicalStatus=status("resolved")),
        allergy(coded("35302", RXNORM), clinicalStatus=status("inactive")),
        allergy(coded("35302", RXNORM), recordedDate=day(80)),
    ],
    ids=["none known", "another", "another macrolide", "refuted", "mistaken", "resolved", "inactive", "later"],
)
def test_what_is_no_such_allergy(engine: CheckedEngine, no: Resource) -> None:
    assert not judge(engine, 62, *TAKEN, no).cards


@pytest.mark.parametrize(
    "words",
    [
        "Sirolimus: anaphylaxis, no rechallenge",
        "Sirolimus - does not tolerate (angioedema)",
        "Rapamune not tolerated",
        "Sirolimusallergie",
    ],
)
def test_a_true_allergy_with_a_no_in_it(engine: CheckedEngine, words: str) -> None:
    assert topics(judge_order(engine, 70, TABLETS, allergy({"text": words}))) == {"allergy"}


@pytest.mark.parametrize(
    "words",
    [
        "Peanut (anaphylaxis), no EpiPen",
        "Erdnussallergie",
        "Erdnüsse",
        "Sojaöl",
        "arachides",
        "cacahuètes",
        "maní",
        "soia",
        "花生过敏",
        "大豆过敏",
    ],
)
def test_foods_in_other_words(engine: CheckedEngine, words: str) -> None:
    assert topics(judge_order(engine, 70, SOLUTION, allergy({"text": words}))) == {"allergy"}


@pytest.mark.parametrize(
    "words",
    [
        "Keine Allergie gegen Sirolimus",
        "Pas d'allergie au sirolimus",
        "Sirolimus allergy: negative",
        "sirolimus allergy ruled out",
        "not allergic to rapamycin",
        "Rash on the hip after penicillin",
        "No known allergy to latex, sirolimus, peanut",
        "Sirolimus allergy, ruled out",
        "Sirolimus allergy (ruled out)",
        "No known drug allergies: sirolimus tolerated",
    ],
)
def test_an_allergy_that_is_denied_in_words(engine: CheckedEngine, words: str) -> None:
    assert not judge_order(engine, 70, TABLETS, allergy({"text": words})).cards


@pytest.mark.parametrize(
    "words",
    [
        "No EpiPen; allergic to sirolimus",
        "Rash: no. Allergic to sirolimus",
        "Latex - no, sirolimus - allergic",
        "Penicillin: keine, Allergie auf Sirolimus",
        "Latex no - sirolimus allergic",
        "Skin test of penicillin negative, allergic to sirolimus",
        "Allergic to sirolimus, skin test negative",
        "No known allergy to latex, but sirolimus allergy in 2020",
    ],
)
def test_a_denial_ends_with_its_clause(engine: CheckedEngine, words: str) -> None:
    """What is denied stands in the same clause; an allergy behind it does not."""
    assert topics(judge_order(engine, 70, TABLETS, allergy({"text": words}))) == {"allergy"}


@pytest.mark.parametrize(
    "words", ["clarithromycin (drug interaction with sirolimus)", "tacrolimus, switched to sirolimus"]
)
def test_words_that_name_several_drugs_are_named(engine: CheckedEngine, words: str) -> None:
    assert topics(judge_order(engine, 70, TABLETS, allergy({"text": words}))) == {"notAssessed"}


@pytest.mark.parametrize(
    "change",
    [{"verificationStatus": status("Refuted")}, {"clinicalStatus": {"text": "Inactive"}}],
)
def test_a_status_in_capitals(engine: CheckedEngine, change: Resource) -> None:
    assert not judge_order(engine, 70, TABLETS, allergy(coded("35302", RXNORM), **change)).cards


def test_two_allergies_in_one_entry_are_both_read(engine: CheckedEngine) -> None:
    both = allergy({"text": "Soya"}, reaction=[{"substance": {"text": "Rapamune"}}])
    (card,) = judge_order(engine, 70, TABLETS, both).cards
    assert "sirolimus is contraindicated" in card["summary"]


def test_another_time_zones_today_is_no_future(engine: CheckedEngine) -> None:
    assert topics(judge(engine, 62, *TAKEN, allergy(coded("35302", RXNORM), recordedDate=day(63)))) == {"allergy"}


def test_anothers_allergy_is_named_and_not_used(engine: CheckedEngine) -> None:
    foreign = allergy(coded("35302", RXNORM)) | {"patient": {"reference": "Patient/other"}}
    assert topics(judge(engine, 62, *TAKEN, foreign)) == {"notAssessed"}


# --- operations ------------------------------------------------------------------------------------


def operation(on: str, code: str = "38102005", **more: Any) -> Resource:
    return ordered("op", code, day(50)) | {"occurrenceDateTime": on} | more


def booked(on: str, state: str = "booked", **more: Any) -> Resource:
    return {
        "resourceType": "Appointment",
        "id": "ap",
        "status": state,
        "start": on,
        "serviceType": [coded("38102005")],
        "participant": [{"actor": {"reference": "Practitioner/p"}}, {"actor": subject()}],
    } | more


@pytest.mark.parametrize("plan", [operation(day(70)), booked(day(70, "09:00")), operation(day(70), "387713003")])
def test_an_operation_within_two_weeks(engine: CheckedEngine, plan: Resource) -> None:
    (card,) = judge(engine, 62, *TAKEN, plan).cards
    assert card["source"]["topic"]["code"] == "surgeryPlanned"
    assert card["summary"].startswith("Surgery ahead on sirolimus (")
    assert "a pause would begin between 2024-03-08 and 2024-03-13" in card["detail"]


@pytest.mark.parametrize(
    ("plan", "speaks"),
    [
        (operation(day(76)), True),
        (operation(day(77)), False),
        (operation(day(62)), True),
        (operation(day(61)), False),
        (operation(day(70), status="completed"), False),
        (operation(day(70), status="revoked"), False),
        (operation(day(70), "363679005"), False),  # imaging
        (operation(day(70), authoredOn=day(64)), False),  # ordered later
        (booked(day(70), "cancelled"), False),
        (booked(day(70), "proposed"), False),
        (booked(day(70), serviceType=[{"text": "follow-up"}]), False),
        ({k: v for k, v in operation(day(70)).items() if k != "occurrenceDateTime"}, False),
        (operation(day(70), "180208003"), False),  # a transfusion is no operation
        (operation(day(70), doNotPerform=True), False),
        (operation(day(70), intent="proposal"), False),
        (operation(day(70), occurrencePeriod={"start": day(60), "end": day(72)}) | {"occurrenceDateTime": None}, True),
        (booked(day(70), serviceType=[{"text": "follow-up"}], reasonCode=[coded("38102005")]), False),
        (booked(day(70), serviceType=[], reasonCode=[coded("38102005")]), True),
        (booked(day(70), participant=[{"actor": {"reference": "Patient/child"}}, {"actor": subject()}]), True),
        (
            operation(day(70), "38120")
            | {
                "code": {
                    "coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "38120"}],
                    "text": "Laparoscopic splenectomy",
                }
            },
            True,
        ),
    ],
)
def test_when_it_is_spoken_of(engine: CheckedEngine, plan: Resource, speaks: bool) -> None:
    assert topics(judge(engine, 62, *TAKEN, plan)) == ({"surgeryPlanned"} if speaks else set())


def test_two_operations_are_both_named(engine: CheckedEngine) -> None:
    tooth = operation(day(63), "387713003") | {"id": "tooth"}
    (card,) = judge(engine, 62, *TAKEN, tooth, operation(day(71), "234319005")).cards
    assert "splenectomy" in card["summary"] and "surgical procedure" in card["summary"]
    assert "the usual pause would have begun by 2024-03-06" in card["detail"]
    assert "a pause would begin between 2024-03-09 and 2024-03-14" in card["detail"]


def test_a_category_alone_says_surgery(engine: CheckedEngine) -> None:
    plan = operation(day(70), "71388002") | {"category": [coded("387713003", display="Surgical procedure")]}
    assert topics(judge(engine, 62, *TAKEN, plan)) == {"surgeryPlanned"}


def test_whichever_of_the_two_is_being_ordered(engine: CheckedEngine) -> None:
    plan = operation(day(75), "234319005", status="draft")
    assert topics(judge_order(engine, 70, [plan], *TAKEN)) == {"surgeryPlanned"}
    assert topics(judge_order(engine, 70, TABLETS, plan | {"status": "active"})) == {"surgeryPlanned"}
    assert not judge_order(engine, 70, [plan]).cards  # nobody takes sirolimus


def test_not_when_sirolimus_is_held_already(engine: CheckedEngine) -> None:
    held = sirolimus("s", day(0), 2, status="stopped", end=day(61))
    chart = [patient(), itp(), held, TAKEN[1], operation(day(70))]
    assert fact(judge(engine, 62, *chart, adult=False), "surgery_planned") is None
