"""The store: what is acknowledged is there, and what cannot be written is said and harms nothing else."""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from cds.records.database import Connection, Database, Unavailable, open_database, open_reader
from cds.records.schema import NEWEST
from cds.records.store import Store
from tests.records.conftest import Server


def take(token: bytes, connection: Connection) -> bool:
    return connection.execute("INSERT INTO tokens VALUES (?, 0) ON CONFLICT DO NOTHING", (token,)).rowcount == 1


def written(store: Store, *tokens: bytes) -> list[bool]:
    """Whether each token is new, all written at once."""

    async def all_of_them() -> list[bool]:
        return list(await asyncio.gather(*(store.write(lambda c, t=token: take(t, c)) for token in tokens)))  # type: ignore[misc]

    return asyncio.run(all_of_them())


def tokens(where: str) -> list[bytes]:
    with closing(open_reader(where)) as reader, reader.transaction() as connection:
        rows = connection.execute("SELECT token FROM tokens ORDER BY token").fetchall()
    return [bytes(row[0]) for row in rows]


@contextmanager
def opened(where: str) -> Iterator[Store]:
    store = Store(open_database(where))
    try:
        yield store
    finally:
        store.close()


def test_what_is_written_is_there_and_a_second_time_is_seen(where: str) -> None:
    with opened(where) as store:
        assert written(store, b"a", b"b", b"a") == [True, True, False]
    with opened(where) as store:
        assert written(store, b"b", b"c") == [False, True]
    assert tokens(where) == [b"a", b"b", b"c"]


def test_of_two_services_only_one_takes_a_token(where: str) -> None:
    with opened(where) as first, opened(where) as second:
        many = [bytes([at]) for at in range(50)]

        async def both() -> list[list[bool]]:
            async def of(store: Store) -> list[bool]:
                return [await store.write(lambda c, t=token: take(t, c)) for token in many]  # type: ignore[misc]

            return list(await asyncio.gather(of(first), of(second)))

        one, other = asyncio.run(both())
    assert [a + b for a, b in zip(one, other, strict=True)] == [1] * len(many)


def test_many_writes_are_one_transaction(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database(where)
    begun = []
    transaction = database.transaction

    def counted() -> object:
        begun.append(1)
        return transaction()

    monkeypatch.setattr(database, "transaction", counted)
    store = Store(database)
    assert all(written(store, *(bytes([at]) for at in range(200))))
    store.close()
    assert len(begun) < 20


def test_one_bad_write_takes_no_other_with_it(where: str) -> None:
    async def together(store: Store) -> list[object]:
        def bad(connection: Connection) -> bool:
            take(b"half", connection)
            raise KeyError

        return list(
            await asyncio.gather(
                store.write(lambda c: take(b"a", c)),
                store.write(bad),
                store.write(lambda c: take(b"b", c)),
                return_exceptions=True,
            )
        )

    with opened(where) as store:
        first, second, third = asyncio.run(together(store))
    assert (first, third) == (True, True) and isinstance(second, Unavailable)
    assert tokens(where) == [b"a", b"b"]


def test_a_newer_schema_is_refused_and_left_alone(where: str) -> None:
    database = open_database(where)
    _pretend(database, where, NEWEST + 1)
    for opening in (open_database, open_reader):
        with pytest.raises(Unavailable, match="newer version"):
            opening(where)
    _pretend(database, where, NEWEST)
    database.close()
    open_database(where).close()


def _pretend(database: Database, where: str, version: int) -> None:
    with database.transaction() as connection:
        sql = (
            "UPDATE records_schema SET version = ?"
            if where.startswith("postgres")
            else f"PRAGMA user_version = {version}"
        )
        connection.execute(sql, (version,) if "?" in sql else ())


def test_an_upgrade_leaves_a_copy_and_happens_whole_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cds.records import schema, sqlite

    file, newest, shipped = tmp_path / "records", schema.NEWEST, schema.STEPS
    open_database(str(file)).close()
    for steps in (("CREATE TABLE more (a INTEGER)", "CREATE TABLE broken ("), ("CREATE TABLE more (a INTEGER)",)):
        monkeypatch.setattr(schema, "STEPS", (*shipped, steps))
        monkeypatch.setattr(schema, "NEWEST", newest + 1)
        monkeypatch.setattr(sqlite, "NEWEST", newest + 1)
        if len(steps) == 2:
            with pytest.raises(Unavailable, match="incomplete input"):
                open_database(str(file))
            assert "more" not in _tables(file)
        else:
            open_database(str(file)).close()
    assert "more" in _tables(file) and "more" not in _tables(tmp_path / f"records.schema-{newest}")


def test_tokens_of_a_replay_file_of_before_are_taken_over(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE seen (token BLOB PRIMARY KEY, until REAL) WITHOUT ROWID")
        connection.execute("INSERT INTO seen VALUES (?, 9e9)", (b"a",))
    with opened(str(file)) as store:
        assert written(store, b"a", b"b") == [False, True]
    assert "seen" not in _tables(file)


def _tables(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def test_the_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    with opened(str(tmp_path / "records")) as store:
        written(store, b"a")
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    assert set(modes) == {"records", "records.lock", "records-wal", "records-shm"} and set(modes.values()) == {0o600}


@pytest.mark.parametrize("name", ["", "no/such/folder/records"])
def test_where_no_file_can_be_it_is_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unavailable):
        open_database(str(tmp_path / name))


def test_what_is_no_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "letter"
    file.write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(Unavailable, match="not a database"):
        open_database(str(file))
    assert file.read_text().startswith("Dear Sir")


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    for version in (0, 1):
        file = tmp_path / f"bills-{version}"
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("CREATE TABLE bills (a INTEGER)")
            connection.execute(f"PRAGMA user_version = {version}")
        before = file.read_bytes()
        for opening in (open_database, open_reader):
            with pytest.raises(Unavailable, match=r"something else|holds no records"):
                opening(str(file))
        assert file.read_bytes() == before


def test_a_link_has_the_lock_of_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "records")
    with opened(str(tmp_path / "records")) as first, opened(str(tmp_path / "link")) as second:
        assert written(first, b"a") == [True] and written(second, b"a") == [False]
    assert not (tmp_path / "link.lock").exists()


def test_a_lock_that_somebody_holds_is_said(tmp_path: Path) -> None:
    file = tmp_path / "records"
    with opened(str(file)) as store, (tmp_path / "records.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Unavailable, match="held by another process"):
            written(store, b"a")
        fcntl.flock(held, fcntl.LOCK_UN)
        assert written(store, b"a") == [True]


# --- faults of the disk, and of those beside us ----------------------------------------------------


def test_a_locked_file_is_said_and_written_when_it_is_free(tmp_path: Path) -> None:
    file = tmp_path / "records"
    with opened(str(file)) as store, closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked"):
            written(store, b"a")
        other.execute("ROLLBACK")
        assert written(store, b"b") == [True]
    assert tokens(str(file)) == [b"b"]


def test_a_file_that_was_moved_away_takes_nothing_more(tmp_path: Path) -> None:
    """SQLite would go on to write into the file that has another name by now."""
    file, aside = tmp_path / "records", tmp_path / "aside"
    with opened(str(file)) as store:
        assert written(store, b"a") == [True]
        file.rename(aside)
        with pytest.raises(Unavailable, match="No such file"):
            written(store, b"b")
        aside.rename(file)
        assert written(store, b"c") == [True]
    assert tokens(str(file)) == [b"a", b"c"]


def test_a_file_that_was_put_in_its_place_is_not_written(tmp_path: Path) -> None:
    """SQLite would write the log of the file before into it."""
    file, old = tmp_path / "records", tmp_path / "old"
    with opened(str(old)) as store:
        written(store, b"from the backup")
    with opened(str(file)) as store:
        written(store, b"a")
        old.rename(file)
        with pytest.raises(Unavailable, match="restart the service"):
            written(store, b"b")


def test_while_the_disk_hangs_one_call_waits_and_the_others_are_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, free, done = open_database(str(tmp_path / "records")), threading.Event(), list[int]()
    transaction = database.transaction

    @contextmanager
    def hangs() -> Iterator[Connection]:
        free.wait()
        with transaction() as connection:
            yield connection

    monkeypatch.setattr(database, "transaction", hangs)
    store = Store(database, patience=0.05)

    async def many() -> int:
        refused = 0
        for at in range(200):
            try:
                await store.write(lambda _, at=at: done.append(at))  # type: ignore[misc]
            except Unavailable:
                refused += 1
        return refused

    assert asyncio.run(many()) == 200
    free.set()
    store.close()
    assert len(done) <= 2  # the first, and perhaps one that came before its time was up


def test_a_disk_that_hangs_keeps_no_service_from_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cds.records import store as module

    database, free = open_database(str(tmp_path / "records")), threading.Event()

    @contextmanager
    def hangs() -> Iterator[Connection]:
        free.wait()
        raise Unavailable("it never came back")
        yield

    monkeypatch.setattr(database, "transaction", hangs)
    monkeypatch.setattr(module, "_END", 0.05)
    store = Store(database, patience=0.05)
    with pytest.raises(Unavailable):
        written(store, b"a")
    store.close()
    free.set()
    database.close()


_FULL = """
import asyncio, resource, sys
from cds.records.database import Unavailable, open_database
from cds.records.store import Store
store = Store(open_database(sys.argv[1]))
def put(at):
    return lambda c: c.execute("INSERT INTO feedback VALUES (?,'x',0,0,'','',0,'','','','',?)", (str(at), "x" * 3000))
def write(at):
    try:
        asyncio.run(store.write(put(at)))
        return True
    except Unavailable as why:
        print("said:", why, file=sys.stderr)
        return False
good = [at for at in range(5) if write(at)]
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
refused = [at for at in range(100, 140) if not write(at)]
assert refused and not write(200), refused
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert write(300)
print(*[at for at in range(100, 140) if at not in refused], *good, 300)
store.close()
"""


def test_a_disk_that_is_full_is_said_and_written_to_again_without_a_restart(tmp_path: Path) -> None:
    """The system refuses bytes beyond a limit, as a full disk does; what was acknowledged is there, and nothing else."""
    file = tmp_path / "records"
    code = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n" + _FULL
    run = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "said:" in run.stderr
    with closing(sqlite3.connect(file)) as connection:
        kept = {row[0] for row in connection.execute("SELECT card FROM feedback")}
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert kept == set(run.stdout.split())


def test_postgres_that_is_killed_is_said_and_used_again(postgres: Server) -> None:
    where = postgres.new_database()
    with opened(where) as store:
        assert written(store, b"a") == [True]
        postgres.stop("immediate")
        with pytest.raises(Unavailable, match="PostgreSQL"):
            written(store, b"b")
        postgres.start()
        assert written(store, b"c") == [True]
    assert tokens(where) == [b"a", b"c"]
