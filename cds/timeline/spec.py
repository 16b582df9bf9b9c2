"""The picture as a Vega-Lite specification: panels one under the other, on one time axis that is labelled in the last panel.

Shape and fill repeat what colour says, so that the picture can be read in greyscale: filled is usable, hollow is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cds.timeline.axis import dates, share, time_axis
from cds.timeline.marks import (
    BAND,
    GRID,
    INK,
    PAPER,
    TEXT,
    Json,
    blocks,
    boxes,
    labels,
    level_line,
    points,
    predicted,
    value_axis,
    values,
)
from cds.timeline.rows import Row, Timeline

COUNTS, LEVELS, DOSES, STEROIDS, TREG, BLEEDING = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#b00020"
KINDS = {"moves the level": "#e69f00", "raises counts": "#56b4e9", "event": "#666666", "bleeding": BLEEDING,
         "critical": "#b00020", "warning": "#b35c00", "info": "#0072b2"}  # fmt: skip
_SHAPES = {
    "event": "triangle-up",
    "bleeding": "diamond",
    "critical": "cross",
    "warning": "triangle-down",
    "info": "square",
}
_FLOOR = 0.4  # the lower end of the axis of counts, which is logarithmic
_LATE = 0.85  # share of the axis beyond which labels are right-aligned
_NARROW = 500
_TODAY = 130  # pixels that the label of today needs
_TWO_WORDS = 300  # pixels that the labels of two landmarks may need; if they are closer, one is placed below the other


class Panel(NamedTuple):
    """One panel: its title, what is drawn in it, and its height in pixels."""

    title: str
    layers: list[Json]
    height: int


def spec(drawn: Timeline, width: int = 860) -> Json:
    """The whole picture, ``width`` pixels wide without its axes."""
    panels = list(_panels(drawn, width))
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "background": PAPER,
        "padding": 8,
        "vconcat": [_panel(each, drawn, width, each is panels[-1], each is panels[0]) for each in panels],
        "spacing": 10,
        "resolve": {"scale": {"x": "shared"}},
        "config": {
            "font": "sans-serif",
            "view": {"stroke": GRID},
            "axis": {
                "labelColor": INK, "titleColor": INK, "gridColor": GRID, "domainColor": GRID, "tickColor": GRID,
                "labelFontSize": 12,
            },
            "title": {"color": INK, "anchor": "start", "frame": "group", "fontSize": 13},
        },
    }  # fmt: skip


def _panels(drawn: Timeline, width: int) -> Iterator[Panel]:
    """Counts, levels and doses always; the others where there is something to draw."""
    yield _counts(drawn, width)
    yield _levels(drawn, width)
    yield _doses(drawn, width)
    if steroids := _seen(drawn, drawn.steroids):
        yield _steroids(drawn, steroids, width)
    if drawn.grades:
        yield _grades(drawn)
    if _seen(drawn, [*drawn.bars, *drawn.marks]):
        yield _others(drawn, width)
    if drawn.treg:
        yield _treg(drawn)


def _counts(drawn: Timeline, width: int) -> Panel:
    most = max([200.0, *(row["value"] for row in drawn.counts)])
    top = most * (8 if drawn.landmarks else 1.5)  # the landmarks' labels are placed above the counts
    y = value_axis([_FLOOR, top], "log", [1, 10, 30, 100])
    layers = _landmarks(drawn, width) if drawn.landmarks else []
    for name, limit in zip(("partial", "complete"), drawn.criteria, strict=True):
        layers += level_line(limit, INK, y, [4, 3], f"{name}, {limit:g}")
    if drawn.baseline is not None:
        layers += level_line(max(drawn.baseline, _FLOOR), COUNTS, y, [1, 3], f"baseline {drawn.baseline:g}")
    layers += [*points(drawn.counts, COUNTS, drawn, y), labels(drawn.counts, drawn, y, width)]
    return Panel("Platelets, 10^9/L", layers, 160)


def _landmarks(drawn: Timeline, width: int) -> list[Json]:
    x = time_axis()
    box = {"x": x, "x2": {"field": "until"}, "description": {"field": "say"}}
    layers: list[Json] = [{"data": values(drawn.landmarks), "mark": {"type": "rect", "color": BAND}, "encoding": box}]
    begins = [share(drawn, row["at"]) for row in drawn.landmarks]
    near = 0 < (begins[-1] - begins[0]) * width < _TWO_WORDS
    for row, begin in zip(drawn.landmarks, begins, strict=True):
        late = begin > _LATE
        text = TEXT | ({"align": "right", "dx": -4} if late else {})
        where = {"x": {"value": "width"} if late else x, "y": {"value": 14 * (near and row is drawn.landmarks[-1])}}
        layers.append({"data": values([row]), "mark": text, "encoding": where | {"text": {"field": "name"}}})
    return layers


def _levels(drawn: Timeline, width: int) -> Panel:
    low, high = drawn.target
    top = max([high * 1.6, *(row["value"] for row in (*drawn.levels, *drawn.levels_ahead))]) * 1.05
    y = value_axis([0, top])
    target = {"values": [{"value": high, "to": low, "name": f"target {low:g} to {high:g}"}]}
    word = {"y": y, "x": {"value": 0}, "text": {"field": "name"}}
    layers: list[Json] = [
        {"data": target, "mark": {"type": "rect", "color": BAND, "aria": False}, "encoding": {"y": y, "y2": {"field": "to"}}},
        {"data": target, "mark": dict(TEXT), "encoding": word},
        *points(drawn.levels, LEVELS, drawn, y),
        labels(drawn.levels, drawn, y, width),
        *predicted(drawn.levels_ahead, LEVELS, y),
    ]  # fmt: skip
    return Panel("Sirolimus level, ng/mL", layers, 120)


def _doses(drawn: Timeline, width: int) -> Panel:
    known = [row["value"] for row in (*drawn.doses, *drawn.doses_ahead) if row["value"] is not None]
    top = max([4.0, *known]) * 1.1
    y = value_axis([0, top])
    plain = [row | {"value": top} for row in drawn.doses if not row["value"]]
    taken = [row for row in drawn.doses if row["value"]]
    layers = [*blocks(taken, DOSES, drawn, y, width), *boxes(plain, drawn, y, width)]
    return Panel("Sirolimus dose, mg/day", [*layers, *boxes(drawn.doses_ahead, drawn, y, width, DOSES)], 80)


def _seen(drawn: Timeline, rows: list[Row]) -> list[Row]:
    """The rows that reach into the time that is drawn."""
    return [row for row in rows if str(row.get("until") or row["at"]) > drawn.first.isoformat()]


def _steroids(drawn: Timeline, rows: list[Row], width: int) -> Panel:
    top = max(row["value"] for row in rows) * 1.1
    layers = blocks(rows, STEROIDS, drawn, value_axis([0, top]), width)
    return Panel("Corticosteroid, as prednisone, mg/day", layers, 60)


def _grades(drawn: Timeline) -> Panel:
    y = value_axis([-0.4, 4.4], ticks=[0, 1, 2, 3, 4])
    return Panel("Bleeding, by the WHO's grade", points(drawn.grades, BLEEDING, drawn, y, "diamond", line=False), 60)


def _others(drawn: Timeline, width: int) -> Panel:
    """Other drugs as bars; procedures, bleeding and cards as marks, each kind in a shape of its own."""
    drugs, events = _seen(drawn, drawn.bars), _seen(drawn, drawn.marks)
    names = list(dict.fromkeys(row["name"] for row in (*drugs, *events)))
    y = {
        "field": "name",
        "type": "nominal",
        "sort": names,
        "axis": {"title": None, "minExtent": 34, "grid": True, "labelLimit": 110 if width > _NARROW else 76},
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
    x, say = time_axis(), {"field": "say"}
    bars = {"data": values(drugs), "mark": {"type": "bar", "height": 10},
            "encoding": {"x": x, "x2": {"field": "until"}, "y": y, "color": colour, "description": say}}  # fmt: skip
    marks = {"data": values(events), "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
             "encoding": {"x": x, "y": y, "color": colour, "shape": shape, "description": say}}  # fmt: skip
    return Panel("Other drugs, events, bleeding and cards", [bars, marks], 20 * len(names))


def _treg(drawn: Timeline) -> Panel:
    top = max(row["value"] for row in drawn.treg) * 1.1
    codes = ", ".join(dict.fromkeys(row["code"] for row in drawn.treg))
    return Panel(f"Regulatory T cells ({codes})", points(drawn.treg, TREG, drawn, value_axis([0, top])), 70)


def _panel(panel: Panel, drawn: Timeline, width: int, labelled: bool, named: bool) -> Json:
    """A panel on the time axis that all panels share; today is a line through every panel, with its label in the first."""
    layers = [*panel.layers, *_today(drawn, width, panel.height, named)]
    for layer in layers:
        layer["mark"]["clip"] = layer["mark"]["type"] != "text"
        if "field" in layer["encoding"].get("x", ()):
            layer["encoding"]["x"] = dates(drawn, width, labelled)
    return {"title": panel.title, "width": width, "height": panel.height, "layer": layers}


def _today(drawn: Timeline, width: int, height: int, named: bool) -> Iterator[Json]:
    today = {"values": [{"at": drawn.today.isoformat(), "name": f"today, {drawn.today.day} {drawn.today:%b %Y}"}]}
    yield {
        "data": today,
        "mark": {"type": "rule", "color": INK, "strokeWidth": 1, "aria": False},
        "encoding": {"x": time_axis()},
    }
    if named:
        late = share(drawn, drawn.today.isoformat()) * width > _TODAY
        word = TEXT | {"align": "right" if late else "left", "baseline": "bottom", "dx": -4 if late else 4, "dy": -3}
        where = {"x": time_axis(), "y": {"value": height}, "text": {"field": "name"}}
        yield {"data": today, "mark": word, "encoding": where}
