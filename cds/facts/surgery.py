"""Operations that lie ahead, and when sirolimus would be paused before a major one."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from cds.facts.record import Named, on_day
from cds.facts.situation import Situation


def put_surgery(situation: Situation) -> None:
    """State the next operation of a patient who takes sirolimus, or who is being ordered one of the two."""
    facts, now = situation.facts, situation.now
    names = ("surgery_planned", "days_to_surgery", "surgery_pause")
    asked = situation.drafts or not situation.ordering
    plans = [
        (-plan.day.days_until(now), plan)
        for plan in situation.chart.plans
        if plan.day.days_until(now) <= 0 and (asked or plan.draft)
    ]
    if not plans or not (situation.taking or situation.drafts):
        facts.miss("no operation is planned", *names)
        return
    days, _ = min(plans, key=lambda each: each[0])
    soonest = {plan.display: plan for away, plan in plans if away == days}
    named = [Named(words.lower(), f"on {on_day(plan.day)}", (plan.reference,)) for words, plan in soonest.items()]
    references = [plan.reference for plan in soonest.values()]
    facts.put("surgery_planned", named, *references)
    facts.put("days_to_surgery", Decimal(days), *references)
    day = now.date() + timedelta(days=days)
    first, last = situation.days("surgery_pause_from"), situation.days("surgery_pause_to")
    begin, end = day - timedelta(days=first), day - timedelta(days=last)
    facts.put("surgery_pause", f"between {begin.isoformat()} and {end.isoformat()} ({first} to {last} days before)")
