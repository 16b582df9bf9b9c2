"""Results under a hospital's own codes: read by their names, or named; never passed over in silence."""

from __future__ import annotations

import pytest

from cds.engine import CheckedEngine
from tests.charts import Resource, count, day, level, sirolimus
from tests.judge import gaps, judge

ORDER = sirolimus("s", day(0), 2)


def local(result: Resource, words: str, how: str) -> Resource:
    """A result under no code of LOINC, with its name as text or as display."""
    coding = {"system": "urn:our-lab", "code": "4711"}
    code = {"coding": [coding], "text": words} if how == "text" else {"coding": [coding | {"display": words}]}
    return result | {"code": code}


@pytest.mark.parametrize("how", ["text", "display"])
@pytest.mark.parametrize(
    "words",
    ["Platelets", "Platelet count", "PLT", "Thrombozyten", "Thrombozyten im Blut (EDTA)", "Platelet count, automated, in blood", "血小板计数", "Platelets [#/volume] in Blood", "Platelets (10*3/uL)", "Platelet Count (K/uL)", "PLT x10E9/L", "Thrombozyten /nl"],
)  # fmt: skip
def test_a_count_under_a_local_code_is_read(engine: CheckedEngine, words: str, how: str) -> None:
    advice = judge(engine, 20, ORDER, local(count("c", day(19), 22), words, how))
    (read,) = advice.situation.chart.labs["platelets"]
    assert read.amount is not None and (read.amount.value, read.by_name, read.problem) == (22, True, "")
    assert "Observation/c was not read" not in gaps(advice)


@pytest.mark.parametrize(
    "words",
    ["Mean platelet volume", "Platelet antibodies", "Platelet function test", "Platelets transfused", "Immature platelet fraction", "Giant platelets", "Platelets (transfused)", "Platelet/lymphocyte ratio", "Heparin induced platelet antibody"],
)  # fmt: skip
def test_another_test_of_platelets_is_none(engine: CheckedEngine, words: str) -> None:
    advice = judge(engine, 20, ORDER, local(count("c", day(19), 22), words, "text"))
    assert "platelets" not in advice.situation.chart.labs
    assert "Observation/c was not read" not in gaps(advice)


def test_a_level_under_a_local_name_that_is_not_known_is_named(engine: CheckedEngine) -> None:
    for words in ("Sirolimus Sammelprobe", "rapamycin recovery"):
        assert "Observation/l was not read" in gaps(
            judge(engine, 20, ORDER, local(level("l", day(19), 7), words, "text"))
        )
    for words in ("Temsirolimus", "Sirolimus dose"):
        assert "Observation/l was not read" not in gaps(
            judge(engine, 20, ORDER, local(level("l", day(19), 7), words, "text"))
        )


def test_what_was_entered_in_error_is_not_named(engine: CheckedEngine) -> None:
    wrong = local(count("c", day(19), 22), "Platelets", "text") | {"status": "entered-in-error"}
    assert "Observation/c was not read" not in gaps(judge(engine, 20, ORDER, wrong))


def test_a_name_of_a_hundred_thousand_letters_is_passed_over_at_once(engine: CheckedEngine) -> None:
    long = local(count("c", day(19), 22), "a" * 100_000, "text")
    assert "Observation/c was not read" not in gaps(judge(engine, 20, ORDER, long))


def test_a_card_says_that_a_level_and_a_count_were_matched_by_name(engine: CheckedEngine) -> None:
    drawn = local(level("l", day(19), 3), "Sirolimus-Spiegel", "text")
    counted = local(count("c", day(19), 8), "Thrombozyten", "text")
    cards = judge(engine, 20, ORDER, drawn, counted).cards
    said = {line for card in cards for line in card["detail"].splitlines() if "matched by name" in line}
    assert any("3 ng/mL" in line for line in said) and any("8 x 10^9/L" in line for line in said)
