"""What the program says of a chart, every fact and every card, and one digest of it by subject and by chart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgspec

from cds.advise import advise
from cds.cards.build import NAMESPACE
from cds.chart.request import read_request
from tests.fingerprint.corpus import Item

_BY_NAME, _BY_CHART = 16, 6  # digits of a digest
Said = dict[str, Any]


def said(item: Item) -> Said:
    """Every fact of a chart, with its evidence, day or reason for not being known, and every card, by rule."""
    advice = advise(read_request(item.body), item.engine, item.now, max_cards=99, make_id=lambda: "id")
    facts = advice.situation.facts
    found: Said = {f"reason {name}": why for name, why in facts.absent.items() if name not in facts.values}
    for name, value in facts.values.items():
        report = facts.values.get(f"{name} as reported")
        found[f"fact {name}"] = [value, facts.evidence.get(name, ()), facts.dates.get(name), report]
    for card in advice.cards:
        findings = card.get("extension", {}).get(f"{NAMESPACE}.findings", [])
        for each in findings:
            each.pop("knowledge", None)  # it changes with every word of a rule
        found[f"card {' + '.join(each['rule'] for each in findings)}"] = card
    return found


def as_json(value: Any) -> bytes:
    """The same bytes for the same value, whatever the order of keys."""
    return msgspec.json.encode(value, order="sorted")


class Digest(msgspec.Struct):
    """The committed digest: of each name over all charts, and of each chart over all names."""

    names: dict[str, str]
    charts: dict[str, str]


def digest(items: Iterable[Item]) -> Digest:
    """The digest of what the program says now."""
    names: dict[str, Any] = defaultdict(sha256)
    charts: dict[str, str] = {}
    for item in items:
        told = {name: as_json(value) for name, value in said(item).items()}
        for name, value in told.items():
            names[name].update(item.name.encode() + b"\0" + value + b"\0")
        whole = b"\0".join(name.encode() + b"\0" + value for name, value in sorted(told.items()))
        charts[item.name] = sha256(whole).hexdigest()[:_BY_CHART]
    return Digest({name: each.hexdigest()[:_BY_NAME] for name, each in sorted(names.items())}, charts)


def moved(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The names whose digests differ, are new or are gone."""
    return [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
