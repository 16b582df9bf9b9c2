"""The files of a FHIR bulk export, and their lines: NDJSON, plain or gzipped, in units that several processes read."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import unquote, urlsplit

import msgspec

from cds.chart.prefetch import PREFETCH_TYPES

TYPES = frozenset(PREFETCH_TYPES.values())
"""The types of resource that are read, in addition to Medication."""
UNIT = 64 * 1024 * 1024
"""Bytes of a plain file that one process reads at a time; a gzipped file is read whole."""
LONGEST = 64 * 1024 * 1024
"""Maximum bytes of a line; a longer one is a fault, and left out."""
_BLOCK = 4 * 1024 * 1024
_FIRST = 1024 * 1024  # bytes in which the type of a file is looked for
_NAMES = ("*.ndjson", "*.ndjson.gz", "*.jsonl", "*.jsonl.gz")
_WORD = re.compile(r"[A-Za-z]+")
_ERRORS = "the server names errors: some of the export may be missing"
_DELETED = "the server names resources that were deleted since an earlier export, and they are not left out"
_SMART_FETCH = ".metadata"
"""A file that smart-fetch keeps in a folder that it manages: the links there lead to the newest files; those in subfolders may be older."""
_ASIDE = {"error": _ERRORS, "deleted": _DELETED}
"""Folders that bulk-data-client and smart-fetch write next to an export."""
BOM = b"\xef\xbb\xbf"
DAMAGED = (OSError, EOFError, zlib.error)
"""What reading a file may raise: it cannot be read, or is cut off or damaged."""


class NoExport(Exception):
    """There is nothing to judge; ``str`` says why."""


class Unit(msgspec.Struct, frozen=True):
    """A part of a file: the lines that begin at ``start`` or later, and before ``end``; None: to the end of the file."""

    path: Path
    start: int = 0
    end: int | None = None


class Export(msgspec.Struct, frozen=True):
    """A bulk export. ``supplied``: the types that were exported, including those without a resource; ``taken``: when, if this is stated;
    ``faults``: what a manifest says is missing or was deleted, by file and reason.
    """

    files: tuple[Path, ...]
    supplied: frozenset[str]
    taken: str = ""
    faults: tuple[tuple[str, str], ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The types that are read and were not exported."""
        return tuple(kind for kind in PREFETCH_TYPES.values() if kind not in self.supplied)

    def units(self, size: int = UNIT) -> list[Unit]:
        """The parts of all files, in order."""
        return [unit for path in self.files for unit in _units(path, size)]


class _Output(msgspec.Struct):
    type: str
    url: str


class _Manifest(msgspec.Struct):
    output: list[_Output]
    transactionTime: str = ""
    error: list[Any] = []
    deleted: list[Any] = []


def find_export(where: Path, supplied: frozenset[str] = frozenset()) -> Export:
    """The export in a folder, in a manifest next to its files, or in one file.

    The manifest, the names of files and their first lines tell which types were supplied; ``supplied`` adds types that an export left
    out because they are empty.

    Raises:
        NoExport: there is no file to read.
    """
    manifest = _manifest(where)
    faults = list(_said(where, manifest))
    if manifest is not None:
        paths = [where.parent / unquote(urlsplit(each.url).path).rpartition("/")[2] for each in manifest.output]
        found = {each.type for each in manifest.output}
        if lacking := sorted(path.name for path in paths if not path.is_file()):
            raise NoExport(f"the manifest names files that are not in its folder: {', '.join(lacking[:5])}")
    else:
        paths, found = _files(where), set()
        faults += _set_aside(where)
    if not paths:
        raise NoExport(f"{where.name}: there is no NDJSON (.ndjson, .jsonl, also with .gz)")
    for path in paths:
        found |= _types(path)
    known = frozenset(found & TYPES) | supplied
    return Export(tuple(paths), known, manifest.transactionTime if manifest else "", tuple(faults))


def _said(where: Path, manifest: _Manifest | None) -> Iterator[tuple[str, str]]:
    """What a manifest says about resources that its files do not contain, or that were deleted."""
    if manifest is not None and manifest.error:
        yield where.name, _ERRORS
    if manifest is not None and manifest.deleted:
        yield where.name, _DELETED


def _manifest(where: Path) -> _Manifest | None:
    if not where.is_file() or where.suffix != ".json":
        return None
    try:
        return msgspec.json.decode(where.read_bytes(), type=_Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise NoExport(f"{where.name}: is no manifest of a bulk export ({type(error).__name__})") from None


def _files(where: Path) -> list[Path]:
    """The files in a folder and its subfolders, each once, however many links lead to it."""
    if where.is_file():
        return [where]
    found = [path for path in _all(where) if not _ASIDE.keys() & set(path.relative_to(where).parts[:-1])]
    if _is_managed(where):
        found = [path for path in found if path.parent == where] or found
    return sorted({path.resolve(): path for path in sorted(found)}.values())


class _Metadata(msgspec.Struct):
    kind: str = ""


def _is_managed(where: Path) -> bool:
    try:
        return msgspec.json.decode((where / _SMART_FETCH).read_bytes(), type=_Metadata).kind == "managed"
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return False


def _all(where: Path) -> Iterator[Path]:
    return (path for name in _NAMES for path in where.rglob(name) if path.is_file())


def _set_aside(where: Path) -> Iterator[tuple[str, str]]:
    """The files that bulk-export clients keep next to the export: what the server could not supply, and what it no longer has."""
    for path in sorted(_all(where)) if where.is_dir() else []:
        for folder in _ASIDE.keys() & set(path.relative_to(where).parts[:-1]):
            yield str(path.relative_to(where)), _ASIDE[folder]


def _types(path: Path) -> set[str]:
    """The types that the name of a file mentions, and the type of its first resource."""
    found = {word for word in _WORD.findall(path.name) if word in TYPES}
    try:
        with opened(path) as file:
            first = file.read(_FIRST).removeprefix(BOM).lstrip().split(b"\n", 1)[0]
        kind = msgspec.json.decode(first, type=_Typed).resourceType
    except (*DAMAGED, msgspec.MsgspecError, UnicodeDecodeError):
        return found
    return {*found, kind}


class _Typed(msgspec.Struct):
    resourceType: str = ""


def opened(path: Path) -> IO[bytes]:
    """A file as its content, gzipped or not."""
    return cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _units(path: Path, size: int) -> Iterator[Unit]:
    if path.suffix == ".gz":
        yield Unit(path)
        return
    length = path.stat().st_size
    for start in range(0, length, size):
        yield Unit(path, start, min(start + size, length))


def blocks(unit: Unit) -> Iterator[bytes]:
    """The lines of a unit in blocks of whole lines. A line that begins in the unit is included in full, one that began before it is not.

    A line that is longer than LONGEST is cut, and is alone in its block, which is also longer than LONGEST.

    Raises:
        OSError, EOFError, zlib.error: the file cannot be read to its end (DAMAGED).
    """
    with opened(unit.path) as file:
        _begin(file, unit)
        rest = b""
        while (wanted := _left(file, unit)) and (block := file.read(wanted)):
            whole, newline, rest = (rest + block).rpartition(b"\n")
            if newline:
                yield whole
            if len(rest) > LONGEST:
                yield rest
                rest = b""
                _skip(file)
        if rest and unit.end is not None:
            rest += file.readline(LONGEST + 1)  # the line ends in the next unit
        if rest:
            yield rest


def _begin(file: IO[bytes], unit: Unit) -> None:
    """Go to the first line that begins in the unit."""
    if unit.start:
        file.seek(unit.start - 1)
        _skip(file)


def _left(file: IO[bytes], unit: Unit) -> int:
    """How many bytes to read next, at most to the end of the unit."""
    return _BLOCK if unit.end is None else max(0, min(_BLOCK, unit.end - file.tell()))


def _skip(file: IO[bytes]) -> None:
    while (part := file.readline(_BLOCK)) and not part.endswith(b"\n"):
        pass


def line_number(unit: Unit, number: int) -> int:
    """The number of a line of a unit in its file, from 1."""
    before, left = 0, unit.start
    if left:
        with unit.path.open("rb") as file:
            while left > 0 and (block := file.read(min(_BLOCK, left))):
                before, left = before + block.count(b"\n"), left - len(block)
            before += 0 if block.endswith(b"\n") else 1  # the unit starts in the middle of a line
    return before + number + 1


def readable(unit: Unit) -> Iterator[bytes]:
    """The blocks of a unit as far as it can be read; where reading fails is reported when lines are gathered."""
    try:
        yield from blocks(unit)
    except DAMAGED:
        return
