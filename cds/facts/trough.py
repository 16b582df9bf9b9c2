"""The trough that may steer the dose."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from cds.chart.words import NG_ML, reported, rounded
from cds.compiled.bound import Bound
from cds.course.kinds import TestOrders
from cds.course.levels import (
    Judged,
    Target,
    after_dose,
    age_in_days,
    is_missed_but_high,
    since_last_change,
)
from cds.course.patient import Patient
from cds.plan.declare import Answer, Days, Known, Unknown, bounded_number, code, flag, number, part, text

_NOT_TAKING = "sirolimus is not being taken now"


class Acted(NamedTuple):
    """The level that may steer the dose, why it may, and the level before it, usable or not."""

    level: Judged
    basis: str
    before: Judged | None


@part
def acted(levels: list[Judged], patient: Patient, target: Target) -> Answer[Acted]:
    """The newest level since the last change that is usable, or that already lies beyond the target although it is not."""
    if not patient.taking:
        return Unknown(_NOT_TAKING)
    reason = "there is no level since the last change" if levels else "there is no level on record"
    for each in levels:
        basis = _basis(each, target)
        if not basis or not since_last_change(patient, each.lab):
            reason = each.why if not basis else reason
            continue
        if age_in_days(each.lab, patient.now) > patient.joining.level_max_age:
            return Unknown("the newest usable level is too old to act upon")
        return Acted(each, basis, _before(levels, each))
    return Unknown(reason)


def _basis(each: Judged, target: Target) -> str:
    """Usable; too high though doses were missed; or an early level already beyond the target in the direction of the change."""
    if is_missed_but_high(each, target):
        return "missed_but_high"
    if each.verdict == "usable":
        return "usable"
    if not each.early or each.change is None or each.lab.amount is None:
        return ""
    side = target.side(each.lab.amount)
    if each.change.direction > 0 and side > 0:
        return "early_after_increase"
    return "early_after_decrease" if each.change.direction < 0 and side < 0 else ""


def _before(levels: Sequence[Judged], each: Judged) -> Judged | None:
    return next((other for other in levels[levels.index(each) + 1 :] if not other.lab.wrong_specimen), None)


def value_of_level(level: Judged) -> Decimal | Bound:
    """The number of a level, or its bound if that is all the laboratory reports."""
    amount = level.lab.amount
    assert amount is not None
    return Bound(amount.comparator, amount.value) if amount.comparator else amount.value  # type: ignore[arg-type]  # it has no other


@bounded_number(
    NG_ML,
    "0.1",
    "the newest usable sirolimus level since the last change",
    report="that level as reported, with its date",
)
def trough(acted: Acted) -> Answer[Decimal | Bound]:
    lab = acted.level.lab
    return Known(value_of_level(acted.level), [lab.reference], acted.level.moment.day, lambda: reported(lab, NG_ML))


@number("day", "1", "days since that level was drawn")
def trough_age(acted: Acted, now: datetime) -> Answer[Decimal]:
    level = acted.level
    return Known(Decimal(age_in_days(level.lab, now)), [level.lab.reference], level.moment.day)


@code(
    "usable early_after_increase early_after_decrease missed_but_high",
    "usable; or drawn before steady state after a start or increase, or after a decrease; or above the target in spite of missed doses",
)
def trough_basis(acted: Acted) -> Answer[str]:
    return Known(acted.basis, [acted.level.lab.reference], acted.level.moment.day)


@flag("a level measured in serum or plasma, at least as new as the newest one of whole blood, is above the target")
def other_specimen_above(levels: list[Judged], target: Target) -> Answer[bool]:
    """Whole blood holds more sirolimus than its plasma, and the label of the tube may be wrong: either way it is no reason for more."""
    whole = next((each.moment for each in levels if not each.lab.wrong_specimen), None)
    found = [
        each.lab.reference
        for each in levels
        if each.lab.wrong_specimen and target.is_above(each.lab) and (whole is None or each.moment.day >= whole.day)
    ]
    return Known(bool(found), found)


@flag("the time since the dose is known, or a level is already on order")
def timed_level_needless(acted: Acted, level_orders: TestOrders, trough_orders: TestOrders) -> Answer[bool]:
    return acted.level.time_known or bool(level_orders or trough_orders)


@text("how that level was judged")
def trough_working(acted: Acted) -> Answer[str]:
    return Known(_working(acted), [acted.level.lab.reference], acted.level.moment.day)


def _working(acted: Acted) -> str:
    level, before = acted.level, acted.before
    timing = f"drawn {rounded(level.hours, '0.1')} h after the dose" if level.hours is not None else ""
    if not timing:
        unknown = "time since the last dose not recorded: assumed to be a trough"
        unknown = after_dose(level.by_order) if level.by_order is not None else unknown
        timing = "coded as a trough" if level.time_known else unknown
    assay = f"; measured by {level.lab.assay}" if level.lab.assay else ""
    other = before.lab.assay if before is not None else ""
    if assay and other not in ("", level.lab.assay):
        assay += f", the level before by {other}: the two assays read differently"
    return f"{level.why}; {timing}{assay}"


@flag(
    "a usable level drawn long enough after the last change, and after the liver became impaired, shows what the liver does"
)
def liver_answered(
    levels: list[Judged], patient: Patient, liver_impaired_from: date, liver_level_from: Days
) -> Answer[bool]:
    change = patient.course.last_change
    found = [
        each.lab.reference
        for each in levels
        if patient.taking
        and each.verdict == "usable"
        and change is not None
        and change.moment.days_to(each.moment) >= liver_level_from
        and (each.moment.day - liver_impaired_from).days >= liver_level_from
        and age_in_days(each.lab, patient.now) <= patient.joining.level_max_age
    ]
    return Known(bool(found), found[:1])
