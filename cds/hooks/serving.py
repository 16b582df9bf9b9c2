"""The service as a process: one worker or several, each with its own engine, so that a crash affects only one worker."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import resource
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from cds.compiled.knowledge import Knowledge
from cds.engine import CheckedEngine
from cds.hooks.app import PATIENCE, create_app
from cds.hooks.judging import settle_memory
from cds.hooks.log import set_up_logs
from cds.hooks.metrics import free_ports
from cds.hooks.protocol import Impatient
from cds.hooks.reload import KeptRules, NotKept, block, on_signal, read_again, tell_workers
from cds.hooks.settings import Settings

_HANDED_ON, _KNOWLEDGE = "SIROLIMUS_CDS_SETTINGS_OF_A_WORKER", "SIROLIMUS_ITP_CDS_KNOWLEDGE"
_PARENT = "SIROLIMUS_ITP_CDS_PARENT"
_FILES, _OTHER_FILES, _FEWEST = 4096, 160, 8
"""Open files that a worker requests; those that it reserves for calls back, stores and logs; and the minimum number of connections."""
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_KEEP_ALIVE = 75
"""Seconds; with uvicorn's default of five, a client that pools its connections loses a request now and then."""


def from_environment() -> Starlette:
    """The application of one worker; the settings given to ``serve`` are passed on in the environment."""
    _end_with_the_parent()
    settings = Settings.model_validate_json(os.environ[_HANDED_ON])
    kept = KeptRules(Path(os.environ[_KNOWLEDGE]))
    app = _application(*kept.engine(), settings)
    on_signal(lambda: app.state.service.serve_by(*kept.engine()))
    return app


def _end_with_the_parent() -> None:
    """Let the system end this worker when its parent is killed; on systems other than Linux it would go on alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGINT)  # at once: another service may wait for the port
        if os.getppid() != int(os.environ[_PARENT]):  # it was killed before the call above
            raise SystemExit("the parent has gone")


def _application(engine: CheckedEngine, knowledge: Path, settings: Settings) -> Starlette:
    set_up_logs(settings.log_level)
    Impatient.silent_seconds = settings.silent_seconds
    Impatient.most = _connections(settings.max_connections)
    app = create_app(engine, settings, knowledge=knowledge)
    settle_memory()
    return app


def _connections(wanted: int) -> int:
    """How many connections a worker may hold: as many as are wanted, with files left for everything else."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    return wanted if soft == resource.RLIM_INFINITY else max(min(wanted, soft - _OTHER_FILES), _FEWEST)


def serve(engine: CheckedEngine, settings: Settings, started: Callable[[], None]) -> None:
    """Run until told to stop; calls that are under way then are still answered. A single worker uses ``engine`` itself.

    Raises:
        OSError: the address cannot be listened on, as when another service does.
        NotKept: the folder for temporary files does not take the rules.
        NoPort: a port for metrics is not free.
    """
    family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
    with socket.socket(family, socket.SOCK_STREAM) as tried:  # uvicorn would say so only in its log, after "Listening"
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tried.bind((settings.host, settings.port))
    if settings.metrics_port:
        free_ports(settings.metrics_host, settings.metrics_port, settings.workers)
    os.environ[_HANDED_ON] = settings.model_dump_json()
    # workers and judges import nothing from the folder in which the service was started
    os.environ["PYTHONSAFEPATH"] = "1"
    with _kept(engine.knowledge) as kept:
        os.environ[_KNOWLEDGE], os.environ[_PARENT] = str(kept.folder), str(os.getpid())
        set_up_logs(settings.log_level)
        is_signal_ours = block()
        started()
        alone = _application(engine, kept.newest(), settings) if settings.workers == 1 else None

        def read_rules() -> None:
            if not read_again(settings, kept):
                return
            if alone is None:
                tell_workers()
            else:
                alone.state.service.serve_by(*kept.engine())

        if is_signal_ours:
            on_signal(read_rules)
        _run(alone or "cds.hooks.serving:from_environment", settings)


@contextlib.contextmanager
def _kept(knowledge: Knowledge) -> Iterator[KeptRules]:
    """The rules that the service starts with."""
    try:
        made = tempfile.TemporaryDirectory(prefix="sirolimus-itp-cds-")
    except OSError:
        raise NotKept from None
    with made as folder:
        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_SH)  # programs that clean up old temporary files skip a locked folder
        kept = KeptRules(Path(folder))
        kept.put(knowledge)
        yield kept
        os.close(handle)


def _run(application: Starlette | str, settings: Settings) -> None:
    alone = settings.workers == 1
    uvicorn.run(
        application,
        factory=not alone,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        http="cds.hooks.protocol:Impatient",  # a name, so that every worker finds it
        log_config=None,
        access_log=False,
        loop="asyncio",  # uvloop accepts one new connection per turn: under load calls waited for seconds, neither seen nor refused
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=int(PATIENCE * settings.answer_seconds) + 5,
        server_header=False,
    )
