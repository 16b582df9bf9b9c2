"""What the program says that it reads is what it reads."""

from __future__ import annotations

from cds.vocabulary import VALUE_SETS
from tests.conftest import ROOT, RULES


def test_every_value_set_is_shipped_and_named_where_charts_are_read() -> None:
    source = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "cds").rglob("*.py") if path.name != "vocabulary.py"
    )
    assert {name for name in VALUE_SETS if f'"{name}"' not in source} == set()
    assert {path.stem for path in (RULES / "valuesets").glob("*.yaml")} == VALUE_SETS
