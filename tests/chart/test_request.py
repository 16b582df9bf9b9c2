"""Bad input gets a clear answer, and one bad resource never hides the others."""

from __future__ import annotations

import contextlib
import copy
import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds.advise import advise
from cds.chart.body import InputError
from cds.chart.request import read_request
from cds.engine import Engine
from tests.charts import as_bytes, bundle, count, day, drug, itp, level, patient, request, sirolimus
from tests.examples.stories import STORIES
from tests.judge import gaps, judge, now_on, topics

OVERDOSE = sirolimus("s", day(0), 12)
"""Too much whatever a level says, so that its card must always be there."""
SHARED = Path(__file__).resolve().parents[3] / "shared" / "fhir"


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
        (b"[" * 101 + b"]" * 101, "the JSON is nested deeper than 100 levels"),
        (b'{"x":' * 3000 + b"1" + b"}" * 3000, "the JSON is nested deeper than 100 levels"),
        (b"[" * 1_000_000, "the JSON is nested deeper than 100 levels"),
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


@pytest.mark.parametrize(("levels", "read"), [(47, True), (49, False)])
def test_depth_100_is_the_limit(levels: int, read: bool) -> None:
    body = as_bytes(bundle(patient() | nested(levels)))
    if read:
        assert read_request(body).patient_id == "itp-1"
    else:
        with pytest.raises(InputError, match="deeper than 100"):
            read_request(body)


def test_two_patients_are_refused_until_one_is_chosen() -> None:
    body = as_bytes(bundle(patient(), patient(pid="other"), OVERDOSE))
    with pytest.raises(InputError, match="holds 2 patients; choose one with --patient ID"):
        read_request(body)
    assert read_request(body, patient="itp-1").patient_id == "itp-1"
    with pytest.raises(InputError, match="does not hold the patient"):
        read_request(body, patient="nobody")


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
def test_one_bad_resource_is_named_and_hides_nothing(engine: Engine, bad: dict[str, Any]) -> None:
    advice = judge(engine, 13, OVERDOSE, bad)
    assert topics(advice) == {"doseFarAboveWindow", "notAssessed"}
    named = [g for c in advice.cards for g in c["extension"].get("net.sirolimus-itp-cds.gaps", ())]
    assert [gap.get("reference") for gap in named] == ["Observation/bad"]


@pytest.mark.parametrize(
    "change", [{"category": {"text": "object"}}, {"extension": "x"}, {"name": 7}, {"valueRatio": []}]
)
def test_elements_that_are_not_read_may_have_any_shape(engine: Engine, change: dict[str, Any]) -> None:
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
def test_odd_entries_are_passed_over(engine: Engine, entry: Any) -> None:
    whole = bundle(patient(), itp(), OVERDOSE, level("l", day(10), 7))
    whole["entry"].insert(1, entry)
    assert topics(advise(read_request(as_bytes(whole)), engine, now_on(13))) == {"doseFarAboveWindow"}


def test_something_unreadable_that_is_about_sirolimus_is_named(engine: Engine) -> None:
    whole = bundle(patient(), itp(), OVERDOSE, level("l", day(10), 7))
    whole["entry"].append({"resource": ["sirolimus", 20, "mg"]})
    advice = advise(read_request(as_bytes(whole)), engine, now_on(13))
    assert topics(advice) == {"doseFarAboveWindow", "notAssessed"}


def test_a_drug_that_ends_at_the_end_of_time(engine: Engine) -> None:
    forever = drug("x", "eltrombopag", day(5), status="stopped", end="9999-12-31")
    chart = [sirolimus("s", day(0), 2), level("l", day(60), 7), count("c", day(90), 120), forever]
    assert topics(judge(engine, 90, *chart)) == {"responseNotEvaluable"}


def test_ten_thousand_entries(engine: Engine) -> None:
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


KEYS = ["patient", "administrations", "statements", "observations", "conditions", "procedures"]


@pytest.mark.parametrize("key", KEYS)
def test_a_prefetch_key_that_is_missing_is_said(engine: Engine, key: str) -> None:
    body = request("patient-view", [patient(), itp(), OVERDOSE, level("l", day(10), 7)])
    del body["prefetch"][key]
    advice = advise(read_request(as_bytes(body)), engine, now_on(13))
    assert any(name.endswith("was not supplied") for name in gaps(advice))


@pytest.mark.parametrize("value", [{"resourceType": "OperationOutcome", "issue": []}], ids=["an error"])
@pytest.mark.parametrize("key", KEYS)
def test_an_error_in_its_place_is_as_if_it_were_missing(engine: Engine, key: str, value: Any) -> None:
    body = request("patient-view", [patient(), itp(), OVERDOSE, level("l", day(10), 7)])
    body["prefetch"][key] = value
    advice = advise(read_request(as_bytes(body)), engine, now_on(13))
    assert any(name.endswith("was not supplied") for name in gaps(advice))


EMPTY = [None, {"resourceType": "Bundle", "type": "searchset", "total": 0},
         {"resourceType": "Bundle", "entry": [{"search": {"mode": "outcome"}, "resource": {"resourceType": "OperationOutcome"}}]}]  # fmt: skip


@pytest.mark.parametrize("value", EMPTY, ids=["null", "an empty searchset", "a searchset with an outcome"])
@pytest.mark.parametrize("key", ["administrations", "statements", "procedures"])
def test_asked_and_nothing_there_is_no_gap(engine: Engine, key: str, value: Any) -> None:
    body = request("patient-view", [patient(), itp(), OVERDOSE, level("l", day(10), 7)])
    body["prefetch"][key] = value
    assert gaps(advise(read_request(as_bytes(body)), engine, now_on(13))) == set()


def test_a_page_that_continues_is_said(engine: Engine) -> None:
    body = request("patient-view", [patient(), itp(), OVERDOSE, level("l", day(10), 7)])
    body["prefetch"]["observations"]["link"] = [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]
    assert gaps(advise(read_request(as_bytes(body)), engine, now_on(13))) == {"Observation is incomplete"}


def test_resources_are_known_by_their_type_whatever_the_key(engine: Engine) -> None:
    body = request("patient-view", [patient(), itp(), OVERDOSE, level("l", day(10), 7)])
    body["prefetch"] = {f"k{i}": value for i, value in enumerate(body["prefetch"].values())}
    assert "doseFarAboveWindow" in topics(advise(read_request(as_bytes(body)), engine, now_on(13)))


def test_a_revised_order_need_not_be_a_draft(engine: Engine) -> None:
    body = request("order-sign", [patient(), itp()], [OVERDOSE])
    assert topics(advise(read_request(as_bytes(body)), engine, now_on(0))) == {"doseFarAboveWindow"}


def test_a_medication_may_travel_beside_the_draft(engine: Engine) -> None:
    draft = OVERDOSE | {"status": "draft"}
    code = draft.pop("medicationCodeableConcept")
    draft["medicationReference"] = {"reference": "Medication/m"}
    body = request("order-sign", [patient(), itp()], [draft, {"resourceType": "Medication", "id": "m", "code": code}])
    assert topics(advise(read_request(as_bytes(body)), engine, now_on(0))) == {"doseFarAboveWindow"}


def test_the_order_of_entries_changes_nothing(engine: Engine) -> None:
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


@settings(max_examples=3000, database=None)
@given(st.data())
def test_mutated_charts_never_raise(engine: Engine, data: st.DataObject) -> None:
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


def test_120_public_synthetic_patients_get_no_card(engine: Engine) -> None:
    for person in public("synthea-120.ndjson.gz"):
        resources = [{"resource": r} for r in person["resources"]]
        body = as_bytes({"resourceType": "Bundle", "type": "collection", "entry": resources})
        assert advise(read_request(body), engine, now_on(700)).cards == []


def test_odd_public_resources_are_passed_over(engine: Engine) -> None:
    for line in public("odd.ndjson"):
        body = as_bytes({"resourceType": "Bundle", "entry": [{"resource": patient()}, {"resource": line["resource"]}]})
        try:
            assert advise(read_request(body, patient="itp-1"), engine, now_on(700)).cards == []
        except InputError as refused:
            assert "R4" in str(refused)


def test_public_requests_are_answered_or_refused_in_words(engine: Engine) -> None:
    for line in public("cdshooks-requests.ndjson"):
        try:
            assert advise(read_request(as_bytes(line["request"])), engine, now_on(700)).cards == []
        except InputError as refused:
            assert str(refused)


def _alive(patient: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in patient.items() if not key.startswith("deceased")}


def test_public_patients_with_sirolimus_transplanted_into_them_get_their_card(engine: Engine) -> None:
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


def test_one_odd_contained_resource_does_not_hide_the_drug(engine: Engine) -> None:
    order = {key: value for key, value in OVERDOSE.items() if key != "medicationCodeableConcept"}
    role = {"resourceType": "PractitionerRole", "id": "pr", "code": [{"text": "doctor"}]}
    drugged = {"resourceType": "Medication", "id": "m", "code": OVERDOSE["medicationCodeableConcept"]}
    order |= {"medicationReference": {"reference": "#m"}, "contained": [None, role, drugged]}
    assert topics(judge(engine, 13, order)) == {"doseFarAboveWindow"}


@pytest.mark.parametrize(
    "route",
    [
        {"coding": [{"system": "urn:local", "code": "15"}], "text": "Oral"},
        {"text": "PO"},
        {"coding": [{"code": "127490009"}]},
    ],
)
def test_a_local_route_says_nothing_against_the_mouth(engine: Engine, route: dict[str, Any]) -> None:
    order = copy.deepcopy(OVERDOSE)
    order["dosageInstruction"][0]["route"] = route
    assert topics(judge(engine, 13, order)) == {"doseFarAboveWindow"}


def test_an_order_that_is_sent_twice_is_one(engine: Engine) -> None:
    assert topics(judge(engine, 13, OVERDOSE, OVERDOSE)) == {"doseFarAboveWindow"}


def test_nobody_is_born_after_the_order(engine: Engine) -> None:
    advice = judge(engine, 13, patient("2031-01-01"), itp(), OVERDOSE, adult=False)
    assert "Birth date" in gaps(advice)


@pytest.mark.parametrize("amount", [{"unit": "mg"}, {"value": "abc"}, {"value": True}])
def test_an_unreadable_amount_beside_the_ordered_one_takes_only_the_button(
    engine: Engine, amount: dict[str, Any]
) -> None:
    order = copy.deepcopy(OVERDOSE)
    rates = order["dosageInstruction"][0]["doseAndRate"]
    rates[0]["type"] = {"coding": [{"code": "ordered"}]}
    rates.append({"type": {"coding": [{"code": "calculated"}]}, "doseQuantity": amount})
    (card,) = judge(engine, 13, order).cards
    assert card["source"]["topic"]["code"] == "doseFarAboveWindow" and "suggestions" not in card


def test_a_number_that_cannot_be_sent_back_takes_only_the_button(engine: Engine) -> None:
    body = as_bytes(bundle(patient(), itp(), OVERDOSE)).replace(
        b'"intent"', b'"dispenseRequest": {"quantity": {"value": 1e99999999999999999999}}, "intent"', 1
    )
    (card,) = advise(read_request(body), engine, now_on(13)).cards
    assert "suggestions" not in card


def test_many_gaps_are_counted_not_listed(engine: Engine) -> None:
    foreign = [level(f"f{i}", day(11), 9, pid="other") for i in range(500)]
    (card,) = [c for c in judge(engine, 13, OVERDOSE, *foreign).cards if c["source"]["topic"]["code"] == "notAssessed"]
    assert "500 Observation resources were not read" in card["detail"] and len(card["detail"]) < 1_000


@pytest.mark.parametrize("value", ["x", 5, [], False])
def test_a_prefetch_value_that_is_no_resource_was_not_supplied(value: Any) -> None:
    body = request("patient-view", [patient(), itp(), OVERDOSE])
    body["prefetch"]["medications"] = value
    assert "MedicationRequest" in read_request(as_bytes(body)).not_supplied


def test_selections_may_be_absolute_or_versioned(engine: Engine) -> None:
    for selection in (
        "MedicationRequest/s",
        "https://ehr.example/fhir/MedicationRequest/s",
        "MedicationRequest/s/_history/2",
    ):
        body = request("order-select", [patient(), itp()], [OVERDOSE | {"status": "draft"}], [selection])
        assert topics(advise(read_request(as_bytes(body)), engine, now_on(0))) == {"doseFarAboveWindow"}
