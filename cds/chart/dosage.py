"""Milligrams a day from ``dosageInstruction``: understood, or refused with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cds.chart.model import Dose
from cds.chart.numbers import MOST_TIMES, UNITS, Unreadable, exact, factor, whole
from cds.chart.times import Moment, parse_moment
from cds.chart.wire import CodeableConcept, Dosage, Quantity, Repeat, Timing, given

_TABLETS = {
    "tablet",
    "tablets",
    "tab",
    "tabs",
    "{tbl}",
    "{tablet}",
    "{tab}",
    "tbl",
    "tab(s)",
    "tablet(s)",
    "pill",
    "pills",
    "428673006",
    "385055001",
}
_MILLILITRES = {"mL", "ml", "ML", "milliliter", "milliliters"}
_PER_DAY = {
    "QD": 1,
    "DAILY": 1,
    "AM": 1,
    "PM": 1,
    "BED": 1,
    "Q24H": 1,
    "BID": 2,
    "Q12H": 2,
    "TID": 3,
    "Q8H": 3,
    "QID": 4,
    "Q6H": 4,
}
_SLOWER = {"QOD": ("every 2 days", 48), "WK": ("weekly", 168), "MO": ("monthly", 720)}
_DAY = Decimal(24)
_LEAST_PERIOD = Decimal("0.1")
_LEAST_MG, _MOST_MG = Decimal("0.001"), Decimal(10_000)  # outside of this a dose is a slip of the unit


@dataclass(frozen=True, slots=True)
class Product:
    """What one unit of the product holds: mg in a tablet, or mg in a mL; None when not known."""

    tablet: Decimal | None = None
    per_ml: Decimal | None = None


@dataclass(frozen=True, slots=True)
class _Rhythm:
    name: str
    intakes: int  # on a dosing day
    hours: Decimal


def read_dose(dosages: Sequence[Dosage] | None, product: Product, on: date | None) -> Dose:
    """The dose on day ``on``. A problem is returned in the dose, never raised."""
    try:
        return _sum([_one(dosage, product) for dosage in _in_force(dosages or (), on)])
    except Unreadable as unreadable:
        return Dose(problem=str(unreadable))


def dated_steps(dosages: Sequence[Dosage] | None) -> list[tuple[Dosage, Moment, Moment | None]]:
    """The steps of an order that changes its dose by date, in order; empty for any other order."""
    steps = []
    for dosage in dosages or ():
        bounds = dosage.timing.repeat.boundsPeriod if dosage.timing and dosage.timing.repeat else None
        start = parse_moment(bounds.start) if bounds else None
        if bounds is None or start is None:
            return []
        steps.append((dosage, start, parse_moment(bounds.end)))
    steps.sort(key=lambda step: step[1].sort_key())
    return steps if len({start.day for _, start, _ in steps}) == len(steps) > 1 else []


def _in_force(dosages: Sequence[Dosage], on: date | None) -> list[Dosage]:
    """The instructions that hold on day ``on``: all of them, or those of a dated sequence."""
    if not dosages:
        raise Unreadable("it has no dosage instruction")
    if len(dosages) == 1:
        return list(dosages)
    steps = {bytes(d.sequence) for d in dosages}
    dated = [d for d in dosages if d.timing and d.timing.repeat and d.timing.repeat.boundsPeriod]
    if len(dated) == len(dosages) and on is not None:
        current = [d for d in dosages if _covers(d, on)]
        if current:
            return current
        raise Unreadable("none of its dated doses is for this day")
    if len(steps) > 1:
        raise Unreadable("it is a sequence of doses without dates")
    return list(dosages)


def _covers(dosage: Dosage, on: date) -> bool:
    assert dosage.timing is not None and dosage.timing.repeat is not None
    bounds = dosage.timing.repeat.boundsPeriod
    assert bounds is not None
    start, end = parse_moment(bounds.start), parse_moment(bounds.end)
    if (bounds.start and start is None) or (bounds.end and end is None):
        raise Unreadable("the dates of its doses cannot be read")
    return (start is None or start.day <= on) and (end is None or on <= end.day)


def _one(dosage: Dosage, product: Product) -> tuple[Decimal, _Rhythm]:
    if dosage.asNeededBoolean or dosage.asNeededCodeableConcept:
        raise Unreadable("it is taken as needed")
    return _milligrams(dosage, product), _rhythm(dosage.timing)


def _sum(parts: list[tuple[Decimal, _Rhythm]]) -> Dose:
    rhythms = {rhythm.name for _, rhythm in parts}
    if len(rhythms) > 1:
        raise Unreadable("its doses have different rhythms")
    name = rhythms.pop()
    on_one_day = sum((mg * rhythm.intakes for mg, rhythm in parts), Decimal(0))
    intakes = sum(rhythm.intakes for _, rhythm in parts)
    same = {mg for mg, _ in parts}
    hours = _DAY / intakes if name == "daily" else parts[0][1].hours
    if name != "daily" and len(parts) > 1:
        raise Unreadable("it has several doses in a rhythm that is not daily")
    return Dose(
        per_day=on_one_day if name == "daily" else None,
        per_intake=same.pop() if len(same) == 1 else None,
        on_one_day=on_one_day,
        rhythm=name,
        interval_hours=hours,
        mean=on_one_day if name == "daily" else on_one_day * _DAY / hours,
    )


def _milligrams(dosage: Dosage, product: Product) -> Decimal:
    quantities = []
    for rate in dosage.doseAndRate or ():
        if rate.doseRange is not None:
            raise Unreadable("its dose is a range")
        if rate.doseQuantity is not None:
            quantities.append((_words(rate.type), rate.doseQuantity))
    if not quantities and dosage.doseQuantity is not None:
        quantities.append((set(), dosage.doseQuantity))
    if not quantities:
        raise Unreadable("its dose is given in words only" if dosage.text else "it gives no dose")
    ordered = [quantity for words, quantity in quantities if "ordered" in words]
    if len(ordered) == 1:
        return _convert(ordered[0], product)
    amounts = {_convert(quantity, product) for _, quantity in quantities}
    if len(amounts) != 1:
        raise Unreadable("it gives several doses that differ")
    return amounts.pop()


def _words(concept: CodeableConcept | None) -> set[str]:
    if concept is None:
        return set()
    said = [
        concept.text or "",
        *(word for coding in concept.coding or () for word in (coding.code or "", coding.display or "")),
    ]
    return {word.lower() for word in said}


def _convert(quantity: Quantity, product: Product) -> Decimal:
    dose = _in_mg(quantity, product)
    if not _LEAST_MG <= dose <= _MOST_MG:
        raise Unreadable("its dose is not plausible")
    return dose


def _in_mg(quantity: Quantity, product: Product) -> Decimal:
    number = exact(quantity.value)
    if quantity.comparator:
        raise Unreadable("its dose has a comparator")
    if number <= 0:
        raise Unreadable("its dose is not above zero")
    names = {name.strip() for name in (quantity.code, quantity.unit) if name}
    if names & UNITS["dose"].keys():
        return number * factor(quantity, "dose")
    if {name.lower() for name in names} & _TABLETS:
        if product.tablet is None:
            raise Unreadable("its dose is in tablets of unknown strength")
        return number * product.tablet
    if names & _MILLILITRES:
        if product.per_ml is None:
            raise Unreadable("its dose is in mL of unknown concentration")
        return number * product.per_ml
    raise Unreadable("the unit of its dose is not understood" if names else "its dose has no unit")


def _rhythm(timing: Timing | None) -> _Rhythm:
    if timing is None:
        raise Unreadable("it does not say how often the dose is taken")
    by_repeat = _from_repeat(timing.repeat) if timing.repeat is not None else None
    by_code = _from_code(timing.code)
    if by_repeat is not None and by_code is not None and by_repeat != by_code:
        raise Unreadable("its timing and its timing code differ")
    rhythm = by_repeat or by_code
    if rhythm is None:
        raise Unreadable("it does not say how often the dose is taken")
    return rhythm


def _from_code(concept: CodeableConcept | None) -> _Rhythm | None:
    if concept is None:
        return None
    words = [coding.code for coding in concept.coding or () if coding.code] or ([concept.text] if concept.text else [])
    for word in words:
        key = word.strip().upper()
        if key in _PER_DAY:
            return _Rhythm("daily", _PER_DAY[key], _DAY / _PER_DAY[key])
        if key in _SLOWER:
            name, hours = _SLOWER[key]
            return _Rhythm(name, 1, Decimal(hours))
    return None


def _from_repeat(repeat: Repeat) -> _Rhythm | None:
    if given(repeat.count):
        raise Unreadable("it is limited to a number of doses")
    if given(repeat.frequencyMax) or given(repeat.periodMax):
        raise Unreadable("its timing is a range")
    frequency, times = whole(repeat.frequency), len(repeat.timeOfDay or repeat.when or ())
    period = exact(repeat.period) if given(repeat.period) else None
    if repeat.dayOfWeek:
        return _on_weekdays(len(set(repeat.dayOfWeek)), frequency, times, repeat)
    if period is None or repeat.periodUnit is None:
        if times and frequency in (None, times):
            return _Rhythm("daily", times, _DAY / times)
        if frequency is None and period is None:
            return None
        raise Unreadable("its timing is incomplete")
    count = frequency if frequency is not None else max(times, 1)
    if period > MOST_TIMES:
        raise Unreadable("its timing is not understood")
    if count < 1 or period < _LEAST_PERIOD:
        raise Unreadable("its timing is not above zero")
    return _every(count, period, repeat.periodUnit)


def _on_weekdays(days: int, frequency: int | None, times: int, repeat: Repeat) -> _Rhythm:
    intakes = max(times, 1)
    if frequency not in (None, 1, days * intakes) or repeat.periodUnit not in (None, "d", "wk"):
        raise Unreadable("its days of the week and its frequency differ")
    if days == 7:
        return _Rhythm("daily", intakes, _DAY / intakes)
    name = "weekly" if days == 1 else f"on {days} days a week"
    return _Rhythm(name, intakes, Decimal(168) / days)


def _every(count: int, period: Decimal, unit: str) -> _Rhythm:
    hours_in = {"h": 1, "d": 24, "wk": 168}
    if unit == "mo" and count == 1 and period == 1:
        return _Rhythm("monthly", 1, Decimal(720))
    if unit not in hours_in:
        raise Unreadable("its timing is not understood")
    span = period * hours_in[unit]
    if unit == "wk" and period == 1 and count == 7:
        return _Rhythm("daily", 1, _DAY)
    if unit == "h" and span < _DAY and count == 1 and _DAY % span == 0:
        return _Rhythm("daily", int(_DAY / span), span)
    if span == _DAY:
        return _Rhythm("daily", count, _DAY / count)
    if unit == "wk" and period == 1 and 1 < count < 7:
        return _Rhythm(f"on {count} days a week", 1, span / count)
    if count == 1 and span > _DAY and span % _DAY == 0:
        days = int(span / _DAY)
        return _Rhythm("weekly" if days == 7 else f"every {days} days", 1, span)
    raise Unreadable("its timing is not understood")
