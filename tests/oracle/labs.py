"""Blood and urine tests: the newest of each, and what it was before.

docs/rules.md, "Facts"; rules/definitions.yaml, lab_recent and the days of each test.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from tests.oracle import readings
from tests.oracle.codes import LABS
from tests.oracle.course import Course
from tests.oracle.record import Record, When

# rules/definitions.yaml
LAB_RECENT, FALL_DAYS, SECOND_SAMPLE, CREATININE_BEFORE, OXYGEN_RECENT, BILIRUBIN_RECENT = 14, 14, 90, 365, 3, 90
DIABETES_GLUCOSE, DIABETES_HBA1C = 126, Decimal("6.5")

LOWER_IS_WORSE = ("neutrophils", "lymphocytes", "hemoglobin", "oxygen")
UNITS = {  # the unit that limits are written in, and how many of it one of another unit is: molar masses
    "neutrophils": {"10*9/L": "1", "10*3/uL": "1", "/uL": "0.001"},
    "lymphocytes": {"10*9/L": "1"},
    "hemoglobin": {"g/dL": "1", "g/L": "0.1"},
    "triglycerides": {"mg/dL": "1", "mmol/L": "88.57"},
    "cholesterol": {"mg/dL": "1", "mmol/L": "38.665"},
    "creatinine": {"mg/dL": "1", "umol/L": "0.011312"},
    "alt": {"U/L": "1"},
    "ast": {"U/L": "1"},
    "protein-ratio": {"g/g": "1", "mg/mg": "1", "mg/g": "0.001"},
    "glucose": {"mg/dL": "1", "mmol/L": "18.016"},
    "random-glucose": {"mg/dL": "1"},
    "albumin-ratio": {"mg/g": "1", "g/g": "1000"},
    "hba1c": {"%": "1"},
    "oxygen": {"%": "1"},
    "bilirubin": {"mg/dL": "1", "umol/L": "0.05847"},
}


@dataclass(frozen=True)
class Lab:
    """One result, in the unit in which it is judged."""

    name: str
    when: When
    value: Decimal
    upper: Decimal | None

    @property
    def day(self) -> date:
        """The day of the draw."""
        return self.when.day


def read_labs(record: Record, *names: str) -> list[Lab]:
    """The final results of these tests, oldest first; of two of one day without times the worse comes last."""
    found = []
    for v in record.values:
        name = LABS.get(v.code, "")
        counts = v.status != "preliminary" or (name == "oxygen" and readings.PRELIMINARY_HARM_COUNTS)
        if name not in names or not counts:
            continue
        factor = Decimal(UNITS[name][v.unit])
        upper = None if v.upper is None else v.upper * factor  # it is printed in the unit of its result
        found.append(Lab(name, v.when, v.printed * factor, upper))
    days: dict[date, list[Lab]] = {}
    for lab in found:
        days.setdefault(lab.day, []).append(lab)
    ordered: list[Lab] = []
    for _, same in sorted(days.items()):
        if any(lab.when.at is None for lab in same):
            # nobody knows which is newer: the worse is judged (fhir.md, Observation)
            ordered += sorted(same, key=lambda lab: lab.value, reverse=lab.name in LOWER_IS_WORSE)
        else:
            # and of one minute it is the worse, too
            ordered += sorted(same, key=lambda lab: (lab.when.at or record.now, _worse(lab)))
    return ordered


def _worse(lab: Lab) -> Decimal:
    return -lab.value if lab.name in LOWER_IS_WORSE else lab.value


def newest(record: Record, *names: str, days: int = LAB_RECENT, on: date | None = None) -> Lab | None:
    """The newest result, today or on another day, where it is at most so many days old."""
    today = on or record.today
    found = [lab for lab in read_labs(record, *names) if lab.day <= today]
    return found[-1] if found and (today - found[-1].day).days <= days else None


def hemoglobin_fall(record: Record, days: int = LAB_RECENT) -> Decimal | None:
    """Its fall from the highest value of the two weeks before it."""
    last = newest(record, "hemoglobin", days=days)
    if last is None:
        return None
    before = [lab for lab in read_labs(record, "hemoglobin")[:-1] if (last.day - lab.day).days <= FALL_DAYS]
    return max(lab.value for lab in before) - last.value if before else None


def two_samples(record: Record, name: str, days: int = LAB_RECENT, on: date | None = None) -> tuple[Lab, Lab] | None:
    """The two newest samples of different days, at most 90 days apart; the lower of them is judged."""
    last = newest(record, name, days=days, on=on)
    if last is None:
        return None
    before = [lab for lab in read_labs(record, name) if lab.day < last.day]
    if not before or (last.day - before[-1].day).days > SECOND_SAMPLE:
        return None
    return before[-1], last


def start_stands(course: Course) -> bool:
    """Whether it is known what lies before sirolimus."""
    return course.start_known or readings.FIRST_ORDER_STANDS_FOR_THE_START


def creatinine(record: Record, course: Course, days: int = LAB_RECENT) -> tuple[Lab, Lab] | None:
    """The newest creatinine and its baseline: the one before the course, at most a year before it, else the lowest of the year."""
    last = newest(record, "creatinine", days=days)
    if last is None or course.start is None:
        return None
    first = course.start + timedelta(days=1) if readings.CREATININE_OF_DAY_0_IS_BEFORE else course.start
    before = [lab for lab in read_labs(record, "creatinine") if lab.day < first] if start_stands(course) else []
    if before and last.day >= first and (course.start - before[-1].day).days <= CREATININE_BEFORE:
        return before[-1], last
    year = [x for x in read_labs(record, "creatinine") if 0 < (last.day - x.day).days <= CREATININE_BEFORE]
    return (min(year, key=lambda lab: lab.value), last) if year else None


def creatinine_of_the_year(record: Record, days: int, on: date | None = None) -> Decimal | None:
    """The newest creatinine over that of the year before it ("at least 1.5 times the previous year's")."""
    last = newest(record, "creatinine", days=days, on=on)
    if last is None:
        return None
    year = [x for x in read_labs(record, "creatinine") if 0 < (last.day - x.day).days <= CREATININE_BEFORE]
    if not year:
        return None
    return last.value / (min(x.value for x in year) if readings.LOWEST_OF_THE_YEAR else year[-1].value)


def creatinine_ratio(record: Record, course: Course, days: int = LAB_RECENT) -> Decimal | None:
    """The newest creatinine over the one before the course."""
    pair = creatinine(record, course, days)
    return pair[1].value / pair[0].value if pair else None


def over_limit(lab: Lab | None) -> Decimal | None:
    """A result over its laboratory's upper limit."""
    return None if lab is None or not lab.upper else lab.value / lab.upper


def liver_enzymes(record: Record, days: int = LAB_RECENT, on: date | None = None) -> Decimal | None:
    """The higher of ALT and AST over its laboratory's upper limit; one without a limit has that of an earlier result."""
    both = [over_limit(_with_limit(record, newest(record, name, days=days, on=on), name)) for name in ("alt", "ast")]
    return max((x for x in both if x is not None), default=None)


def _with_limit(record: Record, last: Lab | None, name: str) -> Lab | None:
    if last is None or last.upper:
        return last
    earlier = [lab.upper for lab in read_labs(record, name) if lab.upper and lab.day <= last.day]
    return replace(last, upper=earlier[-1]) if earlier else last


def diabetic(lab: Lab | None) -> bool:
    """A fasting glucose from 126 mg/dL, an HbA1c from 6.5 percent."""
    if lab is None:
        return False
    return lab.value >= (DIABETES_HBA1C if lab.name == "hba1c" else DIABETES_GLUCOSE)


def was_diabetic(record: Record, start: date) -> bool:
    """Glucose or HbA1c was as high before the course began."""
    return any(diabetic(lab) for lab in read_labs(record, "glucose", "hba1c") if lab.day < start)
