"""The facts about levels: the trough that may steer the dose, a very high level, a level of no use."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from cds.facts.levels import (
    LEVEL_NAMES,
    NG_ML,
    Judged,
    age_in_days,
    beyond,
    interval_at,
    is_high,
    is_missed_but_high,
    since_last_change,
)
from cds.facts.record import reported, rounded
from cds.facts.situation import Situation

_NUMBERS = {"": "trough", "<": "trough_under", "<=": "trough_at_most", ">": "trough_over", ">=": "trough_at_least"}


def put_levels(situation: Situation, judged: list[Judged]) -> Judged | None:
    """The facts about levels. Returns the level that the trough facts speak of, if any."""
    _put_critical(situation, judged)
    acted = _put_trough(situation, judged) if situation.taking else None
    if not situation.taking:
        situation.facts.miss("sirolimus is not being taken now", *_NUMBERS.values(), "trough_basis")
    _put_unusable(situation, judged, acted)
    return acted


def _put_trough(situation: Situation, judged: list[Judged]) -> Judged | None:
    facts, numbers = situation.facts, situation.knowledge.protocol.numbers
    reason = "there is no level since the last change" if judged else "there is no level on record"
    for each in judged:
        basis = "missed_but_high" if is_missed_but_high(each, situation) else _basis(each, numbers)
        if not basis or not since_last_change(situation, each.lab):
            reason = each.why if not basis else reason
            continue
        if age_in_days(each.lab, situation.now) > situation.days("level_max_age"):
            reason = "the newest usable level is too old to act upon"
            break
        lab = each.lab
        assert lab.amount is not None and lab.moment is not None
        facts.put(_NUMBERS[lab.amount.comparator], lab.amount.value, lab.reference, on=lab.moment.day)
        facts.put("trough_age", Decimal(age_in_days(lab, situation.now)), lab.reference, on=lab.moment.day)
        facts.put("trough_basis", basis, lab.reference, on=lab.moment.day)
        facts.put("trough_report", reported(lab, NG_ML), lab.reference, on=lab.moment.day)
        facts.put("trough_working", _working(each, _before(judged, each)), lab.reference, on=lab.moment.day)
        facts.put("timed_level_needless", each.time_known or bool(situation.chart.ordered(*LEVEL_NAMES)))
        return each
    facts.miss(reason, *_NUMBERS.values(), "trough_basis", "trough_report")
    return None


def put_liver_answer(situation: Situation) -> None:
    """Whether a usable level, drawn long enough after the last change, shows what an impaired liver makes of what is taken."""
    change, days = situation.course.last_change, situation.days("liver_level_from")
    found = [
        each.lab.reference
        for each in situation.judged
        if situation.taking
        and each.verdict == "usable"
        and each.lab.moment is not None
        and change is not None
        and change.moment.days_to(each.lab.moment) >= days
        and age_in_days(each.lab, situation.now) <= situation.days("level_max_age")
    ]
    situation.facts.put("liver_answered", bool(found), *found[:1])


def _basis(each: Judged, numbers: dict[str, Decimal]) -> str:
    """Usable, or an early level that already lies beyond the target in the direction of the change."""
    if each.verdict == "usable":
        return "usable"
    if not each.early or each.change is None or each.lab.amount is None:
        return ""
    side = beyond(each.lab.amount, numbers)
    if each.change.direction > 0 and side > 0:
        return "early_after_increase"
    return "early_after_decrease" if each.change.direction < 0 and side < 0 else ""


def _before(judged: list[Judged], each: Judged) -> Judged | None:
    """The level before this one, whatever it is worth."""
    return next((other for other in judged[judged.index(each) + 1 :] if not other.lab.wrong_specimen), None)


def _working(each: Judged, before: Judged | None) -> str:
    timing = f"drawn {rounded(each.hours, '0.1')} h after the dose" if each.hours is not None else ""
    if not timing:
        timing = (
            "coded as a trough" if each.time_known else "time since the last dose not recorded: assumed to be a trough"
        )
    assay = f"; measured by {each.lab.assay}" if each.lab.assay else ""
    other = before.lab.assay if before is not None else ""
    if assay and other not in ("", each.lab.assay):
        assay += f", the level before by {other}: the two assays read differently"
    return f"{each.why}; {timing}{assay}"


def _put_critical(situation: Situation, judged: list[Judged]) -> None:
    facts = situation.facts
    names = ("newest_level", "newest_level_over", "newest_level_at_least", "newest_level_report")
    levels = [each for each in judged if not each.lab.wrong_specimen]
    newest = next((each for each in levels if not _just_after_a_dose(situation, each)), None)
    if newest is None:
        soon = "every level is known to be drawn too soon after a dose"
        facts.miss(soon if levels else "there is no level on record", *names)
        return
    lab = newest.lab
    assert lab.amount is not None and lab.moment is not None
    recent = age_in_days(lab, situation.now) <= situation.days("level_max_age")
    above = recent and since_last_change(situation, lab) and is_high(lab, situation)
    facts.put("level_above", above, lab.reference, on=lab.moment.day)
    if age_in_days(lab, situation.now) > situation.days("critical_max_age"):
        facts.miss("the newest level is too old to be spoken of as critical", *names)
    elif any(change.direction < 0 and not change.precedes(lab.moment) for change in situation.course.changes):
        facts.miss("the dose was lowered or held after the newest level", *names)
    else:
        name = {"": "newest_level", ">": "newest_level_over", ">=": "newest_level_at_least"}.get(lab.amount.comparator)
        if name is None:
            facts.miss("the newest level is reported only as an upper bound", *names)
            return
        facts.put(name, lab.amount.value, lab.reference, on=lab.moment.day)
        facts.put("newest_level_report", reported(lab, NG_ML), lab.reference, on=lab.moment.day)


def _just_after_a_dose(situation: Situation, each: Judged) -> bool:
    """Whether a level is known to be drawn so soon after a dose that even a very high one says nothing."""
    assert each.lab.moment is not None
    limit = min(
        situation.definitions["critical_exempt_hours"],
        interval_at(situation, each.lab.moment) - situation.definitions["too_soon_margin"],
    )
    return each.hours is not None and each.hours < limit


def _put_unusable(situation: Situation, judged: list[Judged], acted: Judged | None) -> None:
    facts = situation.facts
    names = ("unusable_level", "unusable_level_report", "unusable_level_why", "next_draw")
    newest = judged[0] if judged else None
    if newest is None or newest.verdict == "usable" or newest is acted:
        facts.miss("the newest level is usable" if newest else "there is no level on record", *names)
        return
    assert newest.lab.moment is not None
    if not situation.taking or age_in_days(newest.lab, situation.now) > situation.days("unusable_shown"):
        facts.miss(
            "sirolimus is not being taken now"
            if not situation.taking
            else "the level of no use is too old to speak of",
            *names,
        )
        return
    if not since_last_change(situation, newest.lab):
        facts.miss("the newest level is from before the last change", *names)
        return
    lab = newest.lab
    facts.put("unusable_level", newest.verdict, lab.reference, on=lab.moment.day if lab.moment else None)
    facts.put("unusable_level_report", reported(lab, NG_ML), lab.reference)
    facts.put("unusable_level_why", newest.why, lab.reference)
    tomorrow = situation.now.date() + timedelta(days=1)
    day = max(tomorrow, newest.draw_again or tomorrow)
    last = max((i.moment.at for i in situation.chart.intakes if i.moment.at is not None), default=None)
    if last is not None:
        situation.draw_at = datetime.combine(day, last.timetz())
    clock = f" at {last:%H:%M}" if last is not None else ""
    facts.put("next_draw", f"{day.isoformat()}{clock}, just before that day's dose", on=day)
