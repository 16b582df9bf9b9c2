"""The charts of the fingerprint: every day of every scenario, every example, and seeded random ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from cds.authoring.check import Engines
from cds.authoring.scenarios import body_of, scenarios_of
from cds.chart.request import newest_date, read_request
from cds.engine import CheckedEngine
from cds.knowledge.tree import Fault
from tests.conftest import RULES
from tests.examples.stories import STORIES
from tests.oracle.charts import chart

RANDOM = 2_000


class Item(NamedTuple):
    """A chart to judge at a moment, with the engine of its protocol."""

    name: str
    body: bytes
    now: datetime
    engine: CheckedEngine


def items(random: int = RANDOM) -> Iterator[Item]:
    """All of them, in an order that stays."""
    engines = Engines(RULES)
    default = engines.of("", lambda message: Fault("rules", 1, message))
    yield from days(engines)
    for story in STORIES:
        newest = newest_date(read_request(story.body))
        assert newest is not None
        yield Item(f"example {story.name}", story.body, newest, default)
    for seed in range(random):
        body, now = chart(seed)
        yield Item(f"random {seed}", json.dumps(body).encode(), now, default)


def days(engines: Engines | None = None) -> Iterator[Item]:
    """Every day of every scenario, each under its own protocol."""
    engines = engines or Engines(RULES)
    faults: list[Fault] = []
    for scenario in scenarios_of(RULES, faults):
        for check in scenario.checks:
            engine = engines.of(scenario.shape.protocol, check.fault)
            body, moment = body_of(check, engine.knowledge)
            yield Item(f"scenario {check.name}, {check.index}", body, moment, engine)
    assert not faults, faults
