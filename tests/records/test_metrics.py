"""What Prometheus reads of a worker."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cds.engine import CheckedEngine, EngineFault
from cds.hooks.settings import Settings
from tests.charts import as_bytes, request
from tests.hooks.doors import JSON, VIEW, client_of
from tests.hooks.process import free_port, free_ports
from tests.records.doors import CRITICAL, QUIET, asked

CALL = as_bytes(request("patient-view", CRITICAL))


def read(port: int) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels, which come in the order of their names."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return {
            (each.name.removeprefix("sirolimus_cds_"), *each.labels.values()): each.value
            for family in families
            for each in family.samples
        }


def test_calls_rules_and_faults_are_counted(engine: CheckedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise EngineFault("the engines do not agree")

    port = free_port()
    with client_of(engine, Settings(metrics_port=port)) as client:
        asked(client)
        asked(client, QUIET)
        assert client.post(VIEW, content=b"{", headers=JSON).status_code == 400
        monkeypatch.setattr(CheckedEngine, "judge", fails)
        asked(client)
        found = read(port)
    service = VIEW.rpartition("/")[2]
    assert found["requests_total", service, "200"] == 3 and found["requests_total", service, "400"] == 1
    assert found["rules_total", "critical", "card", "trough-critical"] == 1
    assert found["rules_total", "", "gives way", "trough-high"] == 1
    assert found["faults_total", "engine fault"] == 1 and found["request_seconds_count", service] == 4


def test_decisions_that_are_not_recorded_are_counted(engine: CheckedEngine, tmp_path: Path) -> None:
    port, file = free_port(), tmp_path / "records"
    with client_of(engine, Settings(metrics_port=port, records=str(file))) as client:
        file.rename(tmp_path / "aside")
        asked(client)
        assert read(port)["lost_decisions_total",] == 1 and read(port)["commit_seconds_count",] == 0
        (tmp_path / "aside").rename(file)
        asked(client)
        assert read(port)["lost_decisions_total",] == 1 and read(port)["commit_seconds_count",] == 1


def test_names_that_callers_invent_make_no_series(engine: CheckedEngine) -> None:
    port = free_port()
    with client_of(engine, Settings(metrics_port=port)) as client:
        for at in range(20):
            client.post(f"/cds-services/invented-{at}", content=CALL, headers=JSON)
        assert read(port)["requests_total", "", "404"] == 20


@pytest.mark.slow
def test_each_worker_has_a_port(start: Callable[..., Any]) -> None:
    port = free_ports(2)
    running = start(metrics_port=port, workers=2)
    names: list[Any] = []
    for _ in range(3_000):
        try:
            names = [each for at in range(2) for each in read(port + at) if each[0] == "knowledge_info"]
        except OSError:
            assert running.process.poll() is None, "it ended"
            running.call()
        else:
            break
    assert len(names) == 2


def test_without_the_setting_nothing_listens(engine: CheckedEngine) -> None:
    with client_of(engine) as client:
        assert client.get("/metrics").status_code == 404
        assert client.app.state.service.recording.metrics is None  # type: ignore[attr-defined]
