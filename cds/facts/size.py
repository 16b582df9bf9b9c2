"""Age group and size of the patient, and when the dose is judged by them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from cds.chart.model import Lab
from cds.chart.words import on_day, rounded, said
from cds.course.kinds import Labs
from cds.course.patient import Patient
from cds.plan.declare import Answer, Days, Known, Named, Number, Numbers, Unknown, code, flag, part, text

_ROOT = Decimal("0.5")
_MOSTELLER = 3600  # cm kg m-4


class Ages(Numbers, frozen=True):
    """Ages in years, days for which a weight is valid, and for how many more days it may still support an offer."""

    weight_short_age: int
    weight_valid: int
    weight_valid_young: int
    support_days: int


class Size(msgspec.Struct, frozen=True):
    """The newest weight and height that are recent, in kg and cm, and the newest weight of any age.

    ``valid`` are the days for which a weight is recent, ``surface`` the body surface in m2 (Mosteller). Where the newest weight and
    the one before it cannot both be right, ``weight`` is the lower one and ``at_odds`` are the two: pounds may be written as kg.
    """

    valid: int
    weight: Lab | None
    any_weight: Lab | None
    height: Lab | None
    at_odds: tuple[Lab, ...] = ()

    @property
    def kg(self) -> Decimal | None:
        """The recent weight."""
        return self.weight.amount.value if self.weight is not None and self.weight.amount is not None else None

    @property
    def surface(self) -> Decimal | None:
        """The square root of height in cm times weight in kg over 3600."""
        if self.kg is None or self.height is None or self.height.amount is None:
            return None
        product = self.kg * self.height.amount.value / _MOSTELLER
        return Decimal(product**_ROOT).quantize(Decimal("0.0001"), ROUND_HALF_EVEN)


@part
def size(patient: Patient, weight_labs: Labs, height_labs: Labs, ages: Ages, weight_jump: Number) -> Size:
    """The size of the patient, as far as it is on record."""
    young = patient.surely_under(ages.weight_short_age, patient.now.date())
    valid = ages.weight_valid_young if young else ages.weight_valid
    weights, heights = _usable(weight_labs), _usable(height_labs)
    newest, last = _newest(weights, valid, patient), _newest(weights, None, patient)
    at_odds = _at_odds(weights, newest, valid, weight_jump)
    if at_odds:
        newest = last = min(at_odds, key=_kg)
    return Size(valid, newest, last, _newest(heights, valid, patient), at_odds)


def _kg(lab: Lab) -> Decimal:
    return lab.amount.value if lab.amount is not None else Decimal(0)


def _at_odds(weights: Sequence[Lab], newest: Lab | None, days: int, jump: Decimal) -> tuple[Lab, ...]:
    """The newest weight and the last one of an earlier day, if nobody grows or shrinks that much in so many days."""
    if newest is None or newest.moment is None:
        return ()
    before = [lab for lab in weights if lab.moment is not None and 0 < lab.moment.days_to(newest.moment) <= days]
    older = max(before, key=lambda lab: lab.moment.sort_key() if lab.moment else (), default=None)
    if older is None:
        return ()
    low, high = sorted((_kg(older), _kg(newest)))
    return (older, newest) if high >= low * jump else ()


def _usable(labs: Sequence[Lab]) -> list[Lab]:
    return [
        lab
        for lab in labs
        if lab.amount and not lab.amount.comparator and lab.moment is not None and lab.status != "preliminary"
    ]


def _newest(labs: Sequence[Lab], valid: int | None, patient: Patient) -> Lab | None:
    recent = [
        lab for lab in labs if lab.moment is not None and (valid is None or lab.moment.days_until(patient.now) <= valid)
    ]
    return max(recent, key=lambda lab: (lab.moment.sort_key() if lab.moment else (), lab.reference), default=None)


@code("adult child", "adult or child by the age on the order's date")
def age_group(patient: Patient, adult_age: Days) -> Answer[str]:
    day = patient.dose_date or patient.now.date()
    child = patient.surely_under(adult_age, day)
    if child is None:
        reason = "the birth date is not known well enough"
        gap = Named("Birth date", f"{reason}; the dose window depends on it", fact="age_group")
        return Unknown(reason, gap, of="Patient")
    return Known("child" if child else "adult", [patient.reference])


@flag("a child, or an adult under {small_adult_weight} kg: the dose is judged by size too")
def size_limits_apply(
    age_group: str | Unknown, size: Size, small_adult_weight: Number, patient: Patient
) -> Answer[bool]:
    if size.weight is not None and size.kg is not None and size.kg < small_adult_weight:
        return Known(True, [size.weight.reference, patient.reference])
    if age_group == "child":
        return Known(True, [patient.reference])
    return Unknown("the patient is an adult who is not small, or it is not known")


@part
def recent_weight(size: Size, age_group: str | Unknown, unreadable_weights: list[Named]) -> Answer[Lab]:
    """The weight that a dose is judged by; for a child a missing one is a gap, unless an unreadable weight is already reported."""
    if size.weight is not None:
        return size.weight
    reason = f"there is no weight from the last {size.valid} days"
    if age_group != "child" or unreadable_weights:
        return Unknown(reason)
    return Unknown(
        reason, Named("Weight", f"{reason}; the dose is not judged by weight", fact="weight"), of="Observation"
    )


@text("body weight, with its date")
def weight(recent_weight: Lab) -> Answer[str]:
    assert recent_weight.amount is not None
    return Known(f"{said(recent_weight.amount.value)} kg on {on_day(recent_weight.moment)}", [recent_weight.reference])


@text("body surface")
def body_surface(daily_dose: Decimal, size: Size) -> Answer[str]:
    if size.surface is None or size.height is None:
        return Unknown("there is no recent height and weight")
    return Known(f"{rounded(size.surface, '0.01')} m2", [size.height.reference])


@text("why body surface is not known")
def surface_note(daily_dose: Decimal, size: Size) -> Answer[str]:
    if size.weight is None or size.surface is not None:
        return Unknown("body surface is known, or there is no recent weight")
    return "Body surface not known: there is no recent height."


@text("under {infant_age} years: dose by a specialist only")
def infant_note(daily_dose: Decimal, patient: Patient, infant_age: Days) -> Answer[str]:
    if not patient.surely_under(infant_age, patient.now.date()):
        return Unknown("the patient is no infant, or the birth date is not known")
    return f"Under {infant_age} years of age: clearance is still maturing, dosing is for a specialist."


class Growing(Numbers, frozen=True):
    """Days for which an old weight may still raise a warning, and the percentage that may have been gained since."""

    infant_age: int  # years
    weight_warns: int
    weight_warns_infant: int
    weight_gain: Decimal


Heaviest = tuple[Decimal, str, str]


@part
def heaviest(patient: Patient, size: Size, growing: Growing, heavy: dict[str, tuple[Decimal, ...]]) -> Answer[Heaviest]:
    """The most that a patient without a recent weight can weigh, in words, and the resource."""
    if size.weight is not None:
        return Unknown("a recent weight is on record")
    most = _old_weight_grown(patient, size, growing) or _heavy_for_age(patient, heavy)
    return most or Unknown("there is no weight, and none that the age tells")


def _old_weight_grown(patient: Patient, size: Size, growing: Growing) -> Heaviest | None:
    """A weight too old to be judged by, with what may have been gained since."""
    old, infant = size.any_weight, patient.surely_under(growing.infant_age, patient.now.date())
    valid = growing.weight_warns_infant if infant else growing.weight_warns
    if old is None or old.amount is None or old.moment is None or old.moment.days_until(patient.now) > valid:
        return None
    words = f"{said(old.amount.value)} kg on {on_day(old.moment)} and {said(growing.weight_gain)} % more"
    return old.amount.value * (1 + growing.weight_gain / 100), words, old.reference


def _heavy_for_age(patient: Patient, heavy: dict[str, tuple[Decimal, ...]]) -> Heaviest | None:
    """The weight that three of a hundred children of that age exceed; if the sex is unknown, that of the heavier sex."""
    months = patient.birth.most_months_on(patient.now.date()) if patient.birth else None
    sexes = [patient.gender] if patient.gender in heavy else list(heavy)
    weights = [heavy[sex][months] for sex in sexes if months is not None and 0 <= months < len(heavy[sex])]
    if not weights:
        return None
    words = f"{said(max(weights))} kg, which 97 of 100 children of this age do not exceed (CDC 2000)"
    return max(weights), words, patient.reference


@text("the most that the patient can weigh, by an old weight or for the age, in words")
def heaviest_weight(daily_dose: Decimal, heaviest: Heaviest) -> Answer[str]:
    _, words, reference = heaviest
    return Known(words, [reference])
