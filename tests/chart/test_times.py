"""FHIR dates with the precision they were given in; hostile ones are refused, not guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.chart.times import BirthDate, Moment, parse_birth_date, parse_moment, parse_now


@pytest.mark.parametrize(
    ("text", "day", "instant"),
    [
        ("2024-05-03", date(2024, 5, 3), None),
        ("2024-05-03T09:10:00Z", date(2024, 5, 3), "2024-05-03T09:10:00+00:00"),
        ("2024-05-03T09:10:00.123456789Z", date(2024, 5, 3), "2024-05-03T09:10:00+00:00"),
        ("2024-05-03T23:30:00-05:00", date(2024, 5, 3), "2024-05-04T04:30:00+00:00"),
        ("2024-05-03T09:10Z", date(2024, 5, 3), "2024-05-03T09:10:00+00:00"),
        ("2024-05-03T09:10:00", date(2024, 5, 3), "2024-05-03T09:10:00+00:00"),  # no zone is UTC
        ("2016-12-31T23:59:60Z", date(2016, 12, 31), "2016-12-31T23:59:59+00:00"),  # a leap second
    ],
)
def test_what_is_read(text: str, day: date, instant: str | None) -> None:
    moment = parse_moment(text)
    assert moment is not None
    assert moment.day == day
    assert (moment.at.astimezone(UTC).isoformat() if moment.at else None) == instant


@pytest.mark.parametrize(
    "text",
    [
        None, "", "2024", "2024-05", "20240503", "2024-5-3", "2024-02-30", "2024-13-01", "٢٠٢٤-05-03", "2024-05-03T25:00:00Z", "2024-05-03 09:10",
        "2024-05-03T09:10:00+99:00", "2024-05-03T09:10:61Z", "0000-01-01", "0001-01-01T00:00:00+14:00", "yesterday", "2024-05-03T09:10:00Z ", "1714727400",
    ],
)  # fmt: skip
def test_what_is_refused(text: str | None) -> None:
    assert parse_moment(text) is None


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    moment = parse_moment(text)
    assert moment is None or text.startswith(moment.day.isoformat())


def test_days_are_counted_on_the_calendar_of_the_source() -> None:
    first, second = parse_moment("2024-05-01T09:10:00+02:00"), parse_moment("2024-05-08T08:50:00+02:00")
    assert first and second and first.days_to(second) == 7
    evening = parse_moment("2024-05-01T23:30:00-05:00")
    assert evening and evening.days_until(datetime(2024, 5, 2, 4, 45, tzinfo=UTC)) == 0


def test_the_future_does_not_exist() -> None:
    now = datetime(2024, 5, 3, 9, 0, tzinfo=UTC)
    assert Moment(date(2024, 5, 4)).is_after(now)
    assert not Moment(date(2024, 5, 3)).is_after(now)
    later = parse_moment("2024-05-03T09:00:01Z")
    assert later and later.is_after(now)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2015-02-28", (2015, 2, 28), (2015, 2, 28)),
        ("2015-02", (2015, 2, 1), (2015, 2, 28)),
        ("2015-12", (2015, 12, 1), (2015, 12, 31)),
        ("2015", (2015, 1, 1), (2015, 12, 31)),
    ],
)
def test_a_birth_date_is_a_range(text: str, first: tuple[int, int, int], last: tuple[int, int, int]) -> None:
    assert parse_birth_date(text) == BirthDate(date(*first), date(*last))


def test_age_counts_completed_years() -> None:
    born = parse_birth_date("2006-02-29".replace("29", "28"))
    assert born and born.age_on(date(2024, 2, 27)) == (17, 17)
    assert born.age_on(date(2024, 2, 28)) == (18, 18)
    year = parse_birth_date("2006")
    assert year and year.age_on(date(2024, 6, 1)) == (17, 18)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2024-05-03", "2024-05-03T23:59:59+00:00"), ("2024-05-03T09:00:00+02:00", "2024-05-03T09:00:00+02:00")],
)
def test_at_a_date_means_its_end(text: str, expected: str) -> None:
    now = parse_now(text)
    assert now and now.isoformat() == expected
