"""``sirolimus-cds population``: a whole FHIR bulk export judged at once."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

import click

from cds.chart.times import parse_now
from cds.cli.common import FAULT, Rules, load_rules, parse_at, rules_options, stop

if TYPE_CHECKING:
    from cds.compiled.knowledge import Knowledge
    from cds.population.export import Export
    from cds.population.run import Gathered, Run
    from cds.population.workers import Part
    from cds.population.write import Written

T = TypeVar("T")
_NEEDED = {"re2": "google-re2", "pyarrow": "pyarrow"}
_FEWEST_OF_A_KEY = 16
_MOST_TIMES = 1_000


@click.command("population")
@click.argument("export", required=False, metavar="EXPORT", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FOLDER", help="Where to.")
@click.option(
    "--at",
    metavar="TIME",
    help="Judge as of this ISO 8601 time (default: when the export was taken, where its manifest says so, else now).",
)
@click.option(
    "--every", metavar="DAYS", help="Judge every so many days, as 28d, from --from up to --at: findings over time."
)
@click.option("--from", "begin", metavar="TIME", help="The first moment of --every.")
@click.option(
    "--supplied",
    default="",
    metavar="TYPES",
    help="Types of which the export holds no resource because there is none, with commas.",
)
@click.option(
    "--pseudonyms",
    type=click.Path(path_type=Path),
    metavar="KEYFILE",
    help="Call patients by a keyed hash, and name no resource; at least 16 bytes.",
)
@click.option(
    "--workers", type=click.IntRange(1, 256), default=os.cpu_count(), show_default="the cores", help="Processes."
)
@click.option(
    "--suppress",
    type=click.IntRange(0, 1000),
    default=0,
    metavar="N",
    help="On the page, tell no number of patients below N.",
)
@click.option("--fhir", is_flag=True, help="Also as FHIR: MeasureReport and DetectedIssue.")
@click.option(
    "--engine",
    type=click.Choice(("local", "spark")),
    default="local",
    show_default=True,
    help="Processes of this machine, or Apache Spark: as spark-submit sets it up, else on this machine.",
)
@click.option("--reports", is_flag=True, help="Also a report of each patient, as `sirolimus-cds report` makes it.")
@click.option("--resume", is_flag=True, help="Go on with a run that was ended.")
@click.option("--queries", is_flag=True, help="Print _type and _typeFilter for the export, and end.")
@click.option("--who", is_flag=True, help="Print the ids of those who would be judged, one a line, and end.")
@rules_options
def command(
    rules: Rules,
    export: Path | None,
    output: Path | None,
    at: str | None,
    every: str | None,
    begin: str | None,
    supplied: str,
    pseudonyms: Path | None,
    workers: int,
    suppress: int,
    fhir: bool,
    reports: bool,
    engine: str,
    resume: bool,
    queries: bool,
    who: bool,
) -> None:
    """Judge every patient of a FHIR bulk export who ever took oral sirolimus, by the same rules and engines as everywhere.

    EXPORT is a folder of NDJSON (.ndjson, .jsonl, also .gz), one such file, or the manifest of an export beside its files. FOLDER gets patients,
    findings and values as Parquet, alerts.csv, summary.json, report.html and faults.ndjson. Everything in it but the summary is patients' data.

    The exit code is 1 where a line could not be read or a patient not be judged (faults.ndjson says which), 70 where the engine failed.
    """
    knowledge = load_rules(rules)
    if queries:
        from cds.population.queries import queries_of

        click.echo(queries_of(knowledge))
        return
    if missing := [package for module, package in _NEEDED.items() if find_spec(module) is None]:
        stop(f"populations need {', '.join(missing)}: pip install {' '.join(missing)}")
    if export is not None and who:
        _say_who(_found(export, supplied), knowledge, workers)
        return
    if export is None or output is None:
        stop("name an export, and with -o the folder for what comes out")
    from cds.population.judge import Wanted
    from cds.population.run import OtherRun, Run
    from cds.population.write import write

    if (output / "summary.json").exists() and not (resume and (output / "work").exists()):
        stop(f"{output.name} holds what came out of a run: name another folder")
    if output.resolve().is_relative_to(export.resolve()):
        stop("what comes out must not be written inside the export, of which it would be a part the next time")
    if engine == "spark" and resume:
        stop("--resume is for the local engine only; Spark starts from the beginning")
    if reports and (pseudonyms or suppress or engine == "spark" or find_spec("vl_convert") is None):
        stop(
            "--reports names patients, by the local engine, and needs vl-convert-python: not with --pseudonyms or --suppress"
        )
    found = _found(export, supplied)
    wanted = Wanted(_times(at or found.taken or None, every, begin), found.missing)
    run = Run(found, knowledge, wanted, output / "work", _key(pseudonyms), output / "reports" if reports else None)
    try:
        output.mkdir(parents=True, exist_ok=True, mode=0o700)
        if engine == "spark":
            gathered, parts = _by_spark(run, workers)
        else:
            run.begin(resume)
            gathered = run.gathered(workers, _watched)
            parts = run.judged(gathered, workers, _watched)
        written = write(run, gathered, parts, output, suppress, fhir)
        if engine == "local":
            shutil.rmtree(output / "work")
    except OtherRun as other:
        stop(f"{output.name}: {other}")
    except OSError as error:
        stop(f"{output.name}: cannot be written ({error.strerror})")
    except Exception as error:  # no traceback, which may hold a patient's data
        stop(f"an internal fault ({type(error).__name__})", FAULT)
    _say(written)
    sys.exit(FAULT if written.engine_faults else int(written.faults > 0))


def _say_who(export: Export, knowledge: Knowledge, workers: int) -> None:
    from cds.population.judge import Wanted
    from cds.population.run import Run

    with TemporaryDirectory() as folder:
        run = Run(export, knowledge, Wanted(()), Path(folder))
        run.begin(resume=False)
        for each in sorted(run.who(workers, _watched)):
            click.echo(each)


def _by_spark(run: Run, workers: int) -> tuple[Gathered, Iterable[Part]]:
    if lacking := [each for each in ("pyspark", "pandas") if find_spec(each) is None]:
        stop(f"--engine spark needs {', '.join(lacking)} (pip install '.[spark]') and Java")
    from cds.population.gather import Fault
    from cds.population.run import Gathered
    from cds.population.spark import collected, population, read_lines, session

    try:
        lines = read_lines(session(workers), run.export.files)
        results = population(lines, run.knowledge, run.wanted, run.key)
        parts, faults = collected(results)
    except Exception as error:  # an error of Spark, whose text may contain a patient's line
        stop(f"Spark failed ({type(error).__name__}); its log says more", FAULT)
    named = [Fault(file, 0, reason) for file, reason in run.export.faults]
    return Gathered(results.chosen, 1, [], [*named, *faults]), parts


def _found(export: Path, supplied: str) -> Export:
    from cds.population.export import TYPES, NoExport, find_export

    named = {each.strip() for each in supplied.split(",") if each.strip()}
    if unknown := sorted(named - TYPES):
        stop(f"--supplied: {', '.join(unknown)} is not read; there is: {', '.join(sorted(TYPES))}")
    try:
        return find_export(export, frozenset(named))
    except NoExport as why:
        stop(str(why))
    except OSError as error:
        stop(f"{export.name}: cannot be read ({error.strerror})")


def _times(at: str | None, every: str | None, begin: str | None) -> tuple[datetime, ...]:
    last = parse_at(at)
    if last is None:
        stop("--at: 'latest' is of one patient; name a time")
    last = last.astimezone(UTC).replace(microsecond=0)
    if every is None and begin is None:
        return (last,)
    step = re.fullmatch(r"([1-9][0-9]{0,3})d", every or "")
    first = parse_now(begin or "")
    if step is None or first is None:
        stop("--every wants days, as 28d, and --from the first moment")
    days = timedelta(days=int(step[1]))
    times = [last]
    while times[-1] - days >= first.astimezone(UTC):
        times.append(times[-1] - days)
        if len(times) > _MOST_TIMES:
            stop(f"--every: more than {_MOST_TIMES} times")
    return tuple(reversed(times))


def _key(file: Path | None) -> bytes:
    if file is None:
        return b""
    try:
        key = file.read_bytes().strip()
    except OSError as error:
        stop(f"--pseudonyms: {file.name}: {error.strerror}")
    if len(key) < _FEWEST_OF_A_KEY:
        stop(f"--pseudonyms: {file.name}: a key has at least {_FEWEST_OF_A_KEY} bytes")
    return key


def _watched(label: str, items: Iterable[T], length: int) -> Iterator[T]:
    """``items``, with a progress bar on standard error if that is a terminal."""
    if not sys.stderr.isatty():
        yield from items
        return
    with click.progressbar(items, length=length, label=f"{label:<10}", file=sys.stderr) as bar:
        yield from bar


def _say(written: Written) -> None:
    summary = written.summary
    people = ", ".join(f"{number} {what}" for what, number in summary.people.items())
    click.echo(f"{people}; judged as of {summary.at} by {summary.protocol}")
    if summary.missing:
        click.echo(f"not exported, so that nothing is known of them: {', '.join(summary.missing)}")
    if "Condition" in summary.missing and not summary.states:
        click.echo(
            "Condition was not exported: no patient has ITP on record, and no figure covers any patient; alerts are"
        )
    for each in summary.landmarks:
        if each.evaluable or each.otherwise:
            responses = ", ".join(f"{share.number} {name}" for name, share in each.responses.items())
            otherwise = "".join(f", {number} {why}" for why, number in each.otherwise.items())
            click.echo(f"at {each.months} months: {responses} of {each.evaluable} who could be judged{otherwise}")
    click.echo(
        f"{written.alerts} critical findings and warnings in alerts.csv; {written.faults} faults in faults.ndjson"
    )
