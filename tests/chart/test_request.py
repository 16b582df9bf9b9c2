"""What is no question, or a question about nobody, is refused in words."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from cds.advise import advise
from cds.chart.body import InputError
from cds.chart.request import read_request
from cds.engine import CheckedEngine
from tests.charts import as_bytes, bundle, count, day, drug, itp, level, patient, request, sirolimus, watched
from tests.examples.stories import STORIES
from tests.judge import gaps, judge, now_on, topics

OVERDOSE = sirolimus("s", day(0), 12)
"""Too much whatever a level says, so that its card must always be there."""


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "this is not JSON"),
        (b"hello", "this is not JSON"),
        (b'{"resourceType": "Bundle", "entry": [', "this is not JSON"),
        (b'{"resourceType": "Bundle", "entry": [{"resource": {"x": NaN}}]}', "this is not JSON"),
        (b"\xff\xfe{}", "this is not JSON"),
        (b"[]", "this is JSON, but not a FHIR Bundle or a CDS Hooks request"),
        (b"null", "this is JSON, but not a FHIR Bundle or a CDS Hooks request"),
        (b"{}", "this is JSON, not a FHIR Bundle or a CDS Hooks request"),
        (b'{"resourceType": "Patient", "id": "p"}', "this is a Patient, not a FHIR Bundle or a CDS Hooks request"),
        (b'{"resourceType": "<script>"}', "this is JSON, not a FHIR Bundle or a CDS Hooks request"),
        (b'{"resourceType": "Bundle"}', "the bundle holds no Patient, and nothing in it says whose it is"),
        (b"[" * 2000 + b"]" * 2000, "this is JSON, but not a FHIR Bundle"),
        (b'{"x":' * 3000 + b"1" + b"}" * 3000, "the JSON is nested too deep"),
        (b'{"x":' * 200_000, "the JSON is nested too deep"),
    ],
    ids=lambda value: value[:30].decode("latin1") if isinstance(value, bytes) else "",
)
def test_what_is_no_bundle_is_refused_in_words(body: bytes, message: str) -> None:
    with pytest.raises(InputError) as refused:
        read_request(body)
    assert str(refused.value).startswith(message)


def test_brackets_in_strings_do_not_count_as_depth() -> None:
    people = patient() | {"name": [{"text": "[" * 300 + '\\"{'}]}
    assert read_request(as_bytes(bundle(people))).patient_id == "itp-1"


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"url": "x"}
    for _ in range(levels):
        value = {"extension": [value]}
    return value


def test_at_least_100_levels_are_read() -> None:
    assert read_request(as_bytes(bundle(patient() | nested(48)))).patient_id == "itp-1"


def test_two_patients_are_refused_until_one_is_chosen() -> None:
    body = as_bytes(bundle(patient(), patient(pid="other"), OVERDOSE))
    with pytest.raises(InputError, match="holds 2 patients; choose one with --patient ID"):
        read_request(body)
    assert read_request(body, patient="itp-1").patient_id == "itp-1"
    with pytest.raises(InputError, match="does not hold the patient"):
        read_request(body, patient="nobody")


def test_a_drug_that_ends_at_the_end_of_time(engine: CheckedEngine) -> None:
    forever = drug("x", "eltrombopag", day(5), end="9999-12-31")
    chart = [sirolimus("s", day(0), 2), level("l", day(60), 7), count("c", day(90), 120), forever]
    assert topics(judge(engine, 90, *chart)) == {"responseNotEvaluable"}


def test_ten_thousand_entries(engine: CheckedEngine) -> None:
    noise = [
        count(f"n{i}", day(1), 100) | {"code": {"coding": [{"system": "http://loinc.org", "code": "2345-7"}]}}
        for i in range(10_000)
    ]
    assert topics(judge(engine, 13, *noise, OVERDOSE, level("l", day(10), 7))) == {"doseFarAboveWindow"}


@pytest.mark.parametrize("resource", [
    {"resourceType": "MedicationRequest", "id": "r5", "status": "active", "subject": {"reference": "Patient/itp-1"}, "medication": {"concept": {}}},
    {"resourceType": "MedicationOrder", "id": "stu", "status": "active"},
])  # fmt: skip
def test_other_versions_of_fhir_are_refused_in_words(resource: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"not FHIR R4 \(4\.0\.1\), the only version that is read"):
        read_request(as_bytes(bundle(patient(), resource)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hook": "order-dispatch"}, "the request's hook is not one of"),
        ({"hook": None}, "the request's hook is not one of"),
        ({"hookInstance": None}, "the request has no hookInstance"),
        ({"context": None}, "the request's context has no patientId"),
        ({"context": {"userId": "Practitioner/1"}}, "the request's context has no patientId"),
        ({"context": {"patientId": "another"}}, "the context and the prefetched Patient are not the same patient"),
        ({"hook": "order-sign"}, "the context of order-sign has no draftOrders"),
    ],
)
def test_a_request_with_a_fault_is_refused_in_words(change: dict[str, Any], message: str) -> None:
    body = request("patient-view", [patient(), itp()]) | change
    with pytest.raises(InputError, match=message):
        read_request(as_bytes({key: value for key, value in body.items() if value is not None}))


def test_another_hook_than_the_requests_own_is_refused() -> None:
    with pytest.raises(InputError, match="the request's hook is patient-view, not order-sign"):
        read_request(as_bytes(request("patient-view", [patient()])), "order-sign")


@pytest.mark.slow
def test_the_order_of_entries_changes_nothing(engine: CheckedEngine) -> None:
    for story in STORIES:
        if "entry" not in story.content:
            continue

        def shown(content: dict[str, Any]) -> list[tuple[str, str]]:
            cards = advise(read_request(as_bytes(content)), engine, now_on(400)).cards
            return [(card["summary"], card["detail"]) for card in cards]

        expected = shown(story.content)
        for seed in range(3):
            shuffled = copy.deepcopy(story.content)
            random.Random(seed).shuffle(shuffled["entry"])
            assert shown(shuffled) == expected, story.name


@pytest.mark.parametrize(
    "route",
    [
        {"coding": [{"system": "urn:local", "code": "15"}], "text": "Oral"},
        {"text": "PO"},
        {"coding": [{"code": "127490009"}]},
    ],
)
def test_a_local_route_says_nothing_against_the_mouth(engine: CheckedEngine, route: dict[str, Any]) -> None:
    order = copy.deepcopy(OVERDOSE)
    order["dosageInstruction"][0]["route"] = route
    assert topics(judge(engine, 13, order)) == {"doseFarAboveWindow"}


def test_an_order_that_is_sent_twice_is_one(engine: CheckedEngine) -> None:
    assert topics(judge(engine, 13, OVERDOSE, OVERDOSE)) == {"doseFarAboveWindow"}


def test_nobody_is_born_after_the_order(engine: CheckedEngine) -> None:
    advice = judge(engine, 13, patient("2031-01-01"), itp(), OVERDOSE, adult=False)
    assert "Birth date" in gaps(advice)


@pytest.mark.parametrize("amount", [{"unit": "mg"}, {"value": "abc"}, {"value": True}])
def test_an_unreadable_amount_beside_the_ordered_one_takes_only_the_button(
    engine: CheckedEngine, amount: dict[str, Any]
) -> None:
    order = copy.deepcopy(OVERDOSE)
    rates = order["dosageInstruction"][0]["doseAndRate"]
    rates[0]["type"] = {"coding": [{"code": "ordered"}]}
    rates.append({"type": {"coding": [{"code": "calculated"}]}, "doseQuantity": amount})
    (card,) = judge(engine, 13, order).cards
    assert card["source"]["topic"]["code"] == "doseFarAboveWindow" and "suggestions" not in card


def test_a_number_that_cannot_be_sent_back_takes_only_the_button(engine: CheckedEngine) -> None:
    body = as_bytes(bundle(patient(), itp(), OVERDOSE, *watched(day(-1)))).replace(
        b'"intent"', b'"dispenseRequest": {"quantity": {"value": 1e99999999999999999999}}, "intent"', 1
    )
    (card,) = advise(read_request(body), engine, now_on(13)).cards
    assert "suggestions" not in card


def test_many_gaps_are_counted_not_listed(engine: CheckedEngine) -> None:
    foreign = [level(f"f{i}", day(11), 9, pid="other") for i in range(500)]
    (card,) = [c for c in judge(engine, 13, OVERDOSE, *foreign).cards if c["source"]["topic"]["code"] == "notAssessed"]
    assert "500 Observation resources were not read" in card["detail"] and len(card["detail"]) < 1_000
