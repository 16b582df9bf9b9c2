"""Scenarios: a patient on a day line, and exactly the cards that each day should bring.

A scenario is written as a case note (``rules/scenarios/``, in folders by subject), becomes real FHIR (``events``), and runs
through the whole path, so that reading, facts, both engines and cards are tested together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from cds.advise import advise
from cds.authoring.events import Unwritten, chart_of, question
from cds.cards.build import NAMESPACE
from cds.chart.request import read_request
from cds.compiled.hooks import Hook
from cds.compiled.knowledge import Knowledge
from cds.engine import Evaluator
from cds.knowledge.layers import Layers
from cds.knowledge.shapes import Shape, Word, shaped
from cds.knowledge.tree import Document, Fault, read

FOLDER = "scenarios"
DAY_ZERO = date(2024, 1, 8)
_EVENING = time(20, 0)


class PatientShape(Shape):
    born: str = "1990-03-14"
    sex: Literal["female", "male"] = "female"
    itp: bool = True


class ExpectShape(Shape):
    day: Word  # a day of the course, with a time of day if it matters: "14" or "14 07:40"
    hook: Hook = "patient-view"
    draft: str | list[str] = ""
    expect: Literal["none"] | list[str | dict[str, str]] | dict[str, str]


class ScenarioShape(Shape):
    scenario: str
    story: str
    protocol: str = ""  # the one it is judged under; the default where none is named
    about: list[str] = Field(default=[])  # the numbers that it is about, which `check` tries on it first
    patient: PatientShape = PatientShape()
    days: dict[str, str | list[str]] = Field(min_length=1)
    cards: list[ExpectShape] = Field(min_length=1)


@dataclass(frozen=True)
class Scenario:
    """A scenario file; ``checks`` are the days for which it says which cards should be shown."""

    document: Document
    shape: ScenarioShape

    @property
    def checks(self) -> Iterator[Check]:
        for index, expected in enumerate(self.shape.cards):
            yield Check(self, index, expected)


@dataclass(frozen=True)
class Check:
    """One day of a scenario."""

    scenario: Scenario
    index: int
    shape: ExpectShape

    @property
    def name(self) -> str:
        return f"{Path(self.scenario.document.path).stem} | day {self.shape.day}, {self.shape.hook}"

    @property
    def moment(self) -> datetime:
        """The time to judge at. Raises Unwritten."""
        day, _, clock = self.shape.day.partition(" ")
        return moment_of(day, clock) if clock else datetime.combine(_date(day), _EVENING, UTC)

    @property
    def expected(self) -> dict[str, str]:
        """The rules that should speak, each with a sentence of its card, or an empty text."""
        said = self.shape.expect
        if said == "none":
            return {}
        if isinstance(said, dict):
            return said
        expected: dict[str, str] = {}
        for item in said:
            expected |= item if isinstance(item, dict) else {str(item): ""}
        return expected

    def fault(self, message: str) -> Fault:
        document = self.scenario.document
        return Fault(document.path, document.line("cards", self.index), f"day {self.shape.day}: {message}")


def scenarios_of(folder: Path, faults: list[Fault], overlays: Sequence[Path] = ()) -> list[Scenario]:
    """Every scenario of a rules folder and its overlays; what is wrong with one is added to ``faults``."""
    found = []
    layers = Layers(folder, overlays)
    for path in layers.files(f"{FOLDER}/**/*.yaml"):
        try:
            document = read(path, layers.shown(path))
        except Fault as fault:
            faults.append(fault)
            continue
        shape, wrong = shaped(document, ScenarioShape)
        faults += wrong
        if shape is not None:
            found.append(Scenario(document, shape))
    faults[:] = [layers.without_content(fault) for fault in faults]
    return found


def scenario_in(path: Path) -> Scenario:
    """The scenario in a file. Raises Fault if it is not a scenario."""
    document = read(path, path.name)
    shape, wrong = shaped(document, ScenarioShape)
    if shape is None:
        raise wrong[0]
    return Scenario(document, shape)


def body_of(check: Check, knowledge: Knowledge) -> tuple[bytes, datetime]:
    """The FHIR of a day of a scenario, and the time to judge it at. Raises Fault for a line that cannot be written."""
    shape = check.scenario.shape
    try:
        moment = check.moment
        events = _events(shape.days)
        if check.index == 0:  # a wrong line is reported even if no checked day comes after it
            chart_of(shape.patient.model_dump(), events, knowledge)
        known = [event for event in events if event[0] <= moment.isoformat()]  # the record as it was on that day
        chart = chart_of(shape.patient.model_dump(), known, knowledge)
        drafts = [check.shape.draft] if isinstance(check.shape.draft, str) else check.shape.draft
        asked = question(chart, check.shape.hook, [draft for draft in drafts if draft], moment, knowledge)
    except Unwritten as unwritten:
        raise check.fault(str(unwritten)) from None
    return json.dumps(asked, default=_plain).encode(), moment


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(type(value).__name__)


def _date(day: str) -> date:
    try:
        return DAY_ZERO + timedelta(days=int(day))
    except (ValueError, OverflowError):
        raise Unwritten(f"'{day}' is not a day of the course; write 14, or 14 07:40") from None


def moment_of(day: str, clock: str) -> datetime:
    """A time of day on a day of the course."""
    try:
        return datetime.combine(_date(day), time.fromisoformat(clock), UTC)
    except ValueError:
        raise Unwritten(f"'{clock}' is not a time of day") from None


def _events(days: dict[str, str | list[str]]) -> list[tuple[str, str]]:
    """Every event with its date or dateTime, in the order of time."""
    found = []
    for when, said in days.items():
        day, _, clock = when.partition(" ")
        moment = moment_of(day, clock).isoformat() if clock else _date(day).isoformat()
        found += [(moment, each) for each in ([said] if isinstance(said, str) else said)]
    return sorted(found, key=lambda event: event[0])


def run_check(check: Check, engine: Evaluator) -> Fault | None:
    """None when exactly the expected rules speak, with the expected sentences; else the difference in words."""
    try:
        body, moment = body_of(check, engine.knowledge)
    except Fault as fault:
        return fault
    return difference(check, advise(read_request(body), engine, moment, max_cards=99).cards)


def difference(check: Check, cards: list[dict[str, Any]]) -> Fault | None:
    """None when ``cards`` are those that the day should bring, with the expected sentences; else the difference."""
    got: dict[str, str] = {}
    for card in cards:
        for finding in card["extension"][f"{NAMESPACE}.findings"]:
            said = [card["summary"], card["detail"], *(each["label"] for each in card.get("suggestions", []))]
            text = "\n".join(said).replace("\\", "").replace("**", "")
            got[finding["rule"]] = got.get(finding["rule"], "") + text
    expected = check.expected
    missing = [f"- {rule}" for rule in expected if rule not in got]
    extra = [f"+ {rule}: {text.splitlines()[0]}" for rule, text in got.items() if rule not in expected]
    other = [
        f"~ {rule}: '{sentence}' is not on its card: {got[rule]}"
        for rule, sentence in expected.items()
        if rule in got and sentence not in got[rule]
    ]
    if missing or extra or other:
        return check.fault("expected (-) and got (+):\n  " + "\n  ".join([*missing, *extra, *other]))
    return None
