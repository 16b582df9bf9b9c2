"""Corticosteroids as prednisone: what is taken now, all together, and since when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec

from cds.chart.model import DrugUse
from cds.course.episodes import Episode
from cds.course.kinds import Episodes
from cds.plan.declare import Numbers, part


class Equivalents(Numbers, frozen=True):
    """Mg of prednisone equivalent to one mg of each steroid. The dose of one that is not among them is not known."""

    methylprednisolone_as_prednisone: Decimal
    dexamethasone_as_prednisone: Decimal

    def prednisone(self, use: DrugUse) -> Decimal | None:
        """Mg of prednisone a day; None where the dose is not known."""
        factors = {
            "prednisone": Decimal(1),
            "prednisolone": Decimal(1),
            "methylprednisolone": self.methylprednisolone_as_prednisone,
            "dexamethasone": self.dexamethasone_as_prednisone,
        }
        factor = factors.get(use.name)
        return use.per_day * factor if use.per_day is not None and factor is not None else None


Line = Sequence[tuple[DrugUse, Decimal]]


class Steroids(msgspec.Struct, frozen=True):
    """The corticosteroids that are taken now.

    ``line`` holds each change, oldest first, with the total from then on in mg of prednisone; an unknown dose adds nothing, so
    that the total is the least that is taken. ``exact`` says that all of the newest doses are known.
    """

    taken: tuple[Episode, ...]
    line: Line
    exact: bool

    @property
    def total(self) -> Decimal:
        """Mg of prednisone a day, now."""
        return self.line[-1][1] if self.line else Decimal(0)

    def since(self, enough: Callable[[Decimal], bool]) -> DrugUse | None:
        """The use from which on every dose, up to the newest, has been enough."""
        since = None
        for use, dose in reversed(self.line):
            if not enough(dose):
                break
            since = use
        return since


@part
def steroids(corticosteroid_episodes: Episodes, equivalents: Equivalents) -> Steroids:
    """The corticosteroids that are taken now; the doses of several are added."""
    taken = tuple(episode for episode in corticosteroid_episodes if episode.active)
    newest = [_in_time(episode)[-1:] for episode in taken]
    exact = all(uses and equivalents.prednisone(uses[0]) is not None for uses in newest)
    return Steroids(taken, _line(taken, equivalents), exact)


def _line(taken: Sequence[Episode], equivalents: Equivalents) -> Line:
    changes = [(use, place) for place, episode in enumerate(taken) for use in episode.uses if use.start]
    doses: dict[int, Decimal] = {}
    line = []
    for use, place in sorted(changes, key=lambda change: change[0].start.sort_key()):  # type: ignore[union-attr]  # filtered above
        doses[place] = equivalents.prednisone(use) or Decimal(0)
        line.append((use, sum(doses.values(), Decimal(0))))
    return line


def _in_time(episode: Episode) -> list[DrugUse]:
    return sorted((use for use in episode.uses if use.start is not None), key=lambda use: use.start.sort_key())  # type: ignore[union-attr]
