"""Two sets of rules to compare: each a folder with its overlays, as it is now or as it was in a git commit."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

from cds.authoring.check import Engines
from cds.engine import CheckedEngine
from cds.knowledge.tree import Fault

_SECONDS = 60
_MOST_BYTES = 8_000_000  # of a file
_LINK = "120000"  # mode of a symbolic link in a git tree
_MOST = 5  # faults that are reported for a side; `check` reports all


class NoSide(Exception):
    """What was named is not a set of rules; ``str`` says why."""


@dataclass
class Side:
    """One of the two sides: its name as it was given, and its engines, one per protocol."""

    name: str
    engines: Engines
    protocol: str

    def engine(self, protocol: str = "") -> CheckedEngine:
        """The engine under ``protocol`` if this side has that protocol, else under the side's own. Raises NoSide, EngineFault."""
        wanted = protocol if protocol in self.engines.protocols() else self.protocol
        try:
            return self.engines.of(wanted, lambda message: Fault(self.name, 1, message))
        except Fault as fault:
            faults = list(map(str, self.engines.read(wanted).faults or [fault]))
            more = [f"and {len(faults) - _MOST} more"] if len(faults) > _MOST else []
            raise NoSide("\n".join([f"{self.name}: its rules cannot be used", *faults[:_MOST], *more])) from None


def side(text: str, into: Path) -> Side:
    """The side that ``text`` names: PLACE[+OVERLAY...][@PROTOCOL], where PLACE is a rules folder or a git commit.

    Files from git are written into a folder under ``into``.

    Raises:
        NoSide: there is neither such a folder nor such a commit, or the commit has no rules.
    """
    place, overlays, protocol = text, [], ""
    if not Path(text).is_dir():
        place, _, protocol = text.rpartition("@") if _names_protocol(text) else (text, "", "")
        place, *overlays = place.split("+")
    folder = Path(place) if Path(place).is_dir() else _from_git(place, into)
    above = [Path(each) for each in overlays]
    for each in above:
        if not each.is_dir():
            raise NoSide(f"{each}: is not a folder")
    return Side(text, Engines(folder, above), protocol)


def _names_protocol(text: str) -> bool:
    """Whether what follows the last @ is a protocol, and not a part of git's HEAD@{1}."""
    _, found, protocol = text.rpartition("@")
    return bool(found) and not protocol.startswith("{")


def _from_git(ref: str, into: Path) -> Path:
    """The ``rules`` folder as it was in a commit of the repository around the current folder."""
    if not ref or ref.startswith("-"):
        raise NoSide(f"'{ref}' is neither a rules folder nor a git commit")
    try:
        top = _git(["rev-parse", "--show-toplevel"]).decode().strip()
        commit = _git(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"]).decode().strip()
    except (OSError, subprocess.SubprocessError):
        raise NoSide(f"'{ref}' is neither a rules folder nor a git commit of the repository here") from None
    folder = into / commit
    try:
        for path, content in _files(top, commit):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise NoSide(f"the rules of the commit {ref} cannot be read ({error})") from None
    if not (folder / "rules").is_dir():
        raise NoSide(f"the commit {ref} has no folder 'rules'")
    return folder / "rules"


def _files(top: str, commit: str) -> Iterator[tuple[PurePosixPath, bytes]]:
    """The files under ``rules`` in a commit, each with its content. They are read from the tree, because an archive leaves out
    what ``.gitattributes`` excludes. Raises ValueError for a link, and for a path or a size that no file of rules has."""
    listed = _git(["-C", top, "ls-tree", "-r", "-l", "-z", commit, "rules/"]).decode("utf-8", "replace")
    names, paths = [], []
    for head, _, path in (each.partition("\t") for each in listed.split("\0") if each):
        mode, kind, name, size = head.split()
        if kind != "blob" or mode == _LINK:
            raise ValueError(f"{path} is no file")
        if path.startswith("/") or ".." in PurePosixPath(path).parts or int(size) > _MOST_BYTES:
            raise ValueError(f"{path} is no file of rules")
        names.append(f"{name}\n")
        paths.append(PurePosixPath(path))
    found = BytesIO(_git(["-C", top, "cat-file", "--batch"], "".join(names).encode()))
    for each in paths:
        size = found.readline().split()[2].decode()
        yield each, found.read(int(size))
        found.readline()


def _git(words: Sequence[str], given: bytes = b"") -> bytes:
    return subprocess.run(["git", *words], input=given, capture_output=True, check=True, timeout=_SECONDS).stdout  # noqa: S603, S607  # git, of whoever calls
