"""Whether one condition holds of a record of facts, in plain Python: the second engine, and what withholds a rise, ask it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from cds.compiled.bound import Bound
from cds.compiled.knowledge import Condition

_COMPARE: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def truth(test: Condition, values: Mapping[str, Any]) -> bool:
    """Whether ``test`` holds. Nothing but ``absent`` holds of a fact that is not known."""
    if test.operator == "present":
        return test.fact in values
    if test.operator == "absent":
        return test.fact not in values
    value = values.get(test.fact)
    if value is None:
        return False
    if test.number is not None:
        if type(value) is Bound:
            return value.surely(test.operator, test.number)
        return _COMPARE[test.operator](value, test.number)
    wanted = test.word if test.word is not None else test.flag
    return bool((value == wanted) == (test.operator == "is"))
