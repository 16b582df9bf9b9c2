"""Tests before and on sirolimus, and Pneumocystis: rules/schedule.yaml, rules/monitoring; docs/rules.md, "Facts".

Rules: baseline-workup, monitoring-overdue, pjp-prophylaxis.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from tests.oracle import labs, readings
from tests.oracle.asked import on_its_way
from tests.oracle.codes import (
    CICLOSPORIN,
    IMMUNOSUPPRESSANTS,
    LABS,
    MTOR_INHIBITORS,
    PJP_PROPHYLAXIS,
    PLATELETS,
    RITUXIMAB,
    SCREENING,
    TACROLIMUS,
)
from tests.oracle.course import Course, sirolimus
from tests.oracle.hepatitis import passive
from tests.oracle.interactions import stretches_of
from tests.oracle.record import Record
from tests.oracle.safety import Fires, first_order, ordered, taking
from tests.oracle.steroids import prednisone


@dataclass(frozen=True)
class Watched:
    """A test of the schedule: how old it may be before the first dose, and its intervals in the four stretches."""

    means: str
    seen_by: tuple[str, ...]
    baseline: int
    every: tuple[int, int, int, int] | None = None


SCHEDULE = [  # rules/schedule.yaml
    Watched("blood count", ("platelets", "hemoglobin", "neutrophils", "blood-count"), 7, (7, 14, 30, 90)),
    Watched("lipids", ("triglycerides", "cholesterol", "lipids"), 90, (28, 90, 90, 365)),
    Watched("creatinine", ("creatinine",), 30, (28, 30, 90, 90)),
    Watched("liver enzymes", ("alt", "ast", "liver-panel"), 30, (28, 30, 90, 90)),
    Watched("glucose", ("glucose", "random-glucose", "hba1c"), 30, (28, 30, 90, 90)),
    Watched("protein in urine", ("protein-ratio", "albumin-ratio"), 90, (0, 90, 90, 180)),
    Watched("hepatitis B surface antigen", ("hbsag",), 36500),
    Watched("hepatitis B core antibody", ("anti-hbc",), 36500),
    Watched("hepatitis C", ("hepatitis-c",), 36500),
    Watched("HIV", ("hiv",), 36500),
    Watched("tuberculosis", ("tuberculosis-test",), 36500),
]
STRETCHES = (28, 90, 182)  # last days of the first three stretches
OVERDUE_SHARE = Decimal("1.5")
FOUND = ("hepatitis-c", "hiv", "tuberculosis-test")
RISK_SHOWN, STEROID, STEROID_DAYS, RITUXIMAB_ACTS, INFANT = 14, 20, 28, 180, 2
LYMPHOCYTES_3 = Decimal("0.5")


def rules(record: Record, course: Course) -> Fires:
    """The monitoring rules that fire."""
    fires = _baseline(record)
    watched = not record.ordering and record.itp and taking(course) and course.start_known
    if watched and course.start and any(_overdue(record, w, course.start) for w in SCHEDULE):
        fires["monitoring-overdue"] = ("info", "")
    here = (record.hook == "order-sign" and ordered(record)) or (not record.ordering and taking(course))
    risks = _risks(record, course) if here else []
    if risks and not _prevented(record):
        fires["pjp-prophylaxis"] = ("info", "")
    return fires


def last_seen(record: Record, watched: Watched) -> date | None:
    """The day of the newest final result of a test."""
    days = []
    for v in record.values:
        name = "platelets" if PLATELETS.get(v.code, "rejected") == "" else LABS.get(v.code, "")
        if name in watched.seen_by and (v.status != "preliminary" or readings.PRELIMINARY_IS_DONE):
            days.append(v.when.day)
    for t in record.tests:
        # a core antibody that may be the donors' does not count as screening
        donors = SCREENING[t.code] == "anti-hbc" and t.positive and passive(record, t)
        if SCREENING[t.code] in watched.seen_by and not donors:
            days.append(t.when.day)
    return max(days, default=None)


def _overdue(record: Record, watched: Watched, start: date) -> bool:
    """Half the interval again has passed since the last result on the course.

    The interval is that of the stretch of today; where there is no result on the course, the first one there is, counted
    from the start: it is not wanted later because it never came.
    """
    if watched.every is None:
        return False
    seen = last_seen(record, watched)
    day = (record.today - start).days
    interval = watched.every[sum(day > last for last in STRETCHES)]
    if seen is None or seen <= start:
        interval = next(every for every in watched.every if every)
    passed = (record.today - max(seen or start, start)).days
    limit = interval * OVERDUE_SHARE
    late = interval > 0 and (passed > limit or (passed == limit and readings.OVERDUE_ON_THE_DAY))
    return late and not on_its_way(record, watched.seen_by, seen)


def _baseline(record: Record) -> Fires:
    """At signing of a first order: infections that were found, else what is missing or too old."""
    if record.hook != "order-sign" or not first_order(record):
        return {}
    if any(SCREENING[t.code] in FOUND and t.positive for t in record.tests):
        return {"baseline-workup": ("warning", "")}
    missing = []
    for watched in SCHEDULE:
        seen = last_seen(record, watched)
        fresh = seen is not None and (record.today - seen).days <= watched.baseline
        if not fresh and not on_its_way(record, watched.seen_by, seen):
            missing.append(watched.means)
    if not missing or not record.itp:
        return {}
    return {"baseline-workup": ("info", "")}


def _prevented(record: Record) -> bool:
    """A drug against Pneumocystis is taken or being ordered."""
    own = [o for o in record.orders + record.unselected + record.stated if o.code in PJP_PROPHYLAXIS]
    return any(o.draft or o.end is None or o.end > record.today for o in own)


def _steroid_since(record: Record) -> date | None:
    """Since when 20 mg of prednisone a day or more have been taken without a break."""
    day = record.today
    if prednisone(record, day) < STEROID:
        return None
    while prednisone(record, day - timedelta(days=1)) >= STEROID:
        day -= timedelta(days=1)
    return day


def _risks(record: Record, course: Course) -> list[str]:
    """What raises the risk, each while it is new: for 14 days, at the earliest from the start of sirolimus."""
    over = record.ordering and course.over(record.today)
    begun = record.today if course.start is None or over else course.start
    start = record.today if readings.RESUMING_IS_NEW and record.ordering and not taking(course) else begun
    known = readings.FIRST_ORDER_STANDS_FOR_THE_START or course.start_known or bool(over and sirolimus(record))

    def new(since: date) -> bool:
        return 0 <= (record.today - max(since, start)).days <= RISK_SHOWN

    risks = []
    if record.age(record.today) < INFANT and known and (record.today - begun).days <= RISK_SHOWN:
        risks.append("age under two years")
    steroid = _steroid_since(record)
    if steroid is not None and new(steroid + timedelta(days=STEROID_DAYS)):
        risks.append("corticosteroid")
    seconds = IMMUNOSUPPRESSANTS | CICLOSPORIN | TACROLIMUS
    if readings.MTOR_INHIBITOR_IS_A_SECOND:
        seconds |= MTOR_INHIBITORS
    drugs = [*sorted(record.orders, key=lambda o: o.id), *sorted(record.stated, key=lambda o: o.id)]
    taken = stretches_of(record, [o for o in drugs if o.code in seconds and not o.draft])
    second = [(seconds[s.code], s.start) for s in taken if s.end is None]
    infusions = [w.day for code, w in record.given if code in RITUXIMAB]
    if infusions and (record.today - max(infusions)).days <= RITUXIMAB_ACTS:
        second.insert(0, ("rituximab", max(infusions)))
    risks += list(dict.fromkeys(name for name, since in second if new(since)))
    cells = labs.newest(record, "lymphocytes")  # "neutropenia is no reason (co-trimoxazole worsens it)"
    if cells and cells.value < LYMPHOCYTES_3:
        risks.append("few lymphocytes")
    return risks
