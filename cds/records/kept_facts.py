"""The facts that rules compare, as bytes and back. Texts, days and reasons of absence are not among them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from cds.compiled.bound import Bound
from cds.plan.declare import Named
from cds.vocabulary import VOCABULARY

_encode = msgspec.json.Encoder(decimal_format="string").encode


def packed_facts(compared: Mapping[str, Any]) -> bytes:
    """The facts that rules compare, packed."""
    return zlib.compress(_encode(compared))


def facts_of(stored: bytes) -> dict[str, Any]:
    """Facts as the engines compare them. A fact that this program no longer knows is left out, and so are comparisons with it."""
    found = msgspec.json.decode(zlib.decompress(stored))
    return {name: _value(name, value) for name, value in found.items() if name in VOCABULARY}


def _value(name: str, value: Any) -> Any:
    kind = VOCABULARY[name].type
    if kind == "names":
        return [msgspec.convert(each, Named) for each in value]
    if kind == "number":
        return msgspec.convert(value, Bound) if isinstance(value, dict) else Decimal(str(value))
    return value
