"""Pregnancy: by a test, as a condition, by its status, by a due date that lies ahead, or by weeks counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from cds.chart.labs import COUNTED
from cds.chart.model import Lab, Problem, Unread
from cds.chart.words import on_day
from cds.course.kinds import Labs, Problems
from cds.course.patient import Patient
from cds.course.problems import active
from cds.plan.declare import Answer, Days, Known, Unknown, flag, part, text

_NOT_ASKED = "sirolimus is neither taken nor ordered, or the patient is a man"
_NO_TEST = "no positive pregnancy test is on record"
_NO_SIGN = "no pregnancy is on record"
_WEEK = 7  # days


class Sign(NamedTuple):
    """One sign that the patient is pregnant: since which day, in words, and the resource."""

    since: date
    words: str
    reference: str


def _asked(patient: Patient) -> bool:
    return patient.concerned and patient.gender != "male"


@part
def unreadable_pregnancy_tests(
    hcg_labs: Labs,
    pregnancy_status_labs: Labs,
    due_date_labs: Labs,
    gestation_labs: Labs,
    patient: Patient,
    pregnancy_test_valid: Days,
    pregnancy_longest: Days,
) -> list[Unread]:
    """Recent signs of pregnancy that cannot be read, for a patient in whom pregnancy matters."""
    if not _asked(patient):
        return []
    signs = [*pregnancy_status_labs, *due_date_labs, *gestation_labs]
    spoke = [*((lab, pregnancy_test_valid) for lab in hcg_labs), *((lab, pregnancy_longest) for lab in signs)]
    return [
        Unread(lab.reference, lab.problem, "pregnancy")
        for lab, days in spoke
        if lab.problem and (lab.moment is None or _recent(lab, patient.now, days))
    ]


@flag("a recent pregnancy test, or another sign of pregnancy, cannot be read")
def pregnancy_unclear(unreadable_pregnancy_tests: list[Unread]) -> Answer[bool]:
    return Known(bool(unreadable_pregnancy_tests), [item.reference for item in unreadable_pregnancy_tests])


@part
def positive_test(
    hcg_labs: Labs, pregnancy_status_labs: Labs, patient: Patient, pregnancy_test_valid: Days
) -> Answer[Lab]:
    """The newest pregnancy test, if positive, unless a later day's status says she is not pregnant; a preliminary negative is ignored."""
    tests = [lab for lab in hcg_labs if lab.moment is not None and not lab.problem]
    known = [lab for lab in tests if lab.positive or lab.status in COUNTED]
    newest = max(known, key=lambda lab: (lab.moment.sort_key() if lab.moment else (), lab.positive), default=None)
    if not _asked(patient):
        return Unknown(_NOT_ASKED)
    if newest is None or not newest.positive or not _recent(newest, patient.now, pregnancy_test_valid):
        return Unknown(_NO_TEST)
    denied = [lab for lab in _known(pregnancy_status_labs)[:1] if not lab.positive]
    later = any(lab.moment and newest.moment and lab.moment.day > newest.moment.day for lab in denied)
    return Unknown("a later status says that she is not pregnant") if later else newest


@flag("a positive pregnancy test in the last {pregnancy_test_valid} days")
def pregnancy_test_positive(positive_test: Lab) -> Answer[bool]:
    return Known(True, [positive_test.reference])


@part
def pregnancy_signs(
    pregnant_problems: Problems,
    pregnancy_ended_problems: Problems,
    pregnancy_status_labs: Labs,
    due_date_labs: Labs,
    gestation_labs: Labs,
    pregnancy_longest: Days,
    patient: Patient,
) -> Answer[list[Sign]]:
    """Signs that the patient is pregnant, newest first, without those of a pregnancy that has ended since."""
    now, longest = patient.now, pregnancy_longest
    outcome = max((each.onset.day for each in pregnancy_ended_problems if each.onset), default=date.min)
    statuses = _known(pregnancy_status_labs)
    state = max((lab.moment.day for lab in statuses if lab.moment and not lab.positive), default=date.min)
    signs = [
        *(_of_condition(each, now) for each in active(pregnant_problems, now, longest)),
        *_of_status(statuses, now, longest),
        *_of_due_date(_known(due_date_labs), now, longest),
        *_of_weeks(_known(gestation_labs), now, longest),
    ]
    # an outcome ends a pregnancy recorded on the same day; of two statuses of one day it is not known which came first
    lasting = [sign for sign in signs if _asked(patient) and sign.since > outcome and sign.since >= state]
    return sorted(lasting, reverse=True) or Unknown(_NO_SIGN if _asked(patient) else _NOT_ASKED)


@flag("pregnancy is an active condition")
def pregnancy_on_record(pregnancy_signs: list[Sign]) -> Answer[bool]:
    return Known(True, [sign.reference for sign in pregnancy_signs], pregnancy_signs[0].since)


@text("the test or condition, with its date")
def pregnancy_evidence(positive_test: Lab | Unknown, pregnancy_signs: list[Sign] | Unknown) -> Answer[str]:
    if not isinstance(positive_test, Unknown):
        return f"positive pregnancy test on {on_day(positive_test.moment)}"
    return pregnancy_signs if isinstance(pregnancy_signs, Unknown) else pregnancy_signs[0].words


def _of_condition(problem: Problem, now: datetime) -> Sign:
    since = f" since {on_day(problem.onset)}" if problem.onset else ""
    words = f"pregnancy on the problem list{since}; consider closing it there if it has ended"
    return Sign(problem.onset.day if problem.onset else now.date(), words, problem.reference)


def _of_status(statuses: Sequence[Lab], now: datetime, longest: int) -> Iterator[Sign]:
    """The newest status."""
    for lab in statuses[:1]:
        if lab.positive and lab.moment is not None and lab.moment.days_until(now) <= longest:
            yield Sign(lab.moment.day, f"pregnancy status of {on_day(lab.moment)}: pregnant", lab.reference)


def _of_due_date(labs: Sequence[Lab], now: datetime, longest: int) -> Iterator[Sign]:
    """A due date that lies ahead."""
    for lab in labs[:1]:
        if lab.moment is not None and lab.due is not None and now.date() <= lab.due <= _plus(now.date(), longest):
            yield Sign(lab.moment.day, f"a due date that lies ahead ({lab.due.isoformat()})", lab.reference)


def _of_weeks(labs: Sequence[Lab], now: datetime, longest: int) -> Iterator[Sign]:
    """A count of weeks by which the pregnancy would not have ended by today."""
    for lab in labs[:1]:
        if lab.moment is not None and lab.amount is not None:
            weeks = lab.amount.value + lab.moment.days_until(now) // _WEEK
            if lab.amount.value > 0 and weeks * _WEEK <= longest:
                yield Sign(lab.moment.day, f"weeks of pregnancy counted on {on_day(lab.moment)}", lab.reference)


def _plus(day: date, days: int) -> date:
    return date.fromordinal(min(day.toordinal() + days, date.max.toordinal()))


def _known(labs: Sequence[Lab]) -> list[Lab]:
    """Readable results, newest first."""
    labs = [lab for lab in labs if lab.moment is not None and not lab.problem and lab.status in COUNTED]
    return sorted(labs, key=lambda lab: (lab.moment.sort_key() if lab.moment else (), lab.positive), reverse=True)


def _recent(lab: Lab, now: datetime, valid: int) -> bool:
    assert lab.moment is not None
    return 0 <= lab.moment.days_until(now) <= valid
