"""A chart that was read is changed by nobody: what one fact does to it would depend on which comes first."""

from __future__ import annotations

import pytest
from msgspec.structs import fields

from cds.chart.model import Chart
from cds.chart.read import read_chart
from cds.chart.request import read_request
from cds.engine import CheckedEngine
from tests.charts import as_bytes, bundle, count, day, hcg, itp, level, patient, sirolimus
from tests.judge import fact, judge, now_on


def test_nothing_in_a_chart_can_be_changed(engine: CheckedEngine) -> None:
    body = as_bytes(
        bundle(patient(), itp(), sirolimus("s", day(0), 2), level("l", day(14), 7), count("p", day(14), 50))
    )
    chart = read_chart(read_request(body), engine.knowledge, now_on(20))
    for each in fields(Chart):
        assert not isinstance(getattr(chart, each.name), list), each.name
        with pytest.raises(AttributeError):
            setattr(chart, each.name, None)
    assert all(isinstance(several, tuple) for several in chart.labs.values())


def test_a_pregnancy_test_that_cannot_be_read_is_a_gap(engine: CheckedEngine) -> None:
    advice = judge(engine, 66, sirolimus("s", day(0), 2), hcg(valueString="see the comment"))
    named = [gap for gap in fact(advice, "gaps") if gap.references == ("Observation/h",)]
    assert [gap.fact for gap in named] == ["pregnancy"]


def test_nothing_in_a_course_can_be_changed(engine: CheckedEngine) -> None:
    patient = judge(engine, 20, sirolimus("s", day(0), 2), sirolimus("t", day(10), 3)).situation.patient
    for each in (patient, patient.course, *patient.course.regimens, *patient.course.changes):
        for one in fields(each):
            assert not isinstance(getattr(each, one.name), list), one.name
            with pytest.raises(AttributeError):
                setattr(each, one.name, None)
