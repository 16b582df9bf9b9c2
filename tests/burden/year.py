"""Many simulated years, and what clinicians saw in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from cds.engine import CheckedEngine
from tests.burden.background import lists
from tests.burden.course import WEEKS, Card, Course
from tests.recoded import Recoder

Shown = dict[str, frozenset[str]]
"""What a visit showed: by topic, the resources that the card comes from."""


@dataclass
class Burden:
    """Visits, the cards of them, how many of these the visit before had shown too (``unchanged``: from the same resources), and
    the visits without any."""

    visits: int = 0
    cards: int = 0
    repeats: int = 0
    unchanged: int = 0
    silent: int = 0
    by_topic: Counter[str] = field(default_factory=Counter)
    by_indicator: Counter[str] = field(default_factory=Counter)

    @property
    def per_visit(self) -> float:
        """Cards a visit."""
        return self.cards / max(self.visits, 1)

    @property
    def repeated(self) -> float:
        """The share of cards that the visit before had shown."""
        return self.repeats / max(self.cards, 1)

    def add(self, seen: list[Card], before: Shown) -> Shown:
        """One visit; what it showed."""
        topics = [topic(card) for card in seen]
        self.visits += 1
        self.cards += len(seen)
        self.silent += not seen
        self.repeats += sum(each in before for each in topics)
        self.unchanged += sum(before.get(topic(card)) == _evidence(card) for card in seen)
        self.by_topic.update(topics)
        self.by_indicator.update(card["indicator"] for card in seen)
        return {topic(card): _evidence(card) for card in seen}


def _evidence(card: Card) -> frozenset[str]:
    """The resources that a card comes from."""
    findings = card["extension"]["net.sirolimus-itp-cds.findings"]
    return frozenset(reference for finding in findings for reference in finding.get("evidence", ()))


def topic(card: Card) -> str:
    """The rule of a card, or of its worst finding."""
    return str(card["source"]["topic"]["code"])


def opened(engine: CheckedEngine, courses: range, every: int) -> Burden:
    """Courses of a year whose chart is opened every so many weeks, each with a real patient's lists and coded in any system."""
    burden, recoder = Burden(), Recoder(engine.knowledge)
    for seed in courses:
        course = Course(seed, coder=lambda body, seed=seed: recoder.recoded(body, Random(seed)))  # type: ignore[misc]
        course.add(*(lists()[seed % len(lists())] if lists() else ()))
        before: Shown = {}
        for week in range(WEEKS):
            if course.stopped:
                break
            if week % every:
                course.before(week)
            else:
                before = burden.add(course.visit(engine, week), before)
    return burden
