"""What the free text of a dosage instruction says, and whether it agrees with the structured part.

The words come from ``rules/words/dosage.yaml``. Each language is tried separately, and the one that understands most of the
text is used. A text of which nothing is understood says nothing.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from cds.chart.model import Dose
from cds.chart.said_dates import Months
from cds.compiled.knowledge import Knowledge, Sayings

DIFFER = "its text and its timing differ"
_LONGEST = 600  # characters; what is longer is a note
_DAY, _WEEK, _MONTH = Decimal(24), Decimal(168), Decimal(720)
_CLAUSE = re.compile(r"[;\n!()\[\]。；，、]+|(?<!\b\w)\.(?=\s|$)|,(?=\s)|\s[-\u2013]\s")
_SLOT = r"(\d(?:[.,]5)?|½|1/2)"
_SCHEME = re.compile(rf"(?<![\d.,-]){_SLOT}-{_SLOT}-{_SLOT}(?:-{_SLOT})?(?![\d-])")
_QUANTITY = 20  # tablets; this many or more are dispensed, not taken at once
_ORDINAL = re.compile(r"(?<=\d)\.(?=[^\W\d])")
_DATE_LENGTH = 30  # characters after a word for until
_LETTER = r"0-9A-Za-z_\u00c0-\u024f"
"""Characters that may not be next to a number or a unit; those of scripts that write both next to words are not included."""
_NUMBER = r"\d+(?:[.,]\d+)?"
_NONE = re.compile("(?!)")
_COUNTED_BY = "{n}"
_AND_A_HALF = re.compile(r"(\d+)\s*(?:1/2|½)")
_ORDER = ("times_weekly", "times_daily", "every_hours", "every_days", "alternate", "four_daily", "three_daily", "twice_daily",
          "weekly", "monthly", "daily")  # fmt: skip
"""Longer phrases first: `twice daily` contains `daily`."""
_SLOTS = ("morning", "noon", "evening", "night")
_TIMES = {"twice_daily": 2, "three_daily": 3, "four_daily": 4}
_SIGN = "×"
_STRENGTH = "strength"
"""Used in place of the unit for mg that say which tablet is meant."""


@dataclass
class Said:
    """What one language understands of a text. ``times``: intakes a day, 0 for once or more; ``hours``: between two intakes."""

    times: set[int] = field(default_factory=set)
    hours: set[Decimal] = field(default_factory=set)
    amounts: list[tuple[Decimal, str]] = field(default_factory=list)  # a number and its unit
    ranged: bool = False  # an amount from one number to another
    as_needed: bool = False
    conditional: bool = False  # "only if": of another drug this may be about food
    held: bool = False
    ends: list[date] = field(default_factory=list)
    understood: int = 0  # characters


def differs(
    texts: Iterable[str], dose: Dose, tablet: Decimal | None, per_ml: Decimal | None, knowledge: Knowledge, on: date
) -> bool:
    """Whether the text of an order adds or contradicts something: as needed, a hold, another rhythm or amount, an end in the past."""
    whole = ". ".join(text for text in texts if text)
    if not whole:
        return False
    said = understood(whole, knowledge, tablet)
    if said.as_needed or said.conditional or said.held or said.ranged or any(end < on for end in said.ends):
        return True
    return _other_rhythm(said, dose) or _other_amount(said, dose, tablet, per_ml)


def _other_rhythm(said: Said, dose: Dose) -> bool:
    daily = dose.rhythm == "daily"
    if said.hours and (daily or any(hours != dose.interval_hours for hours in said.hours)):
        return True
    if not said.times:
        return False
    times = int(_DAY / dose.interval_hours) if dose.interval_hours else 0
    return not daily or any(each not in (0, times) for each in said.times)


def _other_amount(said: Said, dose: Dose, tablet: Decimal | None, per_ml: Decimal | None) -> bool:
    """Whether an amount in mg, tablets or mL is neither that of one intake nor that of a day."""
    allowed = _allowed(said, dose)
    factors = {"mg": Decimal(1), _STRENGTH: Decimal(1), "ug": Decimal("0.001"), "tablet": tablet, "ml": per_ml}
    known = [(number * times, unit) for number, unit in said.amounts if (times := factors[unit]) is not None]
    counts = [number for number, unit in said.amounts if unit == "tablet"]
    return not all(
        _fits(amount, () if unit == "tablet" else counts, allowed | {tablet} if unit == _STRENGTH else allowed)
        for amount, unit in known
    )


def _allowed(said: Said, dose: Dose) -> set[Decimal | None]:
    """The amounts that are allowed: that of a day if the text says so, of one intake if it counts the intakes, otherwise either."""
    once = {dose.per_intake, *dose.parts} - {None}
    if said.times == {0}:
        return {dose.on_one_day}
    if once and said.times and 0 not in said.times:
        return {*once}
    return {*once, dose.on_one_day}


def _fits(amount: Decimal, counts: Sequence[Decimal], allowed: set[Decimal | None]) -> bool:
    """Whether an amount is allowed, either itself or multiplied by one of the numbers of tablets."""
    return amount in allowed or any(amount * count in allowed for count in counts)


def understood(text: str, knowledge: Knowledge, tablet: Decimal | None = None) -> Said:
    """What ``text`` says in the language that understands most of it; ``tablet``: mg in one tablet of the product."""
    plain = _plain(text[:_LONGEST], knowledge, tablet)
    best = Said()
    for language in _languages(knowledge):
        said = language.read(plain)
        if said.understood > best.understood:
            best = said
    return best


def _plain(text: str, knowledge: Knowledge, tablet: Decimal | None) -> str:
    """The text in lower case, without the product's name and strength; mg after the name that are not its strength are kept."""
    lowered = (
        text.lower().replace("\u2019", "'").replace(_SIGN, "x").replace("\u00b5g", "mcg").replace("\u03bcg", "mcg")
    )

    def kept(match: re.Match[str]) -> str:
        if tablet is None or match["unit"] != "mg" or match["per"]:
            return " "
        return " " if Decimal(match["number"].replace(",", ".")) == tablet else match["strength"]

    return _product(knowledge).sub(kept, _ORDINAL.sub(". ", lowered))


_products: dict[str, re.Pattern[str]] = {}
_compiled: dict[str, list[_Language]] = {}


def _product(knowledge: Knowledge) -> re.Pattern[str]:
    """A pattern for a name of sirolimus and the strength that is printed after it."""
    known = _products.get(knowledge.hash)
    if known is None:
        names = sorted(
            (name for name, meant in knowledge.names.items() if meant.valueset == "sirolimus"), key=len, reverse=True
        )
        strength = rf"(?P<strength>\s*\(?(?P<number>{_NUMBER})\s*(?P<unit>mg|mcg|ug|micrograms?)(?P<per>\s*/\s*(?:1\s*)?ml)?\)?)?"
        known = _products[knowledge.hash] = re.compile(rf"(?:{'|'.join(map(re.escape, names)) or '(?!)'}){strength}")
    return known


def _languages(knowledge: Knowledge) -> list[_Language]:
    known = _compiled.get(knowledge.hash)
    if known is None:
        known = _compiled[knowledge.hash] = [_Language(sayings) for sayings in knowledge.lexicon.dosage.values()]
    return known


class _Language:
    """The phrases of one language as patterns."""

    def __init__(self, sayings: Sayings) -> None:
        self.numbers = sayings.numbers
        self.months = Months(sayings.months, sayings.month_first)
        words = sorted(map(re.escape, sayings.numbers), key=len, reverse=True)
        self.number = rf"(?:{'|'.join([_AND_A_HALF.pattern.replace('(', '(?:', 1), *words, _NUMBER])})"
        self.spelled = re.compile(rf"(?:{'|'.join(words) or '(?!)'})\s*\(\s*({_NUMBER}|1/2|½)\s*\)")
        self.phrases = {meaning: self._any(phrases) for meaning, phrases in sayings.phrases.items()}
        # of what is no intake, durations take nothing with them: "for 14 days then 1 tablet daily"
        elsewhere = sayings.phrases.get("elsewhere", ())
        self.phrases["duration"] = self._any([each for each in elsewhere if _COUNTED_BY in each])
        self.phrases["elsewhere"] = self._any([each for each in elsewhere if _COUNTED_BY not in each])
        self.weekdays = {day: self._any(phrases) for day, phrases in sayings.weekdays.items()}
        self.unit_of = {word: unit for unit, several in sayings.units.items() for word in several}
        units = "|".join(sorted(map(re.escape, self.unit_of), key=len, reverse=True)) or "(?!)"
        tablets = "|".join(sorted(map(re.escape, sayings.units.get("tablet", ())), key=len, reverse=True)) or "(?!)"
        self.amount = re.compile(
            rf"(?<![{_LETTER}.,])(?:(?P<times>{self.number})\s*x\s*)?(?P<number>{self.number})"
            rf"(?:\s*(?:-|to|bis|à|a|tot|do|até)\s*(?P<most>{_NUMBER}))?\s*(?P<unit>{units})(?![{_LETTER}])"
            rf"(?P<of>\s*-?\s*(?:{tablets})(?![{_LETTER}]))?"
        )

    def _any(self, phrases: Sequence[str]) -> re.Pattern[str]:
        """Any of the phrases as whole words; in a script without spaces, anywhere."""
        made = [
            re.escape(each).replace(r"\{n\}", f"({self.number})") for each in sorted(phrases, key=len, reverse=True)
        ]
        bounded = [
            rf"{_left(phrase)}{each}(?!\w)" if phrase[-1:] < "\u2e80" else each
            for each, phrase in zip(made, sorted(phrases, key=len, reverse=True), strict=True)
        ]
        return re.compile("|".join(bounded) or "(?!)")

    def read(self, text: str) -> Said:
        said = Said()
        self._ends(text, said)
        for clause in _CLAUSE.split(self.spelled.sub(r" \1 ", text)):
            self._clause(clause, said)
        return said

    def _clause(self, clause: str, said: Said) -> None:
        clause, spared = self._taken("not_hold", clause, said)
        _, held = self._taken("hold", clause, said)
        said.held = said.held or (held and not spared)
        clause, _ = self._taken("duration", clause, said)
        clause = self._intake(clause, said)
        clause, needed = self._taken("as_needed", clause, said)
        said.as_needed = said.as_needed or needed
        clause, conditional = self._taken("only_if", clause, said)
        said.conditional = said.conditional or conditional
        clause, _ = self._taken("nothing", clause, said)
        clause = self._scheme(clause, said)
        clause = self._amounts(self._rhythm(clause, said), said)

    def _intake(self, clause: str, said: Said) -> str:
        """What a clause says of an intake: nothing if it is about tests, visits or refills, except for what comes before `until` one."""
        other = self.phrases["elsewhere"].search(clause)
        if other is None:
            return clause
        self._taken("elsewhere", clause, said)
        until = self.phrases.get("until", _NONE).search(clause, 0, other.start())
        return clause[: until.start()] if until is not None else ""

    def _taken(self, meaning: str, clause: str, said: Said) -> tuple[str, bool]:
        """The clause without the phrases of a meaning, and whether there were any."""
        pattern = self.phrases.get(meaning)
        found = list(pattern.finditer(clause)) if pattern is not None else []
        said.understood += sum(match.end() - match.start() for match in found)
        return (pattern.sub(" ", clause) if pattern is not None and found else clause), bool(found)

    def _ends(self, text: str, said: Said) -> None:
        """The first date after each word for until, unless the clause is about a test or how long a document is valid."""
        until, elsewhere = self.phrases.get("until", _NONE), self.phrases.get("elsewhere", _NONE)
        for match in until.finditer(text):
            if elsewhere.search(_CLAUSE.split(text[: match.start()])[-1]):
                continue
            for end in itertools.islice(self.months.dates(text[match.end() : match.end() + _DATE_LENGTH]), 1):
                said.ends.append(end)
                said.understood += match.end() - match.start() + 1

    def _scheme(self, clause: str, said: Said) -> str:
        """Slots of a day, as in 1-0-1."""
        for match in _SCHEME.finditer(clause):
            slots = [
                Decimal("0.5" if slot in ("½", "1/2") else slot.replace(",", ".")) for slot in match.groups() if slot
            ]
            taken = [slot for slot in slots if slot]
            said.times.add(len(taken))
            said.amounts += [(slot, "tablet") for slot in taken]
            said.understood += len(match[0])
        return _SCHEME.sub(" ", clause)

    def _rhythm(self, clause: str, said: Said) -> str:
        for meaning in _ORDER:
            pattern = self.phrases.get(meaning)
            for match in pattern.finditer(clause) if pattern is not None else ():
                number = next((self._number(each) for each in match.groups() if each), None)
                _note(said, meaning, number)
                said.understood += match.end() - match.start()
            clause = pattern.sub(" ", clause) if pattern is not None else clause
        days = [day for day, pattern in self.weekdays.items() if pattern.search(clause)]
        if days and len(days) < 7:
            said.hours.add(_WEEK / len(days))
            said.understood += 3 * len(days)
        return self._slots(clause, said)

    def _slots(self, clause: str, said: Said) -> str:
        """Morning and evening are two intakes; one of them together with a rhythm only says when."""
        slots = []
        for slot in _SLOTS:
            clause, there = self._taken(slot, clause, said)
            slots += [slot] if there else []
        if len(slots) > 1 and not said.times - {0}:
            said.times.add(len(slots))
        return clause

    def _amounts(self, clause: str, said: Said) -> str:
        for match in self.amount.finditer(clause):
            said.understood += match.end() - match.start()
            said.ranged = said.ranged or match["most"] is not None
            number, times = self._number(match["number"]), self._number(match["times"] or "1")
            if number is not None and times is not None:
                unit = self.unit_of[match["unit"]]
                if unit == "tablet" and number * times >= _QUANTITY:
                    continue
                said.amounts.append((number * times, _STRENGTH if match["of"] and unit == "mg" else unit))
        return clause

    def _number(self, text: str) -> Decimal | None:
        if text in self.numbers:
            return self.numbers[text]
        if (match := _AND_A_HALF.fullmatch(text)) is not None:
            return Decimal(match[1]) + Decimal("0.5")
        return Decimal(text.replace(",", ".")) if re.fullmatch(_NUMBER, text) else None


def _note(said: Said, meaning: str, number: Decimal | None) -> None:
    """One rhythm, as intakes a day or as hours from one to the next."""
    if meaning == "daily":
        said.times.add(0)
    elif meaning in _TIMES:
        said.times.add(_TIMES[meaning])
    elif meaning in ("alternate", "weekly", "monthly"):
        said.hours.add({"alternate": 2 * _DAY, "weekly": _WEEK, "monthly": _MONTH}[meaning])
    elif number is not None and number > 0:
        _counted(said, meaning, number)


def _counted(said: Said, meaning: str, number: Decimal) -> None:
    if meaning == "times_daily":
        said.times.add(int(number))
    elif meaning == "times_weekly":
        said.hours.add(_WEEK / number)
    else:
        hours = number if meaning == "every_hours" else number * _DAY
        if hours <= _DAY and _DAY % hours == 0:
            said.times.add(int(_DAY / hours))
        else:
            said.hours.add(hours)


def _left(phrase: str) -> str:
    """A lookbehind: no letter may come before a phrase, unless the phrase begins with a slash, as in mg/day."""
    return r"(?<!\w)" if re.match(r"\w", phrase) or phrase.startswith("{") else ""
