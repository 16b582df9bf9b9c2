"""Doses that a card may offer: computed, capped, rounded to what can be dispensed, and checked.

A dose is offered only if, once signed, it would raise no warning of ours today or for as long as
an offer must hold (``offer_holds``). Where none can be offered, the reason is a fact too.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal

import msgspec

from cds.chart.model import Order
from cds.chart.words import MG_DAY, NG_ML, listed, rounded, said
from cds.compiled.knowledge import Window
from cds.course.kinds import Labs, UnreadOf
from cds.course.levels import Judged, Target, after_dose
from cds.course.patient import Patient
from cds.facts.limits import Limits, Support
from cds.facts.trough import Acted
from cds.plan.declare import Answer, Days, Known, Named, Numbers, Unknown, flag, number, part, text

_NO_ORDER = "there is no single order to change"


class OfferNumbers(Numbers, frozen=True):
    """Dose steps in mg, the largest share of a dose that may change, days between two changes; the target by weight in mg/kg/day."""

    solution_step: Decimal
    tablet_step: Decimal
    change_cap: Decimal
    change_apart: int
    infant_age: int  # years
    size_target_per_kg: Decimal
    step_down_fall: Decimal
    doubtful_level: Decimal


def target_order(patient: Patient) -> Order | None:
    """The one order that a suggestion would change: the draft on order hooks, else the active one."""
    return patient.dose_orders[0] if len(patient.dose_orders) == 1 else None


def order_to_hold(patient: Patient) -> Order | None:
    """The one order under which sirolimus is taken, never a draft; None if it is not clear which order that is."""
    course = patient.course
    current = course.current if patient.taking and not course.conflict else None
    order = current.orders[0] if current is not None and len(current.orders) == 1 else None
    revised = order is not None and any(draft.reference == order.reference for draft in patient.drafts)
    return None if revised else order  # an order under revision is there twice, as the active order and as a draft


@part
def level_unread(sirolimus_level_unread: UnreadOf, levels: list[Judged], level_labs: Labs, trough_labs: Labs) -> bool:
    """Whether an unreadable level, of any specimen, may be as new as the newest readable one: then no dose increase is offered."""
    newest = levels[0].moment if levels else None
    waiting = [lab.moment for lab in (*level_labs, *trough_labs) if lab.problem]
    newer = any(moment is None or newest is None or moment.day >= newest.day for moment in waiting)
    return newer or bool(sirolimus_level_unread)


class Offers(msgspec.Struct, frozen=True):
    """Whether a dose may be offered, and why not."""

    limits: Limits
    numbers: OfferNumbers
    rise_reasons: str
    level_unread: bool
    acted: Acted | None
    is_adult: bool
    other_use: str  # the other disease for which sirolimus may be given; empty if there is none

    @property
    def patient(self) -> Patient:
        """The patient whose dose it is."""
        return self.limits.patient

    @property
    def order(self) -> Order | None:
        """The one order that would be changed."""
        return target_order(self.patient)

    @property
    def step(self) -> Decimal:
        """The step of a dose of the ordered product, in mg."""
        return self.numbers.solution_step if self.order and self.order.liquid else self.numbers.tablet_step

    def never(self, raising: bool) -> str:
        """Why no dose is offered at all; empty when one may be."""
        return self._no_order() or self._other_use() or self._infant() or (self._no_rise() if raising else "")

    def _no_order(self) -> str:
        if self.order is None:
            return "several orders make up the dose" if self.patient.dose_orders else _NO_ORDER
        if self.patient.course.also_active and not self.order.draft:
            return "an older order of the same dose is still active, and would stay as it is"
        if self.order.dose.per_day is None:
            return "the dose of the order is not known per day"
        return "the order has different doses in a day" if self.order.dose.per_intake is None else ""

    def _other_use(self) -> str:
        return (
            f"{self.other_use} is on record, and the order does not say that sirolimus is for ITP"
            if self.other_use
            else ""
        )

    def _infant(self) -> str:
        infant = self.patient.surely_under(self.numbers.infant_age, self.patient.now.date())
        if infant is None:
            return "the birth date is not known"
        return f"the patient is under {self.numbers.infant_age} years" if infant else ""

    def _no_rise(self) -> str:
        if self.rise_reasons:
            return f"no rise is offered: {self.rise_reasons}"
        if self.level_unread:
            return "no rise is offered: a newer sirolimus level may be there that could not be read"
        return "" if self.is_adult or self.limits.size.weight is not None else "there is no recent weight"

    def rises(self, dose: Decimal) -> bool:
        """Whether ``dose`` is more than the judged dose or than a dose that may be taken: less than the draft may still be an increase."""
        current, judged = self.patient.course.current, self.patient.dose.per_day
        running = [current.dose] if current is not None else []
        running += [order.dose for order in self.patient.course.conflict]  # it is not known which of them is taken
        taken = [each.per_day for each in running if self.patient.taking and each.per_day is not None]
        return any(dose > each for each in (judged, *taken) if each is not None)

    def dispensable(self, dose: Decimal) -> bool:
        """Whether the order's product gives ``dose`` a day without splitting tablets."""
        order = self.order
        if order is None or order.dose.per_day is None or order.dose.per_intake is None:
            return False
        intake = dose / (order.dose.per_day / order.dose.per_intake)
        return order.liquid or order.strength is None or intake % order.strength == 0

    def unfit(self, dose: Decimal, proposed: Decimal | None) -> str:
        """Why this dose is not offered; empty when it may be."""
        if self.order is not None and not self.dispensable(dose):
            return f"{said(dose)} mg/day cannot be made of the ordered product without splitting tablets"
        if not self.limits.raises_no_warning(dose):
            return f"{said(dose)} mg/day would itself be outside a limit for this patient"
        if self.patient.drafts and self._out_of_target() and not self.answers(dose, proposed):
            return f"{said(dose)} mg/day would leave the newest level uncorrected"
        return ""

    def _out_of_target(self) -> bool:
        amount = self.acted.level.lab.amount if self.acted is not None else None
        return amount is not None and not self.limits.target.holds(amount.value)

    def answers(self, dose: Decimal, proposed: Decimal | None) -> bool:
        """Whether ``dose`` corrects the level that a trough card would report.

        It does if it changes the dose in the right direction, and its level is predicted in the target or it is the dose we propose.
        """
        by, target = self.limits.support, self.limits.target
        if by is None or self.acted is None or self.acted.level.lab is not by.lab:
            return False
        if dose == by.dose or (dose > by.dose) != (by.level < target.trough_low):
            return False
        return target.holds(by.at(dose)) or dose == proposed


@part
def offers(
    limits: Limits,
    offer_numbers: OfferNumbers,
    rise_reasons: str,
    level_unread: bool,
    acted: Acted | Unknown,
    age_group: str | Unknown,
    other_indications: list[Named] | Unknown,
) -> Offers:
    """Whether a dose may be offered."""
    level = acted if isinstance(acted, Acted) else None
    other_use = "" if isinstance(other_indications, Unknown) else listed(each.name for each in other_indications)
    return Offers(limits, offer_numbers, rise_reasons, level_unread, level, age_group == "adult", other_use)


class Proposal(msgspec.Struct, frozen=True):
    """The dose that a level suggests, and the level it is scaled from."""

    dose: Decimal
    by: Support


@part
def proposal(
    acted: Acted, support: Support | None, offers: Offers, inhibitor_beside: bool, windows: tuple[Window, ...]
) -> Answer[Proposal]:
    """The dose predicted to bring a usable level that is out of target closest to the aim."""
    target, amount = offers.limits.target, acted.level.lab.amount
    assert amount is not None
    reason = _why_not_scaled(acted, support, target, offers.numbers.doubtful_level) or _stored_again(acted, offers)
    if reason:
        return Unknown(reason)
    assert support is not None
    raising = amount.value < target.trough_low
    if reason := offers.never(raising) or (too_soon(offers) if raising else ""):
        return Unknown(reason)
    if offers.limits.window is None:
        return Unknown("the protocol gives no dose window for this patient now")
    highest = max(w.high for w in windows if w.age_group == offers.limits.window.age_group)
    candidates = _candidates(offers, support, raising, inhibitor_beside, highest)
    if not candidates:
        cap = said(offers.numbers.change_cap)
        return Unknown(
            f"no dose that can be dispensed is within {cap} times the dose, in the window or predicted in "
            "the target, and within every limit"
        )
    found = min(candidates, key=lambda dose: (abs(support.at(dose) - target.trough_aim), dose))
    reason = offers.never(offers.rises(found))
    return Unknown(reason) if reason else Proposal(found, support)


def _why_not_scaled(acted: Acted, support: Support | None, target: Target, doubtful: Decimal) -> str:
    """Why no dose is computed from the level; empty where one may be."""
    level, amount = acted.level, acted.level.lab.amount
    assert amount is not None
    if amount.comparator:
        return "the level is only known as a bound"
    if level.verdict == "doses_missed":
        return "doses before the level were not given: it is too high all the same, and no dose is computed from it"
    if level.verdict != "usable":
        return "the level is from before steady state; it tells the direction, not the size of a change"
    if level.by_order is not None:
        return after_dose(level.by_order)
    if target.holds(amount.value):
        return "the level is in the target"
    if amount.value < doubtful:
        return (
            f"a level below {said(doubtful)} {NG_ML} raises doubt whether the doses were taken; ask, and draw it again"
        )
    if support is None or support.lab is not level.lab:
        return "the dose at the time of the level is not known"
    return ""


def _stored_again(acted: Acted, offers: Offers) -> str:
    """Why the level may not belong to the dose of the order: a server changed the order in place, and its dates do not say how."""
    course, now = offers.patient.course, offers.patient.now
    last, orders = course.last_change, course.current.orders if course.current is not None else ()
    for updated in (order.updated for order in orders if order.updated is not None):
        unexplained = last is not None and last.moment.day < updated.day and not updated.is_after(now)
        if unexplained and updated.days_to(acted.level.moment) < offers.numbers.change_apart:
            return (
                f"the order was changed in the record on {updated.day.isoformat()}, and it does not say what was changed: "
                "the level may be one of another dose"
            )
    return ""


def too_soon(offers: Offers) -> str:
    last, apart = offers.patient.course.last_change, offers.numbers.change_apart
    if last is not None and last.moment.days_until(offers.patient.now) < apart:
        return f"the dose was changed less than {apart} days ago"
    return ""


def _candidates(offers: Offers, by: Support, raising: bool, beside: bool, highest: Decimal) -> list[Decimal]:
    """The doses, in steps, that go in the right direction and stay within the cap, every limit, and either the window or the target."""
    step, cap = offers.step, by.dose * offers.numbers.change_cap
    window, target = offers.limits.window, offers.limits.target
    assert window is not None

    def right(dose: Decimal) -> bool:
        return (by.dose < dose <= highest) if raising else dose < by.dose

    def within(dose: Decimal) -> bool:
        # with an inhibitor a rise has to wait for another level: it is offered only if it would bring the level into the target
        in_window = not (raising and beside) and window.low <= dose <= window.high
        return in_window or target.holds(by.at(dose))

    doses = [step * number for number in range(1, int((by.dose + cap) / step) + 1)]
    return [
        dose
        for dose in doses
        if abs(dose - by.dose) <= cap
        and right(dose)
        and within(dose)
        and offers.dispensable(dose)
        and offers.limits.raises_no_warning(dose)
    ]


@number(MG_DAY, "0.1", "the proposed dose, where one may be offered")
def proposed_dose(proposal: Proposal, patient: Patient) -> Answer[Decimal]:
    order = target_order(patient)
    assert order is not None
    return Known(proposal.dose, [proposal.by.lab.reference, order.reference])


@text("the raw number, the rounding, the cap and the predicted level, or why there is none")
def proposal_working(proposal: Proposal | Unknown, offers: Offers) -> Answer[str]:
    if isinstance(proposal, Unknown):
        return f"No dose is proposed: {proposal.reason}."
    by, aim = proposal.by, offers.limits.target.trough_aim
    raw = by.dose * aim / by.level
    return (
        f"In proportion, {said(by.dose)} mg/day x {said(aim)} / {rounded(by.level, '0.001')} ng/mL = {rounded(raw, '0.01')} mg/day; "
        f"at most {said(offers.numbers.change_cap)} times the dose up or down, in steps of {said(offers.step)} mg: "
        f"{said(proposal.dose)} mg/day, predicted level {rounded(by.at(proposal.dose), '0.1')} ng/mL."
    )


@text("when to draw the level after a change today")
def next_level_date(proposal: Proposal, patient: Patient, next_level_from: Days, next_level_to: Days) -> Answer[str]:
    today = patient.now.date()
    first, last = today + timedelta(days=next_level_from), today + timedelta(days=next_level_to)
    return Known(f"between {first.isoformat()} and {last.isoformat()}, just before that day's dose", on=first)


def dose_of(proposal: Proposal | Unknown) -> Decimal | None:
    return None if isinstance(proposal, Unknown) else proposal.dose


@number(MG_DAY, "0.1", "the bound of the dose window nearest to the dose, where it may be offered")
def window_dose(offers: Offers, proposal: Proposal | Unknown) -> Answer[Decimal]:
    window, dose = offers.limits.window, offers.patient.dose.per_day
    if window is None or dose is None or window.low <= dose <= window.high:
        return Unknown("the dose is in the window, or the window is not known")
    bound = window.high if dose > window.high else window.low
    reason = offers.never(offers.rises(bound)) or offers.unfit(bound, dose_of(proposal))
    return Unknown(reason) if reason else bound


@number(MG_DAY, "0.1", "the dose by body weight for a small patient, where it may be offered")
def size_dose(offers: Offers, proposal: Proposal | Unknown) -> Answer[Decimal]:
    size, dose = offers.limits.size, offers.patient.dose.per_day
    if size.weight is None or size.kg is None:
        return Unknown(f"there is no weight from the last {size.valid} days")
    if not offers.limits.by_size or dose is None:
        return Unknown("the dose is not judged by size, or the size is not known")
    step = offers.numbers.solution_step
    by_weight = (size.kg * offers.numbers.size_target_per_kg / step).to_integral_value(ROUND_FLOOR) * step
    reason = offers.never(offers.rises(by_weight)) or ("it is not less than the order" if by_weight >= dose else "")
    reason = reason or offers.unfit(by_weight, dose_of(proposal))
    return Unknown(reason) if reason else Known(by_weight, [size.weight.reference])


@flag("the draft order already corrects the level that may steer the dose")
def trough_answered_by_draft(offers: Offers, proposal: Proposal | Unknown) -> Answer[bool]:
    draft = offers.patient.dose.per_day
    return bool(offers.patient.drafts) and draft is not None and offers.answers(draft, dose_of(proposal))
