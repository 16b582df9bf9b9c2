"""docs/fhir.md tells the truth: every element that the reader knows is on the page."""

from __future__ import annotations

import msgspec
import pytest

from cds.chart import wire
from cds.chart.read import READERS
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "fhir.md").read_text(encoding="utf-8")
REFUSED = {"medication"}  # R5's, read only to be refused
PLAIN = {"system", "code", "display", "coding", "text", "reference", "value", "unit", "comparator", "low", "high", "start", "end",
         "type", "numerator", "denominator", "url", "relation", "entry", "link", "resource", "response"}  # fmt: skip
STRUCTS = [
    each
    for each in vars(wire).values()
    if isinstance(each, type) and issubclass(each, msgspec.Struct) and not each.__name__.startswith("Raw")
]


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_every_element_that_is_read_is_on_the_page(struct: type[msgspec.Struct]) -> None:
    missing = [name for name in struct.__struct_fields__ if name not in PLAIN | REFUSED and name not in PAGE]
    assert not missing


def test_every_type_that_is_read_is_on_the_page() -> None:
    assert [kind for kind in READERS if kind not in PAGE] == []
