"""What the processes of a run do, as functions of their arguments: rules and Medications are read from the run's folder once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hmac import new as hmac
from pathlib import Path

import msgspec

from cds import __version__
from cds.advise import Advice
from cds.compiled.knowledge import Knowledge
from cds.engine import CheckedEngine, EngineFault
from cds.knowledge.cache import from_cache
from cds.population.choose import Filter, Found, choose
from cds.population.export import Unit
from cds.population.gather import Piece, Spilled, pieces_of
from cds.population.judge import Judged, Wanted, judge
from cds.population.owners import medications_of, resource_in
from cds.population.rows import Finding, Member, Value

ENGINE, INTERNAL = "the rule engine failed: no advice", "an internal fault"
KNOWLEDGE, MEDICATIONS = "knowledge", "medications"


class Part(msgspec.Struct):
    """The results of one bucket."""

    patients: list[Member] = []
    findings: list[Finding] = []
    values: list[Value] = []
    faults: list[tuple[str, str]] = []  # patient and reason
    only_named: int = 0  # patients who never had an order or a dose


def choose_unit(unit: Unit, work: str) -> Found:
    """Choose patients; runs in a process of the pool."""
    return choose(unit, _filter(work))


class Pages:
    """Where the reports of single patients go: numbered, because the name of a file must not identify the patient."""

    def __init__(self, folder: Path, bucket: int, first: int = 1) -> None:
        self._folder, self._bucket, self._next = folder, bucket, first

    def write(self, advice: Advice) -> str:
        """Write a page; its path relative to the run's own page."""
        from cds.report.page import report  # loads the drawing library, so only if asked for

        page = self._folder / f"{self._bucket:06}-{self._next:03}.html"
        page.write_text(report(advice, __version__), encoding="utf-8")
        self._next += 1
        return f"{self._folder.name}/{page.name}"


def judge_bucket(
    file: Path, number: int, spilled: Sequence[Spilled], wanted: Wanted, key: bytes, work: str, pages: Pages | None
) -> None:
    """Judge all patients of a bucket, and store the results; runs in a process of the pool."""
    part = judge_lines(by_patient(pieces_of(number, spilled)), wanted, key, work, pages)
    put(file, msgspec.msgpack.encode(part))


def judge_lines(people: dict[str, list[bytes]], wanted: Wanted, key: bytes, work: str, pages: Pages | None) -> Part:
    """The results for patients, by the rules and Medications of a run."""
    return judge_people(people, _engine(work), _medications(work), wanted, key, pages)


def judge_people(
    people: dict[str, list[bytes]],
    engine: CheckedEngine,
    known: dict[str, bytes],
    wanted: Wanted,
    key: bytes,
    pages: Pages | None = None,
) -> Part:
    """The results for patients, in the order of their ids; ``known`` are the Medications that their lines may point to."""
    part = Part()
    for patient, lines in sorted(people.items()):
        name = pseudonym(patient, key)
        try:
            judged = judge(patient, [*lines, *_pointed(lines, known)], engine, wanted)
            if pages is not None and judged.patient is not None and judged.advice is not None:
                judged.patient.report = pages.write(judged.advice)
        except EngineFault:
            judged = Judged(fault=ENGINE)
        except Exception as error:  # no traceback, which may hold the patient's data
            judged = Judged(fault=f"{INTERNAL} ({type(error).__name__}): no advice")
        if judged.fault:
            part.faults.append((name, judged.fault))
        elif judged.patient is None:
            part.only_named += 1
        else:
            _add(part, judged, name, bool(key))
    return part


def _add(part: Part, judged: Judged, name: str, hidden: bool) -> None:
    """Add a patient's results under ``name``; if that is a pseudonym (``hidden``), no resource is named."""
    assert judged.patient is not None
    rows: list[Member | Finding | Value] = [judged.patient, *judged.findings, *judged.values]
    for row in rows:
        row.patient = name
    if hidden:
        for finding in judged.findings:
            finding.evidence = []
        for value in judged.values:
            value.reference = ""
    part.patients.append(judged.patient)
    part.findings += judged.findings
    part.values += judged.values


def _pointed(lines: Iterable[bytes], known: dict[str, bytes]) -> list[bytes]:
    """The Medications that lines point to, and their ingredients."""
    found: dict[str, bytes] = {}
    waiting = list(lines) if known else []
    while waiting:
        resource = resource_in(waiting.pop())
        for each in sorted(medications_of(resource)) if resource is not None else ():
            if each in known and each not in found:
                found[each] = known[each]
                waiting.append(known[each])
    return list(found.values())


def by_patient(pieces: Iterable[Piece]) -> dict[str, list[bytes]]:
    """The lines of a bucket by patient, in the order of the export."""
    people: dict[str, list[bytes]] = {}
    for each in pieces:
        people.setdefault(each.owner, []).append(each.line)
    return people


def pseudonym(patient: str, key: bytes) -> str:
    """How a patient is identified in the results."""
    return hmac(key, patient.encode("utf-8", "surrogatepass"), "sha256").hexdigest()[:24] if key else patient


def _stamp(file: Path) -> tuple[int, int]:
    """Distinguishes a file from an earlier one at the same path: one process may do several runs."""
    found = file.stat()
    return found.st_ino, found.st_mtime_ns


def _filter(work: str) -> Filter:
    return _read_filter(work, _stamp(Path(work) / KNOWLEDGE))


def _engine(work: str) -> CheckedEngine:
    return _read_engine(work, _stamp(Path(work) / KNOWLEDGE))


def _medications(work: str) -> dict[str, bytes]:
    return _read_medications(work, _stamp(Path(work) / MEDICATIONS))


def _knowledge(work: str) -> Knowledge:
    knowledge = from_cache(Path(work) / KNOWLEDGE)
    if knowledge is None:
        raise RuntimeError("the rules of the run are gone")
    return knowledge


@lru_cache(1)
def _read_engine(work: str, _: tuple[int, int]) -> CheckedEngine:
    return CheckedEngine(_knowledge(work))


@lru_cache(1)
def _read_filter(work: str, _: tuple[int, int]) -> Filter:
    return Filter(_knowledge(work))


@lru_cache(1)
def _read_medications(work: str, _: tuple[int, int]) -> dict[str, bytes]:
    return msgspec.msgpack.decode((Path(work) / MEDICATIONS).read_bytes(), type=dict[str, bytes])


def put(file: Path, content: bytes) -> None:
    """Write a file in full, or not at all."""
    made = file.with_suffix(".new")
    with made.open("wb") as written:
        written.write(content)
        written.flush()
        os.fsync(written.fileno())
    made.replace(file)
