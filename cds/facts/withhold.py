"""What keeps anything from offering more sirolimus: the one place that proposals ask. The reasons are rules/withhold.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from cds.facts.record import Named
from cds.facts.situation import Situation
from cds.knowledge.compiled import Withheld
from cds.knowledge.truth import truth

_LASTS = "while it is on record"


def put_withheld(situation: Situation) -> None:
    """State every reason that holds: those that ask for less, and all of them."""
    found = list(_holding(situation))
    for fact, kept in (("rise_withheld", found), ("harms", [each for each in found if each[0].asks_less])):
        if kept:
            references = [reference for _, named in kept for reference in named.references]
            situation.facts.put(fact, [named for _, named in kept], *references)
        else:
            situation.facts.miss("nothing on record speaks against a higher dose", fact)


def rise_withheld(situation: Situation) -> str:
    """Why no rise may be offered, in words; empty where one may. The first reason stands for all."""
    reasons = situation.facts.values.get("rise_withheld", ())
    return ", ".join(
        f"{reason.name} ({reason.note})" if reason.note != _LASTS else reason.name for reason in reasons[:2]
    )


def _holding(situation: Situation) -> Iterator[tuple[Withheld, Named]]:
    for each in situation.knowledge.withheld:
        branch = next(
            (tests for tests in each.branches if all(truth(test, situation.facts.values) for test in tests)), None
        )
        if branch is not None:
            evidence = situation.facts.evidence
            references = tuple(dict.fromkeys(r for test in branch for r in evidence.get(test.fact, ())))
            yield each, Named(each.says, _for_how_long(situation, each), references, fact=each.id)


def _for_how_long(situation: Situation, each: Withheld) -> str:
    """Since when, and until when at most."""
    since = situation.facts.dates.get(each.since)
    if since is None:
        return _LASTS
    words = f"since {since.isoformat()}"
    if not each.days:
        return f"{words}, {_LASTS}"
    return f"{words}, until {(since + timedelta(days=situation.days(each.days))).isoformat()} at most"
