"""The lines of the patients who are judged, grouped on the disk: each unit writes one file, ordered by bucket."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
import re2

from cds.population.choose import lines_with
from cds.population.export import BOM, DAMAGED, LONGEST, Unit, blocks, readable
from cds.population.owners import medications_of, owners_of, resource_in

TOO_LONG = "the line is longer than 64 MB and was left out"
CUT_OFF = "the file cannot be read any further: what follows is missing"
NOT_READ = "the line is not the JSON of a resource and was left out"
_MARKS = (b"Patient/", b"urn:uuid:")
"""What comes before the id of a patient in a reference."""
_OPTIONS = re2.Options()
_OPTIONS.encoding, _OPTIONS.log_errors = re2.Options.Encoding.LATIN1, False
_DECODED = re2.compile(
    rb'(?m)"resourceType"\s*:\s*"Patient"|\\[u/]|^[ \t\r]*[^{ \t\r\n]|[^} \t\r\n][ \t\r]*$', _OPTIONS
)
"""Lines that are decoded whichever patient they belong to: Patients, lines with an escaped character or slash that may hide a reference,
and lines that do not begin and end like a JSON object."""


class Fault(msgspec.Struct, frozen=True):
    """A part of an export that could not be used: where it is, and why, but never its content."""

    file: str
    line: int
    reason: str


class Piece(msgspec.Struct, frozen=True):
    """A line in a bucket, and the patient that it belongs to."""

    owner: str
    line: bytes


class Spilled(msgspec.Struct):
    """What was written for a unit: where the pieces of each bucket are in its file; its faults, by the number of the line in the unit; and
    the Medications that the pieces refer to.
    """

    path: Path
    places: dict[int, tuple[int, int]]
    faults: list[tuple[int, str]]
    medications: set[str]


def bucket_of(patient: str, buckets: int) -> int:
    """The bucket of a patient; the same on every machine."""
    return zlib.crc32(patient.encode("utf-8", "surrogatepass")) % buckets


def gather(unit: Unit, patients: frozenset[str], buckets: int, spill: Path) -> Spilled:
    """Write the lines of these patients to ``spill``."""
    raw = frozenset(each.encode("utf-8", "surrogatepass") for each in patients)
    found: dict[int, list[Piece]] = {}
    result = Spilled(spill, {}, [], set())
    for number, block in _blocks(unit, result):
        if len(block) > LONGEST and b"\n" not in block:
            result.faults.append((number, TOO_LONG))
            continue
        for begin, end in lines_of(block, raw):
            line = block[begin:end].removeprefix(BOM).strip()
            if line and not _take(line, patients, buckets, found, result):
                result.faults.append((number + block.count(b"\n", 0, begin), NOT_READ))
    result.faults.sort()
    _write(found, result)
    return result


def _blocks(unit: Unit, result: Spilled) -> Iterator[tuple[int, bytes]]:
    """The blocks of a unit, each with the number of its first line. If the unit cannot be read to its end, that is a fault of the line
    after the last one."""
    number = 0
    try:
        for block in blocks(unit):
            yield number, block
            number += block.count(b"\n") + 1
    except DAMAGED as error:
        result.faults.append((number, f"{CUT_OFF} ({type(error).__name__})"))


def _line_end(block: bytes, at: int) -> int:
    end = block.find(b"\n", at)
    return len(block) if end < 0 else end


def lines_of(block: bytes, patients: frozenset[bytes]) -> list[tuple[int, int]]:
    """Start and end of the lines that may belong to one of these patients; decoding will show whether they do."""
    places = [match.end() - 1 for match in _DECODED.finditer(block)]
    for mark in _MARKS:
        at = 0
        for part in block.split(mark):
            if at and _id_of(part) in patients:
                places.append(at)
            at += len(part) + len(mark)
    lines = {block.rfind(b"\n", 0, at) + 1 for at in places}
    return [(begin, _line_end(block, begin)) for begin in sorted(lines)]


def _id_of(part: bytes) -> bytes:
    """The id with which a part of a line begins."""
    return part[: part.find(b'"')].partition(b"/")[0]


def _take(line: bytes, patients: frozenset[str], buckets: int, found: dict[int, list[Piece]], result: Spilled) -> bool:
    """Keep a line for the patients it belongs to; False if it is not a resource."""
    resource = resource_in(line)
    if resource is None:
        return False
    for owner in sorted(owners_of(resource) & patients):
        found.setdefault(bucket_of(owner, buckets), []).append(Piece(owner, line))
        result.medications |= medications_of(resource)
    return True


def _write(found: dict[int, list[Piece]], result: Spilled) -> None:
    with result.path.open("wb") as file:
        for bucket, pieces in sorted(found.items()):
            content = msgspec.msgpack.encode(pieces)
            result.places[bucket] = (file.tell(), len(content))
            file.write(content)


def pieces_of(bucket: int, spilled: Iterable[Spilled]) -> Iterator[Piece]:
    """The lines of a bucket, in the order of the export."""
    for each in spilled:
        if bucket in each.places:
            begin, length = each.places[bucket]
            with each.path.open("rb") as file:
                file.seek(begin)
                yield from msgspec.msgpack.decode(file.read(length), type=list[Piece])


def with_ingredients(wanted: set[str], fetch: Callable[[frozenset[str]], dict[str, bytes]]) -> dict[str, bytes]:
    """Medications by id, with their ingredients; ``fetch`` returns the lines of those that are in the export."""
    kept: dict[str, bytes] = {}
    asked: set[str] = set()
    while more := frozenset(wanted - asked):
        asked |= more
        found = fetch(more)
        kept |= found
        parts = (resource for line in found.values() if (resource := resource_in(line)) is not None)
        wanted = {each for resource in parts for each in medications_of(resource)}
    return kept


def medications(unit: Unit, wanted: frozenset[str]) -> dict[str, bytes]:
    """The lines of these Medications in a unit, by id."""
    found: dict[str, bytes] = {}
    for block in readable(unit):
        found |= medications_in(block, wanted)
    return found


def medications_in(block: bytes, wanted: frozenset[str]) -> dict[str, bytes]:
    """The lines of these Medications in a block of lines, by id."""
    found = {}
    for line in lines_with(b'"Medication"', block):
        resource = resource_in(line)
        if resource is not None and resource["resourceType"] == "Medication" and str(resource.get("id")) in wanted:
            found[str(resource.get("id"))] = line.strip()
    return found
