"""What the drugs of a value set mean to the facts: their roles, and the times for drugs that move the level."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

from cds.compiled.knowledge import DrugClass
from cds.knowledge.shapes import Role, ValueSetShape, shaped
from cds.knowledge.tree import Fault, read

_MOVES = {"inhibitor", "inducer"}


def classes_of(valuesets: Mapping[str, ValueSetShape]) -> dict[str, DrugClass]:
    """The classes of drugs, by value set."""
    return {
        name: DrugClass(tuple(each.roles), each.settles, each.shown_after_stop)
        for name, each in sorted(valuesets.items())
        if each.roles
    }


def class_faults(shape: ValueSetShape, below: Path | None, definitions: Mapping[str, object]) -> Iterator[str]:
    """What is missing in a class of drugs, also in a site's file that replaces ours, which is ``below``."""
    for name in (shape.settles, shape.shown_after_stop):
        if name and name not in definitions:
            yield f"there is no definition '{name}'"
    if _MOVES & set(shape.roles) and not (shape.settles and shape.shown_after_stop):
        yield "what moves the level needs 'settles' and 'shown_after_stop'"
    if below is not None and not shape.roles and (roles := _roles_of(below)):
        yield f"has no 'roles'; the file whose place it takes says 'roles: [{', '.join(roles)}]'"


def roles_of_none(valuesets: Mapping[str, ValueSetShape]) -> Iterator[str]:
    """The roles that no value set has: facts that ask for them would never find a drug."""
    told = {role for shape in valuesets.values() for role in shape.roles}
    for role in sorted(set(get_args(Role)) - told):
        yield f"no value set has the role '{role}'; see valuesets/README.md"


def _roles_of(path: Path) -> list[Role]:
    """The roles that a value set states; none if the file is not a value set, which is no fault once it has been replaced."""
    try:
        shape, _ = shaped(read(path, path.name), ValueSetShape)
    except (Fault, OSError):
        return []
    return shape.roles if shape is not None else []
