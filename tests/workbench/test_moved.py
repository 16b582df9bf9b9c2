"""Values that are moved in the browser: what stands on the page is of them, or says that it is not."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import needs_browser
from tests.hooks.process import Running
from tests.workbench.acts import focused, heads, look_at, slide

at_both_widths = pytest.mark.parametrize("page", [400, 1600], indirect=True)
pytestmark = [pytest.mark.slow, needs_browser, pytest.mark.untraced]


def test_a_value_that_cannot_be_leaves_nothing_that_could_be_taken_for_its_cards(page: Page) -> None:
    look_at(page)
    page.locator("#set-level").fill("-3")
    expect(page.locator("#note")).to_have_text(
        "It could not be judged: a changed value is out of range: the level. What is shown below is for other values."
    )
    assert page.evaluate(
        "[...document.querySelectorAll('.live')].every(part => part.id === 'note' || part.classList.contains('stale'))"
    )
    assert page.evaluate("document.getElementById('press').inert") is True
    page.locator("#set-level").fill("7")
    expect(page.locator("#note")).to_contain_text("Changed: level to 7.")
    assert page.locator(".stale").count() == 0 and heads(page) == []


def test_when_the_service_is_gone_it_is_said(browser: Browser, running: Running) -> None:
    page = browser.new_page()
    page.goto(running.base)
    look_at(page)
    page.route("**/*", lambda route: route.abort())
    slide(page, "level", 17)
    expect(page.locator("#note")).to_have_text(
        "It could not be judged: the service does not answer. What is shown below is for other values."
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
    expect(page.locator("#note")).to_contain_text("Changed: level to 4.4.")
    assert page.locator(".stale").count() == 0 and "4.4 ng/mL" in heads(page)[0]
    page.close()


def test_of_another_day_the_other_values_are_that_days(page: Page) -> None:
    look_at(page, "one-course | day 165, patient-view")
    assert page.input_value("#set-level") == "7.2"
    slide(page, "days", 16)
    expect(page.locator("#note")).to_contain_text("Changed: days to 16.")
    assert page.input_value("#set-level") == "3.9" and page.input_value("#set-count") == "16"
    slide(page, "level", 30)
    expect(page.locator("#note")).to_contain_text(
        "Changed: level to 30, days to 16. The level and the count are the newest of that day."
    )
    assert any("30 ng/mL" in head and "CRITICAL" in head for head in heads(page))
    page.click("text=Reset")
    expect(page.locator("#note")).to_contain_text("Judged as of 2024-06-21")
    assert page.input_value("#set-level") == "7.2" and page.input_value("#set-days") == "165"


def test_a_field_that_has_the_focus_is_of_the_new_day_too(page: Page) -> None:
    look_at(page, "one-course | day 165, patient-view")
    page.locator("#set-days").fill("20")
    page.locator("#set-level").focus()
    expect(page.locator("#note")).to_contain_text("Changed: days to 20.")
    assert page.input_value("#set-level") == "3.9" and focused(page) == "set-level"
    slide(page, "dose", 4)
    expect(page.locator("#note")).to_contain_text("Changed: dose to 4, days to 20.")
    page.locator("#set-days").fill("2")
    expect(page.locator("#note")).to_contain_text("days to 2.")
    assert page.locator("#row-level").count() == 0  # that day has none


def test_an_empty_field_leaves_nothing_that_could_be_taken_for_its_cards(page: Page) -> None:
    look_at(page)
    page.locator("#set-level").fill("")
    expect(page.locator("#note")).to_contain_text("A field has no value.")
    assert page.locator("#press.stale").count() == 1
    page.locator("#set-level").fill("6,5")  # as people write it in most of the world
    expect(page.locator("#note")).to_contain_text("Changed: level to 6.5.")
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
    expect(page.locator("#note")).to_contain_text("Changed: level to 17.")
    expect(page.locator("#note")).to_be_in_viewport()


def test_fields_that_the_browser_brings_back_are_not_taken_for_what_is_judged(page: Page) -> None:
    look_at(page)
    slide(page, "level", 17)
    expect(page.locator("#note")).to_contain_text("Changed: level to 17.")
    for come_back in (page.reload, lambda: (page.goto("about:blank"), page.go_back())):
        come_back()
        page.wait_for_selector("#strip")
        expect(page.locator("#set-level")).to_have_value("3.9")
        assert page.evaluate("document.querySelector('[data-for=set-level]').value") == "3.9"
        assert "3.9 ng/mL" in heads(page)[0]
        slide(page, "level", 17)
        expect(page.locator("#note")).to_contain_text("Changed: level to 17.")
