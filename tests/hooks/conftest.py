"""A client of the service, on day 20 of every course."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from cds.engine import Engine
from tests.hooks.doors import client_of


@pytest.fixture
def client(engine: Engine) -> TestClient:
    return client_of(engine)
