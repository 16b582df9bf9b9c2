"""Knowledge for the commands and the service: compiled from the rules or, for a command, read from the user's cache folder.

The cache is keyed by the content of every rules file and of the code, so a change of a rule is seen at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cds.compiled.knowledge import Knowledge
from cds.knowledge.cache import cache_file, from_cache, into_cache


class UnsoundRules(Exception):
    """The rules folder has faults; ``faults`` are the sentences."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def shipped_rules() -> Path:
    """The rules that came with the program: inside the wheel, or next to the package in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "_rules"
    return inside if inside.is_dir() else package.parent / "rules"


def load(
    folder: Path | None = None,
    protocol: str = "",
    overlays: Sequence[Path] = (),
    *,
    cached: bool = True,
    signers: Path | None = None,
) -> Knowledge:
    """The knowledge of ``folder`` (the shipped rules by default) with its overlays, under ``protocol``.

    Without ``protocol``, the default protocol is used. The service does not use the cache: it starts rarely, and only the rules may
    decide what it says. ``signers`` has an effect only without the cache: see ``read_folder``.

    Raises:
        UnsoundRules: the folder has faults; run ``sirolimus-cds check`` to see them with the cases.
    """
    folders = [each.resolve() for each in (folder or shipped_rules(), *overlays)]
    kept = cache_file(folders, protocol) if cached else None
    if kept is not None and (known := from_cache(kept)) is not None:
        return known
    from cds.knowledge.read import read_folder  # imports pydantic and ruamel: a third of a second

    result = read_folder(folders[0], protocol, folders[1:], signers)
    if result.knowledge is None:
        raise UnsoundRules([str(fault) for fault in result.faults])
    if kept is not None:
        into_cache(kept, result.knowledge)
    return result.knowledge
