"""The workbench as its users have it: in a browser, at the width of an EHR's side bar and on a large screen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import HOSTILE, needs_browser
from tests.conftest import ROOT
from tests.hooks.process import Running

EXAMPLE = "one-course | day 15, patient-view"
BUNDLE = (ROOT / "fhir_examples" / "course-1-titration" / "bundle.json").read_text(encoding="utf-8")
at_both_widths = pytest.mark.parametrize("page", [400, 1600], indirect=True)
pytestmark = [pytest.mark.slow, needs_browser, pytest.mark.untraced]


def look_at(page: Page, example: str = EXAMPLE) -> None:
    page.fill("#example", example)
    # once it is there a field is what was judged, whatever was typed while it came
    with page.expect_navigation(wait_until="load"):
        page.click("text=Look at it")
    page.wait_for_selector("#strip")


def heads(page: Page) -> list[str]:
    return [each.inner_text() for each in page.query_selector_all("article h3")]


def slide(page: Page, name: str, value: float) -> None:
    """What a hand on the slider does: it moves, and is not yet let go."""
    page.evaluate(
        """([name, value]) => {
        const slider = document.querySelector(`[data-for=set-${name}]`);
        slider.value = value; slider.dispatchEvent(new Event('input', {bubbles: true}));
    }""",
        [name, value],
    )


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
        heads(page) == [] and "on order-sign" in note and "The cards of the opened chart are on the page before" in note
    )
    proposed = page.locator("svg title", has_text="Sirolimus 3 mg/day ordered, from 2024-01-23")
    assert proposed.count() == 2  # in the large picture and in the small one
    page.click("nav >> text=To copy")
    page.click("text=What was judged")
    sent = json.loads(page.input_value("#asked"))
    (draft,) = [each["resource"] for each in sent["entry"] if each["resource"].get("status") == "draft"]
    assert draft["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] == 3
    page.click("text=Back to the chart as it was")
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
    expect(page.locator("#note")).to_contain_text("Moved: level to 17.")
    expect(condition).to_be_visible()
    assert any("17 ng/mL" in head and "above the target" in head for head in heads(page))
    expect(condition).to_have_text("yes: trough above 15 ng/mL (it is 17 ng/mL)")  # and what was opened is open still
    slide(page, "dose", 4)
    expect(page.locator("#note")).to_contain_text("Moved: dose to 4, level to 17.")
    page.locator("#set-level").fill("7")
    expect(page.locator("#note")).to_contain_text("Moved: dose to 4, level to 7.")
    page.click("text=As it was")
    expect(page.locator("#note")).not_to_contain_text("Moved")
    page.click("nav >> text=Cards")
    assert heads(page) == ["WARNING Sirolimus trough 3.9 ng/mL on 2024-01-22 07:40 is below the target of 5-15 ng/mL"]
    assert page.evaluate("window.stayed") is True


def test_what_is_pressed_is_a_suggestion_for_the_value_that_was_moved(page: Page) -> None:
    look_at(page)
    slide(page, "level", 4.4)
    expect(page.locator("#note")).to_contain_text("Moved: level to 4.4.")
    page.locator("#press button:has-text('Change the order')").click()
    page.wait_for_selector("text=Pressed: Change the order")
    page.click("nav >> text=To copy")
    page.click("text=What was judged")
    assert '"value": 4.4' in page.input_value("#asked")


def test_a_value_that_cannot_be_leaves_nothing_that_could_be_taken_for_its_cards(page: Page) -> None:
    look_at(page)
    page.locator("#set-level").fill("-3")
    expect(page.locator("#note")).to_have_text(
        "It could not be judged: a value that was moved is out of range: the level. What stands below is of other values."
    )
    assert page.evaluate(
        "[...document.querySelectorAll('.live')].every(part => part.id === 'note' || part.classList.contains('stale'))"
    )
    assert page.evaluate("document.getElementById('press').inert") is True
    page.locator("#set-level").fill("7")
    expect(page.locator("#note")).to_contain_text("Moved: level to 7.")
    assert page.locator(".stale").count() == 0 and heads(page) == []


def test_when_the_service_is_gone_it_is_said(browser: Browser, running: Running) -> None:
    page = browser.new_page()
    page.goto(running.base)
    look_at(page)
    page.route("**/*", lambda route: route.abort())
    slide(page, "level", 17)
    expect(page.locator("#note")).to_have_text(
        "It could not be judged: the service does not answer. What stands below is of other values."
    )
    assert page.locator("#press.stale").count() == 1
    page.close()


def test_a_slow_answer_to_an_older_value_never_stands_for_a_newer_one(browser: Browser, running: Running) -> None:
    page = browser.new_page()
    page.goto(running.base)
    look_at(page)
    waiting: list[Any] = []
    page.route("**/*", lambda route: waiting.append(route) if route.request.method == "POST" else route.continue_())
    slide(page, "level", 30)
    page.wait_for_function("() => true")
    while not waiting:
        page.wait_for_timeout(10)
    slide(page, "level", 4.4)
    waiting[0].continue_()
    while len(waiting) < 2:  # the older one has come, and the newer one is asked for
        page.wait_for_timeout(10)
    assert page.locator("#press.stale").count() == 1 and "30 ng/mL" not in " ".join(heads(page))
    assert page.evaluate("document.getElementById('press').inert") is True
    waiting[1].continue_()
    expect(page.locator("#note")).to_contain_text("Moved: level to 4.4.")
    assert page.locator(".stale").count() == 0 and "4.4 ng/mL" in heads(page)[0]
    page.close()


def test_of_another_day_the_other_values_are_that_days(page: Page) -> None:
    look_at(page, "one-course | day 165, patient-view")
    assert page.input_value("#set-level") == "7.2"
    slide(page, "days", 16)
    expect(page.locator("#note")).to_contain_text("Moved: days to 16.")
    assert page.input_value("#set-level") == "3.9" and page.input_value("#set-count") == "16"
    slide(page, "level", 30)
    expect(page.locator("#note")).to_contain_text(
        "Moved: level to 30, days to 16. The level and the count are the newest of that day."
    )
    assert any("30 ng/mL" in head and "CRITICAL" in head for head in heads(page))
    page.click("text=As it was")
    expect(page.locator("#note")).to_contain_text("Judged as of 2024-06-21")
    assert page.input_value("#set-level") == "7.2" and page.input_value("#set-days") == "165"


def test_a_field_that_has_the_focus_is_of_the_new_day_too(page: Page) -> None:
    look_at(page, "one-course | day 165, patient-view")
    page.locator("#set-days").fill("20")
    page.locator("#set-level").focus()
    expect(page.locator("#note")).to_contain_text("Moved: days to 20.")
    assert page.input_value("#set-level") == "3.9" and focused(page) == "set-level"
    slide(page, "dose", 4)
    expect(page.locator("#note")).to_contain_text("Moved: dose to 4, days to 20.")
    page.locator("#set-days").fill("2")
    expect(page.locator("#note")).to_contain_text("days to 2.")
    assert page.locator("#row-level").count() == 0  # that day has none


def test_an_empty_field_leaves_nothing_that_could_be_taken_for_its_cards(page: Page) -> None:
    look_at(page)
    page.locator("#set-level").fill("")
    expect(page.locator("#note")).to_contain_text("There is no value in a field.")
    assert page.locator("#press.stale").count() == 1
    page.locator("#set-level").fill("6,5")  # as people write it in most of the world
    expect(page.locator("#note")).to_contain_text("Moved: level to 6.5.")
    assert page.locator(".stale").count() == 0


def test_when_the_rules_have_changed_nothing_is_pressed_or_moved(page: Page) -> None:
    look_at(page)
    page.evaluate("document.querySelectorAll('[name=knowledge]').forEach(each => { each.value = 'another'; })")
    slide(page, "level", 17)
    expect(page.locator("#note")).to_contain_text("the rules have changed since this page was made")
    assert page.locator("#press.stale").count() == 1


@at_both_widths
def test_what_is_said_is_in_sight_where_values_are_moved(page: Page) -> None:
    look_at(page)
    page.locator("#set-days").scroll_into_view_if_needed()
    page.mouse.wheel(0, 400)
    slide(page, "level", 17)
    expect(page.locator("#note")).to_contain_text("Moved: level to 17.")
    expect(page.locator("#note")).to_be_in_viewport()


@at_both_widths
def test_on_paper_cards_have_their_working_and_their_notice(page: Page) -> None:
    look_at(page)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    for words in (
        "Off label, and no substitute for judgement",
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
    page.click("text=Judge it so")
    page.wait_for_selector("text=Moved: level to 17.")
    assert any("above the target" in head for head in heads(page))
    page.fill("#set-count", "9")
    page.click("text=Judge it so")
    page.wait_for_selector("text=Moved: level to 17, count to 9.")
    page.click("text=As it was")
    page.wait_for_selector("article >> text=below the target of 5-15 ng/mL")
    assert page.input_value("#set-level") == "3.9"
    page.fill("#set-level", "much")
    page.click("text=Judge it so")
    assert page.inner_text("[role=alert]") == "a value that was moved is not a number: the level"
    assert '"resourceType":"Bundle"' in page.input_value("#chart")  # what was put in is not lost
    context.close()


def test_fields_that_the_browser_brings_back_are_not_taken_for_what_is_judged(page: Page) -> None:
    look_at(page)
    slide(page, "level", 17)
    expect(page.locator("#note")).to_contain_text("Moved: level to 17.")
    for come_back in (page.reload, lambda: (page.goto("about:blank"), page.go_back())):
        come_back()
        page.wait_for_selector("#strip")
        expect(page.locator("#set-level")).to_have_value("3.9")
        assert page.evaluate("document.querySelector('[data-for=set-level]').value") == "3.9"
        assert "3.9 ng/mL" in heads(page)[0]
        slide(page, "level", 17)
        expect(page.locator("#note")).to_contain_text("Moved: level to 17.")


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


def focused(page: Page) -> str:
    """Where the keyboard is, by id or by the words on it."""
    return str(
        page.evaluate(
            "document.activeElement.id || document.activeElement.ariaLabel || document.activeElement.textContent.trim()"
        )
    )


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
    tab_to(page, "Look at it")
    page.keyboard.press("Enter")
    page.wait_for_selector("#strip")
    tab_to(page, "The working and the sources")
    page.keyboard.press("Enter")
    expect(page.locator("#working-0")).to_have_attribute("open", "")
    tab_to(page, "picture")
    tab_to(page, "set-level")
    page.keyboard.type("4,2")
    expect(page.locator("#note")).to_contain_text("Moved: level to 4.2.")
    assert focused(page) == "set-level"  # the page that stands still keeps the place
    tab_to(page, "Newest platelet count, x 10^9/L: slider")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#note")).to_contain_text("Moved: level to 4.2, count to 17.")
    expect(page.locator("#working-0")).to_have_attribute("open", "")  # what was opened stays so
    tab_to(page, "Change the order to 3 mg/day", "Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Pressed: Change the order to 3 mg/day.")


def test_what_an_integrator_copies(page: Page) -> None:
    look_at(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("nav >> text=To copy")
    page.click("text=The same as a CDS Hooks request")
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
    page.click("text=Judge it")
    page.wait_for_selector("#strip")
    slide(page, "age", 40)
    expect(page.locator("#note")).to_contain_text("Moved: age to 40.")
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
    page.click("text=Judge it")
    assert page.inner_text("[role=alert]") == "this is not JSON"
    page.click("nav >> text=Rules")
    page.click("a[href='/rules/trough-low-in-response']")
    page.wait_for_selector("#mutants")
    assert "Speaks on patient-view" in page.inner_text("article")
