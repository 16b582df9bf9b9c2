"""Whether one condition holds for a record of facts, in plain Python; used by the second engine and to withhold dose increases."""

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
    """Whether ``test`` holds. For a fact that is not known, only ``absent`` holds."""
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
