"""Input that nests deep, wherever it does: it is read or refused in words, and never costs the answer to the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds.advise import advise
from cds.chart.body import InputError
from cds.chart.request import read_request
from cds.engine import CheckedEngine
from tests.charts import PATIENT, as_bytes, bundle, day, itp, level, patient, request, sirolimus
from tests.judge import now_on

ORDER = sirolimus("s", day(0), 2)
HIGH = level("l", day(10, "07:30"), 25)
KEPT = [
    "meta",
    "identifier",
    "referenceRange",
    "interpretation",
    "component",
    "modifierExtension",
    "note",
    "valueQuantity",
]
DEEP = [50, 150, *range(930, 1000, 3), 5000]
_MARK = '"deep"'


def nested(chart: Any, levels: int) -> bytes:
    """The bytes of a chart in which a mark is so many lists in lists."""
    return json.dumps(chart).replace(_MARK, "[" * levels + "]" * levels).encode()


@pytest.mark.parametrize("element", KEPT)
def test_an_element_of_a_level_that_nests_deep(engine: CheckedEngine, element: str) -> None:
    for levels in DEEP:
        body = nested(bundle(patient(), itp(), ORDER, HIGH, {**level("m", day(9), 7), element: "deep"}), levels)
        try:
            advice = advise(read_request(body), engine, now_on(10))
        except InputError as error:
            assert str(error) == "the JSON is nested too deep" and levels > 300
        else:
            assert "troughCritical" in {card["source"]["topic"]["code"] for card in advice.cards}


@pytest.mark.parametrize("levels", DEEP)
def test_a_draft_that_nests_deep_is_judged_and_its_button_left_out_where_nobody_could_write_it(
    engine: CheckedEngine, levels: int
) -> None:
    draft = {**sirolimus("d", day(10), 12, status="draft"), "extension": "deep"}
    body = nested(request("order-sign", [patient(), itp()], [draft], pid=PATIENT), levels)
    try:
        advice = advise(read_request(body), engine, now_on(10))
    except InputError:
        assert levels > 300
        return
    text = json.dumps(advice.cards, default=str)
    assert "doseFarAboveWindow" in text and (levels > 100 or "suggestions" in text)


def test_bundles_in_bundles_are_read_or_refused(engine: CheckedEngine) -> None:
    for levels in (3, 100, 400):
        body = as_bytes(bundle(patient(), itp(), ORDER, HIGH))
        for _ in range(levels):
            body = b'{"resourceType": "Bundle", "entry": [{"resource": ' + body + b"}]}"
        try:
            read_request(body)
        except InputError as error:
            assert str(error), levels


def _from_below(frames: int, body: bytes) -> str:
    """What is said of a body that is read with so many frames on the stack, as behind a server."""
    if frames:
        return _from_below(frames - 1, body)
    try:
        read_request(body)
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("frames", [0, 40, 100])
def test_bundles_in_bundles_around_something_broken_are_read_or_refused(frames: int) -> None:
    broken = {"resourceType": "Observation", "id": "o", "status": 5}
    inner = as_bytes(bundle(patient(), ORDER, broken))
    for levels in (3, *range(150, 340, 5)):
        body = b'{"resourceType": "Bundle", "entry": [{"resource": ' * levels + inner + b"}]}" * levels
        assert (_from_below(frames, body) == "") == (levels == 3), levels


def test_a_bundle_whose_type_is_written_with_an_escape_loses_nothing_beside_something_broken() -> None:
    broken = {"resourceType": "Observation", "id": "o", "status": 5}
    inside = json.dumps(bundle(ORDER, broken)).replace('"Bundle"', '"\\u0042undle"')
    body = json.dumps(bundle(patient()))[:-2] + ', {"resource": ' + inside + "}]}"
    found = read_request(body.encode())
    assert [each.id for each in found.resources if each.resourceType == "MedicationRequest"] == ["s"]
    assert [each.reference for each in found.broken] == ["Observation/o"]
