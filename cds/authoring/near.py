"""The codes just outside a value set, which its author listed: none of them may mean the name that it is listed with."""

from __future__ import annotations

from collections.abc import Iterator

from cds.chart.codes import meanings
from cds.chart.wire import Coding
from cds.compiled.systems import SYSTEMS
from cds.knowledge.files import Folder
from cds.knowledge.tree import Fault


def near_faults(folder: Folder) -> Iterator[Fault]:
    """Each code of a ``near:`` list that is matched all the same, in any of the code systems that it is listed for."""
    assert folder.knowledge is not None
    for shape in folder.valuesets.values():
        for near in shape.near:
            for system in SYSTEMS.get(near.system, (near.system,)):
                meant = meanings(folder.knowledge, Coding(system=system, code=near.code))
                if any((each.valueset, each.name) == (shape.id, near.name) for each in meant):
                    path, line = folder.places[f"near {shape.id}"]
                    yield Fault(
                        path, line, f"'{near.code}' of {near.system} means '{near.name}', and near: says it must not"
                    )
