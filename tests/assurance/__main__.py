"""``make assurance``: what may be relied on, what shows it, and in which commit, as build/assurance.md.

A leaf is dead where its test or property is not there; then nothing is written, and the exit code is 1.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from cds.authoring.proofs import all_properties
from cds.knowledge.load import load

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "build" / "assurance.md"
_HEAD = """# What may be relied on, and what shows it

Written by `make assurance` from `tests/assurance/claims.yaml`: every leaf is there, each property is proved, and behind each stands the commit in which it was
last changed. docs/proof.md says what the properties take for granted and how they were broken on purpose.
"""


def claims() -> list[dict[str, Any]]:
    """The claims, each with what it rests on."""
    found: list[dict[str, Any]] = YAML(typ="safe", pure=True).load(
        Path(__file__).with_name("claims.yaml").read_text(encoding="utf-8")
    )
    return found


def dead(leaves: list[dict[str, Any]]) -> Iterator[str]:
    """Leaves that show nothing: a test that is not there, a property that is none or does not hold."""
    proved = {each.id for each in all_properties([load()]) if each.holds}
    for leaf in leaves:
        if "property" in leaf and leaf["property"] not in proved:
            yield f"{leaf['property']} is not proved"
        for test in leaf.get("tests", ()):
            file, _, name = test.partition("::")
            text = (ROOT / "tests" / file).read_text(encoding="utf-8") if (ROOT / "tests" / file).is_file() else ""
            if not re.search(rf"^(?:async )?def {name or 'test_'}", text, re.MULTILINE):
                yield f"tests/{test} is not there"


def page() -> str:
    """The claims as a page."""
    lines = [_HEAD]
    for claim in claims():
        lines += [f"## {claim['id']}: {claim['claim']}", ""]
        for leaf in claim["rests"]:
            lines.append(f"- {leaf['says']}: " + "; ".join(_shown(leaf)))
        lines += ["", *([claim["people"], ""] if "people" in claim else [])]
    return "\n".join(lines)


def _shown(leaf: dict[str, Any]) -> Iterator[str]:
    if "property" in leaf:
        yield f"proved by `check` ({leaf['property']}, {_commit('cds/authoring/proofs')})"
    for test in leaf.get("tests", ()):
        yield f"`tests/{test}` ({_commit('tests/' + test.partition('::')[0])})"


def _commit(path: str) -> str:
    said = subprocess.run(
        ["git", "log", "-1", "--format=%h of %as", "--", path], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "not committed"


def main() -> int:
    """The exit code: 1 where a leaf is dead, and no page."""
    wrong = list(dead([leaf for claim in claims() for leaf in claim["rests"]]))
    if wrong:
        sys.stderr.write("\n".join(wrong) + "\n")
        return 1
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
