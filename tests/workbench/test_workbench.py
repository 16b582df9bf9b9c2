"""The workbench and the rules' pages: over HTTP, and in a real browser against a service that was started by its command."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from markupsafe import escape
from playwright.sync_api import Browser, Page, sync_playwright

from cds.engine import Engine
from cds.hooks.settings import Issuer, Settings, WrongSettings, read_settings
from cds.knowledge.load import load
from tests.conftest import ROOT
from tests.hooks.doors import client_of
from tests.hooks.process import Running, started
from tests.report.test_report import CHROMIUM, HOSTILE, needs_browser

EXAMPLE = "one-course | day 15, patient-view"
BUNDLE = (ROOT / "fhir_examples" / "course-1-titration" / "bundle.json").read_text(encoding="utf-8")
FORM = {"content-type": "application/x-www-form-urlencoded"}
PUBLIC = Issuer(
    iss="https://ehr.example", jwks_url="https://ehr.example/keys", audiences=["https://cds.example/cds-services"]
)


def posted(
    engine: Engine, settings: Settings | None = None, headers: dict[str, str] = FORM, **fields: str
) -> tuple[int, str]:
    with client_of(engine, settings) as client:
        answer = client.post("/", content=urlencode(fields), headers=headers)
        return answer.status_code, answer.text


def test_a_page_lets_nothing_in_and_is_not_kept(engine: Engine) -> None:
    with client_of(engine) as client:
        for path in ("/", f"/?{urlencode({'example': EXAMPLE})}", "/rules", "/rules/trough-low"):
            answer = client.get(path)
            policy = answer.headers["content-security-policy"]
            assert answer.status_code == 200 and "default-src 'none'" in policy and "unsafe" not in policy
            assert answer.headers["cache-control"] == "no-store" and "<script>" not in answer.text
        assert client.get("/workbench.js").headers["content-type"].startswith("text/javascript")


def test_a_chart_is_judged_with_its_cards_rules_and_answer(engine: Engine) -> None:
    status, text = posted(engine, chart=BUNDLE, hook="patient-view", at="2024-01-23T20:00:00Z")
    assert status == 200
    assert "Sirolimus trough 3.9 ng/mL on 2024-01-22 07:40 is below the target" in text
    assert "trough-low: speaks" in text and "yes: trough &lt; 5 ng/mL" in text and "trough-high: silent" in text
    assert "&#34;cards&#34;: [" in text or "&quot;cards&quot;: [" in text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"chart": "not JSON"}, "this is not JSON"),
        ({"chart": "[]"}, "this is neither a FHIR Bundle nor a CDS Hooks request"),
        ({"chart": '{"resourceType": "Bundle", "type": "collection"}'}, "the bundle holds no Patient"),
        ({"chart": BUNDLE, "press": "7.0"}, "there is no such suggestion on this chart any more"),
        ({"chart": BUNDLE, "press": "0."}, "there is no such suggestion on this chart any more"),
        ({"chart": BUNDLE, "at": "2024-05-01 20:00"}, "the time to judge at is not an ISO 8601 date or time"),
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
def test_what_cannot_be_judged_is_said_on_the_page(engine: Engine, fields: dict[str, str], said: str) -> None:
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
def test_a_value_that_cannot_be_is_refused(engine: Engine, name: str, value: str) -> None:
    assert posted(engine, chart=BUNDLE, **{f"set-{name}": value, f"was-{name}": "1"})[0] == 400


def test_that_a_patient_has_died_is_said(engine: Engine) -> None:
    bundle = json.loads(BUNDLE)
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            entry["resource"]["deceasedDateTime"] = "2024-01-20"
    said = "Sirolimus was not judged: the record says that this patient has died."
    assert said in posted(engine, chart=json.dumps(bundle))[1]


def test_that_sirolimus_was_not_judged_is_said(engine: Engine) -> None:
    chart = (ROOT / "fhir_examples" / "no-sirolimus" / "bundle.json").read_text(encoding="utf-8")
    assert "Sirolimus was not judged: sirolimus is neither taken nor ordered." in posted(engine, chart=chart)[1]


def test_what_could_not_be_judged_is_said(engine: Engine) -> None:
    text = posted(engine, chart=(ROOT / "fhir_examples" / "two-active-orders" / "bundle.json").read_text())[1]
    assert "What could not be judged" in text and "Two active orders" in text


def test_bounds_hold_for_forms_too(engine: Engine) -> None:
    assert posted(engine, headers={"content-type": "application/json"}, chart=BUNDLE)[0] == 415
    assert posted(engine, Settings(max_body=1024), chart="x" * 4000)[0] == 413


def test_it_is_off_where_others_can_call_and_when_it_is_set_off(engine: Engine) -> None:
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
    with pytest.raises(WrongSettings, match="the workbench asks nobody who calls"):
        read_settings(given={"workbench": True, "issuers": [PUBLIC.model_dump()]}, environ={})


def test_every_rule_has_its_page(engine: Engine) -> None:
    with client_of(engine) as client:
        listed = client.get("/rules").text
        for rule in load().rules:
            assert f'<a href="/rules/{rule.id}">{rule.id}</a>' in listed and str(escape(rule.title)) in listed
        page = client.get("/rules/trough-low").text
        assert re.search(r"(\d+) small changes of this rule were made; its cases notice \1\.", page)
        assert "trough below 5 ng/mL" in page and "Feng Y, Meng H" in page and "<table>" in page
        assert client.get("/rules/no-such-rule").status_code == 404


def test_a_fault_says_nothing_of_what_was_put_in(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise KeyError("the patient's name")

    monkeypatch.setattr("cds.workbench.pages.advise", fail)
    status, text = posted(engine, chart=BUNDLE)
    assert status == 500 and "the patient" not in text and "the patient" not in caplog.text


# --- in a browser ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with started() as service:
        yield service


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        begun = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield begun
        begun.close()


@pytest.fixture(params=[400, 1600])
def page(browser: Browser, running: Running, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The workbench, open; at its end nothing may have gone wrong on the console, nor asked any other machine."""
    context = browser.new_context(viewport={"width": request.param, "height": 900})
    wrong: list[str] = []
    opened = context.new_page()
    opened.on("console", lambda message: wrong.append(message.text))
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("request", lambda asked: wrong.append(asked.url) if not asked.url.startswith(running.base) else None)
    opened.goto(running.base)
    yield opened
    assert wrong == []
    assert opened.evaluate("document.documentElement.scrollWidth") <= request.param
    assert [(each["id"], each["nodes"][0]["html"]) for each in Axe().run(opened).response["violations"]] == []
    if folder := os.environ.get("TESTS_SCREENSHOTS"):
        opened.screenshot(path=Path(folder) / f"{request.node.name.replace('/', '-')}.png", full_page=True)
    context.close()


def look_at(page: Page, example: str = EXAMPLE) -> None:
    page.select_option("#example", example)
    page.click("text=Look at it")
    page.wait_for_selector("#rules")


def heads(page: Page) -> list[str]:
    return [each.inner_text() for each in page.query_selector_all("article h3")]


@needs_browser
def test_an_example_is_looked_at(page: Page) -> None:
    look_at(page)
    assert heads(page) == ["WARNING Sirolimus trough 3.9 ng/mL on 2024-01-22 07:40 is below the target of 5-15 ng/mL"]
    assert page.query_selector("svg title") is not None
    assert page.inner_text("details.rule[open] summary") == "trough-low: speaks"


@needs_browser
def test_a_suggestion_is_pressed_and_the_order_is_judged_at_signing(page: Page) -> None:
    look_at(page)
    page.click("button:has-text('Change the order to 3 mg/day')")
    page.wait_for_selector("text=Pressed: Change the order to 3 mg/day.")
    note = page.inner_text(".note")
    assert heads(page) == [] and "on order-sign" in note and "cards of an opened chart are not judged here" in note
    page.click("text=What was judged")
    sent = json.loads(page.input_value("#asked"))
    (draft,) = [each["resource"] for each in sent["entry"] if each["resource"].get("status") == "draft"]
    assert draft["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] == 3


@needs_browser
def test_a_slider_that_is_let_go_moves_the_cards(page: Page) -> None:
    look_at(page)
    page.evaluate("""() => {
        const slider = document.querySelector('[data-for=set-level]');
        slider.value = 17; slider.dispatchEvent(new Event('input')); slider.dispatchEvent(new Event('change'));
    }""")
    page.wait_for_selector("text=Moved: level to 17.")
    assert any("17 ng/mL" in head and "above the target" in head for head in heads(page))
    page.fill("#set-level", "7")
    page.click("text=Judge it so")
    page.wait_for_selector("text=Moved: level to 7.")
    assert heads(page) == []


@needs_browser
def test_a_file_that_is_dropped_is_judged(page: Page) -> None:
    page.evaluate(
        """(text) => {
        const data = new DataTransfer();
        data.items.add(new File([text], 'bundle.json', {type: 'application/json'}));
        document.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
    }""",
        BUNDLE,
    )
    page.wait_for_selector("#rules")
    assert any("Sirolimus trough 3.9 ng/mL" in head for head in heads(page))


@needs_browser
def test_hostile_text_is_text(page: Page) -> None:
    bundle = json.loads(BUNDLE)
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Observation":
            entry["resource"]["id"] = HOSTILE + "x" * 10_000
    page.fill("#chart", json.dumps(bundle))
    page.click("text=Judge it")
    page.wait_for_selector("#rules")
    assert page.title() == "Sirolimus in ITP: workbench" and page.query_selector("img") is None
    assert page.evaluate("document.scripts.length") == 1


@needs_browser
def test_a_wrong_chart_is_said_and_the_rules_are_read(page: Page) -> None:
    page.fill("#chart", "no chart")
    page.click("text=Judge it")
    assert page.inner_text("[role=alert]") == "this is not JSON"
    page.click("nav >> text=Rules")
    page.click("text=trough-low-in-response")
    page.wait_for_selector("#mutants")
    assert "Speaks on patient-view" in page.inner_text("article")
