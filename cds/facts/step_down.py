"""The next smaller dose for a patient in response above the window, and what speaks against lowering a dose that works."""

from __future__ import annotations

from decimal import Decimal

from cds.chart.words import MG_DAY, rounded, said
from cds.compiled.knowledge import Window
from cds.course.levels import after_dose
from cds.facts.limits import Support
from cds.facts.proposal import Offers, Proposal, dose_of, too_soon
from cds.plan.declare import Answer, Known, Named, Number, Unknown, flag, number, part


@part
def level_moving(
    strong_inhibitors_state: str | Unknown,
    strong_inducers_state: str | Unknown,
    moderate_inhibitors_state: str | Unknown,
    moderate_inducers_state: str | Unknown,
    stopped_modulators: list[Named] | Unknown,
    ciclosporin_new: bool,
    calcineurin_new: bool,
) -> str:
    """That another drug is moving the level and no level shows the effect yet: past levels then say little about future ones."""
    states = (strong_inhibitors_state, strong_inducers_state, moderate_inhibitors_state, moderate_inducers_state)
    stopped = not isinstance(stopped_modulators, Unknown)
    if "unsettled" in states or stopped or ciclosporin_new or calcineurin_new:
        return "an interacting drug was started or stopped, and no level shows the effect yet"
    return ""


@part
def unsettled_now(
    support: Support | None, level_moving: str, platelet_fall: Decimal | Unknown, step_down_fall: Number
) -> str:
    """Why a dose that works should not be lowered now: no level to go by, a drug that is moving the level, or a falling count."""
    if support is None:
        return "there is no usable level to go by"
    if level_moving:
        return level_moving
    if support.by_order is not None:
        return after_dose(support.by_order)
    falls = isinstance(platelet_fall, Decimal) and platelet_fall >= step_down_fall
    return "the platelet count is falling" if falls else ""


@number(MG_DAY, "0.1", "the next smaller dose of a patient in response, if it may be offered")
def step_down_dose(
    offers: Offers, proposal: Proposal | Unknown, in_response: bool, unsettled_now: str
) -> Answer[Decimal]:
    """For a patient in response above the window: one step less or, if that may not be offered, the window's upper bound."""
    window, dose, order = offers.limits.window, offers.patient.dose.per_day, offers.order
    if window is None or dose is None or dose <= window.high or not in_response or order is None:
        return Unknown("this is no dose above the maintenance window in a patient in response")
    reason = offers.never(raising=False) or too_soon(offers) or unsettled_now
    unfit, least = reason, dose * (1 - offers.numbers.change_cap)
    for smaller in (_next_smaller(offers, dose, window), window.high):
        unfit = reason or offers.unfit(smaller, dose_of(proposal)) or _below_target(offers, smaller)
        if not unfit and smaller >= least:
            return Known(smaller, [order.reference])
    return Unknown(unfit or f"it would be less than {said(1 - offers.numbers.change_cap)} times the dose")


def _next_smaller(offers: Offers, dose: Decimal, window: Window) -> Decimal:
    return max(dose - offers.step, window.high)


@flag("above the window, and a usable level says that the next smaller dose would bring it below the target")
def step_down_below_target(offers: Offers) -> Answer[bool]:
    window, dose, by = offers.limits.window, offers.patient.dose.per_day, offers.limits.support
    if window is None or dose is None or dose <= window.high or by is None:
        return False
    return Known(bool(_below_target(offers, _next_smaller(offers, dose, window))), [by.lab.reference])


def _below_target(offers: Offers, dose: Decimal) -> str:
    by = offers.limits.support
    if by is None or by.at(dose) >= offers.limits.target.trough_low:
        return ""
    level = rounded(by.at(dose), "0.1")
    return f"{said(dose)} mg/day is predicted to bring the level to {level} ng/mL, below the target"
