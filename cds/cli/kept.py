"""What the commands for records share: where the records are, the start of the period, and how times are printed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cds.chart.times import parse_now
from cds.cli.common import Rules, stop
from cds.cli.serve import rules_of
from cds.records.database import Connection, Database, Unavailable, open_database, open_reader

_SPAN = re.compile(r"(\d{1,5})([dhw])")
if TYPE_CHECKING:
    from cds.hooks.settings import Settings

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_SECONDS = {"h": 3_600, "d": 86_400, "w": 604_800}


def records_options(command: Callable[..., None]) -> Callable[..., None]:
    """Where the records are: named on the command line, or by the settings of the service."""
    for option in (
        click.option("--config", metavar="FILE", help="The service's settings, which say where the records are."),
        click.option("--records", metavar="PATH|URL", help="The records themselves."),
    ):
        command = option(command)
    return command


def place_of(records: str | None, config: str | None) -> str:
    """Where the records are. Ends with a message if neither options nor settings say so."""
    where = records or _settings(config).records
    if not where:
        stop("no records: name them by --records, or by 'records' in the settings (--config FILE)")
    return where


def site_rules(named: Rules, config: str | None) -> Rules:
    """The rules that the options name or, if they name none, those of the service's settings."""
    return named if config is None or named != Rules(None, "", ()) else rules_of(_settings(config))


def _settings(config: str | None) -> Settings:
    from cds.hooks.settings import WrongSettings, read_settings

    try:
        return read_settings(Path(config) if config else None)
    except WrongSettings as wrong:
        stop(f"the settings cannot be used\n{wrong}")


@contextmanager
def reading(records: str | None, config: str | None) -> Iterator[Connection]:
    """The records for reading; ends with a message where they cannot be read."""
    with _opened(place_of(records, config), open_reader) as database, database.transaction() as connection:
        yield connection


@contextmanager
def writing(records: str | None, config: str | None) -> Iterator[Database]:
    """Existing records, for writing; ends with a message if they cannot be written."""
    where = place_of(records, config)
    with _opened(where, open_reader):  # fails if there are none, so that none are created
        pass
    with _opened(where, open_database) as database:
        yield database


@contextmanager
def _opened(where: str, opened: Callable[[str], Database]) -> Iterator[Database]:
    try:
        database = opened(where)
        try:
            yield database
        finally:
            database.close()
    except Unavailable as why:
        stop(f"the records cannot be used: {why}")


def since_option(command: Callable[..., None]) -> Callable[..., None]:
    """The start of a period: a span back from now, or a time."""
    return click.option(
        "--since",
        metavar="SPAN|TIME",
        default="30d",
        show_default=True,
        help="From so long ago on (12h, 30d, 8w), or from this ISO 8601 time on.",
    )(command)


def moment_of(text: str, option: str = "--since") -> float:
    """An option's time in seconds since 1970; a date alone means its start in the local time zone. Ends with exit code 2 when it is
    neither a span nor a time."""
    if _DATE.fullmatch(text):
        with suppress(ValueError):
            return datetime.fromisoformat(text).astimezone().timestamp()
    if span := _SPAN.fullmatch(text):
        return time.time() - int(span[1]) * _SECONDS[span[2]]
    moment = parse_now(text)
    if moment is None:
        stop(f"{option}: '{text}' is neither a span such as 30d nor an ISO 8601 time")
    return moment.timestamp()


def at(seconds: float) -> str:
    """A moment as it is printed."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
