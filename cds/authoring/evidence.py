"""Finds old evidence: what was not reviewed for 12 months, and what was written from memory and never checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cds.chart.words import said
from cds.knowledge.files import Folder
from cds.knowledge.shapes import ValueSetShape
from cds.knowledge.tree import Fault

DAYS = 365
"""For how many days the review of a source, or a judgement, remains valid."""
_JUDGED = "judgement"
_READ = ("SEEN", "DERIVED")


@dataclass(frozen=True)
class Recalled:
    """What was written from memory about one source: where it is in the rules, and the sentence to look for."""

    source: str
    citation: str
    url: str
    sentences: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        sentences = [{"where": where, "says": says} for where, says in self.sentences]
        return {"source": self.source, "citation": self.citation, "url": self.url, "sentences": sentences}


def recalled(every: Sequence[Folder]) -> list[Recalled]:
    """The worklist: by source, in the order of ``sources.yaml``, what has to be read there; ``every``: the rules under each protocol."""
    shapes = {key: shape for read in every for key, (_, shape) in read.sources.items()}
    found: dict[str, dict[tuple[str, str], None]] = {key: {} for key in shapes}
    for cite, basis, where, says in (fact for read in every for fact in _cited(read)):
        if basis == "RECALLED":
            found[cite][where, says] = None
    return [
        Recalled(key, shapes[key].citation, shapes[key].url, tuple(several))
        for key, several in found.items()
        if several
    ]


def not_looked_at(every: Sequence[Folder], today: date) -> list[Fault]:
    """Sources that facts were taken from, judgements and protocols, whose last date is over a year old, missing, or in the future."""
    used = {cite for read in every for cite, basis, _, _ in _cited(read) if basis in _READ}
    found = [
        fault
        for read in every
        for fault in (*_sources(read, used, today), *_judgements(read, today), *_protocol(read, today))
    ]
    return list({str(fault): fault for fault in found}.values())


def _sources(read: Folder, used: set[str], today: date) -> Iterator[Fault]:
    for key, (document, shape) in read.sources.items():
        if key in used and shape.kind != _JUDGED and (why := _old(shape.checked_on, today)):
            yield Fault(document.path, document.line(key), f"{key}: {why}")


def _judgements(read: Folder, today: date) -> Iterator[Fault]:
    """Numbers that rest on no source have a review date of their own; those of a protocol use the protocol's."""
    of_protocol = read.protocol[1].numbers if read.protocol is not None else {}
    for name, number in read.names.numbers.items():
        own = number.cite == _JUDGED and name in read.places and name not in of_protocol
        if own and (why := _old(_latest(number.valid_from, number.checked_on), today)):
            yield Fault(*read.places[name], f"{name}: {why}")


def _protocol(read: Folder, today: date) -> Iterator[Fault]:
    if read.protocol is not None:
        document, shape = read.protocol
        if why := _old(_latest(shape.valid_from, shape.checked_on), today):
            yield Fault(document.path, document.line("id"), f"{shape.id}: {why}")


def _latest(*days: date | None) -> date | None:
    return max((day for day in days if day is not None), default=None)


def _old(day: date | None, today: date) -> str:
    """Why a review date is not acceptable; empty if it is."""
    if day is None:
        return "nothing says when anybody looked at it; write checked_on: YYYY-MM-DD"
    if day > today:
        return f"{day.isoformat()} lies ahead"
    return f"not reviewed since {day.isoformat()}" if (today - day).days > DAYS else ""


def _cited(read: Folder) -> Iterator[tuple[str, str, str, str]]:
    """Every statement with a source: its source, its basis, where it is, and what it says."""
    for file in read.files:
        for citation in file.rule.citations:
            yield citation.cite, citation.basis, file.rule.id, citation.states
    for name, number in read.names.numbers.items():
        yield number.cite, number.basis, name, f"{said(number.value)} {number.unit}: {number.means}"
    for key, (_, reason) in read.withheld.items():
        yield reason.cite, reason.basis, key, reason.says
    for key, test in read.schedule.items():
        yield (
            test.cite,
            test.basis,
            f"schedule of {key}",
            f"{test.means}: baseline {test.baseline}, every {test.every} days",
        )
    for name, rows in read.protocol[1].tables.items() if read.protocol is not None else ():
        for row in rows:
            what = ", ".join(f"{key} {value}" for key, value in row.items() if key not in ("cite", "basis"))
            yield str(row["cite"]), str(row["basis"]), name, what
    for key, valueset in read.valuesets.items():
        for basis, says in _codes(valueset):
            yield valueset.cite, basis, f"value set {key}", says


def _codes(valueset: ValueSetShape) -> Iterator[tuple[str, str]]:
    """What a value set says about codes and names, each with its basis."""
    for code in valueset.codes:
        yield code.basis, f"{code.system} {code.code} is {code.display}"
    for begins in valueset.prefixes:
        yield begins.basis, f"{begins.system} {begins.prefix}... is {begins.display}"
    for named in valueset.names:
        yield named.basis, f"{len(named.words)} names of {named.display}, from '{named.words[0]}' on"
    for drug in valueset.drugs:
        yield drug.basis, f"the codes of {drug.name}"
        if drug.recalled_names:
            yield "RECALLED", f"{drug.name} is sold as {', '.join(drug.recalled_names)}"
