"""Other rules without a restart: served from the signal on, or refused, and everything goes on as before."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.charts import as_bytes, count, day, itp, patient, request, sirolimus
from tests.conftest import RULES
from tests.hooks.doors import VIEW
from tests.hooks.process import Running, free_ports

BODY = as_bytes(request("patient-view", [patient(), itp(), sirolimus("s", day(0), 6, tablet="2")]))
OTHER_TITLE = "Other words of somebody who tests"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """Rules of a site."""
    return Path(shutil.copytree(RULES, tmp_path / "rules"))


def knowledge(running: Running) -> str:
    """By which rules the next worker judges."""
    known: str = json.loads(running.call()[1])["knowledge"]
    return known


def titles(running: Running) -> set[str]:
    """What the cards are about, of as many calls as reach every worker."""
    answers = [json.loads(running.call("POST", VIEW, BODY)[1]) for _ in range(8)]
    return {card["source"]["topic"]["display"] for answer in answers for card in answer["cards"]}


def reworded(rules: Path) -> None:
    """Give the rule that speaks of the dose another title."""
    file = rules / "dosing" / "dose-above-window.yaml"
    text = file.read_text()
    file.write_text(
        text.replace(f"title: {text.partition('title: ')[2].partition(chr(10))[0]}", f"title: {OTHER_TITLE}", 1)
    )


def events(running: Running, event: str) -> list[dict[str, Any]]:
    return [line for line in running.logged() if line["event"] == event]


def signalled(running: Running, event: str, times: int = 1) -> None:
    """Send the signal, and ask the service whether it is alive until its log has that event so often."""
    os.kill(running.process.pid, signal.SIGHUP)
    for _ in range(20_000):
        assert running.call(path="/livez")[0] == 200
        if len(events(running, event)) >= times:
            return
    raise AssertionError(f"never logged: {event}")


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_other_rules_are_served_from_the_signal_on(
    start: Callable[..., Running], rules: Path, workers: int, tmp_path: Path
) -> None:
    more = {"records": tmp_path / "records.sqlite", "metrics_port": free_ports(2)} if workers > 1 else {}
    running = start(rules=rules, workers=workers, answer_seconds=20, **more)
    assert OTHER_TITLE not in titles(running)
    processes = set(running.processes()[: workers + 1])
    before = knowledge(running)
    reworded(rules)
    signalled(running, "other rules are served", workers)
    assert OTHER_TITLE in titles(running)
    after = {knowledge(running) for _ in range(8)}
    assert len(after) == 1 and before not in after
    assert [line["knowledge"] for line in events(running, "rules were read again")] == [*after]
    assert processes <= set(running.processes())  # nobody was started anew


@pytest.mark.slow
def test_rules_with_a_fault_are_refused_and_those_before_go_on(start: Callable[..., Running], rules: Path) -> None:
    running = start(rules=rules)
    before = knowledge(running)
    file = rules / "trough" / "trough-low.yaml"
    good = file.read_text()
    file.write_text(good.replace("trough_basis is usable", "trough_basis is useable"))
    signalled(running, "other rules are refused")
    [refused] = events(running, "other rules are refused")
    assert "trough-low.yaml" in refused["fault"] and "useable" in refused["fault"]
    assert knowledge(running) == before and running.call("POST", VIEW, BODY)[0] == 200
    file.write_text(good.replace("title: Sirolimus trough", "title: The sirolimus trough"))
    signalled(running, "other rules are served")
    assert knowledge(running) != before


@pytest.mark.slow
def test_a_large_chart_is_judged_by_the_new_rules_too(start: Callable[..., Running], rules: Path) -> None:
    running = start(rules=rules, answer_seconds=20)
    chart = [patient(), itp(), sirolimus("s", day(0), 6, tablet="2")]
    chart += [count(f"c{at}", day(1), 90) | {"note": [{"text": "x" * 1_000}]} for at in range(150)]
    large = as_bytes(request("patient-view", chart))
    assert OTHER_TITLE.encode() not in running.call("POST", VIEW, large)[1]
    reworded(rules)
    signalled(running, "other rules are served")
    assert OTHER_TITLE.encode() in running.call("POST", VIEW, large)[1]


def test_a_rule_that_is_to_be_snoozed_may_not_vanish(
    start: Callable[..., Running], rules: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("[snooze]\nstomatitis = 14\n")
    running = start(config=settings, rules=rules, records=tmp_path / "records.sqlite")
    shutil.rmtree(rules / "scenarios")
    (rules / "safety" / "stomatitis.yaml").unlink()
    signalled(running, "other rules are refused")
    assert running.call("POST", VIEW, BODY)[0] == 200
