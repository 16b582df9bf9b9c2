"""A bound compares as every number within it does, and else in no way."""

from __future__ import annotations

import operator
from decimal import Decimal
from itertools import product
from typing import get_args

import pytest

from cds.compiled.bound import Bound, Comparator, bound_of
from cds.compiled.knowledge import Condition, Operator
from cds.compiled.truth import truth

_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
GRID = [Decimal(number) / 4 for number in range(-4, 45)]  # finer than the limits, and beyond them
LIMITS = [Decimal(number) for number in range(1, 10)]


@pytest.mark.parametrize(("comparator", "asked"), list(product(get_args(Comparator), _COMPARE)))
def test_it_holds_where_it_holds_of_every_number_within(comparator: Comparator, asked: Operator) -> None:
    for number, limit in product(LIMITS, LIMITS):
        within = [each for each in GRID if _COMPARE[comparator](each, number)]
        all_of_them = all(_COMPARE[asked](each, limit) for each in within)
        bound = Bound(comparator, number)
        assert bound.surely(asked, limit) == all_of_them, (bound, asked, limit)
        assert truth(Condition("trough", asked, number=limit), {"trough": bound}) == all_of_them


def test_a_bound_is_known() -> None:
    assert truth(Condition("trough", "present"), {"trough": Bound("<", Decimal(2))})
    assert not truth(Condition("trough", "absent"), {"trough": Bound("<", Decimal(2))})


@pytest.mark.parametrize("text", ["<5", "<=4.9", ">15", ">=20", "> 25"])
def test_a_case_writes_it_as_a_laboratory_does(text: str) -> None:
    assert str(bound_of(text)) == text.replace(" ", "")


@pytest.mark.parametrize("comparator", get_args(Comparator))
def test_a_millionth_is_the_finest(comparator: Comparator) -> None:
    bound, limit = Bound(comparator, Decimal("5.000001")), Decimal(5)
    assert bound.surely("<=", limit) == (comparator == "<")
    assert bound.surely(">", limit) == (comparator in (">", ">="))


@pytest.mark.parametrize("text", ["<5.0000001", "<999999999", "5", "<", "=5", "<five", "<5 ng/mL", "~5", ""])
def test_anything_else_is_no_bound(text: str) -> None:
    assert bound_of(text) is None
