"""What the program says that it reads is what it reads."""

from __future__ import annotations

import pytest

from cds.facts import PLAN
from cds.knowledge.conditions import Unclear, known_fact
from cds.knowledge.valuesets import VALUE_SETS
from tests.conftest import ROOT, RULES


def test_every_value_set_is_shipped_and_named_where_charts_are_read() -> None:
    source = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "cds").rglob("*.py") if path.name != "valuesets.py"
    )
    by_role = {
        path.stem for path in (RULES / "valuesets").glob("*.yaml") if "\nroles: " in path.read_text(encoding="utf-8")
    }
    by_facts = {name for door in PLAN.doors.values() for kind, name in door.reads if kind == "valueset"}
    assert {name for name in VALUE_SETS - by_role - by_facts if f'"{name}"' not in source} == set()
    assert by_facts - VALUE_SETS == set()  # a door is not misspelt
    assert {path.stem for path in (RULES / "valuesets").glob("*.yaml")} == VALUE_SETS


def test_a_fact_of_an_earlier_version_is_told_with_its_name_of_now() -> None:
    with pytest.raises(Unclear, match="the fact 'cut_for_high_level' is called 'cut_for_a_reason' now"):
        known_fact("cut_for_high_level")
