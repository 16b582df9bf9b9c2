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
"""How far a value may be moved, and whether only to whole numbers."""
_NAMES = {"dose": "the dose", "level": "the level", "count": "the platelet count", "age": "the age", "days": "the day"}
_MOST_FIELDS = 40
_PLACE = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})")
_COMMA = re.compile(r"[0-9]+,[0-9]{1,2}")  # followed by three digits, it may be a thousands separator


@dataclass(frozen=True)
class Asked:
    """One request from the workbench's form. ``press`` is the position of a suggestion: of its card, and its own on that card."""

    chart: str
    hook: str = ""
    at: str = ""
    press: str = ""
    knowledge: str = ""  # the hash of the rules with which the submitting page was made
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
    """The fields of a form as a browser sends it (application/x-www-form-urlencoded). Raises InputError if it is not a form."""
    try:
        form = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise InputError("the form cannot be read") from None
    return {name: values[0] for name, values in form.items()}


def asked(fields: Mapping[str, str]) -> Asked:
    """What is asked. A value counts as moved if it differs from before; none does if everything is to be reset.

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
        raise InputError(f"a changed value is not a number: {_NAMES.get(name, 'another')}") from None
    most, whole = _MOVED.get(name, (Decimal(0), False))
    if not number.is_finite() or not 0 <= number <= most or (whole and number != int(number)):
        raise InputError(f"a changed value is out of range: {_NAMES.get(name, 'another')}")
    return number
