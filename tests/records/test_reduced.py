"""What of a request is kept to judge it again: no more than is read, where somebody's name may stand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds.advise import advise
from cds.chart.request import read_request
from cds.engine import CheckedEngine
from cds.records.reduced import reduced, request_of
from tests.charts import as_bytes, day, request, sirolimus
from tests.judge import now_on
from tests.records.doors import CRITICAL

SECRET = "Zebedee"
SEARCH = f"https://ehr.example/Observation?patient.name={SECRET}"


def kept(body: dict[str, Any]) -> bytes:
    """The reduced request, as it is read again."""
    packed = reduced(read_request(json.dumps(body).encode()))
    assert packed is not None
    return request_of(packed, "patient-view").body


@pytest.mark.parametrize(
    "added",
    [
        {"link": [{"relation": "self", "url": SEARCH}]},
        {"identifier": {"value": SECRET}},
        {"meta": {"source": SECRET}},
        {"entry": [{"request": {"method": "GET", "url": SEARCH}, "resource": CRITICAL[1]}]},
    ],
    ids=["link", "identifier", "meta", "request"],
)
def test_a_bundle_is_kept_without_the_search_that_found_it(added: dict[str, Any]) -> None:
    body = request("patient-view", CRITICAL)
    body["prefetch"]["observations"] |= added
    assert SECRET in json.dumps(body) and SECRET.encode() not in kept(body)


def test_of_a_modifier_extension_is_kept_that_there_is_one() -> None:
    changed = [each | {"modifierExtension": [{"url": "x", "valueString": SECRET}]} for each in CRITICAL[3:]]
    found = kept(request("patient-view", [*CRITICAL[:3], *changed]))
    assert SECRET.encode() not in found and found.count(b"modifierExtension") == len(changed)


@pytest.mark.parametrize("at", ["2024-02-20T08:00:00+00:00", "soon"])
def test_of_the_extensions_of_an_order_only_its_changes_are_kept(engine: CheckedEngine, at: str) -> None:
    parts = [
        {"url": "at", "valueDateTime": at},
        {"url": "before", "valueQuantity": {"value": 1.5, "unit": SECRET, "code": "mg/d"}},
        {"url": "held", "valueBoolean": False, "valueCoding": {"display": SECRET}},
    ]
    change = {"url": "urn:sirolimus-itp-cds:order-change", "extension": parts}
    order = sirolimus("s", day(0), 2) | {"extension": [{"url": "x", "valueString": SECRET}, change]}
    body = request("patient-view", [*CRITICAL[:2], order, *CRITICAL[3:]])
    lean = kept(body)
    assert SECRET.encode() not in lean
    before, after = (advise(read_request(each), engine, now_on(60)) for each in (as_bytes(body), lean))
    assert before.situation.patient.course == after.situation.patient.course
    assert len(after.situation.patient.course.regimens) == (2 if at != "soon" else 1)


def test_further_pages_and_what_was_deleted_are_still_known() -> None:
    body = request("patient-view", CRITICAL)
    gone = {"request": {"method": "DELETE", "url": "Observation/gone"}}
    body["prefetch"]["observations"] |= {"link": [{"relation": "next", "url": SEARCH}]}
    body["prefetch"]["observations"]["entry"].append(gone)
    again = read_request(kept(body))
    assert again.incomplete and b'"Observation/gone"' in again.body and SECRET.encode() not in again.body
