"""Whatever goes wrong inside the engine: no clinical card, and the next patient is judged rightly."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import durable_rules_engine
import pytest

from cds.cards.order import fault_card
from cds.compiled.knowledge import Condition, Knowledge
from cds.engine import CheckedEngine, EngineFault, PlainEvaluator, durable
from cds.engine.durable import Shard, shards
from cds.engine.guard import admitted, fixed_point
from cds.vocabulary import Fact
from tests.engine.test_agreement import FIRING, HEALTHY

Native = Callable[..., Any]


class Broken:
    """The C extension with one function replaced."""

    def __init__(self, **replaced: Native) -> None:
        self._replaced = replaced

    def __getattr__(self, name: str) -> Any:
        return self._replaced.get(name, getattr(durable_rules_engine, name))


def cut_short(handle: int, state: int) -> None:
    """The agenda ends after the first action, as after a clock jump."""


def stolen(handle: int, state: int) -> Any:
    """The last firing before the end sentinel is lost, as to another thread."""
    message = durable_rules_engine.complete_and_start_action(handle, state)
    if message and message.startswith('{"b'):
        return durable_rules_engine.complete_and_start_action(handle, state)
    return message


def altered(handle: int, text: str) -> Any:
    return durable_rules_engine.assert_fact(handle, text.replace("5000000", "3000000"))


def failing(*_: Any) -> Any:
    raise RuntimeError("Could not assert message, error code: 303, message: {'daily_dose': 5}")


FAULTS = {
    "the agenda is cut short": Broken(complete_and_start_action=cut_short),
    "an action is stolen": Broken(complete_and_start_action=stolen),
    "the fact is altered": Broken(assert_fact=altered),
    "the engine raises": Broken(assert_fact=failing),
    "nothing matched": Broken(assert_fact=lambda *_: (1, 0)),
    "already observed": Broken(assert_fact=lambda *_: (2, 0)),
    "incomplete": Broken(assert_fact=lambda *_: (3, 0)),
    "no action is started": Broken(start_action_for_state=lambda *_: None),
    "the session is not deleted": Broken(delete_state=failing),
}


@pytest.mark.parametrize("broken", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_raised_and_the_next_case_is_right(
    knowledge: Knowledge, broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = CheckedEngine(knowledge)
    with monkeypatch.context() as patched:
        patched.setattr(durable, "engine", broken)
        with pytest.raises(EngineFault) as raised:
            engine.holding(FIRING, "patient-view")
    assert "5" not in str(raised.value).replace("shard", ""), "a fault must not carry the patient's values"
    assert [item.rule.id for item in engine.holding(FIRING, "patient-view")] == ["dose-above-window"]
    assert engine.holding(HEALTHY, "patient-view") == []


def test_disagreement_is_a_fault(knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = CheckedEngine(knowledge)
    monkeypatch.setattr(PlainEvaluator, "positions", lambda *_: set())
    with pytest.raises(EngineFault, match="the two engines disagree"):
        engine.holding(FIRING, "patient-view")


def test_another_release_of_the_engine_is_refused(knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "version", lambda _: "2.0.29")
    with pytest.raises(EngineFault, match=r"2\.0\.29 is installed; only 2\.0\.28 was verified"):
        CheckedEngine(knowledge)


def test_names_that_the_engine_cannot_tell_apart_are_refused(
    knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pair whose 32-bit hashes collide, found in the engine's own history."""
    monkeypatch.setattr(
        durable, "VOCABULARY", {name: Fact(name, "flag", "") for name in ("height_flag_week", "preg_egfr_lower")}
    )
    with pytest.raises(EngineFault, match="cannot tell these names apart"):
        CheckedEngine(knowledge)


@pytest.mark.parametrize(
    "value", [5, 5.0, "5", True, None, Decimal("NaN"), Decimal("Infinity"), Decimal("1e9"), Decimal("0.0000001")]
)
def test_only_plain_decimals_enter_as_numbers(value: Any) -> None:
    with pytest.raises(EngineFault):
        admitted({"daily_dose": value})


@pytest.mark.parametrize(
    "values",
    [
        {"age_group": "baby"},
        {"age_group": 1},
        {"ordering": 1},
        {"ordering": "true"},
        {"id": Decimal(1)},
        {"unheard_of": True},
    ],
)
def test_only_the_vocabulary_enters(values: dict[str, Any]) -> None:
    with pytest.raises(EngineFault):
        admitted(values)


def test_numbers_enter_as_millionths() -> None:
    assert fixed_point(Decimal("4.1")) == 4_100_000
    assert fixed_point(Decimal("-0.000001")) == -1


def test_no_shard_has_more_tests_than_the_engine_bears() -> None:
    test = Condition("daily_dose", ">", number=Decimal(1))
    made = shards([((index, 0, 0), (test,) * 10) for index in range(13)])
    assert [len(shard.keys) for shard in made] == [5, 5, 3]


def test_a_shard_whose_facts_are_not_known_is_not_asked() -> None:
    shard = Shard("s", [((0, 0, 0), (Condition("trough", "<", number=Decimal(5)),))])
    assert not shard.may_hold({"daily_dose": Decimal(2)})
    assert shard.may_hold({"trough": Decimal(4)})


def test_the_card_after_a_fault_advises_nothing(knowledge: Knowledge) -> None:
    card = fault_card(knowledge)
    assert card["indicator"] == "info"
    assert card["source"]["topic"]["code"] == "notAssessed"
    assert "not an all clear" in card["summary"]
    assert "suggestions" not in card
