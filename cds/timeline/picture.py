"""Draws the picture as SVG, PNG or PDF, using Vega from a Python wheel, without network or browser."""

from __future__ import annotations

import re
from typing import Literal
from xml.etree import ElementTree

import vl_convert

from cds.timeline.rows import Timeline
from cds.timeline.spec import spec

Form = Literal["svg", "png", "pdf"]
_SIDE_BAR = 290  # pixels of its time axis
_ID = re.compile(r'((?: id="|url\(#))(clip[0-9]+)')
_SVG = "http://www.w3.org/2000/svg"
_SHOWN = ("point", "rect mark", "bar")


def picture(drawn: Timeline, form: Form) -> bytes:
    """The drawn timeline. In an SVG each mark is described on hover and for screen readers."""
    if form == "png":
        return bytes(vl_convert.vegalite_to_png(spec(drawn), scale=2))
    if form == "pdf":
        return bytes(vl_convert.vegalite_to_pdf(spec(drawn)))
    return _told(vl_convert.vegalite_to_svg(spec(drawn)), "large")


def pictures(drawn: Timeline) -> str:
    """The timeline for a page: as an SVG for large screens and paper, and as one for an EHR's side bar; the stylesheet shows one."""
    small = _told(vl_convert.vegalite_to_svg(spec(drawn, _SIDE_BAR)), "small")
    return (picture(drawn, "svg") + small).decode()


def _told(text: str, size: str) -> bytes:
    """The drawing with a title on each mark that has a description; its groups are no landmarks for screen readers."""
    text = _ID.sub(rf"\g<1>{size}-\2", text)  # two drawings on a page must not share ids
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(text)  # noqa: S314  # drawn by ourselves a moment ago
    for element in root.iter():
        words = element.get("aria-label")
        if words and element.get("aria-roledescription") in _SHOWN:
            title = ElementTree.Element(f"{{{_SVG}}}title")
            title.text = words
            element.insert(0, title)
            element.set("role", "img")
        elif element is not root:
            for name in ("role", "aria-label", "aria-roledescription"):
                element.attrib.pop(name, None)
    root.set("role", "group")
    root.set("class", size)
    root.set(
        "aria-label",
        "Platelets, sirolimus levels, doses and other treatment over time; the same is told in words below",
    )
    return ElementTree.tostring(root)
