"""Every rule is planted as a hazard and caught at once; and the simulated year stays bearable."""

from __future__ import annotations

from random import Random

import pytest

from cds.engine import CheckedEngine
from cds.knowledge.files import Folder
from tests.burden.course import Course
from tests.burden.hazards import HAZARDS, caught
from tests.conftest import RULE_FILES
from tests.recoded import Recoder

pytestmark = pytest.mark.untraced


@pytest.fixture(scope="module")
def recoder(engine: CheckedEngine) -> Recoder:
    return Recoder(engine.knowledge)


@pytest.mark.parametrize("rule", [path.stem for path in RULE_FILES])
def test_a_planted_hazard_is_caught_at_the_first_visit_that_could_see_it(
    engine: CheckedEngine, recoder: Recoder, rule: str
) -> None:
    """Coded as we code, and twice in whatever system; `make burden` tries every system."""
    assert caught(rule, engine)
    for seed in range(2):
        assert caught(rule, engine, lambda body, seed=seed: recoder.recoded(body, Random(f"{rule} {seed}"))), seed


def test_every_hazard_is_of_a_rule(folder: Folder) -> None:
    assert set(HAZARDS) <= {file.rule.id for file in folder.files}


def test_a_quiet_course_is_a_quiet_year(engine: CheckedEngine) -> None:
    """2 mg, levels in target, a response that stays: the landmarks are told, and the tests before the start."""
    course = Course(7, quiet=True)
    topics = [card["source"]["topic"]["code"] for week in range(52) for card in course.visit(engine, week)]
    assert set(topics) <= {"responseComplete", "lowPlateletsAdult", "baselineWorkup"}
    assert len(topics) <= 10


@pytest.mark.slow
def test_the_simulated_courses_stay_within_the_goal(engine: CheckedEngine) -> None:
    """A sample of what ``make burden`` runs in full: at most half a card a visit."""
    cards = visits = 0
    for seed in range(8):
        course = Course(seed)
        for week in range(52):
            if course.stopped:
                break
            cards, visits = cards + len(course.visit(engine, week)), visits + 1
    assert visits > 200 and cards / visits <= 0.5
