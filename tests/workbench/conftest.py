"""The service as its command starts it, and its first page in a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser import keep, watch
from tests.conftest import LONG
from tests.hooks.process import Running, started


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with started() as service:
        yield service


@pytest.fixture(params=[400, 1600] if LONG else [400])
def page(browser: Browser, running: Running, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The workbench, open; at its end nothing may have gone wrong on the console, nor asked any other machine."""
    width = request.param
    context = browser.new_context(viewport={"width": width, "height": 900})
    opened = context.new_page()
    wrong = watch(opened, running.base)
    opened.goto(running.base)
    yield opened
    assert wrong == []
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert [(each["id"], each["nodes"][0]["html"]) for each in Axe().run(opened).response["violations"]] == []
    keep(opened.screenshot(full_page=True), request.node.name.replace("/", "-"))
    context.close()
