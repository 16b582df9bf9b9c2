"""Conditions in which sirolimus is dangerous, and what a first order for a woman needs."""

from __future__ import annotations

from typing import Any

import pytest

from cds.engine import CheckedEngine
from tests.charts import (
    FIRST_LINE,
    SNOMED,
    Resource,
    condition,
    day,
    hcg,
    itp,
    level,
    observation,
    patient,
    sirolimus,
    subject,
)
from tests.judge import fact, judge, judge_order, topics

ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ITP_BEFORE = sirolimus("before", day(-30), 2, status="completed", end=day(0)) | {
    "reasonCode": [{"coding": [{"system": SNOMED, "code": "32273002"}]}]
}
TAKEN = [sirolimus("s", day(0), 2), level("l", day(60, "08:00"), 8)]
LUNG, SEPSIS, FEEDING, BREATHLESS = "205237003", "91302008", "866041003", "267036007"


@pytest.mark.parametrize(
    ("problem", "topic"),
    [
        (condition("c", LUNG, day(50)), "pneumonitis"),
        (condition("c", LUNG, day(-50)), ""),  # from before the course
        (condition("c", LUNG, day(50), status="resolved"), ""),
        (condition("c", SEPSIS, day(61)), "seriousInfection"),
        (condition("c", SEPSIS, day(61), status="resolved"), ""),
        (condition("c", "56717001", day(61)), "seriousInfection"),
        (condition("c", FEEDING, day(-10)), "breastfeeding"),
    ],
)
def test_what_is_active_is_spoken_of(engine: CheckedEngine, problem: Resource, topic: str) -> None:
    assert topics(judge(engine, 62, *TAKEN, problem)) == ({topic} if topic else set())


@pytest.mark.parametrize(("value", "drawn", "said"), [(93, 60, True), (94, 60, False), (93, 59, True), (93, 58, False)])
def test_low_oxygen_with_breathlessness(engine: CheckedEngine, value: int, drawn: int, said: bool) -> None:
    oxygen = observation("o", "59408-5", day(drawn), value, "%")
    breathless = condition("c", BREATHLESS, day(60))
    assert ("pneumonitis" in topics(judge(engine, 62, *TAKEN, oxygen, breathless))) == said
    assert "pneumonitis" not in topics(judge(engine, 62, *TAKEN, oxygen))


@pytest.mark.parametrize(
    ("sign", "value", "said"), [("<", 90, True), ("<", 94, True), ("<", 95, False), (">", 80, False)]
)
def test_oxygen_that_is_only_a_bound(engine: CheckedEngine, sign: str, value: int, said: bool) -> None:
    """'<90' tells of harm; '>80' tells nothing, and hides no exact value."""
    oxygen = observation("o", "59408-5", day(61), value, "%")
    oxygen["valueQuantity"]["comparator"] = sign
    exact = observation("e", "59408-5", day(60), 85, "%")
    breathless = condition("c", BREATHLESS, day(60))
    assert ("pneumonitis" in topics(judge(engine, 62, *TAKEN, oxygen, breathless))) == said
    if sign == ">":
        assert "pneumonitis" in topics(judge(engine, 62, *TAKEN, exact, oxygen, breathless))


@pytest.mark.parametrize(("sign", "said"), [("", True), (">", True), ("<", False)])
def test_a_temperature_that_is_only_a_bound(engine: CheckedEngine, sign: str, said: bool) -> None:
    hot = observation("t", "8310-5", day(61), 39, "Cel")
    if sign:
        hot["valueQuantity"]["comparator"] = sign
    few = observation("n", "751-8", day(61), 0.3, "10*9/L")
    assert ("seriousInfection" in topics(judge(engine, 62, *TAKEN, hot, few))) == said


CM = "http://hl7.org/fhir/sid/icd-10-cm"
FEVER, NEUTROPENIA = (condition(name, code, day(61), system=CM) for name, code in (("f", "R50.81"), ("n", "D70.2")))


@pytest.mark.parametrize(
    ("chart", "said"),
    [
        ([FEVER, NEUTROPENIA], True),
        ([FEVER], False),
        ([NEUTROPENIA], False),
        ([FEVER, observation("a", "751-8", day(61), 0.4, "10*9/L")], True),
        ([FEVER, NEUTROPENIA, observation("a", "751-8", day(61), 0.5, "10*9/L")], False),  # counted since, and not so few
        ([FEVER, condition("n", "D70.2", day(61), status="resolved", system=CM)], False),
    ],
)  # fmt: skip
def test_fever_and_neutropenia_are_febrile_neutropenia(
    engine: CheckedEngine, chart: list[Resource], said: bool
) -> None:
    assert fact(judge(engine, 62, *TAKEN, *chart), "febrile_neutropenia") is said


def first(engine: CheckedEngine, *more: Resource, **person: Any) -> set[str]:
    chart = [patient(**person), itp(), FIRST_LINE, *more]
    return topics(judge_order(engine, 70, [sirolimus("d", day(70), 2, status="draft")], *chart, adult=False))


@pytest.mark.parametrize(
    ("person", "said"),
    [
        ({"born": "1990-03-14"}, True),
        ({"born": "1990-03-14", "gender": "male"}, False),
        ({"born": "1973-03-20"}, True),  # 50, until the next day
        ({"born": "1973-03-18"}, False),
    ],
)
def test_a_first_order_for_a_woman_who_can_conceive(engine: CheckedEngine, person: dict[str, str], said: bool) -> None:
    assert ("contraception" in first(engine, **person)) == said


def test_a_negative_test_of_the_week_is_enough(engine: CheckedEngine) -> None:
    test = hcg(valueString="negative")  # on day 65
    assert "contraception" not in first(engine, test)
    assert "contraception" in first(engine, test | {"effectiveDateTime": day(62)})
    assert first(engine, hcg(valueString="positive")) & {"contraception", "pregnancy"} == {"pregnancy"}


@pytest.mark.parametrize(("value", "said"), [(1.9, True), (1.8, False)])
def test_bilirubin_by_its_own_upper_limit(engine: CheckedEngine, value: float, said: bool) -> None:
    limit = {"referenceRange": [{"high": {"value": 1.2, "unit": "mg/dL"}}]}
    blood = observation("b", "1975-2", day(60), value, "mg/dL") | limit
    shown = judge_order(engine, 62, [sirolimus("d", day(62), 2)], *TAKEN, blood)
    assert ("hepaticImpairment" in topics(shown)) == said
    assert fact(judge(engine, 62, *TAKEN, observation("b", "1975-2", day(60), 9, "mg/dL")), "bilirubin") is None


def test_lung_disease_may_come_back_with_the_drug(engine: CheckedEngine) -> None:
    """Of before the first dose it is no harm of sirolimus, and said so; in any course it may be, also the last but one."""
    draft = [sirolimus("d", day(800), 2, status="draft")]
    lungs = condition("c", LUNG, day(50))
    first = sirolimus("a", day(0), 2, status="stopped", end=day(100))
    second = sirolimus("b", day(500), 2, status="stopped", end=day(600))
    statement = {"resourceType": "MedicationStatement", "id": "m", "status": "completed", "subject": {"reference": "Patient/itp-1"},
                 "medicationCodeableConcept": first["medicationCodeableConcept"]}  # fmt: skip

    def speaks(*record: Resource) -> tuple[str, str]:
        cards = judge_order(engine, 800, draft, lungs, *record).cards
        (card,) = [card for card in cards if card["source"]["topic"]["code"] == "pneumonitis"]
        return card["indicator"], card["summary"].partition(",")[0].partition(" (")[0]

    harm = ("critical", "Possible sirolimus pneumonitis")
    older = ("warning", "Lung disease before the first sirolimus")
    assert speaks() == older
    assert speaks(first) == speaks(first, second) == harm
    assert speaks(second) == older  # it began before
    assert speaks(statement) == speaks(statement | {"effectivePeriod": {"end": day(100)}}) == harm
    assert speaks(level("l", day(700), 8)) == harm


def test_a_preliminary_negative_pregnancy_test_is_none(engine: CheckedEngine) -> None:
    draft = sirolimus("d", day(0), 2, status="draft")
    woman = [patient(), itp(), FIRST_LINE]
    for status, known in (("final", True), ("preliminary", False)):
        advice = judge_order(
            engine,
            0,
            [draft],
            *woman,
            hcg(valueString="negative", effectiveDateTime=day(-1)) | {"status": status},
            adult=False,
        )
        assert (fact(advice, "days_since_negative_test") is not None) is known


@pytest.mark.parametrize(
    ("disease", "named"),
    [
        (condition("c", "737295003", day(-900)), "organ transplant"),
        (condition("c", "7199000", day(-900)), "tuberous sclerosis"),
        ({"code": {"coding": [{"system": ICD_10_CM, "code": "J84.810"}]}}, "lymphangioleiomyomatosis"),
        ({"code": {"coding": [{"system": ICD_10_CM, "code": "D89.813"}]}}, "graft-versus-host disease"),
        ({"code": {"coding": [{"system": ICD_10_CM, "code": "D61.818"}]}}, ""),
        ({"code": {"coding": [{"system": ICD_10_CM, "code": "Z94.7"}]}}, ""),  # a cornea
        ({"code": {"text": "Status post kidney transplant 2015"}}, "organ transplant"),
        ({"code": {"text": "Z.n. Nierentransplantation"}}, "organ transplant"),
        ({"code": {"text": "Kidney transplant, status post"}}, "organ transplant"),
        ({"code": {"text": "Previous renal transplant"}}, "organ transplant"),
        ({"code": {"text": "History of liver transplantation"}}, "organ transplant"),
        ({"code": {"text": "Transplanted kidney present (finding)"}}, "organ transplant"),
        ({"code": {"text": "Kidney-pancreas transplant"}}, "organ transplant"),
        ({"code": {"text": "ATCD greffe de rein"}}, "organ transplant"),
        ({"code": {"text": "Stan po przeszczepieniu wątroby"}}, "organ transplant"),
        ({"code": {"text": "既往肾移植"}}, "organ transplant"),
        ({"code": {"text": "同种异体造血干细胞移植术后"}}, "stem cell transplant"),
        (condition("c", "737295003", day(-900), "inactive"), "organ transplant"),
        (condition("c", "737295003", day(-900), "resolved"), "organ transplant"),
        ({"code": {"coding": [{"system": ICD_10_CM, "code": "T86.810"}]}}, "organ transplant"),
        ({"code": {"coding": [{"system": ICD_10_CM, "code": "T86.5"}]}}, "stem cell transplant"),
        ({"code": {"text": "Mother: kidney transplant"}}, ""),
        ({"code": {"text": "Family history of kidney transplant"}}, ""),
        ({"code": {"text": "Son: kidney transplant"}}, ""),
        ({"code": {"text": "Kidney transplant donor"}}, ""),
        ({"code": {"text": "Awaiting kidney transplant"}}, ""),
        ({"code": {"text": "Warteliste Nierentransplantation"}}, ""),
        ({"code": {"text": "肾移植供者"}}, ""),
        ({"code": {"text": "拟行造血干细胞移植"}}, ""),
        ({"code": {"text": "Vascular malformation of brain"}}, ""),
        ({"code": {"text": "History of aplastic anaemia"}}, ""),
        ({"code": {"text": "PrCa"}}, ""),  # of the prostate
        ({"code": {"text": "Schwere aplastische Anämie"}}, "aplastic anaemia"),
        (condition("c", "306058006", day(-900), "resolved"), ""),
    ],
)
def test_another_disease_that_sirolimus_is_given_for_takes_the_offer_away(
    engine: CheckedEngine, disease: Resource, named: str
) -> None:
    record = condition("c", "7199000", day(-900)) | disease
    asked = judge(engine, 21, sirolimus("s", day(0), 2), level("l", day(20), 17), record)
    (card,) = [each for each in asked.cards if each["source"]["topic"]["code"] == "troughHigh"]
    assert fact(asked, "proposed_dose") == (None if named else 1)
    said = f"No dose is proposed: {named}" if named else ""
    assert said in card["detail"] and (
        named == "" or "the order does not say that sirolimus is for ITP" in card["detail"]
    )
    assert ("notAssessed" in topics(asked)) == bool(named)


def test_an_order_that_says_it_is_for_itp_keeps_its_offer(engine: CheckedEngine) -> None:
    order = sirolimus("s", day(0), 2) | {"reasonCode": [{"coding": [{"system": SNOMED, "code": "32273002"}]}]}
    transplant = condition("c", "737295003", day(-900))
    asked = judge(engine, 21, order, level("l", day(20), 17), transplant)
    assert "notAssessed" not in topics(asked)
    assert fact(asked, "proposed_dose") == 1


@pytest.mark.parametrize(
    ("reason", "named"),
    [
        ({"coding": [{"system": SNOMED, "code": "737295003"}]}, True),
        ({"coding": [{"system": ICD_10_CM, "code": "Z94.0"}]}, True),
        ({"text": "Prophylaxis of kidney transplant rejection"}, True),
        ({"text": "Low platelets"}, False),
        ({"text": "Immune thrombocytopenia"}, False),
    ],
)
@pytest.mark.parametrize("before", [[], [ITP_BEFORE]], ids=["first order", "after one for ITP"])
def test_an_order_that_is_for_another_disease_has_no_dose_offered(
    engine: CheckedEngine, reason: Resource, named: bool, before: list[Resource]
) -> None:
    order = sirolimus("s", day(0), 2) | {"reasonCode": [reason]}
    asked = judge(engine, 21, *before, order, level("l", day(20), 17))
    assert fact(asked, "proposed_dose") == (None if named else 1)
    assert ("notAssessed" in topics(asked)) == named


@pytest.mark.parametrize(
    "code",
    [
        {"coding": [{"system": SNOMED, "code": "70536003"}]},
        {"text": "Kidney transplantation"},
    ],
)
def test_a_transplantation_among_the_procedures_takes_the_offer_away(engine: CheckedEngine, code: Resource) -> None:
    done = {"resourceType": "Procedure", "id": "p", "status": "completed", "subject": subject(), "code": code,
            "performedDateTime": day(-900)}  # fmt: skip
    asked = judge(engine, 21, sirolimus("s", day(0), 2), level("l", day(20), 17), done)
    assert fact(asked, "proposed_dose") is None and "notAssessed" in topics(asked)


def test_a_very_high_level_of_a_transplant_recipient_names_the_transplant(engine: CheckedEngine) -> None:
    transplant = condition("c", "737295003", day(-900))
    (card,) = [
        each
        for each in judge(engine, 21, sirolimus("s", day(0), 2), level("l", day(20), 22), transplant).cards
        if each["source"]["topic"]["code"] == "troughCritical"
    ]
    assert "On record too: organ transplant" in card["detail"]


@pytest.mark.parametrize(("text", "is_itp"), [("Immune thrombocytopenia", True), ("ITP ruled out", False)])
def test_the_reason_of_an_order_names_itp_in_words(engine: CheckedEngine, text: str, is_itp: bool) -> None:
    order = sirolimus("s", day(0), 12) | {"reasonCode": [{"text": text}]}
    assert ("doseFarAboveWindow" in topics(judge(engine, 2, patient(), order, adult=False))) == is_itp
