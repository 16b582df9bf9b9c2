"""Knowledge as the rest of the program uses it: small, frozen, quick to load."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from cds.compiled.units import Units

Operator = Literal["<", "<=", ">", ">=", "is", "is not", "present", "absent"]
Indicator = Literal["info", "warning", "critical"]
Action = Literal["change_dose", "hold", "order_level", "order_test", "remove_draft"]
Direction = Literal["", "more", "less"]
"""Direction of a change in sirolimus exposure: more, less, or neither."""

INDICATORS: tuple[Indicator, ...] = ("info", "warning", "critical")


WIDEST = "starting-or-maintenance"
"""The phase of a course whose start is not known: its dose is compared with the widest window."""


class Condition(msgspec.Struct, frozen=True):
    """``fact operator value``. Numbers are decimals in the fact's own unit; words and flags as such."""

    fact: str
    operator: Operator
    number: Decimal | None = None
    word: str | None = None
    flag: bool | None = None
    text: str = ""  # as the author wrote it, with the table's values filled in

    def __str__(self) -> str:
        return self.text


class Suggestion(msgspec.Struct, frozen=True):
    """What a card offers. ``dose`` names the fact that holds the dose; absent means no button."""

    label: str
    action: Action
    dose: str = ""
    yields_to: tuple[str, ...] = ()
    unless: str = ""  # a flag fact that, when true, makes the suggestion superfluous
    days: str = ""  # when to draw a level, in days from ``since``: "5-7"
    since: str = ""  # the fact from whose day these are counted; from today where it has none
    each: str = ""  # the fact whose draft orders, or tests, each get the suggestion
    test: str = ""  # the test of the schedule that is ordered
    direction: Direction = ""


class Level(msgspec.Struct, frozen=True):
    """One level of a rule: the first that holds becomes the card."""

    indicator: Indicator
    summary: str
    because: tuple[str, ...]  # the values that it rests on
    consider: tuple[str, ...]
    working: tuple[str, ...]  # how it came about, and what would change it
    suggestions: tuple[Suggestion, ...]
    direction: Direction = ""  # of what the card's text advises

    @property
    def texts(self) -> tuple[str, ...]:
        """The summary and every line below it."""
        return (self.summary, *self.because, *self.consider, *self.working)


class Variant(msgspec.Struct, frozen=True):
    """A rule's condition for one table row and one level: it holds if any of ``branches`` does, and a branch if all of its tests do."""

    level: int
    row: dict[str, str]
    branches: tuple[tuple[Condition, ...], ...]


class Citation(msgspec.Struct, frozen=True):
    """What a source states for a rule, and how sure we are of it."""

    cite: str
    states: str
    grade: str
    basis: str


class Reason(msgspec.Struct, frozen=True):
    """Why a clinician may set a card aside, as one choice among several."""

    code: str
    system: str
    display: str


class Rule(msgspec.Struct, frozen=True):
    """A rule as compiled. ``status`` is "active" while it is signed as it is now, else "draft"."""

    id: str
    subject: str
    title: str
    status: str
    hooks: tuple[str, ...]
    priority: int
    variants: tuple[Variant, ...]
    levels: tuple[Level, ...]
    yields_to: tuple[str, ...]
    override: tuple[Reason, ...]
    merge: str  # rules of one group make one card, worst first
    citations: tuple[Citation, ...]
    signed: tuple[str, ...] = ()  # who signed it as it is now, in words

    @property
    def topic(self) -> str:
        """The id in lowerCamelCase: the topic by which clients tie overrides to a rule."""
        head, *rest = self.id.split("-")
        return head + "".join(part.capitalize() for part in rest)


class Source(msgspec.Struct, frozen=True):
    key: str
    citation: str
    url: str
    kind: str
    short: str = ""

    @property
    def name(self) -> str:
        """What cards call it."""
        return self.short or self.citation


class Window(msgspec.Struct, frozen=True):
    """A dose window of the protocol, in mg/day or, ``per_surface``, in mg/m2/day; bounds included."""

    age_group: str
    phase: str
    low: Decimal
    high: Decimal
    per_surface: bool = False

    def for_surface(self, surface: Decimal) -> Window:
        """The window in mg/day of a body of that surface in m2."""
        return Window(self.age_group, self.phase, self.low * surface, self.high * surface)


class Protocol(msgspec.Struct, frozen=True):
    id: str
    title: str
    windows: tuple[Window, ...]
    numbers: dict[str, Decimal]
    diagnoses: tuple[str, ...] = ()  # those that count in addition to ITP: evans, alps
    note: str = ""  # what its dose and level cards say about it
    note_of: str = ""  # adult or child, if the note is only about these
    yearly: bool = False  # whether the response is judged at 12 months, and a taper is reported after a year of it


class Concept(msgspec.Struct, frozen=True):
    """What a code means to us: the value set, and within it the drug or analyte."""

    valueset: str
    name: str
    oral: bool = True  # false: a product that is not taken by mouth or does not act on the whole body
    strength: str = ""  # mg in one tablet, or mg per mL as "1/mL"
    display: str = ""  # our own words for a code; text from a record is never shown
    rejected: str = ""  # why a code that looks right is not taken
    washout: str = ""  # of a drug that raises platelets: the definition that says for how long
    also: str = ""  # a diagnosis that a protocol may count as its own


class Sayings(msgspec.Struct, frozen=True):
    """How one language says how a drug is taken; every phrase in lower case, with ``{n}`` for a number."""

    numbers: dict[str, Decimal] = {}
    phrases: dict[
        str, tuple[str, ...]
    ] = {}  # by what they mean: daily, every_hours, as_needed, only_if, hold, elsewhere ...
    weekdays: dict[str, tuple[str, ...]] = {}
    units: dict[str, tuple[str, ...]] = {}
    months: tuple[tuple[str, ...], ...] = ()  # the names of the twelve months
    month_first: bool = False  # whether a date in figures may have its month first


class Lexicon(msgspec.Struct, frozen=True):
    """The words of records that no code system has, from ``rules/words``."""

    dosage: dict[str, Sayings] = {}  # by language
    results: dict[str, str] = {}  # a laboratory's name for a result, and our name for it
    beside: tuple[str, ...] = ()  # words that may be added to such a name without making it another test
    drug: tuple[str, ...] = ()  # the beginnings of words that make any name one that mentions a level ...
    no_level: tuple[str, ...] = ()  # ... unless the name contains one of these
    specimens: dict[str, tuple[str, ...]] = {}  # words of each specimen
    specimen_codes: dict[str, str] = {}
    forms: dict[str, tuple[str, ...]] = {}  # words of forms that do not act on the whole body, and of injections
    routes: dict[str, str] = {}  # codes of routes and forms: local, injected or oral
    tablets: frozenset[str] = frozenset()  # names of a tablet or capsule as a dose unit
    millilitres: frozenset[str] = frozenset()
    history: tuple[str, ...] = ()  # words next to a condition's name that say the patient does not have it now
    past: tuple[str, ...] = ()  # words next to it that say so of what does not last for life
    undone: tuple[str, ...] = ()  # words next to the name of a transplant that say that the patient has none
    denied: tuple[str, ...] = ()  # words before the name of a condition that say it is absent
    suspected: tuple[str, ...] = ()  # words next to it that say it is not certain
    mild: tuple[str, ...] = ()  # words next to it that say it is mild
    partial_operation: frozenset[str] = frozenset()  # words that say that only a part of the organ was taken
    beside_operation: frozenset[str] = frozenset()  # words next to an operation's name: the text is not about doing it
    assays: dict[str, tuple[str, ...]] = {}  # a laboratory's words for the assay of a level
    allergy: tuple[str, ...] = ()  # parts of words for an allergy
    allergy_denied: tuple[str, ...] = ()  # words before such a word that say that there is none
    allergy_refuted: tuple[str, ...] = ()  # words that say so anywhere in a clause
    upper: tuple[str, ...] = ()  # words before the upper end of a laboratory's range
    dose: Units = Units()  # the units of doses


class Withheld(msgspec.Struct, frozen=True):
    """A reason not to offer a higher dose. ``asks_less``: the harm, or the drug, is a reason for a lower dose."""

    id: str
    says: str
    branches: tuple[tuple[Condition, ...], ...]
    asks_less: bool
    since: str = ""  # the fact whose day is the beginning
    days: str = ""  # the definition that says for how long after it


class Measure(msgspec.Struct, frozen=True):
    """A test that is read: what kind of answer it has, and how it is interpreted."""

    name: str
    kind: str  # number, yes or no, done, shown, grade, pregnancy status, date, or dose
    unit: str  # ours, in words
    units: Units
    lowest: str  # the definition below which a value is not plausible; empty: none
    highest: str
    not_from: tuple[str, ...]  # specimens for which it is another test
    wrong_specimen_told: bool  # whether a result from such a specimen is reported; for other tests it is left out
    lower_is_worse: bool
    number_is_done: bool  # for a yes-or-no test: a number without its limit only says that it was done
    detected: bool  # a number says that something was found
    means: str = ""  # what it is called
    speaks: str = ""  # the definition that says for how long a result counts; an unreadable one is reported for as long


class DrugClass(msgspec.Struct, frozen=True):
    """The roles of a value set's drugs in the facts. ``settles``, ``shown_after_stop``: definitions, for drugs that change the level."""

    roles: tuple[str, ...]
    settles: str = ""
    shown_after_stop: str = ""


class LabTest(msgspec.Struct, frozen=True):
    """A test that is monitored on sirolimus: which results count for it, and how often it is wanted."""

    id: str
    means: str
    loinc: str
    display: str
    seen_by: tuple[str, ...]  # names of results
    baseline: int  # the greatest age in days of a result before the first dose; 0: never wanted then
    every: tuple[int, ...]  # days between two: in the first weeks, to month 3, to month 6, later; empty: not monitored


class Signature(msgspec.Struct, frozen=True):
    """Who signed a rule, under which protocol, and which meaning of it."""

    rule: str
    protocol: str
    meaning: str
    by: str
    role: str
    on: str

    def __str__(self) -> str:
        return f"{self.by}, {self.role}, {self.on}"


class Knowledge(msgspec.Struct, frozen=True):
    """Everything the rules folder says, for one protocol."""

    hash: str
    rules: tuple[Rule, ...]
    protocol: Protocol
    definitions: dict[str, Decimal]
    sources: dict[str, Source]
    codes: dict[str, dict[str, tuple[Concept, ...]]]  # by system and code; several for combination products
    names: dict[str, Concept]  # lower-case name or brand -> concept, the last resort
    prefixes: dict[
        str, dict[str, tuple[tuple[Concept, tuple[str, ...]], ...]]
    ] = {}  # beginnings of ICD codes, with exceptions
    phrases: dict[
        str, tuple[str, ...]
    ] = {}  # names of several words by the first word; names in scripts without spaces by ""
    words: dict[str, Concept] = {}  # names of foods and operations, for records without a code
    problems: dict[str, tuple[Concept, ...]] = {}  # names of conditions, for records without a code
    endings: dict[str, Concept] = {}  # endings of single words that name a condition
    unlike: dict[str, Concept] = {}  # whole words with such an ending that do not name it
    near: frozenset[str] = frozenset()  # codes of SNOMED CT that mean none of our conditions, whatever they are called
    lexicon: Lexicon = Lexicon()
    measures: dict[str, Measure] = {}
    classes: dict[str, DrugClass] = {}  # by value set
    withheld: tuple[Withheld, ...] = ()
    heavy: dict[str, tuple[Decimal, ...]] = {}  # kg, the 97th percentile by sex and completed month of age
    tests: tuple[LabTest, ...] = ()
    changes: tuple[str, ...] = ()  # what overlays replaced or added, in words
    hidden_rules: tuple[str, ...] = ()  # rules that are judged but whose cards are not shown: they are not signed

    def with_role(self, *roles: str) -> tuple[str, ...]:
        """The value sets of drugs that have one of these roles."""
        return tuple(name for name, each in self.classes.items() if not set(roles).isdisjoint(each.roles))

    def rule(self, rule_id: str) -> Rule:
        """The rule of that id. Raises KeyError if there is none."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)
