"""A chart coded as another hospital would: each code that is read becomes another one of the same meaning, in whatever system."""

from __future__ import annotations

import copy
from functools import cache
from random import Random
from typing import Any

from msgspec.structs import replace

from cds.chart.codes import meanings
from cds.chart.wire import Coding
from cds.compiled.knowledge import Concept, Knowledge

Json = dict[str, Any]
Meaning = tuple[Concept, ...]


class Recoder:
    """Every code of the value sets, by what it means."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._by_meaning: dict[Meaning, list[tuple[str, str]]] = {}
        coded = [(system, code) for system, codes in knowledge.codes.items() for code in codes]
        coded += [(system, begins) for system, beginnings in knowledge.prefixes.items() for begins in beginnings]
        for system, code in coded:
            if meaning := self._meaning(system, code):
                self._by_meaning.setdefault(meaning, []).append((system, code))
        self._of = cache(self._meaning)

    def _meaning(self, system: str, code: str) -> Meaning:
        found = meanings(self._knowledge, Coding(system=system, code=code))
        return tuple(sorted((replace(each, display="") for each in found), key=repr))

    def systems(self, meaning: Meaning) -> set[str]:
        """The systems in which something can be said."""
        return {system for system, _ in self._by_meaning[meaning]}

    @property
    def every_system(self) -> list[str]:
        """All systems in which anything can be said."""
        return sorted({system for same in self._by_meaning.values() for system, _ in same})

    def coded_in(self, body: Json, system: str, number: int = 0) -> Json:
        """The same chart in that system, wherever it has a code of the meaning; of several the one of that number."""
        made = copy.deepcopy(body)
        for coding in codings(made):
            same = self._by_meaning.get(self._of(coding["system"], coding["code"]), [])
            if mine := [code for its, code in same if its == system]:
                coding["system"], coding["code"] = system, mine[number % len(mine)]
                coding.pop("display", None)
        return made

    def recoded(self, body: Json, random: Random) -> Json:
        """The same chart in other codes: each system is as likely as another, however many codes it has."""
        made = copy.deepcopy(body)
        for coding in codings(made):
            same = self._by_meaning.get(self._of(coding["system"], coding["code"]), [])
            if same:
                system = random.choice(sorted({system for system, _ in same}))
                coding["system"], coding["code"] = system, random.choice([c for s, c in same if s == system])
                coding.pop("display", None)
        return made


def codings(value: Any) -> list[Json]:
    """Every coding in a body."""
    if isinstance(value, list):
        return [coding for item in value for coding in codings(item)]
    if not isinstance(value, dict):
        return []
    if isinstance(value.get("system"), str) and isinstance(value.get("code"), str) and "value" not in value:
        return [value]
    return [coding for item in value.values() for coding in codings(item)]
