"""What the records need of a database: one transaction at a time, in SQL that SQLite and PostgreSQL both take."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol


class Unavailable(Exception):
    """The records cannot be read or written now. ``str`` says why, with nothing of a patient's."""


class Cursor(Protocol):
    """The outcome of one statement."""

    @property
    def rowcount(self) -> int:
        """How many rows were written."""

    def fetchall(self) -> list[Any]:
        """The rows that were read."""


class Connection(Protocol):
    """Statements of one transaction; parameters stand as ``?``."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        """Run one statement."""


class Database(Protocol):
    """A database that is open. It is used by one thread at a time."""

    def transaction(self) -> AbstractContextManager[Connection]:
        """What is done inside is durable when it ends, or has not happened. Raises Unavailable."""

    def free_bytes(self) -> int | None:
        """Bytes that are free where it is kept; None where that is not ours to know."""

    def close(self) -> None:
        """Let go of it."""


def is_postgres(where: str) -> bool:
    """Whether ``records`` names a PostgreSQL database; else it is the path of a SQLite file."""
    return where.startswith(("postgresql://", "postgres://"))


def open_database(where: str) -> Database:
    """The database for writing, made and brought to the newest schema where that is needed. Raises Unavailable."""
    if is_postgres(where):
        from cds.records.postgres import Postgres

        return Postgres(where)
    from cds.records.sqlite import Sqlite

    return Sqlite(Path(where))


def open_reader(where: str) -> Database:
    """The database for reading alone; it is never made. Raises Unavailable."""
    if is_postgres(where):
        from cds.records.postgres import Postgres

        return Postgres(where, read_only=True)
    from cds.records.sqlite import SqliteReader

    return SqliteReader(Path(where))
