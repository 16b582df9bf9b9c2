"""``make burden``: cards a visit over 200 simulated courses, and whether every planted hazard is caught in every coding."""

from __future__ import annotations

from collections.abc import Iterator

from cds.engine import CheckedEngine
from cds.knowledge.load import load
from tests.burden.background import lists
from tests.burden.hazards import HAZARDS, caught
from tests.burden.year import Burden, opened
from tests.recoded import Recoder

COURSES = 200
CODES = 3  # of each system


def main() -> None:
    engine = CheckedEngine(load())
    print(
        f"with the lists of {len(lists())} public synthetic patients"
        if lists()
        else "without long lists: the data are not there"
    )
    for every, words in ((1, "weekly"), (4, "every four weeks")):
        _print(words, opened(engine, range(COURSES), every))
    missed = list(_missed(engine))
    print(
        f"{len(HAZARDS)} planted hazards, in {len(Recoder(engine.knowledge).every_system)} systems: {len(missed)} missed"
    )
    for rule, system in missed:
        print(f"  missed: {rule} in {system}")


def _print(words: str, burden: Burden) -> None:
    print(
        f"opened {words}: {burden.visits} visits, {burden.cards} cards: {burden.per_visit:.2f} a visit; "
        f"{burden.silent / burden.visits:.0%} of visits without any; {burden.repeated:.0%} of cards repeat the visit before, "
        f"{burden.unchanged / burden.cards:.0%} with nothing new behind them"
    )
    print("  " + ", ".join(f"{number} {name}" for name, number in burden.by_indicator.most_common()))
    for name, number in burden.by_topic.most_common():
        print(f"  {number / burden.visits:6.3f}  {name}")


def _missed(engine: CheckedEngine) -> Iterator[tuple[str, str]]:
    """The hazards that a rule does not tell at the first visit that could see them, by the system in which the chart is coded."""
    recoder = Recoder(engine.knowledge)
    for rule in HAZARDS:
        for system in recoder.every_system:
            for number in range(CODES):
                if not caught(
                    rule, engine, lambda body, system=system, number=number: recoder.coded_in(body, system, number)
                ):  # type: ignore[misc]
                    yield rule, system
                    break


if __name__ == "__main__":
    main()
