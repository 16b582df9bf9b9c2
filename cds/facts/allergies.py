"""Allergies that speak against sirolimus, or against its oral solution."""

from __future__ import annotations

from cds.facts.record import Named, on_day
from cds.facts.situation import Situation

_FACTS = {"sirolimus_allergies": "sirolimus-allergy", "excipient_allergies": "soya-or-peanut"}


def put_allergies(situation: Situation) -> None:
    """State them, where sirolimus is taken or being ordered, and the drafts that could be left out again."""
    facts = situation.facts
    for fact, name in _FACTS.items():
        found = [each for each in situation.chart.allergies if each.name == name]
        if found and situation.concerned:
            unique = {each.display.lower(): each for each in found}
            named = [
                Named(display, f"recorded {on_day(each.onset)}", (each.reference,)) for display, each in unique.items()
            ]
            facts.put(fact, named, *(each.reference for each in found))
        else:
            facts.miss("no such allergy is on record", fact)
    drafts = [Named("sirolimus", "draft order", (draft.reference,), draft=True) for draft in situation.drafts]
    if drafts:
        facts.put("sirolimus_drafts", drafts, *(draft.reference for draft in situation.drafts))
    else:
        facts.miss("sirolimus is not among the draft orders", "sirolimus_drafts")
