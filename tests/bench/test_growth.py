"""Work grows no faster than a body does: steps of the interpreter are counted, not seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from types import FrameType
from typing import Any

import pytest

from cds.advise import advise
from cds.chart.request import read_request
from cds.engine import CheckedEngine
from tests.bench.dense import DRAFTS, KINDS, body_of
from tests.judge import now_on

pytestmark = pytest.mark.untraced

ITEMS = 150
"""Above what is bounded by number (orders taken together, drafts judged): what is left grows with its size alone."""
GROWS = 2.25
"""At most, for twice the items: sorting adds its logarithm."""


def steps_of(work: Callable[[], object]) -> int:
    """Bytecodes that the interpreter ran."""
    steps = 0

    def step(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal steps
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        steps += event == "opcode"
        return step

    sys.settrace(step)
    try:
        work()
    finally:
        sys.settrace(None)
    return steps


def judged(body: bytes, engine: CheckedEngine, now: datetime) -> int:
    advise(read_request(body), engine, now)  # whatever is worked out once is
    return steps_of(lambda: advise(read_request(body), engine, now))


@pytest.mark.parametrize("kind", [*KINDS, *DRAFTS])
def test_twice_as_many_are_twice_the_work(engine: CheckedEngine, kind: str) -> None:
    none, some, twice = (judged(body_of(kind, items), engine, now_on(300)) for items in (0, ITEMS, 2 * ITEMS))
    assert some > none, "nothing of this kind was read"
    assert twice - none < GROWS * (some - none)


def test_work_of_all_pairs_is_seen() -> None:
    def pairs(number: int) -> int:
        return steps_of(lambda: [(a, b) for a in range(number) for b in range(a)])

    assert pairs(2 * ITEMS) > GROWS * pairs(ITEMS)
