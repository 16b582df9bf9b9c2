"""Operations that lie ahead, and when sirolimus would be paused before a major one."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from cds.chart.model import Plan
from cds.facts.record import Named, on_day
from cds.facts.situation import Situation


def put_surgery(situation: Situation) -> None:
    """State the operations that lie ahead of a patient who takes sirolimus, or who is being ordered one of the two."""
    facts, now = situation.facts, situation.now
    notice = situation.days("surgery_notice")
    asked = situation.drafts or not situation.ordering
    ahead = [(-plan.day.days_until(now), plan) for plan in situation.chart.plans if asked or plan.draft]
    plans = sorted(((days, plan) for days, plan in ahead if days >= 0), key=lambda each: each[0])
    if not plans or not (situation.taking or situation.drafts):
        facts.miss("no operation is planned", "surgery_planned", "days_to_surgery")
        return
    soon = {plan.display: (days, plan) for days, plan in reversed(plans) if days <= notice or plan is plans[0][1]}
    named = [
        Named(words.lower(), _note(situation, days, plan), (plan.reference,)) for words, (days, plan) in soon.items()
    ]
    references = [plan.reference for _, plan in soon.values()]
    facts.put("surgery_planned", sorted(named, key=lambda each: each.note), *references)
    facts.put("days_to_surgery", Decimal(plans[0][0]), *references)


def put_past_surgery(situation: Situation) -> None:
    """How long ago the newest operation was, whatever it was."""
    done = [event for event in situation.chart.events if event.name in ("surgery", "splenectomy") and event.moment]
    newest = max(done, key=lambda event: event.moment.sort_key() if event.moment else (), default=None)
    if newest is None or newest.moment is None:
        situation.facts.miss("no operation is on record", "days_since_surgery")
        return
    days = Decimal(newest.moment.days_until(situation.now))
    situation.facts.put("days_since_surgery", days, newest.reference, on=newest.moment.day)


def _note(situation: Situation, days: int, plan: Plan) -> str:
    """When it is, and when sirolimus would be paused if it is a major one."""
    today = situation.now.date()
    first, last = sorted((situation.days("surgery_pause_to"), situation.days("surgery_pause_from")))
    day = today + timedelta(days=days)
    begin, end = day - timedelta(days=last), day - timedelta(days=first)
    if end < today:
        return f"on {on_day(plan.day)}; the usual pause would have begun by {end.isoformat()}"
    return f"on {on_day(plan.day)}; a pause would begin between {begin.isoformat()} and {end.isoformat()}"
