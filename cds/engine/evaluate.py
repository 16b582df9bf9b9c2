"""The two evaluators: a plain one, to see what a changed rule would do, and the one used for advice, which runs both engines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cds.compiled.knowledge import Condition, Knowledge
from cds.engine.durable import Shard, require_known_release, shards, written
from cds.engine.guard import EngineFault
from cds.engine.plain import Plain, Position, branches_of
from cds.engine.verdict import Holding, Verdict


class Evaluator(ABC):
    """The rules of ``knowledge``, ready to be asked."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge

    @abstractmethod
    def positions(self, values: Mapping[str, Any]) -> set[Position]:
        """The branches that hold."""

    def judge(self, values: Mapping[str, Any]) -> Verdict:
        """What the rules say about a record of facts. Raises EngineFault as :meth:`positions` does."""
        return Verdict(self.knowledge, values, self.positions(values))

    def holding(self, values: Mapping[str, Any], hook: str) -> list[Holding]:
        """The rules that hold and may show a card on ``hook``, most important first."""
        return self.judge(values).holding(hook)


class PlainEvaluator(Evaluator):
    """The second engine alone. Advice to a clinician needs a :class:`CheckedEngine`."""

    def __init__(self, knowledge: Knowledge) -> None:
        super().__init__(knowledge)
        self._plain = Plain(branches_of(knowledge.rules))

    def positions(self, values: Mapping[str, Any]) -> set[Position]:
        return self._plain.positions(values)


class CheckedEngine(Evaluator):
    """Both engines, which must agree. Safe to share between threads.

    Raises:
        EngineFault: the installed engine is not the one that was verified, or fails its self-test.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        require_known_release()
        super().__init__(knowledge)
        self._plain = PlainEvaluator(knowledge)
        self._shards: list[Shard] = shards(branches_of(knowledge.rules))
        self.self_test()

    def self_test(self) -> None:
        """A known answer from a tiny ruleset, and a case in which nothing holds. Raises EngineFault."""
        key = (0, 0, 0)
        test = Condition("daily_dose", ">", number=Decimal("4"))
        shard = Shard("selftest", [(key, (test,))])
        for dose, expected in (("4.000001", {key}), ("4", set())):
            if shard.ask(written({"daily_dose": Decimal(dose)}), {}) != expected:
                raise EngineFault("the engine failed its self-test")

    def positions(self, values: Mapping[str, Any]) -> set[Position]:
        """The branches that both engines say hold. Raises EngineFault if either fails, or if they disagree."""
        facts = written(values)
        answer: set[Position] = set()
        for shard in self._shards:
            if shard.may_hold(values):
                answer |= shard.ask(facts, values)
        if answer != self._plain.positions(values):
            raise EngineFault("the two engines disagree")
        return answer
