"""Shared by all tests: the shipped knowledge, one engine, and a cache folder that is not the user's."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from cds.authoring import check
from cds.compiled.knowledge import Knowledge
from cds.engine import CheckedEngine
from cds.knowledge import read
from cds.knowledge.files import Folder
from cds.knowledge.read import SUBJECTS, read_folder
from tests.shipped import once, reading_once

if TYPE_CHECKING:
    from playwright.sync_api import Browser

settings.register_profile("tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

LONG = bool(os.environ.get("TESTS_LONG"))
"""Whether proofs take their long form, as with ``make long``: more charts, and more sets of rules."""
ROOT = Path(__file__).resolve().parents[1]
RULES = ROOT / "rules"
RULE_FILES = sorted(path for path in RULES.glob("*/*.yaml") if path.parent.name in SUBJECTS)
"""One rule a file."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool | None, bool | None]:
    """Without coverage's trace, which makes them three times as slow, for tests marked ``untraced``: many charts through the same lines."""
    if item.get_closest_marker("untraced") is None:
        return (yield)
    trace, of_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)  # type: ignore[arg-type]
    try:
        return (yield)
    finally:
        sys.settrace(trace)
        threading.settrace(of_threads)  # type: ignore[arg-type]


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["COLUMNS"] = "80"  # whatever the terminal in which the tests run
    yield


@pytest.fixture(scope="session", autouse=True)
def _one_report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    base = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patched:
        keep = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
        patched.setattr(check, "check_folder", once(RULES, keep))
        patched.setattr(read, "_read_into", reading_once())
        yield


@pytest.fixture(scope="module")  # no longer: its event loop would be in the way of tests that run their own
def browser() -> Iterator[Browser]:
    """Chromium, with nothing of anybody's in it."""
    from playwright.sync_api import sync_playwright  # where no test asks for a browser, none is loaded

    from tests.browser import CHROMIUM

    with sync_playwright() as playwright:
        begun = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield begun
        begun.close()


@pytest.fixture(scope="session")
def folder() -> Folder:
    return read_folder(RULES)


@pytest.fixture(scope="session")
def knowledge(folder: Folder) -> Knowledge:
    assert folder.knowledge is not None, [str(fault) for fault in folder.faults]
    return folder.knowledge


@pytest.fixture(scope="session")
def engine(knowledge: Knowledge) -> CheckedEngine:
    return CheckedEngine(knowledge)
