"""Bodies that broke something once, or would break a naive reader: each is answered, and never by a fault.

Every finding of ``python -m tests.fuzz`` that was mended comes here, named by what it is.
"""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.fuzz.attack import fault_of
from tests.hooks.doors import VIEW

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())
ANSWERED = {  # what is wrong stands in one resource, which is named or passed over; everything else is refused
    "bundle-in-bundle", "birth-date-impossible", "birth-date-list", "birth-date-second-60", "birth-date-year-zero",
    "brackets-in-a-string", "byte-order-mark", "deep-120", "deep-objects", "resource-null", "resource-number", "resource-type-markup",
    "resource-type-missing", "resource-type-number", "unit-70000-characters", "unit-latin-1", "unit-nul",
    "unit-overlong-utf-8", "unit-right-to-left", "value-400-digits", "value-5000-digits", "value-arabic-digits",
    "value-in-quotes", "value-infinity", "value-object", "value-tiny", "value-twice",
}  # fmt: skip


def test_there_is_a_corpus() -> None:
    assert len(CORPUS) >= 50
    assert {path.stem for path in CORPUS} >= ANSWERED


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_body_that_broke_something_is_answered(
    client: TestClient, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "cds"):
        answer = client.post(VIEW, content=path.read_bytes(), headers={"content-type": "application/json"})
    assert fault_of(answer.status_code, answer.content) == "" and not caplog.records
    assert (answer.status_code == 200) == (path.stem in ANSWERED)
