"""Sirolimus levels: is each one usable, and what may be read from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from cds.chart.model import DrugUse, Lab
from cds.chart.times import Moment
from cds.facts.course import Change
from cds.facts.record import on_day, reported, said
from cds.facts.situation import Situation

NG_ML = "ng/mL"
_DRUGS_THAT_MOVE_LEVELS = {
    "strong-inhibitor": "inhibitor_settles",
    "moderate-inhibitor": "inhibitor_settles",
    "strong-inducer": "inducer_settles",
    "moderate-inducer": "inducer_settles",
}
INHIBITORS = ("strong-inhibitor", "moderate-inhibitor")
_NUMBERS = {"": "trough", "<": "trough_under", "<=": "trough_at_most", ">": "trough_over", ">=": "trough_at_least"}


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


def judge_levels(situation: Situation) -> list[Judged]:
    """Every readable level, newest first, with its verdict."""
    return [_judge(situation, lab) for lab in situation.levels]


def _judge(situation: Situation, lab: Lab) -> Judged:
    assert lab.moment is not None
    change = (
        situation.course.last_change_before(lab.moment)
        if situation.start_known
        else _later_change(situation, lab.moment)
    )
    hours = _hours_since_dose(situation, lab.moment)
    known = hours is not None or lab.name == "trough"

    def verdict(code: str, why: str, again: date | None = None) -> Judged:
        return Judged(lab, code, why, change, known, hours, again)

    if lab.wrong_specimen:
        return verdict("wrong_specimen", f"{lab.wrong_specimen}; only whole blood can be compared with the target")
    if lab.status == "preliminary":
        return verdict("preliminary", "the result is preliminary; wait for the final one")
    interval = _interval(situation, lab.moment)
    if hours is not None and hours < interval - situation.definitions["too_soon_margin"]:
        return verdict(
            "too_soon_after_dose", f"it was drawn {said(hours)} h after a dose that is taken every {said(interval)} h"
        )
    if hours is not None and hours > interval + situation.definitions["late_margin"]:
        return verdict(
            "late_after_dose",
            f"it was drawn {said(hours)} h after the last recorded dose, which is due every {said(interval)} h: a missed dose?",
        )
    moved = _moved_by(situation, lab.moment)
    if moved is not None:
        return verdict("interacting_drug_changed", *moved)
    return verdict(*_steadiness(situation, lab.moment, change))


def _later_change(situation: Situation, drawn: Moment) -> Change | None:
    """When the start is unknown, only changes after the first order on record count."""
    change = situation.course.last_change_before(drawn)
    return change if change is not None and not change.is_start else None


def _hours_since_dose(situation: Situation, drawn: Moment) -> Decimal | None:
    """Hours from the last recorded dose to the draw; None when either time is not known."""
    if drawn.at is None:
        return None
    earliest = drawn.at - timedelta(hours=situation.days("dose_search"))
    times = [
        i.moment.at for i in situation.chart.intakes if i.moment.at is not None and earliest <= i.moment.at <= drawn.at
    ]
    if not times:
        return None
    seconds = Decimal(int((drawn.at - max(times)).total_seconds()))
    return (seconds / 3600).quantize(Decimal("0.1"))


def _interval(situation: Situation, drawn: Moment) -> Decimal:
    regimen = situation.course.regimen_at(drawn)
    return (regimen.dose.interval_hours if regimen else None) or Decimal(24)


def _moved_by(situation: Situation, drawn: Moment) -> tuple[str, date] | None:
    """The interacting drug that was started or stopped too shortly before the draw."""
    for drug in situation.chart.drugs:
        settles = _DRUGS_THAT_MOVE_LEVELS.get(drug.valueset)
        if settles is None or drug.draft or drug.given:
            continue
        days = situation.days(settles)
        for moment, what in ((drug.start, "started"), (drug.end, "stopped")):
            if moment is not None and 0 <= moment.days_to(drawn) < days and not _same_day_later(moment, drawn):
                return (
                    f"{drug.name} was {what} on {on_day(moment)}, {moment.days_to(drawn)} days before",
                    moment.day + timedelta(days=days),
                )
    return None


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
    again = change.moment.day + timedelta(days=situation.days("usable_from"))
    if not young and days >= situation.days("provisional_from"):
        return "nearly_at_steady_state", f"{why}: nearly at steady state, provisional", again
    return "not_at_steady_state", f"{why}: not at steady state", again


def put_levels(situation: Situation, judged: list[Judged]) -> Judged | None:
    """The facts about levels. Returns the level that the trough facts speak of, if any."""
    _put_critical(situation, judged)
    acted = _put_trough(situation, judged) if situation.taking else None
    if not situation.taking:
        situation.facts.miss("sirolimus is not being taken now", *_NUMBERS.values(), "trough_basis")
    _put_unusable(situation, judged, acted)
    situation.facts.put("level_ordered", bool(situation.chart.level_orders), *situation.chart.level_orders)
    return acted


def since_last_change(situation: Situation, lab: Lab) -> bool:
    """Whether a level reflects the present dose."""
    last = situation.course.last_change
    return last is None or (lab.moment is not None and last.precedes(lab.moment))


def age_in_days(lab: Lab, now: datetime) -> int:
    assert lab.moment is not None
    return lab.moment.days_until(now)


def _put_trough(situation: Situation, judged: list[Judged]) -> Judged | None:
    facts, numbers = situation.facts, situation.knowledge.protocol.numbers
    reason = "there is no level since the last change" if judged else "there is no level on record"
    for each in judged:
        basis = _basis(each, numbers)
        if not basis or not since_last_change(situation, each.lab):
            reason = each.why if not basis else reason
            continue
        if age_in_days(each.lab, situation.now) > situation.days("level_max_age"):
            reason = "the newest usable level is too old to act upon"
            break
        lab = each.lab
        assert lab.amount is not None and lab.moment is not None
        facts.put(_NUMBERS[lab.amount.comparator], lab.amount.value, lab.reference, on=lab.moment.day)
        facts.put("trough_basis", basis, lab.reference, on=lab.moment.day)
        facts.put("trough_report", reported(lab, NG_ML), lab.reference, on=lab.moment.day)
        facts.put("trough_working", _working(each), lab.reference, on=lab.moment.day)
        facts.put("timed_level_needless", each.time_known or bool(situation.chart.level_orders))
        return each
    facts.miss(reason, *_NUMBERS.values(), "trough_basis", "trough_report")
    return None


def _basis(each: Judged, numbers: dict[str, Decimal]) -> str:
    """Usable, or an early level that already lies beyond the target in the direction of the change."""
    if each.verdict == "usable":
        return "usable"
    if not each.early or each.change is None or each.lab.amount is None:
        return ""
    value, comparator = each.lab.amount.value, each.lab.amount.comparator
    if each.change.direction > 0 and not comparator.startswith("<") and value > numbers["trough_high"]:
        return "early_after_increase"
    if each.change.direction < 0 and not comparator.startswith(">") and value < numbers["trough_low"]:
        return "early_after_decrease"
    return ""


def _working(each: Judged) -> str:
    timing = f"drawn {said(each.hours)} h after the dose" if each.hours is not None else ""
    if not timing:
        timing = (
            "coded as a trough" if each.time_known else "time since the last dose not recorded: assumed to be a trough"
        )
    return f"{each.why}; {timing}"


def _put_critical(situation: Situation, judged: list[Judged]) -> None:
    facts = situation.facts
    names = ("newest_level", "newest_level_over", "newest_level_at_least", "newest_level_report")
    newest = next((each for each in judged if not each.lab.wrong_specimen), None)
    if newest is None:
        facts.miss("there is no level on record", *names)
        return
    lab = newest.lab
    assert lab.amount is not None and lab.moment is not None
    if age_in_days(lab, situation.now) > situation.days("critical_max_age"):
        facts.miss("the newest level is too old to be spoken of as critical", *names)
    elif situation.course.regimens and not since_last_change(situation, lab):
        facts.miss("the newest level is from before the last change", *names)
    elif newest.hours is not None and newest.hours < min(
        situation.definitions["critical_exempt_hours"],
        _interval(situation, lab.moment) - situation.definitions["too_soon_margin"],
    ):
        facts.miss("the newest level is known to be drawn too soon after a dose", *names)
    else:
        name = {"": "newest_level", ">": "newest_level_over", ">=": "newest_level_at_least"}.get(lab.amount.comparator)
        if name is None:
            facts.miss("the newest level is reported only as an upper bound", *names)
            return
        facts.put(name, lab.amount.value, lab.reference, on=lab.moment.day)
        facts.put("newest_level_report", reported(lab, NG_ML), lab.reference, on=lab.moment.day)


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


def best_exposure(situation: Situation, judged: list[Judged]) -> Judged | None:
    """The highest level of this course that was usable when drawn."""
    start = situation.course.start
    usable = [
        each
        for each in judged
        if each.verdict == "usable"
        and each.lab.amount is not None
        and not each.lab.amount.comparator.startswith("<")
        and start is not None
        and each.lab.moment is not None
        and each.lab.moment.day >= start.day
    ]
    return max(usable, key=lambda each: each.lab.amount.value if each.lab.amount else Decimal(0), default=None)


def active_modulators(situation: Situation, *valuesets: str) -> list[DrugUse]:
    """Interacting drugs taken now."""
    return [
        d
        for d in situation.chart.drugs
        if d.valueset in valuesets and d.status == "active" and not d.draft and not d.given
    ]
