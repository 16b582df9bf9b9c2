"""Value sets: which codes and names mean what, each code held against the form of its system."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from cds.knowledge.compiled import Concept
from cds.knowledge.shapes import CodeShape, DrugShape, ValueSetShape
from cds.knowledge.tree import Document, Fault

PRODUCTS = "valuesets/rxnorm_products.csv"
_COLUMNS = ("rxcui", "drug", "route", "strength")
_STRENGTH = re.compile(r"([0-9]+(\.[0-9]+)?(/mL)?)?")
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
SHORT = {uri: name for name, uris in SYSTEMS.items() for uri in uris}
_DOTTED = ("icd10", "icd9")
"""Some records write these without their dot."""
OURS = "urn:sirolimus-itp-cds"
"""Of what no other code system names."""
_OWN = re.compile(r"\S+(?: \S+)*")
"""A code of a system that is not known here: FHIR's own form of a code."""
_FORMS = {
    "loinc": re.compile(r"[0-9]{1,6}-[0-9]"),
    "snomed": re.compile(r"[1-9][0-9]{5,17}"),
    "icd10": re.compile(r"[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?"),
    "icd9": re.compile(r"[0-9]{3}(\.[0-9]{1,2})?"),
    "ucum": re.compile(r"\S+"),
    "rxnorm": re.compile(r"[1-9][0-9]{0,7}"),
    "atc": re.compile(r"[A-Z][0-9]{2}[A-Z]{2}[0-9]{2}"),
    "cvx": re.compile(r"[0-9]{2,3}"),
}


@dataclass
class ValueSets:
    """What the value sets say: by code, by a drug's name, and by a word where no code says it."""

    codes: dict[str, dict[str, tuple[Concept, ...]]] = field(default_factory=dict)
    names: dict[str, Concept] = field(default_factory=dict)
    words: dict[str, Concept] = field(default_factory=dict)
    drugs: dict[str, Concept] = field(default_factory=dict)
    _products: set[str] = field(default_factory=set)

    def add(self, system: str, code: str, concept: Concept) -> None:
        spellings = {code, code.replace(".", "")} if system in _DOTTED else {code}
        for uri in SYSTEMS.get(system, (system,)):
            of_system = self.codes.setdefault(uri, {})
            for each in sorted(spellings):
                of_system[each] = (*of_system.get(each, ()), concept)

    def take(self, document: Document, shape: ValueSetShape, faults: list[Fault]) -> None:
        """Add one value set; codes that cannot be codes of their system are faults."""
        for index, code in enumerate(shape.codes):
            if code.system in SHORT:  # under its address no form would be checked
                line = document.line("codes", index)
                faults.append(Fault(document.path, line, f"write '{SHORT[code.system]}' for {code.system}"))
            self._check(document, ("codes", index), code.system, [code.code], faults)
            self._code(shape.id, code)
        for index, drug in enumerate(shape.drugs):
            for system, several in (
                ("rxnorm", drug.rxnorm),
                ("atc", [*drug.atc, *drug.atc_not_oral]),
                ("cvx", drug.cvx),
            ):
                self._check(document, ("drugs", index), system, several, faults)
            self._drug(shape.id, drug)

    def _check(
        self, document: Document, place: tuple[str | int, ...], system: str, codes: Sequence[str], faults: list[Fault]
    ) -> None:
        for code in codes:
            if not well_formed(system, code):
                faults.append(Fault(document.path, document.line(*place), f"'{code}' is no code of {system}"))

    def _code(self, valueset: str, code: CodeShape) -> None:
        concept = Concept(valueset, code.name, display=code.display, rejected=code.rejected)
        self.add(code.system, code.code, concept)
        for word in code.words:
            self.words[word.lower()] = concept

    def _drug(self, valueset: str, drug: DrugShape) -> None:
        concept = self.drugs[drug.name] = Concept(valueset, drug.name)
        for rxcui in drug.rxnorm:
            self.add("rxnorm", rxcui, concept)
        for atc in drug.atc:
            self.add("atc", atc, concept)
        for cvx in drug.cvx:
            self.add("cvx", cvx, concept)
        for atc in drug.atc_not_oral:
            self.add("atc", atc, msgspec.structs.replace(concept, oral=False))
        for name in (drug.name, *drug.names):
            self.names[name.lower()] = concept

    def take_products(self, path: Path, shown: str, faults: list[Fault]) -> None:
        """Add the RxNorm products of the drugs that are known by now; a row takes the place of an earlier one of its code."""
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            faults.append(Fault(shown, 1, f"cannot be read ({type(error).__name__})"))
            return
        rows = csv.DictReader(text.splitlines())
        if lacking := [name for name in _COLUMNS if name not in (rows.fieldnames or ())]:
            faults.append(Fault(shown, 1, f"lacks the columns {', '.join(lacking)} (separated by commas)"))
            return
        rxnorm = self.codes.setdefault(SYSTEMS["rxnorm"][0], {})
        taken: dict[str, tuple[Concept, ...]] = {}
        for line, row in enumerate(rows, start=2):
            code, strength = row["rxcui"] or "", row["strength"] or ""
            if not well_formed("rxnorm", code):
                faults.append(Fault(shown, line, f"'{code}' is no code of rxnorm"))
            if not _STRENGTH.fullmatch(strength):
                faults.append(Fault(shown, line, f"'{strength}' is no strength; write 0.5, or 1/mL"))
            for name in (row["drug"] or "").split(";"):
                if name in self.drugs:
                    concept = msgspec.structs.replace(self.drugs[name], oral=row["route"] != "other", strength=strength)
                    taken[code] = (*taken.get(code, ()), concept)
        for code, meant in taken.items():
            kept = () if code in self._products else rxnorm.get(code, ())
            rxnorm[code] = (*kept, *meant)
        self._products |= taken.keys()


def well_formed(system: str, code: str) -> bool:
    """Whether ``code`` can be one of ``system``: its form and, for LOINC and SNOMED CT, its check digit.

    Of a system that is none of ours anything can be one that FHIR calls a code.
    """
    if not _FORMS.get(system, _OWN).fullmatch(code):
        return False
    if system == "loinc":
        number, _, check = code.partition("-")
        return _luhn(number) == int(check)
    return system != "snomed" or _verhoeff(code)


def _luhn(number: str) -> int:
    """The check digit of a LOINC number."""
    doubled = [int(digit) * 2 if place % 2 == 0 else int(digit) for place, digit in enumerate(reversed(number))]
    return (10 - sum(digit // 10 + digit % 10 for digit in doubled) % 10) % 10


_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _verhoeff(code: str) -> bool:
    """The check of a SNOMED CT identifier, in the dihedral group of ten elements."""
    check = 0
    for place, digit in enumerate(reversed(code)):
        value = int(digit)
        for _ in range(place % 8):
            value = _PERMUTATION[value]
        check = _times(check, value)
    return check == 0


def _times(one: int, other: int) -> int:
    if one < 5:
        return (one + other) % 5 if other < 5 else 5 + (one + other - 5) % 5
    return 5 + (one - 5 - other) % 5 if other < 5 else (one - other) % 5
