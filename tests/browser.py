"""A real browser for tests: where it is, what must not happen in it, and whether a page still looks as it did."""

from __future__ import annotations

import os
import shutil
from io import BytesIO
from operator import itemgetter
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
needs_browser = pytest.mark.skipif(
    not CHROMIUM and not os.environ.get("TESTS_NEED_CHROMIUM"), reason="chromium is not installed (.ci/run installs it)"
)
HOSTILE = (
    "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">\u202e[a](javascript:1)**"
)
LOOKS = Path(__file__).parent / "looks"
_COARSE = 32  # pixels of a page that become one
_ALIKE = 0.6  # of the ink of both pictures, how much must lie in the same places
_PAPER = 40  # how far apart the colours of two papers may be


def watch(page: Page, allowed: str) -> list[str]:
    """Whatever goes wrong from now on: words on the console, errors, and requests to anything that does not begin so."""
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda asked: wrong.append(asked.url) if not asked.url.startswith(allowed) else None)
    return wrong


def keep(picture: bytes, name: str) -> None:
    """A screenshot for whoever wants to see it, where TESTS_SCREENSHOTS names a folder."""
    if folder := os.environ.get("TESTS_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(picture)


def coarse(picture: bytes) -> Image.Image:
    """A screenshot so small that only its make-up is left."""
    whole = Image.open(BytesIO(picture)).convert("RGB")
    return whole.resize((whole.width // _COARSE, whole.height // _COARSE), Image.Resampling.BOX)


def difference(picture: bytes, looked: Image.Image) -> str:
    """In what a screenshot grossly differs from what it looked like: size, paper, or where there is ink; empty where it does not."""
    now, then = coarse(picture), looked.convert("RGB")
    if now.size != then.size:
        return f"it is {now.size} in place of {then.size}"
    papers = [max(image.getcolors(1 << 20), key=itemgetter(0))[1] for image in (now, then)]
    if max(abs(one - other) for one, other in zip(*papers, strict=True)) > _PAPER:
        return f"its paper is {papers[0]} in place of {papers[1]}"
    ink = [[abs(each - paper[place % 3]) for place, each in enumerate(image.tobytes())]
           for image, paper in zip((now, then), papers, strict=True)]  # fmt: skip
    alike = sum(map(min, *ink)) / max(1, sum(map(max, *ink)))
    return f"{alike:.0%} of its ink is where it was" if alike < _ALIKE else ""
