"""What the processes of a run do, each a function of what it is given: rules and Medications are read from the run's folder once."""

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
    """What one bucket came to."""

    patients: list[Member] = []
    findings: list[Finding] = []
    values: list[Value] = []
    faults: list[tuple[str, str]] = []  # patient and reason
    only_named: int = 0  # patients who never had an order or a dose


def choose_unit(unit: Unit, work: str) -> Found:
    """In a process of the pool."""
    return choose(unit, _filter(work))


class Pages:
    """Where patients' own reports go: numbered, for the name of a file must not tell whose it is."""

    def __init__(self, folder: Path, bucket: int, first: int = 1) -> None:
        self._folder, self._bucket, self._next = folder, bucket, first

    def write(self, advice: Advice) -> str:
        """The name of the page, beside the run's own."""
        from cds.report.page import report  # with what draws, only where it is asked for

        page = self._folder / f"{self._bucket:06}-{self._next:03}.html"
        page.write_text(report(advice, __version__), encoding="utf-8")
        self._next += 1
        return f"{self._folder.name}/{page.name}"


def judge_bucket(
    file: Path, number: int, spilled: Sequence[Spilled], wanted: Wanted, key: bytes, work: str, pages: Pages | None
) -> None:
    """In a process of the pool: judge everybody of a bucket, and keep what they came to."""
    part = judge_lines(by_patient(pieces_of(number, spilled)), wanted, key, work, pages)
    put(file, msgspec.msgpack.encode(part))


def judge_lines(people: dict[str, list[bytes]], wanted: Wanted, key: bytes, work: str, pages: Pages | None) -> Part:
    """What patients came to, by the rules and Medications of a run."""
    return judge_people(people, _engine(work), _medications(work), wanted, key, pages)


def judge_people(
    people: dict[str, list[bytes]],
    engine: CheckedEngine,
    known: dict[str, bytes],
    wanted: Wanted,
    key: bytes,
    pages: Pages | None = None,
) -> Part:
    """What patients came to, in the order of their ids; ``known`` are the Medications to which their lines may point."""
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
    """Under the patient's name in what comes out; where that is a pseudonym, no resource is named."""
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
    """The Medications to which lines point, and of which these are made."""
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
    """What a patient is called in what comes out."""
    return hmac(key, patient.encode("utf-8", "surrogatepass"), "sha256").hexdigest()[:24] if key else patient


def _stamp(file: Path) -> tuple[int, int]:
    """What tells a file from the one that was in its place: one process may do several runs."""
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
    """Whole, or not at all."""
    made = file.with_suffix(".new")
    with made.open("wb") as written:
        written.write(content)
        written.flush()
        os.fsync(written.fileno())
    made.replace(file)
