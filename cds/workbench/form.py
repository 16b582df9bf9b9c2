"""What the workbench's form may hold: a chart, when and on which hook to judge it, values moved, a suggestion pressed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qs

from cds.chart.body import InputError

_MOVED = {
    "dose": (Decimal(200), False),
    "level": (Decimal(1000), False),
    "count": (Decimal(10_000), False),
    "age": (Decimal(120), True),
    "days": (Decimal(20_000), True),
}
"""How far a value may be moved, and whether by whole numbers alone."""
_NAMES = {"dose": "the dose", "level": "the level", "count": "the platelet count", "age": "the age", "days": "the day"}
_MOST_FIELDS = 40
_PLACE = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})")
_COMMA = re.compile(r"[0-9]+,[0-9]{1,2}")  # with three digits behind it, it may part thousands


@dataclass(frozen=True)
class Asked:
    """One question of the workbench. ``press`` is the place of a suggestion: its card's, and its own on that card."""

    chart: str
    hook: str = ""
    at: str = ""
    press: str = ""
    knowledge: str = ""  # the hash of the rules by which the page was made that asks
    wanted: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def place(self) -> tuple[int, int]:
        """The card and the suggestion that was pressed. Raises InputError where ``press`` names none."""
        found = _PLACE.fullmatch(self.press)
        if found is None:
            raise InputError(GONE)
        return int(found[1]), int(found[2])


GONE = "there is no such suggestion on this chart any more"


def fields_of(body: bytes) -> dict[str, str]:
    """The fields of a form as a browser sends it (application/x-www-form-urlencoded). Raises InputError where it is none."""
    try:
        form = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise InputError("the form cannot be read") from None
    return {name: values[0] for name, values in form.items()}


def asked(fields: Mapping[str, str]) -> Asked:
    """What is asked. A value counts as moved where it is not what it was; none does when all is to be as it was.

    Raises:
        InputError: a number is none, or out of range.
    """
    names = [name.removeprefix("set-") for name in fields if name.startswith("set-")] if "back" not in fields else []
    moved = [name for name in names if fields[f"set-{name}"] != fields.get(f"was-{name}")]
    return Asked(
        fields.get("chart", ""),
        fields.get("hook", ""),
        fields.get("at", ""),
        fields.get("press", ""),
        fields.get("knowledge", ""),
        {name: _number(name, fields[f"set-{name}"].strip()) for name in moved},
    )


def _number(name: str, text: str) -> Decimal:
    try:
        number = Decimal(text.replace(",", ".") if _COMMA.fullmatch(text) else text)
    except InvalidOperation:
        raise InputError(f"a value that was moved is not a number: {_NAMES.get(name, 'another')}") from None
    most, whole = _MOVED.get(name, (Decimal(0), False))
    if not number.is_finite() or not 0 <= number <= most or (whole and number != int(number)):
        raise InputError(f"a value that was moved is out of range: {_NAMES.get(name, 'another')}")
    return number
