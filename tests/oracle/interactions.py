"""Drugs that move the level: rule-semantics, "Where each rule speaks" and "Levels"; clinical-evidence, section 4.

Rules: strong-inhibitor, strong-inducer, moderate-modulator, ciclosporin, interacting-drug-stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from tests.oracle.codes import (
    CICLOSPORIN,
    HERBALS,
    MODERATE_INDUCERS,
    MODERATE_INHIBITORS,
    SIROLIMUS,
    STRONG_INDUCERS,
    STRONG_INHIBITORS,
)
from tests.oracle.course import Course
from tests.oracle.course import drafts as sirolimus_drafts
from tests.oracle.record import Order, Record

INHIBITOR_SETTLES, INDUCER_SETTLES = 7, 14  # rule-semantics, Levels
SHORTLY_BEFORE = 14  # the text gives no number; an inducer settles for 14 days
STOPPED_INHIBITOR_SHOWN, STOPPED_INDUCER_SHOWN = 14, 28  # rules/definitions.yaml

WORT, CANNABIDIOL = HERBALS
INHIBITORS = STRONG_INHIBITORS | MODERATE_INHIBITORS | CICLOSPORIN
INDUCERS = STRONG_INDUCERS | MODERATE_INDUCERS
NAMES = INHIBITORS | INDUCERS


@dataclass(frozen=True)
class Stretch:
    """A time in which one interacting drug was taken; ``end`` is None while it goes on."""

    code: str
    start: date
    end: date | None

    @property
    def settles(self) -> int:
        """Days after a start or stop in which a level is not used."""
        return INDUCER_SETTLES if self.code in {*INDUCERS, WORT} else INHIBITOR_SETTLES


def stretches(record: Record) -> list[Stretch]:
    """Every interacting drug that is or was taken. Orders of one drug that meet or overlap are one stretch."""
    return _stretches(record, [o for o in record.orders if o.code in NAMES and not o.draft])


def _moving(record: Record) -> list[Stretch]:
    """The same, and what the patient takes without an order: St John's wort (tier X) and cannabidiol (tier D)."""
    return stretches(record) + _stretches(record, [o for o in record.stated if o.code in HERBALS])


def _stretches(record: Record, orders: list[Order]) -> list[Stretch]:
    found: list[Stretch] = []
    for order in sorted(orders, key=lambda o: o.start):
        end = order.end if order.end is not None and order.end <= record.today else None
        last = next((s for s in reversed(found) if s.code == order.code), None)
        if last and (last.end is None or order.start <= last.end + timedelta(days=1)):
            later = None if last.end is None or end is None else max(last.end, end)
            found[found.index(last)] = Stretch(order.code, last.start, later)
        else:
            found.append(Stretch(order.code, order.start, end))
    return found


def drug_drafts(record: Record) -> list[Order]:
    """Interacting drugs that are being ordered."""
    return [o for o in record.orders if o.code in NAMES and o.draft]


def listed(names: list[str]) -> str:
    """a, a and b, a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def settling(record: Record, on: date) -> bool:
    """Whether an interacting drug of tier X or D was started or stopped so lately that a level is not used."""
    events = [(s, s.start) for s in _moving(record)] + [(s, s.end) for s in _moving(record) if s.end]
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


def _partners(record: Record, course: Course, newest_level: date | None) -> list[str]:
    """The codes of the drugs that are spoken of now."""
    taking = bool(course.current) and not all(o.status == "on-hold" for o in course.current)
    running = [s for s in stretches(record) if s.end is None]
    if not record.ordering:
        if not taking or course.start is None:
            return []
        begun = [s for s in running if newest_level is None or newest_level <= max(s.start, course.start)]
        return [s.code for s in begun]
    # either partner is a draft: the one that is selected, beside what is taken and what is being written
    siro = bool(sirolimus_drafts(record))
    beside = siro or taking or any(o.code in SIROLIMUS for o in record.unselected)
    ordered = [o.code for o in drug_drafts(record)] if beside else []
    if siro:
        ordered += [s.code for s in running] + [o.code for o in record.unselected if o.code in NAMES]
    return ordered


def rules(record: Record, course: Course, level_days: list[date]) -> dict[str, tuple[str, str]]:
    """The interaction rules that fire; ``level_days``: the days of the sirolimus levels, oldest first."""
    fires: dict[str, tuple[str, str]] = {}
    codes = _partners(record, course, level_days[-1] if level_days else None)

    def names(kind: dict[str, str]) -> list[str]:
        return sorted({kind[code] for code in codes if code in kind})

    if found := names(STRONG_INHIBITORS):
        text = f"Strong inhibitor with sirolimus: {listed(found)}; the label says to avoid the combination"
        fires["strong-inhibitor"] = ("critical", text)
    if found := names(STRONG_INDUCERS):
        text = f"Strong inducer with sirolimus: {listed(found)}; the label says to avoid the combination"
        fires["strong-inducer"] = ("critical" if record.ordering else "warning", text)
    if found := names(MODERATE_INHIBITORS | MODERATE_INDUCERS):
        text = f"Sirolimus with {listed(found)}: levels will move; consider a level on day 5 to 7"
        fires["moderate-modulator"] = ("warning", text)
    if names(CICLOSPORIN):
        text = "Ciclosporin with sirolimus: four hours apart, a second immunosuppressant, and a risk of microangiopathy"
        fires["ciclosporin"] = ("warning", text)
    stopped = _stopped(record, course, level_days)
    if stopped:
        text = f"Stopped beside sirolimus: {listed(stopped)}; the level will move, and no level has shown it yet"
        fires["interacting-drug-stopped"] = ("warning", text)
    return fires


def _stopped(record: Record, course: Course, level_days: list[date]) -> list[str]:
    """Drugs that ended during the course, lately, and that no level drawn late enough after the stop has shown."""
    taking = bool(course.current) and not all(o.status == "on-hold" for o in course.current)
    if course.start is None or not taking or (record.ordering and not sirolimus_drafts(record)):
        return []
    names = []
    for s in stretches(record):
        if s.end is None or s.end < course.start:
            continue
        if any(t.code == s.code and t.end is None for t in stretches(record)):
            continue
        shown = STOPPED_INDUCER_SHOWN if s.code in INDUCERS else STOPPED_INHIBITOR_SHOWN
        seen = any((day - s.end).days >= s.settles for day in level_days)
        if (record.today - s.end).days <= shown and not seen:
            names.append(NAMES[s.code])
    return sorted(set(names))
