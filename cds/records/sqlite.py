"""The records in one SQLite file, which must not be replaced while it is open.

Every commit reaches the disk before it counts as done (``synchronous=FULL``). A writer holds a separate lock file next to the
database during commit and checkpoint: releases of SQLite before 3.51.3 may damage a file when one connection writes while
another one restarts the log (https://sqlite.org/wal.html, section on the WAL-reset bug).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from cds.records.database import Connection, Unavailable
from cds.records.schema import NEWEST, is_behind, refuse_newer, upgrade

_HEAD = b"SQLite format 3\0"
_WAIT = 0.5  # seconds to wait for another transaction
_PAUSE = 0.001  # seconds between two attempts to take the lock


class Sqlite:
    """The file, open for writing."""

    def __init__(self, path: Path) -> None:
        """Create the file if there is none, and upgrade it to the newest schema. Raises Unavailable."""
        self._path = path = path.resolve()  # a link uses the lock of its target
        self._connection: sqlite3.Connection | None = None
        self._file = -1
        with _named(path):
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)  # health data: only for the service's user
            os.close(handle)
            self._lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                with self._alone():
                    self._upgrade(self._open())
            except BaseException:
                self.close()
                raise

    def _open(self) -> sqlite3.Connection:
        """Open a connection to the file, which already exists."""
        where = f"file:{quote(str(self._path))}?mode=rw"
        connection = sqlite3.connect(where, uri=True, timeout=_WAIT, isolation_level=None, check_same_thread=False)
        try:
            _refuse_foreign(connection, _version(connection), self._path)  # before anything is written into it
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
        except BaseException:
            connection.close()
            raise
        self._connection, self._file = connection, self._path.stat().st_ino
        return connection

    def _upgrade(self, connection: sqlite3.Connection) -> None:
        version = _version(connection)
        if not is_behind(version):
            return
        if version:
            copy = self._path.with_name(f"{self._path.name}.schema-{version}")
            copy.unlink(missing_ok=True)
            connection.execute("VACUUM INTO ?", (str(copy),))
        connection.execute("BEGIN EXCLUSIVE")
        try:
            upgrade(connection, _version(connection), "BLOB")
            _take_over(connection)
            connection.execute(f"PRAGMA user_version={NEWEST}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with _named(self._path), self._alone():
            self._refuse_another_file()
            connection = self._connection or self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                self._undo(connection)
                raise
            self._refuse_another_file()  # it was written, but into a file that is no longer at this path

    def _undo(self, connection: sqlite3.Connection) -> None:
        """Roll back the transaction; a connection that cannot even do that is not used again."""
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._close_connection()

    def _refuse_another_file(self) -> None:
        """A file that replaced ours is not used: the log of our file, still next to it, would be written into it."""
        if self._path.stat().st_ino != self._file:
            raise Unavailable(f"{self._path.name} is not the file it was at the start; restart the service")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        until = time.monotonic() + _WAIT
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise Unavailable(f"{self._path.name} is held by another process") from None
                time.sleep(_PAUSE)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def free_bytes(self) -> int | None:
        with _named(self._path):
            return shutil.disk_usage(self._path.parent).free

    def _close_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def close(self) -> None:
        with _named(self._path):
            try:
                with self._alone():
                    self._close_connection()
            finally:
                os.close(self._lock)


class SqliteReader:
    """The file, open for reading; it writes nothing and never restarts the log."""

    def __init__(self, path: Path) -> None:
        """Raises Unavailable, also if the file was made by a newer program or is not one of our records."""
        self._path = path
        with _named(path):
            self._connection = sqlite3.connect(
                f"file:{quote(str(path))}?mode=ro", uri=True, timeout=_WAIT, isolation_level=None
            )
            try:
                version = _version(self._connection)
                refuse_newer(version)
                _refuse_foreign(self._connection, version, path)
                if not version:
                    raise Unavailable(f"{path.name} holds no records")
            except BaseException:
                self._connection.close()
                raise

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        try:
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:  # other errors meanwhile, such as a closed pipe, are not about the records
            raise Unavailable(f"{self._path.name}: {error}") from None

    def free_bytes(self) -> int | None:
        with _named(self._path):
            return shutil.disk_usage(self._path.parent).free

    def copy_into(self, copy: Path) -> None:
        """Make a complete and compact copy, even while others write. Raises Unavailable; an existing file is not overwritten."""
        with _named(copy):
            self._connection.execute("VACUUM INTO ?", (str(copy),))
            copy.chmod(0o600)

    def faults(self) -> str:
        """The damage that SQLite finds; empty if there is none. Raises Unavailable."""
        with _named(self._path):
            [(said,), *_] = self._connection.execute("PRAGMA integrity_check").fetchall()
        return "" if said == "ok" else str(said)

    def close(self) -> None:
        self._connection.close()


def _refuse_foreign(connection: sqlite3.Connection, version: int, path: Path) -> None:
    """Raises Unavailable if the database contains something else; then nothing is written into it."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()}
    if ("decisions" not in tables) if version else (tables - {"seen"}):
        raise Unavailable(f"{path.name} is a database of something else")


def _take_over(connection: sqlite3.Connection) -> None:
    """Take over the tokens of a ``replay_file`` from the time before there were records."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'seen'").fetchall():
        connection.execute("INSERT INTO tokens SELECT token, until FROM seen")
        connection.execute("DROP TABLE seen")


def restore(copy: Path, into: Path) -> None:
    """Replace the records of a service that is not running by a copy; the replaced file is kept next to it as PATH.replaced.

    Raises:
        Unavailable: the copy is damaged or no record of ours, the place holds something else, or it cannot be written; nothing was
            changed then.
    """
    aside = into.with_name(f"{into.name}.replaced")
    _refuse_to_replace(into, aside)
    reader = SqliteReader(copy)
    try:
        if damage := reader.faults():
            raise Unavailable(f"{copy.name} is damaged: {damage}")
        fresh = into.with_name(f"{into.name}.restored")
        fresh.unlink(missing_ok=True)
        reader.copy_into(fresh)
    finally:
        reader.close()
    with _named(into):
        for ending in ("-wal", "-shm", ""):  # otherwise the log of the old file would be written into the new one
            if (old := into.with_name(into.name + ending)).exists():
                old.rename(aside.with_name(aside.name + ending))
        fresh.rename(into)


def _refuse_to_replace(into: Path, aside: Path) -> None:
    """Raises Unavailable if the file to replace is something else. Damaged records may be replaced: that is what a copy is for."""
    with _named(into):
        if not into.exists():
            return
        if aside.exists():
            raise Unavailable(f"{aside.name} is left of another time: move it away")
        with into.open("rb") as file:
            if file.read(len(_HEAD)) not in (b"", _HEAD):
                raise Unavailable(f"{into.name} is no SQLite file")
        with contextlib.closing(sqlite3.connect(f"file:{quote(str(into))}?mode=ro", uri=True)) as connection:
            try:
                _refuse_foreign(connection, _version(connection), into)
            except sqlite3.Error:
                return


def _version(connection: sqlite3.Connection) -> int:
    [(version,)] = connection.execute("PRAGMA user_version").fetchall()
    return int(version)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Raise errors of SQLite and of the system as Unavailable, with the file's name."""
    try:
        yield
    except sqlite3.Error as error:
        raise Unavailable(f"{path.name}: {error}") from None
    except OSError as error:
        raise Unavailable(f"{path.name}: {error.strerror}") from None
