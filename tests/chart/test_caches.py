"""What is kept from one request to the next is bounded in bytes, not only in number."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable

import pytest

from cds.chart.read import read_chart
from cds.chart.request import read_request
from cds.compiled.knowledge import Knowledge
from tests.charts import Resource, as_bytes, bundle, day, observation, ordered, patient, subject
from tests.judge import now_on

SIZE, REQUESTS = 50_000, 20
WEIGHT = observation("w", "29463-7", day(19), 70, "kg")


def named_order(text: str) -> Resource:
    order = ordered("o", "777-3", day(19))
    return order | {"code": order["code"] | {"text": text}}


def with_unit(text: str) -> Resource:
    return WEIGHT | {"valueQuantity": {"value": 70, "unit": text}}


def of_system(text: str) -> Resource:
    return WEIGHT | {"code": {"coding": [{"system": text, "code": "1", "display": text}]}}


def procedure(text: str) -> Resource:
    return {"resourceType": "Procedure", "id": "p", "status": "completed", "subject": subject(), "code": {"text": text}}


@pytest.mark.parametrize("make", [named_order, with_unit, of_system, procedure])
def test_long_texts_of_records_are_not_kept(knowledge: Knowledge, make: Callable[[str], Resource]) -> None:
    def read(number: int) -> None:
        body = as_bytes(bundle(patient(), make(f"{number} {'x' * SIZE}")))
        read_chart(read_request(body), knowledge, now_on(20))

    read(0)
    tracemalloc.start()
    try:
        for number in range(1, REQUESTS + 1):
            read(number)
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < SIZE * REQUESTS / 4
