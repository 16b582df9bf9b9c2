"""Sirolimus levels: whether each one is usable, and what may be concluded from it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import msgspec

from cds.chart.model import Intake, Lab
from cds.chart.numbers import Amount
from cds.chart.times import Moment
from cds.chart.words import on_day, rounded, said
from cds.course.episodes import dose_changes
from cds.course.kinds import RoleEpisodes
from cds.course.orders import Change, Regimen
from cds.course.patient import Patient
from cds.plan.declare import Numbers, part

_DAY = Decimal(24)  # hours between doses, if nothing says otherwise


class Target(Numbers, frozen=True):
    """The protocol's target range for the level, bounds included, and the level aimed at, in ng/mL."""

    trough_low: Decimal
    trough_high: Decimal
    trough_aim: Decimal

    def side(self, amount: Amount) -> int:
        """1 for a level above the target, -1 for one below it, 0 for one that is in it or whose bound does not show the side."""
        value, comparator = amount.value, amount.comparator
        if comparator in ("", ">=") and value > self.trough_high:
            return 1
        if comparator == ">" and value >= self.trough_high:
            return 1
        if comparator in ("", "<=") and value < self.trough_low:
            return -1
        return -1 if comparator == "<" and value <= self.trough_low else 0

    def is_above(self, lab: Lab) -> bool:
        """Whether a level is above the target."""
        return lab.amount is not None and self.side(lab.amount) > 0

    def decides(self, amount: Amount) -> bool:
        """Whether a level, or its bound if only that is known, can be compared with the target."""
        low, high, value = self.trough_low, self.trough_high, amount.value
        decided = {"": True, "<": value <= low, "<=": value < low, ">": value >= high, ">=": value > high}
        return decided[amount.comparator]

    def holds(self, value: Decimal) -> bool:
        """Whether a number is in the target."""
        return self.trough_low <= value <= self.trough_high


class Timing(Numbers, frozen=True):
    """The numbers by which a level is judged, in days unless stated otherwise."""

    usable_from: int
    usable_from_young: int
    provisional_from: int
    fast_clearance_age: int  # years
    missed_days: int
    missed_days_young: int
    draws_before_dose: int
    dose_search: int  # hours
    too_soon_margin: Decimal  # hours
    late_margin: Decimal  # hours
    level_max_age: int


class Judged(msgspec.Struct, frozen=True):
    """A level and the verdict on it: ``usable`` or why not, in the words of the fact unusable_level."""

    lab: Lab
    verdict: str
    why: str
    change: Change | None
    time_known: bool  # the time since the last dose is known, or the level is coded as a trough
    hours: Decimal | None
    draw_again: date | None = None
    by_order: Decimal | None = None  # hours since the order's time of day for a dose, unless the next one was due soon

    @property
    def early(self) -> bool:
        """Whether it is from before steady state."""
        return self.verdict in ("not_at_steady_state", "nearly_at_steady_state")

    @property
    def moment(self) -> Moment:
        """When it was drawn."""
        assert self.lab.moment is not None
        return self.lab.moment


class Intakes(msgspec.Struct, frozen=True):
    """Doses of sirolimus as they are documented: given, not given, held."""

    given: tuple[Intake, ...]
    missed: tuple[Intake, ...]
    held: tuple[Intake, ...]


class Movers:
    """Starts and stops of interacting drugs, by day, so that only those shortly before a level are checked for it."""

    def __init__(self, moving: RoleEpisodes, settling: dict[str, int], timing: Timing, now: datetime) -> None:
        self.settling, self.timing, self.now = settling, timing, now
        self.events: list[tuple[date, str, Moment, str]] = []
        self.unknown: list[tuple[date, str, int]] = []
        self.longest = 0
        for episode in moving:
            days = settling[episode.valueset]
            self.longest = max(self.longest, days)
            for moment, what in ((episode.start, "started"), (episode.end, "stopped")):
                if moment is not None:
                    self.events.append((moment.day, f"{episode.name} was {what}", moment, episode.valueset))
            for moment in dose_changes(episode):
                self.events.append((moment.day, f"the dose of {episode.name} was changed", moment, episode.valueset))
            if episode.end_unknown and episode.start is not None:
                self.unknown.append((episode.start.day, episode.name, days))
        self.events.sort(key=lambda event: event[:2])
        self.unknown.sort()

    def before(self, drawn: Moment) -> tuple[str, date] | None:
        """The newest start or stop that a level drawn at ``drawn`` cannot reflect yet, and the day from which it can."""
        place = bisect_right(self.events, drawn.day, key=lambda event: event[0])
        for day, words, moment, valueset in (self.events[each] for each in range(place - 1, -1, -1)):
            days = self.settling[valueset]
            if (drawn.day - day).days >= self.longest:
                break
            if (drawn.day - day).days < days and not _same_day_later(moment, drawn):
                return f"{words} on {on_day(moment)}, less than {days} days before", day + timedelta(days=days)
        return self._over_unknown(drawn)

    def _over_unknown(self, drawn: Moment) -> tuple[str, date] | None:
        """A drug that ended at an unknown time and began not long before the draw."""
        place = bisect_right(self.unknown, drawn.day, key=lambda event: event[0])
        if place:
            start, name, days = self.unknown[place - 1]
            if (drawn.day - start).days <= self.timing.level_max_age:
                return f"{name} is over, but not known since when", self.now.date() + timedelta(days=days)
        return None


@part
def intakes(given: tuple[Intake, ...], missed: tuple[Intake, ...], held: tuple[Intake, ...]) -> Intakes:
    """Doses as they are documented."""
    return Intakes(given, missed, held)


@part
def levels(
    patient: Patient,
    intakes: Intakes,
    inhibitor_or_inducer_episodes: RoleEpisodes,
    settling: dict[str, int],
    timing: Timing,
    target: Target,
    now: datetime,
) -> list[Judged]:
    """Every readable level, newest first, with its verdict."""
    judge = _Judge(patient, intakes, Movers(inhibitor_or_inducer_episodes, settling, timing, now), timing, target)
    return [judge(lab) for lab in patient.levels]


class _Judge:
    """Judges one level at a time; holds what they are judged by."""

    def __init__(self, patient: Patient, intakes: Intakes, movers: Movers, timing: Timing, target: Target) -> None:
        self.patient, self.intakes, self.movers, self.timing, self.target = patient, intakes, movers, timing, target
        self.given = sorted(intake.moment.at for intake in intakes.given if intake.moment.at is not None)

    def __call__(self, lab: Lab) -> Judged:
        assert lab.moment is not None
        change = _last_change(self.patient, lab.moment)
        hours = self._hours_since_dose(lab.moment)
        known = hours is not None or lab.name == "trough" or self.timing.draws_before_dose == 1
        verdict, why, again = (
            self._of_result(lab)
            or self._of_hours(lab.moment, hours)
            or self._of_partners(lab.moment)
            or self._of_doses(lab, change)
        )
        return Judged(lab, verdict, why, change, known, hours, again, None if known else self._by_order(lab.moment))

    def _of_result(self, lab: Lab) -> tuple[str, str, None] | None:
        if lab.wrong_specimen:
            return "wrong_specimen", f"{lab.wrong_specimen}; only whole blood can be compared with the target", None
        if lab.status == "preliminary":
            return "preliminary", "the result is preliminary; wait for the final one", None
        return None

    def _of_hours(self, drawn: Moment, hours: Decimal | None) -> tuple[str, str, None] | None:
        if hours is None:
            return None
        interval = interval_at(self.patient, drawn)
        after = f"it was drawn {rounded(hours, '0.1')} h after"
        if hours < interval - self.timing.too_soon_margin:
            return "too_soon_after_dose", f"{after} a dose that is taken every {said(interval)} h", None
        if hours > interval + self.timing.late_margin:
            due = f"the last recorded dose, which is due every {said(interval)} h"
            return "late_after_dose", f"{after} {due}; a dose may have been missed", None
        return None

    def _by_order(self, drawn: Moment) -> Decimal | None:
        """Hours from the order's last time of day for a dose to the draw, unless the next one was due soon.

        A draw in UTC is not compared: the order's times are those of a local clock, which need not be UTC.
        """
        regimen = _regimen_at(self.patient, drawn)
        clock = regimen.dose.clock if regimen is not None and regimen.dose.rhythm == "daily" else ()
        if not clock or drawn.at is None or not drawn.at.utcoffset():
            return None
        to_next = min(_hours_between(drawn.at, each) for each in clock)
        return (
            None if to_next <= self.timing.too_soon_margin else min(_DAY - _hours_between(drawn.at, e) for e in clock)
        )

    def _of_partners(self, drawn: Moment) -> tuple[str, str, date] | None:
        moved = self.movers.before(drawn)
        return ("interacting_drug_changed", *moved) if moved is not None else None

    def _of_doses(self, lab: Lab, change: Change | None) -> tuple[str, str, date | None]:
        assert lab.moment is not None
        verdict, why, again = self._steadiness(lab.moment, change)
        missed = self._missed(lab.moment)
        if missed and (verdict == "usable" or not self.target.is_above(lab)):
            return "doses_missed", missed, None
        return verdict, why, again

    def _hours_since_dose(self, drawn: Moment) -> Decimal | None:
        """Hours from the last recorded dose to the draw; None when either time is not known."""
        if drawn.at is None:
            return None
        place = bisect_left(self.given, drawn.at)  # a dose charted at the minute of the draw counts as given after it
        if not place or drawn.at - self.given[place - 1] > timedelta(hours=self.timing.dose_search):
            return None
        return Decimal(int((drawn.at - self.given[place - 1]).total_seconds())) / 3600

    def _missed(self, drawn: Moment) -> str:
        """Doses before a draw documented as not given: any since the last dose given or within the last days, or held within those days."""
        before = [each.moment for each in self.intakes.missed if _may_be_before(each.moment, drawn)]
        held = [each.moment for each in self.intakes.held if _may_be_before(each.moment, drawn)]
        given = [each.moment for each in self.intakes.given if _is_before(each.moment, drawn)]
        last = max(given, key=Moment.sort_key, default=None)
        days = self.timing.missed_days_young if self._young(drawn) else self.timing.missed_days
        late = [
            each
            for each in before
            if each.days_to(drawn) <= days or (last is not None and each.sort_key() > last.sort_key())
        ] + [each for each in held if each.days_to(drawn) <= days]
        if not late:
            return ""
        doses = "1 dose" if len(late) == 1 else f"{len(late)} doses"
        return f"{doses} before it are documented as not given, the last on {on_day(max(late, key=Moment.sort_key))}"

    def _young(self, drawn: Moment) -> bool | None:
        return self.patient.surely_under(self.timing.fast_clearance_age, drawn.day)

    def _steadiness(self, drawn: Moment, change: Change | None) -> tuple[str, str, date | None]:
        if change is None:
            return "usable", "no change of dose is on record before it", None
        days, young = change.moment.days_to(drawn), self._young(drawn)
        usable_from = self.timing.usable_from_young if young else self.timing.usable_from
        what = "start" if change.is_start else "last change of dose"
        why = f"it was drawn on day {days} after the {what} ({on_day(change.moment)})"
        if days >= usable_from:
            return "usable", why, None
        again = change.moment.day + timedelta(days=usable_from)
        if not young and days >= self.timing.provisional_from:
            return "nearly_at_steady_state", f"{why}: nearly at steady state, provisional", again
        return "not_at_steady_state", f"{why}: not at steady state", again


def _last_change(patient: Patient, drawn: Moment) -> Change | None:
    """The change that a level reflects; when the start is unknown, only changes after the first order on record count."""
    change = patient.course.last_change_before(drawn)
    return change if patient.start_known or (change is not None and not change.is_start) else None


def _may_be_before(missed: Moment, drawn: Moment) -> bool:
    """Whether a missed dose was, or may have been, before the draw: one of the same day in unknown order counts as before it."""
    return _is_before(missed, drawn) or (missed.day == drawn.day and (missed.at is None or drawn.at is None))


def _is_before(one: Moment, drawn: Moment) -> bool:
    if one.day != drawn.day or one.at is None or drawn.at is None:
        return one.day < drawn.day
    return one.at < drawn.at


def interval_at(patient: Patient, drawn: Moment) -> Decimal:
    """Hours between two doses of the regimen at the time of the draw, or of the last one before a hold."""
    regimen = _regimen_at(patient, drawn)
    return (regimen.dose.interval_hours if regimen else None) or _DAY


def _regimen_at(patient: Patient, drawn: Moment) -> Regimen | None:
    return (patient.earlier or patient.course).last_regimen_before(drawn)


def _hours_between(drawn: datetime, clock: time) -> Decimal:
    """Hours until the next time that a clock shows this time of day; 24 if it shows it now."""
    passed = (drawn - datetime.combine(drawn.date(), clock, drawn.tzinfo)) % timedelta(days=1)
    return _DAY - Decimal(int(passed.total_seconds())) / 3600


def _same_day_later(moment: Moment, drawn: Moment) -> bool:
    return moment.at is not None and drawn.at is not None and moment.at > drawn.at


def after_dose(hours: Decimal) -> str:
    """Why a level is perhaps no trough, by the times of day that the order gives."""
    return (
        f"by the times of day that the order gives, a dose was due {rounded(hours, '0.1')} h before the draw, "
        "and it is not recorded whether it was taken by then"
    )


def since_last_change(patient: Patient, lab: Lab) -> bool:
    """Whether a level reflects the present dose."""
    last = patient.course.last_change
    return last is None or (lab.moment is not None and last.precedes(lab.moment))


def age_in_days(lab: Lab, now: datetime) -> int:
    """Days since a result."""
    assert lab.moment is not None
    return lab.moment.days_until(now)


def is_missed_but_high(each: Judged, target: Target) -> bool:
    """Whether a level is above the target despite doses that were not given: it is too high, but no dose is scaled from it."""
    return each.verdict == "doses_missed" and target.is_above(each.lab)


def best_exposure(patient: Patient, levels: Sequence[Judged], target: Target) -> Judged | None:
    """The highest level of this course that was usable when drawn, or above the target in spite of doses not given."""
    start = patient.course.start
    usable = [
        each
        for each in levels
        if (each.verdict == "usable" or is_missed_but_high(each, target))
        and each.lab.amount is not None
        and not each.lab.amount.comparator.startswith("<")
        and start is not None
        and each.moment.day >= start.day
    ]
    return max(usable, key=lambda each: each.lab.amount.value if each.lab.amount else Decimal(0), default=None)
