"""Value sets: which codes and names mean what, with each code checked against the format of its system."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import msgspec

from cds.compiled.knowledge import Concept
from cds.compiled.systems import ICD, SHORT, SYSTEMS, plain_icd, plain_name, written_out
from cds.facts import PLAN
from cds.knowledge.shapes import CodeShape, DrugShape, PrefixShape, ValueSetShape
from cds.knowledge.tree import Document, Fault

READ_INTO_CHART = frozenset(
    (
        "angioedema", "bleeding", "bleeding-grade", "body-size", "harm", "hepatitis-b", "itp", "laboratory", "malignancy", "other-indication", "panel",
        "platelets", "pregnancy", "procedures", "screening", "secondary-itp", "thrombosis", "treg",
    )
)  # fmt: skip
"""Value sets of what a chart always holds, whatever the facts need: conditions, procedures and results."""
_BY_ROLE = ("immunosuppressant", "platelet-stimulator")
VALUE_SETS = READ_INTO_CHART.union(
    _BY_ROLE,
    (name for door in PLAN.doors.values() for kind, name in door.reads if kind == "valueset"),
)
"""Every value set that is read by its name. One that is not read by name and has no role would have no effect."""

PRODUCTS = "valuesets/rxnorm_products.csv"
_COLUMNS = ("rxcui", "drug", "route", "strength")
CONDITIONS = "valuesets/condition_codes.csv"
_CONDITION_COLUMNS = ("valueset", "name", "system", "code", "display", "basis", "also")
_STRENGTH = re.compile(r"([0-9]+(\.[0-9]+)?(/mL)?)?")
_OWN = re.compile(r"\S+(?: \S+)*")
"""A code of a system that is not known here: FHIR's own form of a code."""
_PREFIX = re.compile(r"[A-Z]([0-9]([0-9A-Z](\.([0-9A-Z]{1,4})?)?)?)?")
_PREFIX_11 = re.compile(r"[0-9A-Z]([0-9A-Z]([0-9A-Z]([0-9A-Z](\.[0-9A-Z]{1,2})?)?)?)?")
_FORMS = {
    "loinc": re.compile(r"[0-9]{1,6}-[0-9]"),
    "snomed": re.compile(r"[1-9][0-9]{5,17}"),
    **dict.fromkeys(("icd10", "icd10cm", "icd10who", "icd10gm"), re.compile(r"[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?")),
    "icd11": re.compile(r"[0-9A-Z]{2}[0-9A-Z]{2}(\.[0-9A-Z]{1,2})?"),
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
    prefixes: dict[str, dict[str, tuple[tuple[Concept, tuple[str, ...]], ...]]] = field(default_factory=dict)
    problems: dict[str, tuple[Concept, ...]] = field(default_factory=dict)
    endings: dict[str, Concept] = field(default_factory=dict)
    unlike: dict[str, Concept] = field(default_factory=dict)
    near: dict[str, set[str]] = field(default_factory=dict)
    _products: set[str] = field(default_factory=set)

    def add(self, system: str, code: str, concept: Concept) -> None:
        spellings = {code, plain_icd(code)} if system in ICD else {code}
        for uri in SYSTEMS.get(system, (system,)):
            of_system = self.codes.setdefault(uri, {})
            for each in sorted(spellings):
                of_system[each] = (*of_system.get(each, ()), concept)

    def take(self, document: Document, shape: ValueSetShape, faults: list[Fault]) -> None:
        """Add one value set; codes that cannot be codes of their system are faults."""
        for index, code in enumerate(shape.codes):
            if code.system in SHORT:  # under its address the format would not be checked
                line = document.line("codes", index)
                faults.append(Fault(document.path, line, f"write '{SHORT[code.system]}' for {code.system}"))
            self._check(document, ("codes", index), code.system, [code.code], faults)
            self._code(shape.id, code)
        for index, prefix in enumerate(shape.prefixes):
            self._check_prefix(document, index, prefix, faults)
            self._prefix(shape, prefix)
        for named in shape.names:
            concept = Concept(shape.id, named.name, display=named.display, also=named.also)
            for word in dict.fromkeys((*named.words, *(written_out(each.lower()) for each in named.words))):
                phrase = plain_name(word)
                others = tuple(each for each in self.problems.get(phrase, ()) if each.valueset != shape.id)
                self.problems[phrase] = (*others, concept)
            self.endings.update((plain_name(ending), concept) for ending in named.endings)
            self.unlike.update(
                (plain_name(each), concept) for word in named.unlike for each in (word, written_out(word))
            )
        for near in shape.near:
            self.near.setdefault(near.system, set()).add(near.code)
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

    @property
    def meant(self) -> set[str]:
        """The names of everything that a code can mean."""
        return {meant.name for of_system in self.codes.values() for several in of_system.values() for meant in several}

    def _code(self, valueset: str, code: CodeShape) -> None:
        concept = Concept(valueset, code.name, display=code.display, rejected=code.rejected, also=code.also)
        self.add(code.system, code.code, concept)
        for word in code.words:
            self.words[word.lower()] = concept

    def _check_prefix(self, document: Document, index: int, prefix: PrefixShape, faults: list[Fault]) -> None:
        """Checks that a prefix is the beginning of a code of its system, and that its exceptions begin with it."""
        form, name = (_PREFIX_11, "ICD-11") if prefix.system == "icd11" else (_PREFIX, "ICD-10")
        for each in (prefix.prefix, *prefix.excepted):
            sentence = ""
            if prefix.system in (*ICD, "icd11") and not form.fullmatch(each):
                sentence = f"'{each}' is no beginning of a code of {name}"
            elif not each.startswith(prefix.prefix):
                sentence = f"the exception '{each}' does not begin with '{prefix.prefix}'"
            if sentence:
                faults.append(Fault(document.path, document.line("prefixes", index), sentence))

    def _prefix(self, shape: ValueSetShape, prefix: PrefixShape) -> None:
        washout = next((drug.washout for drug in shape.drugs if drug.name == prefix.name), "")
        concept = Concept(shape.id, prefix.name, display=prefix.display, also=prefix.also, washout=washout)
        excepted = tuple(plain_icd(each) for each in prefix.excepted)
        for uri in SYSTEMS.get(prefix.system, (prefix.system,)):
            of_system = self.prefixes.setdefault(uri, {})
            begins = plain_icd(prefix.prefix)
            of_system[begins] = (*of_system.get(begins, ()), (concept, excepted))

    def _drug(self, valueset: str, drug: DrugShape) -> None:
        concept = self.drugs[drug.name] = Concept(valueset, drug.name, washout=drug.washout)
        for rxcui in drug.rxnorm:
            self.add("rxnorm", rxcui, concept)
        for atc in drug.atc:
            self.add("atc", atc, concept)
        for cvx in drug.cvx:
            self.add("cvx", cvx, concept)
        for atc in drug.atc_not_oral:
            self.add("atc", atc, msgspec.structs.replace(concept, oral=False))
        for name in (drug.name, *drug.names, *drug.recalled_names):
            self.names[name.lower()] = concept

    def take_conditions(self, path: Path, shown: str, faults: list[Fault]) -> None:
        """Add the codes of conditions that are listed in a table, row by row."""
        for line, row in enumerate(_table(path, shown, _CONDITION_COLUMNS, faults), start=2):
            system, code = row["system"] or "", row["code"] or ""
            if system not in SYSTEMS or not well_formed(system, code):
                faults.append(Fault(shown, line, f"'{code}' is no code of {system}"))
                continue
            concept = Concept(row["valueset"], row["name"], display=row["display"], also=row["also"] or "")
            self.add(system, code, concept)

    def take_products(self, path: Path, shown: str, faults: list[Fault]) -> None:
        """Add the RxNorm products of the drugs known so far; a row replaces those of an earlier table with the same code."""
        rxnorm = self.codes.setdefault(SYSTEMS["rxnorm"][0], {})
        taken: dict[str, tuple[Concept, ...]] = {}
        for line, row in enumerate(_table(path, shown, _COLUMNS, faults), start=2):
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


def _table(path: Path, shown: str, columns: Sequence[str], faults: list[Fault]) -> Sequence[Mapping[str, str]]:
    """The rows of a table; what is wrong with the table is added to ``faults``."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        faults.append(Fault(shown, 1, f"cannot be read ({type(error).__name__})"))
        return ()
    names, rows = _rows(text)
    if lacking := [name for name in columns if name not in names]:
        faults.append(Fault(shown, 1, f"lacks the columns {', '.join(lacking)} (separated by commas)"))
        return ()
    return rows


@lru_cache(maxsize=8)  # the rules are read once for each protocol
def _rows(text: str) -> tuple[Sequence[str], Sequence[Mapping[str, str]]]:
    rows = csv.DictReader(text.splitlines())
    return rows.fieldnames or (), tuple(rows)


@lru_cache(maxsize=50_000)
def well_formed(system: str, code: str) -> bool:
    """Whether ``code`` can be one of ``system``: its form and, for LOINC and SNOMED CT, its check digit.

    For a system that is not one of ours, anything that FHIR accepts as a code can be one.
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
