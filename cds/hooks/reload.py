"""Other rules without a restart: on SIGHUP they are read and checked, and served from then on; or they are refused, and nothing changes.

The signal is blocked in every process of the service, and one thread in each process waits for it, so that it interrupts no call.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from cds.compiled.knowledge import Knowledge
from cds.engine import CheckedEngine, EngineFault
from cds.hooks.recording import not_to_snooze
from cds.hooks.settings import Settings
from cds.knowledge.cache import from_cache, into_cache

_log = logging.getLogger("cds.hooks")
_MOST = 10  # faults of the rules to log, at most
_NOT_LOGGED = re.compile(r"[^\w .,:;'()/@+%?#=-]")


class NotKept(Exception):
    """The rules cannot be written to the folder for temporary files."""


class KeptRules:
    """The rules that are served, as numbered files in one folder: every process uses the newest, including one that replaces another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def newest(self) -> Path:
        """The file of the rules to serve."""
        return max(self._files(), key=lambda file: int(file.name))

    def put(self, knowledge: Knowledge) -> None:
        """Serve these from now on. The previous file stays, because a process may be reading it. Raises NotKept."""
        before = sorted(self._files(), key=lambda file: int(file.name))
        file = self.folder / str(int(before[-1].name) + 1 if before else 1)
        into_cache(file, knowledge)
        if from_cache(file) is None:
            raise NotKept
        for each in before[:-1]:
            each.unlink()

    def engine(self) -> tuple[CheckedEngine, Path]:
        """An engine over the rules to serve, and their file."""
        file = self.newest()
        knowledge = from_cache(file)
        if knowledge is None:
            raise RuntimeError("the rules of the service are gone")
        return CheckedEngine(knowledge), file

    def _files(self) -> list[Path]:
        return [file for file in self.folder.iterdir() if file.name.isdecimal()]


def served_rules(settings: Settings) -> Knowledge:
    """The rules that the settings name, as they are to be served. Raises UnsoundRules."""
    from cds.knowledge.load import UnsoundRules, load  # one of several workers never reads rules, and needs no YAML
    from cds.knowledge.reviews import active_only

    knowledge = load(settings.rules, settings.protocol, settings.overlays, cached=False, signers=settings.signers)
    if settings.active_only:
        knowledge = active_only(knowledge)
        if not any(rule.status == "active" for rule in knowledge.rules):
            raise UnsoundRules(["only signed rules are to be served, and none is signed"])
    if why := not_to_snooze(settings, knowledge):
        raise UnsoundRules([why])
    return knowledge


def read_again(settings: Settings, kept: KeptRules) -> bool:
    """Read the rules that the settings name and keep them for every process; where they cannot be used the log says why."""
    from cds.knowledge.load import UnsoundRules

    try:
        knowledge = served_rules(settings)
        CheckedEngine(knowledge)
        kept.put(knowledge)
    except UnsoundRules as unsound:
        for fault in unsound.faults[:_MOST]:
            _log.error("other rules are refused", extra={"fault": _NOT_LOGGED.sub("?", fault)[:200]})
        return False
    except (EngineFault, NotKept, OSError) as error:
        _log.error("other rules are refused", extra={"fault": type(error).__name__})
        return False
    _log.warning("rules were read again", extra={"knowledge": knowledge.hash})
    return True


def block() -> bool:
    """Block the signal until the thread for it takes it; False at a terminal, where SIGHUP means that it was closed."""
    if sys.stdin is not None and sys.stdin.isatty():
        return False
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})  # in all threads and processes started from here on
    return True


def on_signal(do: Callable[[], object]) -> None:
    """Call ``do`` each time the signal arrives, one call after the other, in a separate thread."""

    def wait() -> None:
        while True:
            signal.sigwait({signal.SIGHUP})
            try:
                do()
            except Exception as error:
                _log.error("other rules are refused", extra={"fault": type(error).__name__})

    threading.Thread(target=wait, name="reload", daemon=True).start()


def tell_workers() -> None:
    """Pass the signal on to the workers."""
    for each in multiprocessing.active_children():
        if each.pid is not None:
            os.kill(each.pid, signal.SIGHUP)
