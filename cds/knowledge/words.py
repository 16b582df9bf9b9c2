"""The words of records that no code system has: ``rules/words/*.yaml``. What an overlay says is added to what is below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from cds.compiled.knowledge import Lexicon, Sayings
from cds.knowledge.layers import Layers
from cds.knowledge.shapes import Shape, Word, shaped
from cds.knowledge.tree import Fault, read

FOLDER = "words"
Meaning = Literal[
    "daily", "twice_daily", "three_daily", "four_daily", "times_daily", "every_hours", "every_days", "alternate", "weekly",
    "times_weekly", "monthly", "morning", "noon", "evening", "night", "as_needed", "only_if", "hold", "not_hold", "until", "elsewhere",
    "nothing",
]  # fmt: skip
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Phrase = Annotated[Word, Field(max_length=80, pattern=r"^[^A-Z]+$")]
Results = dict[str, list[Phrase]]
"""``results.yaml``: for each result name, what laboratories call it; and, under special names, words that occur next to such a name."""
Assays = dict[Literal["immunoassay", "mass spectrometry"], list[Phrase]]
"""``assays.yaml``: how a laboratory says with which assay a level was measured."""
_FORMS = ("local", "device", "swallowed", "purpose", "not_local", "injected")
_BESIDE, _DRUG, _NO_LEVEL, _UPPER = "beside", "drug", "no_level", "upper"


class SayingsShape(Shape):
    """One language of ``dosage.yaml``."""

    numbers: dict[str, Decimal] = Field(default={})
    phrases: dict[Meaning, list[Phrase]] = Field(default={})
    weekdays: dict[Weekday, list[Phrase]] = Field(default={})
    units: dict[Literal["tablet", "mg", "ug", "ml"], list[Phrase]] = Field(default={})
    months: list[list[Phrase]] = Field(default=[], max_length=12)
    month_first: bool = False


class FormsShape(Shape):
    """``forms.yaml``: words and codes of forms, and what a tablet is called as a unit."""

    local: list[Phrase] = Field(default=[])
    device: list[Phrase] = Field(default=[])
    swallowed: list[Phrase] = Field(default=[])
    purpose: list[Phrase] = Field(default=[])
    not_local: list[Phrase] = Field(default=[])
    injected: list[Phrase] = Field(default=[])
    local_routes: list[Word] = Field(default=[])
    injected_routes: list[Word] = Field(default=[])
    oral_routes: list[Word] = Field(default=[])
    tablets: list[Word] = Field(default=[])
    millilitres: list[Word] = Field(default=[])


class SpecimenShape(Shape):
    words: list[Phrase] = Field(default=[])
    codes: list[Word] = Field(default=[])


class ProblemsShape(Shape):
    """``problems.yaml``: words next to the name of a condition.

    ``history``: the condition is over, another person's or only looked for; ``past``: it is over, unless it lasts; ``undone``: what would
    last was not done to the patient; ``denied``: the condition named after the word is absent;
    ``suspected``: the condition is not certain; ``mild``: the condition is mild.
    """

    history: list[Phrase] = Field(default=[])
    past: list[Phrase] = Field(default=[])
    undone: list[Phrase] = Field(default=[])
    denied: list[Phrase] = Field(default=[])
    suspected: list[Phrase] = Field(default=[])
    mild: list[Phrase] = Field(default=[])


class AllergiesShape(Shape):
    """``allergies.yaml``: words that say that there is no allergy.

    ``denied``: what follows, at most one word between, and contains one of ``allergy``, is absent; ``refuted``: there is no allergy,
    wherever the word appears.
    """

    denied: list[Phrase] = Field(default=[])
    allergy: list[Phrase] = Field(default=[])
    refuted: list[Phrase] = Field(default=[])


class OperationsShape(Shape):
    """``operations.yaml``: words next to the name of an operation or infusion.

    ``beside``: the text is not about doing it; ``partial``: only a part of the organ was taken.
    """

    beside: list[Phrase] = Field(default=[])
    partial: list[Phrase] = Field(default=[])


class WordsShape(Shape):
    """All files of the folder, by their names."""

    dosage: dict[str, SayingsShape] = Field(default={})
    results: Results = Field(default={})
    specimens: dict[str, SpecimenShape] = Field(default={})
    forms: FormsShape = FormsShape()
    problems: ProblemsShape = ProblemsShape()
    assays: Assays = Field(default={})
    allergies: AllergiesShape = AllergiesShape()
    operations: OperationsShape = OperationsShape()


def read_words(layers: Layers, faults: list[Fault]) -> Lexicon:
    """The lexicon of a rules folder with its overlays; what is wrong with a file is added to ``faults``."""
    read_as = list(_layers(layers, faults))
    routes = [(kind, code) for each in read_as for kind, codes in _routes(each.forms) for code in codes]
    return Lexicon(
        dosage=_dosage(read_as),
        results={
            phrase: name
            for each in read_as
            for name, phrases in each.results.items()
            if name not in (_BESIDE, _DRUG, _NO_LEVEL, _UPPER)
            for phrase in phrases
        },
        beside=_all(read_as, _BESIDE),
        drug=_all(read_as, _DRUG),
        no_level=_all(read_as, _NO_LEVEL),
        upper=_all(read_as, _UPPER),
        specimens=_joined((name, each.words) for shape in read_as for name, each in shape.specimens.items()),
        specimen_codes={c: name for shape in read_as for name, each in shape.specimens.items() for c in each.codes},
        forms=_joined((name, getattr(each.forms, name)) for each in read_as for name in _FORMS),
        routes={code: kind for kind, code in routes},
        tablets=frozenset(word.lower() for each in read_as for word in each.forms.tablets),
        millilitres=frozenset(word.lower() for each in read_as for word in each.forms.millilitres),
        history=tuple(word for each in read_as for word in each.problems.history),
        past=tuple(word for each in read_as for word in each.problems.past),
        undone=tuple(word for each in read_as for word in each.problems.undone),
        denied=tuple(word for each in read_as for word in each.problems.denied),
        suspected=tuple(word for each in read_as for word in each.problems.suspected),
        mild=tuple(word for each in read_as for word in each.problems.mild),
        assays=_joined((name, words) for each in read_as for name, words in each.assays.items()),
        beside_operation=frozenset(word for each in read_as for word in each.operations.beside),
        partial_operation=frozenset(word for each in read_as for word in each.operations.partial),
        allergy=tuple(word for each in read_as for word in each.allergies.allergy),
        allergy_denied=tuple(word for each in read_as for word in each.allergies.denied),
        allergy_refuted=tuple(word for each in read_as for word in each.allergies.refuted),
    )


def _layers(layers: Layers, faults: list[Fault]) -> Iterator[WordsShape]:
    """What each folder says, the lowest first."""
    for number, folder in enumerate(layers.folders):
        value: dict[str, Any] = {}
        for path in sorted(folder.glob(f"{FOLDER}/*.yaml")):
            try:
                document = read(path, layers.shown(path))
            except Fault as fault:
                faults.append(fault)
                continue
            shape, wrong = shaped(document, WordsShape, {path.stem: document.value}, ())
            faults += wrong
            if shape is not None:
                value[path.stem] = document.value
            if number:
                layers.note(path, "words", replaces=False)
        yield WordsShape.model_validate(value)


def _all(read_as: Iterable[WordsShape], name: str) -> tuple[str, ...]:
    return tuple(phrase for each in read_as for phrase in each.results.get(name, ()))


def _routes(forms: FormsShape) -> Iterator[tuple[str, list[str]]]:
    yield "local", forms.local_routes
    yield "injected", forms.injected_routes
    yield "oral", forms.oral_routes


def _joined(pairs: Iterable[tuple[str, Iterable[str]]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, words in pairs:
        found[name] = tuple(dict.fromkeys((*found.get(name, ()), *words)))
    return found


def _dosage(shapes: list[WordsShape]) -> dict[str, Sayings]:
    languages = dict.fromkeys(language for each in shapes for language in each.dosage)
    return {
        language: _sayings([each.dosage[language] for each in shapes if language in each.dosage])
        for language in languages
    }


def _sayings(shapes: list[SayingsShape]) -> Sayings:
    return Sayings(
        numbers={word: number for each in shapes for word, number in each.numbers.items()},
        phrases=_joined((meaning, words) for each in shapes for meaning, words in each.phrases.items()),
        weekdays=_joined((day, words) for each in shapes for day, words in each.weekdays.items()),
        units=_joined((unit, words) for each in shapes for unit, words in each.units.items()),
        months=next((tuple(map(tuple, each.months)) for each in reversed(shapes) if each.months), ()),
        month_first=any(each.month_first for each in shapes),
    )
