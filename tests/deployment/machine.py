"""What the tests of deployment need of a machine: the installed service, and a file system and a network of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT

INSTALLED = Path(os.environ.get("TESTS_INSTALLED", ROOT / "build" / "service"))
NEEDS_INSTALLED = pytest.mark.skipif(
    not (INSTALLED / "bin" / "sirolimus-cds").exists() and "TESTS_INSTALLED" not in os.environ,
    reason="the service is not installed from hashes; make sbom installs it, and .ci/run",
)

_TRY = (
    "mount -t tmpfs tmpfs /mnt && mkdir /mnt/upper /mnt/work && ip link set lo up && "
    "mount -t overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work overlay /etc"
)


@cache
def has_namespaces() -> bool:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "sh", "-ec", _TRY]
    return subprocess.run(command, capture_output=True).returncode == 0
