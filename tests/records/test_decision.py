"""What is taken from an advice: every rule on a card, whatever cards were put together; and a fault in that silences nothing."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Literal

import msgspec
import pytest

from cds.advise import advise
from cds.chart.body import InputError
from cds.chart.request import read_request
from cds.compiled.knowledge import Knowledge
from cds.engine import CheckedEngine
from cds.records.decision import Recorder, verdict_of
from tests.charts import as_bytes, request
from tests.hooks.doors import JSON, VIEW
from tests.oracle.charts import chart
from tests.records.doors import CRITICAL, service

FINDINGS = "net.sirolimus-itp-cds.findings"


@pytest.mark.untraced
@pytest.mark.parametrize("hidden", [0.0, 0.3, 0.8], ids=["all rules shown", "some not signed", "most not signed"])
def test_every_rule_on_a_card_is_recorded_with_its_card(knowledge: Knowledge, hidden: float) -> None:
    """Cards of several rules, folded ones, and those that say that rules are not shown."""
    random = Random(hidden)
    unsigned = tuple(rule.id for rule in knowledge.rules if random.random() < hidden)
    engine = CheckedEngine(msgspec.structs.replace(knowledge, hidden_rules=unsigned))
    places = set[str]()
    for number in range(150):
        body, now = chart(number)
        try:
            advice = advise(read_request(json.dumps(body).encode()), engine, now)
        except InputError:
            continue
        verdict = verdict_of(advice)
        shown = {(one["rule"], card["uuid"]) for card in advice.cards for one in card["extension"][FINDINGS]}
        assert {(each.rule, each.card) for each in verdict.findings if each.is_told} == shown, number
        assert sorted(each.card for each in verdict.findings if each.leads) == sorted(
            card["uuid"] for card in advice.cards
        )
        places |= {each.place for each in verdict.findings}
    assert places >= {"card", *(() if hidden > 0.5 else ("with", "folded", "gives way"))} and (
        "not signed" in places
    ) == (hidden > 0)


@pytest.mark.parametrize(("failure", "status"), [("answer", 200), ("refuse", 503)])
def test_a_fault_in_recording_silences_no_card(
    engine: CheckedEngine,
    where: str,
    key_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: Literal["answer", "refuse"],
    status: int,
) -> None:
    def fails(*_: object) -> None:
        raise KeyError("not-shown")

    monkeypatch.setattr(Recorder, "decision", fails)
    with service(engine, where, key_file, records_failure=failure) as client:
        answer = client.post(VIEW, content=as_bytes(request("patient-view", CRITICAL)), headers=JSON)
    assert answer.status_code == status
    assert ("critical" in answer.text) == (status == 200) and "notAssessed" not in answer.text
