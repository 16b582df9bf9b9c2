"""Pregnancy: by a test, as a condition, by its status, by a due date that lies ahead, or by weeks counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from cds.chart.labs import COUNTED
from cds.chart.model import Lab, Unread
from cds.facts.problems import active, on_record
from cds.facts.record import on_day
from cds.facts.situation import Situation


def unreadable_pregnancy_tests(situation: Situation) -> Iterator[Unread]:
    """Recent tests for pregnancy that cannot be read, where one matters."""
    if not situation.concerned or situation.chart.gender == "male":
        return
    for lab in situation.chart.lab("hcg"):
        if lab.problem and (lab.moment is None or _recent(situation, lab)):
            yield Unread(lab.reference, lab.problem, "pregnancy")


def put_pregnancy(situation: Situation) -> None:
    """A positive test of the last days, or pregnancy that has not ended, as far as the record says."""
    if not situation.concerned or situation.chart.gender == "male":
        return
    facts = situation.facts
    newest = _newest_test(situation)
    tests = [newest] if newest is not None and newest.positive and _recent(situation, newest) else []
    signs = sorted(_signs(situation), reverse=True)
    if tests:
        facts.put("pregnancy_test_positive", True, *(lab.reference for lab in tests))
        facts.put("pregnancy_evidence", f"positive pregnancy test on {on_day(tests[0].moment)}")
    if signs:
        newest_day, words, _ = signs[0]
        facts.put("pregnancy_on_record", True, *(reference for _, _, reference in signs), on=newest_day)
        if not tests:
            facts.put("pregnancy_evidence", words)


def _newest_test(situation: Situation) -> Lab | None:
    """The newest pregnancy test, unless a status of a later day says that she is not pregnant; a preliminary no is none."""
    tests = [lab for lab in situation.chart.lab("hcg") if lab.moment is not None and not lab.problem]
    known = [lab for lab in tests if lab.positive or lab.status in COUNTED]
    newest = max(known, key=lambda lab: (lab.moment.sort_key() if lab.moment else (), lab.positive), default=None)
    denied = [lab for lab in _known(situation, "pregnancy-status")[:1] if not lab.positive]
    if newest is None or newest.moment is None or not denied or denied[0].moment is None:
        return newest
    return None if denied[0].moment.day > newest.moment.day else newest


def _signs(situation: Situation) -> Iterator[tuple[date, str, str]]:
    """What says that the patient is pregnant: since which day, in words, and the resource; nothing that has ended since."""
    outcomes = [each.onset.day for each in on_record(situation, "pregnancy-ended") if each.onset is not None]
    states = [lab.moment.day for lab in _known(situation, "pregnancy-status") if lab.moment and not lab.positive]
    outcome, state = max(outcomes, default=date.min), max(states, default=date.min)
    for since, words, reference in (*_conditions(situation), *_states(situation)):
        # an outcome follows the pregnancy of its day; of two answers of one day nobody knows which came first
        if since > outcome and since >= state:
            yield since, words, reference


def _conditions(situation: Situation) -> Iterator[tuple[date, str, str]]:
    for problem in active(situation, "pregnant", within="pregnancy_longest"):
        since = f" since {on_day(problem.onset)}" if problem.onset else ""
        words = f"pregnancy on the problem list{since}; consider closing it there if it has ended"
        yield problem.onset.day if problem.onset else situation.now.date(), words, problem.reference


def _states(situation: Situation) -> Iterator[tuple[date, str, str]]:
    """The newest status, a due date that lies ahead, and weeks that would not be over today."""
    longest, today = situation.days("pregnancy_longest"), situation.now.date()
    for lab in _known(situation, "pregnancy-status")[:1]:
        if lab.positive and lab.moment is not None and lab.moment.days_until(situation.now) <= longest:
            yield lab.moment.day, f"pregnancy status of {on_day(lab.moment)}: pregnant", lab.reference
    for lab in _known(situation, "due-date")[:1]:
        if lab.moment is not None and lab.due is not None and today <= lab.due <= _plus(today, longest):
            yield lab.moment.day, f"a due date that lies ahead ({lab.due.isoformat()})", lab.reference
    for lab in _known(situation, "gestation")[:1]:
        if lab.moment is not None and lab.amount is not None:
            weeks = lab.amount.value + lab.moment.days_until(situation.now) // 7
            if lab.amount.value > 0 and weeks * 7 <= longest:
                yield lab.moment.day, f"weeks of pregnancy counted on {on_day(lab.moment)}", lab.reference


def _plus(day: date, days: int) -> date:
    return date.fromordinal(min(day.toordinal() + days, date.max.toordinal()))


def _known(situation: Situation, name: str) -> list[Lab]:
    """Readable results of that name, newest first."""
    labs = [
        lab for lab in situation.chart.lab(name) if lab.moment is not None and not lab.problem and lab.status in COUNTED
    ]
    return sorted(labs, key=lambda lab: (lab.moment.sort_key() if lab.moment else (), lab.positive), reverse=True)


def _recent(situation: Situation, lab: Lab) -> bool:
    assert lab.moment is not None
    return 0 <= lab.moment.days_until(situation.now) <= situation.days("pregnancy_test_valid")
