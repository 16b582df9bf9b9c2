"""``sirolimus-cds records``: copy them, say what is in them, and delete what is old."""

from __future__ import annotations

from pathlib import Path

import click

from cds.cli.common import stop
from cds.cli.kept import at, moment_of, place_of, reading, records_options, writing
from cds.records.database import Unavailable, is_postgres
from cds.records.keeper import purge_some
from cds.records.sqlite import SqliteReader, restore


@click.group("records")
def command() -> None:
    """The records of the service: backup, state, retention."""


@command.command("backup")
@click.argument("copy", metavar="FILE")
@records_options
def backup(records: str | None, config: str | None, copy: str) -> None:
    """Write a whole copy to FILE while the service runs.

    The key of the patients' hashes is not in it. PostgreSQL has its own means (pg_dump).
    """
    where = _file(place_of(records, config))
    if Path(copy).exists():
        stop(f"{copy} is there already")
    try:
        reader = SqliteReader(Path(where))
        reader.copy_into(Path(copy))
        reader.close()
        broken = SqliteReader(Path(copy)).faults()
    except Unavailable as why:
        stop(f"there is no backup: {why}")
    if broken:
        stop(f"the copy is damaged: {broken}", 1)
    click.echo(f"{copy}: a whole copy")


@command.command("restore")
@click.argument("copy", metavar="FILE")
@records_options
def restored(records: str | None, config: str | None, copy: str) -> None:
    """Put the copy in FILE in the place of the records. Stop the service before, and start it after."""
    where = _file(place_of(records, config))
    try:
        restore(Path(copy), Path(where))
    except Unavailable as why:
        stop(f"nothing is restored: {why}")
    click.echo(f"{where}: as in {copy}")


def _file(where: str) -> str:
    if is_postgres(where):
        stop("these records are in PostgreSQL: use its own means, such as pg_dump and pg_restore")
    return where


@command.command("state")
@records_options
def state(records: str | None, config: str | None) -> None:
    """Print how many decisions and reports there are, and from when to when."""
    with reading(records, config) as connection:
        rows = connection.execute(
            "SELECT outcome, COUNT(*), MIN(at), MAX(at) FROM decisions GROUP BY outcome ORDER BY outcome"
        ).fetchall()
        [(reports,)] = connection.execute("SELECT COUNT(*) FROM feedback").fetchall()
    for outcome, number, first, last in rows:
        click.echo(f"{number:>8} {outcome:<8} {at(first)} to {at(last)}")
    click.echo(f"{sum(row[1] for row in rows):>8} decisions, {reports} reports on cards")


@command.command("purge")
@click.option(
    "--older-than",
    "older",
    metavar="SPAN|TIME",
    required=True,
    help="From before so long ago (400d), or before this time.",
)
@records_options
def purged(records: str | None, config: str | None, older: str) -> None:
    """Delete decisions of before that moment, and all that belongs to them. It cannot be undone."""
    before, number = moment_of(older, "--older-than"), 0
    with writing(records, config) as database:
        while True:
            with database.transaction() as connection:
                some = purge_some(connection, before)
            if not some:
                break
            number += some
    click.echo(f"{number} decisions of before {at(before)} are deleted")
