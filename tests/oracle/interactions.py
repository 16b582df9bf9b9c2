"""Drugs that move the level: rule-semantics, "Interactions" and "Levels"; clinical-evidence, section 4.

Rules: strong-inhibitor, strong-inducer, moderate-modulator, interacting-drug-stopped. "Only what a level can answer is
answered by a level": a modulator speaks until a level shows what it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from tests.oracle.codes import (
    CICLOSPORIN,
    HERBALS,
    MODERATE_INDUCERS,
    MODERATE_INHIBITORS,
    SIROLIMUS,
    STRONG_INDUCERS,
    STRONG_INHIBITORS,
)
from tests.oracle.course import Course, drafted, taken
from tests.oracle.course import drafts as sirolimus_drafts
from tests.oracle.record import Dose, Order, Record

if TYPE_CHECKING:
    from tests.oracle.levels import Level, Levels

INHIBITOR_SETTLES, INDUCER_SETTLES = 7, 14  # rule-semantics, Levels
SHORTLY_BEFORE = 14  # the text gives no number; an inducer settles for 14 days
STOPPED_INHIBITOR_SHOWN, STOPPED_INDUCER_SHOWN = 14, 28  # rules/definitions.yaml
SETTLED_LEVEL, LEVEL_TOLD = 100, 14

WORT, CANNABIDIOL = HERBALS
INHIBITORS = STRONG_INHIBITORS | MODERATE_INHIBITORS | CICLOSPORIN
INDUCERS = STRONG_INDUCERS | MODERATE_INDUCERS
NAMES = INHIBITORS | INDUCERS


@dataclass(frozen=True)
class Stretch:
    """A time in which one interacting drug was taken; ``end`` is None while it goes on.

    ``since``: the day from which its last dose was taken; ``changed``: the days on which it became another.
    """

    code: str
    start: date
    end: date | None
    since: date
    dose: Dose | None = None
    changed: tuple[date, ...] = ()

    @property
    def settles(self) -> int:
        """Days after a start or stop in which a level is not used."""
        return INDUCER_SETTLES if self.code in {*INDUCERS, WORT} else INHIBITOR_SETTLES


def stretches(record: Record) -> list[Stretch]:
    """Every interacting drug that is or was taken. Orders of one drug that meet or overlap are one stretch."""
    return stretches_of(record, [o for o in record.orders + record.stated if o.code in NAMES and not o.draft])


def _moving(record: Record) -> list[Stretch]:
    """The same, and what the patient takes without an order: St John's wort (tier X) and cannabidiol (tier D)."""
    return stretches(record) + stretches_of(record, [o for o in record.stated if o.code in HERBALS])


def stretches_of(record: Record, orders: list[Order]) -> list[Stretch]:
    """The times in which these drugs were taken."""
    found: list[Stretch] = []
    for order in sorted(orders, key=lambda o: o.start):
        end = order.end if order.end is not None and order.end <= record.today else None
        last = next((s for s in reversed(found) if s.code == order.code), None)
        if last and (last.end is None or order.start <= last.end + timedelta(days=1)):
            later = None if last.end is None or end is None else max(last.end, end)
            changed = order.dose is not None and last.dose is not None and not order.dose.same(last.dose)
            since = order.start if changed else last.since
            days = (*last.changed, order.start) if changed else last.changed
            found[found.index(last)] = Stretch(order.code, last.start, later, since, order.dose or last.dose, days)
        else:
            found.append(Stretch(order.code, order.start, end, order.start, order.dose))
    return found


def drug_drafts(record: Record) -> list[Order]:
    """Interacting drugs that are being ordered."""
    return [o for o in record.orders if o.code in NAMES and o.draft]


def settling(record: Record, on: date) -> bool:
    """Whether an interacting drug of tier X or D was started or stopped so lately that a level is not used.

    "After the settling time that follows the modulator's own start or change" (Interactions): another dose, too.
    """
    moving = _moving(record)
    events = [(s, s.start) for s in moving] + [(s, s.end) for s in moving if s.end]
    events += [(s, day) for s in moving for day in s.changed]
    return any(0 <= (on - day).days < s.settles for s, day in events if day)


def moved_between(record: Record, first: date, last: date) -> bool:
    """An interacting drug was started or stopped between the two levels, or shortly before."""
    for s in _moving(record):
        for day in (s.start, s.end):
            if day and first - timedelta(days=SHORTLY_BEFORE) < day <= last:
                return True
    return False


def inhibitor_active(record: Record) -> bool:
    """An inhibitor of tier X or D is being taken."""
    return any(s.code in {*INHIBITORS, CANNABIDIOL} and s.end is None for s in _moving(record))


def settled(record: Record, course: Course, lv: Levels, s: Stretch) -> Level | None:
    """The newest level that shows the two drugs together, where there is one.

    "Both doses unchanged for 7 days (inducer 14), then a usable level at most 100 days old."
    """
    if not any(o.status == "active" for o in course.current):
        return None
    changes = course.changes if course.start_known else course.changes[1:]
    changed = max([s.since] + [c.day for c in changes])
    shown = [x for x in lv.usable if (x.day - changed).days >= s.settles]
    if not shown or (record.today - shown[-1].day).days > SETTLED_LEVEL:
        return None
    return shown[-1] if shown[-1].judged else None  # `>=14.9` may be in the target or far above it


def unsettled_inhibitor(record: Record, course: Course, lv: Levels) -> bool:
    """An inhibitor is taken, or drafted beside sirolimus, and no level shows the effect yet.

    Nor does a level settle a strong one that it shows outside the target, or beside a draft of more sirolimus.
    """
    running = [s for s in _moving(record) if s.end is None and s.code in {*INHIBITORS, CANNABIDIOL}]
    more = record.ordering and bool(sirolimus_drafts(record)) and raised(record, course)
    for s in running:
        level = settled(record, course, lv, s)
        if level is None or (s.code in STRONG_INHIBITORS and (more or not level.in_target)):
            return True
    return bool(inhibitors_drafted(record) - {s.code for s in running})


def inhibitors_drafted(record: Record) -> set[str]:
    """The inhibitors that are being ordered."""
    if not record.ordering:
        return set()
    return {o.code for o in record.orders + record.unselected if o.draft and o.code in INHIBITORS}


def inhibitor_beside(record: Record) -> bool:
    """ "While a strong or moderate inhibitor is taken or drafted with it"."""
    return inhibitor_active(record) or bool(inhibitors_drafted(record))


def raised(record: Record, course: Course) -> bool:
    """The draft of sirolimus is more than what is taken, or nothing is taken; where nobody knows, it may be."""
    active = tuple(o for o in course.current if o.status == "active")
    now, wanted = taken(active), taken(drafted(record, course))
    return now is None or wanted is None or wanted.mean > now.mean


def _partners(record: Record, course: Course) -> list[tuple[str, bool]]:
    """The codes of the drugs that are reported now, and whether the combination is new or raised by what is drafted.

    "Order hooks when either partner is a draft; patient-view while both are taken."
    """
    taking = bool(course.current) and not all(o.status == "on-hold" for o in course.current)
    running = {s.code: s for s in stretches(record) if s.end is None}
    if not record.ordering:
        return [(code, False) for code in running] if taking and course.start is not None else []
    # the one that is selected, beside what is taken and what is being written
    siro = bool(sirolimus_drafts(record))
    more = siro and raised(record, course)
    found = []
    if siro or taking or any(o.code in SIROLIMUS for o in record.unselected):
        found = [(o.code, more or not taking or _new(o, running)) for o in drug_drafts(record)]
    if siro:
        found += [(code, more) for code in running]
        found += [(o.code, more or _new(o, running)) for o in record.unselected if o.code in NAMES]
    return found


def _new(order: Order, running: dict[str, Stretch]) -> bool:
    """A drug that is not taken, or more of it: "a draft that raises either ... is no renewal"."""
    last = running.get(order.code)
    if last is None:
        return True
    return bool(order.dose and last.dose and order.dose.mean > last.dose.mean)


def _urgency(record: Record, course: Course, lv: Levels, code: str, new: bool) -> str:
    """How loud a drug is: "" where a level has answered it.

    In target a strong one "is info on order hooks and once per level (14 days) on patient-view, a moderate one silent";
    outside it "the strong one keeps its urgency, the moderate is info".
    """
    strong = code in STRONG_INHIBITORS | STRONG_INDUCERS
    loud = "critical" if code in STRONG_INHIBITORS or (strong and record.ordering) else "warning"
    running = next((s for s in stretches(record) if s.code == code and s.end is None), None)
    level = settled(record, course, lv, running) if running else None
    if new or level is None:
        return loud
    if not level.in_target:
        return loud if strong else "info"
    if not strong:
        return ""
    return "info" if record.ordering or (record.today - level.day).days <= LEVEL_TOLD else ""


def rules(record: Record, course: Course, lv: Levels) -> dict[str, tuple[str, str]]:
    """The interaction rules that fire; of several drugs of a rule the loudest one."""
    fires: dict[str, tuple[str, str]] = {}
    heard = [(code, _urgency(record, course, lv, code, new)) for code, new in _partners(record, course)]
    kinds = {
        "strong-inhibitor": STRONG_INHIBITORS,
        "strong-inducer": STRONG_INDUCERS,
        "moderate-modulator": MODERATE_INHIBITORS | MODERATE_INDUCERS,
    }
    for rule, kind in kinds.items():
        found = [urgency for code, urgency in heard if code in kind and urgency]
        loudest = next((each for each in ("critical", "warning", "info") if each in found), None)
        if loudest:
            fires[rule] = (loudest, "")
    if stopped(record, course, [x.day for x in lv.usable]):
        fires["interacting-drug-stopped"] = ("warning", "")
    return fires


def stopped(record: Record, course: Course, level_days: list[date], *, inducers: bool = False) -> list[str]:
    """Drugs that ended during the course, lately, and that no usable level drawn late enough after the stop has shown."""
    taking = bool(course.current) and not all(o.status == "on-hold" for o in course.current)
    if course.start is None or not taking or (record.ordering and not sirolimus_drafts(record)):
        return []
    names = []
    for s in stretches(record):
        if s.end is None or s.end < course.start or (inducers and s.code not in INDUCERS):
            continue
        if any(t.code == s.code and t.end is None for t in stretches(record)):
            continue
        shown = STOPPED_INDUCER_SHOWN if s.code in INDUCERS else STOPPED_INHIBITOR_SHOWN
        seen = any((day - s.end).days >= s.settles for day in level_days)
        if (record.today - s.end).days <= shown and not seen:
            names.append(NAMES[s.code])
    return sorted(set(names))
