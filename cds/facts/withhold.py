"""What prevents any offer of more sirolimus: the one place that proposals check. The reasons are in rules/withhold.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cds.compiled.knowledge import Condition, Withheld
from cds.compiled.truth import truth
from cds.plan.declare import Answer, Named, Told, names, part

_LASTS = "while it is on record"
_NONE = "nothing on record is against a higher dose"
Reasons = list[tuple[Withheld, Named]]


@part
def reasons(told: Told, withheld: tuple[Withheld, ...], withheld_days: dict[str, int]) -> Reasons:
    """Every reason that holds."""
    found = []
    for each in withheld:
        if branch := _first_that_holds(each, told.values):
            references = dict.fromkeys(reference for test in branch for reference in told.references(test.fact))
            named = Named(each.says, _for_how_long(each, told, withheld_days), tuple(references), fact=each.id)
            found.append((each, named))
    return found


def _first_that_holds(reason: Withheld, values: Mapping[str, Any]) -> tuple[Condition, ...]:
    for branch in reason.branches:
        for test in branch:
            if not truth(test, values):
                break
        else:
            return branch
    return ()


def _for_how_long(each: Withheld, told: Told, withheld_days: dict[str, int]) -> str:
    """Since when, and until when at most."""
    since = told.on(each.since) if each.since in told.values else None
    if since is None:
        return _LASTS
    words = f"since {since.isoformat()}"
    if not each.days:
        return f"{words}, {_LASTS}"
    return f"{words}, until {(since + timedelta(days=withheld_days[each.days])).isoformat()} at most"


@names("why nothing offers a higher dose: the harms, and what else is against it", none=_NONE)
def rise_withheld(reasons: Reasons) -> Answer[list[Named]]:
    return [named for _, named in reasons]


@names("what is on record that asks for less sirolimus, each with its days", none=_NONE)
def harms(reasons: Reasons) -> Answer[list[Named]]:
    return [named for each, named in reasons if each.asks_less]


@part
def rise_reasons(reasons: Reasons) -> str:
    """Why no dose increase may be offered, in words; empty if one may. Only the first two reasons are named."""
    return ", ".join(f"{named.name} ({named.note})" if named.note != _LASTS else named.name for _, named in reasons[:2])
