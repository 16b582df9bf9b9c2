"""FHIR dates and times with the precision they were given in.

A date has no time of day, a year has no day; neither is filled in. Days are counted on the calendar
of the source's own offset, so a count drawn late in the evening stays on its day.
"""

from __future__ import annotations

import re
from datetime import MAXYEAR, UTC, date, datetime, timedelta

import msgspec

_TEXT = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]+)?)?"
    r"(?P<zone>Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?)?)?)?"
)


_SECOND = len("2024-04-17T08:00:")
_FIRST_YEAR = 1900
"""No data of a living patient are older; an earlier date is a mistake or a placeholder."""
_EARLIEST = datetime.min.replace(tzinfo=UTC)  # before any time of its day, in whatever offset that is given
_LAST_YEAR = 2200
"""Some records end orders in the year 9999; no chart is judged at such a time."""


class Moment(msgspec.Struct, frozen=True):
    """A point in time as far as it is known.

    ``day`` is the calendar day in the source's offset; ``at`` the instant, when a time of day was given.
    """

    day: date
    at: datetime | None = None

    def days_to(self, later: Moment) -> int:
        """Calendar days from here to ``later``; each day on its own calendar."""
        return (later.day - self.day).days

    def days_until(self, now: datetime) -> int:
        """Calendar days from here to ``now``, on this moment's calendar."""
        if self.at is None:
            return (now.date() - self.day).days
        return (now.astimezone(self.at.tzinfo).date() - self.day).days

    def is_after(self, now: datetime) -> bool:
        """Whether this is later than ``now``: such data does not exist yet."""
        return self.at > now if self.at is not None else self.day > now.date()

    def sort_key(self) -> tuple[date, datetime]:
        """Order by day, then by instant; a date without a time comes first on its day."""
        return self.day, self.at or _EARLIEST


def parse_moment(text: str | None) -> Moment | None:
    """A FHIR date, dateTime or instant with at least a day; None if it is not one.

    A time without an offset is taken as UTC. A leap second counts as the second before it.
    """
    match = _TEXT.fullmatch(text) if text else None
    if match is None or text is None or match["day"] is None or int(match["year"]) < _FIRST_YEAR:
        return None
    try:
        if match["hour"] is None:
            return Moment(date.fromisoformat(text))
        at = _instant(text, match["second"] == "60")
        return Moment(at.date(), at)
    except (ValueError, OverflowError):
        return None


def _instant(text: str, leaps: bool) -> datetime:
    """An instant to the second. Raises ValueError, or OverflowError at the end of the calendar, where no later day exists."""
    if leaps:
        text = text[:_SECOND] + "59" + text[_SECOND + 2 :]
    at = datetime.fromisoformat(text)
    if at.microsecond:
        at = at.replace(microsecond=0)
    if at.tzinfo is None:
        return at.replace(tzinfo=UTC)
    if at.year == MAXYEAR:
        at.astimezone(UTC)
    return at


def clock_time(moment: Moment) -> Moment:
    """The moment of a measurement or a dose; midnight is dropped, because systems print it for a date without a time."""
    if moment.at is not None and (moment.at.hour, moment.at.minute, moment.at.second) == (0, 0, 0):
        return Moment(moment.day)
    return moment


class BirthDate(msgspec.Struct, frozen=True):
    """A birth date known to the day, the month or the year: the first and last day it can be."""

    first: date
    last: date

    def age_on(self, day: date) -> tuple[int, int]:
        """Completed years on ``day``: the least and the most it can be."""
        return _years(self.last, day), _years(self.first, day)

    def most_months_on(self, day: date) -> int:
        """Completed months of life on ``day``, the most that it can be."""
        born = self.first
        return (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)


def parse_birth_date(text: str | None) -> BirthDate | None:
    """A FHIR date of any precision; None if it is not one."""
    match = _TEXT.fullmatch(text) if text else None
    if match is None or match["hour"] is not None:
        return None
    year, month, day = (int(match[part]) if match[part] else None for part in ("year", "month", "day"))
    assert year is not None
    try:
        if day is not None and month is not None:
            return BirthDate(date(year, month, day), date(year, month, day))
        if month is not None:
            following = date(year + month // 12, month % 12 + 1, 1)
            return BirthDate(date(year, month, 1), following - timedelta(days=1))
        return BirthDate(date(year, 1, 1), date(year, 12, 31))
    except ValueError:
        return None


def _years(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def parse_now(text: str) -> datetime | None:
    """An ISO 8601 moment for ``--at``; a date alone means its last second, so that the data of that day counts."""
    moment = parse_moment(text)
    if moment is None or moment.day.year > _LAST_YEAR:
        return None
    if moment.at is not None:
        return moment.at
    return datetime(moment.day.year, moment.day.month, moment.day.day, 23, 59, 59, tzinfo=UTC)
