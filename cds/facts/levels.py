"""Sirolimus levels: is each one usable, and what may be read from it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from cds.chart.model import Lab
from cds.chart.numbers import Amount
from cds.chart.times import Moment
from cds.facts.course import Change
from cds.facts.episodes import dose_changes, episodes
from cds.facts.record import on_day, rounded, said
from cds.facts.situation import Situation

NG_ML = "ng/mL"
LEVEL_NAMES = ("level", "trough")
MOVING = ("inhibitor", "inducer")
"""The roles of drugs that move the level."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A level and the verdict on it: ``usable`` or why not, in the words of the fact unusable_level."""

    lab: Lab
    verdict: str
    why: str
    change: Change | None
    time_known: bool  # the time since the last dose is known, or the level is coded as a trough
    hours: Decimal | None
    draw_again: date | None = None

    @property
    def early(self) -> bool:
        return self.verdict in ("not_at_steady_state", "nearly_at_steady_state")


class _Movers:
    """Starts and stops of interacting drugs, by day, so that each level looks only at those shortly before it."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.events: list[tuple[date, str, Moment, str]] = []
        self.unknown: list[tuple[date, str, int]] = []
        self.longest = 0
        for episode in episodes(situation, *situation.knowledge.with_role(*MOVING)):
            days = situation.settles_after(episode.valueset)
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
        """The newest start or stop that a level drawn then cannot yet reflect, and when it can."""
        place = bisect_right(self.events, drawn.day, key=lambda event: event[0])
        for day, words, moment, valueset in (self.events[each] for each in range(place - 1, -1, -1)):
            days = self.situation.settles_after(valueset)
            if (drawn.day - day).days >= self.longest:
                break
            if (drawn.day - day).days < days and not _same_day_later(moment, drawn):
                return f"{words} on {on_day(moment)}, less than {days} days before", day + timedelta(days=days)
        place = bisect_right(self.unknown, drawn.day, key=lambda event: event[0])
        if place:
            start, name, days = self.unknown[place - 1]
            if (drawn.day - start).days <= self.situation.days("level_max_age"):
                again = self.situation.now.date() + timedelta(days=days)
                return f"{name} is over, but not known since when", again
        return None


def judge_levels(situation: Situation) -> list[Judged]:
    """Every readable level, newest first, with its verdict."""
    movers = _Movers(situation)
    intakes = sorted(intake.moment.at for intake in situation.chart.intakes if intake.moment.at is not None)
    return [_judge(situation, lab, movers, intakes) for lab in situation.levels]


def _judge(situation: Situation, lab: Lab, movers: _Movers, intakes: list[datetime]) -> Judged:
    assert lab.moment is not None
    change = (
        situation.course.last_change_before(lab.moment)
        if situation.start_known
        else _later_change(situation, lab.moment)
    )
    hours = _hours_since_dose(situation, lab.moment, intakes)
    known = hours is not None or lab.name == "trough" or situation.days("draws_before_dose") == 1

    def verdict(code: str, why: str, again: date | None = None) -> Judged:
        return Judged(lab, code, why, change, known, hours, again)

    if lab.wrong_specimen:
        return verdict("wrong_specimen", f"{lab.wrong_specimen}; only whole blood can be compared with the target")
    if lab.status == "preliminary":
        return verdict("preliminary", "the result is preliminary; wait for the final one")
    interval = interval_at(situation, lab.moment)
    if hours is not None and hours < interval - situation.definitions["too_soon_margin"]:
        return verdict(
            "too_soon_after_dose",
            f"it was drawn {rounded(hours, '0.1')} h after a dose that is taken every {said(interval)} h",
        )
    if hours is not None and hours > interval + situation.definitions["late_margin"]:
        return verdict(
            "late_after_dose",
            f"it was drawn {rounded(hours, '0.1')} h after the last recorded dose, which is due every {said(interval)} h; a dose may have been missed",
        )
    moved = movers.before(lab.moment)
    if moved is not None:
        return verdict("interacting_drug_changed", *moved)
    code, why, again = _steadiness(situation, lab.moment, change)
    missed = _missed(situation, lab.moment)
    if missed and (code == "usable" or not is_high(lab, situation)):
        return verdict("doses_missed", missed)
    return verdict(code, why, again)


def is_high(lab: Lab, situation: Situation) -> bool:
    """Whether a level is above the target."""
    return lab.amount is not None and beyond(lab.amount, situation.knowledge.protocol.numbers) > 0


def _later_change(situation: Situation, drawn: Moment) -> Change | None:
    """When the start is unknown, only changes after the first order on record count."""
    change = situation.course.last_change_before(drawn)
    return change if change is not None and not change.is_start else None


def _missed(situation: Situation, drawn: Moment) -> str:
    """Which doses before a draw are documented as not given: any since the last one that was, or of the last days; or held then."""
    before = [each.moment for each in situation.chart.missed if _may_be_before(each.moment, drawn)]
    held = [each.moment for each in situation.chart.held if _may_be_before(each.moment, drawn)]
    given = [each.moment for each in situation.chart.intakes if _is_before(each.moment, drawn)]
    last = max(given, key=Moment.sort_key, default=None)
    young = situation.surely_under("fast_clearance_age", drawn.day)
    days = situation.days("missed_days_young" if young else "missed_days")
    late = [
        each
        for each in before
        if each.days_to(drawn) <= days or (last is not None and each.sort_key() > last.sort_key())
    ] + [each for each in held if each.days_to(drawn) <= days]
    if not late:
        return ""
    newest = max(late, key=Moment.sort_key)
    doses = "1 dose" if len(late) == 1 else f"{len(late)} doses"
    return f"{doses} before it are documented as not given, the last on {on_day(newest)}"


def _may_be_before(missed: Moment, drawn: Moment) -> bool:
    """A dose of the draw's own day of which nobody knows whether it came before counts as missed before it."""
    return _is_before(missed, drawn) or (missed.day == drawn.day and (missed.at is None or drawn.at is None))


def _is_before(one: Moment, drawn: Moment) -> bool:
    if one.day != drawn.day or one.at is None or drawn.at is None:
        return one.day < drawn.day
    return one.at < drawn.at


def _hours_since_dose(situation: Situation, drawn: Moment, intakes: list[datetime]) -> Decimal | None:
    """Hours from the last recorded dose to the draw; None when either time is not known."""
    if drawn.at is None:
        return None
    place = bisect_left(intakes, drawn.at)  # a dose charted at the minute of the draw is the one that came after it
    if not place or drawn.at - intakes[place - 1] > timedelta(hours=situation.days("dose_search")):
        return None
    return Decimal(int((drawn.at - intakes[place - 1]).total_seconds())) / 3600


def interval_at(situation: Situation, drawn: Moment) -> Decimal:
    """Hours between two doses of what was taken then, or last before a hold."""
    course = situation.earlier or situation.course
    regimen = course.last_regimen_before(drawn)
    return (regimen.dose.interval_hours if regimen else None) or Decimal(24)


def _same_day_later(moment: Moment, drawn: Moment) -> bool:
    return moment.at is not None and drawn.at is not None and moment.at > drawn.at


def _steadiness(situation: Situation, drawn: Moment, change: Change | None) -> tuple[str, str, date | None]:
    if change is None:
        return "usable", "no change of dose is on record before it", None
    days = change.moment.days_to(drawn)
    young = situation.surely_under("fast_clearance_age", drawn.day)
    usable_from = situation.days("usable_from_young" if young else "usable_from")
    what = "start" if change.is_start else "last change of dose"
    why = f"it was drawn on day {days} after the {what} ({on_day(change.moment)})"
    if days >= usable_from:
        return "usable", why, None
    again = change.moment.day + timedelta(days=usable_from)
    if not young and days >= situation.days("provisional_from"):
        return "nearly_at_steady_state", f"{why}: nearly at steady state, provisional", again
    return "not_at_steady_state", f"{why}: not at steady state", again


def beyond(amount: Amount, numbers: Mapping[str, Decimal]) -> int:
    """1 for a level above the target, -1 for one below it, 0 for one that is in it or whose bound cannot tell."""
    if amount.comparator in ("", ">=") and amount.value > numbers["trough_high"]:
        return 1
    if amount.comparator == ">" and amount.value >= numbers["trough_high"]:
        return 1
    if amount.comparator in ("", "<=") and amount.value < numbers["trough_low"]:
        return -1
    return -1 if amount.comparator == "<" and amount.value <= numbers["trough_low"] else 0


def is_decided(amount: Amount, numbers: Mapping[str, Decimal]) -> bool:
    """Whether a level, or the bound that is all that is known of it, can be compared with the target."""
    value, low, high = amount.value, numbers["trough_low"], numbers["trough_high"]
    decided = {"": True, "<": value <= low, "<=": value < low, ">": value >= high, ">=": value > high}
    return decided[amount.comparator]


def since_last_change(situation: Situation, lab: Lab) -> bool:
    """Whether a level reflects the present dose."""
    last = situation.course.last_change
    return last is None or (lab.moment is not None and last.precedes(lab.moment))


def age_in_days(lab: Lab, now: datetime) -> int:
    assert lab.moment is not None
    return lab.moment.days_until(now)


def is_missed_but_high(each: Judged, situation: Situation) -> bool:
    """Whether a level is above the target in spite of doses that were not given: too high, but nothing is scaled from it."""
    return each.verdict == "doses_missed" and is_high(each.lab, situation)


def best_exposure(situation: Situation, judged: list[Judged]) -> Judged | None:
    """The highest level of this course that was usable when drawn, or above the target in spite of doses not given."""
    start = situation.course.start
    usable = [
        each
        for each in judged
        if (each.verdict == "usable" or is_missed_but_high(each, situation))
        and each.lab.amount is not None
        and not each.lab.amount.comparator.startswith("<")
        and start is not None
        and each.lab.moment is not None
        and each.lab.moment.day >= start.day
    ]
    return max(usable, key=lambda each: each.lab.amount.value if each.lab.amount else Decimal(0), default=None)
