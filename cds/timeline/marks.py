"""What the panels are made of: axes, points, blocks, boxes with a word in them, lines. Colours are Okabe and Ito's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from cds.timeline.rows import Row, Timeline

Json = dict[str, Any]
INK, GRID, BAND, PAPER = "#1a1a1a", "#d0d0d0", "#e9eef2", "#ffffff"
_NARROW = 34  # pixels below which a word does not fit into its box
TEXT: Json = {"type": "text", "align": "left", "baseline": "top", "dx": 4, "dy": 4, "color": INK, "fontSize": 11, "aria": False}  # fmt: skip


def time_axis(drawn: Timeline, field: str = "at") -> Json:
    """The axis that all panels share; its moments are the source's own days and clocks."""
    ends = [f"{day.isoformat()}T00:00Z" for day in (drawn.first, drawn.last)]
    months = max(1, (drawn.last - drawn.first).days // 30)
    form = "%b %Y" if months > 3 else "%d %b"
    return {
        "field": field,
        "type": "temporal",
        "scale": {"type": "utc", "domain": ends},
        "axis": {
            "title": None,
            "format": form,
            "labelOverlap": True,
            "tickCount": min(12, months + 1) if months > 3 else 6,
        },
    }


def share(drawn: Timeline, day: str) -> float:
    """How far along the axis a day lies, from 0 to 1."""
    return (date.fromisoformat(day[:10]) - drawn.first).days / (drawn.last - drawn.first).days


def value_axis(title: str, domain: list[float], scale: str = "linear", ticks: list[float] | None = None) -> Json:
    axis: Json = {"title": title, "titleFontWeight": "normal", "minExtent": 48, "maxExtent": 48}
    if ticks is not None:
        axis |= {"values": ticks}
    return {
        "field": "value",
        "type": "quantitative",
        "scale": {"type": scale, "domain": domain, "clamp": True},
        "axis": axis,
    }


def values(rows: Iterable[Row]) -> Json:
    return {"values": [{key: _utc(value) for key, value in row.items()} for row in rows]}


def _utc(value: Any) -> Any:
    """A day and clock of the source, which the picture shows as they are."""
    return f"{value}Z" if isinstance(value, str) and len(value) == 16 and value[10] == "T" else value


def points(rows: list[Row], colour: str, drawn: Timeline, y: Json, shape: str = "circle", line: bool = True) -> list[Json]:  # fmt: skip
    """Filled points for what may be used, hollow ones for what may not; a line through the former."""
    x = time_axis(drawn)
    found = []
    for usable in (True, False):
        mark = {"type": "point", "filled": usable, "color": colour, "size": 55, "opacity": 1, "strokeWidth": 1.5}
        mark |= {"fill": colour if usable else PAPER, "stroke": colour, "shape": shape}
        some = [row for row in rows if row.get("usable", True) is usable]
        found.append(
            {"data": values(some), "mark": mark, "encoding": {"x": x, "y": y, "description": {"field": "say"}}}
        )
    through = {"type": "line", "color": colour, "strokeWidth": 1, "opacity": 0.5}
    usable_rows = [row for row in rows if row.get("usable", True)]
    return [*([{"data": values(usable_rows), "mark": through, "encoding": {"x": x, "y": y}}] if line else ()), *found]


def level_line(at: float, colour: str, y: Json, dash: list[int]) -> Json:
    return {
        "data": {"values": [{"value": at}]},
        "mark": {"type": "rule", "color": colour, "strokeDash": dash, "aria": False},
        "encoding": {"y": y},
    }


def blocks(rows: list[Row], colour: str, drawn: Timeline, y: Json) -> Json:
    """Stretches of time, each as high as its value."""
    return {
        "data": values(row | {"zero": 0} for row in rows),
        "mark": {"type": "rect", "color": colour, "opacity": 0.75, "stroke": colour, "strokeWidth": 0.5},
        "encoding": {"x": time_axis(drawn), "x2": {"field": "until"}, "y": y, "y2": {"field": "zero"}, "description": {"field": "say"}},
    }  # fmt: skip


def boxes(rows: list[Row], top: float, drawn: Timeline, y: Json, width: int) -> list[Json]:
    """Stretches of time without a value, dashed, each with its ``name`` where that fits."""
    full = [row | {"value": top, "zero": 0} for row in rows]
    x = time_axis(drawn)
    fits = [row for row in full if (share(drawn, row["until"]) - share(drawn, row["at"])) * width >= _NARROW]
    return [
        {
            "data": values(full),
            "mark": {"type": "rect", "color": BAND, "stroke": INK, "strokeDash": [3, 3], "strokeWidth": 1},
            "encoding": {"x": x, "x2": {"field": "until"}, "y": y, "y2": {"field": "zero"}, "description": {"field": "say"}},
        },
        {"data": values(fits), "mark": dict(TEXT), "encoding": {"x": x, "y": y, "text": {"field": "name"}}},
    ]  # fmt: skip
