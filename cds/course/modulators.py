"""Drugs that change the sirolimus level, and what a usable level has shown for each: nothing yet, in target, or out of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Literal

import msgspec

from cds.chart.model import DrugUse
from cds.chart.times import Moment
from cds.chart.words import on_day
from cds.course.episodes import Episode, dose_changes
from cds.course.levels import Judged, Target, since_last_change
from cds.course.patient import Patient
from cds.plan.declare import Named, part

State = Literal["unsettled", "out_of_target", "in_target"]
STATES: tuple[State, ...] = ("unsettled", "out_of_target", "in_target")


class Meeting(msgspec.Struct, frozen=True):
    """One modulator together with sirolimus. ``level_age``: days since the level that settled it."""

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
        """As a card lists it."""
        return Named(self.name, self.note, self.references, draft=self.draft)

    def new_for(self, patient: Patient, days: int) -> bool:
        """Whether it, or sirolimus after it, began in the last ``days``; on order hooks always."""
        starts = [moment for moment in (self.start, patient.course.start) if moment is not None]
        if patient.ordering or self.start is None or not starts:
            return True
        return max(starts, key=Moment.sort_key).days_until(patient.now) <= days


class Judging(msgspec.Struct, frozen=True):
    """What tells how settled a modulator is."""

    patient: Patient
    levels: Sequence[Judged]
    target: Target
    settling: dict[str, int]

    def meetings(self, uses: Sequence[DrugUse], episodes: Sequence[Episode]) -> list[Meeting]:
        """Each modulator that is taken or drafted together with sirolimus."""
        return list(self._meetings(uses, {each.name: each for each in episodes if each.active}))

    def _meetings(self, uses: Sequence[DrugUse], running: dict[str, Episode]) -> Iterator[Meeting]:
        drafts = drafted(self.patient, uses)
        for use in drafts:
            yield self._of_draft(use, running.get(use.name))
        names = {use.name for use in drafts}
        if self.patient.drafts if self.patient.ordering else self.patient.taking:
            yield from (self._of_episode(episode) for name, episode in running.items() if name not in names)

    def _of_draft(self, use: DrugUse, running: Episode | None) -> Meeting:
        """A draft for a drug already taken at the same dose is a renewal, and as settled as that drug; any other draft is new."""
        by_name = ", matched by name" if use.by_name else ""
        note = f"draft order{by_name}"
        if running is None or _raises(use, running) or self.patient.draft_raises:
            return Meeting(use.name, "unsettled", (use.reference,), note, draft=True)
        state, age = self._settled(running)
        return Meeting(
            use.name, state, (use.reference,), f"{note}, a renewal", True, level_age=age, start=running.start
        )

    def _of_episode(self, episode: Episode) -> Meeting:
        by_name = ", matched by name" if any(use.by_name for use in episode.uses) else ""
        stated = all(use.reference.startswith("MedicationStatement") for use in episode.uses)
        state, age = ("unsettled", None) if self.patient.draft_raises else self._settled(episode)
        note = f"since {on_day(episode.start)}{by_name}"
        return Meeting(episode.name, state, episode.references, note, False, stated, age, episode.start)

    def _settled(self, episode: Episode) -> tuple[State, int | None]:
        """The state by the newest usable level that was drawn long enough after the last change of either drug, and its age in days."""
        if episode.start is None:
            return "unsettled", None
        settled_from = self._changed(episode) + timedelta(days=self.settling[episode.valueset])
        shown = next((each for each in self.levels if self._shows(each, settled_from)), None)
        if shown is None or shown.lab.amount is None or not self.target.decides(shown.lab.amount):
            return "unsettled", None  # no such level yet, or unknown on which side of the target it is
        inside = self.target.side(shown.lab.amount) == 0
        return ("in_target" if inside else "out_of_target"), shown.moment.days_until(self.patient.now)

    def _changed(self, episode: Episode) -> date:
        """The day of the last change of either drug; a start that is not on record does not count."""
        changes = self.patient.course.changes[0 if self.patient.start_known else 1 :]
        moments = [episode.start, *dose_changes(episode), *(change.moment for change in changes)]
        return max(moment.day for moment in moments if moment is not None)

    def _shows(self, each: Judged, settled_from: date) -> bool:
        if each.verdict != "usable" or each.lab.moment is None or each.lab.amount is None:
            return False
        recent = each.moment.days_until(self.patient.now) <= self.patient.joining.level_max_age
        return each.moment.day >= settled_from and recent and since_last_change(self.patient, each.lab)


@part
def judging(patient: Patient, levels: list[Judged], target: Target, settling: dict[str, int]) -> Judging:
    """What tells how settled a modulator is."""
    return Judging(patient, levels, target, settling)


def drafted(patient: Patient, uses: Sequence[DrugUse]) -> list[DrugUse]:
    """The draft orders of other drugs that the request is about: this draft or one of sirolimus is being selected or signed."""
    if not patient.ordering:
        return []
    also = patient.taking or patient.other_drafts
    return [use for use in uses if use.draft and (patient.drafts or (use.selected and also))]


def _raises(use: DrugUse, running: Episode) -> bool:
    """Whether a draft asks for more than is taken, as far as both doses are known."""
    before = next((each.per_day for each in reversed(running.uses) if each.per_day is not None), None)
    return before is not None and use.per_day is not None and use.per_day > before
