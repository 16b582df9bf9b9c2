"""Operations: planned ones, when sirolimus would be paused before a major one, and the most recent past one."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from cds.chart.model import Plan
from cds.chart.words import on_day
from cds.course.kinds import Events, Problems
from cds.course.patient import Patient
from cds.course.problems import active, listed_problems
from cds.plan.declare import Answer, Days, Known, Named, Numbers, Unknown, names, number, part

Ahead = list[tuple[int, Plan]]


class Pause(Numbers, frozen=True):
    """Days before an operation: for how many it is reported, and between which a pause would begin."""

    surgery_notice: int
    surgery_pause_from: int
    surgery_pause_to: int


@part
def operations_ahead(patient: Patient, plans: tuple[Plan, ...], pause: Pause) -> Answer[Ahead]:
    """The next operation and others soon, each once with the days until it, if sirolimus is taken or being ordered."""
    asked = patient.drafts or not patient.ordering
    ahead = [(-plan.day.days_until(patient.now), plan) for plan in plans if asked or plan.draft]
    ordered = sorted(((days, plan) for days, plan in ahead if days >= 0), key=lambda each: each[0])
    if not ordered or not (patient.taking or patient.drafts):
        return Unknown("no operation is planned")
    next_one = ordered[0][1]
    near = [each for each in reversed(ordered) if each[0] <= pause.surgery_notice or each[1] is next_one]
    return list({plan.display: (days, plan) for days, plan in near}.values())


@names("the next operation that is ordered or booked, and those that follow soon", none="no operation is planned")
def surgery_planned(operations_ahead: Ahead, patient: Patient, pause: Pause) -> Answer[list[Named]]:
    named = [
        Named(plan.display.lower(), _note(patient, days, plan, pause), (plan.reference,))
        for days, plan in operations_ahead
    ]
    return Known(sorted(named, key=lambda each: each.note), [plan.reference for _, plan in operations_ahead])


@number("day", "1", "days until the next operation")
def days_to_surgery(operations_ahead: Ahead) -> Answer[Decimal]:
    days, plan = min(operations_ahead, key=lambda each: each[0])
    return Known(Decimal(days), [plan.reference])


@names("a wound that has opened again, of the last {surgery_heals} days", none="none is on record")
def open_wounds(open_wound_problems: Problems, surgery_heals: Days, now: datetime) -> Answer[list[Named]]:
    return listed_problems(active(open_wound_problems, now, surgery_heals))


@number("day", "1", "days since the newest operation")
def days_since_surgery(surgery_events: Events, splenectomy_events: Events, patient: Patient) -> Answer[Decimal]:
    done = [event for event in (*surgery_events, *splenectomy_events) if event.moment]
    newest = max(done, key=lambda event: event.moment.sort_key() if event.moment else (), default=None)
    if newest is None or newest.moment is None:
        return Unknown("no operation is on record")
    return Known(Decimal(newest.moment.days_until(patient.now)), [newest.reference], newest.moment.day)


def _note(patient: Patient, days: int, plan: Plan, pause: Pause) -> str:
    """When the operation is, and when sirolimus would be paused if it is a major one."""
    today = patient.now.date()
    first, last = sorted((pause.surgery_pause_to, pause.surgery_pause_from))
    day = today + timedelta(days=days)
    begin, end = day - timedelta(days=last), day - timedelta(days=first)
    if end < today:
        return f"on {on_day(plan.day)}; the usual pause would have begun by {end.isoformat()}"
    return f"on {on_day(plan.day)}; a pause would begin between {begin.isoformat()} and {end.isoformat()}"
