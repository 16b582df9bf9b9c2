"""The same on Apache Spark, for data that outgrow one machine: DataFrames in, DataFrames out, using only the DataFrame API.

The driver gets the ids of the patients to judge and the Medications that lines point to; lines and results stay with the executors,
which need this program installed, on the same minor release of Python. A patient's lines are in the memory of one executor at a time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
from pyspark import SparkConf
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import input_file_name

from cds.compiled.knowledge import Knowledge
from cds.engine import CheckedEngine
from cds.population.choose import Filter, Found, choose_block, pointing_block, with_parts
from cds.population.export import BOM, LONGEST
from cds.population.gather import NOT_READ, TOO_LONG, Fault, lines_of, medications_in, with_ingredients
from cds.population.judge import Wanted
from cds.population.owners import medications_of, owners_of, resource_in
from cds.population.rows import TABLES
from cds.population.tables import columns
from cds.population.workers import Part, judge_people

_Batches = Iterator[pa.RecordBatch]
_TOGETHER = 1_000  # lines that are searched at a time
_DDL = {
    pa.string(): "string", pa.bool_(): "boolean", pa.int32(): "int", pa.float64(): "double", pa.date32(): "date",
    pa.timestamp("us", tz="UTC"): "timestamp", pa.list_(pa.string()): "array<string>",
}  # fmt: skip


class Results(NamedTuple):
    """The results. ``parts``: one packed row per patient; ``faults``: lines that could not be used (file, reason).

    :func:`table` makes tables of ``parts``, :func:`collected` brings them to the driver. ``chosen``: how many patients were judged.
    """

    parts: DataFrame
    faults: DataFrame
    chosen: int


def session(workers: int) -> SparkSession:
    """The existing session or the one that spark-submit set up; else a new one on this machine."""
    builder = SparkSession.builder.appName("sirolimus-cds").config("spark.sql.session.timeZone", "UTC")
    if not SparkConf().contains("spark.master"):
        builder = builder.master(f"local[{workers}]").config("spark.ui.enabled", "false")
        os.environ.setdefault(
            "PYSPARK_PYTHON", sys.executable
        )  # not the first python3 of PATH, which may not have this program
    return builder.getOrCreate()


def read_lines(spark: SparkSession, paths: Iterable[Path | str]) -> DataFrame:
    """The lines of NDJSON files, plain or gzipped: ``value``, and ``file``, which names the file of each."""
    return spark.read.text([str(each) for each in paths]).withColumn("file", input_file_name())


def population(lines: DataFrame, knowledge: Knowledge, wanted: Wanted, key: bytes = b"") -> Results:
    """Judge every patient of an export who ever took oral sirolimus.

    Each row of ``lines`` has a resource in ``value`` and its file in ``file``. ``key``: patients are identified by a keyed hash.
    The lines are read several times: cache them if that is slow.
    """
    packed = msgspec.msgpack.encode(knowledge)
    patients = _chosen(lines, packed)
    taken = lines.mapInArrow(_taking(patients), "owner string, line binary, fault string, file string")
    kept = _medications(lines, taken.where("owner is not null"))
    judged = (
        taken.where("owner is not null")
        .select("owner", "line")
        .groupBy("owner")
        .applyInArrow(_judging(packed, kept, wanted, key), "patient string, part binary")
    )
    return Results(judged, taken.where("fault is not null").select("file", "fault"), len(patients))


def table(results: Results, name: str) -> DataFrame:
    """``patients``, ``findings`` or ``values`` as a DataFrame, with the columns that docs/population.md lists."""
    ddl = ", ".join(f"`{column}` {_DDL[kind]}" for column, kind, _ in columns(name))

    def unpacked(batches: _Batches) -> _Batches:
        from cds.population.tables import schema

        shape = schema(name)
        for batch in batches:
            rows = [row for part in batch.column("part").to_pylist() for row in getattr(_part(part), name)]
            if rows:
                made = pa.Table.from_pylist([msgspec.structs.asdict(row) for row in rows], schema=shape)
                yield from made.to_batches()

    assert name in TABLES
    return results.parts.mapInArrow(unpacked, ddl)


def collected(results: Results) -> tuple[list[Part], list[Fault]]:
    """The results at the driver: for a cohort, not for millions of patients."""
    parts = [_part(bytes(row["part"])) for row in results.parts.orderBy("patient").toLocalIterator()]
    faults = [
        Fault((row["file"] or "").rpartition("/")[2], 0, row["fault"]) for row in results.faults.orderBy("file", "fault").collect()
    ]  # fmt: skip
    return parts, faults


def _chosen(lines: DataFrame, packed: bytes) -> frozenset[str]:
    def choose(batches: _Batches) -> _Batches:
        filtered = _filter(packed)
        for block in _blocks(batches):
            found = Found(set(), set(), {})
            choose_block(block, filtered, found)
            yield _batch(found=[msgspec.msgpack.encode(found)])

    rows = lines.select("value").mapInArrow(choose, "found binary").toLocalIterator()
    everything = [msgspec.msgpack.decode(bytes(row["found"]), type=Found) for row in rows]
    of_sirolimus = with_parts(everything)
    direct = {each for one in everything for each in one.patients}
    if not of_sirolimus:
        return frozenset(direct)

    def point(batches: _Batches) -> _Batches:
        for block in _blocks(batches):
            yield _batch(patient=sorted(pointing_block(block, of_sirolimus)))

    pointing = lines.select("value").mapInArrow(point, "patient string").distinct().collect()
    return frozenset(direct.union(row["patient"] for row in pointing))


def _taking(patients: frozenset[str]) -> Callable[[_Batches], _Batches]:
    raw = frozenset(each.encode("utf-8", "surrogatepass") for each in patients)

    def take(batches: _Batches) -> _Batches:
        for batch in batches:
            values, files = (batch.column(name).to_pylist() for name in ("value", "file"))
            rows = [
                row
                for value, file in zip(values, files, strict=True)
                for row in _rows(_bytes(value), file, patients, raw)
            ]
            yield _batch(
                owner=[row[0] for row in rows], line=[row[1] for row in rows], fault=[row[2] for row in rows],
                file=[row[3] for row in rows],
            )  # fmt: skip

    return take


def _rows(
    line: bytes, file: str, patients: frozenset[str], raw: frozenset[bytes]
) -> Iterator[tuple[Any, Any, Any, str]]:
    """One row for each patient that a line belongs to, or why the line could not be used."""
    if len(line) > LONGEST:
        yield None, None, TOO_LONG, file
    elif line and (line[:1] != b"{" or line[-1:] != b"}"):
        yield None, None, NOT_READ, file
    elif line and lines_of(line, raw):
        resource = resource_in(line)
        if resource is None:
            yield None, None, NOT_READ, file
            return
        yield from ((owner, line, None, file) for owner in sorted(owners_of(resource) & patients))


def _medications(lines: DataFrame, taken: DataFrame) -> dict[str, bytes]:
    """The Medications that the lines point to, and their ingredients."""

    def referred(batches: _Batches) -> _Batches:
        for batch in batches:
            found = (resource_in(line) for line in batch.column("line").to_pylist())
            yield _batch(id=sorted({each for one in found if one is not None for each in medications_of(one)}))

    wanted = {row["id"] for row in taken.select("line").mapInArrow(referred, "id string").distinct().collect()}

    def fetch(more: frozenset[str]) -> dict[str, bytes]:
        found = lines.select("value").mapInArrow(_fetching(more), "id string, line binary").collect()
        return {row["id"]: bytes(row["line"]) for row in found}

    return with_ingredients(wanted, fetch)


def _fetching(wanted: frozenset[str]) -> Callable[[_Batches], _Batches]:
    def fetch(batches: _Batches) -> _Batches:
        for block in _blocks(batches):
            found = medications_in(block, wanted)
            yield _batch(id=list(found), line=list(found.values()))

    return fetch


def _judging(packed: bytes, kept: dict[str, bytes], wanted: Wanted, key: bytes) -> Callable[[pa.Table], pa.Table]:
    asked = msgspec.msgpack.encode(wanted)

    def judged(group: pa.Table) -> pa.Table:
        people = {group.column("owner")[0].as_py(): group.column("line").to_pylist()}
        part = judge_people(people, _engine(packed), kept, msgspec.msgpack.decode(asked, type=Wanted), key)
        return pa.Table.from_batches([_batch(patient=list(people), part=[msgspec.msgpack.encode(part)])])

    return judged


def _blocks(batches: _Batches) -> Iterator[bytes]:
    """The lines of batches, some at a time, in the form that the functions for files expect."""
    for batch in batches:
        values = batch.column("value").to_pylist()
        for at in range(0, len(values), _TOGETHER):
            yield b"\n".join(map(_bytes, values[at : at + _TOGETHER]))


def _bytes(value: str | None) -> bytes:
    return (value or "").encode("utf-8", "surrogatepass").removeprefix(BOM).strip()


def _batch(**named: list[Any]) -> pa.RecordBatch:
    binary = ("found", "line", "part")
    arrays = [pa.array(each, type=pa.binary() if name in binary else pa.string()) for name, each in named.items()]
    return pa.RecordBatch.from_arrays(arrays, names=list(named))


def _part(packed: bytes) -> Part:
    return msgspec.msgpack.decode(packed, type=Part)


@lru_cache(2)
def _known(digest: bytes, packed: bytes) -> tuple[Filter, CheckedEngine]:
    knowledge = msgspec.msgpack.decode(packed, type=Knowledge)
    return Filter(knowledge), CheckedEngine(knowledge)


def _filter(packed: bytes) -> Filter:
    return _known(sha256(packed).digest(), packed)[0]


def _engine(packed: bytes) -> CheckedEngine:
    return _known(sha256(packed).digest(), packed)[1]
