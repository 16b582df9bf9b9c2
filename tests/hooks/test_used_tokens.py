"""A token may be used once, whichever worker it reaches; where that cannot be known, what the site wants is done."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from typing import Literal

import pytest
from starlette.testclient import TestClient

from cds.engine import CheckedEngine
from cds.hooks.replay import SeenTokens
from cds.hooks.settings import Issuer, Settings
from tests.hooks.doors import client_of
from tests.hooks.tokens import BODY, OTHER, VIEW, ask, signed


def test_a_token_may_be_used_once(caller: TestClient) -> None:
    token = signed()
    assert [ask(caller, token), ask(caller, token), ask(caller, signed())] == [200, 401, 200]


def test_also_after_a_restart_and_by_another_worker(engine: CheckedEngine, issuer: Issuer, tmp_path: Path) -> None:
    settings = Settings(issuers=[issuer], replay_file=tmp_path / "seen.sqlite", workers=2)
    token = signed()
    first, second = (client_of(engine, settings) for _ in range(2))
    assert [ask(first, token), ask(second, token)] == [200, 401]


def test_where_clients_use_tokens_again_it_can_be_allowed(engine: CheckedEngine, issuer: Issuer) -> None:
    caller = client_of(engine, Settings(issuers=[issuer], replay="allow"))
    token = signed()
    assert [ask(caller, token), ask(caller, token)] == [200, 200]


def test_a_wrong_token_uses_up_no_jti(caller: TestClient) -> None:
    assert ask(caller, signed(OTHER, jti="one")) == 401
    assert ask(caller, signed(jti="one")) == 200


def test_a_store_that_cannot_be_asked_is_no_yes(engine: CheckedEngine, issuer: Issuer, tmp_path: Path) -> None:
    caller = client_of(engine, Settings(issuers=[issuer], replay_file=tmp_path / "seen"))
    service = caller.app.state.service  # type: ignore[attr-defined]
    service.recording.close()
    assert ask(caller, signed()) == 503


def test_a_store_that_somebody_else_has_locked_holds_no_other_call_up(
    engine: CheckedEngine, issuer: Issuer, tmp_path: Path
) -> None:
    file = tmp_path / "seen"
    caller = client_of(engine, Settings(issuers=[issuer], replay_file=file))
    assert ask(caller, signed()) == 200
    token = signed()
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        answer = caller.post(f"/cds-services/{VIEW}", json=BODY, headers={"authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        other.execute("ROLLBACK")
    assert ask(caller, signed()) == 200


@pytest.mark.parametrize("failure", ["answer", "refuse"])
def test_where_cards_matter_more_than_records_a_store_that_fails_keeps_no_call_out(
    engine: CheckedEngine, issuer: Issuer, tmp_path: Path, failure: Literal["answer", "refuse"]
) -> None:
    """Then it is enough that this worker has not seen the token."""
    caller = client_of(engine, Settings(issuers=[issuer], records=str(tmp_path / "records"), records_failure=failure))
    token = signed()
    caller.app.state.service.recording.close()  # type: ignore[attr-defined]
    assert [ask(caller, token), ask(caller, token)] == ([200, 401] if failure == "answer" else [503, 503])


def test_what_is_expired_is_forgotten() -> None:
    clock = [1_000.0]
    seen = SeenTokens(lambda: clock[0])

    def first_use(issuer: str, jti: str, until: float) -> bool:
        return asyncio.run(seen.take(issuer, jti, until))

    assert first_use("a", "1", 1_100.0) and not first_use("a", "1", 1_100.0)
    assert first_use("b", "1", 1_100.0)  # another issuer's
    clock[0] = 1_200.0
    for number in range(300):
        assert first_use("a", f"x{number}", 9_999.0)
    assert first_use("a", "1", 9_999.0)
