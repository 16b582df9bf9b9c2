"""What is proposed from today on: the dose of a draft order or of a card, and the level predicted in proportion."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from cds.advise import Advice
from cds.cards.actions import dose_changes
from cds.chart.words import MG_DAY, NG_ML, rounded, said
from cds.facts.limits import support
from cds.facts.step_down import level_moving

Row = dict[str, Any]


class Proposed(NamedTuple):
    """A dose in mg/day that is not taken yet, the day from which it would be taken, and whether it is ordered or proposed."""

    dose: Decimal
    begins: date
    whose: str


def proposed(advice: Advice) -> Proposed | None:
    """The dose of the request's draft orders or, without any, the dose that cards offer if there is only one."""
    situation = advice.situation
    patient, today = situation.patient, situation.patient.now.date()
    if patient.drafts:
        starts = [order.start.day for order in patient.drafts if order.start is not None]
        dose = patient.dose.per_day
        return Proposed(dose, max([today, *starts]), "ordered") if dose is not None else None
    offered = {dose for card in advice.cards for dose in dose_changes(card)}
    return Proposed(offered.pop(), today, "proposed") if len(offered) == 1 else None


def doses_ahead(advice: Advice) -> Iterator[Row]:
    """The proposed dose, until the day of the level that would be drawn after it."""
    found = proposed(advice)
    if found is not None:
        until = found.begins + timedelta(days=advice.situation.days("next_level_to"))
        yield {
            "at": found.begins.isoformat(),
            "until": until.isoformat(),
            "value": float(found.dose),
            "name": f"{said(found.dose)} {found.whose}",
            "say": f"Sirolimus {said(found.dose)} {MG_DAY} {found.whose}, from {found.begins.isoformat()}",
        }


def levels_ahead(advice: Advice) -> Iterator[Row]:
    """The level predicted in proportion, at steady state; none if no level supports it or another drug is moving the level."""
    found, situation = proposed(advice), advice.situation
    by = situation.of(support)
    if found is None or by is None or situation.of(level_moving):
        return
    level = by.at(found.dose)
    day = found.begins + timedelta(days=situation.days("next_level_to"))
    about = rounded(level, "0.1")
    yield {
        "at": f"{day.isoformat()}T12:00",
        "value": float(level),
        "name": f"about {about}",
        "say": f"Sirolimus level about {about} {NG_ML} predicted at {said(found.dose)} {MG_DAY}, in proportion to "
        f"{said(by.level)} {NG_ML} at {said(by.dose)} {MG_DAY}",
    }
