"""What the doctor finds, before a service is started or when something is wrong with it."""

from __future__ import annotations

import http.server
import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from time import time
from typing import Any

import pytest

from cds.engine import CheckedEngine
from cds.hooks.settings import Settings
from tests.hooks.doors import client_of
from tests.records.doors import told


def examined(tmp_path: Path, text: str) -> tuple[int, str]:
    """The exit code, and what is said, of a service with these settings."""
    config = tmp_path / "settings.toml"
    config.write_text(text.replace("{tmp}", str(tmp_path)))
    found = told("doctor", "--config", str(config))
    return found.exit_code, " ".join(found.output.split())


def test_a_service_that_is_well(engine: CheckedEngine, tmp_path: Path) -> None:
    client_of(engine, Settings(records=str(tmp_path / "records")))
    code, said = examined(tmp_path, 'records = "{tmp}/records"\n')
    assert code == 0 and "records: 0 decisions" in said and "rules under seed-2024" in said and "fault" not in said


def test_a_cache_that_cannot_be_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "compiled rules can be kept" in examined(tmp_path, "")[1]
    (tmp_path / "a file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a file"))
    code, said = examined(tmp_path, "")
    assert code == 0 and "compiled rules cannot be kept" in said


def test_it_makes_nothing(tmp_path: Path) -> None:
    """What root made while looking, the user of the service could not write."""
    code, said = examined(tmp_path, 'records = "{tmp}/records"\n')
    assert code == 0 and "records is not there; the service makes it" in said
    assert [each.name for each in tmp_path.iterdir()] == ["settings.toml"]


def test_without_records_it_is_noted(tmp_path: Path) -> None:
    code, said = examined(tmp_path, "")
    assert code == 0 and "nothing is recorded" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('records = "{tmp}/none/records"', "the folder for records cannot be written"),
        ('records = "postgresql://127.0.0.1:1/none"', "records: PostgreSQL"),
        ('[[issuers]]\niss = "a"\njwks_file = "{tmp}/none"\naudiences = ["b"]', "jwks_file of a: cannot be read"),
        (
            '[[issuers]]\niss = "a"\njwks_url = "http://127.0.0.1:9/keys"\naudiences = ["b"]',
            "the keys of a cannot be fetched",
        ),
    ],
)
def test_what_keeps_the_service_from_working_is_a_fault(tmp_path: Path, text: str, said: str) -> None:
    code, printed = examined(tmp_path, text)
    assert code == 1 and said in printed


def test_files_that_others_may_read_are_noted(engine: CheckedEngine, tmp_path: Path) -> None:
    client_of(engine, Settings(records=str(tmp_path / "records")))
    (tmp_path / "records").chmod(0o644)
    code, said = examined(tmp_path, 'records = "{tmp}/records"\n')
    assert code == 0 and "records can be read by others" in said and "records.key can be read" not in said


def test_a_release_of_sqlite_with_a_known_bug_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version, noted in (
        ((3, 40, 1), True),
        ((3, 44, 6), False),
        ((3, 50, 6), True),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
    ):
        monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
        assert ("WAL-reset" in examined(tmp_path, "")[1]) == noted, version


@pytest.fixture
def key_server() -> Iterator[tuple[str, dict[str, Any]]]:
    """A server of keys, and what it is to say of the time."""
    says: dict[str, Any] = {"ahead": 0}
    key = {
        "kty": "EC",
        "crv": "P-256",
        "kid": "a",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"keys": [key]}).encode()
            self.send_response_only(200)
            self.send_header("date", formatdate(time() + says["ahead"], usegmt=True))
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/keys", says
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_clock_that_is_wrong_is_seen_by_that_of_the_issuer(
    tmp_path: Path, key_server: tuple[str, dict[str, Any]]
) -> None:
    url, says = key_server
    text = f'[[issuers]]\niss = "a"\njwks_url = "{url}"\naudiences = ["b"]\n'
    code, said = examined(tmp_path, text)
    assert code == 0 and "a has 1 keys that can be used" in said
    says["ahead"] = 600
    code, said = examined(tmp_path, text)
    assert code == 1 and "behind that of a; tokens are refused" in said


def test_a_file_that_this_user_cannot_write_is_a_fault(
    engine: CheckedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write everywhere, so that the system is made to say it."""
    client_of(engine, Settings(records=str(tmp_path / "records")))
    monkeypatch.setattr(os, "access", lambda place, _: Path(place).name != "records")
    code, said = examined(tmp_path, 'records = "{tmp}/records"\n')
    assert code == 1 and "records cannot be written" in said
