"""Which patients are judged: all with a line that may be about oral sirolimus. None is missed; those chosen in vain are found when judged.

Sirolimus is recognised by a code, which is a whole JSON string, or by a name in a text, compared in lower case. In a line of ASCII
without escapes both appear literally, so that one regular expression finds them. Other lines about a medication, and all lines with
an escaped character, are decoded, and each of their texts is given to the function that reads drug names in charts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import re2

from cds.chart.drug_names import named_in
from cds.compiled.knowledge import Knowledge
from cds.population.export import Unit, readable
from cds.population.owners import (
    medication_in,
    medications_of,
    owners_of,
    references_in,
    resource_in,
    strings_in,
)

_SUBJECT = "sirolimus"
ESCAPE = rb"\u"
"""The start of an escaped character in JSON."""
_PARTS = b"itemReference"
_ID = re.compile(rb"(?:Medication/|urn:uuid:)([A-Za-z0-9.-]{1,64})")
_ASCII = 0x80


class Found(msgspec.Struct):
    """What was found in a unit: ids of patients; Medications that may be sirolimus; and the ingredients of each Medication."""

    patients: set[str]
    medications: set[str]
    parts: dict[str, set[str]]


class Filter:
    """Finds the lines that may be about sirolimus, according to one knowledge."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._codes = frozenset(
            code
            for of_system in knowledge.codes.values()
            for code, meant in of_system.items()
            if any(each.valueset == _SUBJECT for each in meant)
        )
        options = re2.Options()
        options.encoding, options.log_errors = re2.Options.Encoding.LATIN1, False
        self._fast = re2.compile(self._expression(), options)

    def _expression(self) -> bytes:
        names = (name for name, meant in self._knowledge.names.items() if meant.valueset == _SUBJECT and name.isascii())
        words, codes = ("|".join(sorted(map(re.escape, each))) for each in (names, self._codes))
        return f'(?i:{words})|"(?:{codes})"|'.encode() + _PARTS + rb"|\\u|[\x80-\xff]"

    def lines(self, block: bytes) -> Iterator[bytes]:
        """The lines of a block that may be about sirolimus, or that give the ingredients of a Medication; each once."""
        at = 0
        while (match := self._fast.search(block, at)) is not None:
            end = block.find(b"\n", match.start())
            end = len(block) if end < 0 else end
            line = block[block.rfind(b"\n", 0, match.start()) + 1 : end]
            if _is_word(match.group()) or _PARTS in line or self._may_be(line):
                yield line
            at = end

    def is_ours(self, line: bytes) -> bool:
        """Whether a line may be about sirolimus."""
        return any(_is_word(match.group()) for match in self._fast.finditer(line)) or self._may_be(line)

    def _may_be(self, line: bytes) -> bool:
        """Whether a line that is not plain ASCII may be about sirolimus."""
        if any(_is_word(match.group()) for match in self._fast.finditer(line)):
            return True
        if b"Medication" not in line and ESCAPE not in line:
            return False  # the type of a resource is ASCII, unless it is escaped
        resource = resource_in(line)
        return resource is not None and any(map(self._names_it, strings_in(resource)))

    def _names_it(self, text: str) -> bool:
        return text in self._codes or any(
            each.valueset == _SUBJECT for each in named_in(text, self._knowledge, whole=True)
        )


def _is_word(match: bytes) -> bool:
    """Whether the expression found a code or a name, and not a character that could hide one."""
    return match not in (ESCAPE, _PARTS) and match[0] < _ASCII


def choose(unit: Unit, filtered: Filter) -> Found:
    """What one unit says about who may take sirolimus."""
    found = Found(set(), set(), {})
    for block in readable(unit):
        choose_block(block, filtered, found)
    return found


def choose_block(block: bytes, filtered: Filter, found: Found) -> None:
    """Note what a block of lines says about who may take sirolimus."""
    for line in filtered.lines(block):
        resource = resource_in(line)  # lines that cannot be read are reported when lines are gathered
        if resource is not None and (_PARTS not in line or filtered.is_ours(line)):
            _note(resource, found)
        if resource is not None and (_PARTS in line or ESCAPE in line):
            _note_parts(resource, found)


def lines_with(word: bytes, block: bytes) -> Iterator[bytes]:
    """The lines that contain a word, or an escaped character that may hide it."""
    if word in block or ESCAPE in block:
        yield from (line for line in block.split(b"\n") if word in line or ESCAPE in line)


def _note(resource: dict[str, Any], found: Found) -> None:
    """Note the patients of a resource that may be about sirolimus."""
    if resource["resourceType"] == "Medication":
        found.medications.add(str(resource.get("id")))
    found.patients |= owners_of(resource)


def _note_parts(resource: dict[str, Any], found: Found) -> None:
    """Note the Medications that are ingredients of a Medication."""
    if resource["resourceType"] == "Medication":
        ids = {medication_in(each) for each in references_in(resource, "itemReference")}
        found.parts.setdefault(str(resource.get("id")), set()).update(ids)


def with_parts(found: Iterable[Found]) -> frozenset[str]:
    """The Medications of all units that may be sirolimus, by themselves or by an ingredient."""
    everything = list(found)
    medications = {each for one in everything for each in one.medications}
    parts: dict[str, set[str]] = {}
    for name, ids in ((name, ids) for one in everything for name, ids in one.parts.items()):
        parts.setdefault(name, set()).update(ids)
    while more := {name for name, ids in parts.items() if name not in medications and ids & medications}:
        medications |= more
    return frozenset(medications)


def pointing(unit: Unit, medications: frozenset[str]) -> set[str]:
    """The patients whose lines point to one of these Medications."""
    return set().union(*(pointing_block(block, medications) for block in readable(unit)))


def pointing_block(block: bytes, medications: frozenset[str]) -> set[str]:
    """The patients of a block of lines that point to one of these Medications."""
    found: set[str] = set()
    for line in lines_with(b"medicationReference", block):
        if ESCAPE in line or any(each.decode() in medications for each in _ID.findall(line.replace(rb"\/", b"/"))):
            resource = resource_in(line)
            if resource is not None and medications.intersection(medications_of(resource)):
                found |= owners_of(resource)
    return found
