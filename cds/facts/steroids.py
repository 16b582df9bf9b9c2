"""Corticosteroids as prednisone: what is taken now, all together, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from cds.chart.model import DrugUse
from cds.facts.episodes import Episode, episodes
from cds.facts.record import on_day, rounded, said
from cds.facts.situation import Situation

_AS_PREDNISONE = {
    "methylprednisolone": "methylprednisolone_as_prednisone",
    "dexamethasone": "dexamethasone_as_prednisone",
}


def put_steroid(situation: Situation) -> None:
    """The corticosteroids that are taken now, together, and for how long they have been above the dose that counts."""
    facts, limit = situation.facts, situation.definitions["steroid_dose"]
    names = ("prednisone_daily", "days_on_steroid", "steroid_report")
    line, exact = _steroids(situation), _all_known(situation)
    total = line[-1][1] if line else Decimal(0)
    if not _taken(situation):
        facts.miss("no corticosteroid is taken", *names)
        return
    if not line or not (exact or total > limit):
        facts.miss("the dose of the corticosteroid is not known", *names)
        return
    facts.put("prednisone_daily", total, line[-1][0].reference)
    since = _since(line, lambda dose: dose > limit)
    if since is None or since.start is None:
        facts.miss(f"it is not above {said(limit)} mg/day", "days_on_steroid", "steroid_report")
        return
    facts.put("days_on_steroid", Decimal(since.start.days_until(situation.now)), since.reference)
    taken = " and ".join(dict.fromkeys(episode.name for episode in _taken(situation)))
    facts.put(
        "steroid_report",
        f"{taken} as {'' if exact else 'at least '}{rounded(total, '0.1')} mg/day of prednisone, above {said(limit)} mg/day since {on_day(since.start)}",
    )


def _taken(situation: Situation) -> list[Episode]:
    return [episode for episode in episodes(situation, "corticosteroid") if episode.active]


def _steroids(situation: Situation) -> list[tuple[DrugUse, Decimal]]:
    """Each change of the corticosteroids that are taken now, oldest first, and what they come to from it on, in mg of prednisone.

    Of several the doses are added; one that is not known adds nothing, so that the sum is the least that is taken.
    """
    changes = [(use, place) for place, episode in enumerate(_taken(situation)) for use in episode.uses if use.start]
    doses: dict[int, Decimal] = {}
    line = []
    for use, place in sorted(changes, key=lambda change: change[0].start.sort_key()):  # type: ignore[union-attr]  # filtered above
        doses[place] = as_prednisone(situation, use) or Decimal(0)
        line.append((use, sum(doses.values(), Decimal(0))))
    return line


def _all_known(situation: Situation) -> bool:
    """Whether the newest dose of each corticosteroid that is taken, and its begin, are known."""
    newest = [_in_time(episode)[-1:] for episode in _taken(situation)]
    return all(uses and as_prednisone(situation, uses[0]) is not None for uses in newest)


def _in_time(episode: Episode) -> list[DrugUse]:
    return sorted((use for use in episode.uses if use.start is not None), key=lambda use: use.start.sort_key())  # type: ignore[union-attr]


def as_prednisone(situation: Situation, use: DrugUse) -> Decimal | None:
    factor = situation.definitions[_AS_PREDNISONE[use.name]] if use.name in _AS_PREDNISONE else Decimal(1)
    return use.per_day * factor if use.per_day is not None else None


def steroid_from(situation: Situation, limit: Decimal) -> DrugUse | None:
    """The use from which on the corticosteroids that are taken now have been at or above ``limit`` mg/day of prednisone."""
    return _since(_steroids(situation), lambda dose: dose >= limit)


def _since(line: Sequence[tuple[DrugUse, Decimal]], enough: Callable[[Decimal], bool]) -> DrugUse | None:
    """The use from which on every dose, up to the newest, has been enough."""
    since = None
    for use, dose in reversed(line):
        if not enough(dose):
            break
        since = use
    return since
