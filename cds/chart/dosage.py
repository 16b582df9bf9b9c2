"""Milligrams a day from ``dosageInstruction``: understood, or refused with the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import chain, pairwise
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from cds.chart.model import Dose
from cds.chart.numbers import Unreadable, exact, factor, whole
from cds.chart.times import Moment, parse_moment
from cds.chart.timing import DAY, Rhythm, days_of, read_rhythm
from cds.chart.wire import CodeableConcept, Dosage, Quantity, Range, given
from cds.compiled.knowledge import Knowledge, Lexicon

T = TypeVar("T")

_INSTRUCTION = "dosageInstruction"


class Product(msgspec.Struct, frozen=True):
    """What one unit of the product holds: mg in a tablet, or mg in a mL; None when not known."""

    tablet: Decimal | None = None
    per_ml: Decimal | None = None


Step = tuple[Dosage, Moment, Moment | None]
"""A dosage instruction with the first and the last day it holds for."""


def read_dose(dosages: Sequence[Dosage] | None, product: Product, knowledge: Knowledge, on: date | None) -> Dose:
    """The dose on day ``on``. A problem is returned in the dose, never raised."""
    try:
        numbered = list(enumerate(dosages or ()))
        taken = [each for each in numbered if not _is_empty_slot(each[1])] or numbered
        in_force = _in_force(taken, on)
        dose = _sum([_one(index, dosage, product, knowledge) for index, dosage in in_force])
        return replace(dose, clock=_clock([dosage for _, dosage in in_force]))
    except Unreadable as unreadable:
        return Dose(problem=str(unreadable), at=unreadable.at or _INSTRUCTION)


def _clock(dosages: Sequence[Dosage]) -> tuple[time, ...]:
    """The times of day at which it is taken; empty unless every instruction gives them."""
    repeats = [dosage.timing.repeat if dosage.timing is not None else None for dosage in dosages]
    given_times = [(repeat.timeOfDay or []) if repeat is not None else [] for repeat in repeats]
    try:
        return tuple(time.fromisoformat(each) for each in chain(*given_times)) if all(given_times) else ()
    except ValueError:
        return ()


def _is_empty_slot(dosage: Dosage) -> bool:
    """Whether an instruction has only doses of 0: some systems write one for a time of day at which nothing is taken."""
    quantities = [rate.doseQuantity for rate in dosage.doseAndRate or ()] or [dosage.doseQuantity]
    try:
        return all(quantity is not None and exact(quantity.value) == 0 for quantity in quantities)
    except Unreadable:
        return False


def dated_steps(dosages: Sequence[Dosage] | None, start: Moment | None) -> list[Step]:
    """The steps of an order that changes its dose by date, in order; empty for any other order.

    The steps carry dates of their own, or they follow one another from ``start`` on, each with its duration.
    """
    return _by_dates(dosages or ()) or (_by_durations(dosages or (), start) if start is not None else [])


def last_day(dosages: Sequence[Dosage] | None, start: Moment | None) -> date | None:
    """The last day by the durations of the instructions; None where one of them has no duration."""
    durations = [days_of(dosage.timing.repeat.boundsDuration) if _repeats(dosage) else None for dosage in dosages or ()]  # type: ignore[union-attr]
    if start is None or not durations or any(days is None for days in durations):
        return None
    days = [each for each in durations if each is not None]
    in_turn = len(days) > 1 and len({bytes(dosage.sequence) for dosage in dosages or ()}) == len(days)
    return _plus(start.day, (sum(days) if in_turn else max(days)) - 1)


def _plus(day: date, days: int) -> date:
    """``days`` later, or the last day there is."""
    return day + timedelta(days=days) if (date.max - day).days > days else date.max


def _repeats(dosage: Dosage) -> bool:
    return dosage.timing is not None and dosage.timing.repeat is not None


def _by_dates(dosages: Sequence[Dosage]) -> list[Step]:
    steps: list[Step] = []
    for dosage in dosages:
        bounds = dosage.timing.repeat.boundsPeriod if dosage.timing and dosage.timing.repeat else None
        start = parse_moment(bounds.start) if bounds else None
        if bounds is None or start is None:
            return []
        steps.append((dosage, start, parse_moment(bounds.end)))
    steps = _in_turn(steps)
    numbered = len({bytes(dosage.sequence) for dosage in dosages}) == len(dosages)
    follows = all(over is not None and over.day <= after[1].day for (_, _, over), after in pairwise(steps))
    return steps if numbered or follows else []  # open-ended ones without numbers are taken together


def _by_durations(dosages: Sequence[Dosage], start: Moment) -> list[Step]:
    try:
        ordered = sorted((whole(dosage.sequence) or 0, place) for place, dosage in enumerate(dosages))
    except Unreadable:
        return []
    steps: list[Step] = []
    begins: date | None = start.day
    for _, place in ordered:
        if begins is None:
            return []  # a step after one that has no end
        repeat = dosages[place].timing.repeat if dosages[place].timing is not None else None  # type: ignore[union-attr]
        days = days_of(repeat.boundsDuration) if repeat is not None else None
        if repeat is not None and (repeat.boundsPeriod is not None or given(repeat.boundsRange)):
            return []
        ends = _plus(begins, days - 1) if days else None
        steps.append((dosages[place], Moment(begins), Moment(ends) if ends else None))
        begins = _plus(ends, 1) if ends else None
    numbers = {number for number, _ in ordered}
    return _in_turn(steps) if len(numbers) == len(steps) else []


def _in_turn(steps: list[Step]) -> list[Step]:
    """The steps by date; empty if two begin on the same day, or if there is only one, which is not a sequence."""
    steps.sort(key=lambda step: step[1].sort_key())
    return steps if len({start.day for _, start, _ in steps}) == len(steps) > 1 else []


_Numbered = list[tuple[int, Dosage]]


def _in_force(dosages: _Numbered, on: date | None) -> _Numbered:
    """The instructions that hold on day ``on``: all of them, or those of a dated sequence."""
    if not dosages:
        raise Unreadable("it has no dosage instruction")
    if len(dosages) == 1:
        return dosages
    dated = [each for each in dosages if _repeats(each[1]) and each[1].timing.repeat.boundsPeriod]  # type: ignore[union-attr]
    if len(dated) == len(dosages) and on is not None:
        current = [each for each in dosages if _covers(each[1], on)]
        if len({_begins(dosage) for _, dosage in current}) > 1:
            raise Unreadable("its doses overlap, and it is not said whether they add up")
        if current:
            return current
        raise Unreadable("none of its dated doses is for this day")
    if len({bytes(dosage.sequence) for _, dosage in dosages}) > 1 and not _of_one_day(dosages):
        raise Unreadable("it is a sequence of doses without dates")
    return dosages


def _of_one_day(dosages: _Numbered) -> bool:
    """Whether numbered instructions are the intakes of one day: each has its own times of day, and none has bounds."""
    seen: set[str] = set()
    for _, dosage in dosages:
        repeat = dosage.timing.repeat if dosage.timing is not None else None
        slots = {*(repeat.when or ()), *(repeat.timeOfDay or ())} if repeat is not None else set()
        bounded = repeat is not None and (repeat.boundsPeriod or repeat.boundsDuration or given(repeat.boundsRange))
        if not slots or bounded or not seen.isdisjoint(slots):
            return False
        seen |= slots
    return True


def _begins(dosage: Dosage) -> date | None:
    bounds = dosage.timing.repeat.boundsPeriod if dosage.timing and dosage.timing.repeat else None
    start = parse_moment(bounds.start) if bounds else None
    return start.day if start is not None else None


def _covers(dosage: Dosage, on: date) -> bool:
    assert dosage.timing is not None and dosage.timing.repeat is not None
    bounds = dosage.timing.repeat.boundsPeriod
    assert bounds is not None
    start, end = parse_moment(bounds.start), parse_moment(bounds.end)
    if (bounds.start and start is None) or (bounds.end and end is None):
        raise Unreadable("the dates of its doses cannot be read")
    return (start is None or start.day <= on) and (end is None or on <= end.day)


def _one(index: int, dosage: Dosage, product: Product, knowledge: Knowledge) -> tuple[Decimal, Rhythm]:
    here = f"{_INSTRUCTION}[{index}]"
    if any(given(part) and bytes(part) != b"[]" for part in (dosage.modifierExtension,)):
        raise Unreadable("it has a modifier extension, which is not understood", f"{here}.modifierExtension")
    if dosage.asNeededBoolean or dosage.asNeededCodeableConcept:
        raise Unreadable("it is taken as needed", f"{here}.asNeeded[x]")
    amount = _at(f"{here}.doseAndRate", lambda: _milligrams(dosage, product, knowledge))
    return amount, _at(f"{here}.timing", lambda: read_rhythm(dosage.timing))


def _at(element: str, read: Callable[[], T]) -> T:
    """What ``read`` returns for an element; if it cannot be read, the error carries the element's path."""
    try:
        return read()
    except Unreadable as unreadable:
        raise Unreadable(str(unreadable), element) from None


def _sum(parts: list[tuple[Decimal, Rhythm]]) -> Dose:
    rhythms = {rhythm.name for _, rhythm in parts}
    if len(rhythms) > 1:
        raise Unreadable("its doses have different rhythms")
    name = rhythms.pop()
    on_one_day = sum((mg * rhythm.intakes for mg, rhythm in parts), Decimal(0))
    intakes = sum(rhythm.intakes for _, rhythm in parts)
    same = {mg for mg, _ in parts}
    hours = DAY / intakes if name == "daily" else parts[0][1].hours
    if name != "daily" and len(parts) > 1:
        raise Unreadable("it has several doses in a rhythm that is not daily")
    return Dose(
        per_day=on_one_day if name == "daily" else None,
        per_intake=same.pop() if len(same) == 1 else None,
        on_one_day=on_one_day,
        rhythm=name,
        interval_hours=hours,
        mean=on_one_day if name == "daily" else on_one_day * DAY / hours,
        parts=tuple(sorted({mg for mg, _ in parts})) if len({mg for mg, _ in parts}) > 1 else (),
    )


def _milligrams(dosage: Dosage, product: Product, knowledge: Knowledge) -> Decimal:
    quantities = []
    for rate in dosage.doseAndRate or ():
        if rate.doseQuantity is not None:
            quantities.append((_words(rate.type), rate.doseQuantity))
        elif rate.doseRange is not None:
            quantities += [(_words(rate.type), bound) for bound in _bounds(rate.doseRange)]
    if not quantities and dosage.doseQuantity is not None:
        quantities.append((set(), dosage.doseQuantity))
    if not quantities:
        raise Unreadable("its dose is given in words only" if dosage.text else "it gives no dose")
    quantities = [each for each in quantities if "ordered" in each[0]] or quantities
    amounts = {_convert(quantity, product, knowledge) for _, quantity in quantities}
    if len(amounts) != 1:
        raise Unreadable("it gives several doses that differ")
    return amounts.pop()


def _bounds(dose: Range) -> tuple[Quantity, Quantity]:
    """The bounds of a dose range, which is a dose only if its two bounds are equal."""
    low, high = dose.low, dose.high
    if low is None or high is None or _numbers(low) != _numbers(high):
        raise Unreadable("its dose is a range")
    return low, high


def _numbers(quantity: Quantity) -> tuple[Decimal, str | None, str | None]:
    return exact(quantity.value), quantity.code, quantity.unit


def _words(concept: CodeableConcept | None) -> set[str]:
    if concept is None:
        return set()
    said = [
        concept.text or "",
        *(word for coding in concept.coding or () for word in (coding.code or "", coding.display or "")),
    ]
    return {word.lower() for word in said}


def _convert(quantity: Quantity, product: Product, knowledge: Knowledge) -> Decimal:
    dose = _in_mg(quantity, product, knowledge.lexicon)
    if not knowledge.definitions["dose_lowest"] <= dose <= knowledge.definitions["dose_highest"]:
        raise Unreadable("its dose is not plausible")
    return dose


def _in_mg(quantity: Quantity, product: Product, words: Lexicon) -> Decimal:
    number = exact(quantity.value)
    if quantity.comparator:
        raise Unreadable("its dose has a comparator")
    if number <= 0:
        raise Unreadable("its dose is not above zero")
    names = {name.strip() for name in (quantity.code, quantity.unit) if name}
    lowered = {name.lower() for name in names}
    kinds = [names & words.dose.written.keys(), lowered & words.tablets, lowered & words.millilitres]
    if sum(map(bool, kinds)) > 1 or (kinds[0] and any("/" in name for name in names)):
        raise Unreadable("the unit of its dose and its unit code differ")
    if kinds[0]:
        return number * factor(quantity, words.dose)
    if lowered & words.tablets:
        if product.tablet is None:
            raise Unreadable("its dose is in tablets of unknown strength")
        return number * product.tablet
    if lowered & words.millilitres:
        if product.per_ml is None:
            raise Unreadable("its dose is in mL of unknown concentration")
        return number * product.per_ml
    raise Unreadable("the unit of its dose is not understood" if names else "its dose has no unit")
