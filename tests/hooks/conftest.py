"""A client of the service, on day 20 of every course."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from cds.engine import Engine
from cds.hooks.app import create_app
from tests.judge import now_on


@pytest.fixture
def client(engine: Engine) -> TestClient:
    return TestClient(create_app(engine, clock=lambda: now_on(20)), raise_server_exceptions=False)
