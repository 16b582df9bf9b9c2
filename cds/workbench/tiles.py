"""Examples to begin with: what each is about, its worst card, and the course as a thumbnail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from math import log10
from typing import NamedTuple

from cds.advise import advise
from cds.authoring.scenarios import Check, body_of
from cds.cards.order import arranged
from cds.chart.request import read_request
from cds.engine import CheckedEngine
from cds.timeline.rows import Row, Timeline, timeline

NAMES = (
    "one-course | day 15, patient-view",
    "titrated-to-response | day 91, patient-view",
    "confirmed-response-lost | day 107, patient-view",
    "no-response | day 92, patient-view",
    "rifampin | day 29, order-sign",
    "pregnancy | day 41, patient-view",
    "bleeding-that-threatens-life-by-grade | day 30, patient-view",
    "fever-with-few-neutrophils | day 30, patient-view",
    "offer-for-a-small-child | day 0, order-select",
    "a-year-of-response | day 405, patient-view",
)
_WIDTH, _HEIGHT, _EDGE = 120, 40, 4
_MOST = {"counts": 3.0, "levels": 1.5}  # decades that are drawn: counts up to 1,000, levels up to some 30


class Tile(NamedTuple):
    """An example: its name, what it is about, its worst card, and points of the thumbnail by kind (counts, levels)."""

    name: str
    title: str
    indicator: str
    summary: str
    points: dict[str, list[tuple[float, float]]]


def tiles(examples: Mapping[str, Check], engine: CheckedEngine) -> Iterator[Tile]:
    """A tile for each of these examples that the rules folder has. A thumbnail plots the logarithm of the values over time."""
    for name in NAMES:
        check = examples.get(name)
        if check is None:
            continue
        body, now = body_of(check, engine.knowledge)
        advice = advise(read_request(body), engine, now, max_cards=99)
        worst = next(iter(arranged(advice.cards)), {"indicator": "", "summary": "no card"})
        drawn = timeline(advice)
        points = {kind: list(_points(getattr(drawn, kind), drawn, most)) for kind, most in _MOST.items()}
        yield Tile(name, check.scenario.shape.scenario, worst["indicator"], worst["summary"], points)


def _points(rows: Sequence[Row], drawn: Timeline, most: float) -> Iterator[tuple[float, float]]:
    days = max(1, (drawn.last - drawn.first).days)
    for row in sorted(rows, key=lambda row: str(row["at"])):
        along = (date.fromisoformat(row["at"][:10]) - drawn.first).days / days
        height = min(1.0, max(0.0, log10(max(row["value"], 1)) / most))
        yield (
            round(_EDGE + along * (_WIDTH - 2 * _EDGE), 1),
            round(_HEIGHT - _EDGE - height * (_HEIGHT - 2 * _EDGE), 1),
        )
