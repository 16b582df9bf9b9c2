"""Knowledge as the rest of the program uses it: small, frozen, quick to load."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

Operator = Literal["<", "<=", ">", ">=", "is", "is not", "present", "absent"]
Indicator = Literal["info", "warning", "critical"]
Action = Literal["change_dose", "hold", "order_level", "order_test", "remove_draft"]

INDICATORS: tuple[Indicator, ...] = ("info", "warning", "critical")


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
    days: str = ""  # when to draw a level, in days from now: "5-7"
    each: str = ""  # the fact whose draft orders, or tests, each get the suggestion
    test: str = ""  # the test of the schedule that is ordered


class Level(msgspec.Struct, frozen=True):
    """One degree of a rule: the first that holds becomes the card."""

    indicator: Indicator
    summary: str
    detail: tuple[str, ...]
    suggestions: tuple[Suggestion, ...]


class Variant(msgspec.Struct, frozen=True):
    """A rule's condition for one table row and one level: any of ``branches``, each all of its tests."""

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
    """A rule as compiled. ``status`` is "active" while a signature stands for it, else "draft"."""

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
    signed: tuple[str, ...] = ()  # who stands for it as it is now, in words

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


class Window(msgspec.Struct, frozen=True):
    """A dose window of the protocol, in mg/day, bounds included."""

    age_group: str
    phase: str
    low: Decimal
    high: Decimal


class Protocol(msgspec.Struct, frozen=True):
    id: str
    title: str
    windows: tuple[Window, ...]
    numbers: dict[str, Decimal]


class Concept(msgspec.Struct, frozen=True):
    """What a code means to us: the value set, and within it the drug or analyte."""

    valueset: str
    name: str
    oral: bool = True  # false: a product that is not taken by mouth or does not act on the whole body
    strength: str = ""  # mg in one tablet, or mg per mL as "1/mL"
    display: str = ""  # our own words for a code; text from a record is never shown
    rejected: str = ""  # why a code that looks right is not taken


class LabTest(msgspec.Struct, frozen=True):
    """A test that is watched on sirolimus: by which results it is seen, and how often it is wanted."""

    id: str
    means: str
    loinc: str
    display: str
    seen_by: tuple[str, ...]  # names of results
    baseline: int  # days that a result before the first dose may be old; 0: never wanted then
    every: tuple[int, ...]  # days between two: in the first weeks, to month 3, to month 6, later; empty: not watched


class Signature(msgspec.Struct, frozen=True):
    """Who stands for a rule, under which protocol, and for which meaning of it."""

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
    phrases: tuple[str, ...] = ()  # the names that are several words, or of a script without spaces
    words: dict[str, Concept] = {}  # what a food is called, where no code says it
    tests: tuple[LabTest, ...] = ()
    changes: tuple[str, ...] = ()  # what overlays replaced or added, in words
    unserved: tuple[str, ...] = ()  # rules that are judged and whose cards are not shown: nobody has signed them

    def rule(self, rule_id: str) -> Rule:
        """The rule of that id. Raises KeyError if there is none."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)
