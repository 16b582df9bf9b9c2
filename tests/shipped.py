"""One ``check`` report of the rules as they ship for a whole test run: what says something of the report asks for it again and again."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from cds.authoring.check import Engines, Report, check_folder


def digest(folder: Path) -> str:
    """Of the names and the content of everything in a folder."""
    found = sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        found.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def once(rules: Path, keep: Path) -> Callable[..., Report]:
    """``check_folder`` that works the report of ``rules``, or of a copy of them, out once and keeps it in ``keep``."""
    shipped, file = digest(rules), keep / "report.pickle"

    def checked(folder: Path, overlays: Sequence[Path] = (), *watch: Any) -> Report:
        if overlays or not folder.is_dir() or digest(folder) != shipped:
            return check_folder(folder, overlays, *watch)
        if not file.exists():
            kept = dataclasses.replace(check_folder(folder), read=[])
            part = file.with_suffix(f".{id(kept)}")
            part.write_bytes(pickle.dumps(kept))
            part.replace(file)  # another worker may write it, too: the same
        report: Report = pickle.loads(file.read_bytes())
        return dataclasses.replace(report, read=Engines(folder).every())

    return checked
