"""What an operator meets: readiness, a store that fails, a backup and its way back."""

from __future__ import annotations

import json
import resource
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from cds.engine import CheckedEngine
from cds.hooks.settings import Settings
from tests.charts import as_bytes, request
from tests.hooks.doors import JSON, VIEW, client_of
from tests.hooks.process import free_port
from tests.records.doors import CRITICAL, asked, overridden, reported, service, told

CALL = as_bytes(request("patient-view", CRITICAL))


@pytest.mark.parametrize(
    ("failure", "status", "ready"), [("answer", 200, 200), ("refuse", 503, 503)], ids=["answer", "refuse"]
)
def test_a_store_that_fails_refuses_calls_only_where_the_site_wants_that(
    engine: CheckedEngine,
    tmp_path: Path,
    key_file: Path,
    failure: Literal["answer", "refuse"],
    status: int,
    ready: int,
) -> None:
    file, aside = tmp_path / "records", tmp_path / "aside"
    with service(engine, str(file), key_file, records_failure=failure) as client:
        file.rename(aside)
        answer, readiness = client.post(VIEW, content=CALL, headers=JSON), client.get("/readyz")
        assert (answer.status_code, readiness.status_code) == (status, ready)
        assert "No such file" in readiness.text
        assert reported(client, overridden("a")) == 503  # a client sends it again; it is lost nowhere
        aside.rename(file)
        asked(client)
        assert client.get("/readyz").json().keys() == {"status", "protocol", "knowledge"}
        assert reported(client, overridden("a")) == 200
    assert "1 decisions, 1 reports" in told("records", "state", "--records", str(file)).output


def test_nothing_of_the_patient_is_in_the_log_of_a_store_that_fails(start: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "records"
    running = start(records=str(file))
    file.rename(tmp_path / "aside")
    assert running.call("POST", VIEW, CALL)[0] == 200
    log = running.log.read_text()
    assert "a decision was not kept" in log and "itp-1" not in log and "22 ng" not in log


def test_little_space_is_said_before_it_is_none(
    engine: CheckedEngine, tmp_path: Path, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=60 * 1024 * 1024)
    with service(engine, str(tmp_path / "records"), key_file) as client:
        assert "records" not in client.get("/readyz").json()
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
        assert client.get("/readyz").json()["records"] == "little space is left for the records"


def test_a_backup_is_made_while_calls_are_answered_and_restored(
    engine: CheckedEngine, tmp_path: Path, key_file: Path
) -> None:
    file, copy = str(tmp_path / "records"), str(tmp_path / "copy")
    with service(engine, file, key_file) as client:
        asked(client, name="request-0001")
        assert told("records", "backup", copy, "--records", file).exit_code == 0
        asked(client, name="request-0002")
    assert told("records", "restore", copy, "--records", file).exit_code == 0
    assert told("decisions", "show", "request-0001", "--records", file).exit_code == 0
    assert told("decisions", "show", "request-0002", "--records", file).exit_code == 2
    with service(engine, file, key_file) as client:
        asked(client, name="request-0003")
    assert told("decisions", "show", "request-0003", "--records", file).exit_code == 0


def test_a_service_that_runs_does_not_write_into_what_was_restored(
    engine: CheckedEngine, tmp_path: Path, key_file: Path
) -> None:
    file, copy = str(tmp_path / "records"), str(tmp_path / "copy")
    with service(engine, file, key_file) as client:
        asked(client, name="request-0001")
        told("records", "backup", copy, "--records", file)
        asked(client, name="request-0002")
        assert told("records", "restore", copy, "--records", file).exit_code == 0
        asked(client, name="request-0003")  # answered, and not kept
        assert "restart the service" in client.get("/readyz").json()["records"]
    assert "1 decisions" in told("records", "state", "--records", file).output
    assert told("records", "backup", str(tmp_path / "again"), "--records", file).exit_code == 0


def test_what_is_damaged_or_no_copy_is_not_restored(engine: CheckedEngine, tmp_path: Path, key_file: Path) -> None:
    file, copy = tmp_path / "records", tmp_path / "copy"
    with service(engine, str(file), key_file) as client:
        asked(client)
        told("records", "backup", str(copy), "--records", str(file))
    content = bytearray(copy.read_bytes())
    content[8192:16384] = b"\xff" * 8192
    for bad in (bytes(content), b"", b"a letter"):
        copy.write_bytes(bad)
        assert told("records", "restore", str(copy), "--records", str(file)).exit_code == 2
    assert "1 decisions" in told("records", "state", "--records", str(file)).output


def test_a_backup_overwrites_nothing(engine: CheckedEngine, tmp_path: Path, key_file: Path) -> None:
    file, copy = tmp_path / "records", tmp_path / "copy"
    service(engine, str(file), key_file)
    copy.write_text("mine")
    assert told("records", "backup", str(copy), "--records", str(file)).exit_code == 2
    assert copy.read_text() == "mine"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"records": "no/such/folder/records"}, "records: cannot be opened or written"),
        ({"records": "postgresql://127.0.0.1:1/none"}, "records: cannot be opened or written"),
        ({"records": "{tmp}/records", "records_key_file": "{tmp}/none"}, "none: No such file or directory"),
        ({"records": "{tmp}/records", "records_key_file": "{tmp}/short"}, "a key has at least 16 bytes"),
    ],
)
def test_serve_says_before_it_starts_why_records_cannot_be_kept(
    tmp_path: Path, settings: dict[str, str], said: str
) -> None:
    (tmp_path / "short").write_text("short")
    config = tmp_path / "settings.toml"
    filled = {name: value.format(tmp=tmp_path) for name, value in settings.items()}
    config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in filled.items()))
    ended = told("serve", "--config", str(config))
    assert ended.exit_code == 2 and said in ended.stderr


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://cds:s3cret@db.example/records", "postgresql://cds:***@db.example/records"),
        ("postgres:///records?password=s3cret&host=db", "postgres:///records?password=***&host=db"),
        ("/var/lib/a:b@c/records", "/var/lib/a:b@c/records"),
    ],
)
def test_a_password_is_not_printed(tmp_path: Path, url: str, shown: str) -> None:
    config = tmp_path / "settings.toml"
    config.write_text(f'records = "{url}"\n')
    assert json.loads(told("config", "--config", str(config)).stdout)["records"] == shown


def test_a_backup_is_restored_over_records_alone_and_what_was_there_stays(
    engine: CheckedEngine, tmp_path: Path, key_file: Path
) -> None:
    file, copy, letter = tmp_path / "records", tmp_path / "copy", tmp_path / "letter"
    with service(engine, str(file), key_file) as client:
        told("records", "backup", str(copy), "--records", str(file))
        asked(client)
    letter.write_text("Dear Sir")
    assert told("records", "restore", str(copy), "--records", str(letter)).exit_code == 2
    assert letter.read_text() == "Dear Sir"
    assert told("records", "restore", str(copy), "--records", str(file)).exit_code == 0
    assert "0 decisions" in told("records", "state", "--records", str(file)).output
    assert "1 decisions" in told("records", "state", "--records", f"{file}.replaced").output
    again = told("records", "restore", str(copy), "--records", str(file))
    assert again.exit_code == 2 and "move it away" in again.stderr  # or the one decision would be gone
    assert not letter.with_name("letter.restored").exists()


def test_records_that_are_damaged_are_replaced(engine: CheckedEngine, tmp_path: Path, key_file: Path) -> None:
    file, copy = tmp_path / "records", tmp_path / "copy"
    with service(engine, str(file), key_file) as client:
        asked(client)
        told("records", "backup", str(copy), "--records", str(file))
    damaged = file.read_bytes()[:100] + b"\xff" * 20_000
    file.write_bytes(damaged)
    assert told("records", "state", "--records", str(file)).exit_code == 2
    assert told("records", "restore", str(copy), "--records", str(file)).exit_code == 0
    assert "1 decisions" in told("records", "state", "--records", str(file)).output
    assert (tmp_path / "records.replaced").read_bytes() == damaged


def test_a_key_that_is_gone_is_not_made_anew(engine: CheckedEngine, tmp_path: Path) -> None:
    """By another key every patient would be another one."""
    config = tmp_path / "settings.toml"
    config.write_text(f'records = "{tmp_path}/records"\n')
    with client_of(engine, Settings(records=str(tmp_path / "records"))) as client:
        asked(client)
    (tmp_path / "records.key").unlink()
    for command in ("doctor", "serve"):
        found = told(command, "--config", str(config))
        assert found.exit_code != 0 and "records.key is gone" in " ".join(found.output.split())
    assert not (tmp_path / "records.key").exists()


def test_nothing_is_deleted_of_records_that_are_not_there(tmp_path: Path) -> None:
    assert told("records", "purge", "--older-than", "1d", "--records", str(tmp_path / "mistyped")).exit_code == 2
    assert list(tmp_path.iterdir()) == []
    assert "--older-than" in told("records", "purge", "--older-than", "soon", "--records", "x").stderr


def test_a_port_for_metrics_that_is_taken_is_said(tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config.write_text(f"port = {free_port()}\nmetrics_port = {taken.getsockname()[1]}\n")
        ended = told("serve", "--config", str(config))
    assert ended.exit_code == 2 and "is free for metrics" in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("failure", "status"), [("answer", 200), ("refuse", 503)])
def test_an_error_of_the_disk_is_no_end_of_the_service(
    start: Callable[..., Any], tmp_path: Path, failure: str, status: int
) -> None:
    """No file may grow: the system refuses the writes of the log of SQLite, which says "disk I/O error"."""
    file = tmp_path / "records"
    running = start(records=str(file), records_failure=failure, answer_seconds=20)
    assert running.call("POST", VIEW, CALL)[0] == 200
    pid = running.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    assert running.call("POST", VIEW, CALL)[0] == status
    assert "disk I/O error" in running.call()[1].decode()
    report = json.dumps({"feedback": [overridden("a")]}).encode()
    assert running.call("POST", f"{VIEW}/feedback", report)[0] == 503
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    assert running.call("POST", VIEW, CALL)[0] == 200
    assert running.call("POST", f"{VIEW}/feedback", report)[0] == 200
    running.stop()
    assert "2 decisions, 1 reports" in told("records", "state", "--records", str(file)).output
