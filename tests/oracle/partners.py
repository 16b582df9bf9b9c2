"""Drugs that harm beside sirolimus in a way that no level answers, and what is taken without an order.

Rules: ace-inhibitor, bleeding-risk-drug, ciclosporin, duplicate-mtor-or-calcineurin-inhibitor, food-and-herbal,
live-vaccine. rule-semantics, Interactions: "What a level cannot answer speaks whatever levels there are".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tests.oracle import labs, readings
from tests.oracle.codes import (
    ACE_INHIBITORS,
    BLEEDING_RISKS,
    CICLOSPORIN,
    GRAPEFRUIT,
    HERBALS,
    LIVE_VACCINES,
    MTOR_INHIBITORS,
    SIROLIMUS,
    TACROLIMUS,
    UNSPECIFIED_VACCINES,
)
from tests.oracle.counts import Count
from tests.oracle.course import Course
from tests.oracle.course import drafts as sirolimus_drafts
from tests.oracle.danger import counted, recent_count
from tests.oracle.interactions import CANNABIDIOL, stretches_of
from tests.oracle.record import Order, Record
from tests.oracle.response import Response
from tests.oracle.safety import Fires, taking

COUNT_LIMIT, COUNT_CRITICAL, COUNT_SHOWN = 50, 30, 14  # rules/definitions.yaml, bleeding_drug_count
START_SHOWN, ANGIOEDEMA_NEW = 14, 14
CALCINEURIN_LOUD, WORSE_SHOWN = 28, 14


@dataclass(frozen=True)
class Partner:
    """A drug beside sirolimus: since when it is taken, and since when both are.

    ``draft``: it is reported for a draft, of it or of sirolimus; ``ordered``: it is being ordered itself.
    """

    code: str
    since: date
    both: date
    draft: bool = False
    running: bool = False
    ordered: bool = False


def beside(record: Record, course: Course, kind: dict[str, str], orders: list[Order]) -> list[Partner]:
    """ "Order hooks when either partner is a draft; patient-view while both are taken." """
    mine = [o for o in orders if o.code in kind]
    running = [s for s in stretches_of(record, [o for o in mine if not o.draft]) if s.end is None]
    start = course.start if course.start is not None and taking(course) else record.today
    if not record.ordering:
        if not taking(course) or course.start is None:
            return []
        return [Partner(s.code, s.start, max(s.start, start), running=True) for s in running]
    siro = bool(sirolimus_drafts(record))
    if not (siro or taking(course) or any(o.code in SIROLIMUS for o in record.unselected)):
        return []
    drafted = [o for o in mine if o.draft]
    if siro:
        drafted += [o for o in record.unselected if o.code in kind]
    known, again = {s.code for s in running}, {o.code for o in drafted}
    spoken = [Partner(o.code, record.today, record.today, True, ordered=True) for o in drafted if o.code not in known]
    named = running if siro else [s for s in running if s.code in again]
    return spoken + [Partner(s.code, s.start, max(s.start, start), True, True, s.code in again) for s in named]


def rules(record: Record, course: Course, r: Response) -> Fires:
    """The rules that fire."""
    fires: Fires = {}

    def taken(kind: dict[str, str]) -> list[Partner]:
        return beside(record, course, kind, record.orders + record.stated)

    fires |= _ace(record, taken(ACE_INHIBITORS))
    fires |= _bleeding(record, r, taken(BLEEDING_RISKS))
    if urgency := _calcineurin(record, r, taken(CICLOSPORIN)):
        fires["ciclosporin"] = (urgency, "")
    rule = "duplicate-mtor-or-calcineurin-inhibitor"
    if taken(MTOR_INHIBITORS):
        fires[rule] = ("critical", "")
    elif urgency := _calcineurin(record, r, taken(TACROLIMUS)):
        fires[rule] = (urgency, "")
    fires |= _food(record, course)
    if record.ordering:
        if taken(LIVE_VACCINES):
            fires["live-vaccine"] = ("critical", "")
        elif taken(UNSPECIFIED_VACCINES):
            fires["live-vaccine"] = ("info", "")
    return fires


def second_mtor_inhibitor(record: Record, course: Course) -> bool:
    """Another drug of the same kind is taken or drafted beside sirolimus."""
    return bool(beside(record, course, MTOR_INHIBITORS, record.orders + record.stated))


def _new(record: Record, found: list[Partner], days: int = START_SHOWN) -> bool:
    """Drafted, or taken together for so many days at most."""
    return any(p.draft or (record.today - p.both).days <= days for p in found)


def _ace(record: Record, found: list[Partner]) -> Fires:
    """ "Active angioedema of 14 days or less beside an ACE inhibitor is critical"; any on record is a warning.

    "ACE inhibitor without angioedema ... on patient-view for 14 days from the start."
    """
    if not found:
        return {}
    swollen = [p for p in record.problems if p.kind == "angioedema"]
    new = [p for p in swollen if p.start is None or (record.today - p.start).days <= ANGIOEDEMA_NEW]
    if any(p.active for p in new):
        return {"ace-inhibitor": ("critical", "")}
    if swollen or any(p.kind == "angioedema once" for p in record.problems):
        return {"ace-inhibitor": ("warning", "")}
    return {"ace-inhibitor": ("info", "")} if _new(record, found) else {}


def _bleeding(record: Record, r: Response, found: list[Partner]) -> Fires:
    """ "At 30-49 for 14 days from the drug's start or the crossing, under 30 always, critical." """
    count = recent_count(record, r)
    if not found or count is None or count.value >= COUNT_LIMIT:
        return {}
    if count.value < COUNT_CRITICAL:
        return {"bleeding-risk-drug": ("critical", "")}
    crossed = _crossing(counted(r))
    lately = crossed is not None and (record.today - crossed).days <= COUNT_SHOWN
    begun = any(p.ordered or (record.today - p.since).days <= COUNT_SHOWN for p in found)
    return {"bleeding-risk-drug": ("warning", "")} if lately or begun else {}


def _crossing(counts: list[Count]) -> date | None:
    """The day of the first count under 50 after one that was not; where all were under 50, of the first there is."""
    first = None
    for count in reversed(counts):
        if count.value >= COUNT_LIMIT:
            return first
        first = count.day
    return first if readings.FIRST_LOW_COUNT_CROSSES else None


def _calcineurin(record: Record, r: Response, found: list[Partner]) -> str:
    """ "Warning for 28 days, then info, once per new count, creatinine or haemoglobin that worsens." """
    if not found:
        return ""
    if any(not p.running or (record.today - p.both).days <= CALCINEURIN_LOUD for p in found):
        return "warning"
    return "info" if record.ordering or _worse(record, r) else ""


def _worse(record: Record, r: Response) -> bool:
    """The newest count, creatinine or haemoglobin, at most 14 days old, is worse than the one before it."""
    counts = counted(r)
    if len(counts) > 1 and (record.today - counts[-1].day).days <= WORSE_SHOWN and counts[-1].value < counts[-2].value:
        return True
    for name, sign in (("creatinine", 1), ("hemoglobin", -1)):
        found = labs.read_labs(record, name)
        young = bool(found) and (record.today - found[-1].day).days <= WORSE_SHOWN
        if young and len(found) > 1 and sign * (found[-1].value - found[-2].value) > 0:
            return True
    return False


def _food(record: Record, course: Course) -> Fires:
    """St John's wort or cannabidiol without an order; grapefruit, stated or ordered: for 14 days from the start."""
    found = beside(record, course, HERBALS, record.stated)
    if _new(record, found):
        inhibits = any(p.code == CANNABIDIOL for p in found)
        return {"food-and-herbal": ("warning", "inhibitor" if inhibits and readings.CANNABIDIOL_ADVISES_LESS else "")}
    if _new(record, beside(record, course, GRAPEFRUIT, record.orders + record.stated)):
        return {"food-and-herbal": ("info", "")}
    return {}
