"""What could not be judged, and why: the one place where missing data is spoken of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cds.chart.model import Chart, Intake, Lab, Unread
from cds.chart.words import on_day
from cds.compiled.knowledge import WIDEST, Window
from cds.course.patient import Patient
from cds.facts.limits import Limits
from cds.facts.question import DIED
from cds.facts.unreadable import BY_WEIGHT
from cds.plan.declare import Answer, Days, Named, Unknown, names, part

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
}
_MOST = 20
_ALIKE = 3  # more things that were not read for one reason are counted, not listed
_OTHERS = "interactions"
_WHAT = {*_SUBJECTS.values(), _OTHERS}


@names("what could not be read or is missing, and what it keeps from being judged", none="nothing is missing")
def gaps(
    patient: Patient,
    relevant: bool | Unknown,
    gaps_of_sirolimus: list[Named] | Unknown,
    unread: tuple[Unread, ...],
) -> Answer[list[Named]]:
    """Of another drug's order only those of drafts: where no draft of sirolimus can be read, or it is taken."""
    if patient.deceased:
        return [Named("Nothing", DIED, (patient.reference,), "daily_dose")] if patient.drafts else []
    if not isinstance(gaps_of_sirolimus, Unknown):
        return gaps_of_sirolimus
    if isinstance(relevant, Unknown):
        return []
    meant = [item for item in unread if item.draft and (patient.taking or item.subject == "sirolimus")]
    return list(dict.fromkeys(_unread(meant)))


@part
def gaps_of_sirolimus(
    asked_about_sirolimus: bool,
    gaps_of_record: list[Named],
    gaps_of_patient: list[Named],
    gaps_of_course: list[Named],
    gaps_of_dose: list[Named],
    gaps_of_levels: list[Named],
    gaps_of_counts: list[Named],
    gaps_of_results: list[Named],
) -> list[Named]:
    """All that keeps sirolimus from being judged; a resource that could not be read is named once."""
    gaps = [
        *gaps_of_record,
        *gaps_of_patient,
        *gaps_of_course,
        *gaps_of_dose,
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
    """Resources that were not supplied, or that are there and were not read."""
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
def gaps_of_patient(
    chart: Chart,
    age_group: str | Unknown,
    weight: str | Unknown,
    itp_on_record: bool | Unknown,
    unreadable_sizes: list[Named],
) -> list[Named]:
    """Of the patient what the dose and the protocol depend on."""
    gaps = []
    if isinstance(age_group, Unknown) and "Patient" not in chart.not_supplied:
        gaps.append(Named("Birth date", f"{age_group.reason}; the dose window depends on it", fact="age_group"))
    unread = any(each.fact == BY_WEIGHT for each in unreadable_sizes)
    if age_group == "child" and isinstance(weight, Unknown) and not unread and "Observation" not in chart.not_supplied:
        gaps.append(Named("Weight", f"{weight.reason}; the dose is not judged by weight", fact="weight"))
    if itp_on_record is not True and "Condition" not in chart.not_supplied:
        note = "dose windows, level and response cards of the ITP protocol are not shown"
        gaps.append(Named("No ITP on record", note, fact="itp_on_record"))
    return [*gaps, *unreadable_sizes]


@part
def gaps_of_course(
    patient: Patient,
    phase: str | Unknown,
    unseen_start_shown: Days,
    given_without_order: list[Intake],
    level_without_order: list[Lab],
) -> list[Named]:
    """Orders and levels that nobody can place."""
    course = patient.course
    undated = "it has no date that can be read"
    gaps = [Named("Start of an order", undated, (each.reference,), "days_on_sirolimus") for each in course.undated]
    if phase == WIDEST and _start_is_news(patient, unseen_start_shown):
        note = (
            "a level is older than the first order on record: phase, baseline and landmarks are not judged, "
            "and the dose is held against the widest window"
        )
        gaps.append(Named("Start of the course", note, fact="days_on_sirolimus"))
    if course.state == "stopped_unknown" and course.current is not None:
        note = "the last order is over, but not since when"
        gaps.append(Named("End of the course", note, course.current.references, "days_on_sirolimus"))
    for intake in given_without_order:
        note = f"sirolimus was given on {on_day(intake.moment)}, but no order of it is on record"
        gaps.append(Named("Doses without an order", note, (intake.reference,), "daily_dose"))
    for lab in level_without_order:
        note = f"a sirolimus level of {on_day(lab.moment)} is on record, but no order of sirolimus for that time"
        gaps.append(Named("A level without an order", note, (lab.reference,), "daily_dose"))
    return gaps


def _start_is_news(patient: Patient, shown: int) -> bool:
    """Whether an unseen start is named: on order hooks always, on an opened chart for the first weeks on record."""
    first = patient.course.start
    return patient.ordering or (first is not None and first.days_until(patient.now) <= shown)


@part
def gaps_of_dose(
    patient: Patient,
    limits: Limits,
    windows: tuple[Window, ...],
    age_group: str | Unknown,
    phase: str | Unknown,
    itp_on_record: bool | Unknown,
) -> list[Named]:
    """Why the dose, or the window of it, is not known."""
    dose, references = patient.dose, tuple(order.reference for order in patient.dose_orders)
    if unclear := patient.unresolved or (() if patient.dose_orders else patient.course.conflict):
        word = "draft" if all(order.draft for order in unclear) else "active"
        note = "it is not said whether they add up or one replaces the other; the dose is not judged"
        both = tuple(dict.fromkeys(order.reference for order in unclear))
        return [Named(f"Two {word} orders", note, both, "daily_dose")]
    if not references:
        return []
    if dose.per_day is None:
        rhythm = f"sirolimus is taken {dose.rhythm}; the daily dose window does not apply"
        note = rhythm if dose.rhythm else f"{dose.problem}; the dose is not judged"
        return [Named("Dose per day", note, references, "daily_dose")]
    why = _no_window(limits, windows, age_group, phase) if itp_on_record is True else ""
    window = [Named("Dose window", why, references, "daily_dose")] if why else []
    return [*_replaced(patient), *window]


def _replaced(patient: Patient) -> list[Named]:
    """The dose that runs beside a draft, where nobody can read it: whether the draft is more or less is not known."""
    current = patient.course.current
    if not patient.drafts or not patient.taking or current is None or not current.dose.problem:
        return []
    note = f"{current.dose.problem}; whether the draft is more or less than that is not judged"
    return [Named("Dose of the running order", note, current.references, "draft_changes_dose")]


def _no_window(limits: Limits, windows: Sequence[Window], age_group: str | Unknown, phase: str | Unknown) -> str:
    """Why the protocol says nothing of the dose of such a patient in this phase; empty where it does."""
    if limits.size.surface is None and any(w.per_surface and w.age_group == age_group for w in windows):
        return "the protocol's window is by body surface, and there is no recent height and weight"
    if isinstance(age_group, Unknown) or isinstance(phase, Unknown) or limits.window is not None:
        return ""
    return f"the protocol gives no window for {'an adult' if age_group == 'adult' else 'a child'} in the {phase} phase"
