"""A chart with one thing changed: a value moved, or a suggestion pressed. Each becomes another document, judged anew.

Values are moved in the FHIR itself, so that everything that depends on them follows; what cannot be moved there without a
guess (a dose in several orders, a level in another unit) is not offered. A dose that is moved is proposed from now on, as an
order to sign: what was taken until now stays as it was.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from cds.advise import Advice
from cds.chart.model import Lab
from cds.compiled.hooks import Hook, orders_of
from cds.course.counts import counts
from cds.facts import Situation
from cds.workbench.document import Json, find, reference, resources

_PER_DAY = "daily"


@dataclass(frozen=True)
class Slider:
    """A value that may be moved: where it is, between which bounds, and where it was before it was moved."""

    name: str
    label: str
    unit: str
    value: float
    low: float
    high: float
    step: float
    was: float | None = None


def sliders(document: Json, advice: Advice) -> list[Slider]:
    """The values of this chart that can be moved."""
    situation, found = advice.situation, []
    dose = _dose(document, situation)
    if dose is not None and situation.patient.dose.per_day is not None:
        now = float(situation.patient.dose.per_day)
        found.append(Slider("dose", "Sirolimus dose", "mg/day", now, min(0.1, now), max(12.0, now), 0.1))
    for name, label, unit, lab, high, step in (
        ("level", "Newest level", "ng/mL", _level(situation), 40.0, 0.1),
        ("count", "Newest platelet count", "x 10^9/L", _count(situation), 300.0, 1.0),
    ):
        if lab is not None and lab.amount is not None and _quantity(document, lab) is not None:
            value = float(lab.amount.value)
            found.append(Slider(name, label, unit, value, min(step, value), max(high, value), step))
    ages = situation.patient.age_range(situation.patient.now.date())
    if ages is not None and ages[0] == ages[1] and _patient(document, situation) is not None:
        found.append(Slider("age", "Age", "years", float(ages[0]), 0.0, max(90.0, float(ages[0])), 1.0))
    if situation.patient.course.start is not None:
        day = situation.patient.course.start.days_until(situation.patient.now)
        found.append(Slider("days", "Day of the course", "days", float(day), 0.0, max(400.0, float(day)), 1.0))
    return found


def day_moved(advice: Advice, days: Decimal) -> datetime:
    """The same time of day on the given day of the course. Raises ValueError, OverflowError."""
    start, now = advice.situation.patient.course.start, advice.situation.patient.now
    return now if start is None else now + timedelta(days=int(days) - start.days_until(now))


def moved(document: Json, advice: Advice, wanted: Mapping[str, Decimal]) -> tuple[Json, Hook]:
    """The document with each of the ``wanted`` values in its place, and the hook to judge it on, as of the time of ``advice``.

    Raises ValueError.
    """
    changed, situation, now = copy.deepcopy(document), advice.situation, advice.situation.patient.now
    for name, lab in (("level", _level(situation)), ("count", _count(situation))):
        if name in wanted and lab is not None and (quantity := _quantity(changed, lab)) is not None:
            quantity["value"] = wanted[name]
    if "age" in wanted and (person := _patient(changed, situation)) is not None:
        born = date.fromisoformat(person["birthDate"])
        day = 28 if (born.month, born.day) == (2, 29) else born.day
        before = (now.month, now.day) < (born.month, day)
        person["birthDate"] = born.replace(year=now.year - int(wanted["age"]) - before, day=day).isoformat()
    if "dose" in wanted and situation.patient.dose.per_day and _dose(changed, situation) is not None:
        return _proposed(changed, situation, wanted["dose"], situation.patient.dose.per_day)
    return changed, situation.patient.hook


def _proposed(document: Json, situation: Situation, wanted: Decimal, per_day: Decimal) -> tuple[Json, Hook]:
    """``wanted`` mg/day in place of ``per_day``: in the request's draft or, if the order is active, in a new draft that would follow it."""
    standing = situation.patient.dose_orders[0]
    order = document if standing in situation.patient.drafts else copy.deepcopy(find(document, standing.reference))
    quantity = _dose(order, situation)
    assert order is not None and quantity is not None, "whoever calls has looked for it"
    quantity["value"] = Decimal(str(quantity["value"])) * wanted / per_day
    return (document, situation.patient.hook) if order is document else _with_drafts(document, [order], set())


def pressed(document: Json, advice: Advice, card: int, suggestion: int) -> tuple[Json, Hook] | None:
    """The document after a suggestion, and the hook to judge it on: its orders as drafts to be signed or, for a hold, the order on hold.

    Nothing else in the document changes: what was not sent is still missing, and only the drafts are added. None if there is no
    such suggestion, or the order to hold is not in the document.
    """
    try:
        actions = advice.cards[card]["suggestions"][suggestion]["actions"]
    except (IndexError, KeyError):
        return None
    changed = copy.deepcopy(document)
    orders = [copy.deepcopy(each["resource"]) for each in actions if "resource" in each]
    held = {reference(each) for each in orders if each.get("status") == "on-hold"}
    if held:
        found = [each for each in resources(changed) if reference(each) in held]
        for each in found:
            each["status"] = "on-hold"
        return (changed, advice.situation.patient.hook) if found else None
    gone = {each["resourceId"] for each in actions if each["type"] == "delete"}
    gone |= {
        reference(each) for each in orders
    }  # drafts that are revised; an active order, by contrast, stays next to its revision
    return _with_drafts(changed, orders, gone)


def _with_drafts(changed: Json, orders: Sequence[Json], gone: Set[str]) -> tuple[Json, Hook]:
    """The document with these orders as drafts that are signed, and without the drafts that are ``gone``."""
    known = {each.get("id") for each in resources(changed)}
    free = (name for number in count(1) if (name := f"pressed-{number}") not in known)
    for order in orders:
        order |= {"id": next(free), "status": "draft"}
    entries = [{"resource": order} for order in orders]
    if changed.get("resourceType") == "Bundle":  # in a Bundle the drafts are the orders with that status
        kept = [each for each in changed.get("entry") or [] if not _is_gone(each, gone)]
        return changed | {"entry": [*kept, *entries]}, "order-sign"
    context, field = changed["context"], orders_of(changed.get("hook"))
    standing = [{"resource": each} for each in resources(context.get(field)) if reference(each) not in gone]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [*standing, *entries]}
    signed = {name: value for name, value in context.items() if name not in ("selections", field)}
    signed |= {"draftOrders": bundle}
    return changed | {"hook": "order-sign", "context": signed}, "order-sign"


def _is_gone(entry: Any, gone: Set[str]) -> bool:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return isinstance(resource, dict) and resource.get("status") == "draft" and reference(resource) in gone


def _level(situation: Situation) -> Lab | None:
    """The newest level, if it is the only result of its sample: if one of two were moved, it would contradict the other."""
    return _alone(situation.patient.levels[:1], situation.chart.lab("level", "trough"))


def _count(situation: Situation) -> Lab | None:
    return _alone([count.lab for count in situation.of(counts)[:1]], situation.chart.lab("platelets"))


def _alone(newest: Sequence[Lab], labs: Sequence[Lab]) -> Lab | None:
    of_one_time = [lab for lab in labs for one in newest if lab.moment == one.moment]
    return newest[0] if len(of_one_time) == 1 else None


def _quantity(document: Json, lab: Lab) -> Json | None:
    """The value of a result, if it is given in our own unit."""
    resource = find(document, lab.reference)
    quantity = (resource or {}).get("valueQuantity")
    if not isinstance(quantity, dict) or lab.amount is None or lab.amount.comparator or lab.amount.printed:
        return None
    return quantity if _same(quantity.get("value"), lab.amount.value) else None


def _dose(document: Json | None, situation: Situation) -> Json | None:
    """The amount of one intake, if a single order with a single amount in mg makes up the daily dose."""
    if (
        len(situation.patient.dose_orders) != 1
        or situation.patient.dose.rhythm != _PER_DAY
        or situation.patient.dose_orders[0].liquid
    ):
        return None
    resource = find(document or {}, situation.patient.dose_orders[0].reference)
    try:
        (instruction,) = resource["dosageInstruction"]  # type: ignore[index]  # whatever is wrong with it ends below
        (rate,) = instruction["doseAndRate"]
        quantity: Json = rate["doseQuantity"]
        fits = "text" not in instruction and quantity.get("unit") == "mg"
        return (
            quantity
            if fits and _same(quantity["value"], situation.patient.dose.per_intake or situation.patient.dose.per_day)
            else None
        )
    except (TypeError, KeyError, ValueError):
        return None


def _patient(document: Json, situation: Situation) -> Json | None:
    person = find(document, f"Patient/{situation.chart.patient_id}")
    born = (person or {}).get("birthDate")
    return person if isinstance(born, str) and len(born) == 10 else None


def _same(one: Any, other: Decimal | None) -> bool:
    return other is not None and isinstance(one, int | float | Decimal) and Decimal(str(one)) == other
