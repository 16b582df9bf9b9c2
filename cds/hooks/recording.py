"""What the service records about its answers, as the settings say."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request

from cds.chart.wire import UNREADABLE
from cds.compiled.knowledge import Knowledge
from cds.hooks.auth import Caller
from cds.hooks.discovery import SERVICES
from cds.hooks.feedback import Counted, Keeper
from cds.hooks.metrics import Metrics, serve
from cds.hooks.settings import Settings
from cds.records.database import Unavailable, open_database
from cds.records.decision import Decision, Recorder
from cds.records.keeper import Asked, Records
from cds.records.key import key_of, open_records
from cds.records.snooze import History, snoozed, unusable_snooze

if TYPE_CHECKING:
    from http.server import HTTPServer

_log = logging.getLogger("cds.hooks")
_LEAST = 64 * 1024 * 1024
"""Bytes that must be free: SQLite's write-ahead log needs room before it can be shortened."""
_BELIEVED = 1.0  # seconds for which a successful write is trusted


class _Context(msgspec.Struct):
    patientId: str


class _About(msgspec.Struct):
    """The part of a request that identifies the patient."""

    context: _Context
    fhirServer: str | None = None


class Recording:
    """The records of a service. With a ``replay_file``, only tokens are stored.

    ``must``: calls are refused if the records cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        """Raises Unavailable if the store or the key cannot be used, NoPort if no port is free for the metrics."""
        where = settings.tokens_kept_in
        self.must = settings.records_failure == "refuse" or not settings.records
        key = key_of(settings.records, settings.records_key_file) if settings.records else b""
        self.records: Records | None = None
        if where:
            self.records = open_records(where, time.time, must=self.must, days=settings.records_days)
        self.metrics: Metrics | None = None
        self._server: HTTPServer | None = None
        if settings.metrics_port:
            self.metrics = Metrics()
            self._server = serve(self.metrics, settings.metrics_host, settings.metrics_port, settings.workers)
        self.recorder: Recorder | None = None
        self._is_kept = bool(settings.records)
        self._settings = settings
        self._written = -_BELIEVED  # when a write to the records was last seen to work
        self._tidying: asyncio.Task[None] | None = None  # kept, because a task without a reference may be collected
        if settings.records:
            self.recorder = Recorder(settings.records_keep, key)
        elif self.metrics is not None:
            self.recorder = Recorder("verdict", b"")  # for the metrics only

    def serve_by(self, knowledge: Knowledge) -> None:
        """Count and snooze by these rules from now on."""
        self._snoozed = snoozed(self._settings.snooze, self._settings.once_a_course, knowledge)
        if self.metrics is not None:
            self.metrics.serve_by(knowledge)

    @property
    def feedback(self) -> Keeper:
        """Where feedback goes: the records or, if there are none, a counter."""
        return self.records if self._is_kept and self.records is not None else Counted()

    def of_fault(self, card: Mapping[str, Any], knowledge: Knowledge, now: datetime) -> Decision | None:
        """The decision to record for an evaluation that failed."""
        return self.recorder.fault(card, knowledge, now) if self.recorder is not None else None

    async def history(self, body: bytes, issuer: str, now: datetime) -> History | None:
        """What happened to earlier cards of the call's patient, if the site lets any be held back; None if nothing is known."""
        if not self._snoozed or self.records is None or self.recorder is None:
            return None
        try:
            about = msgspec.json.decode(body, type=_About)
            server, patient_id = about.fhirServer or "", about.context.patientId.removeprefix("Patient/")
            patient = self.recorder.patient(issuer, server, patient_id)
            return History(patient, await self.records.earlier(patient, self._snoozed, now))
        except UNREADABLE:  # the judge will say what is wrong with the body
            return None
        except Unavailable as why:
            _log.error("what became of earlier cards is not known: all are shown", extra={"fault": str(why)})
            return None

    async def keep(self, request: Request, decision: Decision | None, caller: Caller, arrived: float) -> bool:
        """Whether the answer may be sent: its decision is recorded, or does not have to be."""
        if decision is not None and self.metrics is not None:
            self.metrics.decided(decision)
        if not self._is_kept or await self._is_written(request, decision, caller, arrived):
            return True
        if self.metrics is not None:
            self.metrics.lost()
        return not self.must

    async def _is_written(self, request: Request, decision: Decision | None, caller: Caller, arrived: float) -> bool:
        assert self.records is not None
        if decision is None:  # the decision could not be made into a record
            return False
        ms = round((time.monotonic() - arrived) * 1000, 1)
        asked = Asked(request.state.said["request"], SERVICES[request.path_params["id"]], caller.issuer, ms)
        began = time.monotonic()
        try:
            await self.records.decided(decision, asked)
        except Unavailable as why:
            self._written = -_BELIEVED
            _log.error("a decision was not kept", extra={"fault": str(why), "request": asked.request})
            return False
        if self.metrics is not None:
            self.metrics.recorded(time.monotonic() - began)
        if (tidying := self.records.tidy()) is not None:
            self._tidying = asyncio.create_task(tidying)
        return True

    async def fault(self) -> str:
        """Why nothing can be recorded now; empty if it can, or if nothing has to be. A successful write is trusted for a second."""
        if self.records is None:
            return ""
        try:
            if time.monotonic() - self._written >= _BELIEVED:
                await self.records.probe()
                self._written = time.monotonic()
            free = self.records.store.free_bytes()
        except Unavailable as why:
            return str(why)
        return "little space is left for the records" if free is not None and free < _LEAST else ""

    def close(self) -> None:
        """Write what is queued, and close the store."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        if self.records is not None:
            self.records.store.close()


def not_to_snooze(settings: Settings, knowledge: Knowledge) -> str:
    """Why cards cannot be held back as the settings ask, in words; empty if they can."""
    return unusable_snooze(settings.snooze, settings.once_a_course, knowledge)


def unusable_records(settings: Settings) -> str:
    """Why nothing can be recorded or counted as the settings ask, in words; empty if it can. Creates the records if there are none."""
    if settings.metrics_port and find_spec("prometheus_client") is None:
        return "metrics_port: metrics need prometheus-client (pip install prometheus-client)"
    try:
        if settings.records:
            key_of(settings.records, settings.records_key_file)
        if where := settings.tokens_kept_in:
            open_database(where).close()
    except Unavailable as why:
        name = "records" if settings.records else "replay_file"
        return f"{name}: cannot be opened or written ({why}); its folder must be there, and writable for the service"
    return ""
