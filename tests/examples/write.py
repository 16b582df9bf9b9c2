"""Write fhir_examples/ from the stories. Run by ``make examples``; a test checks that it is current."""

from __future__ import annotations

import json
from pathlib import Path

from tests.examples.cohort import COHORT
from tests.examples.stories import STORIES
from tests.examples.story import expected, readme

FOLDER = Path(__file__).resolve().parents[2] / "fhir_examples"

COHORT_PAGE = """# cohort

Twenty invented patients shaped like the seed study (16 adults, 4 children). Judged at three months
(`--at 2024-04-08`) their cards give 6 complete and 6 partial responses, at six months
(`--at 2024-07-08`) 6 complete ones, as in the study's table. This shows that the criteria compute;
it says nothing about efficacy.

```
.venv/bin/sirolimus-cds evaluate --at 2024-04-08 --format json fhir_examples/cohort/*.json
```
"""


def files() -> dict[str, str]:
    """Every file of fhir_examples/ by its path there."""
    written = {}
    for story in STORIES:
        written[f"{story.name}/README.md"] = readme(story)
        written[f"{story.name}/{story.file}"] = json.dumps(story.content, indent=2) + "\n"
        written[f"{story.name}/cards.json"] = json.dumps(expected(story), indent=2) + "\n"
    for member in COHORT:
        written[f"cohort/{member.pid}.json"] = json.dumps(member.chart(), indent=1) + "\n"
    written["cohort/README.md"] = COHORT_PAGE
    return written


if __name__ == "__main__":
    for name, text in files().items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
