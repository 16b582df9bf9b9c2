"""The pictures of a cohort, drawn by Vega without a network: response over time, courses one above the other, levels by week."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import date
from typing import Any

import vl_convert

from cds.population.cohort import Point, Week
from cds.population.rows import Member, Value

MOST_COURSES = 60
"""Courses in one picture; a cohort may have more."""
_WIDTH = 620
_COLOURS = {"complete": "#1b7837", "partial": "#e08214", "none": "#b2182b"}
_COURSES = {"taking": "#9ecae1", "held": "#fdd0a2", "stopped": "#d9d9d9", "stopped_unknown": "#d9d9d9", "died": "#969696", "none": "#d9d9d9"}  # fmt: skip


def over_time(points: Sequence[Point]) -> str:
    """The share with a complete and with any response, of those with a usable count in the four weeks before."""
    rows = [
        {"day": each.day, "share": number / each.with_count, "response": name}
        for each in points
        for name, number in (("complete", each.complete), ("complete or partial", each.complete + each.partial))
    ]
    return _drawn(
        {
            "mark": {"type": "line", "point": True},
            "height": 200,
            "encoding": {
                "x": {"field": "day", "type": "quantitative", "title": "day of the course"},
                "y": {"field": "share", "type": "quantitative", "title": "share", "scale": {"domain": [0, 1]}, "axis": {"format": "%"}},
                "color": {"field": "response", "type": "nominal", "title": None, "scale": {"range": ["#1b7837", "#2166ac"]}},
                "strokeDash": {"field": "response", "type": "nominal", "title": None},
            },
        },
        rows,
    )  # fmt: skip


def courses(patients: Sequence[Member], values: Sequence[Value], at: date) -> str:
    """One bar per course, the longest first, with the usable counts on it, marked by the response that they mean."""
    shown = sorted((row for row in patients if row.start is not None), key=lambda row: (-_length(row, at), row.patient))[:MOST_COURSES]  # fmt: skip
    places = {row.patient: number for number, row in enumerate(shown, 1)}
    bars = [{"n": places[row.patient], "from": 0, "to": _length(row, at), "state": row.state} for row in shown]
    counts = [
        {"n": places[row.patient], "day": row.day, "response": row.response}
        for row in values
        if row.patient in places and row.response and row.day is not None and row.day >= 0
    ]
    y = {"field": "n", "type": "ordinal", "title": "course", "axis": {"labels": False, "ticks": False}}
    layers = [
        {
            "data": {"values": bars},
            "mark": {"type": "bar", "height": 6},
            "encoding": {
                "y": y,
                "x": {"field": "from", "type": "quantitative", "title": "day of the course"},
                "x2": {"field": "to"},
                "color": _colour("state", _COURSES),
            },
        },
        {
            "data": {"values": counts},
            "mark": {"type": "point", "filled": True, "size": 22, "opacity": 1},
            "encoding": {
                "y": y,
                "x": {"field": "day", "type": "quantitative"},
                "color": _colour("response", _COLOURS),
                "shape": {"field": "response", "type": "nominal", "legend": None},
            },
        },
    ]
    return _drawn({"layer": layers, "height": {"step": 9}, "resolve": {"scale": {"color": "independent"}}}, [])


def _length(row: Member, at: date) -> int:
    assert row.start is not None
    over = min(each for each in (row.ended, row.died, at) if each is not None)
    return max((over - row.start).days, 0)


def _colour(field: str, colours: dict[str, str]) -> dict[str, Any]:
    scale = {"domain": list(colours), "range": list(colours.values())}
    return {"field": field, "type": "nominal", "title": field, "scale": scale}


def levels(weeks: Sequence[Week]) -> str:
    """The share of usable levels in the target, by week of the course."""
    rows = [{"week": each.week, "share": each.in_target / each.levels, "levels": each.levels} for each in weeks]
    return _drawn(
        {
            "mark": {"type": "bar", "color": "#2166ac"},
            "height": 160,
            "encoding": {
                "x": {"field": "week", "type": "quantitative", "title": "week of the course"},
                "y": {"field": "share", "type": "quantitative", "title": "in the target", "scale": {"domain": [0, 1]}, "axis": {"format": "%"}},
                "opacity": {"field": "levels", "type": "quantitative", "title": "levels"},
            },
        },
        rows,
    )  # fmt: skip


def _drawn(spec: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """A picture as a data URL."""
    whole = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": _WIDTH,
        "background": "white",
        "data": {"values": rows},
    }
    svg = vl_convert.vegalite_to_svg(whole | spec)
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()
