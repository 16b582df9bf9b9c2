"""Low and falling counts, and steroids that a response leans on: rule-semantics, "Low counts, bleeding, safety".

Rules: bleeding-with-low-platelets, low-platelets-adult, low-platelets-child, falling-platelets-on-sirolimus,
steroid-dependence. They speak on opening the chart.
"""

from __future__ import annotations

from decimal import Decimal

from tests.oracle import labs, levels, readings
from tests.oracle.counts import Count
from tests.oracle.course import Course, still_counts
from tests.oracle.dosing import Dosing
from tests.oracle.record import Record
from tests.oracle.response import BLEEDING_DAYS, COUNT_RECENT, Response
from tests.oracle.safety import ordered, taking
from tests.oracle.steroids import days_above, prednisone

# rules/definitions.yaml
LOW_COUNT_SPEAKS, CHILD_SPEAKS, SEVERE_SPEAKS = 7, 3, 3
SEVERE, BLEEDING_COUNT, LOW_ADULT, LOW_CHILD = 10, 30, 20, 20
GRAVE_COUNT, GUT_COUNT, GUT_CRITICAL = 100, 100, 50
BLEEDING_NOW_DAYS, BEYOND_SKIN, DEBILITATING = 7, 2, 4
STABLE_DAYS, STABLE_COUNTS, STABLE_SPREAD = 28, 3, Decimal("0.5")
FALL_LIMIT, HEMOGLOBIN_FALL, CREATININE_2 = 50, 2, Decimal("1.5")
FALL_FROM, FALL_TO, FALL_APART, FALL_SHOWN = 50, 50, 42, 14
STEROID_DOSE, STEROID_DAYS = 5, 56

Fires = dict[str, tuple[str, str]]


def counted(r: Response) -> list[Count]:
    """The counts that are none of clumps or plasma, oldest first."""
    return [c for c in r.counts if c.why not in ("clumped", "wrong_specimen")]


def recent_count(record: Record, r: Response) -> Count | None:
    """The newest of these, at most 14 days old."""
    found = counted(r)
    young = bool(found) and (record.today - found[-1].day).days <= COUNT_RECENT
    return found[-1] if young else None


def bleeding_now(record: Record) -> set[str]:
    """What bleeds: "active, onset at most 7 days before now, before or after the count"; or was graded so."""
    found = set()
    for p in record.problems:
        if p.active and p.start and (record.today - p.start).days <= BLEEDING_NOW_DAYS:
            found |= {p.kind} & {"bleed", "gut bleed", "grave bleed"}
    grade = _grade(record)
    if grade >= BEYOND_SKIN:
        found.add("grave bleed" if grade == DEBILITATING else "bleed")
    return found


def _grade(record: Record) -> int:
    """A grade goes on until a later grade is recorded or 7 days have passed."""
    if not record.grades:
        return 0
    last = max(when.day for when, _ in record.grades)
    same = [(when, grade) for when, grade in record.grades if when.day == last]
    if all(when.at for when, _ in same):
        latest = max(when.at for when, _ in same if when.at)
        same = [(when, grade) for when, grade in same if when.at == latest]
    # of two of one day without times nobody knows which is newer: the worse is judged
    return max(grade for _, grade in same) if (record.today - last).days <= BLEEDING_NOW_DAYS else 0


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
    if (record.ordering and not (readings.LOW_COUNTS_ARE_SAFETY and ordered(record))) or not counts:
        return fires
    count = recent_count(record, r)
    if count and (record.today - count.day).days <= LOW_COUNT_SPEAKS:
        fires |= _bleeding(record, count) or _low(record, count, r, d)
    return fires | _falling(record, course, r, lv) | _steroid(record, r)


def _bleeding(record: Record, count: Count) -> Fires:
    """ "Intracranial, airway, retroperitoneal, WHO grade 4: critical under 100; gastrointestinal (not haemorrhoids, not
    K62.5): critical under 50, warning 50-99"; other bleeding beyond the skin is critical under 30."""
    bleeds = bleeding_now(record)
    severe = [
        "grave bleed" in bleeds and count.value < GRAVE_COUNT,
        "gut bleed" in bleeds and count.value < GUT_CRITICAL,
        bool(bleeds) and count.value < BLEEDING_COUNT,
    ]
    if any(severe):
        return {"bleeding-with-low-platelets": ("critical", "")}
    if "gut bleed" in bleeds and count.value < GUT_COUNT:
        return {"bleeding-with-low-platelets": ("warning", "")}
    return {}


def _low(record: Record, count: Count, r: Response, d: Dosing) -> Fires:
    """Without bleeding: an adult below 10, or below 20 whose count is not known; a child below 20.

    Of a known stable low count: "silent for counts of 10 and more; below 10 every count is told, for 3 days".
    """
    days = (record.today - count.day).days
    if d.group == "child":
        return {"low-platelets-child": ("info", "")} if count.value < LOW_CHILD and days <= CHILD_SPEAKS else {}
    stable = stable_low_count(record, r)
    if count.value < SEVERE and (not stable or days <= SEVERE_SPEAKS):
        return {"bleeding-with-low-platelets": ("critical", "")}
    if SEVERE <= count.value < LOW_ADULT and not stable:
        return {"low-platelets-adult": ("warning", "")}
    return {}


def _falling(record: Record, course: Course, r: Response, lv: levels.Levels) -> Fires:
    """A fall of more than 50 %, and a level above the target, a falling haemoglobin or a rising creatinine: a warning.

    Without them info: "the previous usable count at most 42 days older and at least 50, the newest at least halved and
    under 50".
    """
    percent = r.fall_percent
    if percent is None or r.fall is None or (record.today - r.fall[1].day).days > COUNT_RECENT:
        return {}
    newest = levels.newest_level(record, course, lv)
    trough = lv.trough if taking(course) else None  # in a hold or after a stop there is none
    # "`>15` is high, `>=20` and above critical": the newest level of at least so much counts as more than that
    at_least = newest is not None and newest.value.comparator == ">=" and newest.value.value >= levels.CEILING
    high = at_least or any(x.high for x in (newest, trough) if x is not None)
    blood, kidney = labs.hemoglobin_fall(record), labs.creatinine_ratio(record, course)
    anaemic = blood is not None and blood > HEMOGLOBIN_FALL
    if percent > FALL_LIMIT and (high or anaemic or (kidney is not None and kidney > CREATININE_2)):
        return {"falling-platelets-on-sirolimus": ("warning", "")}
    before, last = r.fall
    near = (last.day - before.day).days <= FALL_APART
    if near and before.value >= FALL_FROM and last.value < FALL_TO and last.value * 2 <= before.value:
        return {"falling-platelets-on-sirolimus": ("info", "")}
    return {}


def _steroid(record: Record, r: Response) -> Fires:
    """In response, with more than 5 mg of prednisone a day for at least two months, here 56 days."""
    if not r.in_response or prednisone(record, record.today) <= STEROID_DOSE:
        return {}
    return {"steroid-dependence": ("info", "")} if days_above(record, STEROID_DOSE) >= STEROID_DAYS else {}
