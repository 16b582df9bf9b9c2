"""What of a request is kept to judge it again: no more than is read, where somebody's name may stand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds.chart.request import read_request
from cds.records.reduced import reduced, request_of
from tests.charts import request
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


def test_further_pages_and_what_was_deleted_are_still_known() -> None:
    body = request("patient-view", CRITICAL)
    gone = {"request": {"method": "DELETE", "url": "Observation/gone"}}
    body["prefetch"]["observations"] |= {"link": [{"relation": "next", "url": SEARCH}]}
    body["prefetch"]["observations"]["entry"].append(gone)
    again = read_request(kept(body))
    assert again.incomplete and b'"Observation/gone"' in again.body and SECRET.encode() not in again.body
