"""One resource that is there twice: the newest version counts; where nobody can tell, it is said."""

from __future__ import annotations

from typing import Any

import pytest

from cds.advise import advise
from cds.chart.body import InputError
from cds.chart.request import read_request
from cds.engine import CheckedEngine
from tests.charts import as_bytes, bundle, day, itp, level, patient, sirolimus
from tests.judge import fact, gaps, judge, now_on

FIRST, SECOND = sirolimus("s", day(0), 2), sirolimus("s", day(0), 3)


def meta(**values: str) -> dict[str, Any]:
    return {"meta": values}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (meta(lastUpdated=day(1, "08:00")), meta(lastUpdated=day(2, "07:00"))),
        (meta(versionId="9"), meta(versionId="10")),
        (meta(lastUpdated=day(1, "08:00"), versionId="7"), meta(lastUpdated=day(2, "08:00"), versionId="3")),
    ],
)
def test_the_newest_version_counts_wherever_it_stands(
    engine: CheckedEngine, first: dict[str, Any], second: dict[str, Any]
) -> None:
    for charts in ([FIRST | first, SECOND | second], [SECOND | second, FIRST | first]):
        assert fact(judge(engine, 9, *charts), "daily_dose") == 3


@pytest.mark.parametrize("metas", [({}, {}), (meta(versionId="abc"), meta(versionId="abd")), (meta(versionId="1"), {})])
def test_versions_that_nobody_can_order_are_named_and_none_counts(
    engine: CheckedEngine, metas: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    advice = judge(engine, 9, FIRST | metas[0], SECOND | metas[1])
    assert fact(advice, "daily_dose") is None
    assert gaps(advice) == {"MedicationRequest/s was not read"}


def test_the_same_twice_is_one(engine: CheckedEngine) -> None:
    assert fact(judge(engine, 9, FIRST, FIRST), "daily_dose") == 2


def test_a_newer_version_that_is_withdrawn_withdraws_the_first(engine: CheckedEngine) -> None:
    high = level("l", day(20, "08:00"), 25)
    withdrawn = high | {"status": "entered-in-error"} | meta(versionId="2")
    assert fact(judge(engine, 21, FIRST, high | meta(versionId="1")), "newest_level") == 25
    assert fact(judge(engine, 21, FIRST, withdrawn, high | meta(versionId="1")), "newest_level") is None


def test_two_versions_of_the_patient(engine: CheckedEngine) -> None:
    child = patient("2018-01-01")
    with pytest.raises(InputError, match="two versions of the Patient differ"):
        read_request(as_bytes(bundle(patient(), itp(), child)))
    newer = child | meta(versionId="2")
    chart = bundle(newer, itp(), FIRST, patient() | meta(versionId="1"))
    assert fact(advise(read_request(as_bytes(chart)), engine, now_on(9)), "age_group") == "child"


def test_a_fault_that_sends_one_id_a_thousand_times_is_answered(engine: CheckedEngine) -> None:
    many = [sirolimus("s", day(0), 2 + n) | meta(versionId=str(n)) for n in range(1000)]
    assert gaps(judge(engine, 9, *many)) == {"MedicationRequest/s was not read"}
