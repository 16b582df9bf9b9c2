"""How units are compared: by their exact spelling, or by a plain one."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

import msgspec

_TEN = re.compile(r"[*x]?10(?:\*\*|[*^~e]|exp)?\(?\+?0?([0-9])\)?(?=[/{a-z]|$)")
_OF_CREATININE = re.compile(r"(?<=[gl])[_.]?[ck]r[eé]?\w*$")
_BRACES = re.compile(r"\{[^{}]*\}")
_HIGH = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_MICRO = re.compile(r"[\u00b5\u03bc]|mc(?=[gl])")


_LONGEST = 40
"""Characters of a unit whose plain spelling is kept: longer texts are not units, and must not fill the memory."""


class Scale(msgspec.Struct, frozen=True):
    """A unit that is not a multiple of ours: a value is multiplied by ``times``, ``plus`` is added, and the sum divided by ``over``."""

    times: Decimal
    over: Decimal
    plus: Decimal


class Units(msgspec.Struct, frozen=True):
    """The units of a test, each with its factor to ours; a unit that is not listed is not understood."""

    written: dict[str, Decimal] = {}  # by exact spelling
    plain: dict[str, Decimal] = {}  # by plain spelling
    scales: dict[str, Scale] = {}  # by plain spelling
    thousands: str = ""  # in which units a number may have its thousands set off: "any unit", "our unit", or in none
    foreign: frozenset[str] = frozenset()  # spellings of the units of other tests

    def factor(self, text: str) -> Decimal | None:
        """The factor of a unit to ours; None for one that is not understood."""
        exact = self.written.get(text.strip())
        return exact if exact is not None else self.plain.get(plain_unit(text))


def plain_unit(text: str) -> str:
    """A unit in the form in which units are compared: lower case, one spelling of powers of ten and micro, no blanks or annotations."""
    return _cached(text) if len(text) <= _LONGEST else _plain(text)


def _plain(text: str) -> str:
    lowered = _BRACES.sub("", text.strip().replace("\u00d7", "x").translate(_HIGH).lower().replace(" ", ""))
    lowered = _OF_CREATININE.sub("", _MICRO.sub("u", lowered).replace("^", "*").rstrip("."))
    return _TEN.sub(r"10*\1", lowered.replace("mm*3", "mm3"))


_cached = lru_cache(512)(_plain)
