"""Write fhir_examples/ from the stories. Run by ``make examples``; a test checks that it is current."""

from __future__ import annotations

import json
from pathlib import Path

from tests.examples.stories import STORIES, expected, readme

FOLDER = Path(__file__).resolve().parents[2] / "fhir_examples"


def files() -> dict[str, str]:
    """Every file of fhir_examples/ by its path there."""
    written = {}
    for story in STORIES:
        written[f"{story.name}/README.md"] = readme(story)
        written[f"{story.name}/{story.file}"] = json.dumps(story.content, indent=2) + "\n"
        written[f"{story.name}/cards.json"] = json.dumps(expected(story), indent=2) + "\n"
    return written


if __name__ == "__main__":
    for name, text in files().items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
