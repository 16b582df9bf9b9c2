"""Spark comes to the same as the processes of one machine, patient by patient."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from cds.compiled.knowledge import Knowledge
from cds.population.judge import Wanted
from tests.charts import day, itp, level, patient, sirolimus
from tests.examples.cohort import COHORT
from tests.population.exports import AT, EVERY, MANY, many_people, of_patient, taker, write
from tests.population.run import cohort, rows, run, summary

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # warnings of pyspark's own


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """Spark on two cores of this machine, where the environment of this Python was not activated."""
    if find_spec("pyspark") is None or shutil.which("java") is None:
        assert not os.environ.get("TESTS_NEED_SPARK"), "pyspark and Java are needed"
        pytest.skip(
            "pyspark (pip install '.[spark]') or Java (apt-get install openjdk-17-jre-headless) is not installed"
        )
    from cds.population.spark import session

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PATH", os.pathsep.join(["/usr/bin", "/bin"]))
        environment.setenv("PYSPARK_PYTHON", "")
        environment.delenv("PYSPARK_PYTHON")
        begun = session(2)
        begun.sparkContext.setLogLevel("OFF")
        yield begun
        begun.stop()


def test_the_studys_table_and_every_digest_come_out_alike(spark: Any, tmp_path: Path) -> None:
    export = cohort(tmp_path / "an export")
    order = sirolimus("s", day(0), 2)
    concept = order.pop("medicationCodeableConcept")
    pointing = order | {"medicationReference": {"reference": "https://x.example/Medication/m/_history/1"}}
    odd = [*of_patient("pointing", patient(), itp(), pointing), *taker("high", level("h", day(180, "08:00"), 25))]
    write(export / "more", [*odd, {"resourceType": "Medication", "id": "m", "code": concept}])
    with (export / "Condition.ndjson").open("a") as file:
        file.write("a letter\n")
    assert run(export, tmp_path / "local").exit_code == 1
    assert run(export, tmp_path / "spark", "--engine", "spark").exit_code == 1
    local, other = ({row["patient"]: row for row in rows(tmp_path / each, "patients")} for each in ("local", "spark"))
    assert local == other and len(local) == len(COHORT) + 2
    for name in ("findings", "values"):
        both = [sorted(map(str, rows(tmp_path / each, name))) for each in ("local", "spark")]
        assert both[0] == both[1]
    assert summary(tmp_path / "local") == summary(tmp_path / "spark")
    three, six, _ = summary(tmp_path / "spark")["landmarks"]
    assert (three["overall"]["number"], six["responses"]["complete"]["number"]) == (12, 6)
    [fault] = [json.loads(line) for line in (tmp_path / "spark" / "faults.ndjson").read_text().splitlines()]
    assert fault["file"] == "Condition.ndjson"


def test_everybody_comes_out_as_from_the_processes_of_one_machine(spark: Any, tmp_path: Path) -> None:
    export = write(tmp_path / "export", [each for one in many_people(MANY).values() for each in one])
    for name, more in (("local", ()), ("spark", ("--engine", "spark"))):
        assert run(export, tmp_path / name, *more, at="2024-12-01T20:00:00Z", supplied=EVERY).exit_code in (0, 1)
    local, other = ({row["patient"]: row for row in rows(tmp_path / each, "patients")} for each in ("local", "spark"))
    assert local == other and len(local) > MANY / 12


def test_a_notebook_gets_dataframes(spark: Any, tmp_path: Path, knowledge: Knowledge) -> None:
    from cds.population.spark import population, read_lines, table

    export = write(tmp_path / "export", taker("p", level("h", day(180, "08:00"), 25)))
    lines = read_lines(spark, export.iterdir())
    results = population(lines, knowledge, Wanted((datetime.fromisoformat(AT).astimezone(UTC),)))
    assert [row["patient"] for row in table(results, "patients").collect()] == ["p"]
    critical = table(results, "findings").where("indicator = 'critical'").collect()
    assert [(row["rule"], row["at"].date().isoformat()) for row in critical] == [("trough-critical", day(182))]
    assert table(results, "values").count() == 2


def batch(**named: list[Any]) -> Any:
    """What Spark hands to an executor."""
    import pyarrow as pa

    return pa.RecordBatch.from_pydict(named)


def test_executors_take_lines_and_judge_groups(knowledge: Knowledge) -> None:
    """Their functions alone, without a JVM."""
    pytest.importorskip("pyspark")
    import msgspec
    import pyarrow as pa

    from cds.population import spark as on_spark
    from cds.population.workers import Part

    lines = [json.dumps(each) for each in taker("p", level("h", day(180, "08:00"), 25))]
    medication = json.dumps({"resourceType": "Medication", "id": "m", "code": {"text": "sirolimus"}})
    given = batch(value=[*lines, "", "a letter", "{", medication], file=["a.ndjson"] * (len(lines) + 4))
    [taken] = on_spark._taking(frozenset({"p"}))(iter([given]))
    rows = taken.to_pylist()
    assert [row["owner"] for row in rows if row["line"]] == ["p"] * len(lines)
    assert [row["file"] for row in rows if row["fault"]] == ["a.ndjson"] * 2
    [fetched] = on_spark._fetching(frozenset({"m"}))(iter([given]))
    assert fetched.to_pydict() == {"id": ["m"], "line": [medication.encode()]}
    wanted = Wanted((datetime.fromisoformat(AT).astimezone(UTC),))
    judge = on_spark._judging(msgspec.msgpack.encode(knowledge), {"m": medication.encode()}, wanted, b"")
    group = pa.table({"owner": ["p"] * len(lines), "line": [line.encode() for line in lines]})
    [row] = judge(group).to_pylist()
    part = msgspec.msgpack.decode(row["part"], type=Part)
    assert row["patient"] == "p" and [each.rule for each in part.findings if each.indicator == "critical"] == [
        "trough-critical"
    ]
