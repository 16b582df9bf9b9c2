"""What tests ask for again and again of the rules as they ship: worked out once in a test run, and read once in a process."""

from __future__ import annotations

import copy
import dataclasses
import fcntl
import pickle
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from cds.authoring.check import Engines, Report, check_folder
from cds.knowledge import read
from cds.knowledge.files import Folder
from cds.knowledge.layers import Layers


def digest(folder: Path, but: str = "") -> str:
    """Of the names and the content of everything in a folder, ``but`` one folder in it."""
    found = sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = path.relative_to(folder)
        if name.parts[0] != but:
            found.update(name.as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def reading_once() -> Callable[..., None]:
    """The reader of a rules folder that reads a content once, wherever it lies: copies of the rules that differ in nothing."""
    read_into = read._read_into
    kept: dict[tuple[str, str, str], dict[str, Any]] = {}

    def into(result: Folder, layers: Layers, protocol: str, signers: Path | None) -> None:
        folder = layers.folders[0]
        if len(layers.folders) > 1 or signers is not None or not folder.is_dir() or _links(folder):
            return read_into(result, layers, protocol, signers)
        key = folder.name, protocol, digest(folder, but="scenarios")
        if key not in kept:
            read_into(result, layers, protocol, signers)
            kept[key] = dict(vars(result))
        vars(result).update({name: copy.copy(value) for name, value in kept[key].items()})
        return None

    return into


def _links(folder: Path) -> bool:
    return any(path.is_symlink() or not (path.is_file() or path.is_dir()) for path in (folder, *folder.rglob("*")))


def once(rules: Path, keep: Path) -> Callable[..., Report]:
    """``check_folder`` that works the report of ``rules``, or of a copy of them, out once and keeps it in ``keep``."""
    shipped, file = digest(rules), keep / "report.pickle"

    def checked(folder: Path, overlays: Sequence[Path] = (), *watch: Any) -> Report:
        if overlays or not folder.is_dir() or digest(folder) != shipped:
            return check_folder(folder, overlays, *watch)
        with file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the other workers wait for the first
            if not file.exists():
                file.write_bytes(pickle.dumps(dataclasses.replace(check_folder(folder), read=[])))
        report: Report = pickle.loads(file.read_bytes())
        return dataclasses.replace(report, read=Engines(folder).every())

    return checked
