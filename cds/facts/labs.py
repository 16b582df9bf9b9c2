"""Blood and urine tests that show harm from sirolimus: the newest result, how it changed, and compared with what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from msgspec.structs import replace

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


def day_of(lab: Lab) -> date:
    """The day of a result."""
    assert lab.moment is not None
    return lab.moment.day


def age_of(lab: Lab, now: datetime) -> int:
    """Days since a result."""
    assert lab.moment is not None
    return lab.moment.days_until(now)


def newest_of(results: Sequence[Lab], days: int, now: datetime, unit: str) -> Answer[Decimal]:
    """The newest result, if it is from the last ``days`` days."""
    if not results or age_of(results[0], now) > days:
        return Unknown(f"there is no result of the last {days} days")
    newest = results[0]
    return Known(value_of(newest), [newest.reference], day_of(newest), lambda: reported(newest, unit))


@number(
    COUNT,
    "0.1",
    "the newest neutrophil count, of the last {lab_recent} days",
    report="that count as reported, with its date",
)
def neutrophils(
    neutrophils_results: Results, lab_recent: Days, now: datetime, neutrophils_unit: UnitOf
) -> Answer[Decimal]:
    return newest_of(neutrophils_results, lab_recent, now, neutrophils_unit)


@number(
    "g/dL",
    "0.1",
    "the newest haemoglobin, of the last {lab_recent} days",
    report="that value as reported, with its date",
)
def hemoglobin(
    hemoglobin_results: Results, lab_recent: Days, now: datetime, hemoglobin_unit: UnitOf
) -> Answer[Decimal]:
    return newest_of(hemoglobin_results, lab_recent, now, hemoglobin_unit)


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
    return Known(fall, [newest.reference, highest.reference], day_of(newest))


@number("g/dL", "0.1", "its fall from the highest value of the {hemoglobin_fall_days} days before it")
def hemoglobin_fall(hemoglobin: Decimal, two_hemoglobins: tuple[Lab, Lab]) -> Answer[Decimal]:
    return _fall(two_hemoglobins)


@number("g/dL", "0.1", "the fall of haemoglobin, where the newest is of the last {tma_acts} days")
def hemoglobin_fall_lately(two_hemoglobins: tuple[Lab, Lab], tma_acts: Days, now: datetime) -> Answer[Decimal]:
    if age_of(two_hemoglobins[0], now) > tma_acts:
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
    return newest_of(triglycerides_results, lab_recent, now, triglycerides_unit)


@number("mg/dL", "1", "the newest triglycerides, of the last {lipids_act} days")
def triglycerides_lately(
    triglycerides_results: Results, lipids_act: Days, now: datetime, triglycerides_unit: UnitOf
) -> Answer[Decimal]:
    return newest_of(triglycerides_results, lipids_act, now, triglycerides_unit)


@number(
    "mg/dL",
    "1",
    "the newest cholesterol, of the last {lab_recent} days",
    report="that value as reported, with its date",
)
def cholesterol(
    cholesterol_results: Results, lab_recent: Days, now: datetime, cholesterol_unit: UnitOf
) -> Answer[Decimal]:
    return newest_of(cholesterol_results, lab_recent, now, cholesterol_unit)


@number("mg/dL", "1", "the newest cholesterol, of the last {lipids_act} days")
def cholesterol_lately(
    cholesterol_results: Results, lipids_act: Days, now: datetime, cholesterol_unit: UnitOf
) -> Answer[Decimal]:
    return newest_of(cholesterol_results, lipids_act, now, cholesterol_unit)


@number(
    "mg/dL",
    "1",
    "the newest fasting glucose, of the last {lab_recent} days",
    report="that value as reported, with its date",
)
def fasting_glucose(glucose_results: Results, lab_recent: Days, now: datetime, glucose_unit: UnitOf) -> Answer[Decimal]:
    return newest_of(glucose_results, lab_recent, now, glucose_unit)


@number(
    "percent", "0.1", "the newest HbA1c, of the last {lab_recent} days", report="that value as reported, with its date"
)
def hba1c(hba1c_results: Results, lab_recent: Days, now: datetime, hba1c_unit: UnitOf) -> Answer[Decimal]:
    return newest_of(hba1c_results, lab_recent, now, hba1c_unit)


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
    before = [lab.reference for lab in high if start is not None and day_of(lab) < start.day]
    return Known(bool(before), before[:1])


def _higher(results: Sequence[Lab], days: int, now: datetime) -> tuple[Decimal, Lab] | Unknown:
    """The higher of the two enzymes as a multiple of its laboratory's own upper limit."""
    rated = [(value_of(lab) / lab.upper, lab) for lab in results if lab.upper and age_of(lab, now) <= days]
    if not rated:
        return Unknown("there is no recent result with an upper limit")
    return max(rated, key=lambda each: each[0])


@part
def newest_enzymes(alt_results: Results, ast_results: Results) -> list[Lab]:
    """The newest ALT and the newest AST; one that came without an upper limit has that of the newest one that came with it."""
    return [*_with_limit(alt_results), *_with_limit(ast_results)]


def _with_limit(results: Results) -> list[Lab]:
    upper = next((lab.upper for lab in results if lab.upper), None)
    return [replace(lab, upper=lab.upper or upper) for lab in results[:1]]


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
def liver_enzymes(
    higher_enzyme: tuple[Decimal, Lab], alt_results: Results, ast_results: Results, alt_unit: UnitOf, ast_unit: UnitOf
) -> Answer[Decimal]:
    ratio, lab = higher_enzyme
    results, unit = (alt_results, alt_unit) if lab.name == "alt" else (ast_results, ast_unit)
    limit = "" if results[0].upper else ", by the upper limit of an earlier result"
    return Known(ratio, [lab.reference], day_of(lab), lambda: f"{lab.name.upper()} {reported(lab, unit)}{limit}")


@number("x", "0.1", "the higher of ALT and AST over its limit, of the last {enzymes_act} days")
def liver_enzymes_lately(newest_enzymes: list[Lab], enzymes_act: Days, now: datetime) -> Answer[Decimal]:
    higher = _higher(newest_enzymes, enzymes_act, now)
    if isinstance(higher, Unknown):
        return higher
    ratio, lab = higher
    return Known(ratio, [lab.reference], day_of(lab))
