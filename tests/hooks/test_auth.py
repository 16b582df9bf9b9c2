"""Who may call: every token that a client may send and every one that an attacker may make."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from starlette.testclient import TestClient

from cds.engine import CheckedEngine
from cds.hooks.settings import Issuer, Settings
from tests.hooks.doors import client_of
from tests.hooks.tokens import (
    BASE,
    BODY,
    EC,
    OTHER,
    RSA,
    SHORT,
    SIGN,
    SMALL,
    VIEW,
    ask,
    claims,
    jwk,
    signed,
)


@pytest.mark.parametrize(
    "token",
    [
        lambda: signed(),
        lambda: signed(RSA, "RS384", "rsa"),
        lambda: signed(aud=[f"{BASE}/{VIEW}", "https://else.example"]),
        lambda: signed(nbf=int(time.time()) - 300),  # as one EHR writes it
        lambda: signed(exp=time.time() + 200.5),
        lambda: signed(sub="client-1", unheard={"x": 1}),
    ],
    ids=["ES384", "RS384", "several audiences", "nbf five minutes ago", "times with a fraction", "more claims"],
)
def test_a_token_that_is_right(caller: TestClient, token: Any) -> None:
    assert ask(caller, token()) == 200


PUBLIC = EC.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def confused() -> str:
    """HS256 with the public key as the secret; made by hand, since the library refuses to."""
    import base64
    import hashlib
    import hmac

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    head = part({"alg": "HS256", "typ": "JWT", "kid": "ec"}) + "." + part(claims())
    mac = hmac.new(PUBLIC, head.encode(), hashlib.sha256).digest()
    return head + "." + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def now() -> int:
    return int(time.time())


WRONG: dict[str, Any] = {
    "none at all": lambda: None,
    "empty": lambda: "",
    "no token": lambda: "x.y.z",
    "20 kB": lambda: "a" * 20_000,
    "alg none": lambda: jwt.encode(claims(), None, "none", headers={"kid": "ec"}),  # type: ignore[arg-type]
    "HS256 with the public key": confused,
    "another key": lambda: signed(OTHER),
    "an unknown kid": lambda: signed(kid="other"),
    "no kid": lambda: jwt.encode(claims(), EC, "ES384"),
    "a 1024 bit key": lambda: signed(SHORT, "RS384", "short"),
    "an algorithm that is not listed": lambda: signed(SMALL, "ES256", "small"),
    "an unknown issuer": lambda: signed(iss="https://evil.example"),
    "no issuer": lambda: signed(iss=None),
    "a jku that is not the issuer's": lambda: signed(header={"jku": "https://evil.example/keys"}),
    "another service": lambda: signed(aud=f"{BASE}/{SIGN}"),
    "the base alone": lambda: signed(aud=BASE),
    "another host": lambda: signed(aud=f"https://else.example/cds-services/{VIEW}"),
    "no audience": lambda: signed(aud=None),
    "expired": lambda: signed(iat=now() - 400, exp=now() - 60),
    "no expiry": lambda: signed(exp=None),
    "ten years": lambda: signed(exp=now() + 315_360_000),
    "an expiry in words": lambda: signed(exp=str(now() + 300)),
    "an expiry that is true": lambda: signed(exp=True),
    "issued a day ago": lambda: signed(iat=now() - 86_400),
    "issued ahead": lambda: signed(iat=now() + 120, exp=now() + 300),
    "no time of issue": lambda: signed(iat=None),
    "not before tomorrow": lambda: signed(nbf=now() + 86_400),
    "no jti": lambda: signed(jti=None),
    "an empty jti": lambda: signed(jti=""),
    "another tenant": lambda: signed(tenant="other"),
    "no tenant": lambda: signed(tenant=None),
    "a critical header": lambda: signed(header={"crit": ["x"], "x": 1}),
}


@pytest.mark.parametrize("token", WRONG.values(), ids=WRONG.keys())
def test_a_token_that_is_wrong(caller: TestClient, token: Any) -> None:
    made = token()
    answer = caller.post(
        f"/cds-services/{VIEW}", json=BODY, headers={} if made is None else {"authorization": f"Bearer {made}"}
    )
    assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["issue"][0]["diagnostics"] == "the call is not authenticated"  # and not why


def reasons(caller: TestClient, caplog: pytest.LogCaptureFixture, token: str) -> list[str]:
    """What the log says of a call with this token."""
    caplog.clear()
    with caplog.at_level("INFO", logger="cds.hooks"):
        ask(caller, token)
    return [record.reason for record in caplog.records if hasattr(record, "reason")]


def test_the_log_says_which_claim_failed_and_never_its_value(
    caller: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert reasons(caller, caplog, signed(aud="https://secret.example")) == ["aud"]
    assert reasons(caller, caplog, signed(exp=None)) == ["exp is missing"]
    assert reasons(caller, caplog, signed(OTHER)) == ["signature"]
    assert reasons(caller, caplog, signed(tenant="secret-ward")) == ["tenant"]
    assert reasons(caller, caplog, signed(jti="\ud800")) == ["jti"]  # half of a pair of UTF-16


def test_an_address_of_keys_beside_a_file(engine: CheckedEngine, issuer: Issuer) -> None:
    named = signed(header={"jku": "https://ehr.example/keys"})
    other = signed(header={"jku": "https://evil.example/keys"})

    def answers(**more: Any) -> list[int]:
        each = Issuer.model_validate(issuer.model_dump() | more)
        return [ask(client_of(engine, Settings(issuers=[each])), token) for token in (named, other)]

    assert answers() == [401, 401]
    assert answers(jwks_url="https://ehr.example/keys") == [200, 401]  # compared and never fetched
    assert answers(ignore_jku=True) == [200, 200]


@pytest.mark.parametrize("header", ["Basic eDp5", "bearer", "Bearer", "Token x"])
def test_another_scheme(caller: TestClient, header: str) -> None:
    assert caller.post(f"/cds-services/{VIEW}", json=BODY, headers={"authorization": header}).status_code == 401


def test_discovery_and_feedback_ask_too_and_health_does_not(caller: TestClient) -> None:
    assert caller.get("/cds-services").status_code == 401
    assert caller.get("/cds-services", headers={"authorization": f"Bearer {signed(aud=BASE)}"}).status_code == 200
    assert caller.post(f"/cds-services/{VIEW}/feedback", json={}).status_code == 401
    token = signed(aud=f"{BASE}/{VIEW}/feedback")
    assert (
        caller.post(f"/cds-services/{VIEW}/feedback", json={}, headers={"authorization": f"Bearer {token}"}).status_code
        == 400
    )
    assert caller.get("/livez").status_code == caller.get("/readyz").status_code == 200


def test_the_contract_says_that_a_token_is_needed_and_needs_none(caller: TestClient) -> None:
    contract = caller.get("/openapi.json").json()
    assert contract["security"] == [{"token": []}]
    assert contract["components"]["securitySchemes"]["token"]["bearerFormat"] == "JWT"


def test_an_unknown_service_is_not_told_to_strangers(caller: TestClient) -> None:
    assert ask(caller, None, "x") == 401
    assert ask(caller, signed(aud=f"{BASE}/x"), "x") == 404


def test_an_audience_that_an_ehr_writes_by_hand(engine: CheckedEngine, issuer: Issuer) -> None:
    by_hand = issuer.model_copy(update={"audiences": ["sirolimus"]})
    caller = client_of(engine, Settings(issuers=[by_hand]))
    assert ask(caller, signed(aud="sirolimus")) == 200


# --- keys that are fetched -------------------------------------------------------------------------


class Keeper:
    """An issuer's key server: what it answers, and how often it was asked for what."""

    def __init__(self, *keys: tuple[Any, str]) -> None:
        self.answer = httpx.Response(200, json={"keys": [jwk(key, kid) for key, kid in keys]})
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        return httpx.Response(self.answer.status_code, stream=httpx.ByteStream(self.answer.content))


def with_url(engine: CheckedEngine, keeper: Keeper) -> TestClient:
    issuer = Issuer(iss="https://ehr.example", jwks_url="https://ehr.example/keys", audiences=[BASE])
    client = httpx.AsyncClient(transport=httpx.MockTransport(keeper))
    return client_of(engine, Settings(issuers=[issuer]), client=client)


def test_keys_are_fetched_once_and_kept(engine: CheckedEngine) -> None:
    keeper = Keeper((EC, "ec"))
    caller = with_url(engine, keeper)
    right = {"jku": "https://ehr.example/keys"}
    assert [ask(caller, signed()), ask(caller, signed(header=right))] == [200, 200]
    assert keeper.asked == ["https://ehr.example/keys"]


def test_a_storm_of_unknown_keys_asks_nobody(engine: CheckedEngine) -> None:
    keeper = Keeper((EC, "ec"))
    caller = with_url(engine, keeper)
    assert ask(caller, signed()) == 200
    for number in range(50):
        assert ask(caller, signed(OTHER, kid=f"k{number}", header={"jku": "https://evil.example"})) == 401
        assert ask(caller, signed(OTHER, kid=f"k{number}")) == 401
    assert keeper.asked == ["https://ehr.example/keys"]


def test_rotated_keys_are_found_and_old_ones_outlive_a_failure(
    engine: CheckedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = Keeper((EC, "ec"))
    caller = with_url(engine, keeper)
    keys = caller.app.state.service.authentication._keys["https://ehr.example"]  # type: ignore[attr-defined]
    assert ask(caller, signed()) == 200
    keys._tried -= 60  # half a minute and more has passed
    keeper.answer = httpx.Response(200, json={"keys": [jwk(OTHER, "new"), jwk(EC, "ec")]})
    assert ask(caller, signed(OTHER, kid="new")) == 200
    for broken in (
        httpx.Response(500),
        httpx.Response(200, content=b"x" * 300_000),
        httpx.Response(302),
        httpx.Response(200, content=b"{"),
    ):
        keys._tried -= 60
        keys._fetched -= 700
        keeper.answer = broken
        assert ask(caller, signed()) == 200
    keys._fetched -= 86_400  # a day without an answer is too long
    keys._tried -= 60
    assert ask(caller, signed()) == 401


def test_an_empty_key_set_wipes_no_keys_and_keys_for_encryption_are_none(engine: CheckedEngine) -> None:
    keeper = Keeper((EC, "ec"))
    caller = with_url(engine, keeper)
    keys = caller.app.state.service.authentication._keys["https://ehr.example"]  # type: ignore[attr-defined]
    assert ask(caller, signed()) == 200
    keys._tried -= 60
    keys._fetched -= 700
    keeper.answer = httpx.Response(200, json={"keys": []})
    assert ask(caller, signed()) == 200
    keys._tried -= 60
    keys._fetched -= 700
    keeper.answer = httpx.Response(200, json={"keys": [jwk(EC, "ec"), jwk(OTHER, "enc") | {"use": "enc"}]})
    assert [ask(caller, signed()), ask(caller, signed(OTHER, kid="enc"))] == [200, 401]


def test_a_key_server_that_is_down_at_first_is_asked_again_soon(engine: CheckedEngine) -> None:
    keeper = Keeper((EC, "ec"))
    right, keeper.answer = keeper.answer, httpx.Response(503)
    caller = with_url(engine, keeper)
    keys = caller.app.state.service.authentication._keys["https://ehr.example"]  # type: ignore[attr-defined]
    assert ask(caller, signed()) == 401
    keeper.answer = right
    keys._tried -= 3  # seconds
    assert ask(caller, signed()) == 200


def test_private_and_symmetric_keys_in_a_key_set_are_passed_over(engine: CheckedEngine, tmp_path: Path) -> None:
    private = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(EC)) | {"kid": "ec"}
    file = tmp_path / "keys.json"
    file.write_text(
        json.dumps({"keys": [private, {"kty": "oct", "k": "YWJj", "kid": "s"}, 7, {"kty": "EC", "kid": "x"}]})
    )
    issuer = Issuer(iss="https://ehr.example", jwks_file=file, audiences=[BASE])
    caller = client_of(engine, Settings(issuers=[issuer]))
    assert ask(caller, signed()) == 401
