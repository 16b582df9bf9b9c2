"""``make burden``: cards a visit over 200 simulated courses, and whether every planted hazard is caught."""

from __future__ import annotations

from collections import Counter

from cds.engine import Engine
from cds.knowledge.load import load
from tests.burden.course import WEEKS, Card, Course
from tests.burden.hazards import HAZARDS, caught

COURSES = 200


def topic(card: Card) -> str:
    return str(card["source"]["topic"]["code"])


def main() -> None:
    engine = Engine(load())
    visits = silent = cards = repeats = 0
    by_topic: Counter[str] = Counter()
    by_indicator: Counter[str] = Counter()
    for seed in range(COURSES):
        course, before = Course(seed), set[str]()
        for week in range(WEEKS):
            if course.stopped:
                break
            seen = course.visit(engine, week)
            topics = [topic(card) for card in seen]
            visits, cards, silent = visits + 1, cards + len(seen), silent + (not seen)
            repeats += sum(each in before for each in topics)
            by_topic.update(topics)
            by_indicator.update(card["indicator"] for card in seen)
            before = set(topics)
    print(f"{COURSES} courses, {visits} visits, {cards} cards: {cards / visits:.2f} a visit (goal: at most 0.5)")
    print(
        f"{silent / visits:.0%} of visits without any; {repeats / max(cards, 1):.0%} of cards repeat the visit before"
    )
    print(", ".join(f"{number} {name}" for name, number in by_indicator.most_common()))
    for name, number in by_topic.most_common():
        print(f"  {number / visits:6.3f}  {name}")
    missed = [rule for rule in HAZARDS if not caught(rule, engine)]
    print(
        f"{len(HAZARDS) - len(missed)} of {len(HAZARDS)} planted hazards caught at the first visit that could see them"
    )
    for rule in missed:
        print(f"  missed: {rule}")


if __name__ == "__main__":
    main()
