"""A client of the service, on day 20 of every course."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from cds.engine import Engine
from tests.hooks.doors import MADE, client_of


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while MADE:
        MADE.pop().state.service.authentication.close()


@pytest.fixture
def client(engine: Engine) -> TestClient:
    return client_of(engine)
