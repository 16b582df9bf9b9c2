"""P6: where two sets of rules differ, decided and not sampled: each region in words, with a scenario that lies in it.

A region is reported for the rule whose conditions differ; a rule that gives way to that rule changes with it, and is only named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from msgspec.structs import replace

from cds.authoring.proofs.counterexample import shown
from cds.authoring.proofs.found import Counterexample
from cds.authoring.proofs.regions import Box, Space
from cds.authoring.proofs.speech import Speech
from cds.authoring.proofs.words import in_words, joined
from cds.compiled.knowledge import INDICATORS, Knowledge, Rule
from cds.facts import PLAN

_SILENT = "does not hold"
_DATA = {
    "withheld": "reasons to withhold a rise", "codes": "value sets", "prefixes": "value sets", "names": "value sets",
    "problems": "value sets", "words": "value sets", "classes": "classes of drugs", "measures": "tests that are read",
    "tests": "schedule of tests", "lexicon": "words of records",
}  # fmt: skip


@dataclass(frozen=True)
class Region:
    """Where a rule holds differently: ``was`` and ``now`` are its urgency, or say that it does not hold."""

    rule: str
    was: str
    now: str
    hooks: tuple[str, ...]
    where: tuple[str, ...]
    scenario: str
    boxes: tuple[Box, ...]

    def as_json(self) -> dict[str, Any]:
        """The region for a program."""
        return {
            "rule": self.rule,
            "was": self.was,
            "now": self.now,
            "hooks": list(self.hooks),
            "where": list(self.where),
            "scenario": self.scenario,
        }


@dataclass(frozen=True)
class Differing:
    """How two sets of rules differ.

    ``yields``: by rule, what it gave way to and gives way to now. ``following``: rules that hold where they did but speak
    elsewhere, with the changed rules that they give way to. ``words``: rules whose cards or buttons differ whenever they are shown.
    ``facts``: by number that differs, the facts computed with it. ``data``: other data that facts read and that differ. The effects
    of ``facts`` and ``data`` are not proved.
    """

    regions: tuple[Region, ...]
    yields: dict[str, tuple[str, str]]
    following: dict[str, tuple[str, ...]]
    words: tuple[str, ...]
    facts: dict[str, tuple[str, ...]]
    data: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.regions or self.yields or self.following or self.words or self.facts or self.data)


def differing(old: Knowledge, new: Knowledge) -> Differing:
    """All that differs between two sets of rules, under their protocols."""
    space = Space(old, new)
    before, after = Speech(old, space), Speech(new, space)
    names = sorted(before.rules.keys() | after.rules.keys())
    regions = [region for name in names for region in _of_rule(name, before, after)]
    shared = [name for name in names if name in before.rules and name in after.rules]
    words = tuple(name for name in shared if _says_otherwise(name, before, after))
    yields = {name: pair for name in shared if len(set(pair := _yields(name, before, after))) > 1}
    moved = {region.rule for region in regions}
    following = {
        name: tuple(sorted(moved.intersection(after.rules[name].yields_to)))
        for name in shared
        if name not in moved and name not in yields and _speaks_elsewhere(name, before, after)
    }
    return Differing(tuple(regions), yields, following, words, _other_numbers(old, new), _other_data(old, new))


def _yields(name: str, before: Speech, after: Speech) -> tuple[str, str]:
    was, now = (", ".join(sorted(speech.rules[name].yields_to)) or "nothing" for speech in (before, after))
    return was, now


def _speaks_elsewhere(name: str, before: Speech, after: Speech) -> bool:
    """Whether what silences a rule differs where the rule holds."""
    rule, space = before.rules[name], before.space
    holds, one, other = before.whole[name], before.silent(rule), after.silent(after.rules[name])
    if one == other:
        return False
    return not (space.within(space.both(holds, one), other) and space.within(space.both(holds, other), one))


def _says_otherwise(name: str, before: Speech, after: Speech) -> bool:
    """Whether the card of a rule differs whenever it is shown."""

    def said(rule: Rule) -> Rule:
        return replace(rule, variants=(), hooks=(), yields_to=(), status="", signed=())

    return said(before.rules[name]) != said(after.rules[name])


def _of_rule(name: str, before: Speech, after: Speech) -> Iterator[Region]:
    """The regions of one rule; a region that is the same on several hooks is reported once."""
    found: dict[tuple[str, str, tuple[str, ...]], tuple[list[str], list[Box]]] = {}
    for hook in before.space.hooks:
        for (was, one), (now, other) in product(_cards(name, before, hook), _cards(name, after, hook)):
            if was != now and (boxes := joined(before.space.both(one, other), before.space)):
                where = tuple(sorted(in_words(box, before.space) for box in boxes))
                found.setdefault((was, now, where), ([], boxes))[0].append(hook)
    for (was, now, where), (hooks, boxes) in found.items():
        scenario = _scenario(name, was, now, hooks[0], boxes, after)
        yield Region(name, was, now, tuple(hooks), where, scenario, tuple(boxes))


def _cards(name: str, speech: Speech, hook: str) -> Iterator[tuple[str, Sequence[Box]]]:
    """Everything on a hook, by how a rule holds there: each urgency, or not at all."""
    rule, everywhere = speech.rules.get(name), [speech.space.place(hook)]
    spoken: list[Box] = []
    for indicator in reversed(INDICATORS) if rule is not None and hook in rule.hooks else ():
        region = speech.space.without(speech.holds(rule, hook, indicator), spoken) if rule is not None else []
        spoken += region
        yield indicator, region
    yield _SILENT, speech.space.without(everywhere, spoken)


def _scenario(name: str, was: str, now: str, hook: str, boxes: Sequence[Box], after: Speech) -> str:
    says = f"{name}: {was}, now {now}"
    facts = after.space.example(boxes[0])
    cards = () if now == _SILENT else (name,)
    return shown(Counterexample(after.knowledge.protocol.id, name, hook, facts, says, cards))


def _other_numbers(old: Knowledge, new: Knowledge) -> dict[str, tuple[str, ...]]:
    """The facts that read a number which differs, by the number with both values."""
    was, now = ({**each.definitions, **each.protocol.numbers} for each in (old, new))
    changed = [name for name in sorted(was.keys() | now.keys()) if was.get(name) != now.get(name)]
    reading = {
        name: tuple(sorted(fact for fact in PLAN.told if ("number", name) in PLAN.reads(fact))) for name in changed
    }
    return {f"{name}: {was.get(name)} -> {now.get(name)}": facts for name, facts in reading.items() if facts}


def _other_data(old: Knowledge, new: Knowledge) -> tuple[str, ...]:
    """The data, other than numbers, that facts read and that differ."""
    differ = [said for name, said in _DATA.items() if getattr(old, name) != getattr(new, name)]
    windows = ["dose windows"] if old.protocol.windows != new.protocol.windows else []
    return tuple(dict.fromkeys([*windows, *differ]))
