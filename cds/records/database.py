"""What the records need from a database: one transaction at a time, in SQL that both SQLite and PostgreSQL accept."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol


class Unavailable(Exception):
    """The records cannot be read or written now. ``str`` says why, without any patient data."""


class Cursor(Protocol):
    """The outcome of one statement."""

    @property
    def rowcount(self) -> int:
        """How many rows were written."""

    def fetchall(self) -> list[Any]:
        """The rows that were read."""


class Connection(Protocol):
    """Statements of one transaction; parameters are written as ``?``."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        """Run one statement."""


class Database(Protocol):
    """A database that is open. It is used by one thread at a time."""

    def transaction(self) -> AbstractContextManager[Connection]:
        """A transaction: what is done in it is durable when it ends, or is rolled back. Raises Unavailable."""

    def free_bytes(self) -> int | None:
        """Bytes that are free where the database is stored; None if this program cannot know."""

    def close(self) -> None:
        """Close the database."""


def is_postgres(where: str) -> bool:
    """Whether ``records`` names a PostgreSQL database; else it is the path of a SQLite file."""
    return where.startswith(("postgresql://", "postgres://"))


def open_database(where: str) -> Database:
    """The database for writing; it is created and upgraded to the newest schema if needed. Raises Unavailable."""
    if is_postgres(where):
        from cds.records.postgres import Postgres

        return Postgres(where)
    from cds.records.sqlite import Sqlite

    return Sqlite(Path(where))


def open_reader(where: str) -> Database:
    """The database, opened read-only; it is never created. Raises Unavailable."""
    if is_postgres(where):
        from cds.records.postgres import Postgres

        return Postgres(where, read_only=True)
    from cds.records.sqlite import SqliteReader

    return SqliteReader(Path(where))
