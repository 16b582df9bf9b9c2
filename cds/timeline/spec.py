"""The picture as a Vega-Lite specification: panels one under the other, on one axis of time.

Shape and fill say the same again as colour, so that the picture reads in grey: filled is usable, hollow is not.
"""

from __future__ import annotations

from cds.timeline.marks import (
    BAND,
    GRID,
    INK,
    PAPER,
    TEXT,
    Json,
    blocks,
    boxes,
    level_line,
    points,
    share,
    time_axis,
    value_axis,
    values,
)
from cds.timeline.rows import Timeline

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
_FLOOR = 0.4  # of the axis of counts, which is logarithmic
_LATE = 0.85  # of the axis, from where on words end where they would begin
_NARROW = 500
_TWO_WORDS = 300  # pixels that the words of two landmarks may need; nearer, one stands below the other


def spec(drawn: Timeline, width: int = 860) -> Json:
    """The whole picture, ``width`` pixels wide without its axes."""
    panels = [_counts(drawn, width), _levels(drawn, width), _doses(drawn, width)]
    if drawn.steroids:
        panels.append(_steroids(drawn, width))
    if drawn.grades:
        panels.append(_grades(drawn, width))
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
            "title": {"color": INK, "anchor": "start", "frame": "group", "fontSize": 13},
        },
    }


def _counts(drawn: Timeline, width: int) -> Json:
    most = max([200.0, *(row["value"] for row in drawn.counts)])
    top = most * (4 if drawn.landmarks else 1.2)  # the landmarks' words stand above the counts
    y = value_axis("10^9/L", [_FLOOR, top], "log", [v for v in (1, 3, 10, 30, 100, 300, 1000) if v <= top])
    layers = _landmarks(drawn, width) if drawn.landmarks else []
    layers += [level_line(limit, INK, y, [4, 3]) for limit in (30.0, 100.0)]
    if drawn.baseline is not None:
        layers.append(level_line(max(drawn.baseline, _FLOOR), COUNTS, y, [1, 3]))
    layers += points(drawn.counts, COUNTS, drawn, y)
    return _panel("Platelets (lines at 30 and 100; dotted: baseline)", layers, width, 190)


def _landmarks(drawn: Timeline, width: int) -> list[Json]:
    x = time_axis(drawn)
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


def _levels(drawn: Timeline, width: int) -> Json:
    low, high = drawn.target
    top = max([high * 1.6, *(row["value"] for row in drawn.levels)]) * 1.05
    y = value_axis("ng/mL", [0, top])
    band: Json = {
        "data": {"values": [{"value": low, "to": high}]},
        "mark": {"type": "rect", "color": BAND, "aria": False},
        "encoding": {"y": y, "y2": {"field": "to"}},
    }
    title = f"Sirolimus level (band: target {low:g} to {high:g})"
    return _panel(title, [band, *points(drawn.levels, LEVELS, drawn, y)], width, 130)


def _doses(drawn: Timeline, width: int) -> Json:
    top = max([4.0, *(row["value"] for row in drawn.doses if row["value"] is not None)]) * 1.1
    y = value_axis("mg/day", [0, top])
    without = {None: "not known", 0: "held"}
    plain = [row | {"name": without[row["value"]]} for row in drawn.doses if row["value"] in without]
    taken = [row for row in drawn.doses if row["value"]]
    return _panel("Sirolimus dose", [blocks(taken, DOSES, drawn, y), *boxes(plain, top, drawn, y, width)], width, 80)


def _steroids(drawn: Timeline, width: int) -> Json:
    top = max(row["value"] for row in drawn.steroids) * 1.1
    layers = [blocks(drawn.steroids, STEROIDS, drawn, value_axis("mg/day", [0, top]))]
    return _panel("Corticosteroid, as prednisone", layers, width, 60)


def _grades(drawn: Timeline, width: int) -> Json:
    y = value_axis("grade", [-0.4, 4.4], ticks=[0, 1, 2, 3, 4])
    return _panel(
        "Bleeding, by the WHO's grade", points(drawn.grades, BLEEDING, drawn, y, "diamond", line=False), width, 60
    )


def _others(drawn: Timeline, width: int) -> Json:
    """Other drugs as bars; procedures, bleeding and cards as marks, each kind in a shape of its own."""
    names = list(dict.fromkeys(row["name"] for row in (*drawn.bars, *drawn.marks)))
    y = {
        "field": "name",
        "type": "nominal",
        "sort": names,
        "axis": {"title": None, "minExtent": 48, "grid": True, "labelLimit": 110 if width > _NARROW else 76},
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
    x, say = time_axis(drawn), {"field": "say"}
    bars = {"data": values(drawn.bars), "mark": {"type": "bar", "height": 10},
            "encoding": {"x": x, "x2": {"field": "until"}, "y": y, "color": colour, "description": say}}  # fmt: skip
    marks = {"data": values(drawn.marks), "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
             "encoding": {"x": x, "y": y, "color": colour, "shape": shape, "description": say}}  # fmt: skip
    return _panel("Other drugs, events, bleeding and cards", [bars, marks], width, 20 * len(names))


def _treg(drawn: Timeline, width: int) -> Json:
    top = max(row["value"] for row in drawn.treg) * 1.1
    layers = points(drawn.treg, TREG, drawn, value_axis("as measured", [0, top]))
    codes = ", ".join(dict.fromkeys(row["code"] for row in drawn.treg))
    return _panel(f"Regulatory T cells ({codes})", layers, width, 70)


def _panel(title: str, layers: list[Json], width: int, height: int) -> Json:
    for layer in layers:
        layer["mark"]["clip"] = True
    return {"title": title, "width": width, "height": height, "layer": layers}
