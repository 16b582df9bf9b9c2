"""The bench measures right answers, or it measures nothing."""

from __future__ import annotations

from cds.engine import CheckedEngine
from tests.bench.__main__ import check
from tests.bench.patients import samples


def test_every_patient_of_the_bench_gets_what_a_plain_computation_says(engine: CheckedEngine) -> None:
    check(engine, samples(40))
