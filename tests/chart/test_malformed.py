"""Bad, odd and public input: one bad resource never hides the others, nothing raises, nobody else gets a card."""

from __future__ import annotations

import contextlib
import copy
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds.advise import advise
from cds.chart.body import InputError
from cds.chart.request import read_request
from cds.engine import CheckedEngine
from tests.charts import as_bytes, bundle, day, drug, itp, level, patient, sirolimus, watched
from tests.conftest import LONG
from tests.examples.stories import STORIES
from tests.judge import judge, now_on, topics

pytestmark = pytest.mark.untraced

OVERDOSE = sirolimus("s", day(0), 12)
"""Too much whatever a level says, so that its card must always be there."""
SHARED = Path(__file__).resolve().parents[3] / "shared" / "fhir"


BAD = {
    "a string where a number should be": level("bad", day(12), 1) | {"valueQuantity": {"value": "4", "unit": "ng/mL"}},
    "an unknown unit": level("bad", day(12), 4, "ng/mmol"),
    "no unit": level("bad", day(12), 1) | {"valueQuantity": {"value": 4}},
    "no date": {key: value for key, value in level("bad", day(12), 4).items() if key != "effectiveDateTime"},
    "a year for a date": level("bad", "2024", 4),
    "a date that is none": level("bad", "2024-02-30", 4),
    "a list where an object should be": level("bad", day(12), 1) | {"valueQuantity": [1, 2]},
    "a number where a word should be": level("bad", day(12), 4) | {"status": 7},
    "no status": {key: value for key, value in level("bad", day(12), 4).items() if key != "status"},
    "no value": {key: value for key, value in level("bad", day(12), 4).items() if key != "valueQuantity"},
    "a reason for no value": {k: v for k, v in level("bad", day(12), 4).items() if k != "valueQuantity"}
    | {"dataAbsentReason": {"text": "lost"}},
    "an absurd value": level("bad", day(12), 1e30),
    "a level above any plausible": level("bad", day(12), 100.1),
    "a level below any plausible": level("bad", day(12), 0.1),
    "a result in words": {k: v for k, v in level("bad", day(12), 4).items() if k != "valueQuantity"}
    | {"valueString": "see comment"},
    "an integer without a unit": {k: v for k, v in level("bad", day(12), 4).items() if k != "valueQuantity"}
    | {"valueInteger": 4},
    "an unknown comparator": level("bad", day(12), 4, comparator="~"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_one_bad_resource_is_named_and_hides_nothing(engine: CheckedEngine, bad: dict[str, Any]) -> None:
    advice = judge(engine, 13, OVERDOSE, bad)
    assert topics(advice) == {"doseFarAboveWindow", "notAssessed"}
    named = [g for c in advice.cards for g in c["extension"].get("net.sirolimus-itp-cds.gaps", ())]
    assert [gap.get("reference") for gap in named] == ["Observation/bad"]


@pytest.mark.parametrize(
    "change", [{"category": {"text": "object"}}, {"extension": "x"}, {"name": 7}, {"valueRatio": []}]
)
def test_elements_that_are_not_read_may_have_any_shape(engine: CheckedEngine, change: dict[str, Any]) -> None:
    assert topics(judge(engine, 13, OVERDOSE | change, level("l", day(10), 7) | change)) == {"doseFarAboveWindow"}


@pytest.mark.parametrize(
    "entry",
    [
        None,
        {},
        {"resource": None},
        {"resource": {}},
        {"resource": 7},
        {"resource": "x"},
        {"resource": {"resourceType": "Banana"}},
        {"fullUrl": 7},
    ],
)
def test_odd_entries_are_passed_over(engine: CheckedEngine, entry: Any) -> None:
    whole = bundle(patient(), itp(), OVERDOSE, level("l", day(10), 7), *watched(day(-1)))
    whole["entry"].insert(1, entry)
    assert topics(advise(read_request(as_bytes(whole)), engine, now_on(13))) == {"doseFarAboveWindow"}


def test_something_unreadable_that_is_about_sirolimus_is_named(engine: CheckedEngine) -> None:
    whole = bundle(patient(), itp(), OVERDOSE, level("l", day(10), 7), *watched(day(-1)))
    whole["entry"].append({"resource": ["sirolimus", 20, "mg"]})
    advice = advise(read_request(as_bytes(whole)), engine, now_on(13))
    assert topics(advice) == {"doseFarAboveWindow", "notAssessed"}


# --- hostile and public data -----------------------------------------------------------------------

HOSTILE: list[Any] = [
    "9999-12-31",
    "0001-01-01",
    "9999-12-31T23:59:59Z",
    None,
    True,
    -1,
    0,
    1e300,
    "",
    "x",
    "٣",
    "1_000",
    [],
    {},
    [None],
    {"value": None},
    "2024",
    [[[]]],
    "<script>alert(1)</script>",
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        found += places(part, (*path, key))
    return found


RICH = [
    s.content
    for s in STORIES
    if s.name
    in (
        "course-3-six-months",
        "toddler-flat-dose",
        "rescue-before-landmark",
        "clarithromycin-ordered",
        "positive-pregnancy-test",
    )
]


@pytest.mark.slow
@settings(max_examples=3000 if LONG else 800, database=None)
@given(st.data())
def test_mutated_charts_never_raise(engine: CheckedEngine, data: st.DataObject) -> None:
    """Any element of a real-looking chart replaced or dropped: an answer, or a refusal in words."""
    content = copy.deepcopy(data.draw(st.sampled_from(RICH)))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(places(content)))
        holder = content
        for key in path[:-1]:
            holder = holder[key]
        if data.draw(st.booleans()):
            holder[path[-1]] = copy.deepcopy(data.draw(st.sampled_from(HOSTILE)))
        else:
            del holder[path[-1]]
    with contextlib.suppress(InputError):
        advise(read_request(as_bytes(content)), engine, now_on(200))


def public(name: str) -> list[dict[str, Any]]:
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"{name}: the folder of public FHIR data is not beside the checkout")
    text = gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()
    return [json.loads(line) for line in text.splitlines()]


def test_120_public_synthetic_patients_get_no_card(engine: CheckedEngine) -> None:
    for person in public("synthea-120.ndjson.gz"):
        resources = [{"resource": r} for r in person["resources"]]
        body = as_bytes({"resourceType": "Bundle", "type": "collection", "entry": resources})
        assert advise(read_request(body), engine, now_on(700)).cards == []


def test_odd_public_resources_are_passed_over(engine: CheckedEngine) -> None:
    for line in public("odd.ndjson"):
        body = as_bytes({"resourceType": "Bundle", "entry": [{"resource": patient()}, {"resource": line["resource"]}]})
        try:
            assert advise(read_request(body, patient="itp-1"), engine, now_on(700)).cards == []
        except InputError as refused:
            assert "R4" in str(refused)


def test_public_requests_are_answered_or_refused_in_words(engine: CheckedEngine) -> None:
    for line in public("cdshooks-requests.ndjson"):
        try:
            assert advise(read_request(as_bytes(line["request"])), engine, now_on(700)).cards == []
        except InputError as refused:
            assert str(refused)


def _alive(patient: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in patient.items() if not key.startswith("deceased")}


def test_public_patients_with_sirolimus_transplanted_into_them_get_their_card(engine: CheckedEngine) -> None:
    """Real-looking noise around our resources changes nothing."""
    for person in public("synthea-120.ndjson.gz")[:40]:
        pid = next(r["id"] for r in person["resources"] if r["resourceType"] == "Patient")
        born = {"birthDate": "1980-01-01"}
        kept = [_alive(r) | born if r["resourceType"] == "Patient" else r for r in person["resources"]]
        ours = [itp(pid), sirolimus("s", day(690), 5, pid=pid), drug("x", "clarithromycin", day(695), pid=pid)]
        body = as_bytes({"resourceType": "Bundle", "entry": [{"resource": r} for r in [*kept, *ours]]})
        shown = topics(advise(read_request(body), engine, now_on(700)))
        assert {"doseAboveWindow", "strongInhibitor"} <= shown


def test_an_open_string_is_read_once() -> None:
    """Eighty thousand escaped quotes took half a minute before."""
    with pytest.raises(InputError):
        read_request(b'["' + b'\\"' * 500_000)


def test_one_odd_contained_resource_does_not_hide_the_drug(engine: CheckedEngine) -> None:
    order = {key: value for key, value in OVERDOSE.items() if key != "medicationCodeableConcept"}
    role = {"resourceType": "PractitionerRole", "id": "pr", "code": [{"text": "doctor"}]}
    drugged = {"resourceType": "Medication", "id": "m", "code": OVERDOSE["medicationCodeableConcept"]}
    order |= {"medicationReference": {"reference": "#m"}, "contained": [None, role, drugged]}
    assert topics(judge(engine, 13, order)) == {"doseFarAboveWindow"}
