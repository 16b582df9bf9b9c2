"""A disk that loses what was not synced when the power goes: a VFS of SQLite (apsw), which the tests alone have.

The store under test is ours, over this library in the place of Python's own: its pragmas, its transactions, its order of things.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import apsw

_TORN = 512  # bytes that a disk writes whole


class Disk(apsw.VFS):
    """Files whose writes are known to be on the disk only once they were synced; the power goes at the ``at``-th write."""

    def __init__(self, at: int) -> None:
        self.name = f"disk-{id(self)}"
        self._left = at
        self.synced: dict[Path, bytes] = {}
        self.pending: dict[Path, list[tuple[int, bytes | None]]] = {}
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        return _File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        if not self.is_cut:
            self.synced.pop(Path(filename), None)
            self.pending.pop(Path(filename), None)

    def write(self, file: Path, offset: int, data: bytes | None) -> None:
        """Note a write, or a cut of the file to ``offset`` where ``data`` is None."""
        self._left -= 1
        if not self.is_cut:
            self.pending.setdefault(file, []).append((offset, data))

    @property
    def is_cut(self) -> bool:
        """Whether the power is gone: what is written from then on is nowhere."""
        return self._left <= 0

    def sync(self, file: Path) -> None:
        """What was written is on the disk."""
        if not self.is_cut:
            self.synced[file] = _applied(self.synced.get(file, b""), self.pending.pop(file, []))

    def after_the_cut(self, folder: Path, random: Random | None) -> None:
        """The files as they are found again: of what was not synced nothing, or by chance some, the last of it torn."""
        for file in {*self.synced, *self.pending}:
            kept = [] if random is None else [each for each in self.pending.get(file, []) if random.random() < 0.5]
            if kept and kept[-1][1] is not None:
                offset, data = kept[-1]
                assert data is not None
                kept[-1] = offset, data[: _TORN * random.randint(0, len(data) // _TORN)]  # type: ignore[union-attr]
            (folder / file.name).write_bytes(_applied(self.synced.get(file, b""), kept))


def _applied(content: bytes, writes: Sequence[tuple[int, bytes | None]]) -> bytes:
    found = bytearray(content)
    for offset, data in writes:
        if data is None:
            del found[offset:]
        else:
            found.extend(b"\0" * (offset - len(found)))
            found[offset : offset + len(data)] = data
    return bytes(found)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        self._path = Path(name.filename() if hasattr(name, "filename") else str(name))

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.write(self._path, offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:
        self._disk.write(self._path, newsize, None)
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self._disk.sync(self._path)


class _Connection:
    """As much of a connection of Python's sqlite3 as the store uses."""

    def __init__(self, file: Path, disk: Disk, synchronous: str) -> None:
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        self._connection = apsw.Connection(str(file), flags=flags, vfs=disk.name)
        self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")  # the VFS has no shared memory
        self._connection.execute("PRAGMA wal_autocheckpoint=40")
        self._synchronous = synchronous

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        sql = sql.replace("synchronous=FULL", f"synchronous={self._synchronous}")
        rows = list(self._connection.execute(sql, tuple(parameters)))
        return SimpleNamespace(rowcount=self._connection.changes(), fetchall=lambda: rows)

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def close(self) -> None:
        self._connection.close()


def over(file: Path, disk: Disk, synchronous: str) -> Any:
    """Python's sqlite3 with that disk beneath it."""
    return SimpleNamespace(
        connect=lambda *_, **__: _Connection(file, disk, synchronous),
        Connection=sqlite3.Connection,
        Error=(sqlite3.Error, apsw.Error),
    )
