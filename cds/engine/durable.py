"""durable-rules, used only within the subset that was verified, each step guarded.

One flat fact, conjunctions against constants, no joins, no ``$or``, no background threads. A shard
is one durable ruleset with a limited number of tests; sentinels that fire first and last prove that its whole
agenda ran. After any failure the ruleset is abandoned, never repaired.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from threading import Lock
from typing import Any

import msgspec

from cds.compiled.knowledge import Condition
from cds.engine.guard import EngineFault, NotBuilt, admitted, fixed_point
from cds.engine.plain import Position
from cds.engine.words import ENGINE_WORDS, colliding_names, engine_name, presence_flag
from cds.vocabulary import VOCABULARY

try:
    import durable_rules_engine as engine
except ImportError:
    raise NotBuilt from None

VERSION = "2.0.28"
MAX_TESTS = 58
"""The engine fails at 65 simultaneous matches; this leaves room for the sentinels."""

_SESSION = "case"
_NOTHING_MATCHED, _OBSERVED, _INCOMPLETE = 1, 2, 3
_OPERATORS = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
_encode = msgspec.json.Encoder().encode

_CASE = f'{{"sid":"{_SESSION}","id":"{_SESSION}","case":1'
Branch = tuple[Position, tuple[Condition, ...]]


def require_known_release() -> None:
    """Refuse any release of the engine but the one that was verified. Raises EngineFault."""
    found = version("durable-rules")
    if found != VERSION:
        raise EngineFault(f"durable-rules {found} is installed; only {VERSION} was verified")
    bounded = [engine_name(fact.name, side, True) for fact in VOCABULARY.values() if fact.bounded for side in "<>"]
    names = [*VOCABULARY, *bounded, *map(presence_flag, VOCABULARY), *ENGINE_WORDS]
    if clashes := colliding_names(names):
        raise EngineFault(f"the engine cannot tell these names apart: {clashes}")


def shards(branches: Sequence[Branch]) -> list[Shard]:
    """``branches`` in as few shards as the limit on tests allows.

    Branches that need the same rare facts come together, so that a case without them skips their shard.
    """
    common = Counter(fact for _, tests in branches for fact in needed(tests))

    def rarest_first(branch: Branch) -> tuple[bool, list[tuple[int, str]], Position]:
        facts = needed(branch[1])
        listed = any(VOCABULARY[fact].type == "names" for fact in facts)  # mostly there is nothing to list
        return not listed, sorted((common[fact], fact) for fact in facts), branch[0]

    branches = sorted(branches, key=rarest_first)
    packed: list[list[Branch]] = []
    size = MAX_TESTS + 1
    for branch in branches:
        if size + len(branch[1]) > MAX_TESTS:
            packed.append([])
            size = 0
        packed[-1].append(branch)
        size += len(branch[1])
    return [Shard(f"shard{index}", group) for index, group in enumerate(packed)]


def needed(tests: Sequence[Condition]) -> frozenset[str]:
    """The facts without which a conjunction cannot hold."""
    return frozenset(test.fact for test in tests if test.operator != "absent")


def _name(test: Condition) -> str:
    return engine_name(test.fact, test.operator, VOCABULARY[test.fact].bounded)


def _condition(test: Condition) -> dict[str, Any]:
    if test.operator in ("present", "absent"):
        return {presence_flag(test.fact): test.operator == "present"}
    if test.number is not None:
        return {_OPERATORS[test.operator]: {_name(test): fixed_point(test.number)}}
    constant = test.word if test.word is not None else test.flag
    return {test.fact: constant} if test.operator == "is" else {"$neq": {test.fact: constant}}


def written(values: Mapping[str, Any]) -> dict[str, str]:
    """Each fact encoded once, as the engine reads it. Raises EngineFault for a fact that may not enter the engine."""
    return {name: f'"{name}":{_encode(value).decode("ascii")}' for name, value in admitted(values).items()}


class Shard:
    """One durable ruleset and what is needed to ask it."""

    def __init__(self, name: str, branches: Sequence[Branch]) -> None:
        self.name = name
        self.keys = [key for key, _ in branches]
        needs = {needed(tests) for _, tests in branches}
        self._needs = [need for need in needs if not any(other < need for other in needs)]
        self._facts = sorted(
            {_name(t) for _, tests in branches for t in tests if t.operator not in ("present", "absent")}
        )
        asked = sorted({t.fact for _, tests in branches for t in tests if t.operator in ("present", "absent")})
        self._asked = [(fact, [f'"{presence_flag(fact)}":{word}' for word in ("false", "true")]) for fact in asked]
        rules: dict[str, Any] = {"begin": {"all": [{"m": {"case": 1}}], "pri": 1}}
        for index, (_, tests) in enumerate(branches):
            conditions = [_condition(test) for test in tests]
            condition = conditions[0] if len(conditions) == 1 else {"$and": conditions}
            rules[f"b{index}"] = {"all": [{"m": condition}], "pri": 10}
        rules["end"] = {"all": [{"m": {"case": 1}}], "pri": 60000}
        self._definition = json.dumps(rules)
        self._lock = Lock()
        self._handle: int | None = None

    def may_hold(self, values: Mapping[str, Any]) -> bool:
        """Whether there is a branch for which all needed facts are known; if not, no branch can hold."""
        return any(need <= values.keys() for need in self._needs)

    def ask(self, facts: Mapping[str, str], known: Mapping[str, Any]) -> set[Position]:
        """The branches that hold; ``facts`` as :func:`written`.

        Raises:
            EngineFault: the engine failed, or did not run its whole agenda.
        """
        parts = [facts[fact] for fact in self._facts if fact in facts]
        parts += [flags[fact in known] for fact, flags in self._asked]
        text = ",".join((_CASE, *parts)) + "}"
        with self._lock:
            handle, self._handle = self._handle, None  # put back only after success
            try:
                if handle is None:
                    handle = engine.create_ruleset(self.name, self._definition)
                fired = self._run(handle, text)
                engine.delete_state(handle, _SESSION)
            except EngineFault:
                raise
            except Exception as error:  # the C extension raises plain Exception, with the fact in its text
                raise EngineFault(f"the engine failed in {self.name} ({type(error).__name__})") from None
            self._handle = handle
        return {self.keys[int(name[1:])] for name in fired}

    def _run(self, handle: int, text: str) -> list[str]:
        code, state = engine.assert_fact(handle, text)
        if code in (_NOTHING_MATCHED, _OBSERVED, _INCOMPLETE):
            raise EngineFault(f"the engine did not take the case in {self.name} (code {code})")
        begun = engine.start_action_for_state(handle, state)
        if not begun:
            raise EngineFault(f"the engine started no action in {self.name}")
        fired = []
        message = begun[1]
        while message:
            fired.append(message[2 : message.index('"', 2)])  # {"b3":{"m":{...}}}
            message = engine.complete_and_start_action(handle, state)
        if fired[0] != "begin" or fired[-1] != "end" or len(set(fired)) != len(fired):
            raise EngineFault(f"the engine did not run its whole agenda in {self.name}")
        return fired[1:-1]
