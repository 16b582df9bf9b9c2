"""The workbench and the rules' pages over HTTP; tests/workbench/test_browser.py drives them in a browser."""

from __future__ import annotations

import json
import re
from html import unescape
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
from markupsafe import escape
from PIL import Image

from cds.engine import CheckedEngine
from cds.hooks.settings import Issuer, Settings, WrongSettings, read_settings
from cds.knowledge.load import load
from cds.knowledge.read import SUBJECTS
from tests.conftest import ROOT
from tests.hooks.doors import client_of

EXAMPLE = "one-course | day 15, patient-view"
EMPTY = (ROOT / "fhir_examples" / "no-sirolimus" / "bundle.json").read_text(encoding="utf-8")
BUNDLE = (ROOT / "fhir_examples" / "course-1-titration" / "bundle.json").read_text(encoding="utf-8")
FORM = {"content-type": "application/x-www-form-urlencoded"}
PUBLIC = Issuer(
    iss="https://ehr.example", jwks_url="https://ehr.example/keys", audiences=["https://cds.example/cds-services"]
)


def posted(
    engine: CheckedEngine, settings: Settings | None = None, headers: dict[str, str] = FORM, **fields: str
) -> tuple[int, str]:
    with client_of(engine, settings) as client:
        answer = client.post("/", content=urlencode(fields), headers=headers)
        return answer.status_code, answer.text


def test_a_page_lets_nothing_in_and_is_not_kept(engine: CheckedEngine) -> None:
    with client_of(engine) as client:
        for path in ("/", f"/?{urlencode({'example': EXAMPLE})}", "/rules", "/rules/trough-low"):
            answer = client.get(path)
            policy = answer.headers["content-security-policy"]
            assert answer.status_code == 200 and "default-src 'none'" in policy and "unsafe" not in policy
            assert answer.headers["cache-control"] == "no-store" and "<script>" not in answer.text
        assert client.get("/workbench.js").headers["content-type"].startswith("text/javascript")


def test_a_chart_is_judged_with_its_cards_rules_and_answer(engine: CheckedEngine) -> None:
    status, text = posted(engine, chart=BUNDLE, hook="patient-view", at="2024-01-23T20:00:00Z")
    assert status == 200
    assert "Sirolimus trough 3.9 ng/mL on 2024-01-22 07:40 is below the target" in text
    assert "trough-low: fires" in text and "<b>yes</b>: trough below 5 ng/mL" in text
    assert (
        'trough-high: silent <span class="why" dir="auto">not so: trough above 15 ng/mL (it is 3.9 ng/mL)</span>'
        in text
    )
    assert "The blood level was typically kept between 5 and 15 ng/mL." in text  # the source stands beside the rule
    assert '"cards": [' in text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"chart": "not JSON"}, "this is not JSON"),
        ({"chart": "[]"}, "this is neither a FHIR Bundle nor a CDS Hooks request"),
        ({"chart": '{"resourceType": "Bundle", "type": "collection"}'}, "the bundle holds no Patient"),
        ({"chart": BUNDLE, "press": "7.0"}, "there is no such suggestion on this chart any more"),
        ({"chart": BUNDLE, "press": "0."}, "there is no such suggestion on this chart any more"),
        ({"chart": BUNDLE, "at": "2024-05-01 20:00"}, "the time of judging is not an ISO 8601 date or time"),
        (
            {
                "chart": json.dumps(
                    {
                        "hook": "patient-view",
                        "hookInstance": "x",
                        "context": {"patientId": "p", "userId": "u"},
                        "prefetch": {},
                    }
                )
            },
            "the prefetch key &#39;medications&#39; was not supplied; without it nothing can be judged",
        ),
        ({"chart": BUNDLE, "press": "x"}, "there is no such suggestion on this chart any more"),
    ],
)
def test_what_cannot_be_judged_is_said_on_the_page(engine: CheckedEngine, fields: dict[str, str], said: str) -> None:
    status, text = posted(engine, **fields)
    assert status == 200 and 'role="alert"' in text and said in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("level", "much"),
        ("level", "1e9"),
        ("level", "-1"),
        ("level", "NaN"),
        ("age", "3000"),
        ("days", "3.7"),
        ("zzz", "3"),
    ],
)
def test_a_value_that_cannot_be_is_refused(engine: CheckedEngine, name: str, value: str) -> None:
    status, text = posted(engine, chart=BUNDLE, **{f"set-{name}": value, f"was-{name}": "1"})
    assert status == 200 and re.search(
        r'role="alert">a changed value is (out of range|not a number): (the |another)', text
    )


def test_that_a_patient_has_died_is_said(engine: CheckedEngine) -> None:
    bundle = json.loads(BUNDLE)
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            entry["resource"]["deceasedDateTime"] = "2024-01-20"
    said = "Sirolimus was not judged: the record says that this patient has died."
    assert said in posted(engine, chart=json.dumps(bundle))[1]


def test_that_sirolimus_was_not_judged_is_said(engine: CheckedEngine) -> None:
    chart = (ROOT / "fhir_examples" / "no-sirolimus" / "bundle.json").read_text(encoding="utf-8")
    assert "Sirolimus was not judged: sirolimus is neither taken nor ordered." in posted(engine, chart=chart)[1]


def test_what_could_not_be_judged_is_said(engine: CheckedEngine) -> None:
    text = posted(engine, chart=(ROOT / "fhir_examples" / "two-active-orders" / "bundle.json").read_text())[1]
    assert "What could not be judged" in text and "Two active orders" in text


def test_bounds_hold_for_forms_too(engine: CheckedEngine) -> None:
    assert posted(engine, headers={"content-type": "application/json"}, chart=BUNDLE)[0] == 415
    assert posted(engine, Settings(max_body=1024), chart="x" * 300_000)[0] == 413


def test_it_is_off_where_others_can_call_and_when_it_is_set_off(engine: CheckedEngine) -> None:
    for settings in (
        Settings(workbench=False),
        Settings(issuers=[PUBLIC]),
        Settings(host="0.0.0.0", without_authentication=True),
    ):
        with client_of(engine, settings) as client:
            assert client.get("/").status_code == client.get("/rules").status_code == 404
    with client_of(engine, Settings(host="0.0.0.0", without_authentication=True, workbench=True)) as client:
        assert client.get("/rules").status_code == 200


def test_with_issuers_it_cannot_be_set_on() -> None:
    with pytest.raises(WrongSettings, match="the workbench does not authenticate its callers"):
        read_settings(given={"workbench": True, "issuers": [PUBLIC.model_dump()]}, environ={})


def test_every_rule_has_its_page(engine: CheckedEngine) -> None:
    with client_of(engine) as client:
        listed = client.get("/rules").text
        for rule in load().rules:
            title = str(escape(rule.title))
            assert f'<a href="/rules/{rule.id}">{title}</a></td><td>{rule.id}</td>' in listed
        assert "<td>trough-low</td><td>A, C, D</td><td>29</td><td>26 of 26</td><td>draft</td>" in listed
        assert "<td>bleeding-with-low-platelets</td><td>A, recalled</td>" in listed
        groups = re.findall(r'scope="rowgroup">(\w+)<', listed)
        assert groups == list(SUBJECTS), "by subject"
        page = client.get("/rules/trough-low").text
        assert re.search(r"(\d+) small changes were made to this rule; its cases detect \1\.", page)
        assert "trough below 5 ng/mL" in page and "Feng Y, Meng H" in page and "<table>" in page
        assert client.get("/rules/no-such-rule").status_code == 404


def test_a_fault_says_nothing_of_what_was_put_in(
    engine: CheckedEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise KeyError("the patient's name")

    monkeypatch.setattr("cds.workbench.view.advise", fail)
    status, text = posted(engine, chart=BUNDLE)
    assert status == 500 and "the patient" not in text and "the patient" not in caplog.text


@pytest.mark.slow
def test_the_start_page_has_ten_stories_with_their_worst_card(engine: CheckedEngine) -> None:
    with client_of(engine) as client:
        page = client.get("/").text
        tiles = re.findall(r'<li class="(\w*)">\n<a href="(/\?example=[^"]+)">([^<]+)</a>', page)
        assert len(tiles) == 10 and {each[0] for each in tiles} == {"critical", "warning", "info"}
        assert "Strong inducer with sirolimus: rifampin; the label says to avoid the combination" in page
        assert page.count("<polyline") == 10
        for _, address, _ in tiles:
            assert '<h2 id="cards">' in client.get(unescape(address)).text


def test_examples_are_found_by_words(engine: CheckedEngine) -> None:
    with client_of(engine) as client:
        found = client.get("/", params={"example": "RIFAMPIN goes"}).text
        assert re.search(r"<h3>\d+ of \d+ days contain these words</h3>", found)
        assert "/?example=rifampin+%7C+day+31%2C+patient-view" in found
        nothing = client.get("/", params={"example": "unicorn"}).text
        assert 'role="alert">no example contains these words' in nothing and 'value="unicorn"' in nothing


def test_the_patient_is_seen_at_a_glance(engine: CheckedEngine) -> None:
    with client_of(engine) as client:
        text = client.get("/", params={"example": EXAMPLE}).text
        words = _strip_of(text)
        assert "Patient 33 years, female" in words and "Dose 2 mg/day Day of the course 15" in words
        assert "Newest level 3.9 ng/mL low on 2024-01-22 07:40" in words
        assert "Newest platelet count 16 x 10^9/L on 2024-01-15" in words
        nobody = client.post("/", content=urlencode({"chart": EMPTY}), headers=FORM).text
        assert _strip_of(nobody).count("not known") >= 4


def test_a_moved_dose_is_shown_beside_the_dose_that_is_taken(engine: CheckedEngine) -> None:
    moved = {"set-dose": "4", "was-dose": "2"}
    _, text = posted(engine, chart=BUNDLE, hook="patient-view", at="2024-01-23T20:00:00Z", **moved)
    assert "Dose 2 mg/day, 4 mg/day ordered Day of the course 15" in _strip_of(text)


@pytest.mark.parametrize(
    ("example", "words"),
    [
        ("offer-for-a-small-child | day 0, order-select", "Dose 2 mg/day ordered Day"),
        ("very-high-level | day 60, patient-view", "Dose held Day"),
    ],
)
def test_a_dose_that_is_not_taken_is_not_shown_as_if_it_were(engine: CheckedEngine, example: str, words: str) -> None:
    with client_of(engine) as client:
        assert words in _strip_of(client.get("/", params={"example": example}).text)


def _strip_of(text: str) -> str:
    """The words of the patient's strip on a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", text.partition('<dl id="strip"')[2].partition("</dl>")[0]).split())


def test_a_level_that_is_no_trough_is_on_no_side_of_the_target(engine: CheckedEngine) -> None:
    chart = (ROOT / "fhir_examples" / "level-two-hours-after-dose" / "bundle.json").read_text(encoding="utf-8")
    with client_of(engine) as client:
        text = client.post("/", content=urlencode({"chart": chart}), headers=FORM).text
        assert re.search(r"Newest level \d[^A-Z]* ng/mL not usable on \S+ \S+ Newest platelet", _strip_of(text))


def test_cards_have_an_icon(engine: CheckedEngine) -> None:
    with client_of(engine) as client:
        answer = client.get("/icon.png")
        assert answer.headers["content-type"] == "image/png"
        image = Image.open(BytesIO(answer.content))
        assert image.size == (100, 100) and image.info.get("transparency") is None
