"""docs/deployment.md with docs/nginx.conf: TLS and mutual TLS by nginx in front of the service, as the page says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds.compiled.hooks import UNLESS_SET
from tests.charts import as_bytes, day, itp, patient, request, sirolimus
from tests.conftest import ROOT
from tests.hooks.doors import VIEW
from tests.hooks.process import free_port, started

PAGE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8").partition("## TLS and mutual TLS")[2]
MAKE_KEYS, LIST_SERVICES = re.findall(r"```sh\n(.*?)```", PAGE.partition("\n## ")[0], re.DOTALL)
BODY = as_bytes(request("patient-view", [patient(), itp(), sirolimus("s", day(0), 12)]))

pytestmark = pytest.mark.skipif(
    shutil.which("nginx") is None and "TESTS_NEED_NGINX" not in os.environ,
    reason="nginx is not installed; .ci/run installs it",
)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """The folder with the keys, and the port at which nginx answers."""
    folder, port = tmp_path_factory.mktemp("tls"), free_port()
    subprocess.run(["sh", "-ec", MAKE_KEYS], cwd=folder, check=True, capture_output=True)
    with started() as running:
        site = (ROOT / "docs" / "nginx.conf").read_text(encoding="utf-8")
        for old, new in (
            ("/etc/nginx/tls/", f"{folder}/"),
            ("listen 443", f"listen 127.0.0.1:{port}"),
            (":8000;", f":{running.port};"),
        ):
            assert old in site
            site = site.replace(old, new)
        (folder / "site.conf").write_text(site)
        user = "user root;" if os.geteuid() == 0 else ""  # the folder is not for others
        places = "".join(
            f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"{user} pid {folder}/pid; error_log {folder}/errors warn; events {{}} http {{ {places} include {folder}/site.conf; }}"
        )
        command = ["nginx", "-p", folder, "-e", folder / "errors", "-c", folder / "nginx.conf", "-g", "daemon off;"]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            for _ in range(200):
                if ask(folder, port, "/cds-services")[0] == 200:
                    break
                assert process.poll() is None, (folder / "errors").read_text()
                time.sleep(0.05)
            yield folder, port
        finally:
            process.terminate()
            process.wait()


def ask(folder: Path, port: int, path: str, *more: str, certificate: bool = True) -> tuple[int, str]:
    """The status and the body that curl gets."""
    shown = ["--cert", "caller.pem", "--key", "caller.key"] if certificate else []
    address = f"https://localhost:{port}{path}"
    got = subprocess.run(
        ["curl", "--silent", "--cacert", "server.pem", *shown, "--write-out", "\n%{http_code}", *more, address],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    body, _, status = got.stdout.rpartition("\n")
    return int(status or 0), body


def test_the_command_of_the_page_lists_the_services(front: tuple[Path, int]) -> None:
    folder, port = front
    command = LIST_SERVICES.replace("https://localhost/", f"https://localhost:{port}/")
    got = subprocess.run(["sh", "-ec", command], cwd=folder, check=True, capture_output=True, text=True)
    assert [each["hook"] for each in json.loads(got.stdout)["services"]] == list(UNLESS_SET)


def test_calls_go_through_tls(front: tuple[Path, int]) -> None:
    folder, port = front
    (folder / "body.json").write_bytes(BODY)
    status, body = ask(folder, port, VIEW, "-H", "content-type: application/json", "--data-binary", "@body.json")
    assert status == 200
    assert "doseFarAboveWindow" in {card["source"]["topic"]["code"] for card in json.loads(body)["cards"]}


def test_no_patient_is_written_to_a_file(front: tuple[Path, int]) -> None:
    """nginx says so in its error log when it writes a body to a temporary file."""
    folder, port = front
    padded = BODY[:-1] + b" " * 1_500_000 + b"}"
    (folder / "padded.json").write_bytes(padded)
    assert ask(folder, port, VIEW, "-H", "content-type: application/json", "--data-binary", "@padded.json")[0] == 200
    assert "temporary file" not in (folder / "errors").read_text()


def test_with_mutual_tls_a_caller_without_a_certificate_is_turned_away(front: tuple[Path, int]) -> None:
    folder, port = front
    status, body = ask(folder, port, "/cds-services", certificate=False)
    assert status == 400 and "services" not in body


def test_our_own_error_reaches_the_caller(front: tuple[Path, int]) -> None:
    folder, port = front
    (folder / "large.json").write_bytes(b" " * (2 * 1024 * 1024 + 1))
    status, body = ask(folder, port, VIEW, "-H", "content-type: application/json", "--data-binary", "@large.json")
    assert status == 413 and json.loads(body)["resourceType"] == "OperationOutcome"


def test_health_is_not_shown_outside(front: tuple[Path, int]) -> None:
    assert ask(*front, "/readyz")[0] == 404
