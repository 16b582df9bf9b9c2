"""The service with records, and the commands over them, as their users meet them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from starlette.testclient import TestClient

from cds.cli.main import main
from cds.engine import CheckedEngine
from cds.hooks.settings import Settings
from tests.charts import Resource, as_bytes, count, day, itp, level, patient, request, sirolimus
from tests.hooks.doors import JSON, VIEW, client_of

CRITICAL = [patient(), itp(), sirolimus("s", day(0), 2), level("l", day(19, "08:00"), 22), count("c", day(19), 12)]
"""A level above 20 ng/mL and a low count: a critical card and a warning."""
QUIET = [patient(), itp()]


def service(engine: CheckedEngine, where: str, key_file: Path, **settings: Any) -> TestClient:
    """A client of a service that records at ``where``."""
    return client_of(engine, Settings(records=where, records_key_file=key_file, **settings))


def asked(client: TestClient, chart: list[Resource] | None = None, name: str = "") -> list[dict[str, Any]]:
    """The cards on a chart, asked for by a request of that id."""
    body = as_bytes(request("patient-view", CRITICAL if chart is None else chart))
    answer = client.post(VIEW, content=body, headers=JSON | ({"x-request-id": name} if name else {}))
    assert answer.status_code == 200, answer.text
    cards: list[dict[str, Any]] = answer.json()["cards"]
    return cards


def overridden(card: str, at: str = "2030-01-01T10:00:00Z", **reason: Any) -> dict[str, Any]:
    """A report that a card was set aside."""
    report = {"card": card, "outcome": "overridden", "outcomeTimestamp": at}
    return report | ({"overrideReason": reason} if reason else {})


def accepted(card: str, at: str = "2030-01-01T10:00:00Z") -> dict[str, Any]:
    """A report that a suggestion of a card was taken."""
    return {"card": card, "outcome": "accepted", "outcomeTimestamp": at, "acceptedSuggestions": [{"id": "a"}]}


def reported(client: TestClient, *reports: dict[str, Any]) -> int:
    """The status with which reports were taken."""
    content = json.dumps({"feedback": reports})
    return client.post(f"{VIEW}/feedback", content=content, headers=JSON).status_code


def told(*arguments: str) -> Result:
    """A command of the program, run."""
    return CliRunner().invoke(main, list(arguments))


def as_json(*arguments: str) -> Any:
    """What a command prints as JSON."""
    result = told(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)
