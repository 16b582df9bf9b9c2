"""What a yes-or-no test says: in words of several languages, in codes, and when it says nothing that is clear."""

from __future__ import annotations

from typing import Any

import pytest

from cds.chart.answers import detected, positive
from cds.chart.wire import resource_decoder
from tests.charts import as_bytes

V3 = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


def read(**elements: Any) -> bool | None:
    return positive(resource_decoder.decode(as_bytes({"resourceType": "Observation", **elements})))


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("Positive", True),
        ("POSITIVE (weak)", True),
        ("Positive - no repeat needed", True),
        ("reaktiv", True),
        ("positiv", True),
        ("nachweisbar", True),
        ("negative", False),
        ("None detected", False),
        ("No hCG detected", False),
        ("No HBsAg detected", False),
        ("not detected", False),
        ("Non-reactive", False),
        ("negativ", False),
        ("nicht nachweisbar", False),
        ("négatif", False),
        ("none", False),
        ("Positive for HBsAg: No", None),
        ("Reactive - not confirmed by neutralization", None),
        ("Not performed - insufficient sample", None),
        ("Indeterminate", None),
        ("see comment", None),
        ("No evidence of hepatitis B virus DNA detected", None),
    ],
)
def test_words(words: str, answer: bool | None) -> None:
    assert read(valueString=words) is answer
    assert read(valueCodeableConcept={"text": words}) is answer


@pytest.mark.parametrize(
    ("coding", "answer"),
    [
        ({"system": V3, "code": "POS"}, True),
        ({"system": V3, "code": "N"}, False),
        ({"system": "http://hl7.org/fhir/v2/0078", "code": "A"}, True),
        ({"code": "POS"}, True),
        ({"system": "urn:lab", "code": "A", "display": "Absent"}, False),
        ({"code": "H", "display": "Haemolysed"}, None),
        ({"system": "urn:lab", "code": "N", "display": "Not done"}, None),
        ({"system": "http://snomed.info/sct", "code": "10828004"}, True),
        ({"system": "http://snomed.info/sct", "code": "260385009"}, False),
    ],
)
def test_codes(coding: dict[str, str], answer: bool | None) -> None:
    assert read(valueCodeableConcept={"coding": [coding]}) is answer


@pytest.mark.parametrize(
    ("quantity", "answer"),
    [
        ({"value": 0, "unit": "[IU]/mL"}, False),
        ({"value": 5000000, "unit": "[IU]/mL"}, True),
        ({"value": 10, "comparator": "<", "unit": "[IU]/mL"}, False),
        ({"value": 10, "comparator": ">", "unit": "[IU]/mL"}, True),
    ],
)
def test_a_virus_that_is_counted(quantity: dict[str, Any], answer: bool) -> None:
    body = as_bytes({"resourceType": "Observation", "valueQuantity": quantity})
    assert detected(resource_decoder.decode(body)) is answer
