"""Low and falling counts, and steroids that a response leans on: rules/response; docs/rules.md, "Facts".

Rules: bleeding-with-low-platelets, low-platelets-adult, low-platelets-child, falling-platelets-on-sirolimus,
steroid-dependence. They speak on opening the chart.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from tests.oracle import labs, levels, readings
from tests.oracle.codes import BLEEDING, PREDNISONE, SKIN_BLEEDING
from tests.oracle.counts import Count, number, stamp
from tests.oracle.course import Course, still_counts
from tests.oracle.dosing import Dosing
from tests.oracle.record import Record
from tests.oracle.response import BLEEDING_DAYS, COUNT_RECENT, Response
from tests.oracle.safety import taking

# rules/definitions.yaml
LOW_COUNT_SPEAKS = 7
SEVERE, BLEEDING_COUNT, LOW_ADULT, LOW_CHILD = 10, 30, 20, 20
BLEEDING_NOW_DAYS, BEYOND_SKIN = 7, 2
STABLE_DAYS, STABLE_COUNTS, STABLE_SPREAD = 28, 3, Decimal("0.5")
FALL_LIMIT, HEMOGLOBIN_FALL, CREATININE_2 = 50, 2, Decimal("1.5")
STEROID_DOSE, STEROID_DAYS = 5, 56

Fires = dict[str, tuple[str, str]]


def recent_count(record: Record, r: Response) -> Count | None:
    """The newest platelet count that is none of clumps or plasma, at most 14 days old."""
    counted = [c for c in r.counts if c.why not in ("clumped", "wrong_specimen")]
    young = bool(counted) and (record.today - counted[-1].day).days <= COUNT_RECENT
    return counted[-1] if young else None


def told(count: Count) -> str:
    """A count as reported, with its date."""
    return f"{count.printed} x 10^9/L on {stamp(count.when)}"


def bleeding_now(record: Record) -> bool:
    """Bleeding beyond the skin that began in the last 7 days and is not said to be over, or was graded so."""
    for p in record.problems:
        beyond = p.code in BLEEDING and p.code not in SKIN_BLEEDING
        if beyond and p.active and p.start and (record.today - p.start).days <= BLEEDING_NOW_DAYS:
            return True
    return _graded(record)


def _graded(record: Record) -> bool:
    """A grade of at least 2 goes on until a later grade is recorded or 7 days have passed."""
    if not record.grades:
        return False
    last = max(when.day for when, _ in record.grades)
    same = [(when, grade) for when, grade in record.grades if when.day == last]
    if all(when.at for when, _ in same):
        latest = max(when.at for when, _ in same if when.at)
        same = [(when, grade) for when, grade in same if when.at == latest]
    # of two of one day without times nobody knows which is newer: the worse is judged
    return max(grade for _, grade in same) >= BEYOND_SKIN and (record.today - last).days <= BLEEDING_NOW_DAYS


def stable_low_count(record: Record, r: Response) -> bool:
    """Three usable counts over at least 28 days within 50 % of one another, without bleeding.

    The newest, and every one back to the first that makes three and lies 28 days or more before it. A count that is of no use is not
    known from others.
    """
    good = [c for c in r.counts if not c.why]
    if not good or good[-1] is not r.counts[-1]:
        return False
    run: list[Count] = []
    for count in reversed(good):
        run.append(count)
        if len(run) >= STABLE_COUNTS and (good[-1].day - count.day).days >= STABLE_DAYS:
            break
    span = (run[0].day - run[-1].day).days
    values = [c.value for c in run]
    bled = any(0 <= (c.day - b).days <= BLEEDING_DAYS for c in run for b in record.bleeds)
    enough = len(run) >= STABLE_COUNTS and span >= STABLE_DAYS
    return enough and not bled and min(values) >= max(values) * STABLE_SPREAD


def rules(record: Record, course: Course, r: Response, lv: levels.Levels, d: Dosing, goes_on: bool) -> Fires:
    """The rules that fire; the counts are read while sirolimus still counts as taken for response."""
    fires: Fires = {}
    counts = still_counts(record, course) or (readings.HARM_AFTER_A_STOP and goes_on)
    if record.ordering or not counts:
        return fires
    count = recent_count(record, r)
    if count and (record.today - count.day).days <= LOW_COUNT_SPEAKS:
        fires |= _low(record, count, r, d)
    return fires | _falling(record, course, r, lv) | _steroid(record, r)


def _low(record: Record, count: Count, r: Response, d: Dosing) -> Fires:
    """Bleeding below 30 at any age, an adult below 10; else an adult below 20 whose count is not known, or a child."""
    bleeds = bleeding_now(record)
    stable = stable_low_count(record, r)
    if bleeds and count.value < BLEEDING_COUNT:
        text = f"Platelets {told(count)} with bleeding: consider the emergency pathway"
        return {"bleeding-with-low-platelets": ("critical", text)}
    if d.group == "adult" and count.value < SEVERE and not stable:
        text = f"Platelets {told(count)}: bleeding or danger of it; consider the emergency pathway"
        return {"bleeding-with-low-platelets": ("critical", text)}
    if d.group == "adult" and count.value < LOW_ADULT and not stable:
        text = f"Platelets {told(count)}: below 20, consider a repeat in 24 to 72 hours and rescue treatment"
        return {"low-platelets-adult": ("warning", text)}
    if d.group == "child" and count.value < LOW_CHILD:
        text = f"Platelets {told(count)} in a child: bleeding decides on treatment, not the count"
        return {"low-platelets-child": ("info", text)}
    return {}


def _falling(record: Record, course: Course, r: Response, lv: levels.Levels) -> Fires:
    """A fall of more than 50 %, and a level above the target, a falling haemoglobin or a rising creatinine."""
    if r.fall is None or r.fall <= FALL_LIMIT:
        return {}
    newest = levels.newest_level(record, course, lv)
    trough = lv.trough if taking(course) else None  # in a hold or after a stop there is none
    seen = [x.value for x in (newest, trough) if x is not None]
    high = any(not v.comparator and v.value > levels.CEILING for v in seen)
    blood, kidney = labs.hemoglobin_fall(record), labs.creatinine_ratio(record, course)
    anaemic = blood is not None and blood > HEMOGLOBIN_FALL
    if not (high or anaemic or (kidney is not None and kidney > CREATININE_2)):
        return {}
    shown = number(r.fall.quantize(Decimal("0.01")))
    text = f"Platelets fell by {shown} %, and something else is wrong: the drug or microangiopathy before a relapse"
    return {"falling-platelets-on-sirolimus": ("warning", text)}


def prednisone(record: Record, day: date) -> Decimal:
    """Systemic corticosteroid taken on a day, as prednisone."""
    total = Decimal(0)
    for code, factor in PREDNISONE.items():
        own = [o for o in record.orders if o.code == code and not o.draft and o.start <= day]
        own = [o for o in own if o.end is None or day < o.end]
        doses = [o.dose.mean * factor for o in own if o.dose]
        total += max(doses, default=Decimal(0))
    return total


def days_above(record: Record, limit: int) -> int:
    """Days, up to today, on which more than so many mg of prednisone were taken without a break."""
    days = 0
    while prednisone(record, record.today - timedelta(days=days)) > limit:
        days += 1
        if days > 2000:
            break
    return days - 1


def _steroid(record: Record, r: Response) -> Fires:
    """In response, with more than 5 mg of prednisone a day for at least two months, here 56 days."""
    if not r.in_response or prednisone(record, record.today) <= STEROID_DOSE:
        return {}
    days = days_above(record, STEROID_DOSE)
    if days < STEROID_DAYS:
        return {}
    text = f"In response, with prednisone above 5 mg/day for {days} days: consider a taper"
    return {"steroid-dependence": ("info", text)}
