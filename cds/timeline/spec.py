"""The picture as a Vega-Lite specification: panels one under the other, on one axis of time.

Colours are those of Okabe and Ito, told apart by the colour-blind; shape and fill say the same again, so that the picture
reads in grey: filled is usable, hollow is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cds.timeline.rows import Row, Timeline

Json = dict[str, Any]
COUNTS, LEVELS, DOSES, STEROIDS, TREG = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9"
INK, GRID, BAND, PAPER = "#1a1a1a", "#d0d0d0", "#e9eef2", "#ffffff"
KINDS = {"moves the level": "#e69f00", "raises counts": "#56b4e9", "event": "#666666", "bleeding": "#b00020",
         "critical": "#b00020", "warning": "#b35c00", "info": "#0072b2"}  # fmt: skip
_SHAPES = {"event": "triangle-up", "bleeding": "diamond", "critical": "square", "warning": "square", "info": "square"}
_FLOOR = 1  # of the axis of counts, which is logarithmic


def spec(drawn: Timeline, width: int = 860) -> Json:
    """The whole picture, ``width`` pixels wide without its axes."""
    panels = [_counts(drawn, width), _levels(drawn, width), _doses(drawn, width)]
    if drawn.steroids:
        panels.append(_steroids(drawn, width))
    if drawn.bars or drawn.marks:
        panels.append(_others(drawn, width))
    if drawn.treg:
        panels.append(_treg(drawn, width))
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "background": PAPER,
        "padding": 8,
        "title": {"text": f"Judged as of {drawn.now}", "fontWeight": "normal", "fontSize": 11},
        "vconcat": panels,
        "spacing": 12,
        "resolve": {"scale": {"x": "shared"}},
        "config": {
            "font": "sans-serif",
            "view": {"stroke": GRID},
            "axis": {"labelColor": INK, "titleColor": INK, "gridColor": GRID, "domainColor": GRID, "tickColor": GRID},
            "title": {"color": INK, "anchor": "start", "fontSize": 13},
        },
    }


def _x(drawn: Timeline, field: str = "at") -> Json:
    ends = [f"{day.isoformat()}T00:00Z" for day in (drawn.first, drawn.last)]
    months = max(1, (drawn.last - drawn.first).days // 30)
    form = "%b %Y" if months > 3 else "%d %b"
    return {
        "field": field,
        "type": "temporal",
        "scale": {"type": "utc", "domain": ends},
        "axis": {"title": None, "format": form, "labelOverlap": True, "tickCount": min(12, months + 1)},
    }


def _y(title: str, domain: list[float], scale: str = "linear", ticks: list[float] | None = None) -> Json:
    axis: Json = {"title": title, "titleFontWeight": "normal", "minExtent": 48, "maxExtent": 48}
    if ticks is not None:
        axis |= {"values": ticks}
    return {
        "field": "value",
        "type": "quantitative",
        "scale": {"type": scale, "domain": domain, "clamp": True},
        "axis": axis,
    }


def _values(rows: Iterable[Row]) -> Json:
    return {"values": [{key: _utc(value) for key, value in row.items()} for row in rows]}


def _utc(value: Any) -> Any:
    """A day and clock of the source, which the picture shows as they are."""
    return f"{value}Z" if isinstance(value, str) and len(value) == 16 and value[10] == "T" else value


def _points(rows: list[Row], colour: str, drawn: Timeline, y: Json, size: int = 55) -> list[Json]:
    """Filled points for what may be used, hollow ones for what may not."""
    x = _x(drawn)
    found = []
    for usable in (True, False):
        mark = {"type": "point", "filled": usable, "color": colour, "size": size, "opacity": 1, "strokeWidth": 1.5}
        mark |= {"fill": colour if usable else PAPER, "stroke": colour}
        some = [row for row in rows if row.get("usable", True) is usable]
        found.append(
            {"data": _values(some), "mark": mark, "encoding": {"x": x, "y": y, "description": {"field": "say"}}}
        )
    line = {"type": "line", "color": colour, "strokeWidth": 1, "opacity": 0.5}
    usable_rows = [row for row in rows if row.get("usable", True)]
    return [{"data": _values(usable_rows), "mark": line, "encoding": {"x": x, "y": y}}, *found]


def _rule(at: float, colour: str, y: Json, dash: list[int]) -> Json:
    return {
        "data": {"values": [{"value": at}]},
        "mark": {"type": "rule", "color": colour, "strokeDash": dash, "aria": False},
        "encoding": {"y": y},
    }


def _counts(drawn: Timeline, width: int) -> Json:
    top = max([200.0, *(row["value"] for row in drawn.counts)]) * 1.2
    y = _y("10^9/L", [_FLOOR, top], "log", [v for v in (1, 3, 10, 30, 100, 300, 1000) if v <= top])
    layers: list[Json] = []
    if drawn.landmarks:
        box = {"x": _x(drawn), "x2": {"field": "until"}, "description": {"field": "say"}}
        layers.append({"data": _values(drawn.landmarks), "mark": {"type": "rect", "color": BAND}, "encoding": box})
        text = {
            "type": "text",
            "align": "left",
            "baseline": "top",
            "dx": 4,
            "dy": 4,
            "color": INK,
            "fontSize": 11,
            "aria": False,
        }
        for lower in (False, True):  # the second one stands below the first, which may reach into it
            named = {"x": _x(drawn), "y": {"value": 14 * lower}, "text": {"field": "name"}}
            some = [row for row in drawn.landmarks if row["row"] is lower]
            layers.append({"data": _values(some), "mark": dict(text), "encoding": named})
    layers += [_rule(limit, INK, y, [4, 3]) for limit in (30.0, 100.0)]
    if drawn.baseline is not None:
        layers.append(_rule(max(drawn.baseline, _FLOOR), COUNTS, y, [1, 3]))
    layers += _points(drawn.counts, COUNTS, drawn, y)
    return _panel("Platelets (lines at 30 and 100; dotted: baseline)", layers, width, 190)


def _levels(drawn: Timeline, width: int) -> Json:
    low, high = drawn.target
    top = max([high * 1.6, *(row["value"] for row in drawn.levels)]) * 1.05
    y = _y("ng/mL", [0, top])
    band: Json = {
        "data": {"values": [{"value": low, "to": high}]},
        "mark": {"type": "rect", "color": BAND, "aria": False},
        "encoding": {"y": y, "y2": {"field": "to"}},
    }
    title = f"Sirolimus level (band: target {low:g} to {high:g})"
    return _panel(title, [band, *_points(drawn.levels, LEVELS, drawn, y)], width, 130)


def _blocks(rows: list[Row], colour: str, drawn: Timeline, y: Json) -> Json:
    return {
        "data": _values([row | {"zero": 0} for row in rows if row["value"] is not None]),
        "mark": {"type": "rect", "color": colour, "opacity": 0.75, "stroke": colour, "strokeWidth": 0.5},
        "encoding": {"x": _x(drawn), "x2": {"field": "until"}, "y": y, "y2": {"field": "zero"}, "description": {"field": "say"}},
    }  # fmt: skip


def _doses(drawn: Timeline, width: int) -> Json:
    top = max([4.0, *(row["value"] for row in drawn.doses if row["value"] is not None)]) * 1.1
    y = _y("mg/day", [0, top])
    unknown = [row | {"value": top, "zero": 0, "name": "not known"} for row in drawn.doses if row["value"] is None]
    box = {"x": _x(drawn), "x2": {"field": "until"}, "y": y, "y2": {"field": "zero"}, "description": {"field": "say"}}
    words = {"type": "text", "align": "left", "baseline": "top", "dx": 4, "dy": 4, "color": INK, "aria": False}
    layers = [
        _blocks(drawn.doses, DOSES, drawn, y),
        {
            "data": _values(unknown),
            "mark": {"type": "rect", "color": BAND, "stroke": INK, "strokeDash": [3, 3]},
            "encoding": box,
        },
        {"data": _values(unknown), "mark": words, "encoding": {"x": _x(drawn), "y": y, "text": {"field": "name"}}},
    ]
    return _panel("Sirolimus dose", layers, width, 80)


def _steroids(drawn: Timeline, width: int) -> Json:
    top = max(row["value"] for row in drawn.steroids) * 1.1
    blocks = _blocks(drawn.steroids, STEROIDS, drawn, _y("mg/day", [0, top]))
    return _panel("Corticosteroid, as prednisone", [blocks], width, 60)


def _others(drawn: Timeline, width: int) -> Json:
    """Other drugs as bars; procedures, bleeding and cards as marks, each kind in a shape of its own."""
    names = list(dict.fromkeys(row["name"] for row in (*drawn.bars, *drawn.marks)))
    y = {
        "field": "name",
        "type": "nominal",
        "sort": names,
        "axis": {"title": None, "minExtent": 48, "grid": True, "labelLimit": 110},
    }
    kinds = list(KINDS)
    colour = {
        "field": "kind",
        "type": "nominal",
        "scale": {"domain": kinds, "range": [KINDS[kind] for kind in kinds]},
        "legend": None,
    }
    shape = {"field": "kind", "type": "nominal", "legend": None,
             "scale": {"domain": kinds, "range": [_SHAPES.get(kind, "circle") for kind in kinds]}}  # fmt: skip
    say = {"field": "say"}
    bars = {"data": _values(drawn.bars), "mark": {"type": "bar", "height": 10},
            "encoding": {"x": _x(drawn), "x2": {"field": "until"}, "y": y, "color": colour, "description": say}}  # fmt: skip
    marks = {"data": _values(drawn.marks), "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
             "encoding": {"x": _x(drawn), "y": y, "color": colour, "shape": shape, "description": say}}  # fmt: skip
    return _panel("Other drugs, events, bleeding and cards", [bars, marks], width, 20 * len(names))


def _treg(drawn: Timeline, width: int) -> Json:
    top = max(row["value"] for row in drawn.treg) * 1.1
    layers = _points(drawn.treg, TREG, drawn, _y("as measured", [0, top]))
    codes = ", ".join(dict.fromkeys(row["code"] for row in drawn.treg))
    return _panel(f"Regulatory T cells ({codes})", layers, width, 70)


def _panel(title: str, layers: list[Json], width: int, height: int) -> Json:
    for layer in layers:
        layer["mark"]["clip"] = True
    return {"title": title, "width": width, "height": height, "layer": layers}
