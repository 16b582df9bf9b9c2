"""The oracle's own reading of FHIR R4: only the shapes that docs/fhir.md describes and charts.py makes.

A record is read into plain lists, and whatever lies after ``now`` is dropped here: "anything dated after `now`
does not exist" (rule-semantics, Time). A day is the calendar day in the source's own offset.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from tests.oracle import beside, conditions, readings
from tests.oracle.codes import (
    CLUMPS,
    GRADE,
    IS_NOT_PREGNANT,
    IS_PREGNANT,
    LEVELS,
    NMOL,
    OPERATIONS,
    PLATELET_TRANSFUSION,
    PREGNANCY_STATUS,
    SCREENING,
    SIROLIMUS,
    SPLENECTOMY,
    SURGERY,
    YES_OR_NO,
)
from tests.oracle.dates import codes, drug, when
from tests.oracle.record import Dose, Json, Order, Problem, Record, Test, Value, When


def resources(body: Json) -> Iterator[Json]:
    """Every resource, of a Bundle or of a prefetch."""
    bundles = [body] if body.get("resourceType") == "Bundle" else list(body["prefetch"].values())
    for bundle in bundles:
        if bundle.get("resourceType") == "Bundle":
            yield from (entry["resource"] for entry in bundle.get("entry", []))
        else:
            yield bundle


def _dose(instruction: Json) -> Dose | None:
    repeat = instruction.get("timing", {}).get("repeat", {})
    if "doseAndRate" not in instruction or "frequency" not in repeat:
        return None
    amount = Decimal(str(instruction["doseAndRate"][0]["doseQuantity"]["value"]))  # 1 mL of the solution is 1 mg
    days = repeat["period"] * {"d": 1, "wk": 7}[repeat["periodUnit"]]
    return Dose(amount, repeat["frequency"], days)


def _orders(resource: Json, draft: bool) -> list[Order]:
    """An order, or each step of a taper, with its dates, as an order of its own (fhir.md, Dose)."""
    steps = resource.get("dosageInstruction") or [{}]
    made = [_order(resource, step, draft) for step in steps]
    for order, following in pairwise(made):
        order.step, order.end = True, following.start
        order.id += f"#{order.start}"
    return made


def _order(resource: Json, instruction: Json, draft: bool) -> Order:
    """Start: boundsPeriod.start, else validityPeriod.start, else authoredOn; its end likewise (fhir.md)."""
    bounds = instruction.get("timing", {}).get("repeat", {}).get("boundsPeriod", {})
    validity = resource.get("dispenseRequest", {}).get("validityPeriod", {})
    authored = resource["authoredOn"]
    over = resource["status"] in ("stopped", "completed")
    end = bounds.get("end") or (validity.get("end") if over else None)
    links = [resource["priorPrescription"]] if "priorPrescription" in resource else []
    return Order(
        id=resource["id"],
        code=drug(resource["medicationCodeableConcept"]),
        status=resource["status"],
        start=when(bounds.get("start") or validity.get("start") or authored).day,
        end=when(end).day if end else None,
        authored=when(authored).day,
        dose=_dose(instruction),
        group=resource.get("groupIdentifier", {}).get("value"),
        prior=[link["reference"].split("/")[-1] for link in links + resource.get("basedOn", [])],
        itp=any("itp" in conditions.kinds(reason) for reason in resource.get("reasonCode", [])),
        draft=draft,
    )


def _read_order(record: Record, resource: Json) -> None:
    """Proposals and plans are no orders, unless a plan is what the patient reports to take; nor is what is not to be
    done, or what lies ahead."""
    planned = resource["intent"] in ("proposal", "option") or (
        resource["intent"] == "plan" and not resource.get("reportedBoolean")
    )
    if planned or resource.get("doNotPerform"):
        return
    if resource["status"] in ("active", "on-hold", "stopped", "completed"):
        record.orders += [o for o in _orders(resource, False) if o.start <= record.today]


def _condition(record: Record, resource: Json) -> None:
    """ITP counts active or unspecified, not refuted; a bleed by its onset (rule-semantics, The course, Response)."""
    verification = codes(resource.get("verificationStatus"))
    if "refuted" in verification or "entered-in-error" in verification:
        return
    clinical = (codes(resource.get("clinicalStatus")) or [""])[0]
    start = resource.get("onsetDateTime") or resource.get("recordedDate")
    if start and when(start).day > record.today:
        return
    since = when(start).day if start else None
    active = _active(resource, record.today)
    mild = any(code in conditions.MILD for code in codes(resource.get("severity")))
    for kind in conditions.kinds(resource["code"]):
        if kind == "itp" and clinical in ("active", "recurrence", "relapse", ""):
            record.itp = True
        if kind in conditions.BLEEDS and since:
            record.bleeds.append(since)
        record.problems.append(Problem(resource["id"], kind, active, since, mild))


def _active(resource: Json, today: date) -> bool:
    """active, recurrence and relapse are active; none at all is active unless it has abated (fhir.md, Condition)."""
    clinical = (codes(resource.get("clinicalStatus")) or [""])[0]
    if clinical:
        return clinical in ("active", "recurrence", "relapse")
    over = resource.get("abatementDateTime")
    return over is None or when(over).day > today


def _administration(record: Record, resource: Json, at: When) -> None:
    """A dose that was given; or one of sirolimus "documented as not given", or held."""
    code = drug(resource["medicationCodeableConcept"])
    if resource["status"] == "completed":
        record.given.append((code, at))
    elif resource["status"] == "not-done" and code in SIROLIMUS:
        record.missed.append(at)
    elif resource["status"] == "on-hold" and code in SIROLIMUS:
        record.held.append(at)


def _value(resource: Json, code: str, at: When) -> Value:
    quantity = resource.get("valueQuantity") or _in_words(resource["valueString"])
    printed = Decimal(str(quantity["value"]))
    value = printed * NMOL if quantity["unit"] == "nmol/L" else printed
    specimen = resource.get("specimen", {}).get("display", "").lower()
    high = resource.get("referenceRange", [{}])[0].get("high", {}).get("value")
    return Value(
        code=code,
        when=at,
        value=value,
        comparator=quantity.get("comparator", ""),
        status=resource["status"],
        specimen=specimen,
        unit=quantity["unit"],
        printed=printed,
        upper=None if high is None else Decimal(str(high)),
        method=resource.get("method", {}).get("text", ""),
    )


def _in_words(text: str) -> Json:
    """One number with a unit, such as "<2.0 ng/mL"."""
    number, unit = text.split()
    bare = number.lstrip("<>=")
    return {"value": bare, "unit": unit, "comparator": number[: len(number) - len(bare)]}


def _observation(record: Record, resource: Json, at: When) -> None:
    code = codes(resource["code"])[0]
    if resource["status"] not in ("final", "amended", "corrected", "preliminary"):
        return
    if code in CLUMPS:
        if resource["valueString"] == "present":
            record.clumps.append(at)
    elif code == GRADE and resource["status"] != "preliminary":
        record.grades.append((at, resource["valueInteger"]))
        if resource["valueInteger"] >= 1:  # "a WHO grade of at least 1, with onset in the 28 days before the count"
            record.bleeds.append(at.day)
    elif code in YES_OR_NO:
        words = resource.get("valueString", "")
        early = resource["status"] == "preliminary"
        harm = readings.PRELIMINARY_HARM_COUNTS and SCREENING[code] == "hcg" and words == "positive"
        if not early or harm:
            record.tests.append(Test(code, at, {"positive": True, "negative": False}.get(words)))
    elif code == PREGNANCY_STATUS:
        said = codes(resource.get("valueCodeableConcept"))
        if resource["status"] != "preliminary" and set(said) & {IS_PREGNANT, IS_NOT_PREGNANT}:
            record.statuses.append((at, IS_PREGNANT in said))
    elif "valueQuantity" in resource or code in LEVELS:
        record.values.append(_value(resource, code, at))


def _level_order_counts(resource: Json, today: date) -> bool:
    """An order of a level counts for 45 days after it was written (fhir.md, ServiceRequest)."""
    if resource["status"] != "active" or resource["intent"] != "order" or "29247-4" not in codes(resource["code"]):
        return False
    written = when(resource["authoredOn"]).day
    return written <= today <= written + timedelta(days=45)


def _level_of_today(resource: Json, at: When, now: datetime) -> bool:
    """A level dated later today, or within an hour: the clock that wrote it may be fast."""
    if resource["resourceType"] != "Observation" or codes(resource["code"])[0] not in LEVELS or at.at is None:
        return False
    near = at.day == now.date() or at.at - now <= timedelta(hours=1)
    return near and resource["status"] in ("final", "amended", "corrected", "preliminary")


def read(body: Json, now: datetime) -> Record:
    """The record as it stands at ``now``."""
    hook = body.get("hook", "patient-view")
    everything = list(resources(body))
    patient = next(r for r in everything if r["resourceType"] == "Patient")
    record = Record(hook, now.date(), now, date.fromisoformat(patient["birthDate"]), gender=patient.get("gender", ""))
    for resource in everything:
        kind = resource["resourceType"]
        stamp = resource.get("effectiveDateTime") or resource.get("performedDateTime")
        at = when(stamp) if stamp else None
        if at and (at.day > record.today or (at.at and at.at > now)):
            record.level_ahead |= readings.A_LEVEL_OF_TODAY_MAY_BE_THERE and _level_of_today(resource, at, now)
            continue
        if kind == "MedicationRequest" and resource["status"] != "draft":
            _read_order(record, resource)
        elif kind == "MedicationAdministration" and at:
            _administration(record, resource, at)
        elif kind == "Observation" and at:
            _observation(record, resource, at)
        elif kind == "Condition":
            _condition(record, resource)
        elif kind == "Procedure" and resource["status"] == "completed" and at:
            if PLATELET_TRANSFUSION in codes(resource["code"]):
                record.transfusions.append(at)
            if SPLENECTOMY in codes(resource["code"]):
                record.splenectomies.append(at.day)
            if set(codes(resource["code"])) & {*OPERATIONS, SURGERY}:
                record.operated.append(at.day)
        elif kind == "ServiceRequest":
            record.level_ordered = record.level_ordered or _level_order_counts(resource, record.today)
            beside.service(record, resource)
        else:
            beside.read(record, resource)
    if record.ordering:
        _read_drafts(record, body["context"])
    record.itp = record.itp or any(order.itp for order in record.orders if order.draft and order.code in SIROLIMUS)
    return record


def _read_drafts(record: Record, context: Json) -> None:
    """On order-select the selections are the drafts; missing, empty or unknown ones mean all drafts (fhir.md)."""
    drafts = [entry["resource"] for entry in context["draftOrders"]["entry"]]
    chosen = drafts
    if record.hook == "order-select":
        wanted = {ref.split("/")[-1] for ref in context.get("selections", [])}
        chosen = [draft for draft in drafts if draft["id"] in wanted] or drafts
    for draft in drafts:
        if draft["resourceType"] == "ServiceRequest":
            beside.service(record, draft, draft=True)
        elif draft in chosen:
            record.orders += _orders(draft, True)
        else:
            record.unselected += _orders(draft, True)
