"""Whose key vouches for a file of signatures: a detached signature by ``ssh-keygen -Y sign``, checked against the allowed signers.

A signature in ``reviews.yaml`` is a line of text that anyone with write access to the file can add. If a site names its allowed
signers, the file counts only with ``reviews.yaml.sig`` next to it, made by one of their keys in the namespace below.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

NAMESPACE = "sirolimus-itp-cds"
_SECONDS = 10


class NotVouched(Exception):
    """The file does not count; ``str`` says why."""


def check_vouched(path: Path, signers: Path) -> str:
    """The principal whose key signed the file at ``path``, as ``signers`` names them. Raises NotVouched."""
    signature = path.with_name(f"{path.name}.sig")
    for needed in (signature, signers):
        if not needed.is_file():
            raise NotVouched(f"there is no {needed.name} to hold it against")
    named = ["-s", str(signature), "-f", str(signers)]
    content = path.read_bytes()
    found = _ssh_keygen(["-Y", "find-principals", *named], b"").replace(",", "\n").splitlines()
    for principal in found:
        if _ssh_keygen(["-Y", "verify", *named, "-I", principal, "-n", NAMESPACE], content):
            return principal
    raise NotVouched(
        f"{signature.name} is not the signature of this file by a key of {signers.name} (namespace {NAMESPACE})"
    )


def _ssh_keygen(words: list[str], given: bytes) -> str:
    """The output of ssh-keygen if it succeeds, empty if it fails. Raises NotVouched if it cannot be run."""
    try:
        done = subprocess.run(["ssh-keygen", *words], input=given, capture_output=True, timeout=_SECONDS)  # noqa: S603, S607  # of OpenSSH
    except (OSError, subprocess.SubprocessError):
        raise NotVouched("it cannot be held against its signature: ssh-keygen (OpenSSH) is needed") from None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else ""
