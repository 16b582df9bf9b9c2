"""The names under which facts enter the engine, which distinguishes them only by a hash."""

from __future__ import annotations

from collections.abc import Iterable

ENGINE_WORDS = ("sid", "id", "m", "$s", "case")
"""Names the engine uses itself; no fact may share a hash with them."""


def fnv32(name: str) -> int:
    """The hash by which the engine distinguishes names (it compares nothing else)."""
    value = 2166136261
    for byte in name.encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


def engine_name(fact: str, operator: str, bounded: bool) -> str:
    """The name under which a condition finds a fact: for a bounded fact, that of the most or the least that it can be."""
    if not bounded:
        return fact
    return f"{fact}_most" if operator.startswith("<") else f"{fact}_least"


def presence_flag(fact: str) -> str:
    """The name of the flag that is always sent and says whether ``fact`` is known."""
    return f"has_{fact}"


def colliding_names(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of different names that the engine could not distinguish."""
    seen: dict[int, str] = {}
    clashes = []
    for name in names:
        other = seen.setdefault(fnv32(name), name)
        if other != name:
            clashes.append((other, name))
    return clashes
