"""``python -m tests.hooks.conformance``: writes docs/conformance.md from the table beside this file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "conformance.md"


def table() -> list[dict[str, Any]]:
    """The parts, each with its rows."""
    parts: list[dict[str, Any]] = YAML(typ="safe", pure=True).load(
        (HERE / "conformance.yaml").read_text(encoding="utf-8")
    )
    return parts


def page() -> str:
    """The table as a page; tests by their place under tests/."""
    lines = [
        "# Conformance",
        "",
        "Written by `python -m tests.hooks.conformance` from `tests/hooks/conformance.yaml`; a test keeps it current and holds",
        "that every test it names is there. Where there is no test, the reason is given.",
    ]
    for part in table():
        lines += ["", f"## {part['part']}", "", part["about"], ""]
        official = "from" in part["rows"][0]
        lines += ["| | level | requirement | source | shown by |", "|---|---|---|---|---|"] if official else ["| | demand | shown by |", "|---|---|---|"]  # fmt: skip
        for row in part["rows"]:
            shown = [f"`{test}`" for test in row.get("tests", ())] + [row[key] for key in ("because",) if key in row]
            cells = [row["id"], row["level"], row["says"], row["from"]] if official else [row["id"], row["says"]]
            lines.append("| " + " | ".join([*cells, "; ".join(shown)]) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
