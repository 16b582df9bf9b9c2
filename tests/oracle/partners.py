"""Drugs that do not move the level but harm beside sirolimus, and what is taken without an order: rules/interactions.

Rules: ace-inhibitor, bleeding-risk-drug, duplicate-mtor-or-calcineurin-inhibitor, food-and-herbal, live-vaccine.
"Interactions: order hooks when either partner is a draft; patient-view for a combination newer than the newest
level" (rule-semantics, Where each rule speaks).
"""

from __future__ import annotations

from datetime import date

from tests.oracle.codes import (
    ACE_INHIBITORS,
    ANGIOEDEMA,
    BLEEDING_RISKS,
    GRAPEFRUIT,
    HERBALS,
    LIVE_VACCINES,
    MTOR_INHIBITORS,
    SIROLIMUS,
    TACROLIMUS,
    UNSPECIFIED_VACCINES,
)
from tests.oracle.course import Course
from tests.oracle.course import drafts as sirolimus_drafts
from tests.oracle.danger import recent_count, told
from tests.oracle.interactions import listed
from tests.oracle.record import Order, Record
from tests.oracle.response import Response
from tests.oracle.safety import Fires, taking

COUNT_LIMIT, COUNT_CRITICAL = 50, 30  # rules/definitions.yaml, bleeding_drug_count


def beside(record: Record, course: Course, level_days: list[date], kind: dict[str, str], stated: bool) -> list[str]:
    """The drugs of a kind that are spoken of now; ``stated``: those that the patient states, too."""
    mine = [o for o in record.orders + (record.stated if stated else []) if o.code in kind]
    running = [o for o in mine if not o.draft and (o.end is None or o.end > record.today)]
    if not record.ordering:
        if not taking(course) or course.start is None:
            return []
        newest = level_days[-1] if level_days else None
        start = course.start
        return _names([o for o in running if newest is None or newest <= max(o.start, start)], kind)
    siro = bool(sirolimus_drafts(record))
    if not (siro or taking(course) or any(o.code in SIROLIMUS for o in record.unselected)):
        return []
    spoken = [o for o in mine if o.draft]
    if siro:
        spoken += running + [o for o in record.unselected if o.code in kind]
    return _names(spoken, kind)


def _names(orders: list[Order], kind: dict[str, str]) -> list[str]:
    return sorted({kind[o.code] for o in orders})


def rules(record: Record, course: Course, level_days: list[date], r: Response) -> Fires:
    """The rules that fire."""
    fires: Fires = {}

    def taken(kind: dict[str, str], stated: bool = True) -> list[str]:
        return beside(record, course, level_days, kind, stated)

    if found := taken(ACE_INHIBITORS):
        text = f"Sirolimus with {listed(found)}: angioedema is more frequent with an ACE inhibitor"
        fires["ace-inhibitor"] = ("info", text)
        if any(p.code == ANGIOEDEMA for p in record.problems):  # now or in the past
            text = f"Sirolimus with {listed(found)}, and angioedema is on record: consider another drug"
            fires["ace-inhibitor"] = ("warning", text)
    count = recent_count(record, r)
    if (found := taken(BLEEDING_RISKS)) and count and count.value < COUNT_LIMIT:
        text = f"{listed(found)} at platelets of {told(count)}: bleeding is likelier"
        fires["bleeding-risk-drug"] = ("critical" if count.value < COUNT_CRITICAL else "warning", text)
    rule = "duplicate-mtor-or-calcineurin-inhibitor"
    if found := taken(MTOR_INHIBITORS):
        text = f"Sirolimus with {listed(found)}: two inhibitors of the same target; consider stopping one"
        fires[rule] = ("critical", text)
    elif found := taken(TACROLIMUS):
        text = f"Sirolimus with {listed(found)}: a second immunosuppressant, and a risk of microangiopathy"
        fires[rule] = ("warning", text)
    fires |= _food(record, course, level_days)
    if record.ordering:
        if found := taken(LIVE_VACCINES):
            text = f"Live vaccine on sirolimus: {listed(found)}; live vaccines are to be avoided"
            fires["live-vaccine"] = ("critical", text)
        elif found := taken(UNSPECIFIED_VACCINES):
            text = f"Vaccine on sirolimus: {listed(found)}; if it is a live one, consider another"
            fires["live-vaccine"] = ("info", text)
    return fires


def _food(record: Record, course: Course, level_days: list[date]) -> Fires:
    """St John's wort or cannabidiol without an order; grapefruit, stated or ordered."""
    stated = Record(record.hook, record.today, record.now, record.birth, stated=record.stated)
    stated.orders = [o for o in record.orders if o.code in SIROLIMUS]
    if found := beside(stated, course, level_days, HERBALS, stated=True):
        text = f"Sirolimus with {listed(found)}, taken without an order: consider stopping it, and a level"
        return {"food-and-herbal": ("warning", text)}
    if beside(record, course, level_days, GRAPEFRUIT, stated=True):
        text = "Grapefruit with sirolimus: the juice must not be taken with it; consider telling the patient"
        return {"food-and-herbal": ("info", text)}
    return {}
