"""What must hold of any chart: nothing raises, nothing is invented, the order of the entries is no information."""

from __future__ import annotations

import contextlib
import copy
import random
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from cds.advise import advise
from cds.chart.body import InputError
from cds.chart.read import read_chart
from cds.chart.request import read_request
from cds.chart.survey import survey
from cds.compiled.knowledge import Knowledge
from cds.engine import CheckedEngine
from tests.chart.test_malformed import HOSTILE, places, public
from tests.charts import (
    RXNORM,
    Resource,
    as_bytes,
    bundle,
    condition,
    count,
    day,
    drug,
    given,
    hcg,
    intake,
    itp,
    level,
    patient,
    sirolimus,
    weight,
)
from tests.judge import now_on

LEVEL = level("l", day(20, "08:00"), 7.5, unit="nmol/L") | {"specimen": {"display": "Blood"}}
ORDER = sirolimus("s", day(0), 2)
MEDICATION = {"resourceType": "Medication", "id": "m", "code": {"coding": [{"system": RXNORM, "code": "360110"}]},
              "ingredient": [{"itemCodeableConcept": {"text": "sirolimus"},
                              "strength": {"numerator": {"value": 2, "unit": "mg"}, "denominator": {"value": 1, "unit": "1"}}}]}  # fmt: skip
TABLETS = {key: part for key, part in sirolimus("t", day(0), 2).items() if key != "medicationCodeableConcept"} | {
    "medicationReference": {"reference": "Medication/m", "display": "sirolimus 2 mg"},
    "dosageInstruction": [{
        "timing": {"code": {"coding": [{"code": "QD"}], "text": "once daily"}},
        "doseAndRate": [
            {"type": {"coding": [{"code": "calculated"}]}, "doseQuantity": {"value": 4, "unit": "mg"}},
            {"type": {"coding": [{"code": "ordered"}]}, "doseQuantity": {"value": 2, "unit": "tablet"}},
        ],
    }],
}  # fmt: skip


def without(resource: Resource, path: tuple[Any, ...]) -> Resource:
    less = copy.deepcopy(resource)
    holder: Any = less
    for key in path[:-1]:
        holder = holder[key]
    del holder[path[-1]]
    return less


def readings(knowledge: Knowledge, *resources: Resource) -> tuple[set[str], set[str]]:
    """The levels and the doses a day that are read, as text."""
    chart = read_chart(read_request(as_bytes(bundle(patient(), *resources))), knowledge, now_on(30))
    levels = {str(lab.amount.value) for lab in chart.lab("level") if lab.amount is not None}
    return levels, {f"{order.dose.per_day:f}" for order in chart.orders if order.dose.per_day is not None}


@pytest.mark.parametrize("path", places(LEVEL), ids=str)
def test_a_level_with_an_element_missing_is_the_same_level_or_none(knowledge: Knowledge, path: tuple[Any, ...]) -> None:
    if path in (("resourceType",), ("id",)):
        return  # the builder of the bundle needs them
    assert readings(knowledge, without(LEVEL, path))[0] <= {"6.856275"}


@pytest.mark.parametrize("path", places(TABLETS), ids=str)
def test_an_order_with_an_element_missing_is_the_same_dose_or_none(knowledge: Knowledge, path: tuple[Any, ...]) -> None:
    if path in (("resourceType",), ("id",)):
        return
    assert readings(knowledge, TABLETS, MEDICATION)[1] == {"4"}
    assert readings(knowledge, without(TABLETS, path), MEDICATION)[1] <= {"4"}


@pytest.mark.parametrize("path", places(MEDICATION), ids=str)
def test_a_medication_with_an_element_missing_gives_the_same_dose_or_none(
    knowledge: Knowledge, path: tuple[Any, ...]
) -> None:
    if path in (("resourceType",), ("id",)):
        return
    assert readings(knowledge, TABLETS, without(MEDICATION, path))[1] <= {"4"}


@pytest.mark.slow
@settings(max_examples=1500, database=None)
@for_all(st.data())
def test_one_number_in_one_number_out(knowledge: Knowledge, data: st.DataObject) -> None:
    """Whatever one element of a level or an order becomes, its reading is the number that is written, or none."""
    resource, at = data.draw(st.sampled_from([(LEVEL, 0), (ORDER, 1)]))
    path = data.draw(st.sampled_from([p for p in places(resource) if p not in (("resourceType",), ("id",))]))
    if path[-1] in ("value", "valueQuantity", "frequency", "period", "repeat", "timing"):
        return  # these say another number
    malformed = copy.deepcopy(resource)
    holder: Any = malformed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = copy.deepcopy(data.draw(st.sampled_from(HOSTILE)))
    with contextlib.suppress(InputError):
        assert readings(knowledge, malformed)[at] <= ({"6.856275"} if at == 0 else {"2"})


POOL: list[Resource] = [
    ORDER,
    sirolimus("s", day(0), 3) | {"meta": {"versionId": "7"}},
    sirolimus("s2", day(20), 3, status="stopped", end=day(40)),
    sirolimus("s3", day(20), 1, tablet="0.5"),
    sirolimus("s4", day(40), 2, priorPrescription={"reference": "MedicationRequest/s2"}),
    sirolimus("s5", day(60), 2, status="on-hold"),
    sirolimus("s6", day(60), 6, unit="wk"),
    TABLETS,
    MEDICATION,
    drug("c", "clarithromycin", day(50)),
    drug("c2", "clarithromycin", day(55), status="completed"),
    drug("p", "prednisone", day(10), mg=30),
    drug("p2", "prednisone", day(50), mg=60),
    given("ivig", "g", day(70)),
    intake("i", day(19, "08:00")),
    intake("i2", day(79, "20:00")),
    level("a", day(20, "08:00"), 3),
    level("b", day(20, "08:00"), 4),
    level("c", day(20, "08:00"), 8, status="corrected"),
    level("d", day(80, "08:00"), 22, status="preliminary"),
    level("e", day(80), 18),
    level("f", day(80), 9, status="amended"),
    level("g", day(79), 9, pid="other"),
    LEVEL,
    *(count(f"p{n}", day(n), 5 * n % 130 + 3) for n in (-3, 10, 40, 69, 76, 83, 90)),
    count("p", day(90, "08:00"), 120),
    count("q", day(90, "08:00"), 90),
    condition("n", "249366005", day(80)),
    condition("x", "77386006", day(10)),
    hcg(valueString="negative"),
    weight("w", day(0), 60),
    {"resourceType": "Observation", "id": "bad", "status": 5, "code": {"text": "sirolimus"}},
]


@pytest.mark.slow
@pytest.mark.untraced
@settings(max_examples=400, database=None)
@for_all(st.lists(st.sampled_from(range(len(POOL))), unique=True, min_size=2), st.integers(0, 9), st.booleans())
def test_the_order_of_the_entries_is_no_information(
    engine: CheckedEngine, chosen: list[int], seed: int, nameless: bool
) -> None:
    chart = [POOL[place] for place in chosen]
    if nameless:  # without ids nothing tells them apart but what they say
        chart = [{k: v for k, v in each.items() if k != "id" or each is MEDICATION} for each in chart]
    shuffled = list(chart)
    random.Random(seed).shuffle(shuffled)
    assert shown(engine, chart) == shown(engine, shuffled)


def shown(engine: CheckedEngine, chart: list[Resource]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    body = as_bytes({"resourceType": "Bundle", "entry": [{"resource": each} for each in (patient(), itp(), *chart)]})
    advice = advise(read_request(body), engine, now_on(92))
    return advice.situation.facts.values, [(card["summary"], card["detail"]) for card in advice.cards]


@settings(max_examples=600, database=None)
@for_all(st.data())
def test_mutated_public_resources_never_raise(knowledge: Knowledge, data: st.DataObject) -> None:
    lines = public("odd.ndjson")
    resource = copy.deepcopy(data.draw(st.sampled_from(lines))["resource"])
    if (paths := places(resource)) and isinstance(resource, dict):
        path = data.draw(st.sampled_from(paths))
        holder: Any = resource
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = copy.deepcopy(data.draw(st.sampled_from(HOSTILE)))
    body = as_bytes({"resourceType": "Bundle", "entry": [{"resource": patient()}, {"resource": resource}]})
    with contextlib.suppress(InputError):
        request = read_request(body, patient="itp-1")
        survey(request, knowledge, now_on(700))
