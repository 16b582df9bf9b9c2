"""Other drugs as they were taken: renewals joined, so that a drug starts once and stops once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

import msgspec

from cds.chart.model import DrugUse
from cds.chart.times import Moment
from cds.plan.declare import Numbers

_ONE_DRUG = {"prednisolone": "prednisone"}
"""Names under which one dose continues another: the two are equivalent mg for mg."""


class Renewals(Numbers, frozen=True):
    """The most days between two orders, or two doses, of one episode; and the days after a dose that still count as now."""

    resume_gap: int
    given_apart: int
    just_given: int


class Episode(msgspec.Struct, frozen=True):
    """One drug without interruption. ``end`` is None while it goes on, or if it is not known (``end_unknown``)."""

    name: str
    valueset: str
    uses: tuple[DrugUse, ...]
    start: Moment | None
    end: Moment | None
    active: bool
    end_unknown: bool = False

    @property
    def washout(self) -> str:
        """The definition that says for how long it raises platelets after its end; empty for most drugs."""
        return self.uses[0].washout

    @property
    def references(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(use.reference for use in self.uses))


def episodes_of(uses: Sequence[DrugUse], renewals: Renewals, now: datetime) -> list[Episode]:
    """The episodes that ``uses`` make, drug by drug; drafts are not part of any."""
    by_name: dict[str, list[DrugUse]] = {}
    for use in uses:
        if not use.draft:
            by_name.setdefault(_ONE_DRUG.get(use.name, use.name), []).append(use)
    return [episode for several in by_name.values() for episode in _joined(several, renewals, now)]


def dose_changes(episode: Episode) -> Iterator[Moment]:
    """The times at which an order asks for another dose than the one before it; unknown doses are skipped."""
    known: Decimal | None = None
    for use in episode.uses:
        if use.per_day is None or use.start is None or use.given:
            continue
        if known is not None and use.per_day != known:
            yield use.start
        known = use.per_day


def _joined(uses: list[DrugUse], renewals: Renewals, now: datetime) -> list[Episode]:
    undated = [_episode([use], renewals, now) for use in uses if use.start is None]
    groups: list[list[DrugUse]] = []
    reached: Moment | None = None
    for use in sorted((use for use in uses if use.start is not None), key=_begun):
        assert use.start is not None
        allowed = renewals.given_apart if use.given else renewals.resume_gap
        if groups and (reached is None or reached.days_to(use.start) <= allowed):
            groups[-1].append(use)
            reached = _later(reached, _until(use))
        else:
            groups.append([use])
            reached = _until(use)
    return [*undated, *(_episode(group, renewals, now) for group in groups)]


def _begun(use: DrugUse) -> tuple[date, object, str]:
    assert use.start is not None
    return (*use.start.sort_key(), use.reference)


def _until(use: DrugUse) -> Moment | None:
    """Where a use ends; None while it goes on. An order that is over at an unknown time reaches only its start."""
    return None if use.status == "active" and use.end is None else use.end or use.start


def _later(one: Moment | None, other: Moment | None) -> Moment | None:
    return None if one is None or other is None else max(one, other, key=Moment.sort_key)


def _episode(uses: list[DrugUse], renewals: Renewals, now: datetime) -> Episode:
    starts = [use.start for use in uses if use.start is not None]
    active = any(use.status == "active" for use in uses)
    given = [use.end or use.start for use in uses if use.given]
    recent = any(m is not None and m.days_until(now) <= renewals.just_given for m in given)
    last = max((m for use in uses if (m := _until(use)) is not None), key=Moment.sort_key, default=None)
    unknown = not active and all(use.end is None and not use.given for use in uses)
    end = None if active or unknown else last
    return Episode(
        uses[0].name,
        uses[0].valueset,
        tuple(uses),
        min(starts, key=Moment.sort_key, default=None),
        end,
        active or recent,
        unknown,
    )
