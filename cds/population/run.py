"""An export in a pool of processes: patients are chosen, their lines gathered by bucket on disk and judged bucket by bucket; a run that was
interrupted can be resumed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime
from hmac import new as hmac
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from cds import __version__
from cds.compiled.knowledge import Knowledge
from cds.knowledge.cache import into_cache
from cds.population.choose import pointing, with_parts
from cds.population.export import Export, Unit, line_number
from cds.population.gather import Fault, Spilled, gather, medications, pieces_of, with_ingredients
from cds.population.judge import Wanted
from cds.population.workers import (
    KNOWLEDGE,
    MEDICATIONS,
    Pages,
    Part,
    by_patient,
    choose_unit,
    judge_bucket,
    judge_lines,
    pseudonym,
    put,
)

T = TypeVar("T")
_PATIENTS = 200  # per bucket, on average
DIED = "the process that judged it died"


class OtherRun(Exception):
    """The folder contains another run, or one that is not to be resumed; ``str`` says which."""


class Asked(msgspec.Struct, frozen=True):
    """What a run is asked to do; two runs are the same if this is equal."""

    files: tuple[tuple[str, int, float], ...]
    times: tuple[datetime, ...]
    missing: tuple[str, ...]
    knowledge: str
    program: str
    pseudonyms: str = ""
    reports: bool = False


class Gathered(msgspec.Struct):
    """What was found before anything is judged."""

    chosen: int
    buckets: int
    spilled: list[Spilled]
    faults: list[Fault]


class Watch(Protocol):
    """Shows the progress of a run."""

    def __call__(self, label: str, items: Iterable[T], length: int, /) -> Iterator[T]:
        """``items``, one after the other."""


class Run:
    """One run in a folder of its own. ``key``: patients are identified by a keyed hash, and resources are not named.

    ``reports``: the folder for a report of each patient.
    """

    def __init__(
        self,
        export: Export,
        knowledge: Knowledge,
        wanted: Wanted,
        work: Path,
        key: bytes = b"",
        reports: Path | None = None,
    ) -> None:
        self.export, self.knowledge, self.wanted, self.work, self.key = export, knowledge, wanted, work, key
        self.reports = reports

    def begin(self, resume: bool) -> None:
        """Start the run in its folder, or resume it. Raises OtherRun."""
        asked = msgspec.json.encode(self._asked())
        file = self.work / "run.json"
        if not file.exists():
            self.work.mkdir(parents=True, exist_ok=True, mode=0o700)
            file.write_bytes(asked)
        elif not resume:
            raise OtherRun("a run was begun there: --resume continues it, another folder starts a new one")
        elif file.read_bytes() != asked:
            raise OtherRun("another run was begun there, with other files, rules, times or another program")
        into_cache(self.work / KNOWLEDGE, self.knowledge)
        if self.reports is not None:
            self.reports.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _asked(self) -> Asked:
        stats = [(str(path), path.stat()) for path in self.export.files]
        files = tuple((name, found.st_size, found.st_mtime) for name, found in stats)
        whose = hmac(self.key, b"pseudonyms", "sha256").hexdigest() if self.key else ""
        return Asked(
            files,
            self.wanted.times,
            self.wanted.missing,
            self.knowledge.hash,
            __version__,
            whose,
            self.reports is not None,
        )

    def gathered(self, workers: int, watch: Watch) -> Gathered:
        """The patients to judge, with their lines on disk."""
        file = self.work / "gathered"
        if file.exists():
            return msgspec.msgpack.decode(file.read_bytes(), type=Gathered, dec_hook=lambda _, text: Path(text))
        units = self.export.units()
        with self._pool(workers) as pool:
            patients = self._chosen(pool, units, watch)
            buckets = max(1, -(-len(patients) // _PATIENTS))
            asked = [(unit, patients, buckets, self.work / f"unit-{number}") for number, unit in enumerate(units)]
            spilled = list(watch("gather", _in_order(pool, gather, asked), len(units)))
            self._keep_medications(pool, units, spilled)
        faults = [Fault(file, 0, reason) for file, reason in self.export.faults]
        faults += [
            Fault(unit.path.name, line_number(unit, number), reason)
            for unit, each in zip(units, spilled, strict=True)
            for number, reason in each.faults
        ]
        found = Gathered(len(patients), buckets, spilled, faults)
        put(file, msgspec.msgpack.encode(found, enc_hook=str))
        return found

    def who(self, workers: int, watch: Watch) -> frozenset[str]:
        """The ids of the patients who would be judged."""
        with self._pool(workers) as pool:
            return self._chosen(pool, self.export.units(), watch)

    def _chosen(self, pool: Executor, units: Sequence[Unit], watch: Watch) -> frozenset[str]:
        everything = [(unit, str(self.work)) for unit in units]
        found = list(watch("choose", _in_order(pool, choose_unit, everything), len(units)))
        of_sirolimus = with_parts(found)
        direct = [each.patients for each in found]
        if of_sirolimus:
            direct += _in_order(pool, pointing, [(unit, of_sirolimus) for unit in units])
        return frozenset().union(*direct)

    def _keep_medications(self, pool: Executor, units: Sequence[Unit], spilled: Sequence[Spilled]) -> None:
        """Store the Medications that the gathered lines point to, and their ingredients."""

        def fetch(more: frozenset[str]) -> dict[str, bytes]:
            found = _in_order(pool, medications, [(unit, more) for unit in units])
            return {name: line for one in found for name, line in one.items()}

        kept = with_ingredients({each for one in spilled for each in one.medications}, fetch)
        put(self.work / MEDICATIONS, msgspec.msgpack.encode(kept))

    def judged(self, found: Gathered, workers: int, watch: Watch) -> Iterable[Part]:
        """The results of each bucket, in order, read from disk each time; buckets that already have results are not judged again."""
        lacking = [number for number in range(found.buckets) if not self._part(number).exists()]
        lost = []
        with self._pool(workers) as pool:
            futures = {pool.submit(judge_bucket, *self._bucket(number, found)): number for number in lacking}
            for future in watch("judge", as_completed(futures), len(futures)):
                try:
                    future.result()
                except BrokenProcessPool:
                    lost.append(futures[future])
        for number in lost:
            self._one_by_one(number, found)
        return _Parts([self._part(number) for number in range(found.buckets)])

    def _part(self, number: int) -> Path:
        return self.work / f"part-{number:06}"

    def _bucket(self, number: int, found: Gathered) -> tuple[Any, ...]:
        return self._part(number), number, found.spilled, self.wanted, self.key, str(self.work), self._pages(number)

    def _pages(self, bucket: int, first: int = 1) -> Pages | None:
        return Pages(self.reports, bucket, first) if self.reports is not None else None

    def _one_by_one(self, number: int, found: Gathered) -> None:
        """Judge a bucket whose process died, each patient in a separate process, so that a chart that kills it affects no other patient."""
        part = Part()
        for place, (patient, lines) in enumerate(by_patient(pieces_of(number, found.spilled)).items(), 1):
            with _processes(1) as pool:
                asked = ({patient: lines}, self.wanted, self.key, str(self.work), self._pages(number, place))
                try:
                    one = pool.submit(judge_lines, *asked).result()
                except BrokenProcessPool:
                    one = Part(faults=[(pseudonym(patient, self.key), DIED)])
            for name in ("patients", "findings", "values", "faults"):
                getattr(part, name).extend(getattr(one, name))
            part.only_named += one.only_named
        put(self._part(number), msgspec.msgpack.encode(part))

    def _pool(self, workers: int) -> Executor:
        """A pool of processes; with one worker everything runs in this process, which saves a small export the time to start others."""
        return _processes(workers) if workers > 1 else _Here()


class _Parts:
    """Parts on the disk, of which one is in memory at a time."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files

    def __iter__(self) -> Iterator[Part]:
        return (msgspec.msgpack.decode(file.read_bytes(), type=Part) for file in self._files)


def _processes(number: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(number, mp_context=get_context("spawn"))


class _Here(Executor):
    """Runs what is submitted at once, in this process."""

    def submit(self, do: Callable[..., T], /, *given: Any, **named: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(do(*given, **named))
        except Exception as error:
            future.set_exception(error)
        return future


def _in_order(pool: Executor, do: Callable[..., T], asked: Iterable[tuple[Any, ...]]) -> Iterator[T]:
    futures: list[Future[T]] = [pool.submit(do, *each) for each in asked]
    return (future.result() for future in futures)
