"""Knowledge for ``evaluate`` and ``serve``: compiled once, then read from the user's cache folder.

The cache is keyed by the content of every rules file and by the version, so a change of a rule is
seen at once; where the folder cannot be written, the knowledge is compiled each time.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from cds import __version__
from cds.knowledge.compiled import Knowledge


class UnsoundRules(Exception):
    """The rules folder has faults; ``faults`` are the sentences."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def shipped_rules() -> Path:
    """The rules that came with the program: inside the wheel, or beside the package in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "_rules"
    return inside if inside.is_dir() else package.parent / "rules"


def load(folder: Path | None = None, protocol: str = "", overlays: Sequence[Path] = ()) -> Knowledge:
    """The knowledge of ``folder`` (the shipped rules by default) with what lies over it, under ``protocol``.

    Without ``protocol`` the one that calls itself the default is taken.

    Raises:
        UnsoundRules: the folder has faults; run ``sirolimus-cds check`` to see them with the cases.
    """
    folders = [each.resolve() for each in (folder or shipped_rules(), *overlays)]
    cached = _cache_file(folders, protocol)
    if cached is not None:
        try:
            return msgspec.msgpack.decode(cached.read_bytes(), type=Knowledge)
        except (OSError, msgspec.MsgspecError):
            pass  # not there yet, or not ours: compile it
    from cds.knowledge.read import read_folder  # imports pydantic and ruamel: a third of a second

    result = read_folder(folders[0], protocol, folders[1:])
    if result.knowledge is None:
        raise UnsoundRules([str(fault) for fault in result.faults])
    if cached is not None:
        _write(cached, msgspec.msgpack.encode(result.knowledge))
    return result.knowledge


def _cache_file(folders: Sequence[Path], protocol: str) -> Path | None:
    digest = sha256(f"{__version__}|{protocol}".encode("utf-8", "replace"))
    try:
        for folder in folders:
            digest.update(folder.name.encode("utf-8", "replace") + b"\0")
            # as the reader finds them: a linked folder is entered, which rglob would not do
            for path in sorted(each for pattern in ("*.yaml", "*/*.yaml", "*/*.csv") for each in folder.glob(pattern)):
                if path.is_file():
                    digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
        for path in sorted(Path(__file__).parent.glob("*.py")):  # a checkout's code changes without its version
            digest.update(path.read_bytes())
        digest.update((Path(__file__).parent.parent / "vocabulary.py").read_bytes())
    except OSError:
        return None
    base = os.environ.get("XDG_CACHE_HOME") or (Path.home() / ".cache")
    return Path(base) / "sirolimus-itp-cds" / f"{digest.hexdigest()[:32]}.msgpack"


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError:
        pass  # the knowledge stays in memory; the next start compiles it again
