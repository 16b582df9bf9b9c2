"""The shape of each kind of file under ``rules/``: which keys there are and what they hold.

What the words mean together (facts, units, sources) is checked in :mod:`cds.knowledge.checks`.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from cds.compiled.hooks import Hook
from cds.knowledge.tree import Document, Fault


def _word(value: Any) -> Any:
    """Codes such as 35302 look like numbers in YAML; they are words to us."""
    return str(value) if isinstance(value, Decimal) else value


Word = Annotated[str, BeforeValidator(_word), Field(min_length=1)]
Basis = Literal["SEEN", "RECALLED", "DERIVED", "JUDGEMENT"]
Subject = Literal["dosing", "trough", "response", "interactions", "safety", "monitoring"]
RuleId = Annotated[str, Field(pattern=r"^[a-z]+(-[a-z0-9]+)*$")]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AnyOf(Shape):
    any: list[str] = Field(min_length=1)


Conditions = list[str | AnyOf]


class SuggestionShape(Shape):
    label: str
    action: Literal["change_dose", "hold", "order_level", "order_test", "remove_draft"]
    daily_dose: str = ""
    days: str = ""  # for a level: from which to which day from now, as in "5-7"
    since: str = ""  # the fact whose day these days are counted from
    each: str = ""  # one suggestion for each draft order, or each test, in this fact
    test: str = ""  # a test of schedule.yaml
    yields_to: list[RuleId] = []
    unless: str = ""
    direction: Literal["", "more", "less"] = ""  # of exposure to sirolimus; a hold is always less


class CardShape(Shape):
    indicator: Literal["info", "warning", "critical"] | None = None
    summary: str
    because: list[str] = []  # the values that it is based on, read first
    consider: list[str] = []
    working: list[str] = []  # how it came about, and what would change it
    direction: Literal["", "less"] = ""  # what its words advise
    suggestions: list[SuggestionShape] = []


class LevelShape(Shape):
    when: Conditions = Field(min_length=1)
    indicator: Literal["info", "warning", "critical"]
    summary: str | None = None
    because: list[str] | None = None
    consider: list[str] | None = None
    working: list[str] | None = None
    direction: Literal["", "less"] | None = None
    suggestions: list[SuggestionShape] | None = None


class CitationShape(Shape):
    cite: str
    states: str
    grade: Literal["A", "B", "C", "D"]
    basis: Basis


class ExpectedCard(Shape):
    indicator: Literal["info", "warning", "critical"]
    summary: str


class CaseShape(Shape):
    case: str
    hook: Hook | None = None
    protocol: str = ""  # the protocol it is judged under; the default one if none is named
    given: dict[str, Any] = {}
    card: str | ExpectedCard


class ReasonShape(Shape):
    display: str
    system: Literal["hl7", "ours"]


NAME = r"^[^\s<>|*_`\[\]\x00-\x1f](?:[^<>|*_`\[\]\x00-\x1f]*[^\s<>|*_`\[\]\x00-\x1f])?$"
"""A name or role: one line without markup, for it is shown on cards and pages."""


class SignatureShape(Shape):
    protocol: RuleId
    meaning: str = Field(pattern=r"^[0-9a-f]{64}$")
    by: str = Field(pattern=NAME)
    role: str = Field(pattern=NAME)
    on: str = Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")


class SignaturesShape(Shape):
    signatures: list[SignatureShape] = Field(min_length=1)


class RuleShape(Shape):
    id: RuleId
    title: str
    hooks: list[Hook] = Field(min_length=1)
    priority: int = Field(ge=1, le=100)
    table: str = ""
    when: Conditions = Field(default=[], min_length=1)  # a rule of several levels may leave it to them
    card: CardShape
    levels: list[LevelShape] = []
    yields_to: list[RuleId] = []
    override: list[str] = []
    merge: str = ""
    sources: list[CitationShape] = Field(min_length=1)
    background: dict[str, Any] = {}
    cases: list[CaseShape] = Field(min_length=2)


class NumberShape(Shape):
    """A number. ``valid_from``: since when it has this value; ``checked_on``: when it was last checked whether it still should."""

    value: Decimal
    unit: str
    means: str
    cite: str
    basis: Basis
    valid_from: date | None = None
    checked_on: date | None = None


class TestShape(Shape):
    means: str
    loinc: Word
    display: str
    seen_by: list[str] = Field(min_length=1)
    baseline: int = Field(default=0, ge=0)
    every: list[Annotated[int, Field(ge=0)]] = []  # for four stretches of the course; 0: not wanted in it
    cite: str
    basis: Basis

    @field_validator("every")
    @classmethod
    def _four_or_none(cls, every: list[int]) -> list[int]:
        if len(every) not in (0, 4):
            raise ValueError("needs four numbers, one for each stretch of the course, or none")
        return every


class ProtocolShape(Shape):
    id: RuleId
    title: str
    valid_from: date | None = None
    checked_on: date | None = None
    default: bool = False
    diagnoses: list[Literal["evans", "alps"]] = []  # those that count in addition to ITP
    note: str = ""  # what cards about the dose say about it
    note_of: Literal["", "adult", "child"] = ""  # whom the note concerns; everyone if empty
    citations: dict[str, CitationShape] = {}  # what `- protocol: NAME` among a rule's sources refers to
    tables: dict[str, list[dict[str, Any]]]
    numbers: dict[str, NumberShape]


class SourceShape(Shape):
    """A source. ``checked_on``: when it was last read; none if everything based on it is recalled."""

    citation: str
    short: str = ""  # as cards name it, where the citation is long
    url: str = Field(default="", pattern=r"^(https://.+)?$")
    kind: Literal["study", "label", "guideline", "judgement", "terminology"]
    checked_on: date | None = None


class CodeShape(Shape):
    system: Annotated[
        str, Field(pattern=r"^(loinc|snomed|icd10|icd10cm|icd10who|icd10gm|icd11|icd9|ucum|(https?://|urn:)\S+)$")
    ]
    code: Word
    name: str
    display: str
    basis: Basis = "SEEN"
    rejected: str = ""
    words: list[str] = []  # words that identify it if no code does
    also: str = ""  # a diagnosis that a protocol may count as its own


class PrefixShape(Shape):
    """Every code of ICD-10 or ICD-11 that begins with ``prefix``, except the exceptions."""

    system: Annotated[str, Field(pattern=r"^(icd10|icd10cm|icd10who|icd10gm|icd11|(https?://|urn:)\S+)$")]
    prefix: Word
    name: str
    display: str
    basis: Basis
    excepted: list[Word] = Field(default=[], alias="except")
    also: str = ""


class NamedShape(Shape):
    """The words that identify a problem without a code."""

    name: str
    display: str
    words: list[str] = Field(min_length=1)
    endings: list[Word] = []  # endings of a single word, in languages that join words: karzinom, in Mammakarzinom
    unlike: list[Word] = []  # words with such an ending that mean something else: Pseudolymphom
    basis: Basis
    also: str = ""


class NearShape(Shape):
    """A code close to those of a value set, which must not mean ``name``."""

    system: Annotated[
        str, Field(pattern=r"^(loinc|snomed|icd10|icd10cm|icd10who|icd10gm|icd11|icd9|(https?://|urn:)\S+)$")
    ]
    code: Word
    name: str


class DrugShape(Shape):
    name: str
    rxnorm: list[Word] = []
    atc: list[Word] = []
    atc_not_oral: list[Word] = []
    cvx: list[Word] = []
    names: list[str] = []
    recalled_names: list[str] = []  # trade names that have not been looked up
    washout: str = ""  # for a drug that raises platelets: the definition of how long it does
    basis: Basis = "SEEN"


Role = Literal["inhibitor", "inducer", "raises platelets", "suppressant", "first line"]


class ValueSetShape(Shape):
    id: RuleId
    means: str
    cite: str
    leaves_out: str = ""  # what it does not cover, in a sentence or two
    roles: list[Role] = Field(default=[])  # for drugs: what they mean to the facts
    settles: str = ""  # the definition that says after how long a level shows what such a drug does
    shown_after_stop: str = ""  # the definition that says for how long its stop is reported
    codes: list[CodeShape] = []
    prefixes: list[PrefixShape] = []
    names: list[NamedShape] = []
    near: list[NearShape] = []
    drugs: list[DrugShape] = []


S = TypeVar("S", bound=Shape)

_SENTENCES = {
    "missing": "'{key}' is missing",
    "extra_forbidden": "unknown key '{key}'{hint}",
    "too_short": "'{key}' needs more entries than it has",
}


_FORMS = {
    "id": "small words joined by hyphens",
    "yields_to": "ids of rules: small words joined by hyphens",
    "url": "an address that begins with https://",
    "protocol": "the id of a protocol",
    "meaning": "the hash of 64 digits that 'sirolimus-cds sign' writes (16 are of an older version: delete the entry and sign again)",
    "on": "a date such as 2026-01-31",
    "by": "a name, on one line and without markup",
    "role": "a role, on one line and without markup",
    "system": "loinc, snomed, icd10, icd11, icd9, ucum, or a code system of your own by its address (https://... or urn:...)",
}
"""What a key must hold, for each key with a format of its own."""


def shaped(
    document: Document, shape: type[S], value: Any = None, at: tuple[str | int, ...] = ()
) -> tuple[S | None, list[Fault]]:
    """``document``, or the ``value`` found ``at`` a place in it, as ``shape``; or the faults that prevent this."""
    try:
        return shape.model_validate(document.value if value is None else value), []
    except ValidationError as error:
        faults = [_fault(document, shape, dict(item), at) for item in error.errors(include_input=False)]
        return None, faults


def _fault(document: Document, shape: type[Shape], item: dict[str, Any], at: tuple[str | int, ...]) -> Fault:
    # pydantic names the branch of a union in the place; only keys and positions exist in the file
    place = tuple(part for part in item["loc"] if not (isinstance(part, str) and part[:1].isupper()) and part != "str")
    key = str(place[-1]) if place else ""
    hint = ""
    if item["type"] == "extra_forbidden" and len(place) == 1:
        near = get_close_matches(key, list(shape.model_fields), 1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
    if item["type"] == "extra_forbidden" and shape in (NumberShape, ValueSetShape) and place == ("subjects",):
        hint = ": delete it; a signature covers what the facts of a rule read"
    if item["type"] == "extra_forbidden" and shape is RuleShape and key == "detail":
        hint = ": a card has 'because', 'consider' and 'working'; 'sirolimus-cds fmt --upgrade' divides its lines"
    if item["type"] == "extra_forbidden" and shape is RuleShape and place == ("status",):
        hint = ": a rule is active while it is signed as it is now; see 'sirolimus-cds sign'"
    sentence = _SENTENCES.get(item["type"])
    if sentence is None:
        expected = item.get("ctx", {}).get("expected")
        said = f"must be {expected}" if expected else item["msg"][0].lower() + item["msg"][1:]
        form = next((_FORMS[part] for part in reversed(place) if part in _FORMS), "")
        said = f"must be {form}" if item["type"] == "string_pattern_mismatch" and form else said
        sentence = f"'{key}': {said}" if key else said
        return Fault(document.path, document.line(*at, *place), sentence)
    return Fault(document.path, document.line(*at, *place), sentence.format(key=key, hint=hint))
