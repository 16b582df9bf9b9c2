"""The pages still look as they did when somebody last looked: no style, picture or column is lost, at any width, in light and dark."""

from __future__ import annotations

import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.browser import LOOKS, coarse, difference, keep, needs_browser
from tests.hooks.process import Running
from tests.workbench.looks import FONTS, HEIGHT, PAGES, SCHEMES, WIDTHS, fonts, looks

pytestmark = [pytest.mark.slow, needs_browser, pytest.mark.untraced]


@pytest.fixture(scope="module")
def seen(browser: Browser, running: Running) -> dict[str, bytes]:
    if fonts(browser) != FONTS.read_text(encoding="utf-8"):
        pytest.skip("the fonts of this machine are not those of tests/looks")
    return dict(looks(browser, running.base))


@pytest.mark.parametrize("name", [f"{p}-{w}-{s}" for s in SCHEMES for w in WIDTHS for p in PAGES])
def test_a_page_looks_as_it_did(seen: dict[str, bytes], name: str) -> None:
    keep(seen[name], f"look-{name}")
    assert difference(seen[name], Image.open(LOOKS / f"{name}.png")) == "", (
        "look at it; if it is meant, 'make pictures'"
    )


@pytest.mark.parametrize(
    ("width", "spoil"),
    [
        (1600, "document.querySelector('style').remove()"),
        (400, "document.querySelector('#press').replaceChildren()"),
        (1600, "document.querySelector('.sides').style.display = 'block'"),
        (1600, "document.querySelector('main').replaceChildren()"),
        (1600, "document.body.style.background = '#888'"),
    ],
)
def test_what_is_lost_is_seen(browser: Browser, running: Running, width: int, spoil: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": HEIGHT})
    page.goto(running.base + PAGES["judged"])
    looked = coarse(page.screenshot())
    assert difference(page.screenshot(), looked) == ""
    page.evaluate(spoil)
    assert difference(page.screenshot(), looked) != ""
    page.close()
