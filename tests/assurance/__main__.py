"""``python -m tests.assurance``: what may be relied on, and what shows it. With ``--commits FILE`` each leaf with its commit.

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
PAGE = ROOT / "docs" / "assurance.md"
_HEAD = """# What may be relied on, and what shows it

Written by `python -m tests.assurance` from `tests/assurance/claims.yaml`; a test holds that every leaf is there, that each property is proved, and that
this page is current. `make assurance` writes the same with the commit in which each leaf was last changed. [proof.md](proof.md) says what the properties
take for granted and how they were broken on purpose.
"""


def claims() -> list[dict[str, Any]]:
    """The claims, each with what it rests on."""
    found: list[dict[str, Any]] = YAML(typ="safe").load(
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


def page(commits: bool = False) -> str:
    """The claims as a page."""
    lines = [_HEAD]
    for claim in claims():
        lines += [f"## {claim['id']}: {claim['claim']}", ""]
        for leaf in claim["rests"]:
            lines.append(f"- {leaf['says']}: " + "; ".join(_shown(leaf, commits)))
        lines += ["", *([claim["people"], ""] if "people" in claim else [])]
    return "\n".join(lines)


def _shown(leaf: dict[str, Any], commits: bool) -> Iterator[str]:
    if "property" in leaf:
        at = _commit("cds/authoring/proofs") if commits else ""
        yield f"proved by `check` ({leaf['property']}{at})"
    for test in leaf.get("tests", ()):
        at = _commit(f"tests/{test.partition('::')[0]}") if commits else ""
        yield f"`tests/{test}`{at and f' ({at[2:]})'}"


def _commit(path: str) -> str:
    said = subprocess.run(
        ["git", "log", "-1", "--format=%h of %as", "--", path], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return f", {said.stdout.strip() or 'not committed'}"


def main(arguments: list[str]) -> int:
    wrong = list(dead([leaf for claim in claims() for leaf in claim["rests"]]))
    if wrong:
        sys.stderr.write("\n".join(wrong) + "\n")
        return 1
    if arguments[:1] == ["--commits"]:
        Path(arguments[1]).write_text(page(commits=True), encoding="utf-8")
    else:
        PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
