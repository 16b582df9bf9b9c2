"""P1: nothing offers more sirolimus while a fact or a card beside it advises less; proved over the rules, held by the facts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cds.advise import advise
from cds.authoring.proofs.both_ways import never_both_ways
from cds.chart.body import InputError
from cds.chart.request import read_request
from cds.cli.main import main
from cds.compiled.knowledge import Knowledge
from cds.engine import CheckedEngine
from cds.knowledge.read import read_folder
from tests.conftest import RULES
from tests.oracle.charts import chart

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

PROTOCOLS = sorted(path.stem for path in (RULES / "protocols").glob("*.yaml"))
CHARTS = 300


def known(protocol: str, overlay: Path | None = None) -> Knowledge:
    read = read_folder(RULES, protocol, [overlay] if overlay else [])
    assert read.knowledge is not None, read.faults
    return read.knowledge


def test_no_pair_of_cards_points_both_ways_under_any_protocol() -> None:
    assert len(PROTOCOLS) == 5
    proved = never_both_ways([known(each) for each in PROTOCOLS])
    assert (proved.holds, proved.counterexamples) == (True, [])
    assert proved.tried > 500


@pytest.fixture
def without_infection(tmp_path: Path) -> Path:
    """A site's rules in which a serious infection withholds no rise: in a copy, since an overlay cannot take a reason away."""
    folder = tmp_path / "rules"
    shutil.copytree(RULES, folder)
    file = folder / "withhold.yaml"
    head, _, rest = file.read_text(encoding="utf-8").partition("\nserious-infection:\n")
    _, _, after = rest.partition("\nsepsis:\n")
    file.write_text(f"{head}\nsepsis:\n{after}", encoding="utf-8")
    return folder


def test_a_reason_that_is_taken_away_is_found_and_told_as_a_scenario_that_runs(
    without_infection: Path, tmp_path: Path
) -> None:
    result = CliRunner().invoke(main, ["check", "--format", "json", str(without_infection)])
    report = json.loads(result.stdout)
    one = report["properties"][0]
    assert (one["id"], one["holds"], result.exit_code) == ("P1", False, 1)
    assert any("serious-infection advises less" in each for each in one["counterexamples"])
    fault = next(f["message"] for f in report["faults"] if "serious-infection advises less" in f["message"])
    scenario = tmp_path / "found.yaml"
    scenario.write_text(fault.partition("\n")[2], encoding="utf-8")
    ran = CliRunner().invoke(main, ["scenario", str(scenario), "--rules", str(without_infection)])
    assert "day " in ran.output
    assert ran.exit_code in (0, 1), ran.output  # it is judged, whatever it finds


def doses_offered(cards: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The labels of the buttons that offer a dose, each with the summary of its card."""
    return [
        (card["summary"], each["label"])
        for card in cards
        for each in card.get("suggestions", [])
        if each["label"].startswith("Change the order to")
    ]


def milligrams(label: str) -> float:
    return float(label.removeprefix("Change the order to ").split(" ")[0])


def test_no_card_of_a_random_chart_offers_a_rise_while_something_withholds_it(engine: CheckedEngine) -> None:
    offered = 0
    for seed in range(CHARTS):
        body, now = chart(seed)
        try:
            advice = advise(read_request(json.dumps(body).encode()), engine, now, max_cards=99)
        except InputError:
            continue
        values = advice.situation.facts.values
        buttons = doses_offered(advice.cards)
        offered += len(buttons)
        if "rise_withheld" in values and "daily_dose" in values:
            higher = [each for each in buttons if milligrams(each[1]) > values["daily_dose"]]
            assert higher == [], f"seed {seed}: {[reason.name for reason in values['rise_withheld']]}"
    assert offered > 0
