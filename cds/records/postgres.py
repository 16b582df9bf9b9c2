"""The records in PostgreSQL: for services on more than one machine, or where the hospital's database is backed up anyway."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from cds.records.database import Connection, Cursor, Unavailable
from cds.records.schema import NEWEST, is_behind, refuse_newer, upgrade

_LOCK = 7_318_206_144  # lock for our schema: two services that start at once change the tables one after the other
_WRITING = "-c statement_timeout=2000 -c lock_timeout=1000 -c synchronous_commit=on"
_LACKING = "records in PostgreSQL need psycopg: pip install 'sirolimus-itp-cds[postgres]'"


class _Statements:
    """A connection of psycopg, with ``?`` for parameters."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        cursor: Cursor = self._connection.execute(sql.replace("?", "%s"), tuple(parameters) or None)
        return cursor


class Postgres:
    """A database, reached by its URL. A lost connection is opened again by the next transaction."""

    def __init__(self, url: str, read_only: bool = False) -> None:
        """Bring the tables to the newest schema, unless ``read_only``. Raises Unavailable."""
        self._url, self._read_only = url, read_only
        self._connection: Any = None
        try:
            with self._transaction() as connection:
                (_look if read_only else _upgrade)(connection)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with self._transaction() as connection:
            yield connection

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        psycopg = _psycopg()
        try:
            connection = self._open(psycopg)
            with connection.transaction():
                yield _Statements(connection)
        except psycopg.Error as error:
            self.close()
            raise Unavailable(f"PostgreSQL: {type(error).__name__}") from None

    def _open(self, psycopg: Any) -> Any:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=2,
                options="" if self._read_only else _WRITING,
                application_name="sirolimus-itp-cds",
            )
            self._connection.read_only = self._read_only
        return self._connection

    def free_bytes(self) -> int | None:
        return None

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _psycopg() -> Any:
    try:
        import psycopg
    except ImportError:
        raise Unavailable(_LACKING) from None
    return psycopg


def _look(connection: Connection) -> None:
    version = _version(connection)
    refuse_newer(version)
    if not version:
        raise Unavailable("the database holds no records")


def _upgrade(connection: Connection) -> None:
    connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
    version = _version(connection)
    if not is_behind(version):
        return
    upgrade(connection, version, "BYTEA")
    connection.execute("CREATE TABLE IF NOT EXISTS records_schema (version INTEGER NOT NULL)")
    connection.execute("DELETE FROM records_schema")
    connection.execute("INSERT INTO records_schema VALUES (?)", (NEWEST,))


def _version(connection: Connection) -> int:
    [(table,)] = connection.execute("SELECT to_regclass('records_schema')").fetchall()
    rows = connection.execute("SELECT version FROM records_schema").fetchall() if table is not None else []
    return int(rows[0][0]) if rows else 0
