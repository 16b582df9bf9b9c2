"""What the panels are made of: points, blocks, boxes with a word in them, lines with a label. Colours are Okabe and Ito's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cds.timeline.axis import room, share, time_axis
from cds.timeline.rows import Row, Timeline

Json = dict[str, Any]
INK, GRID, BAND, PAPER = "#1a1a1a", "#d0d0d0", "#e9eef2", "#ffffff"
_LETTER = 7  # width of one letter in pixels
_PADDING = 8
TEXT: Json = {"type": "text", "align": "left", "baseline": "top", "dx": 4, "dy": 4, "color": INK, "fontSize": 12, "aria": False}  # fmt: skip
_TOLD = {"field": "say"}


def value_axis(domain: list[float], scale: str = "linear", ticks: list[float] | None = None) -> Json:
    axis: Json = {"title": None, "minExtent": 34, "maxExtent": 34, "tickCount": 3}
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
    """A date and time of the source, marked as UTC so that the picture shows it unchanged."""
    return f"{value}Z" if isinstance(value, str) and len(value) == 16 and value[10] == "T" else value


def points(rows: list[Row], colour: str, drawn: Timeline, y: Json, shape: str = "circle", line: bool = True) -> list[Json]:  # fmt: skip
    """Filled points for what may be used, hollow ones for what may not; a line through the former."""
    x = time_axis()
    found = []
    for usable in (True, False):
        mark = {"type": "point", "filled": usable, "color": colour, "size": 55, "opacity": 1, "strokeWidth": 1.5}
        mark |= {"fill": colour if usable else PAPER, "stroke": colour, "shape": shape}
        some = [row for row in rows if row.get("usable", True) is usable]
        found.append({"data": values(some), "mark": mark, "encoding": {"x": x, "y": y, "description": _TOLD}})
    through = {"type": "line", "color": colour, "strokeWidth": 1, "opacity": 0.5}
    usable_rows = [row for row in rows if row.get("usable", True)]
    return [*([{"data": values(usable_rows), "mark": through, "encoding": {"x": x, "y": y}}] if line else ()), *found]


def predicted(rows: list[Row], colour: str, y: Json) -> list[Json]:
    """A predicted value: a dashed diamond with its label at the left, because it is the last mark in time."""
    mark = {"type": "point", "filled": False, "fill": PAPER, "stroke": colour, "shape": "diamond", "size": 90}
    mark |= {"strokeDash": [3, 2], "strokeWidth": 1.5, "opacity": 1}
    word = TEXT | {"align": "right", "baseline": "middle", "dx": -9, "dy": 0}
    x = time_axis()
    return [
        {"data": values(rows), "mark": mark, "encoding": {"x": x, "y": y, "description": _TOLD}},
        {"data": values(rows), "mark": word, "encoding": {"x": x, "y": y, "text": {"field": "name"}}},
    ]


def labels(rows: list[Row], drawn: Timeline, y: Json, width: int) -> Json:
    """Values above their marks where there is room, newest first; a hollow mark also gets the letter of its reason."""
    texts = [row | {"name": " ".join(filter(None, (row["name"], row.get("letter"))))} for row in rows]
    fitting = room(texts, drawn, width, lambda row: len(row["name"]) * _LETTER + _PADDING)
    mark = TEXT | {"align": "center", "baseline": "bottom", "dx": 0, "dy": -6}
    return {"data": values(fitting), "mark": mark, "encoding": {"x": time_axis(), "y": y, "text": {"field": "name"}}}


def level_line(at: float, colour: str, y: Json, dash: list[int], name: str = "") -> list[Json]:
    """A horizontal line with its name at the left."""
    data = {"values": [{"value": at, "name": name}]}
    word = TEXT | {"baseline": "bottom", "dy": -2}
    return [
        {"data": data, "mark": {"type": "rule", "color": colour, "strokeDash": dash, "aria": False}, "encoding": {"y": y}},
        {"data": data, "mark": word, "encoding": {"y": y, "x": {"value": 0}, "text": {"field": "name"}}},
    ]  # fmt: skip


def blocks(rows: list[Row], colour: str, drawn: Timeline, y: Json, width: int) -> list[Json]:
    """Stretches of time, each as high as its value, which is written inside if it fits."""
    flat = [row | {"zero": 0} for row in rows]
    look = {"type": "rect", "color": colour, "opacity": 0.35, "stroke": colour, "strokeWidth": 1}
    return [_stretches(flat, look, y), _words(flat, drawn, y, width)]


def boxes(rows: list[Row], drawn: Timeline, y: Json, width: int, colour: str = INK) -> list[Json]:
    """Stretches of time with a dose that is not taken, not known or not taken yet: dashed, each with its ``name`` if it fits."""
    flat = [row | {"zero": 0} for row in rows]
    look = {"type": "rect", "color": BAND, "stroke": colour, "strokeDash": [4, 3], "strokeWidth": 1.5}
    return [_stretches(flat, look, y), _words(flat, drawn, y, width)]


def _stretches(rows: list[Row], look: Json, y: Json) -> Json:
    where = {"x": time_axis(), "x2": {"field": "until"}, "y": y, "y2": {"field": "zero"}, "description": _TOLD}
    return {"data": values(rows), "mark": look, "encoding": where}


def _words(rows: list[Row], drawn: Timeline, y: Json, width: int) -> Json:
    fits = [row for row in rows if _wide(row, drawn, width) >= len(row["name"]) * _LETTER + _PADDING]
    shown = [row | {"at": max(row["at"], drawn.first.isoformat())} for row in fits]
    return {"data": values(shown), "mark": dict(TEXT), "encoding": {"x": time_axis(), "y": y, "text": {"field": "name"}}}  # fmt: skip


def _wide(row: Row, drawn: Timeline, width: int) -> float:
    return (share(drawn, row["until"]) - max(0.0, share(drawn, row["at"]))) * width
