"""One wrong element is named with its FHIR path and takes nothing else with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds.chart.request import Request, read_request
from cds.engine import CheckedEngine
from tests.charts import LOINC, RXNORM, as_bytes, bundle, day, itp, level, patient, sirolimus
from tests.judge import fact, gaps, judge, topics

ORDER = sirolimus("s", day(0), 12)
CODING = ORDER["medicationCodeableConcept"]["coding"][0]


def read(resource: Any) -> Request:
    return read_request(as_bytes(bundle(patient(), resource)))


@pytest.mark.parametrize(
    ("change", "at"),
    [
        (
            {"medicationCodeableConcept": {"coding": [CODING, {"system": 5}]}},
            "medicationCodeableConcept.coding[1].system",
        ),
        ({"authoredOn": 20240108}, "authoredOn"),
        ({"dosageInstruction": [{"timing": 5}]}, "dosageInstruction[0].timing"),
        ({"groupIdentifier": "g"}, "groupIdentifier"),
        ({"status": True}, "status"),
    ],
)
def test_the_path_of_what_is_wrong(change: dict[str, Any], at: str) -> None:
    (broken,) = read(ORDER | change).broken
    assert (broken.place, broken.at) == ("Bundle.entry[1].resource", (at,))


def test_a_wrong_coding_leaves_the_others(engine: CheckedEngine) -> None:
    concept = {"coding": [{"system": "urn:local", "code": 7}, CODING]}
    advice = judge(engine, 13, ORDER | {"medicationCodeableConcept": concept})
    assert "doseFarAboveWindow" in topics(advice)
    assert gaps(advice) == {"MedicationRequest/s was not read"}


def test_a_quantity_never_loses_only_its_comparator(engine: CheckedEngine) -> None:
    """'less than 2' without its comparator would be 2."""
    low = level("l", day(20), 3)
    low["valueQuantity"]["comparator"] = 5
    advice = judge(engine, 21, sirolimus("s", day(0), 2), low)
    assert fact(advice, "trough") is None
    assert gaps(advice) == {"Observation/l was not read"}


@pytest.mark.parametrize("element", ["status", "doNotPerform", "intent", "subject"])
def test_without_what_decides_whether_it_counts_nothing_of_it_counts(engine: CheckedEngine, element: str) -> None:
    advice = judge(engine, 13, ORDER | {element: 5})
    assert topics(advice) == {"notAssessed"}
    assert gaps(advice) == {"MedicationRequest/s was not read"}


def test_several_wrong_elements_are_all_named() -> None:
    (broken,) = read(ORDER | {"authoredOn": 5, "groupIdentifier": 6, "dispenseRequest": 7}).broken
    assert set(broken.at) == {"authoredOn", "groupIdentifier", "dispenseRequest"}


def test_a_resource_that_is_wrong_all_over_is_left_whole() -> None:
    request = read({"resourceType": "Observation", "id": "x", "code": {"coding": [5] * 50}})
    assert [b.reference for b in request.broken] == ["Observation/x"]
    assert all(resource.resourceType == "Patient" for resource in request.resources)


def test_text_that_is_not_utf_8_takes_only_its_element(engine: CheckedEngine) -> None:
    chart = bundle(patient(), itp(), ORDER, sirolimus("t", day(0), 1) | {"authoredOn": "@@"})
    body = json.dumps(chart).encode().replace(b'"@@"', b'"2024-\xe9"')
    (broken,) = read_request(body).broken
    assert broken.at == ("authoredOn",)


@pytest.mark.parametrize(
    ("resource", "ours"),
    [
        ({"status": 5, "medicationCodeableConcept": {"text": "Sirolimus 1 mg"}}, True),
        ({"status": 5, "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "349208"}]}}, True),
        ({"status": 5, "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "197361"}]}}, False),
        ({"status": 5, "medicationCodeableConcept": {"text": "amlodipine"}}, False),
    ],
)
def test_only_what_speaks_of_our_drugs_is_worth_a_card(
    engine: CheckedEngine, resource: dict[str, Any], ours: bool
) -> None:
    order = {"resourceType": "MedicationRequest", "id": "x"} | resource
    assert bool(judge(engine, 13, order).cards) == ours


def test_a_broken_partner_is_named_beside_sirolimus(engine: CheckedEngine) -> None:
    partner = {
        "resourceType": "MedicationRequest",
        "id": "x",
        "status": 5,
        "medicationCodeableConcept": {"text": "Biaxin"},
    }
    assert not judge(engine, 13, partner).cards
    assert gaps(judge(engine, 13, sirolimus("s", day(0), 2), partner)) == {"MedicationRequest/x was not read"}


def test_a_broken_level_is_named_by_its_code(engine: CheckedEngine) -> None:
    broken = {
        "resourceType": "Observation",
        "id": "x",
        "status": 5,
        "code": {"coding": [{"system": LOINC, "code": "29247-4"}]},
    }
    assert gaps(judge(engine, 13, sirolimus("s", day(0), 2), broken)) == {"Observation/x was not read"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'\xef\xbb\xbf{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "id": "p"}}]}', ""),
        ('{"resourceType": "Bundle"}'.encode("utf-16"), "this is not JSON in UTF-8"),
        ('{"resourceType": "Bundle"}'.encode("utf-16-le"), "this is not JSON in UTF-8"),
    ],
)  # fmt: skip
def test_a_byte_order_mark_is_harmless_and_utf_16_is_called_so(body: bytes, message: str) -> None:
    try:
        assert read_request(body).patient_id == "p" and not message
    except Exception as error:
        assert message and str(error).startswith(message)


def test_a_broken_order_of_several_drugs_is_named_as_one_of_sirolimus(engine: CheckedEngine) -> None:
    both = ORDER | {"note": [{"text": "with clarithromycin"}], "authoredOn": 5}
    [unread] = judge(engine, 13, both).situation.chart.unread
    assert unread.subject == "sirolimus"
