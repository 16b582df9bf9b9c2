"""Protein in urine and creatinine: what shows harm to the kidney, and against which baseline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from cds.chart.model import Lab
from cds.chart.words import reported
from cds.course.kinds import History, Results, UnitOf
from cds.course.patient import Patient
from cds.facts.labs import age_of, day_of, newest_of, value_of
from cds.plan.declare import Answer, Days, Known, Unknown, number, part


def _confirmed(results: Sequence[Lab], apart: int, days: int, now: datetime) -> tuple[Lab, Lab] | Unknown:
    """The two newest samples from different days, if the newer is from the last ``days`` days: one sample alone proves nothing."""
    if not results or age_of(results[0], now) > days:
        return Unknown(f"there is no result of the last {days} days")
    newest = results[0]
    second = next((lab for lab in results[1:] if day_of(lab) < day_of(newest)), None)
    if second is None or (day_of(newest) - day_of(second)).days > apart:
        return Unknown("no second sample of another day confirms it")
    return newest, second


def _lower(samples: tuple[Lab, Lab], unit: str) -> Known[Decimal]:
    newest, second = samples
    lower = min(value_of(newest), value_of(second))

    def words() -> str:
        return f"{reported(newest, unit)}, after {reported(second, unit)}"

    return Known(lower, [newest.reference, second.reference], day_of(newest), words)


@part
def two_of_protein(
    protein_ratio_results: Results, protein_second: Days, lab_recent: Days, now: datetime
) -> Answer[tuple[Lab, Lab]]:
    """Two samples that agree, the newer one recent."""
    return _confirmed(protein_ratio_results, protein_second, lab_recent, now)


@number(
    "g/g",
    "0.1",
    "protein to creatinine in urine, the lower of two samples of different days",
    report="the two samples, with their dates",
)
def proteinuria(two_of_protein: tuple[Lab, Lab], protein_ratio_unit: UnitOf) -> Answer[Decimal]:
    return _lower(two_of_protein, protein_ratio_unit)


@number("g/g", "0.1", "protein in urine, where the newer of two samples is of the last {protein_acts} days")
def proteinuria_lately(
    protein_ratio_results: Results,
    protein_second: Days,
    protein_acts: Days,
    now: datetime,
    protein_ratio_unit: UnitOf,
) -> Answer[Decimal]:
    samples = _confirmed(protein_ratio_results, protein_second, protein_acts, now)
    return samples if isinstance(samples, Unknown) else _lower(samples, protein_ratio_unit)


@number("g/g", "0.1", "the newest protein to creatinine in urine of the last {lab_recent} days, confirmed or not")
def proteinuria_newest(
    protein_ratio_results: Results, lab_recent: Days, now: datetime, protein_ratio_unit: UnitOf
) -> Answer[Decimal]:
    return newest_of(protein_ratio_results, lab_recent, now, protein_ratio_unit)


@number("g/g", "0.1", "the newest albumin to creatinine in urine of the last {lab_recent} days, confirmed or not")
def albuminuria_newest(
    albumin_ratio_results: Results, lab_recent: Days, now: datetime, albumin_ratio_unit: UnitOf
) -> Answer[Decimal]:
    return newest_of(albumin_ratio_results, lab_recent, now, albumin_ratio_unit)


@number("g/day", "0.1", "the newest protein in urine of a whole day of the last {lab_recent} days, confirmed or not")
def protein_24h_newest(
    protein_24h_results: Results, lab_recent: Days, now: datetime, protein_24h_unit: UnitOf
) -> Answer[Decimal]:
    return newest_of(protein_24h_results, lab_recent, now, protein_24h_unit)


@part
def two_of_day_protein(
    protein_24h_results: Results, protein_second: Days, lab_recent: Days, now: datetime
) -> Answer[tuple[Lab, Lab]]:
    """Two collections that agree, the newer one recent."""
    return _confirmed(protein_24h_results, protein_second, lab_recent, now)


@number(
    "g/day",
    "0.1",
    "protein in urine of a whole day, the lower of two collections of different days",
    report="the two collections, with their dates",
)
def protein_24h(two_of_day_protein: tuple[Lab, Lab], protein_24h_unit: UnitOf) -> Answer[Decimal]:
    return _lower(two_of_day_protein, protein_24h_unit)


@number("g/day", "0.1", "the same, where the newer collection is of the last {protein_acts} days")
def protein_24h_lately(
    protein_24h_results: Results, protein_second: Days, protein_acts: Days, now: datetime, protein_24h_unit: UnitOf
) -> Answer[Decimal]:
    samples = _confirmed(protein_24h_results, protein_second, protein_acts, now)
    return samples if isinstance(samples, Unknown) else _lower(samples, protein_24h_unit)


@part
def two_of_albumin(
    albumin_ratio_results: Results, protein_second: Days, lab_recent: Days, now: datetime
) -> Answer[tuple[Lab, Lab]]:
    """Two samples that agree, the newer one recent."""
    return _confirmed(albumin_ratio_results, protein_second, lab_recent, now)


@number(
    "g/g",
    "0.1",
    "albumin to creatinine in urine, the lower of two samples of different days",
    report="the two samples, with their dates",
)
def albuminuria(two_of_albumin: tuple[Lab, Lab], albumin_ratio_unit: UnitOf) -> Answer[Decimal]:
    return _lower(two_of_albumin, albumin_ratio_unit)


@number("g/g", "0.1", "the same, where the newer sample is of the last {protein_acts} days")
def albuminuria_lately(
    albumin_ratio_results: Results,
    protein_second: Days,
    protein_acts: Days,
    now: datetime,
    albumin_ratio_unit: UnitOf,
) -> Answer[Decimal]:
    samples = _confirmed(albumin_ratio_results, protein_second, protein_acts, now)
    return samples if isinstance(samples, Unknown) else _lower(samples, albumin_ratio_unit)


class Kidney(NamedTuple):
    """The newest creatinine, its baseline, and which value the baseline is."""

    newest: Lab
    base: Lab
    which: str


@part
def creatinine_and_base(
    patient: Patient,
    creatinine_results: Results,
    creatinine_history: History,
    lab_recent: Days,
    creatinine_baseline_days: Days,
) -> Answer[Kidney]:
    """The baseline is the value before the course, if not older than a year; without one, the lowest of the year before the newest."""
    start = (patient.earlier or patient.course).start
    if not creatinine_results or age_of(creatinine_results[0], patient.now) > lab_recent or start is None:
        return Unknown(f"there is no result of the last {lab_recent} days")
    newest = creatinine_results[0]
    before = (
        lab for lab in creatinine_history if lab.moment and 0 <= lab.moment.days_to(start) <= creatinine_baseline_days
    )
    base = next(before, None)
    if base is not None and base.moment != newest.moment and value_of(base):
        return Kidney(newest, base, "before the course")
    lowest = _lowest_of_the_year(newest, creatinine_history, creatinine_baseline_days)
    if lowest is None:
        return Unknown("there is no earlier result to compare with")
    return Kidney(newest, lowest, "none from before the course; lowest of the year before")


@number(
    "x",
    "0.1",
    "the newest creatinine over its baseline: the one before the course or, without one, the lowest of the {creatinine_baseline_days} days before it",
    report="the two values, with their dates",
)
def creatinine_ratio(creatinine_and_base: Kidney, creatinine_unit: UnitOf) -> Answer[Decimal]:
    newest, base, which = creatinine_and_base

    def words() -> str:
        return f"{reported(newest, creatinine_unit)}, {which} {reported(base, creatinine_unit)}"

    return Known(value_of(newest) / value_of(base), [newest.reference, base.reference], day_of(newest), words)


@number("x", "0.1", "the newest creatinine over the lowest of the {creatinine_baseline_days} days before it")
def creatinine_rise(
    creatinine_results: Results,
    creatinine_history: History,
    creatinine_acts: Days,
    creatinine_baseline_days: Days,
    now: datetime,
) -> Answer[Decimal]:
    """In long-standing kidney disease this ratio does not rise."""
    if not creatinine_results or age_of(creatinine_results[0], now) > creatinine_acts:
        return Unknown("there is no recent creatinine")
    newest = creatinine_results[0]
    lowest = _lowest_of_the_year(newest, creatinine_history, creatinine_baseline_days)
    if lowest is None:
        return Unknown("there is no creatinine of the year before")
    return Known(value_of(newest) / value_of(lowest), [newest.reference, lowest.reference], day_of(newest))


def _lowest_of_the_year(newest: Lab, history: Sequence[Lab], days: int) -> Lab | None:
    year = (lab for lab in history if 0 < (day_of(newest) - day_of(lab)).days <= days)
    return min((lab for lab in year if value_of(lab)), key=value_of, default=None)
