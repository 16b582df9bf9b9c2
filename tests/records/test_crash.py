"""Nothing that was acknowledged is lost: the service killed under load, and the power cut. The controls do lose, or the tests prove nothing."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from http.client import HTTPException
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cds.records import sqlite
from tests.conftest import LONG
from tests.hooks.doors import VIEW
from tests.records.power import Disk, over

CUTS = 50 if LONG else 6
KILLS = 50 if LONG else 3
CLIENTS = 16

_WRITER = """
import asyncio, os, sys
from cds.records.database import open_database
from cds.records.store import Store

class Early(Store):
    "Acknowledges before it commits."
    def _commit(self, batch):
        for write in batch:
            write.done(True, "")
        super()._commit(batch)

async def client(store, number):
    for at in range(10_000):
        token = f"{number}-{at}".encode()
        await store.write(lambda c: c.execute("INSERT INTO tokens VALUES (?, 0)", (token,)).rowcount)
        os.write(1, token + b"\\n")

async def main():
    store = (Early if sys.argv[2] == "early" else Store)(open_database(sys.argv[1]))
    await asyncio.gather(*(client(store, number) for number in range(16)))

asyncio.run(main())
"""


def lost(file: Path, how: str, acknowledged: int) -> int:
    """How many acknowledged writes are gone after the writer was killed as soon as it had acknowledged so many."""
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(file), how], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(acknowledged)]
        process.kill()
        lines += process.stdout.readlines()
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        kept = {row[0] for row in connection.execute("SELECT token FROM tokens")}
    return len({line.strip() for line in lines if line.endswith(b"\n")} - kept)


def test_a_writer_that_is_killed_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    assert [lost(tmp_path / str(at), "late", 30 + 7 * at) for at in range(KILLS)] == [0] * KILLS


def test_one_that_acknowledges_before_the_commit_does(tmp_path: Path) -> None:
    assert any(lost(tmp_path / str(at), "early", 30 + 7 * at) for at in range(50))


@pytest.mark.slow
def test_the_service_that_is_killed_loses_no_feedback(start: Callable[..., Any], tmp_path: Path) -> None:
    file, kept = tmp_path / "records", set[str]()
    for kill in range(KILLS):
        running = start(records=str(file))
        threads = [threading.Thread(target=_report, args=(running, f"{kill}-{at}", kept)) for at in range(CLIENTS)]
        for each in threads:
            each.start()
        before = len(kept)
        while len(kept) < before + 20:
            threads[0].join(0.01)
        os.killpg(running.process.pid, signal.SIGKILL)
        for each in threads:
            each.join()
    with closing(sqlite3.connect(file)) as connection:
        stored = {row[0] for row in connection.execute("SELECT card FROM feedback")}
    assert len(kept) >= 20 * KILLS and kept <= stored


def _report(running: Any, name: str, kept: set[str]) -> None:
    """Report on one card after the other, until the service is gone; what was taken is noted."""
    with suppress(OSError, HTTPException):
        for at in range(1_000):
            card = f"{name}-{at}"
            report = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2024-01-01T00:00:00Z"}
            status, _ = running.call("POST", f"{VIEW}/feedback", json.dumps({"feedback": [report]}).encode())
            if status == 200:
                kept.add(card)


def lost_by_the_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, synchronous: str, some: bool) -> int:
    """How many acknowledged writes are gone after the power went at the ``seed``-th place."""
    random, folder = Random(seed), tmp_path / f"{synchronous}-{some}-{seed}"
    before, after = folder / "before", folder / "after"
    before.mkdir(parents=True)
    after.mkdir()
    disk, acknowledged = Disk(60 + random.randint(1, 400)), list[bytes]()
    with monkeypatch.context() as patched:
        patched.setattr(sqlite, "sqlite3", over(before / "records", disk, synchronous))
        database = sqlite.Sqlite(before / "records")
        while not disk.is_cut:
            token = b"%d" % len(acknowledged)
            with database.transaction() as connection:
                connection.execute("INSERT INTO tokens VALUES (?, 0)", (token,))
            acknowledged.append(token)
        acknowledged.pop()  # the power went before it was acknowledged
        database.close()
    disk.after_the_cut(after, random if some else None)
    with closing(sqlite3.connect(after / "records")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        has_tables = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'tokens'").fetchone()
        kept = {row[0] for row in connection.execute("SELECT token FROM tokens")} if has_tables else set()
    assert acknowledged
    return len(set(acknowledged) - kept)


@pytest.mark.parametrize("some", [False, True], ids=["nothing of the rest", "some of the rest"])
def test_a_power_cut_loses_nothing_that_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, some: bool
) -> None:
    assert [lost_by_the_cut(tmp_path, monkeypatch, seed, "FULL", some) for seed in range(CUTS)] == [0] * CUTS


def test_without_a_sync_a_commit_it_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sum(lost_by_the_cut(tmp_path, monkeypatch, seed, "NORMAL", False) for seed in range(CUTS)) > CUTS
