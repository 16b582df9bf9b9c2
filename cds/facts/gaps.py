"""What could not be judged, and why: resources that were not read, facts that are missing, and what the protocol does not cover."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from cds.chart.drugs import UNKNOWN_DRUG
from cds.chart.model import Chart, Intake, Lab, Unread
from cds.chart.words import listed, on_day
from cds.compiled.knowledge import Window
from cds.course.kinds import Problems
from cds.course.patient import Patient
from cds.course.problems import active
from cds.facts.limits import Limits
from cds.facts.question import DIED
from cds.plan.declare import Answer, Days, Named, Told, Unknown, names, part

_NEEDED_FOR = {
    "MedicationAdministration": "the time since the last dose and infusions that raise the platelet count",
    "MedicationStatement": "drugs that the patient takes without an order",
    "Observation": "levels, platelet counts and weight",
    "Condition": "the diagnosis, bleeding and pregnancy",
    "Procedure": "transfusions and splenectomy",
    "AllergyIntolerance": "allergies to sirolimus or to what its solution holds",
    "Patient": "the age group",
}
_SUBJECTS = {
    "sirolimus": "the dose of sirolimus",
    "sirolimus-level": "the sirolimus level",
    "platelets": "the response",
    "body-size": "the dose by body size",
    "itp": "whether ITP is on record",
    "bleeding": "bleeding",
    "bleeding-grade": "bleeding",
    "pregnancy": "pregnancy",
    "procedures": "what a platelet count means",
    "treg": "the trend of regulatory T cells",
    "corticosteroid": "what a platelet count means",
    "immunoglobulin": "what a platelet count means",
    "platelet-stimulator": "what a platelet count means",
    "rituximab": "what a platelet count means",
    "drug": "interactions and the dose",
    "hepatitis-b": "hepatitis B",
    "allergen": "allergies",
    "surgery": "surgery that is planned",
    "other-indication": "what sirolimus is given for",
}
_MOST = 20
_ALIKE = 3  # more than this many resources unread for the same reason are counted, not listed
_OTHERS = "interactions"
_WHAT = {*_SUBJECTS.values(), _OTHERS}
_UNSEEN_START = Named(
    "Start of the course",
    "a level is older than the first order on record: phase, baseline and landmarks are not judged, "
    "and the dose is held against the widest window",
    fact="days_on_sirolimus",
)


@names("what could not be read or is missing, and what it keeps from being judged", none="nothing is missing")
def gaps(
    patient: Patient,
    relevant: bool | Unknown,
    gaps_of_sirolimus: list[Named] | Unknown,
    unidentified_orders: list[Unread],
    chart: Chart,
) -> Answer[list[Named]]:
    """For an order of another drug, only gaps in the drafts and in sirolimus itself: without these no interaction can be judged.

    Without sirolimus on record, only orders that may nevertheless be of sirolimus.
    """
    if patient.deceased:
        return [Named("Nothing", DIED, (patient.reference,), "daily_dose")] if patient.drafts else []
    if not isinstance(gaps_of_sirolimus, Unknown):
        return gaps_of_sirolimus
    if isinstance(relevant, Unknown):
        return list(_unread(unidentified_orders))
    acts = any(use.draft for use in chart.drugs)
    meant = [item for item in chart.unread if item.draft and (patient.taking or item.subject == "sirolimus")]
    meant += [item for item in chart.unread if acts and not patient.taking and _is_order(item)]
    meant += [item for item in unidentified_orders if item.draft and item not in meant]
    return list(dict.fromkeys(_unread(meant)))


@part
def unidentified_orders(patient: Patient, itp_problems: Problems, chart: Chart) -> list[Unread]:
    """Orders that name no drug and whose Medication was not supplied: each may be an order of sirolimus.

    For a patient with ITP, every such order; for other patients only draft orders, because the request is about these.
    """
    found = [item for item in chart.unread if item.subject == UNKNOWN_DRUG]
    has_itp = bool(found and active(itp_problems, patient.now))
    return [item for item in found if item.draft or has_itp]


def _is_order(item: Unread) -> bool:
    """Whether this is an order or statement of sirolimus, not a draft: sirolimus may be taken."""
    return not item.draft and item.subject == "sirolimus" and item.reference.startswith("Medication")


@part
def gaps_of_sirolimus(
    asks_about_sirolimus: bool,
    gaps_of_record: list[Named],
    gaps_of_diagnosis: list[Named],
    gaps_of_facts: list[Named],
    gaps_of_course: list[Named],
    gaps_of_window: list[Named],
    unreadable_weights: list[Named],
    unreadable_heights: list[Named],
    gaps_of_levels: list[Named],
    gaps_of_counts: list[Named],
    gaps_of_results: list[Named],
) -> list[Named]:
    """Everything that prevents sirolimus from being judged; a resource that could not be read is named once."""
    gaps = [
        *gaps_of_record,
        *gaps_of_diagnosis,
        *gaps_of_facts,
        *unreadable_weights,
        *unreadable_heights,
        *gaps_of_course,
        *gaps_of_window,
        *gaps_of_levels,
        *gaps_of_counts,
        *gaps_of_results,
    ]
    named = {reference for gap in gaps if gap.fact in _WHAT for reference in gap.references}
    gaps = [gap for gap in gaps if gap.fact in _WHAT or not named.intersection(gap.references)]
    if len(gaps) > _MOST:
        gaps = [*gaps[:_MOST], Named(f"{len(gaps) - _MOST} more", "of the same kinds; see explain", fact="more")]
    return list(dict.fromkeys(gaps))


@part
def gaps_of_record(
    chart: Chart, unreadable_pregnancy_tests: list[Unread], unreadable_hepatitis_tests: list[Unread]
) -> list[Named]:
    """Resources that were not supplied, or that were supplied but not read."""
    unread = [*chart.unread, *unreadable_pregnancy_tests, *unreadable_hepatitis_tests]
    return [*_supply(chart), *_unread(unread)]


def _supply(chart: Chart) -> Iterator[Named]:
    for kind in chart.not_supplied:
        if kind in _NEEDED_FOR:
            yield Named(f"{kind} was not supplied", f"not judged: {_NEEDED_FOR[kind]}", fact="supply")
    for kind, why in chart.incomplete:
        yield Named(f"{kind} is incomplete", why, fact="supply")


def _unread(items: Sequence[Unread]) -> Iterator[Named]:
    alike: dict[tuple[str, str, str], list[Unread]] = {}
    for item in items:
        alike.setdefault((item.reference.partition("/")[0], item.reason, item.subject), []).append(item)
    for (kind, reason, subject), several in alike.items():
        what = _SUBJECTS.get(subject, _OTHERS)
        note = f"{reason}; it may matter for {what}"
        if len(several) > _ALIKE:
            references = tuple(item.reference for item in several)
            yield Named(f"{len(several)} {kind} resources were not read", note, references, what)
        else:
            for item in several:
                yield Named(f"{item.reference} was not read", note, (item.reference,), what)


@part
def gaps_of_facts(chart: Chart, rested_on: Told) -> list[Named]:
    """Facts that a rule of this hook depends on and that are missing, each with its own reason."""
    supplied = (each for each in rested_on.unknown if each.of not in chart.not_supplied)
    return list(dict.fromkeys(each.gap for each in supplied if each.gap is not None))


@part
def gaps_of_diagnosis(
    chart: Chart, itp_on_record: bool | Unknown, other_indications: list[Named] | Unknown
) -> list[Named]:
    """That the protocol does not cover this patient, or may not: this is known, not missing, but must be reported."""
    if itp_on_record is True and not isinstance(other_indications, Unknown):
        note = f"{listed(each.name for each in other_indications)} is on record, and the order does not say that sirolimus is for ITP; no dose is offered"
        references = tuple(reference for each in other_indications for reference in each.references)
        return [Named("What sirolimus is given for", note, references, "other_indications")]
    if itp_on_record is True or "Condition" in chart.not_supplied:
        return []
    note = "dose windows, level and response cards of the ITP protocol are not shown"
    return [Named("No ITP on record", note, fact="itp_on_record")]


@part
def gaps_of_course(
    patient: Patient,
    unseen_start_shown: Days,
    given_without_order: list[Intake],
    level_without_order: list[Lab],
    denials: list[Intake],
) -> list[Named]:
    """Orders and levels that cannot be placed in a course, and statements that contradict it."""
    course = patient.course
    undated = "it has no date that can be read"
    gaps = [Named("Start of an order", undated, (each.reference,), "days_on_sirolimus") for each in course.undated]
    if _start_is_news(patient, unseen_start_shown):
        gaps.append(_UNSEEN_START)
    for told in denials[:1]:
        note = f"an order of it is active, but a statement of {on_day(told.moment)} says that it is not taken, on hold or stopped"
        gaps.append(Named("Whether sirolimus is taken", note, (told.reference,), "daily_dose"))
    if course.state == "stopped_unknown" and course.current is not None:
        since = [f"a level of {on_day(lab.moment)}" for lab in level_without_order]
        since += [f"a dose of {on_day(intake.moment)}" for intake in given_without_order]
        still = f"; {' and '.join(since)} may mean that it is still taken" if since else ""
        note = f"the last order is over, but not since when{still}"
        return [*gaps, Named("End of the course", note, course.current.references, "days_on_sirolimus")]
    for intake in given_without_order:
        note = f"sirolimus was given on {on_day(intake.moment)}, but no order of it is on record"
        gaps.append(Named("Doses without an order", note, (intake.reference,), "daily_dose"))
    for lab in level_without_order:
        note = f"a sirolimus level of {on_day(lab.moment)} is on record, but no order of sirolimus for that time"
        gaps.append(Named("A level without an order", note, (lab.reference,), "daily_dose"))
    return gaps


def _start_is_news(patient: Patient, shown: int) -> bool:
    """Whether to report that the start of the course was not seen: always on order hooks, on patient-view for the first weeks on record."""
    first = patient.course.start
    recent = patient.ordering or (first is not None and first.days_until(patient.now) <= shown)
    return patient.day is None and patient.began_unseen and recent


@part
def gaps_of_window(
    daily_dose: Decimal | Unknown,
    patient: Patient,
    limits: Limits,
    windows: tuple[Window, ...],
    age_group: str | Unknown,
    phase: str | Unknown,
    itp_on_record: bool | Unknown,
) -> list[Named]:
    """A dose that the protocol does not cover."""
    if isinstance(daily_dose, Unknown) or itp_on_record is not True:
        return []
    why, references = _no_window(limits, windows, age_group, phase), (order.reference for order in patient.dose_orders)
    return [Named("Dose window", why, tuple(references), "daily_dose")] if why else []


def _no_window(limits: Limits, windows: Sequence[Window], age_group: str | Unknown, phase: str | Unknown) -> str:
    """Why the protocol does not cover the dose of such a patient in this phase; empty if it does."""
    if limits.size.surface is None and any(w.per_surface and w.age_group == age_group for w in windows):
        return "the protocol's window is by body surface, and there is no recent height and weight"
    if isinstance(age_group, Unknown) or isinstance(phase, Unknown) or limits.window is not None:
        return ""
    return f"the protocol gives no window for {'an adult' if age_group == 'adult' else 'a child'} in the {phase} phase"
