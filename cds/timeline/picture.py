"""The picture drawn: SVG, PNG or PDF, by Vega inside a wheel, with no network and no browser."""

from __future__ import annotations

from typing import Any, Literal
from xml.etree import ElementTree

import vl_convert

Form = Literal["svg", "png", "pdf"]
_SVG = "http://www.w3.org/2000/svg"
_SHOWN = ("point", "rect", "bar", "square", "symbol")


def picture(spec: dict[str, Any], form: Form) -> bytes:
    """A Vega-Lite specification drawn. In an SVG each mark tells on hover, and to a screen reader, what it is."""
    if form == "png":
        return bytes(vl_convert.vegalite_to_png(spec, scale=2))
    if form == "pdf":
        return bytes(vl_convert.vegalite_to_pdf(spec))
    return _told(vl_convert.vegalite_to_svg(spec))


def _told(text: str) -> bytes:
    """The drawing with a title in each mark that has words; its groups are no landmarks of their own."""
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
    root.set(
        "aria-label",
        "Platelets, sirolimus levels, doses and other treatment over time; the same is told in words below",
    )
    return ElementTree.tostring(root)
