"""Blood and urine tests that show harm from sirolimus: the newest result, how it changed, and compared with what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from cds.chart.model import Lab
from cds.chart.times import Moment
from cds.chart.words import COUNT, reported
from cds.compiled.bound import FINEST
from cds.course.kinds import History, Results, UnitOf
from cds.course.patient import Patient
from cds.plan.declare import Answer, Days, Known, Number, Unknown, flag, number, part


def value_of(lab: Lab) -> Decimal:
    """The value; for a bound such as "<0.2" or ">1000", the nearest value that it allows."""
    assert lab.amount is not None
    nearest = {"<": -FINEST, ">": FINEST}
    return max(lab.amount.value + nearest.get(lab.amount.comparator, Decimal(0)), Decimal(0))


def _day(lab: Lab) -> date:
    assert lab.moment is not None
    return lab.moment.day


def _age(lab: Lab, now: datetime) -> int:
    assert lab.moment is not None
    return lab.moment.days_until(now)


def _newest(results: Sequence[Lab], days: int, now: datetime, unit: str) -> Answer[Decimal]:
    """The newest result, if it is from the last ``days`` days."""
    if not results or _age(results[0], now) > days:
        return Unknown(f"there is no result of the last {days} days")
    newest = results[0]
    return Known(value_of(newest), [newest.reference], _day(newest), lambda: reported(newest, unit))


@number(
    COUNT,
    "0.1",
    "the newest neutrophil count, of the last {lab_recent} days",
    report="that count as reported, with its date",
)
def neutrophils(
    neutrophils_results: Results, lab_recent: Days, now: datetime, neutrophils_unit: UnitOf
) -> Answer[Decimal]:
    return _newest(neutrophils_results, lab_recent, now, neutrophils_unit)


@number(
    "g/dL",
    "0.1",
    "the newest haemoglobin, of the last {lab_recent} days",
    report="that value as reported, with its date",
)
def hemoglobin(
    hemoglobin_results: Results, lab_recent: Days, now: datetime, hemoglobin_unit: UnitOf
) -> Answer[Decimal]:
    return _newest(hemoglobin_results, lab_recent, now, hemoglobin_unit)


@part
def two_hemoglobins(
    hemoglobin_results: Results, hemoglobin_history: History, hemoglobin_fall_days: Days
) -> Answer[tuple[Lab, Lab]]:
    """The newest value, and the highest of the days before it."""
    newest = hemoglobin_results[0] if hemoglobin_results else None
    if newest is None or newest.moment is None:
        return Unknown("there is no haemoglobin on record")
    before = [lab for lab in hemoglobin_history if _is_before(lab, newest.moment, hemoglobin_fall_days)]
    highest = max(before, key=value_of, default=None)
    if highest is None:
        return Unknown(f"there is no other value of the {hemoglobin_fall_days} days before")
    return newest, highest


def _is_before(lab: Lab, newest: Moment, days: int) -> bool:
    return lab.moment is not None and lab.moment != newest and 0 <= lab.moment.days_to(newest) <= days


def _fall(two: tuple[Lab, Lab]) -> Known[Decimal]:
    newest, highest = two
    fall = max(value_of(highest) - value_of(newest), Decimal(0))
    return Known(fall, [newest.reference, highest.reference], _day(newest))


@number("g/dL", "0.1", "its fall from the highest value of the {hemoglobin_fall_days} days before it")
def hemoglobin_fall(hemoglobin: Decimal, two_hemoglobins: tuple[Lab, Lab]) -> Answer[Decimal]:
    return _fall(two_hemoglobins)


@number("g/dL", "0.1", "the fall of haemoglobin, where the newest is of the last {tma_acts} days")
def hemoglobin_fall_lately(two_hemoglobins: tuple[Lab, Lab], tma_acts: Days, now: datetime) -> Answer[Decimal]:
    if _age(two_hemoglobins[0], now) > tma_acts:
        return Unknown(f"there is no haemoglobin of the last {tma_acts} days")
    return _fall(two_hemoglobins)


@number(
    "mg/dL",
    "1",
    "the newest triglycerides, of the last {lab_recent} days",
    report="that value as reported, with its date",
)
def triglycerides(
    triglycerides_results: Results, lab_recent: Days, now: datetime, triglycerides_unit: UnitOf
) -> Answer[Decimal]:
    return _newest(triglycerides_results, lab_recent, now, triglycerides_unit)


@number("mg/dL", "1", "the newest triglycerides, of the last {lipids_act} days")
def triglycerides_lately(
    triglycerides_results: Results, lipids_act: Days, now: datetime, triglycerides_unit: UnitOf
) -> Answer[Decimal]:
    return _newest(triglycerides_results, lipids_act, now, triglycerides_unit)


@number(
    "mg/dL",
    "1",
    "the newest cholesterol, of the last {lab_recent} days",
    report="that value as reported, with its date",
)
def cholesterol(
    cholesterol_results: Results, lab_recent: Days, now: datetime, cholesterol_unit: UnitOf
) -> Answer[Decimal]:
    return _newest(cholesterol_results, lab_recent, now, cholesterol_unit)


@number("mg/dL", "1", "the newest cholesterol, of the last {lipids_act} days")
def cholesterol_lately(
    cholesterol_results: Results, lipids_act: Days, now: datetime, cholesterol_unit: UnitOf
) -> Answer[Decimal]:
    return _newest(cholesterol_results, lipids_act, now, cholesterol_unit)


@number(
    "mg/dL",
    "1",
    "the newest fasting glucose, of the last {lab_recent} days",
    report="that value as reported, with its date",
)
def fasting_glucose(glucose_results: Results, lab_recent: Days, now: datetime, glucose_unit: UnitOf) -> Answer[Decimal]:
    return _newest(glucose_results, lab_recent, now, glucose_unit)


@number(
    "percent", "0.1", "the newest HbA1c, of the last {lab_recent} days", report="that value as reported, with its date"
)
def hba1c(hba1c_results: Results, lab_recent: Days, now: datetime, hba1c_unit: UnitOf) -> Answer[Decimal]:
    return _newest(hba1c_results, lab_recent, now, hba1c_unit)


@flag("glucose or HbA1c was as high before the course began")
def glucose_was_high(
    patient: Patient,
    glucose_history: History,
    hba1c_history: History,
    diabetes_glucose: Number,
    diabetes_hba1c: Number,
) -> Answer[bool]:
    start = (patient.earlier or patient.course).start
    if start is None and patient.drafts:
        return Unknown("sirolimus has not been taken yet")
    high = [lab for lab in glucose_history if value_of(lab) >= diabetes_glucose]
    high += [lab for lab in hba1c_history if value_of(lab) >= diabetes_hba1c]
    before = [lab.reference for lab in high if start is not None and _day(lab) < start.day]
    return Known(bool(before), before[:1])


def _confirmed(results: Sequence[Lab], apart: int, days: int, now: datetime) -> tuple[Lab, Lab] | Unknown:
    """The two newest samples from different days, if the newer is from the last ``days`` days: one sample alone proves nothing."""
    if not results or _age(results[0], now) > days:
        return Unknown(f"there is no result of the last {days} days")
    newest = results[0]
    second = next((lab for lab in results[1:] if _day(lab) < _day(newest)), None)
    if second is None or (_day(newest) - _day(second)).days > apart:
        return Unknown("no second sample of another day confirms it")
    return newest, second


def _lower(samples: tuple[Lab, Lab], unit: str) -> Known[Decimal]:
    newest, second = samples
    lower = min(value_of(newest), value_of(second))

    def words() -> str:
        return f"{reported(newest, unit)}, after {reported(second, unit)}"

    return Known(lower, [newest.reference, second.reference], _day(newest), words)


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


@part
def creatinine_and_base(
    patient: Patient,
    creatinine_results: Results,
    creatinine_history: History,
    lab_recent: Days,
    creatinine_baseline_days: Days,
) -> Answer[tuple[Lab, Lab]]:
    """The newest value, and the one before the course, which must not be older than a year."""
    start = (patient.earlier or patient.course).start
    if not creatinine_results or _age(creatinine_results[0], patient.now) > lab_recent or start is None:
        return Unknown(f"there is no result of the last {lab_recent} days")
    before = (
        lab for lab in creatinine_history if lab.moment and 0 <= lab.moment.days_to(start) <= creatinine_baseline_days
    )
    base = next(before, None)
    if base is None or base.moment == creatinine_results[0].moment or not value_of(base):
        return Unknown("there is no result from before the course to compare with")
    return creatinine_results[0], base


@number("x", "0.1", "the newest creatinine over the one before the course", report="the two values, with their dates")
def creatinine_ratio(creatinine_and_base: tuple[Lab, Lab], creatinine_unit: UnitOf) -> Answer[Decimal]:
    newest, base = creatinine_and_base

    def words() -> str:
        return f"{reported(newest, creatinine_unit)}, before the course {reported(base, creatinine_unit)}"

    return Known(value_of(newest) / value_of(base), [newest.reference, base.reference], _day(newest), words)


@number("x", "0.1", "the newest creatinine over the lowest of the {creatinine_baseline_days} days before it")
def creatinine_rise(
    creatinine_results: Results,
    creatinine_history: History,
    creatinine_acts: Days,
    creatinine_baseline_days: Days,
    now: datetime,
) -> Answer[Decimal]:
    """In long-standing kidney disease this ratio does not rise."""
    if not creatinine_results or _age(creatinine_results[0], now) > creatinine_acts:
        return Unknown("there is no recent creatinine")
    newest = creatinine_results[0]
    year = (lab for lab in creatinine_history if 0 < (_day(newest) - _day(lab)).days <= creatinine_baseline_days)
    lowest = min((lab for lab in year if value_of(lab)), key=value_of, default=None)
    if lowest is None:
        return Unknown("there is no creatinine of the year before")
    return Known(value_of(newest) / value_of(lowest), [newest.reference, lowest.reference], _day(newest))


def _higher(results: Sequence[Lab], days: int, now: datetime) -> tuple[Decimal, Lab] | Unknown:
    """The higher of the two enzymes as a multiple of its laboratory's own upper limit."""
    rated = [(value_of(lab) / lab.upper, lab) for lab in results if lab.upper and _age(lab, now) <= days]
    if not rated:
        return Unknown("there is no recent result with an upper limit")
    return max(rated, key=lambda each: each[0])


@part
def newest_enzymes(alt_results: Results, ast_results: Results) -> list[Lab]:
    """The newest ALT and the newest AST."""
    return [*alt_results[:1], *ast_results[:1]]


@part
def higher_enzyme(newest_enzymes: list[Lab], lab_recent: Days, now: datetime) -> Answer[tuple[Decimal, Lab]]:
    """The higher of the two enzymes, which is the one reported."""
    return _higher(newest_enzymes, lab_recent, now)


@number(
    "x",
    "0.1",
    "the higher of ALT and AST over its laboratory's upper limit",
    report="that value as reported, with its date",
)
def liver_enzymes(higher_enzyme: tuple[Decimal, Lab], alt_unit: UnitOf, ast_unit: UnitOf) -> Answer[Decimal]:
    ratio, lab = higher_enzyme
    unit = alt_unit if lab.name == "alt" else ast_unit
    return Known(ratio, [lab.reference], _day(lab), lambda: f"{lab.name.upper()} {reported(lab, unit)}")


@number("x", "0.1", "the higher of ALT and AST over its limit, of the last {enzymes_act} days")
def liver_enzymes_lately(newest_enzymes: list[Lab], enzymes_act: Days, now: datetime) -> Answer[Decimal]:
    higher = _higher(newest_enzymes, enzymes_act, now)
    if isinstance(higher, Unknown):
        return higher
    ratio, lab = higher
    return Known(ratio, [lab.reference], _day(lab))
