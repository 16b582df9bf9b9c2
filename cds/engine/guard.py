"""What may enter the engine, and the one exception that leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cds.compiled.bound import Bound
from cds.engine.words import engine_name
from cds.vocabulary import VOCABULARY, Fact

SCALE = 6
"""Numbers enter the engine as integers of millionths: its own reading of decimals depends on the
process's locale and cannot take exponents."""

_LIMIT = Decimal(10) ** 9
_CODE_LENGTH = 128


class EngineFault(Exception):
    """The engine failed or the two engines disagree: no advice may be given.

    The text never holds a fact's value.
    """


class NotBuilt(ImportError):
    """The engine's C extension cannot be loaded; ``str`` says what to do. Its release calls a function that Python 3.13 no longer has."""

    def __init__(self) -> None:
        built = (
            "the rule engine cannot be loaded by this Python. Build it for it, and then try again:\n"
            '  CPPFLAGS="-DPyEval_CallObject=PyObject_CallObject" python -m pip install --no-cache-dir --force-reinstall '
            "--no-deps --no-binary durable-rules durable-rules==2.0.28"
        )
        super().__init__(built, name="durable_rules_engine")


def fixed_point(number: Decimal) -> int:
    """``number`` in millionths.

    Raises:
        EngineFault: not finite, a billion or more, or finer than a millionth.
    """
    if not number.is_finite() or abs(number) >= _LIMIT:
        raise EngineFault("a number is outside what the engine can compare")
    scaled = number.scaleb(SCALE)
    whole = int(scaled)
    if whole != scaled:
        raise EngineFault("a number is finer than the engine can compare")
    return whole


def admitted(values: Mapping[str, Any]) -> dict[str, int | str | bool]:
    """``values`` as the engine may see them; facts of type names or text are left out.

    Raises:
        EngineFault: a fact that is not in the vocabulary or not of its type.
    """
    result: dict[str, int | str | bool] = {}
    for name, value in values.items():
        fact = VOCABULARY.get(name)
        if fact is None:
            raise EngineFault("a fact is not in the vocabulary")
        if fact.bounded:
            result |= _bounded(fact, value)
        elif fact.type == "number":
            if type(value) is not Decimal:
                raise EngineFault(f"the fact {name} is not a decimal number")
            result[name] = fixed_point(value)
        elif fact.type == "flag":
            if type(value) is not bool:
                raise EngineFault(f"the fact {name} is neither true nor false")
            result[name] = value
        elif fact.type == "code":
            result[name] = _code(fact, value)
    return result


def _bounded(fact: Fact, value: Any) -> dict[str, int]:
    """The least and the most that a number can be; for a bound, only one of them."""
    if type(value) is Decimal:
        return dict.fromkeys((engine_name(fact.name, side, True) for side in "<>"), fixed_point(value))
    if type(value) is not Bound:
        raise EngineFault(f"the fact {fact.name} is neither a decimal number nor a bound of one")
    beyond = {"<": -1, "<=": 0, ">": 1, ">=": 0}[value.comparator]  # in millionths, the finest that is compared
    return {engine_name(fact.name, value.comparator, True): fixed_point(value.number) + beyond}


def _code(fact: Fact, value: Any) -> str:
    if type(value) is not str or value not in fact.codes or len(value) > _CODE_LENGTH or not value.isascii():
        raise EngineFault(f"the fact {fact.name} is not one of its codes")
    return value
