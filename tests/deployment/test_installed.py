"""The service as ``requirements/install.sh`` installs it, run as docs/deployment.md says: as nobody, without a home, behind nginx."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.dense import body_of
from tests.charts import as_bytes, day, itp, patient, request, sirolimus
from tests.conftest import ROOT
from tests.deployment.machine import INSTALLED, NEEDS_INSTALLED, has_namespaces
from tests.hooks.doors import VIEW
from tests.hooks.nginx import NEEDS_NGINX, ask, before
from tests.hooks.process import Running, started
from tests.load.calls import settings_file, token

BODY = as_bytes(request("patient-view", [patient(), itp(), sirolimus("s", day(0), 12)]))
NOBODY = "65532"

pytestmark = [NEEDS_NGINX, NEEDS_INSTALLED]
ON_A_READ_ONLY_ROOT = 'mount -o remount,bind,ro / && mount -t tmpfs -o mode=1777 tmpfs "$TMPDIR" && exec "$@"'


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that everybody may look into."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def program(folder: Path) -> Path:
    """The installed program where everybody may run it."""
    shutil.copytree(INSTALLED, folder / "a service", symlinks=True)
    return folder / "a service" / "bin" / "python"


def command(program: Path, settings: Path) -> list[str | Path]:
    """The service with nothing of this environment; where we may, as nobody, on a file system that cannot be written but to TMPDIR."""
    scratch = settings.parent / "tmp"
    scratch.mkdir(exist_ok=True)
    scratch.chmod(0o777)
    clean: list[str | Path] = ["/usr/bin/env", "-i", f"TMPDIR={scratch}"]
    if has_namespaces():
        clean += ["unshare", "--mount", "sh", "-ec", ON_A_READ_ONLY_ROOT, "sh"]
    if os.geteuid() == 0:
        clean += [
            "setpriv",
            "--reuid",
            NOBODY,
            "--regid",
            NOBODY,
            "--clear-groups",
            "--bounding-set=-all",
            "--no-new-privs",
        ]
    return [
        *clean,
        program,
        program.parent / "sirolimus-cds",
        "serve",
        "--config",
        settings,
        "--workers",
        "2",
        "--port",
    ]


@pytest.fixture(scope="module")
def running(folder: Path, program: Path) -> Iterator[Running]:
    closed = [each for each in program.resolve().parents if not each.stat().st_mode & 0o001]
    if closed and "TESTS_INSTALLED" not in os.environ:
        pytest.skip("the Python of the installed service is in a folder that not every user may enter")
    settings = settings_file(folder)
    settings.write_text(settings.read_text().replace(f"{folder}/replay.sqlite", f"{folder}/tmp/replay.sqlite"))
    with started(command=command(program, settings)) as service:
        yield service


def test_it_was_installed_from_hashes_alone() -> None:
    """What is there is what the lock names, each at the release that it names, and no pip."""
    code = "from importlib.metadata import distributions as d; import json; print(json.dumps([[x.name, x.version] for x in d()]))"
    found = subprocess.run([INSTALLED / "bin" / "python", "-Ic", code], capture_output=True, text=True, check=True)
    lock = (ROOT / "requirements" / "service.txt").read_text()
    installed = dict(json.loads(found.stdout))
    assert installed.pop("sirolimus-itp-cds")
    assert {f"{_plain(name)}=={version}" for name, version in installed.items()} == set(_pins(lock))


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _pins(lock: str) -> list[str]:
    return [line.split()[0] for line in lock.splitlines() if "==" in line]


@pytest.mark.slow
def test_it_runs_as_nobody(running: Running) -> None:
    uids = {Path(f"/proc/{each}/status").read_text().partition("Uid:\t")[2].split()[0] for each in running.processes()}
    assert uids == {NOBODY if os.geteuid() == 0 else str(os.getuid())}


def test_a_signed_call_through_nginx_gets_its_card(running: Running, folder: Path) -> None:
    (folder / "body.json").write_bytes(BODY)
    call = ["-H", "content-type: application/json", "--data-binary", "@body.json"]
    signed = ["-H", f"authorization: Bearer {token()}"]
    with before(running, folder) as port:
        assert ask(folder, port, VIEW, *call)[0] == 401
        status, answer = ask(folder, port, VIEW, *call, *signed)
        assert status == 200
        assert "doseFarAboveWindow" in {card["source"]["topic"]["code"] for card in json.loads(answer)["cards"]}
        assert ask(folder, port, VIEW, *call, *signed)[0] == 401  # the same token again, whichever worker hears it


def test_a_large_chart_is_judged_by_a_process_apart(running: Running) -> None:
    body = body_of("counts", 2_000)
    status, answer = running.call("POST", VIEW, body, authorization=f"Bearer {token()}")
    assert status == 200 and b"could not be evaluated" not in answer
    _log_is_clean(running)


def _log_is_clean(running: Running) -> None:
    assert {line["level"] for line in running.logged()} == {"info"}
