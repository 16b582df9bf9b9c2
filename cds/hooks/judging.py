"""Where bodies are judged: small ones in this process, large ones in separate processes, so that no call waits for another's chart."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar, TypeVarTuple

import anyio
import anyio.to_process

from cds.advise import Advice, advise
from cds.cards.held_back import Earlier
from cds.chart.body import InputError
from cds.chart.request import Request, read_request
from cds.compiled.hooks import HookName
from cds.engine import CheckedEngine
from cds.hooks.callback import medications, missing
from cds.hooks.discovery import prefetch
from cds.hooks.fetch import Server
from cds.hooks.http import encode
from cds.hooks.messages import check_answer
from cds.hooks.sent import Sending, sent
from cds.knowledge.cache import from_cache
from cds.records.decision import Decision, Recorder
from cds.records.snooze import History

LARGE = 96 * 1024
"""Bytes above which a body is judged in a separate process; a smaller body, however dense, takes about 45 ms at most (``make bench``)."""
_APART = 2  # separate processes per worker
_NICE = 5  # with few cores, small calls and health checks take precedence over large charts
_REMEMBERED = 8  # turns that are averaged to estimate how long the next one takes
_ORDER = {
    "resourceType": "MedicationRequest",
    "id": "nobody",
    "status": "active",
    "intent": "order",
    "authoredOn": "2024-01-01",
}
_NOBODY = encode(
    {
        "hook": "patient-view",
        "hookInstance": "nobody",
        "context": {"patientId": "nobody"},
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": "nobody", "birthDate": "2000-01-01"},
            "medications": _ORDER
            | {"medicationCodeableConcept": {"text": "sirolimus"}, "subject": {"reference": "Patient/nobody"}},
        },
    }
)
"""A call for a made-up patient, used to run facts, rules and cards once."""
_log = logging.getLogger("cds.hooks")
_Result = TypeVar("_Result")
_Arguments = TypeVarTuple("_Arguments")


class NoMedications(Exception):
    """The request lacks the prefetch key 'medications', without which nothing can be judged."""


class Gone(Exception):
    """The caller has closed the connection."""


class TooLate(Exception):
    """The caller has already waited too long."""


class Waiting(NamedTuple):
    """A caller that waits for an answer: whether it has disconnected, and until when (monotonic clock) an answer is useful."""

    is_gone: Callable[[], Awaitable[bool]]
    until: float

    async def check(self) -> None:
        """Raises Gone or TooLate if no caller would use the judgement."""
        if await self.is_gone():
            raise Gone
        if time.monotonic() > self.until:
            raise TooLate


class Answer(NamedTuple):
    """The JSON of an answer, and how many cards are in it."""

    content: bytes
    cards: int
    decision: Decision | None = None  # the decision to record


class Judge:
    """Bytes in, bytes out; its methods raise InputError for what cannot be judged, and EngineFault."""

    def __init__(self, engine: CheckedEngine, how: Sending, recorder: Recorder | None = None) -> None:
        self._engine, self._how, self._recorder = engine, how, recorder
        self._templates = prefetch(engine.knowledge)

    def lacking(self, body: bytes, hook: HookName, server: Server) -> dict[str, str]:
        """The queries, by key, whose answers ``body`` lacks: what was not sent, and Medications that orders only refer to."""
        question = read_request(body, hook)
        if not question.from_hook:
            raise InputError("this is a FHIR Bundle, not a CDS Hooks request")
        return missing(question, self._templates) | medications(question, server)

    def unread_medications(self, body: bytes, hook: HookName, server: Server) -> dict[str, str]:
        """The reads of Medications that ``body`` refers to and does not hold."""
        return medications(read_request(body, hook), server)

    def answer(
        self, body: bytes, hook: HookName, now: datetime, issuer: str = "", history: History | None = None
    ) -> Answer:
        """The cards at ``now``, for a call of ``issuer``; ``history`` may hold some back. Raises NoMedications too."""
        question = read_request(body, hook)
        if not question.from_hook:
            raise InputError("this is a FHIR Bundle, not a CDS Hooks request")
        if "MedicationRequest" in question.not_supplied:
            raise NoMedications
        advice = advise(question, self._engine, now, earlier=self._earlier(question, issuer, history))
        content = encode({"cards": sent(advice.cards, self._how)})
        if self._how.check:
            check_answer(content)
        return Answer(content, len(advice.cards), self._decision(advice, question, now, issuer))

    def _earlier(self, question: Request, issuer: str, history: History | None) -> tuple[Earlier, ...]:
        """What happened to this patient's earlier cards; empty unless the history is certainly this patient's."""
        if history is None or self._recorder is None or self._recorder.patient_of(question, issuer) != history.patient:
            return ()
        return history.earlier

    def _decision(self, advice: Advice, question: Request, now: datetime, issuer: str) -> Decision | None:
        """The decision to record; a fault in making it must not suppress the cards."""
        if self._recorder is None:
            return None
        try:
            return self._recorder.decision(advice, question, now, issuer)
        except Exception as error:
            _log.error("a decision cannot be put down", extra={"fault": type(error).__name__})
            return None


def settle_memory() -> None:
    """Keep the garbage collector away from objects that live as long as the process: its runs make slow requests slow."""
    gc.unfreeze()  # the previous rules, if there were any
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


@lru_cache(1)
def judge_of(file: str, how: Sending, recorder: Recorder | None) -> Judge:
    """The judge for the knowledge in a file; used in a separate process, and made once for each file."""
    for number in (signal.SIGTERM, signal.SIGINT):  # sent to all processes, while calls are still answered
        signal.signal(number, signal.SIG_IGN)  # a separate process ends with the process that started it
    knowledge = from_cache(Path(file))
    if knowledge is None:
        raise RuntimeError("the knowledge that the service began with is gone")
    judge = Judge(CheckedEngine(knowledge), how, recorder)
    settle_memory()
    os.setpriority(os.PRIO_PROCESS, 0, max(_NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    return judge


def _apart(
    file: str,
    how: Sending,
    recorder: Recorder | None,
    do: Callable[[Judge, *_Arguments], _Result],
    *given: *_Arguments,
) -> _Result:
    return do(judge_of(file, how, recorder), *given)


class Judges:
    """Decides where and when a body is judged: small ones here, one per turn of the event loop; large ones in separate processes.

    The separate processes end with this one, are started again after a crash, and are killed when the caller's time is up. A body
    whose process died is judged again: one attempt for each separate process, and one more.
    Without a knowledge file, all bodies are judged in this process.
    """

    def __init__(
        self, engine: CheckedEngine, how: Sending, knowledge: Path | None, recorder: Recorder | None = None
    ) -> None:
        self._here = Judge(engine, how, recorder)
        self._file, self._how, self._recorder = knowledge, how, recorder
        # other calls are accepted between two turns, and refused at once if too many wait
        self._turn, self._places = asyncio.Lock(), asyncio.Semaphore(_APART)
        self._waiting = 0  # calls that wait for a turn, including the one whose turn it is
        self._pace = 0.0  # recent average of seconds per turn

    @property
    def wait(self) -> float:
        """Seconds that a small body would wait for its turn, estimated from recent turns."""
        return self._waiting * self._pace

    def rehearse(self) -> None:
        """Judge a made-up chart: the first chart takes many times as long as the next, and calls behind it would be refused."""
        with contextlib.suppress(Exception):  # any fault will be reported when a real chart is judged
            self._here.answer(_NOBODY, "patient-view", datetime.now(UTC))

    async def warm(self) -> None:
        """Start a separate process before a call needs it."""
        if self._file is None:
            return
        try:
            await self._run_apart(Judge.answer, _NOBODY, "patient-view", datetime.now(UTC), "")
        except Exception as error:
            _log.error("a judge could not be started", extra={"fault": type(error).__name__})

    async def run(
        self, waiting: Waiting, do: Callable[[Judge, bytes, *_Arguments], _Result], body: bytes, *given: *_Arguments
    ) -> _Result:
        """The result of a :class:`Judge` method for ``body``. Raises what the method raises, and TimeoutError if time is up while it runs.

        Raises:
            Gone: the caller had gone before the judgement began.
            TooLate: the time was up before the judgement began.
        """
        if self._file is None or len(body) <= LARGE:
            return await self._in_turn(waiting, do, body, *given)
        await waiting.check()  # the server notices that a caller has gone only when it is asked
        async with self._places:
            await waiting.check()
            with anyio.fail_after(waiting.until - time.monotonic()):
                for _ in range(_APART):  # each process may have died before it was used
                    with contextlib.suppress(anyio.BrokenWorkerProcess):
                        return await self._run_apart(do, body, *given)
                    _log.warning("a judge died, and another one is asked")
                return await self._run_apart(do, body, *given)

    async def _in_turn(
        self, waiting: Waiting, do: Callable[[Judge, bytes, *_Arguments], _Result], body: bytes, *given: *_Arguments
    ) -> _Result:
        came = time.monotonic()
        self._waiting += 1
        turns = self._waiting
        try:
            async with self._turn:
                await asyncio.sleep(0)
                await waiting.check()
                return do(self._here, body, *given)
        finally:
            self._waiting -= 1
            # includes the work between turns: checking tokens of other calls, and receiving bodies
            self._pace += ((time.monotonic() - came) / turns - self._pace) / _REMEMBERED

    async def _run_apart(
        self, do: Callable[[Judge, bytes, *_Arguments], _Result], body: bytes, *given: *_Arguments
    ) -> _Result:
        limiter = anyio.CapacityLimiter(1)  # ``_places`` sets the limit
        return await anyio.to_process.run_sync(
            _apart,
            str(self._file),
            self._how,
            self._recorder,
            do,
            body,
            *given,
            cancellable=True,
            limiter=limiter,
        )
