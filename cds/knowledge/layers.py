"""A rules folder with a site's overlays: which file counts, and which file it replaces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cds.knowledge.tree import Fault


class Layers:
    """Rules folders laid one over the other; of files with the same name, the topmost counts."""

    def __init__(self, folder: Path, overlays: Sequence[Path] = ()) -> None:
        self.folders = (folder, *overlays)
        self.changes: list[str] = []  # what an overlay replaces or adds, in words
        self._outside: set[str] = set()  # files whose links lead out of their folder, as faults name them

    def files(self, pattern: str) -> list[Path]:
        """The files that count, by their name within a folder."""
        found: dict[str, Path] = {}
        for number, folder in enumerate(self.folders):
            for path in sorted(folder.glob(pattern)):
                name = path.relative_to(folder).as_posix()
                change = f"{folder.name}: {'replaces' if name in found else 'adds'} {name}"
                if number and change not in self.changes:
                    self.changes.append(change)
                found[name] = path
        return [found[name] for name in sorted(found)]

    def each(self, name: str) -> list[Path]:
        """The file of that name in every folder that has it, lowest first; the lowest folder's path is included even without a file."""
        return [self.folders[0] / name, *(path for each in self.folders[1:] if (path := each / name).is_file())]

    def below(self, path: Path) -> Path | None:
        """The file that this one replaces, in the next folder below that has it."""
        at = self.folders.index(self._of(path))
        name = path.relative_to(self.folders[at])
        return next((found for folder in reversed(self.folders[:at]) if (found := folder / name).is_file()), None)

    def note(self, path: Path, key: str, replaces: bool) -> None:
        """Remember that a key of a file that is read key by key comes from an overlay."""
        folder = self._of(path)
        if folder is not self.folders[0]:
            self.changes.append(f"{folder.name}: {'replaces' if replaces else 'adds'} {key} in {path.name}")

    def shown(self, path: Path) -> str:
        """A file's name as faults give it: the folder's own name and the place within."""
        folder = self._of(path)
        name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        if not path.resolve().is_relative_to(folder.resolve()):
            self._outside.add(name)
        return name

    def without_content(self, fault: Fault) -> Fault:
        """``fault``, without the content of its file if the file is not the folder's own but one that a link leads to."""
        if fault.path not in self._outside:
            return fault
        return Fault(fault.path, fault.line, "is wrong, and a link out of the folder: check it in the folder it is in")

    def _of(self, path: Path) -> Path:
        return next(folder for folder in reversed(self.folders) if path.is_relative_to(folder))
