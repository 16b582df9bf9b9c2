"""Lungs: pneumonitis that began on sirolimus, lung disease from before it, breathlessness and oxygen."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from cds.chart.model import Intake, Problem
from cds.chart.words import reported
from cds.course.kinds import Problems, Samples, UnitOf
from cds.course.patient import Patient
from cds.course.problems import active, any_of, listed_problems
from cds.facts.labs import value_of
from cds.plan.declare import Answer, Days, Known, Named, Unknown, flag, names, number, part

_NONE = "none is on record"


@part
def on_sirolimus(pneumonitis_problems: Problems, patient: Patient, given: tuple[Intake, ...]) -> list[Problem]:
    """Lung disease that began while sirolimus was taken, in any course, or shortly after a stop.

    Lung disease without a date counts if sirolimus was ever taken. If no order is on record but sirolimus was given or measured,
    the start of sirolimus is not known: the disease may have begun on it.
    """
    ordered = any(not order.draft for order in patient.orders)
    unseen = not ordered and bool(given or patient.levels)
    return [
        problem
        for problem in pneumonitis_problems
        if (ordered or unseen if problem.onset is None or unseen else patient.took_sirolimus(problem.onset.day))
    ]


@names("pneumonitis or interstitial lung disease that is active and began on sirolimus", none=_NONE)
def lung_disease(on_sirolimus: list[Problem], now: datetime) -> Answer[list[Named]]:
    return listed_problems(active(on_sirolimus, now))


@names("pneumonitis or interstitial lung disease that began on sirolimus and is over", none=_NONE)
def lung_history(on_sirolimus: list[Problem], now: datetime) -> Answer[list[Named]]:
    going_on = active(on_sirolimus, now)
    return listed_problems([problem for problem in on_sirolimus if problem not in going_on])


@names("lung disease that is active and began before sirolimus, which a draft would start or take up again", none=_NONE)
def lung_disease_before(
    pneumonitis_problems: Problems, on_sirolimus: list[Problem], patient: Patient
) -> Answer[list[Named]]:
    starts = bool(patient.drafts) and (patient.course.start is None or patient.earlier is not None)
    going_on = active(pneumonitis_problems, patient.now)
    return listed_problems([problem for problem in going_on if starts and problem not in on_sirolimus])


@names("lung disease that began on sirolimus, over or not", none=_NONE)
def lung_harm(on_sirolimus: list[Problem]) -> Answer[list[Named]]:
    return listed_problems(on_sirolimus)


@names("active lung disease of the last {lung_acts} days that began without sirolimus", none=_NONE)
def lung_new(
    pneumonitis_problems: Problems, on_sirolimus: list[Problem], lung_acts: Days, now: datetime
) -> Answer[list[Named]]:
    recent = active(pneumonitis_problems, now, lung_acts)
    return listed_problems([problem for problem in recent if problem not in on_sirolimus])


@flag("breathlessness is an active condition")
def breathless(breathless_problems: Problems, now: datetime) -> Answer[bool]:
    return any_of(active(breathless_problems, now))


@number(
    "percent",
    "1",
    "the newest oxygen saturation, of the last {oxygen_recent} days",
    report="that value as reported, with its date",
)
def oxygen_saturation(
    oxygen_samples: Samples, oxygen_recent: Days, now: datetime, oxygen_unit: UnitOf
) -> Answer[Decimal]:
    """An upper bound on the saturation counts; a lower bound tells nothing."""
    newest = next((lab for lab in oxygen_samples if lab.amount and not lab.amount.comparator.startswith(">")), None)
    if newest is None or newest.moment is None:
        return Unknown("no oxygen saturation is on record")
    if newest.moment.days_until(now) > oxygen_recent:
        return Unknown(f"there is no oxygen saturation of the last {oxygen_recent} days")
    return Known(value_of(newest), [newest.reference], newest.moment.day, lambda: reported(newest, oxygen_unit))
