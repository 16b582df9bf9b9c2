"""What in a message is read, not used, ignored or cannot be read, resource by resource."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

import msgspec

from cds.chart.body import Placed, places
from cds.chart.drugs import UNKNOWN_DRUG
from cds.chart.isolate import CONTEXT, Broken
from cds.chart.model import Chart, Dose, DrugUse, Lab, Order, Unread
from cds.chart.read import READERS, read_one, unread_of
from cds.chart.reader import Reader
from cds.chart.request import Draft, Request
from cds.chart.wire import CodeableConcept, Resource
from cds.chart.words import COUNT, NG_ML
from cds.compiled.knowledge import Knowledge

Verdict = Literal["cannot be read", "not used", "read", "ignored"]
VERDICTS: tuple[Verdict, ...] = ("cannot be read", "not used", "read", "ignored")
_LABS = {
    "level": ("sirolimus level", NG_ML),
    "trough": ("sirolimus trough", NG_ML),
    "platelets": ("platelet count", COUNT),
    "weight": ("weight", "kg"),
    "height": ("height", "cm"),
    "hcg": ("pregnancy test", ""),
    "clumps": ("platelet clumps", ""),
    "treg": ("regulatory T cells", ""),
    "bleeding-grade": ("bleeding grade", ""),
}
_BY_REFERENCE = ("Medication", "Specimen")


class Finding(msgspec.Struct, frozen=True):
    """What became of one resource. ``place`` is its FHIR path, down to the element in question."""

    place: str
    reference: str
    verdict: Verdict
    says: str


def survey(request: Request, knowledge: Knowledge, now: datetime) -> list[Finding]:
    """One or more findings for every resource of ``request``, in the order of the input."""
    drafts = {id(draft.resource): draft for draft in request.drafts}
    older = {id(resource) for resource in request.older}
    unclear = {id(resource) for resource in request.unclear}
    findings: list[Finding] = []
    reader = Reader(request, knowledge, now)
    for placed in places(request.message):
        resource = placed.resource
        if id(resource) in older:
            findings.append(_finding(placed, "not used", "a newer version of it, or the same again, is there"))
        elif id(resource) in unclear:
            findings.append(_finding(placed, "cannot be read", "two versions differ, and nothing says which is newer"))
        else:
            findings += _of_one(placed, reader, drafts.get(id(resource)))
    findings += [_broken(broken, knowledge) for broken in request.broken]
    return findings


def _finding(placed: Placed, verdict: Verdict, says: str, at: str = "") -> Finding:
    place = f"{placed.place}.{at}" if at else placed.place
    return Finding(place, placed.resource.reference, verdict, says)


def _of_one(placed: Placed, reader: Reader, draft: Draft | None) -> Iterator[Finding]:
    resource = placed.resource
    kind = resource.resourceType
    if kind == "Patient":
        yield from _patient(placed, reader)
    elif kind in _BY_REFERENCE:
        yield _finding(placed, "read", "where an order or a result points to it")
    elif kind == "OperationOutcome":
        yield _finding(placed, "ignored", "OperationOutcome: a message of the server")
    elif kind not in READERS:
        yield _finding(placed, "ignored", f"{kind}: no rule needs this type")
    else:
        alone = read_one(reader, resource, draft)
        found = list(_taken(placed, alone))
        yield from found or [_finding(placed, "ignored", f"{kind} {_code(resource)}: no rule needs this code")]


def _taken(placed: Placed, chart: Chart) -> Iterator[Finding]:
    """Findings from the chart that the reader made of this resource alone."""
    for item in chart.unread:
        yield _finding(placed, "cannot be read", f"{_subject(item)}: {item.reason}", item.at)
    for item in chart.left_out:
        yield _finding(placed, "not used", f"{_subject(item)}: {item.reason}", item.at)
    for order in chart.orders:
        yield _order(placed, order)
    for use in chart.drugs:
        yield _finding(placed, "read", f"{use.name}, {_given(use)}" + _by_name(use.by_name))
    for intake in chart.intakes:
        time = "" if intake.moment.at is not None else " (without a time of day)"
        yield _finding(placed, "read", f"a dose of sirolimus that was given{time}")
    for lab in (lab for labs in chart.labs.values() for lab in labs):
        yield _lab(placed, lab)
    for problem in chart.problems:
        yield _finding(placed, "read", f"{problem.display}, {'active' if problem.active else 'not active'}")
    for event in chart.events:
        yield _finding(placed, "read", event.name)
    for problem in chart.allergies:
        yield _finding(placed, "read", f"allergy: {problem.display}")
    for plan in chart.plans:
        yield _finding(placed, "read", f"planned: {plan.display}")
    if chart.test_orders:
        named = (_LABS[name][0] if name in _LABS else name for name in sorted(chart.test_orders))
        yield _finding(placed, "read", "an open order of " + ", ".join(dict.fromkeys(named)))


def _subject(item: Unread) -> str:
    return "an unidentified drug" if item.subject == UNKNOWN_DRUG else item.subject


def _order(placed: Placed, order: Order) -> Finding:
    if order.dose.problem:
        at = (
            order.dose.at if placed.resource.dosageInstruction is not None else order.dose.at.replace("Instruction", "")
        )
        return _finding(placed, "cannot be read", f"sirolimus: {order.dose.problem}", at)
    if order.start is None:
        return _finding(placed, "cannot be read", "sirolimus: it has no date that can be read", "authoredOn")
    kind = "draft order" if order.draft else f"{order.status} order"
    return _finding(placed, "read", f"sirolimus, {kind}, {_dose(order.dose)}" + _by_name(order.by_name))


def _dose(dose: Dose) -> str:
    if dose.per_day is not None:
        return f"{dose.per_day.normalize():f} mg/day"
    amount = f"{dose.on_one_day.normalize():f} mg " if dose.on_one_day is not None else ""
    return f"{amount}{dose.rhythm}"


def _given(use: DrugUse) -> str:
    return "given" if use.given else "draft order" if use.draft else use.status


def _by_name(by_name: bool) -> str:
    return ", matched by name" if by_name else ""


def _lab(placed: Placed, lab: Lab) -> Finding:
    name, unit = _LABS.get(lab.name, (lab.name, ""))
    if lab.problem:
        return _finding(placed, "cannot be read", f"{name}: {lab.problem}", lab.at)
    if lab.wrong_specimen:
        return _finding(placed, "not used", f"{name}: {lab.wrong_specimen}", "specimen")
    if lab.amount is not None:
        unit = unit or lab.amount.printed
        name += f" {lab.amount.comparator}{lab.amount.value.normalize():f} {unit}"
        name += f" (from {lab.amount.printed})" if lab.amount.printed not in ("", unit) else ""
    time = "" if lab.moment is not None and lab.moment.at is not None else ", without a time of day"
    return _finding(placed, "read", f"{name}, {lab.status}{time}" + _by_name(lab.by_name))


def _patient(placed: Placed, reader: Reader) -> Iterator[Finding]:
    chart = read_one(reader, placed.resource, None)
    if not chart.patient_reference:
        yield _finding(placed, "ignored", "Patient: not the one that is judged")
        return
    if chart.birth is None:
        yield _finding(placed, "cannot be read", "age: there is no birth date that can be read", "birthDate")
    elif chart.birth.first != chart.birth.last:
        yield _finding(placed, "read", "birth date, not known to the day", "birthDate")
    if chart.deceased:
        yield _finding(placed, "read", "has died: nothing is judged", "deceased[x]")
    known = [word for word, there in (("birth date", chart.birth is not None), ("sex", bool(chart.gender))) if there]
    yield _finding(placed, "read", "patient: " + (" and ".join(known) or "no birth date, no sex"))


def _code(resource: Resource) -> str:
    """The first code of a resource; its texts are not repeated."""
    concept = resource.code or resource.medicationCodeableConcept
    coding = next((c for c in (concept.coding or [] if isinstance(concept, CodeableConcept) else []) if c.code), None)
    if coding is not None:
        return f"{coding.system or 'no system'}|{coding.code}"
    return "by reference" if resource.medicationReference is not None else "without a code"


def _broken(broken: Broken, knowledge: Knowledge) -> Finding:
    ours = unread_of(broken, knowledge)
    place = f"{broken.place}.{broken.at[0]}" if len(broken.at) == 1 else broken.place
    elements = f": {', '.join(broken.at)}" if len(broken.at) > 1 else ""
    orders = broken.place.startswith(CONTEXT) and "." not in broken.place.removeprefix(CONTEXT)
    verdict: Verdict = "cannot be read" if ours is not None or orders else "ignored"
    subject = f"{ours.subject}: " if ours is not None else ""
    return Finding(place, broken.reference, verdict, f"{subject}{broken.reason}{elements}")
