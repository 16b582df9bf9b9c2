"""The resources behind a suggestion: the clinician's own order with one thing changed, or a new level order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any

from cds.chart.order_changes import OrderChange, record_change
from cds.chart.times import Moment
from cds.chart.words import said
from cds.compiled.knowledge import Suggestion
from cds.facts import Situation
from cds.facts.draws import DRAWN_IN, Draw, Within, draw_at, draw_within
from cds.facts.proposal import order_to_hold, target_order

Original = Callable[[str], dict[str, Any] | None]
"""Returns a resource of the request by reference, unchanged from the request; a new copy each time."""

_LOINC = "http://loinc.org"
_LEVEL_CODE = "29247-4"
_CHANGE, _PER_DAY = "Change sirolimus to ", " mg/day"


def action_for(suggestion: Suggestion, situation: Situation, original: Original) -> dict[str, Any] | None:
    """The CDS Hooks action of a suggestion, or None when it cannot be made safely."""
    if suggestion.action == "order_level":
        # without a patient id there is no patient to order it for
        return _order_level(situation, suggestion) if situation.chart.patient_id else None
    if suggestion.action == "order_test":
        return order_test(situation, suggestion.test) if situation.chart.patient_id else None
    order = _order_to_change(situation, suggestion)
    found = original(order) if order else None
    if found is None or _has_holes(found):
        return None
    resource = _without_empties(found)
    if suggestion.action == "hold":
        _record(resource, order, situation, held=True)
        resource["status"] = "on-hold"
        return {"type": "update", "description": "Put the sirolimus order on hold", "resource": resource}
    dose = situation.facts.values.get(suggestion.dose)
    if not isinstance(dose, Decimal) or not _set_dose(resource, situation, dose):
        return None
    _record(resource, order, situation, held=False)
    return {"type": "update", "description": f"{_CHANGE}{said(dose)}{_PER_DAY}", "resource": resource}


def dose_changes(card: dict[str, Any]) -> Iterator[Decimal]:
    """The doses in mg/day that the suggestions of a card would change an order to."""
    for suggestion in card.get("suggestions", ()):
        for action in suggestion["actions"]:
            if action["description"].startswith(_CHANGE):
                yield Decimal(action["description"].removeprefix(_CHANGE).removesuffix(_PER_DAY))


def _record(resource: dict[str, Any], reference: str | None, situation: Situation, *, held: bool) -> None:
    """Keep the day and the dose before in an order under which sirolimus is already taken; a draft that changes it has its id."""
    patient = situation.patient
    current = patient.course.current if patient.taking else None
    for taken in current.orders if current is not None else ():
        if taken.reference == reference and taken.dose.per_day is not None:
            now = patient.now.replace(microsecond=0)
            record_change(resource, OrderChange(Moment(now.date(), now), taken.dose.per_day, held))


def _without_empties(value: Any) -> Any:
    """An order that may be sent back, without null and empty elements: they are not valid FHIR, but a client may send them."""
    if isinstance(value, dict):
        kept = {key: _without_empties(part) for key, part in value.items()}
        return {key: part for key, part in kept.items() if part is not None and part not in ("", [], {})}
    if isinstance(value, list):
        return [part for part in map(_without_empties, value) if part is not None and part not in ("", [], {})]
    return value


def _has_holes(value: Any) -> bool:
    """Whether a list holds null: it marks the position of an element whose extension is in a parallel list, and cannot be removed."""
    if isinstance(value, dict):
        return any(map(_has_holes, value.values()))
    return isinstance(value, list) and (None in value or any(map(_has_holes, value)))


def _order_to_change(situation: Situation, suggestion: Suggestion) -> str | None:
    order = (order_to_hold if suggestion.action == "hold" else target_order)(situation.patient)
    if order is None or not order.id or not order.reference.startswith("MedicationRequest/"):
        return None
    return order.reference


def _set_dose(resource: dict[str, Any], situation: Situation, per_day: Decimal) -> bool:
    """Write the new amount per intake in place of the old one; everything else stays as it was."""
    order = target_order(situation.patient)
    instructions = resource.get("dosageInstruction")
    if (
        order is None
        or order.dose.per_day is None
        or order.dose.per_intake is None
        or not isinstance(instructions, list)
    ):
        return False
    if _beyond_one_amount(instructions):
        return False
    changed = False
    for instruction in instructions:
        instruction.pop("text", None)  # the text would still state the old dose
        instruction.pop("patientInstruction", None)
        quantities = [rate["doseQuantity"] for rate in instruction.get("doseAndRate", ()) if "doseQuantity" in rate]
        if "doseQuantity" in instruction:
            quantities.append(instruction["doseQuantity"])
        for quantity in quantities:
            try:
                value = Decimal(str(quantity["value"])) * per_day / order.dose.per_day
                if value != value.quantize(Decimal("0.0001")):
                    return False
            except (ArithmeticError, KeyError, TypeError):
                return False  # another amount of the order, besides the one that was read, cannot be read
            quantity["value"] = _number(value)
            changed = True
    return changed


def _beyond_one_amount(instructions: list[dict[str, Any]]) -> bool:
    """Whether there are steps by date, or limits in addition to the dose: a new amount would contradict what stays."""
    bounds = [str(each.get("timing", {}).get("repeat", {}).get("boundsPeriod")) for each in instructions]
    limits = ("maxDosePerPeriod", "maxDosePerAdministration", "maxDosePerLifetime")
    return len(set(bounds)) > 1 or any(limit in each for each in instructions for limit in limits)


def _number(value: Decimal) -> int | Decimal:
    plain = value.normalize()
    return int(plain) if plain == plain.to_integral_value() else plain


def _order_level(situation: Situation, suggestion: Suggestion) -> dict[str, Any]:
    draw = situation.of(draw_at)
    words = "Sirolimus level (trough, whole blood in EDTA)"
    request = _service_request(situation, _LEVEL_CODE, "Sirolimus [Mass/volume] in Blood", words)
    request["patientInstruction"] = "Draw just before the next dose and record when the last dose was taken."
    first, last = _counted(situation, suggestion) if suggestion.days else situation.of(draw_within)
    if isinstance(draw, Draw) and first == draw.at.date():
        request["occurrenceDateTime"] = draw.at.isoformat() if draw.timed else first.isoformat()
    else:
        request["occurrencePeriod"] = {"start": first.isoformat(), "end": last.isoformat()}
    return {
        "type": "create",
        "description": f"Order a sirolimus trough level from {first.isoformat()}",
        "resource": request,
    }


def order_test(situation: Situation, test_id: str) -> dict[str, Any] | None:
    """The action that orders one test of the schedule; None for one that is not in it."""
    test = next((each for each in situation.knowledge.tests if each.id == test_id), None)
    if test is None:
        return None
    request = _service_request(situation, test.loinc, test.display, test.means)
    return {"type": "create", "description": f"Order {test.means}", "resource": request}


def _service_request(situation: Situation, code: str, display: str, words: str) -> dict[str, Any]:
    return {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "code": {"coding": [{"system": _LOINC, "code": code, "display": display}], "text": words},
        "subject": {"reference": f"Patient/{situation.chart.patient_id}"},
        "authoredOn": situation.patient.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _begins(situation: Situation, since: str) -> date:
    """The day from which a rule counts: that of the fact or, if later, of the last dose change, which a level must also reflect."""
    patient, today = situation.patient, situation.patient.now.date()
    found = situation.facts.dates.get(since)
    if found is None or patient.drafts:
        return today
    last = patient.course.last_change
    return max(found, last.moment.day) if last is not None else found


def _counted(situation: Situation, suggestion: Suggestion) -> Within:
    """From which day to which day a rule wants a level, such as ``5-7``: not before tomorrow, and with some days left to draw it."""
    first, _, last = suggestion.days.partition("-")
    today, since = situation.patient.now.date(), _begins(situation, suggestion.since)
    opens = max(since + timedelta(days=int(first)), today + timedelta(days=1))
    return Within(opens, max(since + timedelta(days=int(last or first)), opens + timedelta(days=DRAWN_IN)))
