"""``sirolimus-cds report``: the page in a real browser, the picture in its forms, and the errors of whoever calls it."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from click.testing import CliRunner, Result
from playwright.sync_api import Browser, Page

from cds.cli.main import main
from tests.browser import HOSTILE, needs_browser, watch
from tests.conftest import ROOT

EXAMPLES = ROOT / "fhir_examples"
COURSE = EXAMPLES / "course-3-six-months" / "bundle.json"
RESCUED = EXAMPLES / "rescue-before-landmark" / "bundle.json"


def report(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["report", "--at", "latest", *map(str, arguments)])


def opened(browser: Browser, file: Path, width: int = 1600, scheme: Any = "light") -> tuple[Page, list[str]]:
    """The page, and whatever went wrong in it: errors on the console, and requests to anything but the file."""
    page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
    wrong = watch(page, file.as_uri())
    page.goto(file.as_uri())
    return page, wrong


@pytest.fixture(scope="module")
def page_of_a_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("a report") / "out.html"
    made = report(COURSE, "-o", target)
    assert (made.exit_code, made.output) == (0, "")
    return target


def test_the_page_holds_no_script_and_fetches_nothing(page_of_a_course: Path) -> None:
    text = page_of_a_course.read_text(encoding="utf-8")
    assert "<script" not in text and "javascript:" not in text
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy.replace("&#39;", "'").startswith("default-src 'none'; style-src 'sha256-")
    assert not re.findall(r"(?:src|url)\s*[=(]\s*[\"']?https?:", text)


def test_it_tells_what_was_judged_by_what_and_from_what(page_of_a_course: Path) -> None:
    text = page_of_a_course.read_text(encoding="utf-8")
    assert "Complete response (CR) at the 6-month landmark" in text
    assert "by protocol <b>seed-2024</b>" in text and "are drafts, and their cards say so" in text
    assert re.search(r"knowledge [0-9a-f]{64}\.", text)
    assert "<td>landmark count</td>" in text and "Observation/plt-5" in text
    assert "there is no weight from the last 90 days" in text  # why a fact is not known


@pytest.mark.slow
@pytest.mark.untraced
@needs_browser
@pytest.mark.parametrize("width", [400, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_reads_at_any_width_and_is_accessible(
    browser: Browser, page_of_a_course: Path, width: int, scheme: str
) -> None:
    page, wrong = opened(browser, page_of_a_course, width, scheme)
    assert wrong == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for summary in page.query_selector_all("summary"):
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page)
    assert [(each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]] == []


@needs_browser
def test_a_count_of_no_use_is_hollow_and_says_why(browser: Browser, tmp_path: Path) -> None:
    report(RESCUED, "-o", tmp_path / "r.html")
    page, wrong = opened(browser, tmp_path / "r.html")
    titles = page.eval_on_selector_all(
        "svg title", "all => all.map(one => [one.textContent, one.parentNode.getAttribute('fill')])"
    )
    hollow = [text for text, fill in titles if fill == "#ffffff"]
    filled = [text for text, fill in titles if fill == "#0072b2"]
    assert any("not used: within 28 days after immunoglobulin" in text for text in hollow)
    assert any(text.startswith("Platelets 14 x 10^9/L") and "not used" not in text for text in filled)
    assert wrong == []


@pytest.mark.untraced
@needs_browser
def test_each_width_has_its_own_picture_and_paper_the_large_one(browser: Browser, page_of_a_course: Path) -> None:
    for width, media, shown in ((400, "screen", "small"), (1600, "screen", "large"), (400, "print", "large")):
        page, _ = opened(browser, page_of_a_course, width)
        page.emulate_media(media="print" if media == "print" else "screen")
        seen = page.eval_on_selector_all(
            "svg", "all => all.filter(one => one.checkVisibility()).map(one => one.classList[0])"
        )
        assert seen == [shown]
        box = page.locator(f"svg.{shown}").bounding_box()
        assert box is not None and (media == "print" or 0.85 * min(width, 900) < box["width"] < width)
    ids = page.eval_on_selector_all("svg [id]", "all => all.map(one => one.id)")
    assert len(ids) == len(set(ids)) > 20


@needs_browser
def test_it_prints_on_one_or_two_sheets(browser: Browser, page_of_a_course: Path) -> None:
    page, _ = opened(browser, page_of_a_course)
    printed = page.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) in (1, 2)


@needs_browser
def test_hostile_text_is_text(browser: Browser, tmp_path: Path) -> None:
    """In ids, names and statuses; what the rules name is in our own words, and what is not read stays out."""
    bundle = json.loads(COURSE.read_text(encoding="utf-8"))
    long = copy.deepcopy(next(e for e in bundle["entry"] if e["resource"]["resourceType"] == "Observation"))
    long["resource"] |= {"id": HOSTILE + "x" * 10_000, "status": HOSTILE, "note": [{"text": HOSTILE}]}
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Condition":
            entry["resource"]["code"]["text"] = HOSTILE
        if entry["resource"].get("id") == "plt-5":
            entry["resource"]["id"] = HOSTILE
            entry["resource"]["valueQuantity"]["unit"] = "10*9/L"
    bundle["entry"].append(long)
    file = tmp_path / "hostile.json"
    file.write_text(json.dumps(bundle), encoding="utf-8")
    made = report(file, "-o", tmp_path / "h.html")
    assert made.exit_code == 0, made.output
    page, wrong = opened(browser, tmp_path / "h.html", 400)
    for summary in page.query_selector_all("summary"):
        summary.click()
    assert page.title() == "Sirolimus in ITP: report" and wrong == []
    assert "<img src=x onerror=" in page.inner_text("body")
    assert page.query_selector("img") is None and page.query_selector("script") is None
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert page.evaluate("[...document.querySelectorAll('a')].every(a => a.protocol === 'https:')")


def test_that_an_old_file_is_judged_as_of_now_is_said(tmp_path: Path) -> None:
    for asked, said in (("2026-11-26", True), ("2024-08-01", False)):
        made = CliRunner().invoke(main, ["report", "--at", asked, str(COURSE), "-o", str(tmp_path / "r.html")])
        assert made.exit_code == 0, made.output
        text = (tmp_path / "r.html").read_text(encoding="utf-8")
        assert ("<b>The newest level or count is of 2024-07-08, 871 days before.</b>" in text) is said


def test_silence_is_no_all_clear(tmp_path: Path) -> None:
    """Nothing was judged where there is no sirolimus, and the page says so in place of 'nothing is missing'."""
    report(EXAMPLES / "no-sirolimus" / "bundle.json", "-o", tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Sirolimus was not judged: sirolimus is neither taken nor ordered." in text and "is missing or" not in text


def test_the_picture_of_the_readme_is_of_the_course_it_names() -> None:
    picture = (ROOT / "docs" / "pictures" / "timeline.svg").read_text(encoding="utf-8")
    course = (ROOT / "rules" / "scenarios" / "trough" / "one-course.yaml").read_text(encoding="utf-8")
    told = re.findall(r"Platelets (\d+) x 10\^9/L on", picture)
    assert set(told) == set(re.findall(r"platelets (\d+)\b", course))


@pytest.mark.parametrize(("suffix", "begins"), [(".svg", b"<svg"), (".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_the_picture_alone(tmp_path: Path, suffix: str, begins: bytes) -> None:
    target = tmp_path / f"out{suffix}"
    assert report(COURSE, "-o", target).exit_code == 0
    assert target.read_bytes().startswith(begins)


def test_several_files_give_numbered_pages_and_an_index(tmp_path: Path) -> None:
    made = report(COURSE, RESCUED, "-o", tmp_path / "all.html")
    assert made.exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all-1.html", "all-2.html", "all.html"]
    text = (tmp_path / "all.html").read_text(encoding="utf-8")
    assert '<a href="all-1.html">1</a>' in text and "cannot be evaluated" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((COURSE, "-o", "{}/out.doc"), "'out.doc' must end in one of .html, .svg, .png, .pdf"),
        ((COURSE, RESCUED, "-o", "{}/out.png"), "several files give pages and an index: let --output end in .html"),
        ((COURSE, "-o", "{}/no/such/folder/out.html"), "cannot be written (No such file or directory)"),
        ((EXAMPLES / "README.md", "-o", "{}/out.html"), "README.md: "),
        ((COURSE,), "Missing option '-o'"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, arguments: tuple[str | Path, ...], said: str) -> None:
    refused = report(*(str(each).format(tmp_path) for each in arguments))
    assert refused.exit_code == 2 and said in refused.stderr and "Traceback" not in refused.output
    assert list(tmp_path.iterdir()) == []


def test_without_what_draws_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cds.cli import report as command

    monkeypatch.setattr(command, "find_spec", lambda module: None if module == "vl_convert" else object())
    refused = report(COURSE, "-o", tmp_path / "out.html")
    assert refused.exit_code == 2
    assert "the report needs vl-convert-python: pip install vl-convert-python" in refused.stderr
