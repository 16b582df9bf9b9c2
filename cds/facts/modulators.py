"""Drugs that move the level of sirolimus, and what a usable level has shown of each: nothing yet, in target, or out of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from cds.chart.model import DrugUse
from cds.chart.times import Moment
from cds.facts.episodes import Episode, dose_changes, episodes
from cds.facts.levels import Judged, beyond, is_decided, since_last_change
from cds.facts.record import Named, on_day
from cds.facts.situation import Situation

State = Literal["unsettled", "out_of_target", "in_target"]
STATES: tuple[State, ...] = ("unsettled", "out_of_target", "in_target")


@dataclass(frozen=True, slots=True)
class Meeting:
    """One modulator beside sirolimus. ``level_age``: days since the level that settled it."""

    name: str
    state: State
    references: tuple[str, ...]
    note: str
    draft: bool = False
    stated: bool = False
    level_age: int | None = None
    start: Moment | None = None

    def rank(self) -> tuple[int, str]:
        """The worst first."""
        return STATES.index(self.state), self.name

    def named(self) -> Named:
        return Named(self.name, self.note, self.references, draft=self.draft)

    def new_for(self, situation: Situation, shown: str) -> bool:
        """Whether it, or sirolimus after it, began so lately; on order hooks always."""
        starts = [moment for moment in (self.start, situation.course.start) if moment is not None]
        if situation.ordering or self.start is None or not starts:
            return True
        return max(starts, key=Moment.sort_key).days_until(situation.now) <= situation.days(shown)


def meetings(situation: Situation, *valuesets: str) -> Iterator[Meeting]:
    """Each modulator that is taken or drafted beside sirolimus."""
    running = {each.name: each for each in episodes(situation, *valuesets) if each.active}
    drafts = _drafts(situation, valuesets)
    for use in drafts:
        yield _of_draft(situation, use, running.get(use.name))
    drafted = {use.name for use in drafts}
    if not (situation.drafts if situation.ordering else situation.taking):
        return
    for name, episode in running.items():
        if name not in drafted:
            yield _of_episode(situation, episode)


def _drafts(situation: Situation, valuesets: tuple[str, ...]) -> list[DrugUse]:
    if not situation.ordering:
        return []
    also = situation.taking or situation.other_drafts
    return [
        use
        for use in situation.chart.drugs
        if use.valueset in valuesets and use.draft and (situation.drafts or (use.selected and also))
    ]


def _of_draft(situation: Situation, use: DrugUse, running: Episode | None) -> Meeting:
    """A draft of what is taken already at the same dose is a renewal, and as settled as that; any other draft is new."""
    by_name = ", matched by name" if use.by_name else ""
    note = f"draft order{by_name}"
    if running is None or _raises(use, running) or situation.draft_raises:
        return Meeting(use.name, "unsettled", (use.reference,), note, draft=True)
    state, age = _settled(situation, running)
    return Meeting(use.name, state, (use.reference,), f"{note}, a renewal", True, level_age=age, start=running.start)


def _raises(use: DrugUse, running: Episode) -> bool:
    """Whether a draft asks for more than is taken, as far as both doses are known."""
    before = next((each.per_day for each in reversed(running.uses) if each.per_day is not None), None)
    return before is not None and use.per_day is not None and use.per_day > before


def _of_episode(situation: Situation, episode: Episode) -> Meeting:
    by_name = ", matched by name" if any(use.by_name for use in episode.uses) else ""
    stated = all(use.reference.startswith("MedicationStatement") for use in episode.uses)
    state, age = ("unsettled", None) if situation.draft_raises else _settled(situation, episode)
    note = f"since {on_day(episode.start)}{by_name}"
    return Meeting(episode.name, state, episode.references, note, False, stated, age, episode.start)


def _settled(situation: Situation, episode: Episode) -> tuple[State, int | None]:
    """What the newest level says that was usable, and drawn long enough after the last change of either drug."""
    changes = situation.course.changes[0 if situation.start_known else 1 :]  # a start that nobody saw is no change
    moments = [episode.start, *dose_changes(episode), *(change.moment for change in changes)]
    if episode.start is None:
        return "unsettled", None
    settled_from = max(moment.day for moment in moments if moment is not None) + timedelta(
        days=situation.settles_after(episode.valueset)
    )
    for each in situation.judged:
        if _shows(situation, each, settled_from):
            assert each.lab.moment is not None and each.lab.amount is not None
            age = each.lab.moment.days_until(situation.now)
            numbers = situation.knowledge.protocol.numbers
            if not is_decided(each.lab.amount, numbers):
                return "unsettled", None  # nobody knows on which side of the target it is
            inside = beyond(each.lab.amount, numbers) == 0
            return ("in_target" if inside else "out_of_target"), age
    return "unsettled", None


def _shows(situation: Situation, each: Judged, settled_from: date) -> bool:
    moment = each.lab.moment
    if each.verdict != "usable" or moment is None or each.lab.amount is None:
        return False
    recent = moment.days_until(situation.now) <= situation.days("level_max_age")
    return moment.day >= settled_from and recent and since_last_change(situation, each.lab)
