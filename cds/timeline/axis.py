"""The axis of time that all panels share, and how much room there is on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

from cds.timeline.rows import Row, Timeline

Json = dict[str, Any]
_STEPS = (1, 2, 7, 14, 28, 56, 91, 182, 364, 728)  # days between two ticks
_APART = 88  # pixels that a date needs


def time_axis() -> Json:
    """The position of a mark in time, in the source's own days and clock times. The axis itself is that of :func:`dates`."""
    return {"field": "at", "type": "temporal"}


def dates(drawn: Timeline, width: int, labelled: bool) -> Json:
    """The axis: lines at round days of the course and, in the panel that is ``labelled``, their dates with the day beneath."""
    begins = drawn.start or drawn.first
    ends = [f"{day.isoformat()}T00:00Z" for day in (drawn.first, drawn.last)]
    number = f"round((datum.value - {_milliseconds(begins)}) / 864e5)"
    day = f"{number} < 0 ? '' : 'day ' + {number}" if drawn.start is not None else "''"
    axis = {
        "title": None,
        "values": [_milliseconds(day) for day in ticks(drawn, width)],
        "labelExpr": f"[utcFormat(datum.value, '%-d %b %Y'), {day}]",
        "labels": labelled,
        "ticks": labelled,
    }
    return {"field": "at", "type": "temporal", "scale": {"type": "utc", "domain": ends}, "axis": axis}


def _milliseconds(day: date) -> int:
    return (day - date(1970, 1, 1)).days * 86_400_000


def ticks(drawn: Timeline, width: int) -> list[date]:
    """Round days of the course, as many as fit."""
    begins, most = drawn.start or drawn.first, max(2, width // _APART)
    step = next((each for each in _STEPS if (drawn.last - drawn.first).days / each <= most), _STEPS[-1])
    from_start = range(-(-(drawn.first - begins).days // step), (drawn.last - begins).days // step + 1)
    return [begins + timedelta(days=step * number) for number in from_start]


def share(drawn: Timeline, day: str) -> float:
    """How far along the axis a day lies, from 0 to 1."""
    return (date.fromisoformat(day[:10]) - drawn.first).days / (drawn.last - drawn.first).days


def room(rows: Iterable[Row], drawn: Timeline, width: int, wide: Callable[[Row], float]) -> list[Row]:
    """The rows whose labels do not overlap: the first row of each reason has precedence, then newer rows before older ones."""
    newest = sorted(rows, key=lambda row: str(row["at"]), reverse=True)
    first_of = {row["letter"]: id(row) for row in newest if row.get("letter")}  # the oldest stays
    taken: list[tuple[float, float]] = []
    found = []
    for row in sorted(newest, key=lambda row: id(row) not in first_of.values()):
        middle, half = share(drawn, row["at"]) * width, wide(row) / 2
        if middle - half >= 0 and all(abs(middle - at) >= half + other for at, other in taken):
            taken.append((middle, half))
            found.append(row)
    return found
