"""The id of what each fact means: another one when the fact takes another value on a day of a scenario that stayed as it was.

``meanings.json`` beside the facts holds the ids, which signatures cover. The table here holds, for each day of each scenario, what
it was made from and a digest of each fact's value, so that a new day, or one that was rewritten, changes no id.
"""

from __future__ import annotations

import json
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
_LONG, _MADE, _SHORT = 16, 8, 4  # digits of an id, of what a day was made from, and of one value


class Table(msgspec.Struct):
    """By day what it was made from; by fact a digest for each day, in the order of their names."""

    days: dict[str, str]
    facts: dict[str, str]

    def of(self, fact: str) -> dict[str, str]:
        """The digests of a fact by day."""
        text = self.facts.get(fact, "")
        parts = [text[place : place + _SHORT] for place in range(0, len(text), _SHORT)]
        return dict(zip(sorted(self.days), parts, strict=True)) if parts else {}


def table() -> Table:
    """What the facts are on every day of every scenario now."""
    made: dict[str, str] = {}
    said: dict[str, dict[str, str]] = {}
    for item in days():
        made[item.name] = sha256(item.body + item.now.isoformat().encode()).hexdigest()[:_MADE]
        values = _values(item).items()
        said[item.name] = {name: sha256(as_json(value)).hexdigest()[:_SHORT] for name, value in values}
    named = sorted(made)
    facts = {name: "".join(said[day][name] for day in named) for name in sorted(PLAN.told)}
    return Table({day: made[day] for day in named}, facts)


def _values(item: Item) -> dict[str, Any]:
    request = read_request(item.body)
    knowledge = item.engine.knowledge
    values = read_facts(read_chart(request, knowledge, item.now), knowledge, request.hook, item.now).facts.values
    return {name: [values.get(name), values.get(f"{name} as reported")] for name in PLAN.told}


def committed() -> Table:
    """The table as it was committed."""
    return msgspec.json.decode(TABLE.read_bytes(), type=Table) if TABLE.exists() else Table({}, {})


def ids(before: Table, after: Table, known: dict[str, str]) -> dict[str, str]:
    """The id of each fact: that of before, where it says the same on every day that stayed as it was.

    Where most days were made anew, as by a change of how scenarios become FHIR, nobody can tell: then any difference counts.
    """
    stayed = {name for name, made in after.days.items() if before.days.get(name) == made}
    enough = len(stayed) * 2 >= len(before.days)
    found = {}
    for fact, digests in after.facts.items():
        was, is_now = before.of(fact), after.of(fact)
        same = all(was.get(name) == is_now[name] for name in stayed) if enough else before.facts.get(fact) == digests
        kept = fact in known and same
        found[fact] = known[fact] if kept else sha256(f"{fact} {digests}".encode()).hexdigest()[:_LONG]
    return found


def write() -> None:
    """Commit to what the facts mean now."""
    known = json.loads(MEANINGS.read_text(encoding="utf-8")) if MEANINGS.exists() else {}
    before, after = committed(), table()
    found = ids(before, after, known)
    MEANINGS.write_text(json.dumps(found, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    TABLE.write_text(json.dumps(msgspec.to_builtins(after), indent=0, sort_keys=True) + "\n", encoding="utf-8")
