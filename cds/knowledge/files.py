"""Reads the files of a rules folder, one by one or key by key; and the result of reading a folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cds.compiled.knowledge import Knowledge, LabTest, Rule, Signature, Source
from cds.knowledge.layers import Layers
from cds.knowledge.reviews import FILE as REVIEWS
from cds.knowledge.rules import Names
from cds.knowledge.shapes import ProtocolShape, RuleShape, Shape, SourceShape, TestShape, ValueSetShape, shaped
from cds.knowledge.tree import Document, Fault, read
from cds.knowledge.withheld import WithheldShape


@dataclass
class RuleFile:
    """A rule with what only authors need: its cases and the places in its file."""

    document: Document
    shape: RuleShape
    rule: Rule


@dataclass
class Folder:
    """A rules folder as read: the knowledge if it is sound, and every fault found."""

    knowledge: Knowledge | None = None
    files: list[RuleFile] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    places: dict[str, tuple[str, int]] = field(default_factory=dict)  # file and line of each number and table row
    names: Names = field(default_factory=Names)  # what `{name}` may mean in a rule
    valuesets: dict[str, ValueSetShape] = field(default_factory=dict)  # as written, by id
    meanings: dict[str, str] = field(default_factory=dict)  # the hash of each rule's meaning, by id
    signatures: list[Signature] = field(default_factory=list)  # all of them, valid or not
    withheld: dict[str, tuple[Document, WithheldShape]] = field(default_factory=dict)  # as written, by id
    sources: dict[str, tuple[Document, SourceShape]] = field(default_factory=dict)  # as written, by key
    protocol: tuple[Document, ProtocolShape] | None = None  # as written
    schedule: dict[str, TestShape] = field(default_factory=dict)  # as written, by id


class Files:
    """Reads the files of a folder and of its overlays; faults are added to the result."""

    def __init__(self, layers: Layers, result: Folder) -> None:
        self.layers, self.result = layers, result
        self.rule_ids: set[str] = set()
        self.scheduled: dict[LabTest, Document] = {}  # with the file that defines it
        self.citations: dict[str, Any] = {}  # of the protocol, by name

    def _document(self, path: Path) -> Document | None:
        try:
            return read(path, self.layers.shown(path))
        except Fault as fault:
            self.result.faults.append(fault)
            return None

    def _one(self, path: Path, shape: type[Shape]) -> tuple[Document, Shape] | None:
        document = self._document(path)
        if document is None:
            return None
        value, faults = shaped(document, shape, self._with_protocol(document) if shape is RuleShape else None)
        self.result.faults += faults
        return (document, value) if value is not None else None

    def _with_protocol(self, document: Document) -> dict[str, Any]:
        """A rule in which each `- protocol: NAME` among the sources is replaced by what the protocol states."""
        value, sources = dict(document.value), document.value.get("sources")
        if not isinstance(sources, list):
            return value
        value["sources"] = []
        for index, each in enumerate(sources):
            name = each.get("protocol") if isinstance(each, dict) and set(each) == {"protocol"} else None
            if name is not None and name not in self.citations:
                known = ", ".join(self.citations) or "none"
                sentence = f"the protocol has no citation '{name}'; there is: {known}"
                self.result.faults.append(Fault(document.path, document.line("sources", index), sentence))
            else:
                value["sources"].append(self.citations[name] if name is not None else each)
        return value

    def _cite(self, document: Document, key: str, sources: dict[str, Source], *place: str | int) -> None:
        if key not in sources:
            self.result.faults.append(
                Fault(document.path, document.line(*place), f"source '{key}' is not in sources.yaml")
            )

    def _entries(self, name: str, shape: type[Shape], needed: bool = True) -> Iterator[tuple[str, Document, Shape]]:
        """The entries of a file that is read key by key, so that an overlay may replace a single one."""
        seen: set[str] = set()
        for path in self.layers.each(name):
            document = self._document(path) if needed or path.is_file() else None
            if document is not None and not isinstance(document.value, dict):
                self.result.faults.append(Fault(document.path, 1, "must be keys with their entries"))
                continue
            for key, value in (document.value if document else {}).items():
                assert document is not None
                entry, faults = shaped(document, shape, value, (key,))
                self.result.faults += [Fault(document.path, fault.line, f"{key}: {fault.message}") for fault in faults]
                if name != REVIEWS:  # a signature does not change any judgement
                    self.layers.note(path, key, key in seen)
                seen.add(key)
                if entry:
                    yield key, document, entry
