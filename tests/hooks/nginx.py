"""nginx in front of a service, as docs/deployment.md says."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.hooks.process import Running, free_port

PAGE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8").partition("## TLS and mutual TLS")[2]
MAKE_KEYS, LIST_SERVICES = re.findall(r"```sh\n(.*?)```", PAGE.partition("\n## ")[0], re.DOTALL)
NEEDS_NGINX = pytest.mark.skipif(
    shutil.which("nginx") is None and "TESTS_NEED_NGINX" not in os.environ,
    reason="nginx is not installed; .ci/run installs it",
)


@contextlib.contextmanager
def before(running: Running, folder: Path) -> Iterator[int]:
    """The port at which nginx hands on calls, with keys that the commands of the page make in ``folder``."""
    port = free_port()
    subprocess.run(["sh", "-ec", MAKE_KEYS], cwd=folder, check=True, capture_output=True)
    _write_configuration(folder, port, running.port)
    command = ["nginx", "-p", folder, "-e", folder / "errors", "-c", folder / "nginx.conf", "-g", "daemon off;"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            if ask(folder, port, "/cds-services")[0] in (200, 401):
                break
            assert process.poll() is None, (folder / "errors").read_text()
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def _write_configuration(folder: Path, port: int, service: int) -> None:
    site = (ROOT / "docs" / "nginx.conf").read_text(encoding="utf-8")
    for old, new in (
        ("/etc/nginx/tls/", f"{folder}/"),
        ("listen 443", f"listen 127.0.0.1:{port}"),
        (":8000;", f":{service};"),
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
