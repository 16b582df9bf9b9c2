"""``make fingerprint``: which facts, reasons and cards moved since the digest was committed, and on which charts.

``ARGS=--write`` commits to what the program says now; ``ARGS="NAME..."`` prints what it says of the charts of these names,
to be compared with what another commit prints.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec

from tests.fingerprint import meanings
from tests.fingerprint.corpus import items
from tests.fingerprint.digest import Digest, as_json, digest, moved, said

FILE = Path(__file__).parent / "digest.json"
_SHOWN = 20


def committed() -> Digest:
    """The digest as it was committed."""
    return msgspec.json.decode(FILE.read_bytes(), type=Digest)


def differences() -> list[str]:
    """What moved, a line a name, and then the charts; nothing where all is as it was."""
    before, every = committed(), list(items())
    after = digest(item for item in every if item.name in before.charts)  # a new chart is no move of an old one
    names, charts = moved(before.names, after.names), moved(before.charts, after.charts)
    lines = [
        f"{name}: {'moved' if name in before.names and name in after.names else 'new' if name in after.names else 'gone'}"
        for name in names
    ]
    if charts:
        lines.append(f"{len(charts)} of {len(after.charts)} charts say something else: {', '.join(charts[:_SHOWN])}")
    if new := [item.name for item in every if item.name not in before.charts]:
        lines.append(f"{len(new)} charts are new: {', '.join(new[:_SHOWN])}")
    return lines


def show(names: list[str]) -> None:
    """Everything that is said of some charts."""
    for item in items():
        if item.name in names:
            print(msgspec.json.format(as_json({item.name: said(item)})).decode())


def main(words: list[str]) -> int:
    """The exit code: 1 where something moved."""
    if words == ["--write"]:
        FILE.write_text(
            json.dumps(msgspec.to_builtins(digest(items())), indent=0, sort_keys=True) + "\n", encoding="utf-8"
        )
        meanings.write()
    elif words:
        show(words)
    elif lines := differences():
        print("\n".join(lines))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
