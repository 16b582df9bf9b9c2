"""The dose: rule-semantics, sections "Dose" and "Proposed dose"; clinical-evidence 3.12 for size.

Rules: dose-above-window, dose-far-above-window, dose-above-daily-maximum, dose-below-window, dose-change-too-soon,
child-dose-by-size, step-down-to-maintenance, duplicate-orders.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from tests.oracle import readings
from tests.oracle.codes import HEIGHT, STRONG_INHIBITORS, TABLET_MG, WEIGHT
from tests.oracle.course import Course, conflict, drafted, taken, without_renewals
from tests.oracle.course import drafts as sirolimus_drafts
from tests.oracle.growth import heavy
from tests.oracle.interactions import inhibitor_beside, stretches
from tests.oracle.levels import CEILING, FLOOR, Level, Levels
from tests.oracle.record import Dose, Order, Record
from tests.oracle.response import Response

ADULT = 18
WINDOWS = {  # protocol seed-2024, mg a day, bounds included
    ("adult", "starting"): (Decimal(2), Decimal(4)),
    ("adult", "maintenance"): (Decimal(1), Decimal(2)),
    ("child", "starting"): (Decimal(1), Decimal(2)),
    ("child", "maintenance"): (Decimal("0.5"), Decimal(1)),
}
FAR_ABOVE = {"adult": 10, "child": 4}
DAILY_MAXIMUM = 40
MAINTENANCE_FROM, STARTING_ACCEPTED_UNTIL = 90, 118
SUPPORT_DAYS, LEVEL_MAX_AGE = 28, 100
SMALL_ADULT = 40  # kg
WEIGHT_VALID, WEIGHT_VALID_YOUNG, YOUNGEST = 90, 30, 5
OLDER_WEIGHT, OLDER_WEIGHT_INFANT, OLDER_WEIGHT_GROWN = 180, 60, Decimal("1.1")
INFANT = 2  # years
CHILD_ENOUGH = Decimal("0.05")  # mg/kg/day
KG_WARNING, KG_CRITICAL = Decimal("0.1"), Decimal("0.2")
M2_INFO, M2_CRITICAL, DAY_WARNING = 2, 4, 4
CHANGE_APART, OFFER_HOLDS, DOUBTFUL = 7, 28, 1
AIM, HALF, INFANT = Decimal(10), Decimal("0.5"), 2
STEP_DOWN_SHOWN = 14

Fires = dict[str, tuple[str, str]]


@dataclass
class Dosing:
    """What the dose is judged by. ``assumed``: the weight to warn by, where there is no fresh one."""

    orders: tuple[Order, ...]
    dose: Dose | None
    daily: Decimal | None
    group: str
    day: int | None
    weight: Decimal | None
    surface: Decimal | None
    assumed: Decimal | None = None

    @property
    def window(self) -> tuple[Decimal, Decimal]:
        """That of the phase; where nobody knows it "the widest window of the age group (lowest low to highest high)"."""
        if self.phase is not None:
            return WINDOWS[self.group, self.phase]
        return WINDOWS[self.group, "maintenance"][0], WINDOWS[self.group, "starting"][1]

    @property
    def phase(self) -> str | None:
        """Starting on days 0-89, maintenance from day 90."""
        if self.day is None:
            return None
        return "starting" if self.day < MAINTENANCE_FROM else "maintenance"

    @property
    def small(self) -> bool:
        """A child, or an adult under 40 kg."""
        return self.group == "child" or (self.weight is not None and self.weight < SMALL_ADULT)


def _measure(record: Record, code: str, grace: int = 0) -> Decimal | None:
    """The newest weight or height; it counts for 90 days, 30 under 5 years, and ``grace``."""
    valid = WEIGHT_VALID_YOUNG if record.age(record.today) < YOUNGEST else WEIGHT_VALID
    found = [v for v in record.values if v.code == code and v.status != "preliminary"]
    found = [v for v in found if (record.today - v.when.day).days <= valid + grace]
    return max(found, key=lambda v: v.when.day).value if found else None


def _assumed_weight(record: Record) -> Decimal | None:
    """ "To warn of a dose too large by size, an older weight counts up to 180 days (under 2 years 60) plus 10 %; else the
    97th percentile of weight for age to 10 years; later only the daily limit."
    """
    valid = OLDER_WEIGHT_INFANT if record.age(record.today) < INFANT else OLDER_WEIGHT
    found = [v for v in record.values if v.code == WEIGHT and v.status != "preliminary"]
    found = [v for v in found if (record.today - v.when.day).days <= valid]
    if found:
        return max(found, key=lambda v: v.when.day).value * OLDER_WEIGHT_GROWN
    return heavy(record.gender, record.birth, record.today)


def read_dosing(record: Record, course: Course) -> Dosing:
    """The draft on order hooks, else what is taken. A draft replaces the active orders unless it shares their group."""
    drafts = sirolimus_drafts(record)
    active = tuple(o for o in course.current if o.status == "active")
    orders: tuple[Order, ...] = active
    if record.ordering:
        orders = drafted(record, course)
    dose = taken(orders)
    day = None
    if course.start is None:
        day = 0 if drafts and course.start_known else None
    elif course.start_known:
        day = (record.today - course.start).days
    if drafts and course.over(record.today):
        day = 0 if course.next_known else None
    weight, height = _measure(record, WEIGHT), _measure(record, HEIGHT)
    surface = (weight * height / 3600).sqrt() if weight and height else None
    born_age = record.age(max(o.authored for o in orders)) if orders else record.age(record.today)
    group = "adult" if born_age >= ADULT else "child"
    assumed = _assumed_weight(record) if group == "child" and weight is None else None
    return Dosing(orders, dose, dose.per_day if dose else None, group, day, weight, surface, assumed)


def supported(record: Record, course: Course, levels: Levels, d: Dosing) -> bool:
    """Scaled to this dose, the newest usable level is at or below the ceiling (above the window) or at or above the
    floor (below it). A level from before the last change supports for 28 days after it."""
    if conflict(course.current):
        return False  # nobody knows what is taken
    dosed = [lv for lv in levels.usable if lv.dose is not None]  # one drawn in a hold cannot be scaled
    level = dosed[-1] if dosed and any(o.status == "active" for o in course.current) else None
    if level is None or level.value.comparator or d.daily is None or level.dose is None:
        return False
    if level.value.value < DOUBTFUL:
        return False
    if level.dose.per_day is None or (record.today - level.day).days > LEVEL_MAX_AGE:
        return False
    last = course.last_change
    if last and level.day <= last != course.start and (record.today - last).days > SUPPORT_DAYS:
        return False
    predicted = level.value.value * d.daily / level.dose.per_day
    low, high = d.window
    if d.daily > high:
        return predicted <= CEILING
    return predicted >= FLOOR if d.daily < low else False


def rules(
    record: Record, course: Course, levels: Levels, response: Response, d: Dosing, withheld: bool, restart: bool
) -> Fires:
    """The dose rules that fire, before they yield to those of levels and response.

    ``withheld``: a harm or the liver asks for less; ``restart``: sirolimus is taken up again after harm.
    """
    fires: Fires = {}
    if not d.orders:
        return fires
    if conflict(d.orders):
        fires["duplicate-orders"] = ("warning", "")
    most = [o.dose.one_day for o in d.orders if o.dose]
    largest = d.dose.one_day if d.dose else max(most, default=Decimal(0))
    if largest > DAILY_MAXIMUM:
        fires["dose-above-daily-maximum"] = ("critical", "")
    if not record.itp:
        return fires
    if record.ordering and _too_soon(record, course, levels, d, withheld):
        fires["dose-change-too-soon"] = ("warning", "")
    if d.daily is None:
        return fires
    if urgency := by_size(d):
        fires["child-dose-by-size"] = (urgency, "")
    if d.daily > FAR_ABOVE[d.group]:
        fires["dose-far-above-window"] = ("critical", "")
    low, high = d.window
    first, last = WINDOWS[d.group, "starting"]
    early = d.day is not None and d.day <= STARTING_ACCEPTED_UNTIL
    accepted = first <= d.daily <= last and (early or response.in_response)
    supports = supported(record, course, levels, d)
    if d.daily > high and not supports and not accepted:
        fires["dose-above-window"] = ("warning", "")
    # four weeks of grace, so that a dose that was right when signed is not too low because a scale is late
    weight = _measure(record, WEIGHT, SUPPORT_DAYS)
    enough = d.group == "child" and weight is not None and d.daily / weight >= CHILD_ENOUGH
    # "while a strong or moderate inhibitor is taken or drafted with it, while harm or the liver asks for less, and for a
    # restart after harm"
    less = withheld or restart or inhibitor_beside(record)
    # nobody is told to reach a window that is too much for the size, nor an infant, for whom no dose is suggested
    less = less or bool(by_size(replace(d, daily=low))) or record.age(record.today) < INFANT
    if d.daily < low and not supports and not response.in_response and not enough and not less:
        fires["dose-below-window"] = ("warning", "")
    if _step_down(record, levels, response, d):
        fires["step-down-to-maintenance"] = ("info", "")
    return fires


def _step_down(record: Record, levels: Levels, response: Response, d: Dosing) -> bool:
    """A confirmed response at more than the maintenance dose; "14 days after the newest level or count"."""
    if record.ordering or d.phase != "maintenance" or d.daily is None or d.daily <= d.window[1]:
        return False
    days = [lv.day for lv in levels.accepted[-1:]] + [c.day for c in response.usable[-1:]]
    young = any((record.today - day).days <= STEP_DOWN_SHOWN for day in days)
    if readings.STEP_DOWN_STAYS_IN_TARGET and _step_leaves_target(record, levels, d):
        return False
    return young and response.in_response and not response.confirmed_cr_now_pr


def _step_leaves_target(record: Record, levels: Levels, d: Dosing) -> bool:
    """A usable level that may be scaled says that one step less would be below the floor."""
    assert d.daily is not None
    step = Decimal("0.1") if len(d.orders) == 1 and d.orders[0].code == "314230" else HALF
    dose = max(d.daily - step, d.window[1])
    return projected(levels, d.daily, record.today, floor=Decimal(0)) and not projected(levels, dose, record.today)


def projected(levels: Levels, dose: Decimal, today: date, floor: Decimal = FLOOR) -> bool:
    """The newest usable level, scaled to a dose, is at or above the floor."""
    dosed = [lv for lv in levels.usable if lv.dose and lv.dose.per_day and not lv.value.comparator]
    if not dosed or not (was := dosed[-1].dose) or not was.per_day:
        return False
    if (today - dosed[-1].day).days > LEVEL_MAX_AGE or dosed[-1].value.value < DOUBTFUL:
        return False
    return dosed[-1].value.value * dose / was.per_day >= floor


def _too_soon(record: Record, course: Course, levels: Levels, d: Dosing, withheld: bool) -> bool:
    """Another dose than the one taken, within 7 days of the last change; "spares ... every cut that answers harm or a
    level above 15"."""
    now = taken(tuple(o for o in course.current if o.status == "active"))
    last = course.last_change
    if now is None or d.dose is None or last is None or d.dose.same(now):
        return False
    if last == course.start and not course.start_known:
        return False
    newest = levels.accepted[-1] if levels.accepted else None
    known = newest is not None and (record.today - newest.day).days <= LEVEL_MAX_AGE
    if d.dose.mean < now.mean and (withheld or (newest and newest.high and known)):
        return False
    return (record.today - last).days < CHANGE_APART


def by_size(d: Dosing) -> str:
    """By kg and m2, for a child or an adult under 40 kg: how urgent it is. "Without a fresh weight at most a warning"."""
    if not d.small or d.daily is None:
        return ""
    kg = d.daily / d.weight if d.weight else None
    m2 = d.daily / d.surface if d.surface else None
    if (kg is not None and kg >= KG_CRITICAL) or (m2 is not None and m2 >= M2_CRITICAL):
        return "critical"
    by = d.weight or d.assumed
    if (by is not None and d.daily / by > KG_WARNING) or d.daily > DAY_WARNING:
        return "warning"
    return "info" if m2 is not None and m2 > M2_INFO else ""


def answered(record: Record, course: Course, levels: Levels, d: Dosing, no_rise: bool) -> bool:
    """On order hooks: the draft goes the right way and is predicted in the target, or is the dose that we propose."""
    level = levels.trough
    now = taken(tuple(o for o in course.current if o.status == "active"))
    if not record.ordering or level is None or d.daily is None or now is None or now.per_day is None:
        return False
    if not (d.daily > now.per_day if level.low else d.daily < now.per_day):
        return False
    if level.value.comparator or level.why:
        return False
    predicted = level.value.value * d.daily / now.per_day
    if FLOOR <= predicted <= CEILING:
        return True
    return d.daily == proposed(record, course, level, now.per_day, d, no_rise)


def proposed(
    record: Record, course: Course, level: Level, now: Decimal, d: Dosing, no_rise: bool = False
) -> Decimal | None:
    """The dose that we would propose: in proportion to 10 ng/mL, in steps, within half the dose, within limits."""
    raising = level.low
    orders = d.orders  # the order at hand: its product is what can be given
    step = HALF if orders[0].code != "314230" else Decimal("0.1")
    last = course.last_change
    lately = last is not None and (record.today - last).days < CHANGE_APART
    if len(without_renewals(orders)) > 1 or record.age(record.today) < INFANT or (raising and (lately or no_rise)):
        return None
    if level.value.value < DOUBTFUL:  # "doubt whether the doses were taken"
        return None
    # "while a strong or an unsettled moderate inhibitor is active"; an unsettled one is a harm, in ``no_rise``
    strong = any(s.code in STRONG_INHIBITORS and s.end is None for s in stretches(record))
    if raising and (strong or (d.group == "child" and d.weight is None)):
        return None
    strength = TABLET_MG.get(orders[0].code)  # tablets are not split
    intakes = orders[0].dose.times if orders[0].dose else 1
    highest = WINDOWS[d.group, "starting"][1]
    low, high = d.window
    best: tuple[Decimal, Decimal] | None = None
    candidate = step
    while candidate <= now * Decimal("1.5"):
        predicted = level.value.value * candidate / now
        right = candidate > now if raising else candidate < now
        fits = low <= candidate <= high or FLOOR <= predicted <= CEILING
        whole = strength is None or (candidate / intakes) % strength == 0
        if right and candidate >= now * HALF and fits and whole and (not raising or candidate <= highest):
            warned = by_size(replace(d, daily=candidate)) or not _holds(record, level, predicted, candidate, d)
            if not warned and (best is None or abs(predicted - AIM) < best[0]):
                best = (abs(predicted - AIM), candidate)
        candidate += step
    return best[1] if best else None


def _holds(record: Record, level: Level, predicted: Decimal, dose: Decimal, d: Dosing) -> bool:
    """ "No suggestion of ours, once signed, raises a warning of ours, on the order hooks and on patient-view on each of the
    28 days after": the dose is in the window, or what speaks for it beside the window still does in 28 days.
    """
    low, high = d.window
    if low <= dose <= high:
        return True
    young = (record.today - level.day).days + OFFER_HOLDS <= LEVEL_MAX_AGE
    if young and (predicted <= CEILING if dose > high else predicted >= FLOOR):
        return True
    if dose > high:
        first, last = WINDOWS[d.group, "starting"]
        early = d.day is not None and d.day + OFFER_HOLDS <= STARTING_ACCEPTED_UNTIL
        return first <= dose <= last and early
    return d.group == "child" and d.weight is not None and dose / d.weight >= CHILD_ENOUGH
