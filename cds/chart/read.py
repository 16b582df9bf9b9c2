"""A request's resources read into a :class:`Chart`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from cds.chart.labs import read_lab
from cds.chart.medications import concept_of, drugs_of, meant_by
from cds.chart.model import Chart, DrugUse, Event, Intake, Order, Problem, Unread
from cds.chart.orders import Entry, read_entry
from cds.chart.request import Request, subject_id
from cds.chart.times import Moment, parse_birth_date, parse_moment
from cds.chart.wire import CodeableConcept, Dosage, Resource, later
from cds.knowledge.compiled import Concept, Knowledge

_SPECIMENS = {
    "119364003": "serum",
    "119361006": "plasma",
    "440500007": "dried blood spot",
    "SER": "serum",
    "PLAS": "plasma",
}
_TAKEN = ("active", "on-hold", "stopped", "completed")
_ACTIVE_CLINICAL = ("active", "recurrence", "relapse")
_NOT_SO = ("refuted", "entered-in-error")


def read_chart(request: Request, knowledge: Knowledge, now: datetime) -> Chart:
    """Everything of ours in ``request`` that exists at ``now``."""
    chart = Chart(request.patient_id, not_supplied=request.not_supplied, incomplete=request.incomplete)
    chart.unread = list(request.unread)
    reader = _Reader(chart, request, knowledge, now)
    for resource in request.resources:
        kind = resource.resourceType
        if kind == "Observation":  # nearly all of a chart, and nearly none of it ours
            concept = meant_by(resource.code, knowledge)
            if concept is not None:
                reader.observation(resource, concept)
        elif (read := _READERS.get(kind)) is not None:
            read(reader, resource)
    for resource in request.drafts:
        reader.order(resource, draft=True, selected=request.selected is None or resource.reference in request.selected)
    return chart


class _Reader:
    def __init__(self, chart: Chart, request: Request, knowledge: Knowledge, now: datetime) -> None:
        self.chart, self.request, self.knowledge, self.now = chart, request, knowledge, now
        self._by_reference: dict[str, Resource] | None = None
        self._seen: set[tuple[str, bool]] = set()

    def _is_ours(self, resource: Resource, subject: str) -> bool:
        """Whether the resource is this patient's; if it is another's or nobody's, it is named and left."""
        whose = subject_id(resource)
        if whose == self.chart.patient_id or whose == f"urn:uuid:{self.chart.patient_id}":
            return True
        if whose is not None:
            owner = self.request.full_urls.get(whose)
            if owner is not None and owner.resourceType == "Patient" and owner.id == self.chart.patient_id:
                return True
            reason = "it belongs to another patient"
        else:
            reason = "it does not say whose it is"
        self.chart.unread.append(Unread(resource.reference, reason, subject))
        return False

    def resolve(self, resource: Resource, reference: str) -> Resource | None:
        if reference.startswith("#"):
            return next((inner for inner in later(resource.contained, Resource) if inner.id == reference[1:]), None)
        if reference in self.request.full_urls:
            return self.request.full_urls[reference]
        if self._by_reference is None:
            self._by_reference = {each.reference: each for each in (*self.request.resources, *self.request.drafts)}
        parts = reference.split("/_history/")[0].split("/")
        return self._by_reference.get("/".join(parts[-2:]))

    def patient(self, resource: Resource) -> None:
        if resource.id != self.chart.patient_id:
            return
        self.chart.patient_reference = resource.reference
        self.chart.birth = parse_birth_date(resource.birthDate)
        self.chart.gender = resource.gender or ""

    def observation(self, resource: Resource, concept: Concept) -> None:
        if not self._is_ours(resource, concept.valueset):
            return
        lab = read_lab(resource, concept, self._specimen(resource), self.knowledge)
        if lab is not None and not (lab.moment is not None and lab.moment.is_after(self.now)):
            self.chart.labs.setdefault(lab.name, []).append(lab)

    def _specimen(self, resource: Resource) -> str:
        if resource.specimen is None:
            return ""
        found = self.resolve(resource, resource.specimen.reference) if resource.specimen.reference else None
        kind = found.type if found is not None else None
        concepts = kind if isinstance(kind, list) else [kind] if isinstance(kind, CodeableConcept) else []
        said = [text for c in concepts for text in (c.text, *(x.display for x in c.coding or ())) if text]
        said += [_SPECIMENS[x.code] for c in concepts for x in c.coding or () if x.code in _SPECIMENS]
        return " ".join([*said, resource.specimen.display or ""])

    def order(self, resource: Resource, draft: bool = False, selected: bool = True) -> None:
        """A MedicationRequest or MedicationStatement; one that is sent twice is one."""
        status = resource.status or ""
        if resource.id and (resource.reference, draft) in self._seen:
            return
        self._seen.add((resource.reference, draft))
        if (
            resource.doNotPerform
            or resource.intent in ("proposal", "plan", "option")
            or (not draft and status == "draft")
        ):
            return
        concept = concept_of(resource, self.resolve)
        dosages = resource.dosageInstruction
        if dosages is None:
            dosages = resource.dosage if isinstance(resource.dosage, list) else None
        drugs = drugs_of(concept, dosages, self.knowledge) if concept else []
        if not drugs:
            return
        if not self._is_ours(resource, drugs[0].concept.valueset):
            return
        if draft and status in ("on-hold", "stopped", "cancelled", "completed", "entered-in-error"):
            return  # an order being ended is not an order being given
        if not draft and status not in _TAKEN:
            if status not in ("cancelled", "entered-in-error", "ended", "intended", "not-taken"):
                self.chart.unread.append(
                    Unread(resource.reference, "its status is not understood", drugs[0].concept.valueset)
                )
            return
        assert concept is not None
        for drug in drugs:
            if drug.oral:
                entry = Entry(resource, concept, drug, dosages, status, draft, selected)
                for read in read_entry(entry, self.knowledge, self.now):
                    if isinstance(read, Order):
                        self.chart.orders.append(read)
                    else:
                        self.chart.drugs.append(read)

    def administration(self, resource: Resource) -> None:
        if resource.status not in ("completed", "in-progress"):
            return
        concept = concept_of(resource, self.resolve)
        dosages = [resource.dosage] if isinstance(resource.dosage, Dosage) else None
        drugs = drugs_of(concept, dosages, self.knowledge) if concept else []
        if not drugs or not self._is_ours(resource, drugs[0].concept.valueset):
            return
        period = resource.effectivePeriod
        moment = parse_moment(resource.effectiveDateTime or (period.start if period else None))
        for drug in drugs:
            if moment is None:
                self.chart.unread.append(Unread(resource.reference, "its time cannot be read", drug.concept.valueset))
            elif not drug.oral or moment.is_after(self.now):
                continue
            elif drug.concept.valueset == "sirolimus":
                if moment.at is not None and (moment.at.hour, moment.at.minute, moment.at.second) == (0, 0, 0):
                    moment = Moment(moment.day)  # midnight is what systems print for a date without a time
                if resource.status == "completed":
                    self.chart.intakes.append(Intake(resource.reference, moment))
            else:
                end = parse_moment(period.end) if period and period.end else moment
                self.chart.drugs.append(
                    DrugUse(
                        resource.reference,
                        drug.concept.valueset,
                        drug.concept.name,
                        "completed",
                        False,
                        moment,
                        end,
                        given=True,
                    )
                )

    def condition(self, resource: Resource) -> None:
        concept = meant_by(resource.code, self.knowledge)
        if (
            concept is None
            or concept.valueset not in ("itp", "bleeding", "pregnancy")
            or not self._is_ours(resource, concept.valueset)
        ):
            return
        if _status_word(resource.verificationStatus) in _NOT_SO:
            return
        onset_text = resource.onsetDateTime or (resource.onsetPeriod.start if resource.onsetPeriod else None)
        onset = parse_moment(onset_text or resource.recordedDate)
        if onset is not None and onset.is_after(self.now):
            return
        end = parse_moment(resource.abatementDateTime or (resource.onsetPeriod.end if resource.onsetPeriod else None))
        clinical = _status_word(resource.clinicalStatus)
        active = clinical in _ACTIVE_CLINICAL or (not clinical and resource.abatementDateTime is None)
        if concept.name == "bleeding" and active and onset is None:
            self.chart.unread.append(Unread(resource.reference, "its date cannot be read", concept.valueset))
        self.chart.problems.append(Problem(resource.reference, concept.name, active, onset, end, concept.display))

    def procedure(self, resource: Resource) -> None:
        concept = meant_by(resource.code, self.knowledge)
        if (
            concept is None
            or resource.status not in ("completed", "in-progress")
            or not self._is_ours(resource, concept.valueset)
        ):
            return
        period = resource.performedPeriod
        moment = parse_moment(resource.performedDateTime or (period.end or period.start if period else None))
        if moment is None:
            self.chart.unread.append(Unread(resource.reference, "its date cannot be read", concept.valueset))
        elif not moment.is_after(self.now):
            self.chart.events.append(Event(resource.reference, concept.name, moment))

    def service_request(self, resource: Resource) -> None:
        concept = meant_by(resource.code, self.knowledge)
        if (
            concept is not None and concept.valueset == "sirolimus-level" and resource.status == "active"
        ) and self._is_ours(resource, concept.valueset):
            self.chart.level_orders.append(resource.reference)


_READERS: dict[str, Callable[[_Reader, Resource], None]] = {
    "Patient": _Reader.patient,
    "MedicationRequest": _Reader.order,
    "MedicationStatement": _Reader.order,
    "MedicationAdministration": _Reader.administration,
    "Condition": _Reader.condition,
    "Procedure": _Reader.procedure,
    "ServiceRequest": _Reader.service_request,
}


def _status_word(status: CodeableConcept | str | None) -> str:
    if isinstance(status, CodeableConcept):
        return next((coding.code for coding in status.coding or () if coding.code), status.text or "")
    return status or ""
