"""What a story is, and the files it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.charts import Resource, as_bytes

Card = tuple[str, str, str]
"""Topic, indicator, summary."""


@dataclass(frozen=True)
class Story:
    name: str
    text: str
    content: Resource
    cards: tuple[Card, ...]

    @property
    def file(self) -> str:
        return "request.json" if "hook" in self.content else "bundle.json"

    @property
    def body(self) -> bytes:
        return as_bytes(self.content)


def readme(each: Story) -> str:
    """The page of a story."""
    lines = [f"# {each.name}", "", each.text, "", "Expected (`cards.json`):", ""]
    lines += [f"- **{indicator}** `{topic}`: {summary}" for topic, indicator, summary in each.cards] or ["- no card"]
    lines += [
        "",
        "```",
        f".venv/bin/sirolimus-cds evaluate --at latest fhir_examples/{each.name}/{each.file}",
        "```",
        "",
    ]
    return "\n".join(lines)


def expected(each: Story) -> list[dict[str, Any]]:
    return [{"topic": topic, "indicator": indicator, "summary": summary} for topic, indicator, summary in each.cards]
