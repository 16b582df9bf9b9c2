"""Levels over time: overdue, changed without a known reason, or measured by another assay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from cds.chart.model import Lab
from cds.chart.times import Moment
from cds.chart.words import NG_ML, on_day, reported, rounded
from cds.course.counts import Count
from cds.course.kinds import Labs, RoleEpisodes, UnreadOf
from cds.course.levels import Judged, Target, best_exposure, since_last_change
from cds.course.patient import Patient
from cds.plan.declare import Answer, Days, Known, Unknown, code, flag, number, part, text


@part
def best_level(levels: list[Judged], patient: Patient, target: Target) -> Judged | None:
    """The highest usable level of the course."""
    return best_exposure(patient, levels, target)


@flag("at least one usable trough of this course is at or above the target's floor")
def exposure_reached(best_level: Judged | None, target: Target) -> Answer[bool]:
    if best_level is None:
        return False
    amount = best_level.lab.amount
    return Known(amount is not None and amount.value >= target.trough_low, [best_level.lab.reference])


@text("the highest usable trough of this course")
def best_trough(best_level: Judged | None) -> Answer[str]:
    return reported(best_level.lab, NG_ML) if best_level else "none usable"


@number("day", "1", "days since the newest level or platelet count")
def days_since_new_result(patient: Patient, counts: list[Count]) -> Answer[Decimal]:
    days = [lab.moment for lab in patient.levels if lab.moment is not None and not lab.wrong_specimen]
    days += [count.moment for count in counts if not count.why_not]
    if not days:
        return Unknown("there is no level and no usable platelet count on record")
    newest = max(days, key=Moment.sort_key)
    return Known(Decimal(newest.days_until(patient.now)), on=newest.day)


class Wait(NamedTuple):
    """Since when there has been no level, and since which event: the start, a change, or the previous level."""

    kind: str
    since: Moment
    words: str


@part
def wait(
    patient: Patient, levels: list[Judged], sirolimus_level_unread: UnreadOf, level_labs: Labs, trough_labs: Labs
) -> Answer[Wait]:
    """For how long there has been no level, and since which event."""
    start, change, known = patient.course.start, patient.course.last_change, patient.start_known
    if not patient.taking or start is None or change is None or (patient.drafts and not known):
        return Unknown("sirolimus is not being taken, or not known since when")
    of_blood = (each for each in levels if not each.lab.wrong_specimen and each.lab.status != "preliminary")
    newest = next(of_blood, None)
    if _unread_since(sirolimus_level_unread, [*level_labs, *trough_labs], newest):
        return Unknown("a level is on record that was not read")
    if newest is None or (known and newest.moment.day < start.day):
        if not known:
            return Unknown("the start of the course is not known")
        return Wait("first", start, f"none since the start on {on_day(start)}")
    if not change.is_start and not since_last_change(patient, newest.lab):
        return Wait("after_change", change.moment, f"none since the last change on {on_day(change.moment)}")
    return Wait("stable", newest.moment, f"none since {on_day(newest.moment)}")


def _unread_since(unread: UnreadOf, labs: Sequence[Lab], newest: Judged | None) -> bool:
    """Whether an unreadable blood level is newer than the newest readable one: then it is not known whether a level is overdue."""
    if unread:
        return True
    broken = [lab.moment for lab in labs if lab.problem and not lab.wrong_specimen]
    return any(moment is None or newest is None or moment.day > newest.moment.day for moment in broken)


@code(
    "first after_change stable",
    "since what there has been no level: the start, a change, the level before",
    report="since when there has been no level",
)
def level_wait(wait: Wait) -> Answer[str]:
    return Known(wait.kind, report=lambda: wait.words)


@number("day", "1", "days since then")
def days_without_level(wait: Wait, now: datetime) -> Answer[Decimal]:
    return Known(Decimal(wait.since.days_until(now)), on=wait.since.day)


class Exposure(NamedTuple):
    """A level, and the level per mg of the daily dose."""

    lab: Lab
    moment: Moment
    by_mg: Decimal


@part
def two_exposures(patient: Patient, levels: list[Judged], count_recent: Days) -> Answer[tuple[Exposure, Exposure]]:
    """The newest usable level per mg of daily dose, and the same for the usable level before it in this course."""
    if not patient.taking or patient.course.conflict:
        return Unknown("sirolimus is not being taken now, or it is not clear in which dose")
    found = _exposures(patient, levels)
    if len(found) < 2 or not found[1].by_mg:
        return Unknown("there are no two usable levels with a known daily dose")
    if not since_last_change(patient, found[0].lab):
        return Unknown("the newest usable level is from before the last change")
    if found[0].moment.days_until(patient.now) > count_recent:
        return Unknown("the newest usable level is too old to speak of")
    return found[0], found[1]


def _exposures(patient: Patient, levels: Sequence[Judged]) -> list[Exposure]:
    """The two newest usable levels of this course; only one if it is not known which of the two is newer."""
    found: list[Exposure] = []
    start = patient.course.start
    for each in levels:
        amount, moment = each.lab.amount, each.moment
        if each.verdict != "usable" or amount is None or amount.comparator or start is None or moment.day < start.day:
            continue
        regimen = patient.course.regimen_at(moment)
        if regimen is None or not regimen.dose.per_day:
            continue
        if found and _which_is_newer_is_not_known(moment, found[0].moment):
            break
        found.append(Exposure(each.lab, moment, amount.value / regimen.dose.per_day))
        if len(found) == 2:
            break
    return found


def _which_is_newer_is_not_known(one: Moment, other: Moment) -> bool:
    return one.day == other.day and (one.at is None or other.at is None)


@number(
    "x",
    "0.01",
    "level by mg of daily dose over the same of the usable level before",
    report="the newer level, and the exposure by mg of both",
)
def exposure_ratio(two_exposures: tuple[Exposure, Exposure]) -> Answer[Decimal]:
    newer, older = two_exposures

    def words() -> str:
        both = f"{rounded(newer.by_mg, '0.1')} after {rounded(older.by_mg, '0.1')} ng/mL for each mg/day"
        return f"{reported(newer.lab, NG_ML)}, {both}"

    return Known(newer.by_mg / older.by_mg, [newer.lab.reference, older.lab.reference], report=words)


@flag("an interacting drug was started or stopped between the two, or shortly before")
def exposure_explained(
    two_exposures: tuple[Exposure, Exposure], inhibitor_or_inducer_episodes: RoleEpisodes, inducer_settles: Days
) -> Answer[bool]:
    newer, older = two_exposures
    first = older.moment.day - timedelta(days=inducer_settles)
    events = [moment for episode in inhibitor_or_inducer_episodes for moment in (episode.start, episode.end)]
    return any(moment is not None and first < moment.day <= newer.moment.day for moment in events)


@text("the assays of the two newest levels that name one, where they differ")
def assay_change(levels: list[Judged], count_recent: Days, now: datetime) -> Answer[str]:
    known = [each for each in levels if each.lab.assay][:2]
    differ = len(known) > 1 and known[0].lab.assay != known[1].lab.assay and levels[0] is known[0]
    if not differ or known[0].moment.days_until(now) > count_recent:
        return Unknown("no change of assay is on record")
    newer, older = (f"{each.lab.assay} on {on_day(each.moment)}" for each in known)
    return Known(f"{newer}, {older}", [known[0].lab.reference, known[1].lab.reference])
