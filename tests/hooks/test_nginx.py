"""docs/deployment.md with docs/nginx.conf: TLS and mutual TLS by nginx in front of the service, as the page says."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds.compiled.hooks import UNLESS_SET
from tests.charts import as_bytes, day, itp, patient, request, sirolimus
from tests.hooks.doors import VIEW
from tests.hooks.nginx import LIST_SERVICES, NEEDS_NGINX, ask, before
from tests.hooks.process import started

BODY = as_bytes(request("patient-view", [patient(), itp(), sirolimus("s", day(0), 12)]))

pytestmark = NEEDS_NGINX


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """The folder with the keys, and the port at which nginx answers."""
    folder = tmp_path_factory.mktemp("tls")
    with started() as running, before(running, folder) as port:
        yield folder, port


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
