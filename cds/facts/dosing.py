"""The dose that is judged: how much, for whom, in which phase, and whether a level supports it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from cds.chart.model import Lab, Order
from cds.facts.exposure import exposure, history
from cds.facts.levels import Judged
from cds.facts.record import listed, on_day, rounded, said
from cds.facts.situation import Situation
from cds.vocabulary import WIDEST

_ROOT = Decimal("0.5")
_EVER = 200 * 366


def put_patient(situation: Situation) -> None:
    """Age group and size."""
    facts, now = situation.facts, situation.now
    day = situation.dose_date or now.date()
    child = situation.surely_under("adult_age", day)
    if child is None:
        facts.miss("the birth date is not known well enough", "age_group", "phase")
    else:
        situation.age_group = "child" if child else "adult"
        facts.put("age_group", situation.age_group, situation.chart.patient_reference)
    young = situation.surely_under("weight_short_age", now.date())
    valid = situation.days("weight_valid_young" if young else "weight_valid")
    situation.weight = _newest(situation, "weight", valid)
    situation.any_weight = _newest(situation, "weight", _EVER)
    situation.height = _newest(situation, "height", valid)
    situation.surface = body_surface(situation)
    if child:
        facts.put("size_limits_apply", True, situation.chart.patient_reference)
    if situation.weight is None:
        facts.miss(
            f"there is no weight from the last {valid} days", "weight", "dose_per_kg", "dose_per_m2", "size_dose"
        )
        return
    assert situation.weight.amount is not None
    facts.put(
        "weight",
        f"{said(situation.weight.amount.value)} kg on {on_day(situation.weight.moment)}",
        situation.weight.reference,
    )
    if situation.weight.amount.value < situation.definitions["small_adult_weight"]:
        facts.put("size_limits_apply", True, situation.weight.reference, situation.chart.patient_reference)


def _newest(situation: Situation, name: str, valid: int) -> Lab | None:
    usable = [
        lab
        for lab in situation.chart.lab(name)
        if lab.amount is not None
        and not lab.amount.comparator
        and lab.moment is not None
        and lab.status != "preliminary"
        and lab.moment.days_until(situation.now) <= valid
    ]
    return max(usable, key=lambda lab: (lab.moment.sort_key() if lab.moment else (), lab.reference), default=None)


def enough_by_weight(situation: Situation, dose: Decimal) -> bool:
    """Whether a child's dose is enough by weight, by one that is at most four weeks past its time.

    The grace keeps a dose that was right when signed from being called too low because a scale is late.
    """
    weight = situation.any_weight
    if situation.age_group != "child" or weight is None or weight.amount is None or weight.moment is None:
        return False
    young = situation.surely_under("weight_short_age", situation.now.date())
    valid = situation.days("weight_valid_young" if young else "weight_valid") + situation.days("support_days")
    recent = weight.moment.days_until(situation.now) <= valid
    return recent and dose / weight.amount.value >= situation.definitions["child_low_per_kg"]


def body_surface(situation: Situation) -> Decimal | None:
    """Mosteller: the square root of height in cm times weight in kg over 3600."""
    if situation.weight is None or situation.height is None:
        return None
    assert situation.weight.amount is not None and situation.height.amount is not None
    product = situation.weight.amount.value * situation.height.amount.value / 3600
    return Decimal(product**_ROOT).quantize(Decimal("0.0001"), ROUND_HALF_EVEN)


def put_dose(situation: Situation) -> None:
    """Daily dose, phase, size, and what the window says of it."""
    facts, dose = situation.facts, situation.dose
    references = [order.reference for order in situation.dose_orders]
    day = situation.day
    if day is not None and situation.course.start is not None:
        start = situation.course.start
        facts.put("days_on_sirolimus", Decimal(day), *situation.course.regimens[0].references, on=start.day)
    if day is not None and situation.age_group:
        phase = "starting" if day < situation.days("maintenance_from") else "maintenance"
        facts.put(
            "phase", phase, *(situation.course.regimens[0].references if situation.course.regimens else references)
        )
    elif situation.age_group and situation.began_unseen:
        facts.put("phase", WIDEST, *references)
    else:
        facts.miss("the start of the course is not known" if day is None else "the age group is not known", "phase")
    _put_history(situation)
    _put_largest(situation)
    if not situation.dose_orders:
        unclear = situation.unresolved or situation.course.conflict
        reason = "it is not clear which orders are taken" if unclear else "sirolimus is not being taken now"
        facts.miss(reason, "daily_dose", "dose_per_kg", "dose_per_m2")
        return
    facts.put("order_working", _working(situation), *references)
    if dose.per_day is None:
        rhythm = f"the rhythm is {dose.rhythm}, not daily" if dose.rhythm else dose.problem
        facts.miss(rhythm, "daily_dose", "dose_per_kg", "dose_per_m2")
        return
    facts.put("daily_dose", dose.per_day, *references)
    _put_size(situation, dose.per_day, references)
    facts.put("dose_enough_by_weight", enough_by_weight(situation, dose.per_day))
    facts.put("starting_dose_accepted", starting_dose_accepted(situation, dose.per_day))


def _put_history(situation: Situation) -> None:
    """What was taken since when, and how long ago that last changed."""
    course, facts = situation.course, situation.facts
    if course.last_change is None or course.conflict:
        facts.miss("there is no course whose orders are clear", "days_since_change", "dose_history")
        return
    references = [reference for regimen in course.regimens for reference in regimen.references]
    stretches = exposure(course, situation.now, situation.days("resume_gap"))
    if stretches:
        facts.put("dose_history", history(stretches), *references)
    if situation.start_known or not course.last_change.is_start:
        since = course.last_change.moment.days_until(situation.now)
        facts.put("days_since_change", Decimal(since), *course.regimens[-1].references)


def _put_largest(situation: Situation) -> None:
    """The most on one day: of the whole dose, or of any one order where the whole is not clear."""
    facts, orders = situation.facts, situation.dose_orders or situation.unresolved or situation.course.conflict
    amounts = [(order.dose.on_one_day, order.reference) for order in orders if order.dose.on_one_day is not None]
    if situation.dose.on_one_day is not None:
        facts.put(
            "largest_dose_on_one_day", situation.dose.on_one_day, *(order.reference for order in situation.dose_orders)
        )
    elif amounts:
        most, reference = max(amounts)
        facts.put("largest_dose_on_one_day", most, reference)
    else:
        facts.miss("the dose is not known", "largest_dose_on_one_day")


def _put_size(situation: Situation, per_day: Decimal, references: list[str]) -> None:
    facts = situation.facts
    _put_least_by_weight(situation, per_day, references)
    infant = situation.surely_under("infant_age", situation.now.date())
    if infant:
        facts.put(
            "infant_note",
            f"Under {situation.days('infant_age')} years of age: clearance is still maturing, dosing is for a specialist.",
        )
    if situation.weight is None or situation.weight.amount is None:
        return
    facts.put("dose_per_kg", per_day / situation.weight.amount.value, *references, situation.weight.reference)
    surface = body_surface(situation)
    if surface is None:
        facts.miss("there is no recent height", "dose_per_m2")
        facts.put("surface_note", "Body surface not known: there is no recent height.")
        return
    assert situation.height is not None
    facts.put("dose_per_m2", per_day / surface, *references, situation.weight.reference, situation.height.reference)
    facts.put("body_surface", f"{rounded(surface, '0.01')} m2", situation.height.reference)


def _put_least_by_weight(situation: Situation, per_day: Decimal, references: list[str]) -> None:
    """The dose is at least so much, by the most that the patient can weigh: for a patient without a recent weight."""
    most = None if situation.weight is not None else _old_weight_grown(situation) or _heavy_for_age(situation)
    if most is None:
        return
    heaviest, words, reference = most
    facts = situation.facts
    facts.put("dose_per_kg_at_least", per_day / heaviest, *references, reference)
    facts.put("heaviest_weight", words, reference)


def _old_weight_grown(situation: Situation) -> tuple[Decimal, str, str] | None:
    """A weight too old to be judged by, with what may have been gained since."""
    old = situation.any_weight
    infant = situation.surely_under("infant_age", situation.now.date())
    valid = situation.days("weight_warns_infant" if infant else "weight_warns")
    if old is None or old.amount is None or old.moment is None or old.moment.days_until(situation.now) > valid:
        return None
    gain = situation.definitions["weight_gain"]
    words = f"{said(old.amount.value)} kg on {on_day(old.moment)} and {said(gain)} % more"
    return old.amount.value * (1 + gain / 100), words, old.reference


def _heavy_for_age(situation: Situation) -> tuple[Decimal, str, str] | None:
    """What three of a hundred children of that age exceed; the sex may be unknown, then it is the heavier one's."""
    chart, known = situation.chart, situation.knowledge.heavy
    months = chart.birth.most_months_on(situation.now.date()) if chart.birth else None
    sexes = [chart.gender] if chart.gender in known else list(known)
    weights = [known[sex][months] for sex in sexes if months is not None and 0 <= months < len(known[sex])]
    if not weights:
        return None
    words = f"{said(max(weights))} kg, which 97 of 100 children of this age do not exceed (CDC 2000)"
    return max(weights), words, situation.chart.patient_reference


def starting_dose_accepted(situation: Situation, per_day: Decimal) -> bool:
    """Inside the starting window, and early enough in the course or in response."""
    window, day = situation.window_for("starting"), situation.day
    if window is None or not window.low <= per_day <= window.high:
        return False
    return situation.in_response or (day is not None and day <= situation.days("starting_dose_accepted_until"))


def _working(situation: Situation) -> str:
    parts = [_order_words(order) for order in situation.dose_orders]
    text = listed(parts)
    if len(parts) > 1 and situation.dose.per_day is not None:
        text += f", together {said(situation.dose.per_day)} mg/day"
    standing = _standing(situation)
    if standing:
        text += f"; it would replace {listed(_order_words(order) for order in standing)}"
        total = (situation.dose.per_day or Decimal(0)) + sum(
            (o.dose.per_day or Decimal(0) for o in standing), Decimal(0)
        )
        if situation.dose.per_day is not None:
            text += f" (if that is left standing, the total is {said(total)} mg/day)"
    return text


def _standing(situation: Situation) -> list[Order]:
    """Active orders that a draft would replace: all of them, whether or not they agree."""
    if not situation.drafts or not situation.taking:
        return []
    current = situation.course.conflict or (situation.course.current.orders if situation.course.current else [])
    judged = {order.reference for order in situation.dose_orders}
    return [order for order in current if order.reference not in judged]


def _order_words(order: Order) -> str:
    dose = order.dose
    if dose.per_day is not None:
        amount = f"{said(dose.per_day)} mg/day"
    elif dose.on_one_day is not None:
        amount = f"{said(dose.on_one_day)} mg {dose.rhythm}"
    else:
        amount = f"dose not computed ({dose.problem})"
    return f"{'draft order' if order.draft else 'order'} of {amount}" + (
        ", drug matched by name" if order.by_name else ""
    )


@dataclass(frozen=True, slots=True)
class Support:
    """The level by which a dose can be scaled: its value at ``dose`` mg/day."""

    level: Decimal
    dose: Decimal
    lab: Lab

    def at(self, dose: Decimal) -> Decimal:
        """The level expected at ``dose``, in proportion."""
        return self.level * dose / self.dose


def support(situation: Situation, judged: list[Judged]) -> Support | None:
    """The newest level usable when drawn, if it may still speak for a dose of today."""
    if situation.course.conflict or not situation.taking:
        return None
    for each in judged:
        lab = each.lab
        if each.verdict != "usable" or lab.amount is None or lab.moment is None:
            continue
        if lab.amount.comparator:
            return None  # the newest usable level is only known as a bound
        regimen = situation.course.regimen_at(lab.moment)
        if regimen is None:
            continue  # drawn in a hold: there is nothing to scale it from
        if regimen.dose.per_day is None:
            return None
        last = situation.course.last_change
        changed_since = last is not None and not last.precedes(lab.moment)
        if (
            changed_since
            and last is not None
            and last.moment.days_until(situation.now) > situation.days("support_days")
        ):
            return None
        if lab.moment.days_until(situation.now) > situation.days("level_max_age"):
            return None
        return Support(lab.amount.value, regimen.dose.per_day, lab)
    return None


def supported(situation: Situation, dose: Decimal, by: Support | None) -> bool:
    """Whether a level, scaled to ``dose``, stays within the side of the target that matters."""
    window = situation.window
    if by is None or window is None:
        return False
    scaled, numbers = by.at(dose), situation.knowledge.protocol.numbers
    if dose > window.high:
        return scaled <= numbers["trough_high"]
    if dose < window.low:
        return scaled >= numbers["trough_low"]
    return True


def put_support(situation: Situation, by: Support | None) -> None:
    """Whether the judged dose is supported by a level; false when none says so."""
    per_day = situation.dose.per_day
    holds = per_day is not None and supported(situation, per_day, by)
    situation.facts.put("dose_supported_by_trough", holds, *([by.lab.reference] if by and holds else []))
