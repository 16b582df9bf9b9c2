"""No suggestion of ours, once signed, raises a warning of ours, or is followed by another one from the same level."""

from __future__ import annotations

import copy

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cds.advise import Advice
from cds.engine import CheckedEngine
from tests.charts import (
    TABLETS,
    Resource,
    as_json,
    count,
    day,
    drug,
    height,
    intake,
    itp,
    level,
    patient,
    sirolimus,
    weight,
)
from tests.conftest import LONG
from tests.judge import judge, judge_order, updates

pytestmark = pytest.mark.untraced


OURS = {
    "doseAboveWindow", "doseBelowWindow", "doseFarAboveWindow", "doseAboveDailyMaximum", "childDoseBySize", "troughLow", "troughHigh", "troughCritical",
}  # fmt: skip

doses = st.sampled_from([0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 12])


@st.composite
def charts(draw: st.DrawFn) -> tuple[int, list[Resource], Resource]:
    """A day, everything but the order, and the order of a plausible patient."""
    on = draw(st.integers(8, 130))
    born = draw(st.sampled_from(["1980-01-01", "1980-01-01", "2009-06-01", "2014-06-01", "2019-06-01", "2021-03-01"]))
    kg = draw(st.sampled_from([9.5, 12, 16, 22, 30, 38, 45, 70]))
    rest = [patient(born), itp(), weight("w", day(on - draw(st.integers(0, 95))), kg)]
    if draw(st.booleans()):
        rest.append(height("h", day(on - 3), draw(st.sampled_from([75, 95, 120, 165]))))
    drawn = draw(st.integers(3, on))
    rest.append(
        level("l", day(drawn, "07:40"), draw(st.sampled_from([1.5, 3, 3.9, 4.6, 4.9, 8, 14, 15.1, 16, 18, 19.9])))
    )
    if draw(st.booleans()):
        rest.append(intake("i", day(drawn - 1, "07:45")))
    if draw(st.integers(0, 4)) == 0:
        rest.append(drug("x", "fluconazole", day(-30)))
    if draw(st.booleans()):
        rest += [count("b", day(-2), 14), count("c", day(on - 1), draw(st.sampled_from([20, 60, 130])))]
    solution = draw(st.booleans())
    order = sirolimus(
        "s",
        day(0),
        draw(doses),
        tablet=draw(st.sampled_from(sorted(TABLETS))),
        solution=solution,
        times=draw(st.sampled_from([1, 1, 1, 2])),
    )
    return on, rest, order


def signed(old: Resource, new: Resource, on: int) -> list[Resource]:
    """The old order ends today and the new one begins."""
    stopped = copy.deepcopy(old) | {"status": "stopped"}
    stopped["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]["end"] = day(on)
    begun = as_json(new) | {
        "id": "s-new",
        "authoredOn": day(on),
        "priorPrescription": {"reference": f"MedicationRequest/{old['id']}"},
    }
    begun["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"] = {"start": day(on)}
    return [stopped, begun]


def stored(old: Resource, new: Resource, on: int) -> list[Resource]:
    """The server stores the update as it was sent."""
    return [as_json(new) | {"status": old["status"]}]


def warnings(advice: Advice) -> set[str]:
    return {c["source"]["topic"]["code"] for c in advice.cards if c["indicator"] != "info"} & OURS


def test_an_offer_holds_when_an_older_weight_counts_again(engine: CheckedEngine) -> None:
    """Of 9.5 kg, 31 days old: under five years it counts for 30 days, and from the birthday on for 90."""
    child, older = patient(born="2019-06-01"), weight("w", day(88), 9.5)
    order, high = sirolimus("s", day(0), 1.5, tablet="0.5"), level("l", day(117, "07:40"), 16)
    offered = updates(judge(engine, 119, child, itp(), older, order, high, adult=False))
    for new in offered:
        later = judge(engine, 145, child, itp(), older, high, *signed(order, new, 119), adult=False)
        assert warnings(later) == set()
    grown = weight("w", day(88), 12)
    assert updates(judge(engine, 119, child, itp(), grown, order, high, adult=False)), "a dose that fits is offered"


@pytest.mark.slow
def test_a_suggestion_that_was_signed_raises_no_warning(engine: CheckedEngine) -> None:
    seen: list[str] = []

    @settings(max_examples=300 if LONG else 120, database=None)
    @given(charts())
    def hold(case: tuple[int, list[Resource], Resource]) -> None:
        on, rest, order = case
        suggested = updates(judge(engine, on, *rest, order, adult=False))
        assume(suggested)
        for new in suggested:
            seen.append(order["id"])
            draft = as_json(new) | {"status": "draft", "authoredOn": day(on)}
            assert warnings(judge_order(engine, on, [draft], *rest, order, adult=False)) == set()
            days = [*((later, signed) for later in range(29)), *((later, stored) for later in (0, 1, 6, 7, 14, 28))]
            for later, way in days:
                advice = judge(engine, on + later, *rest, *way(order, new, on), adult=False)
                assert warnings(advice) == set(), (later, way)
                assert not updates(advice), "the same level offers no second change"

    hold()
    assert len(seen) > (50 if LONG else 20)


@pytest.mark.slow
def test_a_changed_draft_raises_no_warning_either(engine: CheckedEngine) -> None:
    seen: list[str] = []

    @settings(max_examples=450 if LONG else 180, database=None)
    @given(charts(), doses)
    def hold(case: tuple[int, list[Resource], Resource], mg: float) -> None:
        on, rest, order = case
        draft = copy.deepcopy(order) | {"id": "d", "status": "draft", "authoredOn": day(on)}
        draft["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] = mg
        for new in updates(judge_order(engine, on, [draft], *rest, order, adult=False)):
            seen.append(new["id"])
            changed = as_json(new)
            for hook in ("order-select", "order-sign"):
                assert warnings(judge_order(engine, on, [changed], *rest, order, hook=hook, adult=False)) == set()
            for later in range(29):
                assert (
                    warnings(
                        judge(
                            engine, on + later, *rest, *signed(order, changed | {"status": "active"}, on), adult=False
                        )
                    )
                    == set()
                ), later

    hold()
    assert len(seen) > (50 if LONG else 20)
