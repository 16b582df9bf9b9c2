"""Levels in time: overdue, moved without a reason, measured in another way."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from cds.chart.model import Lab
from cds.chart.times import Moment
from cds.facts.episodes import episodes
from cds.facts.levels import MOVING, NG_ML, Judged, best_exposure, since_last_change
from cds.facts.record import on_day, reported, rounded
from cds.facts.situation import Situation


def put_levels_in_time(situation: Situation, judged: list[Judged]) -> None:
    """When the last level was, how exposure by mg moved, and whether the assay changed."""
    _put_wait(situation, judged)
    _put_shift(situation, judged)
    _put_assay(situation, judged)


def put_exposure(situation: Situation) -> None:
    """Whether a usable level of the course has reached the target, and the highest; and when anything was measured last."""
    facts, best = situation.facts, best_exposure(situation, situation.judged)
    floor = situation.knowledge.protocol.numbers["trough_low"]
    reached = best is not None and best.lab.amount is not None and best.lab.amount.value >= floor
    facts.put("exposure_reached", reached, *([best.lab.reference] if best else []))
    facts.put("best_trough", reported(best.lab, NG_ML) if best else "none usable")
    days = [lab.moment for lab in situation.levels if lab.moment is not None and not lab.wrong_specimen]
    days += [count.moment for count in situation.counts if not count.why_not]
    if days:
        newest = max(days, key=Moment.sort_key)
        facts.put("days_since_new_result", Decimal(newest.days_until(situation.now)), on=newest.day)


def _put_wait(situation: Situation, judged: list[Judged]) -> None:
    """For how long there has been no level, since what, and that one is not on order."""
    facts, course = situation.facts, situation.course
    names = ("level_wait", "days_without_level", "level_wait_report")
    start, change = course.start, course.last_change
    if not situation.taking or start is None or change is None or (situation.drafts and not situation.start_known):
        facts.miss("sirolimus is not being taken, or not known since when", *names)
        return
    newest = next((each for each in judged if not each.lab.wrong_specimen and each.lab.status != "preliminary"), None)
    if _unread_since(situation, newest.lab.moment if newest is not None else None):
        facts.miss("a level is on record that was not read", *names)
        return
    drawn = newest.lab.moment if newest is not None else None
    if newest is None or drawn is None or (situation.start_known and drawn.day < start.day):
        _wait(situation, "first", start, f"none since the start on {on_day(start)}")
    elif not change.is_start and not since_last_change(situation, newest.lab):
        _wait(situation, "after_change", change.moment, f"none since the last change on {on_day(change.moment)}")
    else:
        _wait(situation, "stable", drawn, f"none since {on_day(drawn)}")


def _unread_since(situation: Situation, newest: Moment | None) -> bool:
    """Whether a level that cannot be read may be newer than the newest one that can: then nobody knows that it is overdue."""
    if any(each.subject == "sirolimus-level" for each in situation.chart.unread):
        return True
    broken = [lab for lab in situation.chart.lab("level", "trough") if lab.problem and not lab.wrong_specimen]
    return any(lab.moment is None or newest is None or lab.moment.day > newest.day for lab in broken)


def _wait(situation: Situation, kind: str, since: Moment, words: str) -> None:
    facts = situation.facts
    if kind == "first" and not situation.start_known:
        facts.miss("the start of the course is not known", "level_wait", "days_without_level", "level_wait_report")
        return
    facts.put("level_wait", kind)
    facts.put("days_without_level", Decimal(since.days_until(situation.now)), on=since.day)
    facts.put("level_wait_report", words)


def _put_shift(situation: Situation, judged: list[Judged]) -> None:
    """The newest usable level by mg of daily dose, over the same of the usable one before it in this course."""
    facts, names = situation.facts, ("exposure_ratio", "exposure_report")
    start, recent = situation.course.start, situation.days("count_recent")
    if not situation.taking or situation.course.conflict:
        facts.miss("sirolimus is not being taken now, or it is not clear in which dose", *names)
        return
    found: list[tuple[Lab, Decimal]] = []
    for each in judged:
        lab = each.lab
        if each.verdict != "usable" or lab.amount is None or lab.moment is None or lab.amount.comparator:
            continue
        regimen = situation.course.regimen_at(lab.moment)
        if start is None or lab.moment.day < start.day or regimen is None or not regimen.dose.per_day:
            continue
        if found and _which_is_newer_is_not_known(lab.moment, found[0][0].moment):
            break
        found.append((lab, lab.amount.value / regimen.dose.per_day))
        if len(found) == 2:
            break
    if len(found) < 2 or not found[1][1] or found[0][0].moment is None:
        facts.miss("there are no two usable levels with a known daily dose", *names)
        return
    (newer, exposure), (older, before) = found
    assert newer.moment is not None
    if not since_last_change(situation, newer):
        facts.miss("the newest usable level is from before the last change", *names)
        return
    if newer.moment.days_until(situation.now) > recent:
        facts.miss("the newest usable level is too old to speak of", *names)
        return
    facts.put("exposure_ratio", exposure / before, newer.reference, older.reference)
    facts.put("exposure_explained", _drug_between(situation, older.moment, newer.moment))
    words = f"{rounded(exposure, '0.1')} after {rounded(before, '0.1')} ng/mL for each mg/day"
    facts.put("exposure_report", f"{reported(newer, NG_ML)}, {words}")


def _which_is_newer_is_not_known(one: Moment, other: Moment | None) -> bool:
    return other is not None and one.day == other.day and (one.at is None or other.at is None)


def _drug_between(situation: Situation, older: Moment | None, newer: Moment) -> bool:
    """Whether an interacting drug was started or stopped between two levels, or too shortly before the older one."""
    if older is None:
        return False
    first = older.day - timedelta(days=situation.days("inducer_settles"))
    events = [
        moment
        for episode in episodes(situation, *situation.knowledge.with_role(*MOVING))
        for moment in (episode.start, episode.end)
    ]
    return any(moment is not None and first < moment.day <= newer.day for moment in events)


def _put_assay(situation: Situation, judged: list[Judged]) -> None:
    facts, recent = situation.facts, situation.days("count_recent")
    known = [each.lab for each in judged if each.lab.assay]
    if len(known) > 1 and known[0].assay != known[1].assay and judged[0].lab is known[0]:
        moment = known[0].moment
        if moment is not None and moment.days_until(situation.now) <= recent:
            words = f"{known[0].assay} on {on_day(moment)}, {known[1].assay} on {on_day(known[1].moment)}"
            facts.put("assay_change", words, known[0].reference, known[1].reference)
            return
    facts.miss("no change of assay is on record", "assay_change")
