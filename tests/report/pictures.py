"""The pictures of README, and what the workbench looks like: ``make pictures``. The patient is the one of rules/scenarios/trough/one-course.yaml."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import sync_playwright

from cds import __version__
from cds.advise import Advice, advise
from cds.authoring.scenarios import body_of, scenario_in
from cds.chart.request import read_request
from cds.engine import CheckedEngine
from cds.knowledge.load import load
from cds.report.page import report
from cds.timeline.picture import picture
from cds.timeline.rows import timeline
from tests.browser import LOOKS, coarse
from tests.conftest import ROOT, RULES
from tests.hooks.process import started
from tests.workbench.looks import FONTS, fonts, looks

FOLDER = ROOT / "docs" / "pictures"


def judged(day: str) -> Advice:
    """A day of the scenario, judged."""
    engine = CheckedEngine(load())
    scenario = scenario_in(RULES / "scenarios" / "trough" / "one-course.yaml")
    check = next(each for each in scenario.checks if each.shape.day == day)
    body, now = body_of(check, engine.knowledge)
    return advise(read_request(body), engine, now)


def main() -> None:
    """Write the timeline of the whole course, and the card of its first level as a browser shows it."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "timeline.svg").write_bytes(picture(timeline(judged("165")), "svg"))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder) / "report.html"
        page_file.write_text(report(judged("15"), __version__), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 900, "height": 900})
        page.goto(page_file.as_uri())
        page.locator("article.card").first.screenshot(path=FOLDER / "card.png")
        with started() as service:
            page.set_viewport_size({"width": 1366, "height": 768})
            page.goto(f"{service.base}/?{urlencode({'example': 'one-course | day 15, patient-view'})}")
            page.screenshot(path=FOLDER / "workbench.png")
            LOOKS.mkdir(exist_ok=True)
            FONTS.write_text(fonts(browser), encoding="utf-8")
            for name, picture_of in looks(browser, service.base):
                coarse(picture_of).save(LOOKS / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
