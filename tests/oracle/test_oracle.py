"""Two readings of the clinical text, written apart, must say the same of 20,000 random charts.

The oracle (``oracle.py`` and its neighbours) was written from the clinical text alone and shares no line with ``cds/``.
A failing item prints seeds: ``chart(seed)`` gives the chart again. ``found/`` keeps the smallest chart of each
disagreement that there ever was; docs/clinical-validation.md tells what they taught.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cds.authoring.cases import summary_of
from cds.chart.read import read_chart
from cds.chart.request import read_request
from cds.engine import Engine
from cds.facts import read_facts
from tests.oracle.charts import chart
from tests.oracle.oracle import COVERED, expected

CHARTS = 1000
OPEN: dict[str, tuple[int, ...]] = {
    "anaemia": (19970, 19995),  # two haemoglobins of one minute: is the better one a value from before the fall
    "liver-enzymes": (10278,),  # the same of two enzymes with different limits
    "pjp-prophylaxis": (
        3925,
        7426,
        7796,
        7847,
        10191,
        13554,
        14823,
        15071,
        16614,
    ),  # what is new where the start is unseen, or after a hold
    "pneumonitis": (5510,),  # begun during an earlier course: here it speaks, for it may come back with the drug
    "pregnancy": (4785, 9057, 10813, 12911),  # a positive test that is preliminary: here it speaks
    "steroid-dependence": (9675,),  # of two steroids one ended: since when the rest is too much
    "surgery-planned": (10811, 11687),  # of two operations ahead, which are named
}
"""Where the two readings differ and are known to: by rule, the charts. docs/clinical-validation.md says why they may."""
SHOWN = 5
FOUND = sorted((Path(__file__).parent / "found").glob("*.json"))


def said(engine: Engine, body: dict[str, Any], now: datetime) -> dict[str, tuple[str, str]]:
    """The covered rules that fire in the implementation under test, each with the indicator and summary of its card."""
    request = read_request(json.dumps(body).encode())
    situation = read_facts(read_chart(request, engine.knowledge, now), engine.knowledge, request.hook, now)
    facts = situation.facts.values
    holding = engine.holding(facts, request.hook)
    return {h.rule.id: (h.level.indicator, summary_of(h, facts, engine)) for h in holding if h.rule.id in COVERED}


def differences(engine: Engine, body: dict[str, Any], now: datetime) -> list[str]:
    oracle, ours = expected(body, now), said(engine, body, now)
    return [
        f"  {rule}\n    oracle: {oracle.get(rule)}\n    ours:   {ours.get(rule)}"
        for rule in COVERED
        if oracle.get(rule) != ours.get(rule)
    ]


@pytest.mark.parametrize("thousand", range(20))
def test_two_readings_of_the_text_agree(engine: Engine, thousand: int) -> None:
    """1,000 charts an item."""
    wrong = {}
    for seed in range(thousand * CHARTS, (thousand + 1) * CHARTS):
        known = {f"  {rule}" for rule, seeds in OPEN.items() if seed in seeds}
        found = differences(engine, *chart(seed))
        unknown = [each for each in found if each.partition("\n")[0] not in known]
        if unknown or len(found) < len(known):  # one that agrees by now is to be taken off the list
            wrong[seed] = "\n".join(unknown) or f"  agrees now: {', '.join(known)}"
    told = [f"seed {seed}\n{text}" for seed, text in list(wrong.items())[:SHOWN]]
    assert not wrong, f"{len(wrong)} of {CHARTS} charts differ\n" + "\n".join(told)


@pytest.mark.parametrize("file", FOUND, ids=lambda path: path.stem)
def test_a_disagreement_once_found_stays_settled(engine: Engine, file: Path) -> None:
    case = json.loads(file.read_text(encoding="utf-8"))
    assert differences(engine, case["body"], datetime.fromisoformat(case["now"])) == []


def test_agreement_means_something() -> None:
    """Every covered rule fires, by the oracle's own count, in at least 30 of the first 5,000 charts."""
    fired = Counter(rule for seed in range(5 * CHARTS) for rule in expected(*chart(seed)))
    assert {rule: fired[rule] for rule in COVERED if fired[rule] < 30} == {}


def test_the_oracle_shares_nothing_with_what_it_judges() -> None:
    """Nothing of the program, of its rule files, or of other tests is imported or read by the oracle and its charts."""
    for file in Path(__file__).parent.glob("*.py"):
        if file.name != Path(__file__).name:
            text = file.read_text(encoding="utf-8")
            text = text.replace("cds-hooks", "").replace("urn:sirolimus-itp-cds:observation", "")  # names on the wire
            assert "cds" not in text and "open(" not in text, file.name
            assert all("tests.oracle" in line for line in text.splitlines() if line.startswith("from tests")), file.name
