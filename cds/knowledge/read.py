"""A rules folder in, compiled :class:`Knowledge` and the authors' cases out."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import get_args

import msgspec

from cds.chart.drug_names import phrases_of
from cds.compiled.knowledge import (
    Knowledge,
    LabTest,
    Lexicon,
    Measure,
    Protocol,
    Reason,
    Rule,
    Signature,
    Source,
    Withheld,
)
from cds.knowledge.checks import check_rule, check_texts, check_yields
from cds.knowledge.classes import class_faults, classes_of, roles_of_none
from cds.knowledge.files import Files, Folder, RuleFile
from cds.knowledge.growth import FILE as GROWTH
from cds.knowledge.growth import read_growth
from cds.knowledge.layers import Layers
from cds.knowledge.measures import DOSE, MeasureShape, check_read, compile_measures
from cds.knowledge.measures import FILE as MEASURES
from cds.knowledge.rests import Rests, missing
from cds.knowledge.reviews import FILE as REVIEWS
from cds.knowledge.reviews import meanings, signed_off
from cds.knowledge.rules import Names, compile_rule
from cds.knowledge.shapes import (
    NumberShape,
    ProtocolShape,
    ReasonShape,
    RuleShape,
    SignaturesShape,
    SourceShape,
    Subject,
    TestShape,
    ValueSetShape,
)
from cds.knowledge.tree import Document, Fault
from cds.knowledge.valuesets import CONDITIONS, PRODUCTS, VALUE_SETS, ValueSets, well_formed
from cds.knowledge.vouched import NotVouched, check_vouched
from cds.knowledge.windows import windows_of, with_widest
from cds.knowledge.withheld import FILE as WITHHELD
from cds.knowledge.withheld import WithheldShape, compile_withheld
from cds.knowledge.words import read_words
from cds.vocabulary import VOCABULARY

SUBJECTS: tuple[str, ...] = get_args(Subject)
NO_RULES = ("protocols", "valuesets", "scenarios", "words")
REASON_SYSTEMS = {
    "hl7": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes",
    "ours": "urn:sirolimus-itp-cds:override-reason",
}


def read_folder(
    folder: Path, protocol_id: str = "", overlays: Sequence[Path] = (), signers: Path | None = None
) -> Folder:
    """Read and check ``folder`` with its overlays; nothing is raised, every fault is in the result.

    Without ``protocol_id`` the default protocol is used. With ``signers``, a file of OpenSSH's
    allowed signers, every ``reviews.yaml`` must be signed by one of their keys.
    """
    result = Folder()
    layers = Layers(folder, overlays)
    _read_into(result, layers, protocol_id, signers)
    result.faults = [layers.without_content(fault) for fault in result.faults]
    return result


def _read_into(result: Folder, layers: Layers, protocol_id: str, signers: Path | None) -> None:
    for each in layers.folders:
        if not each.is_dir():
            result.faults.append(Fault(str(each), 1, "is not a folder of rules"))
            return
    reader = _Reader(layers, result)
    for path in (*reader.layers.files("*/*.yml"), *reader.layers.files("scenarios/*/*.yml")):
        if path.parent.name in (*SUBJECTS, *NO_RULES):  # otherwise its author would think that it is read
            sentence = "is not read: the name of a rule file ends in .yaml"
            result.faults.append(Fault(reader.layers.shown(path), 1, sentence))
    sources = reader.sources()
    definitions = reader.definitions(sources)
    protocol, numbers = reader.protocol(protocol_id, sources)
    if protocol is None:
        return
    for name in sorted(definitions.keys() & numbers.keys()):
        sentence = f"'{name}' is a definition and a number of the protocol; {{{name}}} would mean either"
        result.faults.append(Fault(layers.folders[0].name, 1, sentence))
    names = Names({**definitions, **numbers}, protocol.tables, reader.reasons(), reader.schedule(sources))
    result.names = names
    for name in sorted(VOCABULARY.keys() & names.numbers.keys()):
        result.faults.append(
            Fault(layers.folders[0].name, 1, f"'{name}' names a fact and a number; {{{name}}} would mean either")
        )
    rules = reader.rules(names, sources)
    valuesets = reader.valuesets(sources, definitions)
    lexicon = read_words(reader.layers, result.faults)
    measures = reader.measures(definitions, valuesets, lexicon)
    if DOSE in measures:
        lexicon = msgspec.structs.replace(lexicon, dose=measures.pop(DOSE).units)
    withheld = reader.withheld(names, sources)
    heavy = reader.growth()
    documents = {file.rule.id: file.document for file in result.files}
    check_yields([file.rule for file in result.files], documents, reader.rule_ids, result.faults)
    result.signatures = reader.signatures({file.rule.id: file.rule for file in result.files})
    if signers is not None:
        reader.vouched(signers)
    if not result.faults:
        knowledge = sealed(
            Knowledge(
                hash="",
                rules=tuple(sorted(rules, key=lambda rule: (rule.priority, rule.id))),
                protocol=Protocol(
                    protocol.id,
                    protocol.title,
                    windows_of(protocol.tables),
                    {name: number.value for name, number in numbers.items()},
                    tuple(protocol.diagnoses),
                    protocol.note,
                    protocol.note_of,
                    bool(protocol.tables.get("taper")),
                ),
                definitions={name: number.value for name, number in definitions.items()},
                sources=sources,
                codes=valuesets.codes,
                names=valuesets.names,
                phrases=phrases_of(valuesets.names),
                words=valuesets.words,
                prefixes=valuesets.prefixes,
                problems=valuesets.problems,
                endings=valuesets.endings,
                unlike=valuesets.unlike,
                near=frozenset(valuesets.near.get("snomed", ())),
                lexicon=lexicon,
                measures=measures,
                classes=classes_of(result.valuesets),
                withheld=withheld,
                heavy=heavy,
                tests=tuple(names.tests.values()),
                changes=tuple(reader.layers.changes),
            )
        )
        rests = Rests(knowledge)
        lacking = missing(rests) if _IS_WHOLE in result.valuesets else []
        result.faults += [Fault(layers.folders[0].name, 1, sentence) for sentence in lacking]
    if not result.faults:
        result.meanings = meanings(rests)
        result.knowledge = signed_off(knowledge, result.signatures, result.meanings)
        for file in result.files:
            file.rule = result.knowledge.rule(file.rule.id)


def sealed(knowledge: Knowledge) -> Knowledge:
    """``knowledge`` with the hash of its meaning: what it would decide and say, not cases or reviews."""
    meaning = msgspec.json.encode(msgspec.structs.replace(knowledge, hash="", changes=()), order="sorted")
    return msgspec.structs.replace(knowledge, hash=sha256(meaning).hexdigest())


_STEPS = ("solution_step", "tablet_step")
_IS_WHOLE = "sirolimus"
"""A folder without this value set is not used to judge charts, and need not hold everything that facts read."""


class _Reader(Files):
    """Every kind of file of the folder, one after the other."""

    def sources(self) -> dict[str, Source]:
        found: dict[str, Source] = {}
        for key, document, entry in self._entries("sources.yaml", SourceShape):
            assert isinstance(entry, SourceShape)
            self.result.sources[key] = document, entry
            found[key] = Source(key, entry.citation, entry.url, entry.kind, entry.short)
        return found

    def reasons(self) -> dict[str, Reason]:
        """The reasons for which a card may be set aside. A folder without that file has none."""
        found: dict[str, Reason] = {}
        for key, _, entry in self._entries("override-reasons.yaml", ReasonShape, needed=False):
            assert isinstance(entry, ReasonShape)
            found[key] = Reason(key, REASON_SYSTEMS[entry.system], entry.display)
        return found

    def signatures(self, rules: dict[str, Rule]) -> list[Signature]:
        """Every signature. A folder without that file has none; those of an overlay are added to the others."""
        found = []
        for key, document, entry in self._entries(REVIEWS, SignaturesShape, needed=False):
            assert isinstance(entry, SignaturesShape)
            found += [
                Signature(key, each.protocol, each.meaning, each.by, each.role, each.on) for each in entry.signatures
            ]
            said = None
            if key not in self.rule_ids:
                said = f"there is no rule '{key}'"
            elif key in rules and any(citation.basis == "RECALLED" for citation in rules[key].citations):
                said = f"'{key}' rests on recalled knowledge and cannot be signed"
            if said is not None:
                self.result.faults.append(Fault(document.path, document.line(key), said))
        return found

    def vouched(self, signers: Path) -> None:
        """Each reviews.yaml must bear the signature of a key among ``signers``."""
        for path in self.layers.each(REVIEWS):
            if path.is_file():
                try:
                    check_vouched(path, signers)
                except NotVouched as why:
                    self.result.faults.append(Fault(self.layers.shown(path), 1, str(why)))

    def definitions(self, sources: dict[str, Source]) -> dict[str, NumberShape]:
        found: dict[str, NumberShape] = {}
        for key, document, entry in self._entries("definitions.yaml", NumberShape):
            assert isinstance(entry, NumberShape)
            self._cite(document, entry.cite, sources, key)
            if key in _STEPS and entry.value <= 0:
                sentence = f"{key}: must be above 0, for doses are counted in it"
                self.result.faults.append(Fault(document.path, document.line(key), sentence))
            if key in found and found[key].unit != entry.unit:
                sentence = f"{key}: is in {found[key].unit} here, not in {entry.unit}"
                self.result.faults.append(Fault(document.path, document.line(key), sentence))
            found[key] = entry
            self.result.places[key] = (document.path, document.line(key))
        return found

    def schedule(self, sources: dict[str, Source]) -> dict[str, LabTest]:
        """The tests that are watched. A folder without that file watches none."""
        found: dict[str, LabTest] = {}
        for key, document, entry in self._entries("schedule.yaml", TestShape, needed=False):
            assert isinstance(entry, TestShape)
            self.result.schedule[key] = entry
            self._cite(document, entry.cite, sources, key)
            if not well_formed("loinc", entry.loinc):
                self.result.faults.append(
                    Fault(document.path, document.line(key), f"'{entry.loinc}' is no code of loinc")
                )
            found[key] = LabTest(
                key, entry.means, entry.loinc, entry.display, tuple(entry.seen_by), entry.baseline, tuple(entry.every)
            )
            self.scheduled[found[key]] = document
        return found

    def measures(self, definitions: dict[str, NumberShape], found: ValueSets, lexicon: Lexicon) -> dict[str, Measure]:
        """The tests that are read."""
        entries: dict[str, tuple[Document, MeasureShape]] = {}
        for key, document, entry in self._entries(MEASURES, MeasureShape):
            assert isinstance(entry, MeasureShape)
            entries[key] = (document, entry)
        faults = self.result.faults
        if _IS_WHOLE not in self.result.valuesets:
            return compile_measures(entries, definitions, entries, lexicon.specimens, faults)
        measures = compile_measures(entries, definitions, found.meant, lexicon.specimens, faults)
        check_read(measures, self.layers.shown(self.layers.each(MEASURES)[-1]), faults)
        return measures

    def protocol(
        self, protocol_id: str, sources: dict[str, Source]
    ) -> tuple[ProtocolShape | None, dict[str, NumberShape]]:
        files = {path.stem: path for path in self.layers.files("protocols/*.yaml")}
        path = files.get(protocol_id) if protocol_id else self._default(list(files.values()))
        if path is None:
            shown = f"{self.layers.folders[0].name}/protocols"
            named = f"there is no protocol '{protocol_id}'" if protocol_id else "no protocol says 'default: true'"
            known = ", ".join(files) or "none"
            self.result.faults.append(Fault(shown, 1, f"{named}; there is: {known}"))
            return None, {}
        read_as = self._one(path, ProtocolShape)
        if read_as is None:
            return None, {}
        document, shape = read_as
        assert isinstance(shape, ProtocolShape)
        self.result.protocol = document, shape
        for name, number in shape.numbers.items():
            self._cite(document, number.cite, sources, "numbers", name)
            self.result.places[name] = (document.path, document.line("numbers", name))
        for name, citation in shape.citations.items():
            self._cite(document, citation.cite, sources, "citations", name)
        self.citations = {name: citation.model_dump() for name, citation in shape.citations.items()}
        for name, rows in shape.tables.items():
            for index, row in enumerate(rows):
                self._cite(document, str(row.get("cite", "")), sources, "tables", name, index)
                self.result.places[f"{name} {index}"] = (document.path, document.line("tables", name, index))
        shape = shape.model_copy(update={"tables": with_widest(shape.tables)})
        return shape, dict(shape.numbers)

    def withheld(self, names: Names, sources: dict[str, Source]) -> tuple[Withheld, ...]:
        """The reasons that withhold a rise. A folder without that file has none."""
        found: dict[str, Withheld] = {}
        for key, document, entry in self._entries(WITHHELD, WithheldShape, needed=False):
            assert isinstance(entry, WithheldShape)
            self._cite(document, entry.cite, sources, key)
            self.result.withheld[key] = (document, entry)
            found[key] = compile_withheld(key, document, entry, names, self.result.faults)
        return tuple(found.values())

    def growth(self) -> dict[str, tuple[Decimal, ...]]:
        """How heavy a heavy child is: the topmost file of that name."""
        *below, path = self.layers.each(GROWTH)
        if below:
            self.layers.note(path, "rows", replaces=True)
        return read_growth(path, self.layers.shown(path), self.result.faults)

    def _default(self, files: Sequence[Path]) -> Path | None:
        """The only protocol, or the one marked as the default; if several are, that of the topmost folder."""
        chosen = files[0] if len(files) == 1 else None
        for folder in self.layers.folders:
            for path in (path for path in files if path.is_relative_to(folder)):
                document = self._document(path)
                chosen = path if document is not None and document.value.get("default") is True else chosen
        return chosen

    def rules(self, names: Names, sources: dict[str, Source]) -> list[Rule]:
        rules: dict[str, Rule] = {}
        for path in self.layers.files("*/*.yaml"):
            if path.parent.name in NO_RULES:
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

    def valuesets(self, sources: dict[str, Source], definitions: dict[str, NumberShape]) -> ValueSets:
        found = ValueSets()
        for path in self.layers.files("valuesets/*.yaml"):
            read_as = self._one(path, ValueSetShape)
            if read_as is None:
                continue
            document, shape = read_as
            assert isinstance(shape, ValueSetShape)
            self._cite(document, shape.cite, sources, "cite")
            if shape.id not in VALUE_SETS and not shape.roles:
                near = get_close_matches(shape.id, sorted(VALUE_SETS), 1)
                hint = f"; did you mean '{near[0]}'?" if near else ""
                sentence = f"nothing reads a value set '{shape.id}'{hint}"
                self.result.faults.append(Fault(document.path, document.line("id"), sentence))
            said = class_faults(shape, self.layers.below(path), definitions)
            self.result.faults += [Fault(document.path, document.line("roles"), each) for each in said]
            self.result.valuesets[shape.id] = shape
            self.result.places[f"near {shape.id}"] = (document.path, document.line("near"))
            found.take(document, shape, self.result.faults)
        if _IS_WHOLE in self.result.valuesets:
            place = f"{self.layers.folders[0].name}/valuesets"
            self.result.faults += [Fault(place, 1, each) for each in roles_of_none(self.result.valuesets)]
        for name, take in ((PRODUCTS, found.take_products), (CONDITIONS, found.take_conditions)):
            for number, path in enumerate(self.layers.each(name)):
                if number:
                    self.layers.note(path, "rows", replaces=False)
                if path.is_file():
                    take(path, self.layers.shown(path), self.result.faults)
        meant = found.meant
        for test, document in self.scheduled.items():
            for name in test.seen_by:
                if name not in meant:
                    self.result.faults.append(
                        Fault(document.path, document.line(test.id), f"{test.id}: no value set knows a result '{name}'")
                    )
        return found
