"""The limits of a dose: the dose window, the patient's size, and the level that may support the dose."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from cds.chart.model import Lab
from cds.compiled.knowledge import Window
from cds.course.levels import Judged, Target
from cds.course.patient import Patient
from cds.facts.size import Ages, Heaviest, Size
from cds.plan.declare import Answer, Days, Known, Number, Numbers, Unknown, flag, part


class Support(msgspec.Struct, frozen=True):
    """The level from which a dose can be scaled: its value at ``dose`` mg/day."""

    level: Decimal
    dose: Decimal
    lab: Lab
    by_order: Decimal | None = None  # hours since the order's time of day for a dose: then the trough may be lower

    def at(self, dose: Decimal) -> Decimal:
        """The level expected at ``dose``, in proportion."""
        return self.level * dose / self.dose

    def age(self, now: datetime) -> int:
        """Days since the level was drawn."""
        assert self.lab.moment is not None
        return self.lab.moment.days_until(now)


@part
def support(levels: list[Judged], patient: Patient, support_days: Days, doubtful_level: Number) -> Support | None:
    """The newest level that was usable when drawn, if it may still support a dose today.

    A level close to zero supports no dose: the doses before it may not have been taken.
    """
    if patient.course.conflict or not patient.taking:
        return None
    for each in levels:
        if each.verdict != "usable" or each.lab.amount is None:
            continue
        if each.lab.amount.comparator or each.lab.amount.value < doubtful_level:
            return None  # the newest usable level is only known as a bound, or suggests that doses were not taken
        regimen = patient.course.regimen_at(each.moment)
        if regimen is None:
            continue  # drawn during a hold: there is no dose to scale from
        if regimen.dose.per_day is None or not _still_speaks(each, patient, support_days):
            return None
        return Support(each.lab.amount.value, regimen.dose.per_day, each.lab, each.by_order)
    return None


def _still_speaks(each: Judged, patient: Patient, support_days: int) -> bool:
    """Whether the level is still informative: not after another dose has been taken for long, and not if the level is old."""
    last = patient.course.last_change
    changed_since = last is not None and not last.precedes(each.moment)
    if changed_since and last is not None and last.moment.days_until(patient.now) > support_days:
        return False
    return each.moment.days_until(patient.now) <= patient.joining.level_max_age


class LimitNumbers(Numbers, frozen=True):
    """The limits by size in mg per day, per kg and per m2, and the days for which a starting dose is accepted or an offer must hold."""

    size_warning_per_day: Decimal
    size_warning_per_kg: Decimal
    size_info_per_m2: Decimal
    child_low_per_kg: Decimal
    starting_dose_accepted_until: int
    offer_holds: int


class Limits(msgspec.Struct, frozen=True):
    """What a dose of this patient is compared with, today and for as long as an offer must hold."""

    patient: Patient
    size: Size
    most_kg: Decimal | None  # the most that a patient without a recent weight can weigh
    is_child: bool
    by_size: bool
    young: bool | None
    window: Window | None
    starting: Window | None
    support: Support | None
    in_response: bool
    ages: Ages
    numbers: LimitNumbers
    target: Target

    def enough_by_weight(self, dose: Decimal) -> bool:
        """Whether a child's dose is high enough by weight, using a weight at most ``support_days`` past its validity.

        This grace period keeps a dose that was right when signed from being called too low because the next weighing is late.
        """
        weight = self.size.any_weight
        if not self.is_child or weight is None or weight.amount is None or weight.moment is None:
            return False
        valid = (self.ages.weight_valid_young if self.young else self.ages.weight_valid) + self.ages.support_days
        recent = weight.moment.days_until(self.patient.now) <= valid
        return recent and dose / weight.amount.value >= self.numbers.child_low_per_kg

    def starting_accepted(self, dose: Decimal) -> bool:
        """Whether ``dose`` is inside the starting window, and it is early enough in the course or the patient is in response."""
        if self.starting is None or not self.starting.low <= dose <= self.starting.high:
            return False
        day = self.patient.day
        return self.in_response or (day is not None and day <= self.numbers.starting_dose_accepted_until)

    def supported(self, dose: Decimal) -> bool:
        """Whether the level, scaled to ``dose``, respects the bound of the target that matters."""
        if self.support is None or self.window is None:
            return False
        scaled = self.support.at(dose)
        if dose > self.window.high:
            return scaled <= self.target.trough_high
        return dose >= self.window.low or (scaled >= self.target.trough_low and self.support.by_order is None)

    def fits_size(self, dose: Decimal) -> bool:
        """Whether ``dose`` passes every limit by body size."""
        if not self.by_size:
            return True
        if dose > self.numbers.size_warning_per_day:
            return False
        kg, surface = self._weighed() or self.most_kg, self.size.surface
        if kg is not None and dose / kg > self.numbers.size_warning_per_kg:
            return False
        return surface is None or dose / surface <= self.numbers.size_info_per_m2

    def _weighed(self) -> Decimal | None:
        """The weight that is valid now, or that becomes valid again on a birthday while an offer must hold."""
        weight = self.size.any_weight
        if self.size.kg is not None or weight is None or weight.amount is None or weight.moment is None:
            return self.size.kg
        until = self.patient.now.date() + timedelta(days=self.numbers.offer_holds)
        stays = self.patient.surely_under(self.ages.weight_short_age, until) is True
        counts_again = not stays and weight.moment.days_until(self.patient.now) <= self.ages.weight_valid
        return weight.amount.value if counts_again else None

    def raises_no_warning(self, dose: Decimal) -> bool:
        """Whether ``dose`` raises none of our own dose warnings, now and for as long as an offer must hold."""
        window = self.window
        if window is None or not self.fits_size(dose):
            return False
        if window.low <= dose <= window.high or (self._support_lasts() and self.supported(dose)):
            return True
        if dose > window.high:
            return self._still_early() and self.starting_accepted(dose)
        return self.size.weight is not None and self.enough_by_weight(dose)

    def _support_lasts(self) -> bool:
        """Whether the level will be recent enough to support a dose for as long as an offer must hold."""
        if self.support is None:
            return False
        age = self.support.age(self.patient.now)
        return age + self.numbers.offer_holds <= self.patient.joining.level_max_age

    def _still_early(self) -> bool:
        day = self.patient.day
        return day is not None and day + self.numbers.offer_holds <= self.numbers.starting_dose_accepted_until


@part
def limits(
    patient: Patient,
    size: Size,
    heaviest: Heaviest | Unknown,
    age_group: str | Unknown,
    phase: str | Unknown,
    size_limits_apply: bool | Unknown,
    windows: tuple[Window, ...],
    support: Support | None,
    in_response: bool,
    ages: Ages,
    limit_numbers: LimitNumbers,
    target: Target,
) -> Limits:
    """What a dose is compared with."""

    def window(of_phase: str) -> Window | None:
        found = next((w for w in windows if (w.age_group, w.phase) == (age_group, of_phase)), None)
        if found is None or not found.per_surface:
            return found
        return found.for_surface(size.surface) if size.surface is not None else None

    return Limits(
        patient,
        size,
        None if isinstance(heaviest, Unknown) else heaviest[0],
        age_group == "child",
        size_limits_apply is True,
        patient.surely_under(ages.weight_short_age, patient.now.date()),
        window(phase) if isinstance(phase, str) else None,
        window("starting"),
        support,
        in_response,
        ages,
        limit_numbers,
        target,
    )


@flag("the lowest dose of the window is too much for the patient's size, or the patient is under {infant_age} years")
def window_asks_too_much(limits: Limits, infant_age: Days) -> Answer[bool]:
    infant = limits.patient.surely_under(infant_age, limits.patient.now.date()) is True
    return infant or (limits.window is not None and not limits.fits_size(limits.window.low))


@flag("a child's dose is enough by weight, though below the flat window")
def dose_enough_by_weight(daily_dose: Decimal, limits: Limits) -> Answer[bool]:
    return limits.enough_by_weight(daily_dose)


@flag("the dose lies in the starting window and may stay there for now")
def starting_dose_accepted(daily_dose: Decimal, limits: Limits) -> Answer[bool]:
    return limits.starting_accepted(daily_dose)


@flag("scaled to this dose, a usable level would be in target; false when no level says so")
def dose_supported_by_trough(limits: Limits, support: Support | None) -> Answer[bool]:
    per_day = limits.patient.dose.per_day
    holds = per_day is not None and limits.supported(per_day)
    return Known(holds, [support.lab.reference] if support and holds else [])
