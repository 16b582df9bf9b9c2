"""What a story is, and the files it becomes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from cds.chart.request import newest_date, read_request
from tests.charts import Resource, as_bytes, bloods

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


def with_bloods(each: Story) -> Story:
    """The story with the tests that are watched on sirolimus done the day before, and normal: they are not what it is about."""
    newest = newest_date(read_request(each.body))
    assert newest is not None
    entries = [{"resource": one} for one in bloods((newest - timedelta(days=1)).date().isoformat())]
    if "hook" not in each.content:
        urls = [e | {"fullUrl": f"https://ehr.example/fhir/Observation/{e['resource']['id']}"} for e in entries]
        return replace(each, content=each.content | {"entry": [*each.content["entry"], *urls]})
    found = each.content["prefetch"]["observations"]
    kept = [*found.get("entry", ()), *entries]
    prefetch = each.content["prefetch"] | {"observations": found | {"entry": kept, "total": len(kept)}}
    return replace(each, content=each.content | {"prefetch": prefetch})


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
