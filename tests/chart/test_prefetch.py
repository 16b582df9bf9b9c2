"""What a CDS Hooks client sends along, in the shapes that are met, and what of it is missing."""

from __future__ import annotations

from typing import Any

import pytest

from cds.advise import advise
from cds.chart.body import InputError
from cds.chart.request import read_request
from cds.compiled.hooks import Hook
from cds.engine import CheckedEngine
from tests.charts import FIRST_LINE, as_bytes, day, drug, itp, level, patient, request, sirolimus, subject, watched
from tests.judge import fact, gaps, judge, judge_order, now_on, topics

OVERDOSE = sirolimus("s", day(0), 12)
"""Too much whatever a level says, so that its card must always be there."""


KEYS = ["patient", "administrations", "statements", "observations", "conditions", "procedures"]


@pytest.mark.parametrize("key", KEYS)
def test_a_prefetch_key_that_is_missing_is_said(engine: CheckedEngine, key: str) -> None:
    body = request("patient-view", [patient(), itp(), OVERDOSE, level("l", day(10), 7)])
    del body["prefetch"][key]
    advice = advise(read_request(as_bytes(body)), engine, now_on(13))
    assert any(name.endswith("was not supplied") for name in gaps(advice))


@pytest.mark.parametrize("value", [{"resourceType": "OperationOutcome", "issue": []}], ids=["an error"])
@pytest.mark.parametrize("key", KEYS)
def test_an_error_in_its_place_is_as_if_it_were_missing(engine: CheckedEngine, key: str, value: Any) -> None:
    body = request("patient-view", [patient(), itp(), OVERDOSE, level("l", day(10), 7)])
    body["prefetch"][key] = value
    advice = advise(read_request(as_bytes(body)), engine, now_on(13))
    assert any(name.endswith("was not supplied") for name in gaps(advice))


EMPTY = [None, {"resourceType": "Bundle", "type": "searchset", "total": 0},
         {"resourceType": "Bundle", "entry": [{"search": {"mode": "outcome"}, "resource": {"resourceType": "OperationOutcome"}}]}]  # fmt: skip


@pytest.mark.parametrize("value", EMPTY, ids=["null", "an empty searchset", "a searchset with an outcome"])
@pytest.mark.parametrize("key", ["administrations", "statements", "procedures"])
def test_asked_and_nothing_there_is_no_gap(engine: CheckedEngine, key: str, value: Any) -> None:
    body = request("patient-view", [patient(), itp(), OVERDOSE, level("l", day(10), 7)])
    body["prefetch"][key] = value
    assert gaps(advise(read_request(as_bytes(body)), engine, now_on(13))) == set()


def test_a_page_that_continues_is_said(engine: CheckedEngine) -> None:
    body = request("patient-view", [patient(), itp(), OVERDOSE, level("l", day(10), 7)])
    body["prefetch"]["observations"]["link"] = [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]
    assert gaps(advise(read_request(as_bytes(body)), engine, now_on(13))) == {"Observation is incomplete"}


RESULTS = [level("l", day(10), 7), *watched(day(5))]


def _in_parts(parts: int, *numbers: int, **more: Any) -> Any:
    """A call whose results come under some of ``parts`` keys, all of them in the first."""
    body = request("patient-view", [patient(), itp(), OVERDOSE, *RESULTS])
    whole = body["prefetch"].pop("observations")
    body["prefetch"] |= {f"observations-{number}-of-{parts}": whole if number == 1 else None for number in numbers}
    body["prefetch"] |= more
    return body


def test_results_may_come_in_parts(engine: CheckedEngine) -> None:
    whole = request("patient-view", [patient(), itp(), OVERDOSE, *RESULTS])
    one, six = (
        advise(read_request(as_bytes(body)), engine, now_on(13)) for body in (whole, _in_parts(6, *range(1, 7)))
    )
    assert gaps(six) == set() and topics(six) == topics(one)


@pytest.mark.parametrize("missing", range(1, 4))
def test_a_part_that_is_missing_is_said(engine: CheckedEngine, missing: int) -> None:
    body = _in_parts(3, *({1, 2, 3} - {missing}))
    advice = advise(read_request(as_bytes(body)), engine, now_on(13))
    assert gaps(advice) == {"Observation is incomplete"} and "doseFarAboveWindow" in topics(advice)
    assert fact(advice, "observations_supplied") is False  # so that nothing is said never to have been done


def test_parts_of_two_lists_make_no_whole(engine: CheckedEngine) -> None:
    """The list of codes has grown since a part was typed in."""
    body = _in_parts(3, 1, 2, **{"observations-3-of-4": None})
    assert gaps(advise(read_request(as_bytes(body)), engine, now_on(13))) == {"Observation is incomplete"}


@pytest.mark.parametrize("value", [None, {"resourceType": "Bundle", "type": "searchset", "total": 0}])
def test_medications_come_in_no_parts(value: Any) -> None:
    """What nobody offers is no key of ours: a half of the orders is not taken for orders that were asked for."""
    body = request("patient-view", [patient(), itp()])
    del body["prefetch"]["medications"]
    body["prefetch"]["medications-1-of-2"] = value
    assert "MedicationRequest" in read_request(as_bytes(body)).not_supplied


def test_a_part_that_continues_is_said(engine: CheckedEngine) -> None:
    body = _in_parts(2, 1, 2)
    body["prefetch"]["observations-1-of-2"]["link"] = [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]
    assert gaps(advise(read_request(as_bytes(body)), engine, now_on(13))) == {"Observation is incomplete"}


def test_all_parts_make_up_for_pages_that_one_key_lacks(engine: CheckedEngine) -> None:
    body = _in_parts(2, 1, 2)
    body["prefetch"]["observations"] = body["prefetch"]["observations-1-of-2"] | {
        "link": [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]
    }
    assert gaps(advise(read_request(as_bytes(body)), engine, now_on(13))) == set()


def test_resources_are_known_by_their_type_whatever_the_key(engine: CheckedEngine) -> None:
    body = request("patient-view", [patient(), itp(), OVERDOSE, level("l", day(10), 7)])
    body["prefetch"] = {f"k{i}": value for i, value in enumerate(body["prefetch"].values())}
    assert "doseFarAboveWindow" in topics(advise(read_request(as_bytes(body)), engine, now_on(13)))


def test_a_revised_order_need_not_be_a_draft(engine: CheckedEngine) -> None:
    body = request("order-sign", [patient(gender="male"), itp(), FIRST_LINE, *watched(day(-1))], [OVERDOSE])
    assert topics(advise(read_request(as_bytes(body)), engine, now_on(0))) == {"doseFarAboveWindow"}


def test_a_medication_may_travel_beside_the_draft(engine: CheckedEngine) -> None:
    draft = OVERDOSE | {"status": "draft"}
    code = draft.pop("medicationCodeableConcept")
    draft["medicationReference"] = {"reference": "Medication/m"}
    body = request(
        "order-sign",
        [patient(gender="male"), itp(), FIRST_LINE, *watched(day(-1))],
        [draft, {"resourceType": "Medication", "id": "m", "code": code}],
    )
    assert topics(advise(read_request(as_bytes(body)), engine, now_on(0))) == {"doseFarAboveWindow"}


@pytest.mark.parametrize("value", ["x", 5, [], False])
def test_a_prefetch_value_that_is_no_resource_was_not_supplied(value: Any) -> None:
    body = request("patient-view", [patient(), itp(), OVERDOSE])
    body["prefetch"]["medications"] = value
    assert "MedicationRequest" in read_request(as_bytes(body)).not_supplied


def test_selections_may_be_absolute_or_versioned(engine: CheckedEngine) -> None:
    for selection in (
        "MedicationRequest/s",
        "https://ehr.example/fhir/MedicationRequest/s",
        "MedicationRequest/s/_history/2",
    ):
        body = request(
            "order-select",
            [patient(gender="male"), itp(), FIRST_LINE, *watched(day(-1))],
            [OVERDOSE | {"status": "draft"}],
            [selection],
        )
        assert topics(advise(read_request(as_bytes(body)), engine, now_on(0))) == {"doseFarAboveWindow"}


def outcome(severity: str) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "processing"}]}


def searchset(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": each} for each in resources]}


@pytest.mark.parametrize("severity", ["error", "fatal"])
def test_an_error_among_results_means_that_some_are_missing(engine: CheckedEngine, severity: str) -> None:
    body = request("patient-view", [patient(), itp(), OVERDOSE])
    body["prefetch"]["conditions"] = searchset(itp(), outcome(severity))
    body["prefetch"]["procedures"] = searchset(outcome(severity))
    found = gaps(advise(read_request(as_bytes(body)), engine, now_on(13)))
    assert {"Condition is incomplete", "Procedure was not supplied"} <= found


def test_a_warning_that_a_search_found_nothing_is_no_gap(engine: CheckedEngine) -> None:
    body = request("patient-view", [patient(), itp(), OVERDOSE])
    body["prefetch"]["procedures"] = searchset(outcome("warning")) | {"total": 0}
    assert not gaps(advise(read_request(as_bytes(body)), engine, now_on(13)))


def test_the_answers_of_a_batch_are_read_and_a_failed_one_is_said(engine: CheckedEngine) -> None:
    batch = {
        "resourceType": "Bundle",
        "type": "batch-response",
        "entry": [
            {"response": {"status": "200 OK"}, "resource": searchset(patient(), itp(), OVERDOSE)},
            {"response": {"status": "404 Not Found"}},
        ],
    }
    advice = advise(read_request(as_bytes(batch)), engine, now_on(13))
    assert topics(advice) == {"doseFarAboveWindow", "notAssessed"} and gaps(advice) == {"Bundle is incomplete"}


@pytest.mark.parametrize(
    ("selections", "judged"),
    [
        (["MedicationRequest/s"], True),
        (["s"], True),
        (["urn:uuid:order-1"], True),
        (["https://ehr.example/fhir/MedicationRequest/s/_history/2"], True),
        ([], True),  # the client does not say
        (["MedicationRequest/unheard-of"], True),  # nobody can tell
        (["ServiceRequest/lab"], False),
        (["urn:uuid:order-2"], False),
    ],
)
def test_what_is_selected_is_found_by_any_of_its_names(
    engine: CheckedEngine, selections: list[str], judged: bool
) -> None:
    body = request("order-select", [patient(), itp()], [sirolimus("s", day(10), 12, status="draft")])
    lab = {"resourceType": "ServiceRequest", "id": "lab", "status": "draft", "subject": {"reference": "Patient/itp-1"}}
    entries = body["context"]["draftOrders"]["entry"]
    entries[0]["fullUrl"] = "urn:uuid:order-1"
    entries.append({"fullUrl": "urn:uuid:order-2", "resource": lab})
    body["context"]["selections"] = selections
    advice = advise(read_request(as_bytes(body)), engine, now_on(13))
    assert ("doseFarAboveWindow" in topics(advice)) == judged


def test_one_draft_may_come_without_a_bundle(engine: CheckedEngine) -> None:
    body = request("order-sign", [patient(), itp()], [OVERDOSE | {"status": "draft"}])
    body["context"]["draftOrders"] = OVERDOSE | {"status": "draft"}
    assert "doseFarAboveWindow" in topics(advise(read_request(as_bytes(body)), engine, now_on(13)))


def test_entries_without_resources_are_refused_in_words() -> None:
    body = request("order-sign", [patient(), itp()], [OVERDOSE])
    body["context"]["draftOrders"]["entry"] = [OVERDOSE]
    with pytest.raises(InputError, match="no entry of draftOrders holds a resource"):
        read_request(as_bytes(body))


@pytest.mark.parametrize("intent", ["order", "plan", "proposal", "option", "original-order"])
def test_a_draft_is_an_order_being_given_whatever_its_intent(engine: CheckedEngine, intent: str) -> None:
    draft = OVERDOSE | {"status": "draft", "intent": intent}
    assert "doseFarAboveWindow" in topics(judge_order(engine, 13, [draft]))


NO_SUBJECT = {key: value for key, value in OVERDOSE.items() if key != "subject"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"subject": {"reference": "Patient/other"}}, "it belongs to another patient"),
        ({"subject": {"reference": 5}}, "an element of it has the wrong shape: subject"),
        ({"subject": {}}, "it does not say whose it is"),
        ({"doNotPerform": "no"}, "an element of it has the wrong shape: doNotPerform"),
        ({"dosageInstruction": "2 mg"}, "an element of it has the wrong shape: dosageInstruction"),
        ({"modifierExtension": [{"url": "x", "valueBoolean": True}]}, "it has a modifier extension"),
        ({"implicitRules": "http://local.example/rules"}, "it follows rules of its own"),
    ],
)
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_a_draft_that_cannot_be_read_is_never_passed_over(
    engine: CheckedEngine, hook: Hook, change: dict[str, Any], reason: str
) -> None:
    advice = judge_order(engine, 13, [OVERDOSE | {"status": "draft"} | change], hook=hook)
    assert topics(advice) == {"notAssessed"}
    assert reason in advice.cards[0]["detail"].replace("\\", "")


def unidentified(order: dict[str, Any]) -> dict[str, Any]:
    """The order with nothing of its drug but the reference to a Medication that is not sent."""
    rest = {key: value for key, value in order.items() if key != "medicationCodeableConcept"}
    return rest | {"medicationReference": {"reference": "Medication/not-sent"}}


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_a_draft_whose_drug_was_not_supplied_may_be_sirolimus_and_is_named(engine: CheckedEngine, hook: Hook) -> None:
    """Also of a patient without ITP on record: the diagnosis may be what is missing."""
    draft = unidentified(OVERDOSE | {"status": "draft"})
    for people in (True, False):
        advice = judge_order(engine, 13, [draft], hook=hook, adult=people)
        assert topics(advice) == {"notAssessed"}
        assert "its Medication was not supplied" in advice.cards[0]["detail"]


@pytest.mark.parametrize(
    "says",
    [
        {},
        {"medicationCodeableConcept": {}},
        {"medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm"}]}},
        {"medicationCodeableConcept": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]}},
    ],
)  # fmt: skip
def test_a_draft_that_names_no_drug_is_named(engine: CheckedEngine, says: dict[str, Any]) -> None:
    draft = {key: value for key, value in OVERDOSE.items() if key != "medicationCodeableConcept"} | says
    advice = judge_order(engine, 13, [draft | {"status": "draft"}])
    assert topics(advice) == {"notAssessed"} and "it names no drug" in advice.cards[0]["detail"]


def test_an_order_that_names_no_drug_and_is_of_another_patient_is_named_as_such(engine: CheckedEngine) -> None:
    draft = unidentified(OVERDOSE | {"status": "draft", "subject": {"reference": "Patient/other"}})
    (card,) = judge_order(engine, 13, [draft]).cards
    assert "it belongs to another patient" in card["detail"] and "Medication was not" not in card["detail"]


def test_an_order_whose_drug_was_not_supplied_is_named_for_a_patient_with_itp_alone(engine: CheckedEngine) -> None:
    running = unidentified(sirolimus("s", day(0), 12))
    assert topics(judge(engine, 13, running)) == {"notAssessed"}
    assert judge(engine, 13, running, adult=False).cards == []
    iron = {"resourceType": "MedicationRequest", "id": "x", "status": "draft", "intent": "order",
            "subject": subject(), "medicationCodeableConcept": {"text": "iron"}}  # fmt: skip
    assert topics(judge_order(engine, 13, [iron], running)) == {"notAssessed"}
    assert judge_order(engine, 13, [iron], running, adult=False).cards == []


def test_a_draft_that_cannot_be_read_and_is_not_of_ours_is_passed_over(engine: CheckedEngine) -> None:
    other = {"resourceType": "MedicationRequest", "id": "x", "status": 5, "medicationCodeableConcept": {"text": "iron"}}
    assert not judge_order(engine, 13, [other]).cards


def test_a_drafted_partner_that_cannot_be_read_is_named_when_sirolimus_is_taken(engine: CheckedEngine) -> None:
    partner = drug("c", "clarithromycin", day(13)) | {"status": "draft", "subject": {"reference": "Patient/other"}}
    taken = judge_order(engine, 13, [partner], sirolimus("s", day(0), 2))
    assert gaps(taken) == {"MedicationRequest/c was not read"}
    assert not judge_order(engine, 13, [partner]).cards
