"""How often a dose is taken, from FHIR Timing: understood, or refused with the reason."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec

from cds.chart.numbers import MOST_TIMES, Unreadable, exact, whole
from cds.chart.wire import CodeableConcept, Quantity, Repeat, Timing, given

DAY = Decimal(24)
_LEAST_PERIOD = Decimal("0.1")
_DAYS_IN = {"h": Decimal(1) / 24, "d": Decimal(1), "wk": Decimal(7)}
_UNIT_WORDS = {
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("wk", "week", "weeks"), "wk"),
    **dict.fromkeys(("h", "hour", "hours"), "h"),
}


class Rhythm(msgspec.Struct, frozen=True):
    """When doses are taken: ``intakes`` on a dosing day, ``hours`` from one to the next."""

    name: str
    intakes: int
    hours: Decimal


def _daily(times: int) -> Rhythm:
    return Rhythm("daily", times, DAY / times)


_SAID: tuple[tuple[Rhythm, str], ...] = (  # HL7's abbreviations, what systems add to them, and whole phrases
    (
        _daily(1),
        "QD|DAILY|AM|PM|BED|Q24H|QAM|QPM|QHS|ONCE DAILY|ONCE A DAY|ONCE PER DAY|1 TIME DAILY|1 TIME A DAY|1 TIME PER DAY"
        "|ONE TIME DAILY|EVERY DAY|EACH DAY|ONCE EVERY DAY|EVERY 24 HOURS|EVERY MORNING|IN THE MORNING|EVERY EVENING"
        "|IN THE EVENING|EVERY NIGHT|NIGHTLY|AT BEDTIME|DAILY AT BEDTIME",
    ),
    (
        _daily(2),
        "BID|Q12H|TWICE DAILY|TWICE A DAY|TWICE PER DAY|2 TIMES DAILY|2 TIMES A DAY|2 TIMES PER DAY|TWO TIMES DAILY"
        "|EVERY 12 HOURS",
    ),
    (_daily(3), "TID|Q8H|3 TIMES DAILY|THREE TIMES DAILY|3 TIMES A DAY|3 TIMES PER DAY|EVERY 8 HOURS"),
    (_daily(4), "QID|Q6H|4 TIMES DAILY|FOUR TIMES DAILY|4 TIMES A DAY|4 TIMES PER DAY|EVERY 6 HOURS"),
    (
        Rhythm("every 2 days", 1, Decimal(48)),
        "QOD|Q48H|Q2D|EVERY OTHER DAY|EVERY 2 DAYS|EVERY TWO DAYS|EVERY SECOND DAY|EVERY 48 HOURS|ALTERNATE DAYS"
        "|ON ALTERNATE DAYS",
    ),
    (
        Rhythm("weekly", 1, Decimal(168)),
        "WK|QW|QWK|Q7D|WEEKLY|ONCE WEEKLY|ONCE A WEEK|ONCE PER WEEK|EVERY WEEK|ONCE EVERY WEEK|EVERY 7 DAYS",
    ),
    (Rhythm("monthly", 1, Decimal(720)), "MO|MONTHLY|ONCE A MONTH|EVERY MONTH"),
)
_ONE_INTAKE = frozenset(
    [
        "MORN",
        "MORN.early",
        "MORN.late",
        "NOON",
        "AFT",
        "AFT.early",
        "AFT.late",
        "EVE",
        "EVE.early",
        "EVE.late",
        "NIGHT",
        "HS",
        "PHS",
        "WAKE",
        "CM",
        "CD",
        "CV",
        "ACM",
        "ACD",
        "ACV",
        "PCM",
        "PCD",
        "PCV",
    ]
)
"""FHIR's timing events that occur once a day; a dose at meals is taken as often as the patient eats."""
_WEEKDAY = re.compile(r"\b(?:mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun)(?:day)?s?\b", re.IGNORECASE)
_WORDS = {word: rhythm for rhythm, words in _SAID for word in words.split("|")}


def read_rhythm(timing: Timing | None) -> Rhythm:
    """How often, by ``repeat`` and by ``code``, which must agree where both are understood.

    Raises:
        Unreadable: not said, not understood, or said in two ways that differ.
    """
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


def days_of(duration: Quantity | None) -> int | None:
    """A whole number of days; None when there is no duration of that kind."""
    if duration is None or duration.comparator:
        return None
    unit = _UNIT_WORDS.get((duration.code or duration.unit or "").strip())
    try:
        days = exact(duration.value) * _DAYS_IN[unit] if unit else Decimal(0)
    except Unreadable:
        return None
    return int(days) if days == days.to_integral_value() and 0 < days <= MOST_TIMES else None


def _from_code(concept: CodeableConcept | None) -> Rhythm | None:
    if concept is None:
        return None
    said = [concept.text, *(word for coding in concept.coding or () for word in (coding.code, coding.display))]
    found = {_WORDS[key] for word in said if word and (key := " ".join(word.upper().split()).rstrip(".")) in _WORDS}
    if len(found) > 1:
        raise Unreadable("its timing codes differ")
    if not found and any(_WEEKDAY.search(word) for word in said if word):
        raise Unreadable("its timing code names days of the week")
    return found.pop() if found else None


def _from_repeat(repeat: Repeat) -> Rhythm | None:
    if given(repeat.count):
        raise Unreadable("it is limited to a number of doses")
    if given(repeat.frequencyMax) or given(repeat.periodMax):
        raise Unreadable("its timing is a range")
    frequency, times = whole(repeat.frequency), len(repeat.timeOfDay or repeat.when or ())
    period = exact(repeat.period) if given(repeat.period) else None
    if times > 1 and frequency is not None and frequency != times and not repeat.dayOfWeek:
        raise Unreadable("its times of day and its frequency differ")
    if frequency is None and not repeat.timeOfDay and not _ONE_INTAKE.issuperset(repeat.when or ()):
        raise Unreadable("it does not say how often the dose is taken")  # at meals, but not at which ones
    if repeat.dayOfWeek:
        if given(repeat.period) and exact(repeat.period) != 1:
            raise Unreadable("its timing is not understood")
        return _on_weekdays(len(set(repeat.dayOfWeek)), frequency, times, repeat)
    if period is None or repeat.periodUnit is None:
        if times and frequency in (None, times):
            return Rhythm("daily", times, DAY / times)
        if frequency is None and period is None:
            return None
        raise Unreadable("its timing is incomplete")
    count = frequency if frequency is not None else max(times, 1)
    if period > MOST_TIMES:
        raise Unreadable("its timing is not understood")
    if count < 1 or period < _LEAST_PERIOD:
        raise Unreadable("its timing is not above zero")
    return _every(count, period, repeat.periodUnit)


def _on_weekdays(days: int, frequency: int | None, times: int, repeat: Repeat) -> Rhythm:
    intakes = max(times, 1)
    if frequency not in (None, 1, days * intakes) or repeat.periodUnit not in (None, "d", "wk"):
        raise Unreadable("its days of the week and its frequency differ")
    if days == 7:
        return Rhythm("daily", intakes, DAY / intakes)
    name = "weekly" if days == 1 else f"on {days} days a week"
    return Rhythm(name, intakes, Decimal(168) / days)


def _every(count: int, period: Decimal, unit: str) -> Rhythm:
    hours_in = {"h": 1, "d": 24, "wk": 168}
    if unit == "mo" and count == 1 and period == 1:
        return Rhythm("monthly", 1, Decimal(720))
    if unit not in hours_in:
        raise Unreadable("its timing is not understood")
    span = period * hours_in[unit]
    if unit == "wk" and period == 1 and count == 7:
        return Rhythm("daily", 1, DAY)
    if unit == "h" and span < DAY and count == 1 and DAY % span == 0:
        return Rhythm("daily", int(DAY / span), span)
    if span == DAY:
        return Rhythm("daily", count, DAY / count)
    if unit == "wk" and period == 1 and 1 < count < 7:
        return Rhythm(f"on {count} days a week", 1, span / count)
    if count == 1 and span > DAY and span % DAY == 0:
        days = int(span / DAY)
        return Rhythm("weekly" if days == 7 else f"every {days} days", 1, span)
    raise Unreadable("its timing is not understood")
