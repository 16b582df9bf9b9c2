"""What a user does on a page of the workbench, and sees there."""

from __future__ import annotations

from playwright.sync_api import Page

EXAMPLE = "one-course | day 15, patient-view"


def look_at(page: Page, example: str = EXAMPLE) -> None:
    page.fill("#example", example)
    # once it is there a field is what was judged, whatever was typed while it came
    with page.expect_navigation(wait_until="load"):
        page.click("button:has-text('Open')")
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


def focused(page: Page) -> str:
    """Where the keyboard is, by id or by the words on it."""
    return str(
        page.evaluate(
            "document.activeElement.id || document.activeElement.ariaLabel || document.activeElement.textContent.trim()"
        )
    )
