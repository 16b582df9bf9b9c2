"""Evidence does not grow old unseen: what nobody has looked at for 12 months, and what was never looked at but recalled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from cds.knowledge.files import Folder
from cds.knowledge.rules import shown
from cds.knowledge.shapes import NumberShape
from cds.knowledge.tree import Fault

DAYS = 365
"""For how long a look at a source, or a judgement, is enough."""
_JUDGED = "judgement"
_READ = ("SEEN", "DERIVED")


@dataclass(frozen=True)
class Recalled:
    """What was written down from memory of one source: where it stands in the rules, and the sentence to look for."""

    source: str
    citation: str
    url: str
    sentences: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        sentences = [{"where": where, "says": says} for where, says in self.sentences]
        return {"source": self.source, "citation": self.citation, "url": self.url, "sentences": sentences}


def recalled(read: Folder) -> list[Recalled]:
    """The worklist: by source, in the order of ``sources.yaml``, what somebody has to read there."""
    found: dict[str, dict[tuple[str, str], None]] = {key: {} for key in read.sources}
    for cite, basis, where, says in _cited(read):
        if basis == "RECALLED":
            found[cite][where, says] = None
    shapes = {key: shape for key, (_, shape) in read.sources.items()}
    return [Recalled(key, shapes[key].citation, shapes[key].url, tuple(said)) for key, said in found.items() if said]


def not_looked_at(read: Folder, today: date) -> list[Fault]:
    """Sources that facts were taken from, judgements and protocols, whose last date is over a year old, missing, or ahead."""
    return [*_sources(read, today), *_judgements(read, today), *_protocol(read, today)]


def _sources(read: Folder, today: date) -> Iterator[Fault]:
    used = {cite for cite, basis, _, _ in _cited(read) if basis in _READ}
    for key, (document, shape) in read.sources.items():
        if key in used and shape.kind != _JUDGED and (why := _old(shape.checked_on, today)):
            yield Fault(document.path, document.line(key), f"{key}: {why}")


def _judgements(read: Folder, today: date) -> Iterator[Fault]:
    """Numbers that rest on no source have a day of their own."""
    for name, number in read.names.numbers.items():
        own = number.cite == _JUDGED and name in read.places and _is_definition(read, name)
        if own and (why := _old(_latest(number.valid_from, number.checked_on), today)):
            yield Fault(*read.places[name], f"{name}: {why}")


def _protocol(read: Folder, today: date) -> Iterator[Fault]:
    if read.protocol is not None:
        document, shape = read.protocol
        if why := _old(_latest(shape.valid_from, shape.checked_on), today):
            yield Fault(document.path, document.line("id"), f"{shape.id}: {why}")


def _is_definition(read: Folder, name: str) -> bool:
    """The numbers of a protocol have the protocol's day."""
    return read.protocol is None or name not in read.protocol[1].numbers


def _latest(*days: date | None) -> date | None:
    return max((day for day in days if day is not None), default=None)


def _old(day: date | None, today: date) -> str:
    """Why a day is not enough; empty where it is."""
    if day is None:
        return "nothing says when anybody looked at it; write checked_on: YYYY-MM-DD"
    if day > today:
        return f"{day.isoformat()} lies ahead"
    return f"nobody has looked at it since {day.isoformat()}" if (today - day).days > DAYS else ""


def _cited(read: Folder) -> Iterator[tuple[str, str, str, str]]:
    """Every fact: its source, its basis, where it stands, and what it says."""
    for file in read.files:
        for citation in file.rule.citations:
            yield citation.cite, citation.basis, file.rule.id, citation.states
    for name, number in read.names.numbers.items():
        yield number.cite, number.basis, name, _said(number)
    for key, (_, reason) in read.withheld.items():
        yield reason.cite, reason.basis, key, reason.says
    for name, rows in read.protocol[1].tables.items() if read.protocol is not None else ():
        for row in rows:
            what = ", ".join(f"{key} {value}" for key, value in row.items() if key not in ("cite", "basis"))
            yield str(row["cite"]), str(row["basis"]), name, what


def _said(number: NumberShape) -> str:
    return f"{shown(number.value)} {number.unit}: {number.means}"
