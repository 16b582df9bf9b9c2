"""A rules folder in, compiled :class:`Knowledge` and the authors' cases out."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import msgspec

from cds.knowledge.checks import check_rule, check_texts, check_yields
from cds.knowledge.compiled import Concept, Knowledge, Protocol, Reason, Rule, Source, Window
from cds.knowledge.rules import Names, compile_rule
from cds.knowledge.shapes import (
    NumberShape,
    ProtocolShape,
    ReasonShape,
    RuleShape,
    Shape,
    SourceShape,
    ValueSetShape,
    shaped,
)
from cds.knowledge.tree import Document, Fault, read
from cds.vocabulary import VOCABULARY

SUBJECTS = ("dosing", "trough", "response", "interactions", "safety", "monitoring")
DEFAULT_PROTOCOL = "seed-2024"
PRODUCTS = "valuesets/rxnorm_products.csv"
# how else a system is spelt, with an OID or a slash, is known where records are read (cds.chart.medications)
SYSTEMS = {
    "loinc": ("http://loinc.org",),
    "snomed": ("http://snomed.info/sct",),
    "icd10": ("http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10"),
    "icd9": ("http://hl7.org/fhir/sid/icd-9-cm",),
    "ucum": ("http://unitsofmeasure.org",),
    "rxnorm": ("http://www.nlm.nih.gov/research/umls/rxnorm",),
    "atc": ("http://www.whocc.no/atc",),
    "cvx": ("http://hl7.org/fhir/sid/cvx",),
}
REASON_SYSTEMS = {
    "hl7": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes",
    "ours": "urn:sirolimus-itp-cds:override-reason",
}


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
    numbers: dict[str, NumberShape] = field(default_factory=dict)


def read_folder(folder: Path, protocol_id: str = DEFAULT_PROTOCOL) -> Folder:
    """Read and check ``folder``; nothing is raised, every fault is in the answer."""
    result = Folder()
    reader = _Reader(folder, result)
    if not folder.is_dir():
        result.faults.append(Fault(str(folder), 1, "is not a folder of rules"))
        return result
    sources = reader.sources()
    definitions = reader.numbers("definitions.yaml", sources)
    protocol, numbers = reader.protocol(protocol_id, sources)
    if protocol is None:
        return result
    result.numbers = {**definitions, **numbers}
    for name in sorted(VOCABULARY.keys() & result.numbers.keys()):
        result.faults.append(Fault(folder.name, 1, f"'{name}' names a fact and a number; {{{name}}} would mean either"))
    names = Names(result.numbers, protocol.tables, reader.reasons())
    rules = reader.rules(names, sources)
    codes, drug_names = reader.valuesets(sources)
    documents = {file.rule.id: file.document for file in result.files}
    check_yields([file.rule for file in result.files], documents, reader.rule_ids, result.faults)
    if not result.faults:
        windows = tuple(
            Window(str(row["age_group"]), str(row["phase"]), Decimal(row["low"]), Decimal(row["high"]))
            for row in protocol.tables.get("dose_windows", [])
        )
        result.knowledge = sealed(
            Knowledge(
                hash="",
                rules=tuple(sorted(rules, key=lambda rule: (rule.priority, rule.id))),
                protocol=Protocol(
                    protocol.id, protocol.title, windows, {name: number.value for name, number in numbers.items()}
                ),
                definitions={name: number.value for name, number in definitions.items()},
                sources=sources,
                codes=codes,
                names=drug_names,
                phrases=tuple(sorted(name for name in drug_names if " " in name or not name.isascii())),
            )
        )
    return result


def sealed(knowledge: Knowledge) -> Knowledge:
    """``knowledge`` with the hash of its meaning: what it would decide and say, not cases or reviews."""
    from hashlib import sha256

    meaning = msgspec.json.encode(msgspec.structs.replace(knowledge, hash=""), order="sorted")
    return msgspec.structs.replace(knowledge, hash=sha256(meaning).hexdigest()[:16])


class _Reader:
    def __init__(self, folder: Path, result: Folder) -> None:
        self.folder, self.result = folder, result
        self.rule_ids: set[str] = set()

    def _document(self, path: Path) -> Document | None:
        shown = f"{self.folder.name}/{path.relative_to(self.folder).as_posix()}"
        try:
            return read(path, shown)
        except Fault as fault:
            self.result.faults.append(fault)
            return None

    def _one(self, path: Path, shape: type[Shape]) -> tuple[Document, Shape] | None:
        document = self._document(path)
        if document is None:
            return None
        value, faults = shaped(document, shape)
        self.result.faults += faults
        return (document, value) if value is not None else None

    def _cite(self, document: Document, key: str, sources: dict[str, Source], *place: str | int) -> None:
        if key not in sources:
            self.result.faults.append(
                Fault(document.path, document.line(*place), f"source '{key}' is not in sources.yaml")
            )

    def sources(self) -> dict[str, Source]:
        document = self._document(self.folder / "sources.yaml")
        found: dict[str, Source] = {}
        for key, value in (document.value if document else {}).items():
            assert document is not None
            entry, faults = shaped(document, SourceShape, value)
            self.result.faults += [
                Fault(document.path, document.line(key), f"{key}: {fault.message}") for fault in faults
            ]
            if entry:
                found[key] = Source(key, entry.citation, entry.url, entry.kind)
        return found

    def reasons(self) -> dict[str, Reason]:
        """Why a card may be set aside. A folder without that file has no such reasons."""
        path = self.folder / "override-reasons.yaml"
        document = self._document(path) if path.is_file() else None
        found: dict[str, Reason] = {}
        for key, value in (document.value if document else {}).items():
            assert document is not None
            entry, faults = shaped(document, ReasonShape, value)
            self.result.faults += [
                Fault(document.path, document.line(key), f"{key}: {fault.message}") for fault in faults
            ]
            if entry:
                found[key] = Reason(key, REASON_SYSTEMS[entry.system], entry.display)
        return found

    def numbers(self, name: str, sources: dict[str, Source]) -> dict[str, NumberShape]:
        document = self._document(self.folder / name)
        found: dict[str, NumberShape] = {}
        for key, value in (document.value if document else {}).items():
            assert document is not None
            entry, faults = shaped(document, NumberShape, value)
            self.result.faults += [
                Fault(document.path, document.line(key), f"{key}: {fault.message}") for fault in faults
            ]
            if entry:
                self._cite(document, entry.cite, sources, key)
                found[key] = entry
        return found

    def protocol(
        self, protocol_id: str, sources: dict[str, Source]
    ) -> tuple[ProtocolShape | None, dict[str, NumberShape]]:
        path = self.folder / "protocols" / f"{protocol_id}.yaml"
        if not path.is_file():
            known = ", ".join(sorted(file.stem for file in (self.folder / "protocols").glob("*.yaml"))) or "none"
            shown = f"{self.folder.name}/protocols"
            self.result.faults.append(Fault(shown, 1, f"there is no protocol '{protocol_id}'; there is: {known}"))
            return None, {}
        read_as = self._one(path, ProtocolShape)
        if read_as is None:
            return None, {}
        document, shape = read_as
        assert isinstance(shape, ProtocolShape)
        for name, number in shape.numbers.items():
            self._cite(document, number.cite, sources, "numbers", name)
        for name, rows in shape.tables.items():
            for index, row in enumerate(rows):
                self._cite(document, str(row.get("cite", "")), sources, "tables", name, index)
        return shape, dict(shape.numbers)

    def rules(self, names: Names, sources: dict[str, Source]) -> list[Rule]:
        rules: dict[str, Rule] = {}
        for path in sorted(self.folder.glob("*/*.yaml")):
            if path.parent.name in ("protocols", "valuesets", "scenarios"):
                continue
            read_as = self._one(path, RuleShape)
            if read_as is None:
                continue
            document, shape = read_as
            assert isinstance(shape, RuleShape)
            self.rule_ids.add(shape.id)
            before = len(self.result.faults)
            check_texts(document, shape, sources, self.result.faults, path.parent.name, SUBJECTS, path.stem)
            rule = compile_rule(document, shape, path.parent.name, names, self.result.faults)
            if shape.id in rules:
                self.result.faults.append(
                    Fault(document.path, document.line("id"), f"rule '{shape.id}' is defined twice")
                )
            if rule is not None and len(self.result.faults) == before:
                check_rule(document, shape, rule, names, self.result.faults)
                rules[rule.id] = rule
                self.result.files.append(RuleFile(document, shape, rule))
        return list(rules.values())

    def valuesets(
        self, sources: dict[str, Source]
    ) -> tuple[dict[str, dict[str, tuple[Concept, ...]]], dict[str, Concept]]:
        codes: dict[str, dict[str, tuple[Concept, ...]]] = {}
        names: dict[str, Concept] = {}
        drugs: dict[str, Concept] = {}

        def add(system: str, code: str, concept: Concept) -> None:
            for uri in SYSTEMS[system]:
                of_system = codes.setdefault(uri, {})
                of_system[code] = (*of_system.get(code, ()), concept)

        for path in sorted((self.folder / "valuesets").glob("*.yaml")):
            read_as = self._one(path, ValueSetShape)
            if read_as is None:
                continue
            document, shape = read_as
            assert isinstance(shape, ValueSetShape)
            self._cite(document, shape.cite, sources, "cite")
            for code in shape.codes:
                add(code.system, code.code, Concept(shape.id, code.name, display=code.display, rejected=code.rejected))
            for drug in shape.drugs:
                concept = drugs[drug.name] = Concept(shape.id, drug.name)
                for rxcui in drug.rxnorm:
                    add("rxnorm", rxcui, concept)
                for atc in drug.atc:
                    add("atc", atc, concept)
                for cvx in drug.cvx:
                    add("cvx", cvx, concept)
                for atc in drug.atc_not_oral:
                    add("atc", atc, msgspec.structs.replace(concept, oral=False))
                for name in (drug.name, *drug.names):
                    names[name.lower()] = concept
        self._products(drugs, add)
        return codes, names

    def _products(self, drugs: dict[str, Concept], add: object) -> None:
        path = self.folder / PRODUCTS
        if not path.is_file():
            return
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                for name in row["drug"].split(";"):
                    if name in drugs:
                        oral = row["route"] != "other"
                        add(
                            "rxnorm",
                            row["rxcui"],
                            msgspec.structs.replace(drugs[name], oral=oral, strength=row["strength"]),
                        )  # type: ignore[operator]
