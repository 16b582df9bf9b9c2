"""Whether this machine lets a test have a file system and a network of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache

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
