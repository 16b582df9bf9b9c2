"""The newest level, usable or not: very high, above the target, or not usable and to be drawn again."""

from __future__ import annotations

from decimal import Decimal

from cds.chart.words import NG_ML, reported
from cds.compiled.bound import Bound
from cds.course.levels import Judged, Target, age_in_days, interval_at, since_last_change
from cds.course.patient import Patient
from cds.facts.trough import Acted, value_of_level
from cds.plan.declare import Answer, Days, Known, Number, Unknown, bounded_number, code, flag, part, text


@part
def telling_levels(
    levels: list[Judged], patient: Patient, critical_exempt_hours: Number, too_soon_margin: Number
) -> list[Judged]:
    """Blood levels, newest first, except those known to be drawn so soon after a dose that even a very high one says nothing."""

    def late_enough(each: Judged) -> bool:
        limit = min(critical_exempt_hours, interval_at(patient, each.moment) - too_soon_margin)
        return each.hours is None or each.hours >= limit

    return [each for each in levels if not each.lab.wrong_specimen and late_enough(each)]


@part
def newest_drawn(telling_levels: list[Judged], levels: list[Judged]) -> Answer[Judged]:
    """The newest of the telling levels."""
    if telling_levels:
        return telling_levels[0]
    blood = any(not each.lab.wrong_specimen for each in levels)
    return Unknown("every level is known to be drawn too soon after a dose" if blood else "there is no level on record")


@flag("the newest level at the present dose, of use or not, is above the target")
def level_above(newest_drawn: Judged, patient: Patient, target: Target) -> Answer[bool]:
    lab = newest_drawn.lab
    recent = age_in_days(lab, patient.now) <= patient.joining.level_max_age
    above = recent and since_last_change(patient, lab) and target.is_above(lab)
    return Known(above, [lab.reference], newest_drawn.moment.day)


@part
def level_that_may_be_critical(newest_drawn: Judged, patient: Patient, critical_max_age: Days) -> Answer[Judged]:
    """The newest of the telling levels, if it is recent and the dose was not lowered since."""
    if age_in_days(newest_drawn.lab, patient.now) > critical_max_age:
        return Unknown("the newest level is too old to be reported as critical")
    if any(change.direction < 0 and not change.precedes(newest_drawn.moment) for change in patient.course.changes):
        return Unknown("the dose was lowered or held after the newest level")
    assert newest_drawn.lab.amount is not None
    if newest_drawn.lab.amount.comparator.startswith("<"):
        return Unknown("the newest level is reported only as an upper bound")
    return newest_drawn


@bounded_number(
    NG_ML,
    "0.1",
    "the newest level, of use or not, unless known to be drawn too soon after a dose; one reported as 'at least' counts as more",
    report="that level as reported, with its date",
)
def newest_level(level_that_may_be_critical: Judged) -> Answer[Decimal | Bound]:
    level = level_that_may_be_critical
    value = value_of_level(level)
    more = Bound(">", value.number) if isinstance(value, Bound) else value
    return Known(more, [level.lab.reference], level.moment.day, lambda: reported(level.lab, NG_ML))


@part
def level_of_no_use(
    levels: list[Judged], acted: Acted | Unknown, unusable_shown: Days, patient: Patient
) -> Answer[Judged]:
    """The newest level, if it was drawn at the present dose but cannot steer the dose."""
    newest = levels[0] if levels else None
    if newest is None or newest.verdict == "usable" or (isinstance(acted, Acted) and newest is acted.level):
        return Unknown("the newest level is usable" if newest else "there is no level on record")
    if not patient.taking:
        return Unknown("sirolimus is not being taken now")
    if age_in_days(newest.lab, patient.now) > unusable_shown:
        return Unknown("the level of no use is too old to speak of")
    if not since_last_change(patient, newest.lab):
        return Unknown("the newest level is from before the last change")
    return newest


@code(
    "too_soon_after_dose late_after_dose doses_missed not_at_steady_state nearly_at_steady_state "
    "interacting_drug_changed wrong_specimen preliminary",
    "why the newest level cannot steer the dose",
    report="that level as reported, with its date",
)
def unusable_level(level_of_no_use: Judged) -> Answer[str]:
    lab = level_of_no_use.lab
    return Known(level_of_no_use.verdict, [lab.reference], level_of_no_use.moment.day, lambda: reported(lab, NG_ML))


@text("why it cannot steer the dose, in words")
def unusable_level_why(level_of_no_use: Judged) -> Answer[str]:
    return Known(level_of_no_use.why, [level_of_no_use.lab.reference])
