"""The compiled knowledge in the user's own cache folder: only a complete file that this user wrote there is trusted."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from cds import __version__
from cds.compiled.knowledge import Knowledge

_DIGEST = 32  # bytes of SHA-256 before the content
_MOST = 64_000_000  # bytes
_MOST_OF_A_FILE = 8_000_000
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def cache_file(folders: Sequence[Path], protocol: str) -> Path | None:
    """The cache file for the knowledge of these folders, named by a hash of their content and the code. None if it cannot be cached."""
    digest = sha256(f"{__version__}|{protocol}".encode("utf-8", "replace"))
    try:
        for folder in folders:
            digest.update(folder.name.encode("utf-8", "replace") + b"\0")
            # the same files that the reader finds: linked folders are entered, which rglob would not do
            for path in sorted(
                each for pattern in ("*.yaml", "*.csv", "*/*.yaml", "*/*.csv") for each in folder.glob(pattern)
            ):
                if path.is_file():
                    if path.stat().st_size > _MOST_OF_A_FILE:
                        return None  # the reader reports the fault
                    digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
        for path in _code():  # in a checkout, the code changes without a new version
            digest.update(path.read_bytes())
    except OSError:
        return None
    base = cache_folder()
    return base / f"{digest.hexdigest()}.msgpack" if base is not None else None


def cache_folder() -> Path | None:
    """The folder of all cache files; None for a user without a home."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sirolimus-itp-cds"
    except RuntimeError:
        return None


def _code() -> list[Path]:
    """The code that compiles the knowledge, and the facts that it is compiled against."""
    package = Path(__file__).parent.parent
    rooms = ("compiled", "plan", "course", "facts", "knowledge")
    found = [path for room in rooms for path in (package / room).iterdir() if path.suffix in (".py", ".json")]
    return sorted([*found, package / "vocabulary.py"])


def from_cache(path: Path) -> Knowledge | None:
    """The knowledge in a cache file; None unless it is a regular and complete file.

    The file and its folder must belong to this user and be writable by no other user.
    """
    try:
        if not _is_own(path.parent.stat()):
            return None
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or not _is_own(found) or found.st_size > _MOST:
            return None
        content = file.read(_MOST)
    if sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
        return None
    try:
        return msgspec.msgpack.decode(content[_DIGEST:], type=Knowledge)
    except msgspec.MsgspecError:
        return None


def _is_own(found: os.stat_result) -> bool:
    """Whether a file or folder belongs to this user, and no other user may write it."""
    return found.st_uid == os.geteuid() and not found.st_mode & _OTHERS_MAY_WRITE


def into_cache(path: Path, knowledge: Knowledge) -> None:
    """Write the knowledge to the cache; if that fails, the next start compiles it again."""
    content = msgspec.msgpack.encode(knowledge)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(sha256(content).digest() + content)
        Path(name).replace(path)
    except OSError:
        return
