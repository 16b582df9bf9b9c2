"""What the program says that it reads is what it reads."""

from __future__ import annotations

import pytest

from cds.knowledge.conditions import Unclear, known_fact
from cds.knowledge.valuesets import READ_INTO_CHART, VALUE_SETS
from tests.conftest import ROOT, RULES


def test_every_value_set_is_shipped_and_named_where_charts_are_read() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "cds" / "chart").glob("*.py"))
    assert {name for name in READ_INTO_CHART if f'"{name}"' not in source} == set()
    shipped = {path.stem: path.read_text(encoding="utf-8") for path in (RULES / "valuesets").glob("*.yaml")}
    assert {name for name, text in shipped.items() if name not in VALUE_SETS and "\nroles: " not in text} == set()
    assert VALUE_SETS - shipped.keys() == set()  # a door is not misspelt


def test_a_fact_of_an_earlier_version_is_told_with_its_name_of_now() -> None:
    with pytest.raises(Unclear, match="the fact 'cut_for_high_level' is called 'cut_for_a_reason' now"):
        known_fact("cut_for_high_level")
