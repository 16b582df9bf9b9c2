"""The tables of the results, as Parquet; the meaning of each column is in the schema."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from cds.population.rows import TABLES, Finding

_TYPES: dict[Any, Any] = {
    str: pa.string(),
    bool: pa.bool_(),
    int: pa.int32(),
    float: pa.float64(),
    date: pa.date32(),
    datetime: pa.timestamp("us", tz="UTC"),
    list[str]: pa.list_(pa.string()),
}
_ALERTS = ("patient", "itp", "at", "indicator", "rule", "summary", "report")


def schema(table: str) -> pa.Schema:
    """The schema of a table, with the meaning of each column."""
    return pa.schema([pa.field(name, kind, metadata={"means": means}) for name, kind, means in columns(table)])


def columns(table: str) -> Iterator[tuple[str, Any, str]]:
    """The columns of a table: name, type and meaning."""
    for name, hint in get_type_hints(TABLES[table], include_extras=True).items():
        bare, described = get_args(hint)[:2]
        kind = next((each for each in get_args(bare) if each is not type(None)), bare) if bare != list[str] else bare
        yield name, _TYPES[kind], described.description


def write_table(path: Path, table: str, parts: Iterable[Sequence[Any]]) -> None:
    """Write a table part by part, so that it is never in memory as a whole."""
    shape = schema(table)
    with pq.ParquetWriter(path, shape) as writer:
        for rows in parts:
            if rows:
                writer.write_table(pa.Table.from_pylist([msgspec.structs.asdict(row) for row in rows], schema=shape))


def write_alerts(path: Path, findings: Iterable[Finding], with_itp: Set[str], reports: Mapping[str, str]) -> int:
    """Write who needs attention: critical findings and warnings as of the newest moment, the most urgent first, with whether ITP is on
    record and where the patient's report is. Returns how many."""
    urgent = [row for row in findings if row.indicator in ("critical", "warning")]
    urgent.sort(key=lambda row: (row.indicator, row.patient, row.rule))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_ALERTS)
        for row in urgent:
            who = (row.patient, row.patient in with_itp)
            told = (*who, row.at, row.indicator, row.rule, row.summary, reports.get(row.patient, ""))
            writer.writerow(map(_harmless, told))
    return len(urgent)


def _harmless(value: Any) -> str:
    """A cell that no spreadsheet interprets as a formula."""
    text = str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
