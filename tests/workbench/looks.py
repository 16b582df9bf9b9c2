"""Which pages are looked at, and how they looked: ``make pictures`` takes new looks, for whoever compares them by eye."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser

from tests.browser import LOOKS

EXAMPLE = urlencode({"example": "one-course | day 165, patient-view"})
PAGES = {"start": "/", "judged": f"/?{EXAMPLE}", "rules": "/rules", "rule": "/rules/trough-low"}
WIDTHS = (400, 1600)
SCHEMES: tuple[Any, ...] = ("light", "dark")
FONTS = LOOKS / "fonts.txt"
HEIGHT = 1600


def looks(browser: Browser, base: str) -> Iterator[tuple[str, bytes]]:
    """Each page at each width in each scheme, by name, as a screenshot of its upper part."""
    for scheme in SCHEMES:
        for width in WIDTHS:
            context = browser.new_context(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
            page = context.new_page()
            for name, path in PAGES.items():
                page.goto(base + path)
                yield f"{name}-{width}-{scheme}", page.screenshot()
            context.close()


def fonts(browser: Browser) -> str:
    """How wide words are here. With other fonts every line stands elsewhere, and looks cannot be compared."""
    page = browser.new_page()
    page.set_content("<span style='font: 100px system-ui, sans-serif'>Sirolimus trough</span><svg><text font-size='100' "
                     "font-family='sans-serif'>Platelets</text></svg>")  # fmt: skip
    width = "Math.round(document.querySelector('{}').getBoundingClientRect().width)"
    found = f"{page.evaluate(width.format('span'))} {page.evaluate(width.format('text'))}"
    page.close()
    return found
