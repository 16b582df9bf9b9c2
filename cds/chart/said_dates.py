"""Dates in the free text of an order: in figures, or with the name of a month in one of the lexicon's languages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

_FIGURES = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})|(\d{1,2})[-./](\d{1,2})[-./](\d{4}|\d{2})(?!\d)")
_OF = r"\s*(?:of|de|del|di)?\s*"


class Months:
    """The names of the months in one language, January first."""

    def __init__(self, months: Sequence[Sequence[str]], month_first: bool) -> None:
        self._month_may_be_first = month_first
        self._number = {name: place for place, names in enumerate(months, start=1) for name in names}
        named = "|".join(sorted(map(re.escape, self._number), key=len, reverse=True)) or "(?!)"
        day = r"(\d{1,2})(?:st|nd|rd|th|er|º|°|\.)?"
        self._day_first = re.compile(rf"{day}{_OF}({named})\.?{_OF},?\s*(\d{{4}})")
        self._month_first = re.compile(rf"({named})\.?\s+{day},?\s+(\d{{4}})")

    def dates(self, text: str) -> Iterator[date]:
        """Every date in ``text``; a date that may be read in two ways gives the later of the two."""
        for match in _FIGURES.finditer(text):
            yield from _in_figures(match, self._month_may_be_first and "." not in match[0])
        for match in self._day_first.finditer(text):
            yield from _one(int(match[3]), self._number[match[2]], int(match[1]))
        for match in self._month_first.finditer(text):
            yield from _one(int(match[3]), self._number[match[1]], int(match[2]))


def _in_figures(match: re.Match[str], month_may_be_first: bool) -> Iterator[date]:
    """A date in figures: the year first, or the year last and the day (in English, possibly the month) first."""
    if match[1]:
        yield from _one(int(match[1]), int(match[2]), int(match[3]))
        return
    year = int(match[6]) if len(match[6]) > 2 else 2000 + int(match[6])
    first, second = int(match[4]), int(match[5])
    other = _one(year, first, second) if month_may_be_first else ()
    yield from sorted((*_one(year, second, first), *other))[-1:]


def _one(year: int, month: int, day: int) -> Iterator[date]:
    """The date, if there is one."""
    try:
        yield date(year, month, day)
    except ValueError:
        return
