"""What could not be judged, and why: the one place where missing data is spoken of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cds.chart.model import Chart, Intake, Lab, Unread
from cds.chart.samples import not_corrected, replaced_elsewhere
from cds.chart.words import on_day
from cds.compiled.knowledge import WIDEST, Window
from cds.course.counts import Count
from cds.course.kinds import Labs
from cds.course.levels import Judged, Target
from cds.course.patient import Patient
from cds.course.response import Response
from cds.facts.limits import Limits
from cds.facts.question import DIED
from cds.facts.size import Size
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
_BY_WEIGHT = "dose_per_kg"
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
    unread = any(each.fact == _BY_WEIGHT for each in unreadable_sizes)
    if age_group == "child" and isinstance(weight, Unknown) and not unread and "Observation" not in chart.not_supplied:
        gaps.append(Named("Weight", f"{weight.reason}; the dose is not judged by weight", fact="weight"))
    if itp_on_record is not True and "Condition" not in chart.not_supplied:
        note = "dose windows, level and response cards of the ITP protocol are not shown"
        gaps.append(Named("No ITP on record", note, fact="itp_on_record"))
    return [*gaps, *unreadable_sizes]


@part
def unreadable_sizes(
    patient: Patient,
    age_group: str | Unknown,
    size_limits_apply: bool | Unknown,
    size: Size,
    weight_labs: Labs,
    height_labs: Labs,
) -> list[Named]:
    """Weights and heights that were not read, unless the patient is an adult who is known not to be small."""
    if age_group == "adult" and size.weight is not None and size_limits_apply is not True:
        return []
    return [
        *_recent_unreadable(weight_labs, size.valid, patient, "weight", _BY_WEIGHT),
        *_recent_unreadable(height_labs, size.valid, patient, "height", "dose_per_m2"),
    ]


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


@part
def gaps_of_levels(
    chart: Chart,
    patient: Patient,
    level_labs: Labs,
    trough_labs: Labs,
    levels: list[Judged],
    telling_levels: list[Judged],
    target: Target,
) -> list[Named]:
    """Levels that were not read, that are a bound which tells nothing, or of which nobody knows the newer."""
    if "Observation" in chart.not_supplied:
        return []
    read, judged = [each.lab for each in levels], [each.lab for each in telling_levels]
    gaps = _newest_unreadable([*level_labs, *trough_labs], read, "sirolimus level", "trough", judged)
    for each in levels[:1]:
        if each.verdict == "usable" and each.lab.amount and not target.decides(each.lab.amount):
            note = "it is reported only as a bound and cannot be compared with the target"
            gaps.append(Named("Newest level", note, (each.lab.reference,), "trough"))
    return [*gaps, *_same_day(patient.levels)]


def _same_day(levels: Sequence[Lab]) -> list[Named]:
    """Two levels of the newest day that differ, one of them without a time: which is newer nobody knows."""
    moments = [(lab.moment, lab.reference) for lab in levels if not lab.wrong_specimen and lab.moment is not None]
    newest = [(moment, reference) for moment, reference in moments if moment.day == moments[0][0].day]
    if len(newest) < 2 or all(moment.at is not None for moment, _ in newest):
        return []
    note = "they differ, and not all of them have a time of day; the higher one is judged"
    return [Named("Two levels of one day", note, tuple(reference for _, reference in newest), "trough")]


def _newest_unreadable(
    labs: Sequence[Lab], read: Sequence[Lab], what: str, subject: str, judged: Sequence[Lab] | None = None
) -> list[Named]:
    """An unreadable result is named when no readable one, or of those that are ``judged`` none, is as new."""
    counting = read if judged is None else judged
    newest = max((lab.moment.day for lab in counting if lab.moment is not None), default=None)
    known = {lab.reference for lab in read}
    gaps = [
        Named(
            f"A {what} was not used",
            "a corrected result of its number, of another time, takes its place",
            (lab.reference,),
            subject,
        )
        for lab in replaced_elsewhere(labs)
        if lab.moment is not None and (newest is None or lab.moment.day >= newest)
    ]
    for lab in not_corrected(labs):
        if lab.problem and (lab.moment is None or newest is None or lab.moment.day >= newest):
            gaps.append(Named(f"A {what} was not read", lab.problem, (lab.reference,), subject))
        elif (
            not lab.problem
            and lab.reference not in known
            and lab.moment is not None
            and (newest is None or lab.moment.day > newest)
        ):
            gaps.append(Named(f"A {what} was not used", "two results of one sample differ", (lab.reference,), subject))
    return gaps


@part
def gaps_of_counts(
    chart: Chart,
    platelets_labs: Labs,
    counts: list[Count],
    real_counts: list[Count],
    response: Response | Unknown,
    count_recent: Days,
    bleeding_grade_labs: Labs,
    grades: list[Lab],
    bleeding_days: Days,
    patient: Patient,
) -> list[Named]:
    """Counts, and grades of bleeding that would still belong to one, that were not read; without a course the recent ones."""
    if "Observation" in chart.not_supplied:
        return []
    read, judged = [count.lab for count in counts], [count.lab for count in real_counts]
    in_course = not isinstance(response, Unknown) or all(lab.problem for lab in platelets_labs)
    due = platelets_labs if in_course else _of_the_last(platelets_labs, count_recent, patient)
    return [
        *_newest_unreadable(due, read, "platelet count", "platelet_count", judged),
        *_newest_unreadable(
            _of_the_last(bleeding_grade_labs, bleeding_days, patient), grades, "bleeding grade", "bleeding_now"
        ),
    ]


@part
def gaps_of_results(
    chart: Chart,
    patient: Patient,
    needs: Mapping[str, Mapping[str, str]],
    speaks_days: dict[str, int],
    called: dict[str, str],
) -> list[Named]:
    """Results of the other tests that a rule of this hook needs, for as long as they would have spoken."""
    found: list[Named] = []
    for test, facts in needs.get(patient.hook, {}).items():
        labs = [lab for lab in chart.labs.get(test, ()) if lab.status != "preliminary"]
        if test in speaks_days and any(lab.problem for lab in labs):
            found += _recent_unreadable(labs, speaks_days[test], patient, f"result of {called[test]}", facts)
    return found


def _recent_unreadable(labs: Sequence[Lab], days: int, patient: Patient, what: str, facts: str) -> Iterator[Named]:
    """The newest of the results of the last days, or without a date, where they cannot be read."""
    yield from _newest_unreadable(
        _of_the_last(labs, days, patient), [lab for lab in labs if not lab.problem], what, facts
    )


def _of_the_last(labs: Sequence[Lab], days: int, patient: Patient) -> list[Lab]:
    return [lab for lab in labs if not lab.moment or lab.moment.days_until(patient.now) <= days]
