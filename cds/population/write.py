"""The results of a run: tables, alerts, the summary, the faults and the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from cds import __version__
from cds.population import cohort
from cds.population.cohort import Summary
from cds.population.resources import detected_issues, measure_report
from cds.population.rows import TABLES, Finding, Member, Value
from cds.population.run import DIED, Gathered, Run
from cds.population.tables import write_alerts, write_table
from cds.population.workers import ENGINE, INTERNAL, Part


class Written(NamedTuple):
    """What was written, for the caller."""

    summary: Summary
    alerts: int
    faults: int
    engine_faults: int


class _Kept(NamedTuple):
    """What the figures need from all parts: rows of patients with ITP on record, and of all patients the findings that hold now, the numbers
    of people, the faults and the reports."""

    patients: list[Member]
    values: list[Value]
    now: list[Finding]
    held: set[tuple[str, str]]  # rule and patient, at any moment
    people: Counter[str]
    faults: list[tuple[str, str]]
    reports: dict[str, str]  # of all patients, if reports were asked for


def write(run: Run, found: Gathered, parts: Iterable[Part], out: Path, fewest: int = 0, fhir: bool = False) -> Written:
    """Write all results into a folder; ``parts`` is iterated several times.

    ``fewest``: the page does not show numbers of patients below it. ``fhir``: also write FHIR resources.
    """
    for table in TABLES:
        write_table(out / f"{table}.parquet", table, (getattr(part, table) for part in parts))
    kept = _kept(parts, run.wanted.times[-1])
    with_itp = {row.patient for row in kept.patients}
    summary = _summary(run, kept, len(found.faults) + len(kept.faults))
    alerts = write_alerts(out / "alerts.csv", kept.now, with_itp, kept.reports)
    (out / "summary.json").write_bytes(msgspec.json.format(msgspec.json.encode(summary)))
    if fhir:
        _lines(out / "DetectedIssue.ndjson", detected_issues(kept.now, run.knowledge))
        _lines(out / "MeasureReport.ndjson", [measure_report(summary, kept.patients)])
    if find_spec("vl_convert") is not None:  # the drawing library comes with another extra
        from cds.population.page import page

        text = page(summary, kept.patients, kept.values, run.knowledge, fewest)
        (out / "report.html").write_text(text, encoding="utf-8")
    _lines(out / "faults.ndjson", [*found.faults, *({"patient": who, "reason": why} for who, why in kept.faults)])
    failed = sum(reason in (DIED, ENGINE) or reason.startswith(INTERNAL) for _, reason in kept.faults)
    return Written(summary, alerts, len(found.faults) + len(kept.faults), failed)


def _lines(path: Path, items: Iterable[Any]) -> None:
    path.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in items))


def _kept(parts: Iterable[Part], at: datetime) -> _Kept:
    kept = _Kept([], [], [], set(), Counter(), [], {})
    for part in parts:
        with_itp = {row.patient for row in part.patients if row.itp}
        kept.patients.extend(row for row in part.patients if row.itp)
        kept.values.extend(row for row in part.values if row.patient in with_itp)
        kept.now.extend(row for row in part.findings if row.at == at)
        kept.held.update((row.rule, row.patient) for row in part.findings if row.patient in with_itp)
        kept.faults.extend(part.faults)
        kept.reports.update((row.patient, row.report) for row in part.patients if row.report)
        kept.people.update(
            {"ever on oral sirolimus": len(part.patients), "of them with ITP on record": len(with_itp),
             "named with it and never on it": part.only_named, "not judged": len(part.faults)}
        )  # fmt: skip
    return kept


def _summary(run: Run, kept: _Kept, faults: int) -> Summary:
    known, now = run.knowledge, run.wanted.times[-1]
    return Summary(
        at=now.isoformat(),
        protocol=known.protocol.id,
        knowledge=known.hash,
        program=__version__,
        supplied=sorted(run.export.supplied),
        missing=list(run.export.missing),
        people=dict(kept.people),
        states=dict(Counter(row.state for row in kept.patients)),
        attention={
            each: len({row.patient for row in kept.now if row.indicator == each}) for each in ("critical", "warning")
        },
        landmarks=cohort.landmarks_of(kept.patients),
        response_over_time=cohort.over_time(kept.values),
        doses=cohort.doses_of(kept.patients),
        levels_by_week=cohort.levels_by_week(kept.values),
        findings=cohort.tally(kept.held, known),
        treg_measured=sum(bool(row.treg) for row in kept.patients),
        faults=faults,
    )
