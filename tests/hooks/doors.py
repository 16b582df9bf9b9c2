"""Clients of the service in the tests; every answer is held against the models before it is sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.testclient import TestClient

from cds.engine import CheckedEngine
from cds.hooks.app import create_app
from cds.hooks.settings import Settings
from tests.judge import now_on

MADE: list[Starlette] = []
"""Applications of the test that runs, whose stores are closed behind it."""
JSON = {"content-type": "application/json"}
VIEW = "/cds-services/sirolimus-itp-patient-view"
SELECT = "/cds-services/sirolimus-itp-order-select"
SIGN = "/cds-services/sirolimus-itp-order-sign"


def client_of(
    engine: CheckedEngine,
    settings: Settings | None = None,
    *,
    on: int | datetime | Callable[[], datetime] = 20,
    **more: Any,
) -> TestClient:
    """A client of the service on a day of every course, at a moment, or by a clock."""
    moment = now_on(on) if isinstance(on, int) else on
    checked = (settings or Settings()).model_copy(update={"check_answers": True})
    clock = moment if callable(moment) else lambda: moment
    app = create_app(engine, checked, clock=clock, **more)
    MADE.append(app)
    return TestClient(app, base_url="http://localhost:8000", raise_server_exceptions=False)
