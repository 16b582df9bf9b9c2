"""What a card offers: a dose, a hold, the removal of a draft, a level. rule-semantics, "Proposed dose", "Dose", "Levels".

Of the text: "Candidates ... None left: say why, no button"; "When a trough-low, trough-high or trough-critical card shows,
the dose-window card carries no action"; "when the time since dose was assumed, the first suggestion is a timed level and the
dose is the second"; trough-not-usable "offers no level order if one is active". Which card offers what is rules/*.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal

from tests.oracle import dosing, readings
from tests.oracle.codes import TABLET_MG
from tests.oracle.course import Course, drafts, taken, without_renewals
from tests.oracle.dosing import Dosing
from tests.oracle.levels import CEILING, FLOOR, Levels
from tests.oracle.record import Order, Record

HOLDS = {  # rule: the urgencies at which a hold is offered
    "allergy": ("critical",), "pregnancy": ("critical",), "trough-critical": ("critical",), "malignancy": ("critical",),
    "pneumonitis": ("critical",), "serious-infection": ("critical", "warning"), "neutropenia": ("critical",),
    "falling-platelets-on-sirolimus": ("warning",),
}  # fmt: skip
REMOVES = {  # the draft of sirolimus is left out again
    "allergy": ("critical",), "pregnancy": ("critical",), "malignancy": ("critical",), "pneumonitis": ("warning",),
    "breastfeeding": ("warning",), "dose-change-too-soon": ("warning",), "dose-above-daily-maximum": ("critical",),
}  # fmt: skip
LEVELS_ORDERED = {  # unless one is on order
    "trough-critical", "trough-not-usable", "ciclosporin", "interacting-drug-stopped", "response-lost", "dose-change-too-soon",
    "hepatic-impairment", "neutropenia", "stomatitis", "hyperlipidaemia", "liver-enzymes",
}  # fmt: skip
NOT_AT = {("ciclosporin", "info"), ("hepatic-impairment", "info")}
WINDOW_RULES = ("dose-above-window", "dose-far-above-window", "dose-below-window")
SIZE_PER_KG = Decimal("0.07")
LEVEL_CARDS = {"trough-low", "trough-high", "trough-critical"}
Card = tuple[str, str]


@dataclass(frozen=True)
class Asked:
    """What an offer depends on. ``withheld``: something withholds a rise; ``unsettled``: an inhibitor that no level has answered does;
    ``heard``: the cards that are told."""

    record: Record
    course: Course
    levels: Levels
    dosing: Dosing
    withheld: bool
    unsettled: bool
    in_response: bool
    unlooked: bool
    heard: dict[str, Card]

    @property
    def running(self) -> Decimal | None:
        """The mg of a day that are taken."""
        now = taken(without_renewals(tuple(o for o in self.course.current if o.status == "active")))
        return now.per_day if now is not None else None

    @property
    def least(self) -> Decimal | None:
        """The least that may be taken, where nobody knows which of several orders runs: more than that may be a rise."""
        each = [o.dose.per_day for o in self.course.current if o.status == "active" and o.dose and o.dose.per_day]
        return min(each, default=None) if self.running is None else self.running

    @property
    def changed_lately(self) -> bool:
        """ "Within 7 days of the last change"."""
        last = self.course.last_change
        return last is not None and (self.record.today - last).days < dosing.CHANGE_APART


def offers(asked: Asked) -> dict[str, frozenset[str]]:
    """By rule what its card offers, of those that are told."""
    steps = readings.AN_ORDER_IN_STEPS_IS_NOT_REWRITTEN and any(order.step for order in asked.dosing.orders)
    found = {}
    for rule, (urgency, of) in asked.heard.items():
        dose = None if steps else _dose(rule, urgency, asked)
        doses = set() if dose is None else {f"dose {dose.normalize():f}"}
        found[rule] = frozenset(doses | _beside_the_dose(rule, urgency, of, asked))
    return found


def _beside_the_dose(rule: str, urgency: str, of: str, asked: Asked) -> set[str]:
    kinds = set()
    running = without_renewals(tuple(o for o in asked.course.current if o.status == "active"))
    drafted = {draft.id for draft in drafts(asked.record)}
    if urgency in HOLDS.get(rule, ()) and len(running) == 1 and running[0].id not in drafted:
        kinds.add("hold")
    if urgency in REMOVES.get(rule, ()) and (rule, of) != ("pneumonitis", "from before"):
        kinds |= {f"remove {name}" for name in drafted}
    # a preliminary level needs no other: the final result is on its way
    waits = rule == "trough-not-usable" and asked.levels.all[-1].why == "preliminary"
    if rule in LEVELS_ORDERED and (rule, urgency) not in NOT_AT and not asked.record.level_ordered and not waits:
        kinds.add("level")
    return kinds


def _dose(rule: str, urgency: str, asked: Asked) -> Decimal | None:
    if rule == "trough-high" or (rule == "trough-low" and urgency == "warning"):
        return _by_level(asked)
    if LEVEL_CARDS & asked.heard.keys():
        return None
    if rule in WINDOW_RULES:
        return _by_window(asked)
    if rule == "child-dose-by-size" and urgency in ("warning", "critical"):
        return _by_size(asked)
    return _step_down(asked) if rule == "step-down-to-maintenance" else None


def _by_level(asked: Asked) -> Decimal | None:
    level, now = asked.levels.trough, asked.running
    if level is None or now is None or asked.dosing.daily is None or level.value.comparator or level.why:
        return None
    no_rise = asked.withheld or asked.in_response or asked.unlooked or asked.record.level_ahead
    found = dosing.proposed(asked.record, asked.course, level, now, asked.dosing, no_rise)
    rises = found is not None and found > asked.dosing.daily  # more than the draft, though less than is taken
    return None if rises and no_rise else found


def _by_window(asked: Asked) -> Decimal | None:
    """The bound of the window nearest to the dose."""
    low, high = asked.dosing.window
    daily = asked.dosing.daily
    bound = high if daily is not None and daily > high else low
    return bound if _may_be_offered(bound, asked) else None


def _by_size(asked: Asked) -> Decimal | None:
    """So many mg a kg, rounded down. "Without a fresh weight at most a warning, and no button"."""
    if asked.dosing.weight is None or asked.dosing.daily is None:
        return None
    dose = (asked.dosing.weight * SIZE_PER_KG).quantize(Decimal("0.1"), ROUND_FLOOR)
    return dose if dose < asked.dosing.daily and _may_be_offered(dose, asked) else None


def _step_down(asked: Asked) -> Decimal | None:
    """One step less or, where that may not be offered, the bound of the window; at least half of the dose.

    "A step down is offered only if the level projected for it is at or above the target's floor."
    """
    d, high = asked.dosing, asked.dosing.window[1]
    if d.daily is None or asked.changed_lately or asked.unsettled or not d.orders:
        return None
    step = dosing.HALF if d.orders[0].code != "314230" else Decimal("0.1")
    for dose in (max(d.daily - step, high), high):
        projected = dosing.projected(asked.levels, dose, asked.record.today)
        if dose >= d.daily * dosing.HALF and projected and _may_be_offered(dose, asked):
            return dose
    return None


def _may_be_offered(dose: Decimal, asked: Asked) -> bool:
    """ "No action ... for several orders; for a product whose strength does not divide it; under 2 years; with no weight in a
    child when raising; within 7 days of the last change"; nothing that would raise a warning of ours.
    """
    d, record, least = asked.dosing, asked.record, asked.least
    if (
        len(without_renewals(d.orders)) != 1
        or d.daily is None
        or not _whole(dose, d.orders[0])
        or record.age(record.today) < dosing.INFANT
    ):
        return False
    raising = dose > d.daily or (least is not None and dose > least)
    unlooked = asked.unlooked and not asked.course.over(record.today)
    held = asked.withheld or record.level_ahead
    unweighed = d.group == "child" and d.weight is None
    # no more than is taken is offered beside a card that calls the dose too high
    if raising and (held or unlooked or asked.changed_lately or unweighed or d.daily > d.window[1]):
        return False
    return not dosing.by_size(replace(d, daily=dose)) and _warns_of_nothing(dose, asked) and _answers(dose, asked)


def _whole(dose: Decimal, order: Order) -> bool:
    if order.dose is None or order.dose.per_day is None:
        return False
    strength = TABLET_MG.get(order.code)
    return strength is None or (dose / order.dose.times) % strength == 0


def _warns_of_nothing(dose: Decimal, asked: Asked) -> bool:
    """ "No suggestion of ours, once signed, raises a warning of ours ... on each of the 28 days after"."""
    d = asked.dosing
    low, high = d.window
    if low <= dose <= high:
        return True
    level = asked.levels.usable[-1] if asked.levels.usable else None
    young = level is not None and (asked.record.today - level.day).days + dosing.OFFER_HOLDS <= dosing.LEVEL_MAX_AGE
    if young and dosing.supported(asked.record, asked.course, asked.levels, replace(d, daily=dose)):
        return True
    first, last = dosing.WINDOWS[d.group, "starting"]
    early = d.day is not None and d.day + dosing.OFFER_HOLDS <= dosing.STARTING_ACCEPTED_UNTIL
    if dose > high:
        return early and first <= dose <= last
    return d.group == "child" and d.weight is not None and dose / d.weight >= dosing.CHILD_ENOUGH


def _answers(dose: Decimal, asked: Asked) -> bool:
    """On order hooks a level out of the target must be answered by what is offered: else the level card would speak again."""
    level, now = asked.levels.trough, asked.running
    if not asked.record.ordering or level is None or now is None or level.value.comparator:
        return True
    if FLOOR <= level.value.value <= CEILING:
        return True
    if level.why or (dose > now) != level.low or dose == now:
        return False
    return FLOOR <= level.value.value * dose / now <= CEILING
