"""The workbench as its users have it: in a browser, at the width of an EHR's side bar and on a large screen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import HOSTILE, needs_browser
from tests.conftest import ROOT
from tests.hooks.process import Running
from tests.workbench.acts import EXAMPLE, focused, heads, look_at, slide

BUNDLE = (ROOT / "fhir_examples" / "course-1-titration" / "bundle.json").read_text(encoding="utf-8")
at_both_widths = pytest.mark.parametrize("page", [400, 1600], indirect=True)
pytestmark = [pytest.mark.slow, needs_browser, pytest.mark.untraced]


@at_both_widths
def test_an_example_is_looked_at(page: Page) -> None:
    look_at(page)
    assert heads(page) == ["WARNING Sirolimus trough 3.9 ng/mL on 2024-01-22 07:40 is below the target of 5-15 ng/mL"]
    assert page.query_selector("svg title") is not None
    page.click("nav >> text=Why not")
    assert page.inner_text("details.rule[open] summary") == "trough-low: fires"
    assert not page.locator("article").is_visible()
    page.click("nav >> text=Cards")
    assert page.locator("article").is_visible() and not page.locator("details.rule[open]").is_visible()


@pytest.mark.parametrize("page", [1366], indirect=True)
def test_the_first_screen_holds_the_worst_card_the_patient_and_the_picture(page: Page) -> None:
    page.set_viewport_size({"width": 1366, "height": 768})
    look_at(page)
    bottom = {each: _box(page, each)["y"] + _box(page, each)["height"] for each in ("#strip", "article.card")}
    assert max(bottom.values()) <= 768
    assert _box(page, "#picture")["y"] < 500 and _box(page, "#picture")["x"] > _box(page, "article.card")["x"]


@pytest.mark.parametrize("page", [400], indirect=True)
def test_on_a_narrow_screen_cards_come_before_the_course(page: Page) -> None:
    look_at(page)
    assert _box(page, "#strip")["y"] < _box(page, "article.card")["y"] < _box(page, "#picture")["y"]


def _box(page: Page, selector: str) -> dict[str, float]:
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return {name: float(value) for name, value in box.items()}


@at_both_widths
def test_rules_are_filtered_by_words(page: Page) -> None:
    page.goto(page.url.rstrip("/") + "/rules")
    page.fill("#filter", "trough ABOVE")
    shown = [each.inner_text() for each in page.query_selector_all("tr.of") if each.is_visible()]
    assert len(shown) == 1 and "trough-high" in shown[0]
    assert [each.inner_text().lower() for each in page.query_selector_all("tr.subject") if each.is_visible()] == [
        "trough"
    ]
    page.fill("#filter", "")
    assert len([each for each in page.query_selector_all("tr.of") if each.is_visible()]) > 60


@at_both_widths
def test_a_suggestion_is_pressed_and_the_order_is_judged_at_signing(page: Page) -> None:
    look_at(page)
    page.click("button:has-text('Change the order to 3 mg/day')")
    page.wait_for_selector("text=Pressed: Change the order to 3 mg/day.")
    note = page.inner_text("#note")
    assert (
        heads(page) == []
        and "on order-sign" in note
        and "The cards of the opened chart are on the previous page" in note
    )
    proposed = page.locator("svg title", has_text="Sirolimus 3 mg/day ordered, from 2024-01-23")
    assert proposed.count() == 2  # in the large picture and in the small one
    page.click("nav >> text=To copy")
    page.click("text=What was judged")
    sent = json.loads(page.input_value("#asked"))
    (draft,) = [each["resource"] for each in sent["entry"] if each["resource"].get("status") == "draft"]
    assert draft["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] == 3
    page.click("text=Back to the original chart")
    page.wait_for_selector("article >> text=below the target of 5-15 ng/mL")


@at_both_widths
def test_a_moving_slider_moves_cards_and_conditions_on_the_page_that_stands(page: Page) -> None:
    look_at(page)
    page.click("nav >> text=Why not")
    page.click("#rule-trough-high > summary")
    condition = page.locator("#rule-trough-high li", has_text="trough above 15 ng/mL")
    expect(condition).to_have_text("no: trough above 15 ng/mL (it is 3.9 ng/mL)")
    page.evaluate("window.stayed = true")
    slide(page, "level", 17)
    expect(page.locator("#note")).to_contain_text("Changed: level to 17.")
    expect(condition).to_be_visible()
    assert any("17 ng/mL" in head and "above the target" in head for head in heads(page))
    expect(condition).to_have_text("yes: trough above 15 ng/mL (it is 17 ng/mL)")  # and what was opened is open still
    slide(page, "dose", 4)
    expect(page.locator("#note")).to_contain_text("Changed: dose to 4, level to 17.")
    page.locator("#set-level").fill("7")
    expect(page.locator("#note")).to_contain_text("Changed: dose to 4, level to 7.")
    page.click("text=Reset")
    expect(page.locator("#note")).not_to_contain_text("Changed:")
    page.click("nav >> text=Cards")
    assert heads(page) == ["WARNING Sirolimus trough 3.9 ng/mL on 2024-01-22 07:40 is below the target of 5-15 ng/mL"]
    assert page.evaluate("window.stayed") is True


def test_what_is_pressed_is_a_suggestion_for_the_value_that_was_moved(page: Page) -> None:
    look_at(page)
    slide(page, "level", 4.4)
    expect(page.locator("#note")).to_contain_text("Changed: level to 4.4.")
    page.locator("#press button:has-text('Change the order')").click()
    page.wait_for_selector("text=Pressed: Change the order")
    page.click("nav >> text=To copy")
    page.click("text=What was judged")
    assert '"value": 4.4' in page.input_value("#asked")


@at_both_widths
def test_on_paper_cards_have_their_working_and_their_notice(page: Page) -> None:
    look_at(page)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    for words in (
        "Off label; no substitute for clinical judgement",
        "The protocol's target is not validated for ITP",
        "Draft: not clinically signed off",
    ):
        expect(page.get_by_text(words).first).to_be_visible()
    for gone in ("#bench", "nav", "#lit", "#copies"):
        expect(page.locator(f"{gone}:visible")).to_have_count(0)
    page.emulate_media(media="screen")


def test_without_a_script_a_value_is_moved_all_the_same(browser: Browser, running: Running) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(running.base)
    look_at(page)
    assert page.locator("[type=range]:visible").count() == 0  # which would do nothing
    page.fill("#set-level", "17")
    page.click("text=Judge with these values")
    page.wait_for_selector("text=Changed: level to 17.")
    assert any("above the target" in head for head in heads(page))
    page.fill("#set-count", "9")
    page.click("text=Judge with these values")
    page.wait_for_selector("text=Changed: level to 17, count to 9.")
    page.click("text=Reset")
    page.wait_for_selector("article >> text=below the target of 5-15 ng/mL")
    assert page.input_value("#set-level") == "3.9"
    page.fill("#set-level", "much")
    page.click("text=Judge with these values")
    assert page.inner_text("[role=alert]") == "a changed value is not a number: the level"
    assert '"resourceType":"Bundle"' in page.input_value("#chart")  # what was put in is not lost
    context.close()


def test_a_file_that_is_dropped_is_judged(page: Page) -> None:
    page.evaluate(
        """(text) => {
        const data = new DataTransfer();
        data.items.add(new File([text], 'bundle.json', {type: 'application/json'}));
        document.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
    }""",
        BUNDLE,
    )
    page.wait_for_selector("#strip")
    assert any("Sirolimus trough 3.9 ng/mL" in head for head in heads(page))


def tab_to(page: Page, where: str, key: str = "Tab") -> None:
    """Press a key until it is reached; what has the focus can be seen to have it."""
    for _ in range(40):
        page.keyboard.press(key)
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", focused(page)
        if focused(page) == where:
            return
    raise AssertionError(f"{key} never comes to {where}")


@at_both_widths
def test_all_of_it_goes_by_the_keyboard(page: Page) -> None:
    tab_to(page, "example")
    page.keyboard.type(EXAMPLE)
    tab_to(page, "Open")
    page.keyboard.press("Enter")
    page.wait_for_selector("#strip")
    tab_to(page, "Working and sources")
    page.keyboard.press("Enter")
    expect(page.locator("#working-0")).to_have_attribute("open", "")
    tab_to(page, "picture")
    tab_to(page, "set-level")
    page.keyboard.type("4,2")
    expect(page.locator("#note")).to_contain_text("Changed: level to 4.2.")
    assert focused(page) == "set-level"  # the page that stands still keeps the place
    tab_to(page, "Newest platelet count, x 10^9/L: slider")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#note")).to_contain_text("Changed: level to 4.2, count to 17.")
    expect(page.locator("#working-0")).to_have_attribute("open", "")  # what was opened stays so
    tab_to(page, "Change the order to 3 mg/day", "Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Pressed: Change the order to 3 mg/day.")


def test_what_an_integrator_copies(page: Page) -> None:
    look_at(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("nav >> text=To copy")
    page.click("text=As a CDS Hooks request")
    page.click("[data-copy=request]")
    expect(page.locator("[data-copy=request]")).to_have_text("Copied")
    copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert copied["hook"] == "patient-view" and copied["prefetch"]["patient"]["id"] == copied["context"]["patientId"]


@at_both_widths
def test_hostile_text_is_text(page: Page) -> None:
    bundle: dict[str, Any] = json.loads(BUNDLE)
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Observation":
            entry["resource"]["id"] = HOSTILE + "x" * 10_000
    bundle["entry"][0]["resource"]["name"] = [{"text": "</textarea>" + HOSTILE}]
    page.fill("#chart", json.dumps(bundle))
    page.click("#drop button")
    page.wait_for_selector("#strip")
    slide(page, "age", 40)
    expect(page.locator("#note")).to_contain_text("Changed: age to 40.")
    assert page.title() == "Sirolimus in ITP: workbench" and page.query_selector("img") is None
    assert page.evaluate("document.scripts.length") == 1
    page.click("nav >> text=To copy")
    page.click("text=What was judged")
    assert "</textarea>" + HOSTILE in json.dumps(json.loads(page.input_value("#asked")), ensure_ascii=False).replace(
        '\\"', '"'
    )


@at_both_widths
def test_a_wrong_chart_is_said_and_the_rules_are_read(page: Page) -> None:
    page.fill("#chart", "no chart")
    page.click("#drop button")
    assert page.inner_text("[role=alert]") == "this is not JSON"
    page.click("nav >> text=Rules")
    page.click("a[href='/rules/trough-low-in-response']")
    page.wait_for_selector("#mutants")
    assert "Speaks on patient-view" in page.inner_text("article")
