"""A client of the service, on day 20 of every course, and the service as a process."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import TestClient

from cds.engine import CheckedEngine
from tests.hooks.doors import MADE, client_of
from tests.hooks.process import Running, started


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while MADE:
        MADE.pop().state.service.recording.close()


@pytest.fixture
def client(engine: CheckedEngine) -> TestClient:
    return client_of(engine)


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Starts the service as a process, with settings; all are ended behind the test."""
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(started(settings))
