"""Whether this machine can run the service as configured: what is in order, what is worth knowing, and what prevents it from running."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import sqlite3
import stat
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Literal, NamedTuple

import httpx

from cds.compiled.knowledge import Knowledge
from cds.hooks.auth import unusable_keys
from cds.hooks.keys import keys_in
from cds.hooks.recording import not_to_snooze
from cds.hooks.settings import Issuer, Settings
from cds.knowledge.cache import cache_folder
from cds.records.database import Unavailable, is_postgres, open_reader
from cds.records.key import key_beside

Level = Literal["ok", "note", "fault"]
_WAL_FIXED = (3, 51, 3)
"""The first release of SQLite without the WAL-reset bug; 3.50.7 and 3.44.6 have the fix, too (https://sqlite.org/wal.html)."""
_MENDED = ((3, 50, 7), (3, 44, 6))
_LEAST = 256 * 1024 * 1024  # bytes that should be free
_SKEW = 30  # seconds: as far as a token's issue time may lie in the future
_SECONDS = 5.0
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Looked(NamedTuple):
    """The result of one check. A ``fault`` prevents the service from working as configured; a ``note`` does not."""

    level: Level
    what: str


def look(settings: Settings, knowledge: Knowledge, client: httpx.Client) -> Iterator[Looked]:
    """Run all checks in turn; ``client`` fetches the keys of issuers, only from the addresses that the settings name."""
    if why := not_to_snooze(settings, knowledge):
        yield Looked("fault", why)
    why = unusable_keys(settings)
    yield Looked("fault", why) if why else Looked("ok", "files of issuers' keys can be used")
    yield from _sqlite()
    yield from _records(settings)
    yield from _places(settings)
    yield from _cache()
    yield from _files(settings)
    for issuer in settings.issuers:
        yield from _issuer(issuer, client)
    now = datetime.now(UTC).astimezone(settings.zone)
    yield Looked(
        "ok", f"today is {now:%Y-%m-%d}, and it is {now:%H:%M} in {settings.time_zone or 'the zone of this machine'}"
    )


def _sqlite() -> Iterator[Looked]:
    version = sqlite3.sqlite_version_info
    mended = version >= _WAL_FIXED or any(version[:2] == each[:2] and version >= each for each in _MENDED)
    said = f"SQLite {sqlite3.sqlite_version}"
    if mended:
        yield Looked("ok", said)
    else:
        yield Looked(
            "note",
            f"{said} has the WAL-reset bug; the service writes by a lock of its own, so let nothing else write the file",
        )


def _records(settings: Settings) -> Iterator[Looked]:
    where = settings.tokens_kept_in
    if not settings.records:
        yield Looked("note", "nothing is recorded: 'records' is not set")
    if not where:
        return
    if not is_postgres(where):
        file, key = Path(where), settings.records_key_file or key_beside(where)
        if not file.exists():
            yield Looked("note", f"{file.name} is not there; the service makes it")
            return
        if settings.records and not key.exists():
            yield Looked("fault", f"{key.name} is gone, the key by which patients are hashed")
        if not os.access(file, os.W_OK):
            yield Looked("fault", f"{file.name} cannot be written")
        yield from _permissions(file, key)
    try:
        with contextlib.closing(open_reader(where)) as reader, reader.transaction() as connection:
            [(number,)] = connection.execute("SELECT COUNT(*) FROM decisions").fetchall()
    except Unavailable as why:
        yield Looked("fault", f"records: {why}")
    else:
        yield Looked("ok", f"records: {number} decisions")


def _permissions(*files: Path) -> Iterator[Looked]:
    for file in files:
        if file.exists() and file.stat().st_mode & _OTHERS:
            yield Looked("note", f"{file.name} can be read by others than its owner: chmod 600")


def _cache() -> Iterator[Looked]:
    """The folder of compiled rules: without it the service still starts, and commands start more slowly."""
    folder = cache_folder()
    there = next((each for each in (folder, *folder.parents) if each.exists()), None) if folder is not None else None
    if there is not None and there.is_dir() and os.access(there, os.W_OK):
        yield Looked("ok", "compiled rules can be kept")
    else:
        yield Looked(
            "note", "compiled rules cannot be kept: each command reads them again (XDG_CACHE_HOME names a folder)"
        )


def _places(settings: Settings) -> Iterator[Looked]:
    folders = {"temporary files": Path(tempfile.gettempdir())}
    if settings.tokens_kept_in and not is_postgres(settings.tokens_kept_in):
        folders["records"] = Path(settings.tokens_kept_in).resolve().parent
    for name, folder in folders.items():
        if not os.access(folder, os.W_OK):
            yield Looked("fault", f"the folder for {name} cannot be written")
        elif folder.is_dir() and (free := shutil.disk_usage(folder).free) < _LEAST:
            yield Looked("fault", f"the folder for {name} has {free // 1_000_000} MB left")
        else:
            yield Looked("ok", f"the folder for {name} can be written and has room")


def _files(settings: Settings) -> Iterator[Looked]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < settings.max_connections:
        yield Looked(
            "note", f"a process may open {hard} files, fewer than max_connections ({settings.max_connections})"
        )
    else:
        yield Looked("ok", "as many files may be opened as connections are wanted")


def _issuer(issuer: Issuer, client: httpx.Client) -> Iterator[Looked]:
    """Whether an issuer's keys can be fetched, and whether its clock and ours agree: checking a token involves both clocks."""
    if issuer.jwks_url is None or issuer.jwks_file is not None:
        return
    began = time.time()
    try:
        answer = client.get(issuer.jwks_url, timeout=_SECONDS)
        answer.raise_for_status()
        number = len(keys_in(answer.content))
    except (httpx.HTTPError, ValueError) as error:
        yield Looked("fault", f"the keys of {issuer.iss} cannot be fetched ({type(error).__name__})")
        return
    yield Looked("ok" if number else "fault", f"{issuer.iss} has {number} keys that can be used")
    try:
        ahead = began - parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return
    if abs(ahead) > _SKEW:
        yield Looked(
            "fault",
            f"the clock here is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} that of {issuer.iss}; tokens are refused",
        )
