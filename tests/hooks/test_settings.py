"""How the service is set up: file, environment, command line; what is unsafe or unknown is refused in words."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import Any

import jwt
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec

from cds.cli.main import main
from cds.hooks.settings import Settings, WrongSettings, read_settings

FILE = """
host = "0.0.0.0"
port = 9000
time_zone = "Europe/Vienna"

[[issuers]]
iss = "https://ehr.example/fhir"
jwks_url = "https://ehr.example/keys"
audiences = ["https://cds.example/cds-services"]
fhir_servers = ["https://ehr.example/fhir/"]
"""


KEYS = json.dumps(
    {
        "keys": [
            json.loads(jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key()))
            | {"kid": "k"}
        ]
    }
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a file.toml"
    path.write_text(FILE)
    return path


def test_config_says_whether_there_is_a_workbench() -> None:
    def workbench(*arguments: str) -> bool:
        return bool(json.loads(CliRunner().invoke(main, ["config", *arguments]).stdout)["workbench"])

    assert workbench() is True
    assert workbench("--host", "0.0.0.0", "--without-authentication") is False


def test_a_port_that_is_taken_is_said_before_anything_else() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        refused = CliRunner().invoke(main, ["serve", "--port", str(other.getsockname()[1])])
    assert refused.exit_code == 2 and "Listening" not in refused.stderr
    assert re.fullmatch(
        r"sirolimus-cds: cannot listen on 127\.0\.0\.1:\d+ \(Address already in use\)\n", refused.stderr
    )


def test_without_what_draws_it_the_workbench_is_off_and_serve_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds.hooks.browser.find_spec", lambda name: None if name == "vl_convert" else object())
    monkeypatch.setattr("cds.hooks.serving.serve", lambda engine, settings, started: started())
    said = CliRunner().invoke(main, ["serve"]).stderr
    assert "The workbench is off: it needs vl-convert-python (pip install vl-convert-python)" in said


def test_what_stands_above_what(file: Path) -> None:
    environ = {"SIROLIMUS_CDS_PORT": "9001", "SIROLIMUS_CDS_WORKERS": "1", "OTHER": "x"}
    assert read_settings(file, {}).port == 9000
    assert read_settings(file, environ).port == 9001
    assert read_settings(file, environ, {"port": 9002, "host": None}).port == 9002
    assert read_settings(None, environ | {"SIROLIMUS_CDS_CONFIG": str(file)}).time_zone == "Europe/Vienna"
    assert read_settings(file, {}).issuers[0].fhir_servers == ["https://ehr.example/fhir"]
    assert read_settings(
        None, {"SIROLIMUS_CDS_ALLOW_ORIGINS": "https://a.example, https://b.example"}
    ).allow_origins == [
        "https://a.example",
        "https://b.example",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('hst = "x"', "hst: there is no such setting"),
        ("port = 70000", "port: Input should be less than or equal to 65535"),
        ('host = "0.0.0.0"', "can be reached from other machines: name the issuers that may call"),
        ('host = "cds.example"', "or say without_authentication = true"),
        ('time_zone = "Vienna"', "time_zone: is not a time zone; write for example Europe/Vienna"),
        ('fhir_servers = ["http://ehr.example"]', "must be an https address"),
        ('fhir_servers = ["https://u:p@ehr.example"]', "must be an https address"),
        ('[[issuers]]\niss = "a"\naudiences = ["x"]', "give jwks_url, jwks_file or both"),
        ('[[issuers]]\niss = "a"\njwks_file = "k"', "issuers.0.audiences: Field required"),
        ('[[issuers]]\niss = "a"\njwks_file = "k"\naudiences = ["x"]\nalgorithms = ["HS256"]', "issuers.0.algorithms.0"),
        ('[[issuers]]\niss = "a"\njwks_file = "k"\naudiences = ["x"]\nalgorithms = ["none"]', "issuers.0.algorithms.0"),
        ('workers = 2\n[[issuers]]\niss = "a"\njwks_file = "k"\naudiences = ["x"]', "several workers need records or a replay_file"),
        ('records = "a"\nreplay_file = "b"', "leave replay_file out"),
        ('records = "a"\nrecords_keep = "all"', "records_keep"),
        ('without_authentication = true\n[[issuers]]\niss = "a"\njwks_file = "k"\naudiences = ["x"]', "without_authentication is said too"),
        ("port = ", "Invalid value"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(WrongSettings) as refused:
        read_settings(path, {})
    assert said in str(refused.value)


def test_a_setting_of_the_environment_that_is_unknown() -> None:
    for name in ("SIROLIMUS_CDS_HOSTT", "SIROLIMUS_CDS_ISSUERS"):
        with pytest.raises(WrongSettings, match=name):
            read_settings(None, {name: "x"})


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WrongSettings, match=r"gone\.toml: cannot be read"):
        read_settings(tmp_path / "gone.toml", {})


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_on_loopback_nobody_needs_a_token(host: str) -> None:
    assert Settings(host=host).issuers == []


def test_the_command_prints_every_setting(file: Path) -> None:
    result = CliRunner().invoke(main, ["config", "--config", str(file), "--port", "9005"])
    shown: dict[str, Any] = json.loads(result.stdout)
    assert shown["port"] == 9005 and shown["issuers"][0]["iss"] == "https://ehr.example/fhir"
    assert set(shown) == set(Settings.model_fields)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("replay", "keys", "word"),
    [
        ("no folder/tokens.sqlite", KEYS, "replay_file: "),
        ("tokens.sqlite", None, "jwks_file of https://ehr.example/fhir: "),
        ("tokens.sqlite", "not keys", "jwks_file of https://ehr.example/fhir: "),
        ("tokens.sqlite", '{"keys": []}', "jwks_file of https://ehr.example/fhir: holds no public key"),
    ],
    ids=["no folder", "no file", "no keys", "an empty set"],  # the keys are made anew by each process
)
def test_serve_ends_at_once_where_its_files_cannot_be_used(
    tmp_path: Path, workers: int, replay: str, keys: str | None, word: str
) -> None:
    """Workers that die of it one after another would look like a service that runs."""
    if keys is not None:
        (tmp_path / "keys.json").write_text(keys)
    settings = tmp_path / "settings.toml"
    issuer = FILE.partition("[[issuers]]")[2].replace(
        'jwks_url = "https://ehr.example/keys"', f'jwks_file = "{tmp_path}/keys.json"'
    )
    settings.write_text(f'port = 0\nworkers = {workers}\nreplay_file = "{tmp_path}/{replay}"\n[[issuers]]{issuer}')
    result = CliRunner().invoke(main, ["serve", "--config", str(settings)])
    assert result.exit_code == 2 and f"the settings cannot be used: {word}" in result.stderr
    assert "Listening" not in result.stderr


def test_serve_refuses_to_be_exposed() -> None:
    result = CliRunner().invoke(main, ["serve", "--host", "0.0.0.0"])
    assert result.exit_code == 2 and "name the issuers that may call" in result.stderr
