"""What the workbench's form may hold: a chart, when and on which hook to judge it, a value moved, a suggestion pressed."""

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
_MOST_FIELDS = 40
_PLACE = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})")


@dataclass(frozen=True)
class Asked:
    """One question of the workbench. ``press`` is the place of a suggestion: its card's, and its own on that card."""

    chart: str
    hook: str = ""
    at: str = ""
    press: str = ""
    wanted: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def place(self) -> tuple[int, int]:
        """The card and the suggestion that was pressed. Raises InputError where ``press`` names none."""
        found = _PLACE.fullmatch(self.press)
        if found is None:
            raise InputError(GONE)
        return int(found[1]), int(found[2])


GONE = "there is no such suggestion on this chart any more"


def asked(body: bytes) -> Asked:
    """A form as a browser sends it (application/x-www-form-urlencoded).

    Raises:
        InputError: it is no form, or a number in it is none or out of range.
    """
    try:
        form = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise InputError("the form cannot be read") from None
    one = {name: values[0] for name, values in form.items()}
    names = [name.removeprefix("set-") for name in one if name.startswith("set-")]
    wanted = {name: _number(name, one[f"set-{name}"]) for name in names if one[f"set-{name}"] != one.get(f"was-{name}")}
    return Asked(one.get("chart", ""), one.get("hook", ""), one.get("at", ""), one.get("press", ""), wanted)


def _number(name: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise InputError("a value that was moved is not a number") from None
    most, whole = _MOVED.get(name, (Decimal(0), False))
    if not number.is_finite() or not 0 <= number <= most or (whole and number != int(number)):
        raise InputError("a value that was moved is out of range")
    return number
