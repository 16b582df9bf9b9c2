"""docs/deployment.md from nothing to a protected service: its commands, run in a machine made of namespaces.

The folders that they write to are laid over by empty ones, and the network is one of its own. ``sudo`` does what it is told, and ``systemctl``
starts what a unit says, by a few lines of shell; what ``requirements/install.sh`` does is run before, by ``make sbom``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.charts import as_bytes, day, itp, patient, request, sirolimus
from tests.conftest import ROOT
from tests.deployment.machine import INSTALLED, NEEDS_INSTALLED, has_namespaces
from tests.hooks.doors import VIEW
from tests.hooks.nginx import LIST_SERVICES, MAKE_KEYS, NEEDS_NGINX
from tests.load.calls import settings_file, token

SECTION = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8").partition("## From nothing")[2]
INSTALL, LOOK, PROTECT = re.findall(r"```sh\n(.*?)```", SECTION.partition("\n## ")[0], re.DOTALL)

pytestmark = [
    pytest.mark.slow,
    NEEDS_NGINX,
    pytest.mark.skipif(not has_namespaces(), reason="this machine gives no file system and network of its own"),
    NEEDS_INSTALLED,
]

SUDO = """#!/bin/sh
exec "$@"
"""
SYSTEMCTL = """#!/bin/sh
# what systemd would do with the two units, as far as files go
case "$*" in
"enable --now sirolimus-cds")
    mkdir -p /var/lib/sirolimus-cds
    command=$(sed -n 's/^ExecStart=//p' /etc/systemd/system/sirolimus-cds.service)
    env -i PYTHONDONTWRITEBYTECODE=1 $command 2> "$SERVICE_LOG" &
    for _ in $(seq 600); do curl --fail --silent --output /dev/null http://127.0.0.1:8000/readyz && exit 0; sleep 0.1; done
    cat "$SERVICE_LOG"; exit 1 ;;
"restart nginx") nginx ;;
*) exit 1 ;;
esac
"""
MACHINE = """
ip link set lo up
for folder in /opt /etc /var/lib /var/log /run; do
    mkdir -p "$LAYERS$folder/upper" "$LAYERS$folder/work"
    mount -t overlay -o "lowerdir=$folder,upperdir=$LAYERS$folder/upper,workdir=$LAYERS$folder/work" overlay "$folder"
done
mkdir -p /run/nginx /opt/sirolimus-cds
mount --bind "$INSTALLED" /opt/sirolimus-cds
"""


def _write_executable(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o755)


def run_in_a_machine(tmp_path: Path, script: str) -> subprocess.CompletedProcess[str]:
    """A script in a checkout of its own; the layers are on a file system that can hold them."""
    bin_folder, checkout = tmp_path / "bin", tmp_path / "a checkout"
    bin_folder.mkdir()
    shutil.copytree(ROOT / "docs", checkout / "docs", dirs_exist_ok=True)
    _write_executable(bin_folder / "sudo", SUDO)
    _write_executable(bin_folder / "systemctl", SYSTEMCTL)
    environ = os.environ | {
        "PATH": f"{bin_folder}:/usr/sbin:/usr/bin:/sbin:/bin",
        "LAYERS": str(tmp_path / "layers"),
        "INSTALLED": str(INSTALLED),
        "SERVICE_LOG": str(tmp_path / "service.log"),
    }
    layers = f'mkdir -p "$LAYERS"; mount -t tmpfs tmpfs "$LAYERS"; {MACHINE}'
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "sh", "-exc", f"{layers}\n{script}"]
    return subprocess.run(command, cwd=checkout, env=environ, capture_output=True, text=True, timeout=180)


def test_from_nothing_to_a_protected_service(tmp_path: Path) -> None:
    checkout = tmp_path / "a checkout"
    checkout.mkdir()
    made = settings_file(tmp_path)
    settings = made.read_text().replace(f"{tmp_path}/replay.sqlite", "/var/lib/sirolimus-cds/tokens.sqlite")
    (checkout / "settings.toml").write_text(f"hosts = ['localhost']\nworkers = 2\n{settings}")
    (checkout / "body.json").write_bytes(
        as_bytes(request("patient-view", [patient(), itp(), sirolimus("s", day(0), 12)]))
    )
    call = LIST_SERVICES.strip().replace("https://localhost/cds-services", f"https://localhost{VIEW}")
    headers = f"--header 'content-type: application/json' --header 'authorization: Bearer {token()}'"
    post = f"{call} {headers} --data-binary @body.json > answer.json"
    check = INSTALL.strip().splitlines()[-1]
    done = run_in_a_machine(tmp_path, "\n".join([check, LOOK, MAKE_KEYS, PROTECT, post]))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "doseFarAboveWindow" in (checkout / "answer.json").read_text(), done.stderr[-3000:]
    log = (tmp_path / "service.log").read_text()
    assert '"level": "error"' not in log and "itp-1" not in log


def test_what_the_first_block_installs_is_what_this_machine_is_given() -> None:
    packages, install, check = INSTALL.strip().splitlines()
    assert install == "sudo sh requirements/install.sh /opt/sirolimus-cds"
    assert packages.startswith("sudo apt-get install -y python3 python3-venv") and check.endswith("sirolimus-cds check")
