"""Who may come in at all: calls for this host, with one meaning, from pages that may call; and what every answer says."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from cds.engine import CheckedEngine
from cds.hooks.settings import Issuer, Settings
from tests.charts import day, itp, patient, request, sirolimus
from tests.hooks.doors import JSON, VIEW, client_of

BODY = request("patient-view", [patient(), itp(), sirolimus("s", day(0), 12)])


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "LOCALHOST:9", "127.0.0.1:8000", "[::1]:8000", "[::1]"]
)
def test_this_machine_under_its_own_names(client: TestClient, host: str) -> None:
    assert client.post(VIEW, json=BODY, headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "localhost.evil.example", "", "[", "127.0.0.2"])
def test_a_name_that_only_resolves_to_this_machine_is_refused(client: TestClient, host: str) -> None:
    answer = client.post(VIEW, json=BODY, headers={"host": host})
    assert answer.status_code == 400 and "another host" in answer.json()["issue"][0]["diagnostics"]
    assert client.get("/", headers={"host": host}).status_code == 400  # the workbench too


def test_names_that_the_settings_or_the_audiences_give(engine: CheckedEngine) -> None:
    issuer = Issuer(
        iss="https://ehr.example", jwks_url="https://ehr.example/keys", audiences=["https://cds.example/cds-services"]
    )
    known = client_of(engine, Settings(hosts=["cds.ward.example"], issuers=[issuer]))
    for host, status in (("cds.ward.example", 401), ("cds.example", 401), ("other.example", 400)):
        assert known.get("/cds-services", headers={"host": host}).status_code == status


def test_where_nobody_says_how_the_service_is_called_every_name_comes_in(engine: CheckedEngine) -> None:
    exposed = client_of(engine, Settings(host="0.0.0.0", without_authentication=True))
    assert exposed.get("/cds-services", headers={"host": "cds.example"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [[("host", "localhost"), ("host", "localhost")], [("host", "localhost"), ("authorization", "Bearer a"), ("authorization", "Bearer b")]],
)  # fmt: skip
def test_a_call_of_which_two_could_be_meant_is_refused(client: TestClient, headers: list[tuple[str, str]]) -> None:
    assert client.get("/cds-services", headers=headers).status_code == 400


def test_pages_of_other_sites(engine: CheckedEngine) -> None:
    client = client_of(engine, Settings(allow_origins=["https://ehr.example"]))

    def call(**headers: str) -> int:
        return client.post(
            VIEW, json=BODY, headers={name.replace("_", "-"): value for name, value in headers.items()}
        ).status_code

    assert call(sec_fetch_site="cross-site", origin="https://evil.example") == 403
    assert call(sec_fetch_site="cross-site") == 403
    assert call(sec_fetch_site="cross-site", origin="https://ehr.example") == 200
    assert call(sec_fetch_site="cross-site", origin="http://localhost:3000") == 200
    assert call(sec_fetch_site="same-origin") == call() == 200
    followed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get("/cds-services", headers=followed).status_code == 200


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_says_what_it_is(client: TestClient, kind: str | None) -> None:
    headers = {"content-type": kind} if kind else {}
    assert client.post(VIEW, content=b"{}", headers=headers).status_code == 415


@pytest.mark.parametrize("path", ["/cds-services", "/livez", "/readyz", "/openapi.json", "/nowhere", "/"])
def test_no_answer_is_kept_or_taken_for_another_kind(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["cache-control"] == "no-store" and answer.headers["x-content-type-options"] == "nosniff"


def test_errors_say_so_too(client: TestClient) -> None:
    assert client.post(VIEW, content=b"{", headers=JSON).headers["cache-control"] == "no-store"
    assert client.get("/", headers={"host": "evil.example"}).headers["x-content-type-options"] == "nosniff"
