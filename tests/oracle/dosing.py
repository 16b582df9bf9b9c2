"""The dose: rule-semantics, sections "Dose" and "Proposed dose"; clinical-evidence 3.12 for size.

Rules: dose-above-window, dose-far-above-window, dose-above-daily-maximum, dose-below-window, dose-change-too-soon,
child-dose-by-size, step-down-to-maintenance, duplicate-orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tests.oracle.codes import HEIGHT, TABLET_MG, WEIGHT
from tests.oracle.counts import number
from tests.oracle.course import Course, conflict, taken, without_renewals
from tests.oracle.course import drafts as sirolimus_drafts
from tests.oracle.interactions import inhibitor_active, listed
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
CHILD_ENOUGH = Decimal("0.05")  # mg/kg/day
KG_WARNING, KG_CRITICAL = Decimal("0.1"), Decimal("0.2")
M2_INFO, M2_CRITICAL, DAY_WARNING = 2, 4, 4
CHANGE_APART = 7
AIM, HALF, INFANT = Decimal(10), Decimal("0.5"), 2


@dataclass
class Dosing:
    """What the dose is judged by."""

    orders: tuple[Order, ...]
    dose: Dose | None
    daily: Decimal | None
    group: str
    day: int | None
    weight: Decimal | None
    surface: Decimal | None

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


def read_dosing(record: Record, course: Course) -> Dosing:
    """The draft on order hooks, else what is taken. A draft replaces the active orders unless it shares their group."""
    drafts = sirolimus_drafts(record)
    active = tuple(o for o in course.current if o.status == "active")
    orders: tuple[Order, ...] = active
    if record.ordering:
        groups = {d.group for d in drafts if d.group}
        orders = tuple(drafts) + tuple(o for o in without_renewals(active) if o.group in groups)
    dose = taken(orders)
    day = None
    if course.start is None:
        day = 0 if drafts and course.start_known else None
    elif course.start_known:
        day = (record.today - course.start).days
    if drafts and course.over(record.today):
        day = 0
    weight, height = _measure(record, WEIGHT), _measure(record, HEIGHT)
    surface = (weight * height / 3600).sqrt() if weight and height else None
    born_age = record.age(max(o.authored for o in orders)) if orders else record.age(record.today)
    group = "adult" if born_age >= ADULT else "child"
    return Dosing(orders, dose, dose.per_day if dose else None, group, day, weight, surface)


def supported(record: Record, course: Course, levels: Levels, d: Dosing) -> bool:
    """Scaled to this dose, the newest usable level is at or below the ceiling (above the window) or at or above the
    floor (below it). A level from before the last change supports for 28 days after it."""
    if conflict(course.current):
        return False  # nobody knows what is taken
    dosed = [lv for lv in levels.usable if lv.dose is not None]  # one drawn in a hold cannot be scaled
    level = dosed[-1] if dosed and any(o.status == "active" for o in course.current) else None
    if level is None or level.value.comparator or d.daily is None or level.dose is None or d.phase is None:
        return False
    if level.dose.per_day is None or (record.today - level.day).days > LEVEL_MAX_AGE:
        return False
    last = course.last_change
    if last and level.day <= last != course.start and (record.today - last).days > SUPPORT_DAYS:
        return False
    predicted = level.value.value * d.daily / level.dose.per_day
    low, high = WINDOWS[d.group, d.phase]
    if d.daily > high:
        return predicted <= CEILING
    return predicted >= FLOOR if d.daily < low else False


def rules(record: Record, course: Course, levels: Levels, response: Response, d: Dosing) -> dict[str, tuple[str, str]]:
    """The dose rules that fire, before they yield to those of levels and response."""
    fires: dict[str, tuple[str, str]] = {}
    if not d.orders:
        return fires
    if conflict(d.orders):
        names = [_named(o) for o in d.orders]
        text = f"Sirolimus is ordered twice: {listed(names)}; it is not said whether they add up"
        fires["duplicate-orders"] = ("warning", text)
    most = [o.dose.one_day for o in d.orders if o.dose]
    largest = d.dose.one_day if d.dose else max(most, default=Decimal(0))
    if largest > DAILY_MAXIMUM:
        text = f"Sirolimus {number(largest)} mg on one day is above the label's maximum of 40 mg"
        fires["dose-above-daily-maximum"] = ("critical", text)
    if not record.itp:
        return fires
    if record.ordering:
        fires |= _too_soon(record, course, levels, d)
    if d.daily is None:
        return fires
    fires |= _size(d)
    far = FAR_ABOVE[d.group]
    shown = number(d.daily)
    if d.daily > far:
        text = (
            f"Sirolimus {shown} mg/day is more than twice the highest starting dose of the study (limit {far} mg/day)"
        )
        fires["dose-far-above-window"] = ("critical", text)
    if d.phase is None:
        return fires
    assert d.day is not None
    low, high = WINDOWS[d.group, d.phase]
    window = f"the {d.group} {d.phase} window of {number(low)}-{number(high)} mg/day"
    first, last = WINDOWS[d.group, "starting"]
    accepted = first <= d.daily <= last and (d.day <= STARTING_ACCEPTED_UNTIL or response.in_response)
    supports = supported(record, course, levels, d)
    if d.daily > high and not supports and not accepted:
        fires["dose-above-window"] = ("warning", f"Sirolimus {shown} mg/day is above {window}")
    # four weeks of grace, so that a dose that was right when signed is not too low because a scale is late
    weight = _measure(record, WEIGHT, SUPPORT_DAYS)
    enough = d.group == "child" and weight is not None and d.daily / weight >= CHILD_ENOUGH
    if d.daily < low and not supports and not response.in_response and not enough:
        fires["dose-below-window"] = ("warning", f"Sirolimus {shown} mg/day is below {window}")
    sure = response.in_response and response.was_confirmed and not response.confirmed_cr_now_pr
    if not record.ordering and d.phase == "maintenance" and sure and d.daily > high:
        text = f"In response at {shown} mg/day: {d.group} maintenance is {number(low)}-{number(high)} mg/day"
        fires["step-down-to-maintenance"] = ("info", f"{text}, consider a step down")
    return fires


def _named(order: Order) -> str:
    daily = order.dose.per_day if order.dose else None
    return f"{number(daily)} mg/day" if daily is not None else "a dose that is not computed"


def _too_soon(record: Record, course: Course, levels: Levels, d: Dosing) -> dict[str, tuple[str, str]]:
    """Another dose than the one taken, within 7 days of the last change; spares cuts for a level above 15."""
    now = taken(tuple(o for o in course.current if o.status == "active"))
    last = course.last_change
    if now is None or d.dose is None or last is None or d.dose.same(now):
        return {}
    if last == course.start and not course.start_known:
        return {}
    days = (record.today - last).days
    newest = levels.accepted[-1] if levels.accepted else None
    known = newest is not None and (record.today - newest.day).days <= LEVEL_MAX_AGE
    if d.dose.mean < now.mean and newest and newest.high and known:
        return {}
    if days >= CHANGE_APART:
        return {}
    text = f"Sirolimus changed {days} days ago: the last change is not at steady state, consider waiting"
    return {"dose-change-too-soon": ("warning", text)}


def _size(d: Dosing) -> dict[str, tuple[str, str]]:
    """By kg and m2, for a child or an adult under 40 kg."""
    if not d.small or d.daily is None:
        return {}
    kg = d.daily / d.weight if d.weight else None
    m2 = d.daily / d.surface if d.surface else None
    shown = number(d.daily)
    if (kg is not None and kg >= KG_CRITICAL) or (m2 is not None and m2 >= M2_CRITICAL):
        return {"child-dose-by-size": ("critical", f"Sirolimus {shown} mg/day is a likely overdose by body size")}
    if (kg is not None and kg > KG_WARNING) or d.daily > DAY_WARNING:
        return {"child-dose-by-size": ("warning", f"Sirolimus {shown} mg/day is a high dose by body size")}
    if m2 is not None and m2 > M2_INFO:
        text = f"Sirolimus {shown} mg/day is {number(m2.quantize(Decimal('0.01')))} mg/m2/day: consider an early level"
        return {"child-dose-by-size": ("info", text)}
    return {}


def answered(record: Record, course: Course, levels: Levels, d: Dosing) -> bool:
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
    return FLOOR <= predicted <= CEILING or d.daily == proposed(record, course, level, now.per_day, d)


def proposed(record: Record, course: Course, level: Level, now: Decimal, d: Dosing) -> Decimal | None:
    """The dose that we would propose: in proportion to 10 ng/mL, in steps, within half the dose, within limits."""
    raising = level.low
    orders = d.orders  # the order at hand: its product is what can be given
    step = HALF if orders[0].code != "314230" else Decimal("0.1")
    last = course.last_change
    lately = last is not None and (record.today - last).days < CHANGE_APART
    if len(orders) > 1 or record.age(record.today) < INFANT or (lately and raising):
        return None
    if raising and (inhibitor_active(record) or (d.group == "child" and d.weight is None)):
        return None
    strength = TABLET_MG.get(orders[0].code)  # tablets are not split
    highest = WINDOWS[d.group, "starting"][1]
    low, high = WINDOWS[d.group, d.phase] if d.phase else (Decimal(0), highest)
    best: tuple[Decimal, Decimal] | None = None
    candidate = step
    while candidate <= now * Decimal("1.5"):
        predicted = level.value.value * candidate / now
        right = candidate > now if raising else candidate < now
        fits = low <= candidate <= high or FLOOR <= predicted <= CEILING
        whole = strength is None or candidate % strength == 0
        if right and candidate >= now * HALF and fits and whole and (not raising or candidate <= highest):
            too_much = d.small and "child-dose-by-size" in _size(
                Dosing(d.orders, d.dose, candidate, d.group, d.day, d.weight, d.surface)
            )
            if not too_much and (best is None or abs(predicted - AIM) < best[0]):
                best = (abs(predicted - AIM), candidate)
        candidate += step
    return best[1] if best else None
