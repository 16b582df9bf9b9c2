"""Doses that a card may offer: computed, capped, rounded to what can be dispensed, and checked.

A dose is offered only if, once signed, it would raise no warning of ours today or on the 28 days
after. Where none can be offered, the reason is a fact too.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal

from cds.chart.lab_names import LEVEL_SET
from cds.chart.model import Order
from cds.facts.dosing import Support, body_surface, enough_by_weight, starting_dose_accepted, supported
from cds.facts.levels import LEVEL_NAMES, Judged
from cds.facts.record import rounded, said
from cds.facts.situation import Situation
from cds.facts.withhold import rise_withheld

_MOVING = ("strong_inhibitors", "strong_inducers", "moderate_inhibitors", "moderate_inducers")


def put_proposals(situation: Situation, by: Support | None, acted: Judged | None) -> None:
    """The dose the window suggests, the dose by size, and the dose that a level suggests."""
    now, days = situation.now.date(), situation.days
    _put_level_dose(situation, by, acted)
    if "proposed_dose" in situation.facts.values:
        first, last = now + timedelta(days=days("next_level_from")), now + timedelta(days=days("next_level_to"))
        words = f"between {first.isoformat()} and {last.isoformat()}, just before that day's dose"
        situation.facts.put("next_level_date", words, on=first)
    _put_window_dose(situation, by, acted)
    _put_size_dose(situation, by, acted)
    _put_step_down(situation, by, acted)


def _never(situation: Situation, raising: bool) -> str:
    """Why no dose is offered at all; empty when one may be."""
    order = target_order(situation)
    if order is None:
        return "several orders make up the dose" if situation.dose_orders else "there is no single order to change"
    if order.dose.per_day is None:
        return "the dose of the order is not known per day"
    if order.dose.per_intake is None:
        return "the order has different doses in a day"
    infant = situation.surely_under("infant_age", situation.now.date())
    if infant is not False:
        return (
            "the birth date is not known"
            if infant is None
            else f"the patient is under {situation.days('infant_age')} years"
        )
    if not raising:
        return ""
    if reasons := rise_withheld(situation):
        return f"no rise is offered: {reasons}"
    if _level_unread(situation):
        return "no rise is offered: a newer sirolimus level may be there that could not be read"
    if situation.age_group != "adult" and situation.weight is None:
        return "there is no recent weight"
    return ""


def _level_unread(situation: Situation) -> bool:
    """Whether a level is on record that could not be read and may be newer than all that were."""
    chart, newest = situation.chart, next((each.lab.moment for each in situation.judged), None)
    waiting = [lab.moment for lab in chart.lab(*LEVEL_NAMES) if lab.problem]
    newer = any(moment is None or newest is None or moment.day >= newest.day for moment in waiting)
    return newer or any(item.subject == LEVEL_SET for item in chart.unread)


def _rises(situation: Situation, dose: Decimal) -> bool:
    """Whether ``dose`` is more than what is judged, or than what is taken: a smaller rise is a rise."""
    current = situation.course.current
    taken = current.dose.per_day if situation.taking and current is not None else None
    judged = situation.dose.per_day
    return (judged is not None and dose > judged) or (taken is not None and dose > taken)


def target_order(situation: Situation) -> Order | None:
    """The one order that a suggestion would change: the draft on order hooks, else the active one."""
    return situation.dose_orders[0] if len(situation.dose_orders) == 1 else None


def _dispensable(order: Order, dose: Decimal) -> bool:
    """Whether the order's product gives ``dose`` a day without splitting tablets."""
    if order.dose.per_day is None or order.dose.per_intake is None:
        return False
    intake = dose / (order.dose.per_day / order.dose.per_intake)
    return order.liquid or order.strength is None or intake % order.strength == 0


def _step(situation: Situation, order: Order) -> Decimal:
    return situation.definitions["solution_step" if order.liquid else "tablet_step"]


def fits_size(situation: Situation, dose: Decimal) -> bool:
    """Whether ``dose`` passes every limit by body size."""
    if not situation.facts.values.get("size_limits_apply"):
        return True
    limits = situation.definitions
    if dose > limits["size_warning_per_day"]:
        return False
    weight = situation.weight or situation.any_weight
    if weight is not None and weight.amount is not None:
        if dose / weight.amount.value > limits["size_warning_per_kg"]:
            return False
        surface = body_surface(situation)
        return surface is None or dose / surface <= limits["size_info_per_m2"]
    return True


def _lasts(situation: Situation, by: Support) -> bool:
    """Whether the level will still be young enough to support a dose for as long as an offer must hold."""
    assert by.lab.moment is not None
    return by.lab.moment.days_until(situation.now) + situation.days("offer_holds") <= situation.days("level_max_age")


def raises_no_warning(situation: Situation, dose: Decimal, by: Support | None) -> bool:
    """Whether ``dose`` stays clear of our own dose warnings now and for as long as an offer must hold."""
    window = situation.window
    if window is None or not fits_size(situation, dose):
        return False
    if window.low <= dose <= window.high or (
        by is not None and _lasts(situation, by) and supported(situation, dose, by)
    ):
        return True
    if dose > window.high:
        early = situation.day is not None and situation.day + situation.days("offer_holds") <= situation.days(
            "starting_dose_accepted_until"
        )
        return early and starting_dose_accepted(situation, dose)
    return situation.weight is not None and enough_by_weight(situation, dose)


def _put_window_dose(situation: Situation, by: Support | None, acted: Judged | None) -> None:
    window, dose = situation.window, situation.dose.per_day
    if window is None or dose is None or window.low <= dose <= window.high:
        situation.facts.miss("the dose is in the window, or the window is not known", "window_dose")
        return
    bound = window.high if dose > window.high else window.low
    reason = _never(situation, raising=_rises(situation, bound)) or _unfit(situation, bound, by, acted)
    if reason:
        situation.facts.miss(reason, "window_dose")
    else:
        situation.facts.put("window_dose", bound)


def _unfit(situation: Situation, dose: Decimal, by: Support | None, acted: Judged | None) -> str:
    order = target_order(situation)
    if order is not None and not _dispensable(order, dose):
        return f"{said(dose)} mg/day cannot be made of the ordered product without splitting tablets"
    if not raises_no_warning(situation, dose, by):
        return f"{said(dose)} mg/day would itself be outside a limit for this patient"
    if situation.drafts and _out_of_target(situation, acted) and not answers(situation, dose, by, acted):
        return f"{said(dose)} mg/day would leave the newest level uncorrected"
    return ""


def _put_size_dose(situation: Situation, by: Support | None, acted: Judged | None) -> None:
    facts, weight, dose = situation.facts, situation.weight, situation.dose.per_day
    if not facts.values.get("size_limits_apply") or weight is None or weight.amount is None or dose is None:
        facts.miss("the dose is not judged by size, or the size is not known", "size_dose")
        return
    step = situation.definitions["solution_step"]
    by_weight = (weight.amount.value * situation.definitions["size_target_per_kg"] / step).to_integral_value(
        ROUND_FLOOR
    ) * step
    rises = _rises(situation, by_weight)
    reason = _never(situation, raising=rises) or ("it is not less than the order" if by_weight >= dose else "")
    reason = reason or _unfit(situation, by_weight, by, acted)
    if reason:
        facts.miss(reason, "size_dose")
    else:
        facts.put("size_dose", by_weight, weight.reference)


def _put_step_down(situation: Situation, by: Support | None, acted: Judged | None) -> None:
    """For a patient in response above the window: one step less or, where that may not be offered, the window's bound."""
    facts, window, dose = situation.facts, situation.window, situation.dose.per_day
    order = target_order(situation)
    if window is None or dose is None or dose <= window.high or not situation.in_response or order is None:
        facts.miss("this is no dose above the maintenance window in a patient in response", "step_down_dose")
        return
    last, apart = situation.course.last_change, situation.days("change_apart")
    reason = _never(situation, raising=False)
    if last is not None and last.moment.days_until(situation.now) < apart:
        reason = reason or f"the dose was changed less than {apart} days ago"
    reason = reason or _unsettled(situation, by)
    floor = situation.knowledge.protocol.numbers["trough_low"]
    least = dose * (1 - situation.definitions["change_cap"])
    for smaller in (max(dose - _step(situation, order), window.high), window.high):
        unfit = reason or _unfit(situation, smaller, by, acted)
        if not unfit and by is not None and by.at(smaller) < floor:
            unfit = f"{said(smaller)} mg/day is predicted to bring the level to {rounded(by.at(smaller), '0.1')} ng/mL, below the target"
        if not unfit and smaller >= least:
            facts.put("step_down_dose", smaller, order.reference)
            return
    facts.miss(
        unfit or f"it would be less than {said(1 - situation.definitions['change_cap'])} times the dose",
        "step_down_dose",
    )


def _unsettled(situation: Situation, by: Support | None) -> str:
    """Why nobody should lower a dose that works now: no level to go by, a drug that is moving it, or a count that falls."""
    values = situation.facts.values
    if by is None:
        return "there is no usable level to go by"
    moving = any(values.get(f"{name}_state") == "unsettled" for name in _MOVING)
    if moving or "stopped_modulators" in values or values.get("ciclosporin_new") or values.get("calcineurin_new"):
        return "an interacting drug was started or stopped, and no level has shown yet what it does"
    fall = values.get("platelet_fall")
    if fall is not None and fall >= situation.definitions["step_down_fall"]:
        return "the platelet count is falling"
    return ""


def _put_level_dose(situation: Situation, by: Support | None, acted: Judged | None) -> None:
    facts = situation.facts
    reason, found = _level_dose(situation, by, acted)
    if reason:
        facts.miss(reason, "proposed_dose")
        facts.put("proposal_working", f"No dose is proposed: {reason}.")
    elif found is not None and by is not None:
        raw = by.dose * situation.knowledge.protocol.numbers["trough_aim"] / by.level
        order = target_order(situation)
        assert order is not None
        aim = situation.knowledge.protocol.numbers["trough_aim"]
        facts.put("proposed_dose", found, by.lab.reference, order.reference)
        facts.put(
            "proposal_working",
            f"In proportion, {said(by.dose)} mg/day x {said(aim)} / {rounded(by.level, '0.001')} ng/mL = {rounded(raw, '0.01')} mg/day; at most "
            f"{said(situation.definitions['change_cap'])} times the dose up or down, in steps of {said(_step(situation, order))} mg: {said(found)} mg/day, predicted level {rounded(by.at(found), '0.1')} ng/mL.",
        )


def _level_dose(situation: Situation, by: Support | None, acted: Judged | None) -> tuple[str, Decimal | None]:
    numbers = situation.knowledge.protocol.numbers
    if acted is None or acted.lab.amount is None:
        return "there is no level that may steer the dose", None
    if acted.lab.amount.comparator:
        return "the level is only known as a bound", None
    if acted.verdict == "doses_missed":
        return (
            "doses before the level were not given: it is too high all the same, and no dose is computed from it",
            None,
        )
    if acted.verdict != "usable":
        return "the level is from before steady state; it tells the direction, not the size of a change", None
    level = acted.lab.amount.value
    if numbers["trough_low"] <= level <= numbers["trough_high"]:
        return "the level is in the target", None
    if by is None or by.lab is not acted.lab:
        return "the dose at the time of the level is not known", None
    raising = level < numbers["trough_low"]
    if reason := _never(situation, raising):
        return reason, None
    last = situation.course.last_change
    if raising and last is not None and last.moment.days_until(situation.now) < situation.days("change_apart"):
        return f"the dose was changed less than {situation.days('change_apart')} days ago", None
    if situation.window is None:
        return "the protocol gives no dose window for this patient now", None
    order = target_order(situation)
    assert order is not None
    candidates = list(_candidates(situation, by, order, raising))
    if not candidates:
        return (
            f"no dose that can be dispensed is within {said(situation.definitions['change_cap'])} times the dose, in the window or predicted in "
            "the target, and within every limit",
            None,
        )
    aim = numbers["trough_aim"]
    found = min(candidates, key=lambda dose: (abs(by.at(dose) - aim), dose))
    return _never(situation, _rises(situation, found)), found


def _candidates(situation: Situation, by: Support, order: Order, raising: bool) -> list[Decimal]:
    numbers, window = situation.knowledge.protocol.numbers, situation.window
    if window is None:
        return []
    step, cap = _step(situation, order), by.dose * situation.definitions["change_cap"]
    highest = max(w.high for w in situation.knowledge.protocol.windows if w.age_group == situation.age_group)

    def right(dose: Decimal) -> bool:
        return (by.dose < dose <= highest) if raising else dose < by.dose

    # beside an inhibitor a rise waits for a level again: it is offered only where it would bring the level into the target
    beside = raising and bool(situation.facts.values.get("inhibitor_beside"))
    within: Callable[[Decimal], bool] = lambda dose: (  # noqa: E731  # named for the reader
        (not beside and window.low <= dose <= window.high)
        or numbers["trough_low"] <= by.at(dose) <= numbers["trough_high"]
    )
    count = int((by.dose + cap) / step)
    doses = [step * number for number in range(1, count + 1)]
    return [
        dose
        for dose in doses
        if abs(dose - by.dose) <= cap
        and right(dose)
        and within(dose)
        and _dispensable(order, dose)
        and raises_no_warning(situation, dose, by)
    ]


def _out_of_target(situation: Situation, acted: Judged | None) -> bool:
    if acted is None or acted.lab.amount is None:
        return False
    numbers = situation.knowledge.protocol.numbers
    return not numbers["trough_low"] <= acted.lab.amount.value <= numbers["trough_high"]


def answers(situation: Situation, dose: Decimal, by: Support | None, acted: Judged | None) -> bool:
    """Whether ``dose`` corrects the level that a trough card would speak of.

    It does if it goes the right way and is predicted in the target, or is the dose that we propose.
    """
    if by is None or acted is None or acted.lab is not by.lab:
        return False
    numbers = situation.knowledge.protocol.numbers
    if dose == by.dose or (dose > by.dose) != (by.level < numbers["trough_low"]):
        return False
    predicted = by.at(dose)
    return numbers["trough_low"] <= predicted <= numbers["trough_high"] or dose == situation.facts.values.get(
        "proposed_dose"
    )


def put_draft_answer(situation: Situation, by: Support | None, acted: Judged | None) -> None:
    """Whether the draft order already corrects the level that a trough card would speak of."""
    draft = situation.dose.per_day
    answered = bool(situation.drafts) and draft is not None and answers(situation, draft, by, acted)
    situation.facts.put("trough_answered_by_draft", answered)
