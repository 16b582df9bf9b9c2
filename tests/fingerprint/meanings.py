"""The id of what each fact means: another one when the fact takes other values on a day of a scenario that it was known on.

``meanings.json`` beside the facts holds the ids, which signatures cover. The table here holds, for each scenario, what it was
made from and a digest of each fact's values on its days, so that a new scenario, or one that was rewritten, changes no id.
"""

from __future__ import annotations

import json
from collections import defaultdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from cds.chart.read import read_chart
from cds.chart.request import read_request
from cds.facts import PLAN, read_facts
from cds.knowledge.rests import MEANINGS
from tests.fingerprint.corpus import Item, days
from tests.fingerprint.digest import as_json

TABLE = Path(__file__).parent / "facts.json"
_LONG, _SHORT = 16, 4  # digits of an id, and of one scenario's values


class Table(msgspec.Struct):
    """By scenario what it was made from; by fact a digest for each scenario, in the order of their names."""

    scenarios: dict[str, str]
    facts: dict[str, str]

    def of(self, fact: str) -> dict[str, str]:
        """The digests of a fact by scenario."""
        text = self.facts.get(fact, "")
        parts = [text[place : place + _SHORT] for place in range(0, len(text), _SHORT)]
        return dict(zip(sorted(self.scenarios), parts, strict=True)) if parts else {}


def table() -> Table:
    """What the facts are on every day of every scenario now."""
    made: dict[str, Any] = defaultdict(sha256)
    said: dict[str, dict[str, Any]] = defaultdict(lambda: defaultdict(sha256))
    for item in days():
        scenario = item.name.partition(" | ")[0]
        made[scenario].update(item.body + item.now.isoformat().encode())
        for name, value in _values(item).items():
            said[name][scenario].update(as_json(value))
    scenarios = {name: each.hexdigest()[:_LONG] for name, each in sorted(made.items())}
    facts = {name: "".join(said[name][each].hexdigest()[:_SHORT] for each in scenarios) for name in sorted(PLAN.told)}
    return Table(scenarios, facts)


def _values(item: Item) -> dict[str, Any]:
    request = read_request(item.body)
    knowledge = item.engine.knowledge
    values = read_facts(read_chart(request, knowledge, item.now), knowledge, request.hook, item.now).facts.values
    return {name: [values.get(name), values.get(f"{name} as reported")] for name in PLAN.told}


def committed() -> Table:
    """The table as it was committed."""
    return msgspec.json.decode(TABLE.read_bytes(), type=Table) if TABLE.exists() else Table({}, {})


def ids(before: Table, after: Table, known: dict[str, str]) -> dict[str, str]:
    """The id of each fact: that of before, where no scenario that stayed as it was says something else."""
    stayed = {name for name, made in after.scenarios.items() if before.scenarios.get(name) == made}
    found = {}
    for fact, digests in after.facts.items():
        was, is_now = before.of(fact), after.of(fact)
        same = fact in known and all(was.get(name) == is_now[name] for name in stayed)
        found[fact] = known[fact] if same else sha256(f"{fact} {digests}".encode()).hexdigest()[:_LONG]
    return found


def write() -> None:
    """Commit to what the facts mean now."""
    known = json.loads(MEANINGS.read_text(encoding="utf-8")) if MEANINGS.exists() else {}
    before, after = committed(), table()
    found = ids(before, after, known)
    MEANINGS.write_text(json.dumps(found, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    TABLE.write_text(json.dumps(msgspec.to_builtins(after), indent=0, sort_keys=True) + "\n", encoding="utf-8")
