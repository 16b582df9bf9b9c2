"""Texts with names in braces, ``{fact}``, ``{number}`` and ``{fact as reported}``: read in one place, filled by the caller."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

AS_REPORTED = " as reported"
"""Written after the name of a fact: use what the record itself says about it."""
_NAME = re.compile(rf"\{{([a-z0-9_]+(?:{AS_REPORTED})?)\}}")


@lru_cache(4096)
def split(template: str) -> tuple[str, ...]:
    """The texts and the names of a template, alternating; a text comes first and last."""
    return tuple(_NAME.split(template))


def named(*templates: str) -> list[str]:
    """The facts and numbers that templates name, as reported or not, in their order."""
    return [name.removesuffix(AS_REPORTED) for each in templates for name in split(each)[1::2]]


def named_as_reported(template: str) -> list[str]:
    """The facts of which a template names what the record itself says."""
    return [name.removesuffix(AS_REPORTED) for name in split(template)[1::2] if name.endswith(AS_REPORTED)]


def only_name(template: str) -> str:
    """The name, if a template is nothing else."""
    parts = split(template)
    return parts[1] if len(parts) == 3 and not parts[0] and not parts[2] else ""


def filled(template: str, value: Callable[[str], str | None]) -> str | None:
    """``template`` with each name replaced by its ``value``; None if a name has no value."""
    parts = list(split(template))
    for at in range(1, len(parts), 2):
        word = value(parts[at])
        if word is None:
            return None
        parts[at] = word
    return "".join(parts)


def filled_where_known(template: str, value: Callable[[str], str | None]) -> str:
    """``template`` with the names that have a value replaced; the others stay in their braces."""
    parts = list(split(template))
    parts[1::2] = [f"{{{name}}}" if (word := value(name)) is None else word for name in parts[1::2]]
    return "".join(parts)
