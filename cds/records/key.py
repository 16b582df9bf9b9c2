"""The key by which patients are hashed, and the store that the settings name."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cds.records.database import Unavailable, is_postgres, open_database, open_reader
from cds.records.keeper import Records
from cds.records.store import Store

_BYTES, _FEWEST = 32, 16
_LONG, _SHORT = 2.0, 0.5  # seconds; a card that comes later is not read


def open_records(where: str, now: Callable[[], float], *, must: bool, days: int) -> Records:
    """The records at a path or URL, created if there are none. Raises Unavailable.

    ``must``: an answer waits longer for its commit, because it is refused without one.
    """
    return Records(Store(open_database(where), _LONG if must else _SHORT), now, days)


def key_of(where: str, file: Path | None) -> bytes:
    """The key in ``file``, or else in PATH.key next to a SQLite file; PATH.key is created together with that file.

    Raises:
        Unavailable: it cannot be read or made, or is shorter than 16 bytes.
    """
    if file is None and is_postgres(where):
        raise Unavailable("records_key_file is needed with PostgreSQL: 32 random bytes that every machine has")
    path = file or key_beside(where)
    if file is None and not path.exists() and _holds_decisions(where):
        raise Unavailable(
            f"{path.name} is gone, and by another key each patient is another one: put it back, or set records_key_file"
        )
    try:
        if file is None:
            _make(path)
        key = path.read_bytes().strip()
    except OSError as error:
        raise Unavailable(f"{path.name}: {error.strerror}") from None
    if len(key) < _FEWEST:
        raise Unavailable(f"{path.name}: a key has at least {_FEWEST} bytes")
    return key


def key_beside(where: str) -> Path:
    """The default path of the key for a SQLite file, used unless the settings name another."""
    return Path(f"{Path(where).resolve()}.key")


def _holds_decisions(where: str) -> bool:
    """Whether the records already contain hashed patients."""
    try:
        with contextlib.closing(open_reader(where)) as reader, reader.transaction() as connection:
            return bool(connection.execute("SELECT 1 FROM decisions LIMIT 1").fetchall())
    except Unavailable:  # there are no records, or opening them later will say what is wrong
        return False


def _make(path: Path) -> None:
    with contextlib.suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(_BYTES).encode())
