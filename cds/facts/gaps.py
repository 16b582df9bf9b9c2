"""What could not be judged, and why: the one place where missing data is spoken of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cds.chart.labs import GRADE
from cds.chart.model import Intake, Lab, Unread
from cds.chart.samples import not_corrected, replaced_elsewhere
from cds.facts.bleeding import grades
from cds.facts.criteria import Response
from cds.facts.infection import unreadable_hepatitis_tests
from cds.facts.levels import Judged, is_decided
from cds.facts.platelets import Count
from cds.facts.pregnancy import unreadable_pregnancy_tests
from cds.facts.record import Named, on_day
from cds.facts.situation import Situation
from cds.vocabulary import WIDEST

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


def put_gaps(situation: Situation, judged: list[Judged], response: Response | None) -> None:
    """State the gaps, if the question is about sirolimus and there are any."""
    if not situation.speaks_of_sirolimus or not relevant(situation):
        return
    gaps = [
        *_supply(situation),
        *_unread(
            [*situation.chart.unread, *unreadable_pregnancy_tests(situation), *unreadable_hepatitis_tests(situation)]
        ),
        *_patient(situation),
        *_course(situation),
        *_dose(situation),
        *_levels(situation, judged),
        *_counts(situation, response),
        *_grades(situation),
    ]
    named = {reference for gap in gaps if gap.fact in _WHAT for reference in gap.references}
    gaps = [gap for gap in gaps if gap.fact in _WHAT or not named.intersection(gap.references)]
    if len(gaps) > _MOST:
        gaps = [*gaps[:_MOST], Named(f"{len(gaps) - _MOST} more", "of the same kinds; see explain", fact="more")]
    _put(situation, gaps)


def put_draft_gaps(situation: Situation) -> None:
    """State which of the draft orders cannot be read, on an order hook where no draft of sirolimus can be."""
    meant = [
        item for item in situation.chart.unread if item.draft and (situation.taking or item.subject == "sirolimus")
    ]
    _put(situation, list(_unread(meant)))


def _put(situation: Situation, gaps: list[Named]) -> None:
    if gaps:
        situation.facts.put(
            "gaps", list(dict.fromkeys(gaps)), *(reference for gap in gaps for reference in gap.references)
        )


def relevant(situation: Situation) -> bool:
    """Whether this patient takes, is ordered, or has just stopped sirolimus, or has a recent level without it."""
    if situation.chart.deceased:
        return False
    if (
        situation.still_counts
        or situation.drafts
        or situation.other_drafts
        or situation.course.conflict
        or situation.course.undated
    ):
        return True
    if any(unread.subject == "sirolimus" for unread in situation.chart.unread):
        return True
    started = situation.course.start
    if situation.course.state == "stopped_unknown" and started is not None:
        return started.days_until(situation.now) <= situation.days("level_max_age")
    return bool(_level_without_order(situation) or _given_without_order(situation))


def _given_without_order(situation: Situation) -> list[Intake]:
    """Doses that were given lately, while no order of sirolimus is on record at all."""
    if situation.course.state != "none":
        return []
    days = situation.days("stop_still_counts")
    recent = [each for each in situation.chart.intakes if each.moment.days_until(situation.now) <= days]
    return sorted(recent, key=lambda each: each.moment.sort_key())[-1:]


def _level_without_order(situation: Situation) -> list[Lab]:
    """A recent level while no order is on record, or so long after the end of the last one that it must go on."""
    ended, counts = situation.course.ended, situation.days("stop_still_counts")
    if situation.course.state != "none" and (situation.course.state != "stopped" or ended is None):
        return []
    return [
        lab
        for lab in situation.levels
        if lab.moment is not None
        and lab.moment.days_until(situation.now) <= situation.days("level_max_age")
        and (ended is None or ended.days_to(lab.moment) > counts)
    ][:1]


def _supply(situation: Situation) -> list[Named]:
    gaps = []
    for kind in situation.chart.not_supplied:
        if kind in _NEEDED_FOR:
            gaps.append(Named(f"{kind} was not supplied", f"not judged: {_NEEDED_FOR[kind]}", fact="supply"))
    for kind, why in situation.chart.incomplete:
        gaps.append(Named(f"{kind} is incomplete", why, fact="supply"))
    return gaps


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


def _patient(situation: Situation) -> list[Named]:
    gaps = []
    if not situation.age_group and "Patient" not in situation.chart.not_supplied:
        gaps.append(
            Named(
                "Birth date",
                situation.facts.absent.get("age_group", "not known") + "; the dose window depends on it",
                fact="age_group",
            )
        )
    if (
        situation.age_group == "child"
        and situation.weight is None
        and "Observation" not in situation.chart.not_supplied
    ):
        gaps.append(
            Named(
                "Weight",
                situation.facts.absent.get("weight", "not known") + "; the dose is not judged by weight",
                fact="weight",
            )
        )
    if not situation.facts.values.get("itp_on_record") and "Condition" not in situation.chart.not_supplied:
        gaps.append(
            Named(
                "No ITP on record",
                "dose windows, level and response cards of the ITP protocol are not shown",
                fact="itp_on_record",
            )
        )
    return gaps


def _start_is_news(situation: Situation) -> bool:
    """Whether an unseen start is named: on order hooks always, on an opened chart for the first weeks on record."""
    first = situation.course.start
    shown = situation.days("unseen_start_shown")
    return situation.ordering or (first is not None and first.days_until(situation.now) <= shown)


def _course(situation: Situation) -> list[Named]:
    gaps = []
    course = situation.course
    for order in course.undated:
        gaps.append(
            Named("Start of an order", "it has no date that can be read", (order.reference,), "days_on_sirolimus")
        )
    if situation.facts.values.get("phase") == WIDEST and _start_is_news(situation):
        gaps.append(
            Named(
                "Start of the course",
                "a level is older than the first order on record: phase, baseline and landmarks are not judged, "
                "and the dose is held against the widest window",
                fact="days_on_sirolimus",
            )
        )
    if course.state == "stopped_unknown" and course.current is not None:
        gaps.append(
            Named(
                "End of the course",
                "the last order is over, but not since when",
                course.current.references,
                "days_on_sirolimus",
            )
        )
    for intake in _given_without_order(situation):
        gaps.append(
            Named(
                "Doses without an order",
                f"sirolimus was given on {on_day(intake.moment)}, but no order of it is on record",
                (intake.reference,),
                "daily_dose",
            )
        )
    for lab in _level_without_order(situation):
        gaps.append(
            Named(
                "A level without an order",
                f"a sirolimus level of {on_day(lab.moment)} is on record, but no order of sirolimus for that time",
                (lab.reference,),
                "daily_dose",
            )
        )
    return gaps


def _dose(situation: Situation) -> list[Named]:
    course = situation.course
    unclear = situation.unresolved or ([] if situation.dose_orders else course.conflict)
    if unclear:
        word = "draft" if all(order.draft for order in unclear) else "active"
        references = tuple(dict.fromkeys(order.reference for order in unclear))
        return [
            Named(
                f"Two {word} orders",
                "it is not said whether they add up or one replaces the other; the dose is not judged",
                references,
                "daily_dose",
            )
        ]
    if situation.dose_orders and situation.dose.per_day is not None:
        return [*_replaced(situation), *_window(situation)]
    if not situation.dose_orders:
        return []
    references = tuple(order.reference for order in situation.dose_orders)
    if situation.dose.rhythm:
        return [
            Named(
                "Dose per day",
                f"sirolimus is taken {situation.dose.rhythm}; the daily dose window does not apply",
                references,
                "daily_dose",
            )
        ]
    return [Named("Dose per day", f"{situation.dose.problem}; the dose is not judged", references, "daily_dose")]


def _replaced(situation: Situation) -> list[Named]:
    """The dose that runs beside a draft, where nobody can read it: whether the draft is more or less is not known."""
    current = situation.course.current
    if not situation.drafts or not situation.taking or current is None or not current.dose.problem:
        return []
    note = f"{current.dose.problem}; whether the draft is more or less than that is not judged"
    return [Named("Dose of the running order", note, current.references, "draft_changes_dose")]


def _window(situation: Situation) -> list[Named]:
    """That the protocol says nothing of the dose of such a patient in this phase."""
    values, age = situation.facts.values, situation.age_group
    by_surface = any(w.per_surface and w.age_group == age for w in situation.knowledge.protocol.windows)
    if by_surface and situation.surface is None and values.get("itp_on_record"):
        note = "the protocol's window is by body surface, and there is no recent height and weight"
        return [Named("Dose window", note, tuple(order.reference for order in situation.dose_orders), "daily_dose")]
    phase = values.get("phase")
    if not age or not phase or situation.window is not None or not values.get("itp_on_record"):
        return []
    note = f"the protocol gives no window for {'an adult' if age == 'adult' else 'a child'} in the {phase} phase"
    return [Named("Dose window", note, tuple(order.reference for order in situation.dose_orders), "daily_dose")]


def _levels(situation: Situation, judged: list[Judged]) -> list[Named]:
    if "Observation" in situation.chart.not_supplied:
        return []
    labs = situation.chart.lab("level", "trough")
    gaps = _newest_unreadable(labs, [each.lab for each in judged], "sirolimus level", "trough")
    for each in judged[:1]:
        if (
            each.verdict == "usable"
            and each.lab.amount
            and not is_decided(each.lab.amount, situation.knowledge.protocol.numbers)
        ):
            gaps.append(
                Named(
                    "Newest level",
                    "it is reported only as a bound and cannot be compared with the target",
                    (each.lab.reference,),
                    "trough",
                )
            )
    return [*gaps, *_same_day(situation)]


def _same_day(situation: Situation) -> list[Named]:
    """Two levels of the newest day that differ, one of them without a time: which is newer nobody knows."""
    levels = [lab for lab in situation.levels if not lab.wrong_specimen and lab.moment is not None]
    day = levels[0].moment.day if levels and levels[0].moment is not None else None
    newest = [lab for lab in levels if lab.moment is not None and lab.moment.day == day]
    if len(newest) < 2 or all(lab.moment is not None and lab.moment.at is not None for lab in newest):
        return []
    note = "they differ, and not all of them have a time of day; the higher one is judged"
    return [Named("Two levels of one day", note, tuple(lab.reference for lab in newest), "trough")]


def _newest_unreadable(labs: list[Lab], read: list[Lab], what: str, subject: str) -> list[Named]:
    """An unreadable result is named when no readable one is as new."""
    newest = max((lab.moment.day for lab in read if lab.moment is not None), default=None)
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


def _counts(situation: Situation, response: Response | None) -> list[Named]:
    if "Observation" in situation.chart.not_supplied:
        return []
    counts: list[Count] = response.counts if response is not None else []
    labs = situation.chart.lab("platelets")
    if response is None and any(not lab.problem for lab in labs):
        return []
    return _newest_unreadable(labs, [count.lab for count in counts], "platelet count", "current_response")


def _grades(situation: Situation) -> list[Named]:
    """A grade of bleeding that would still belong to a count, and cannot be read."""
    days = situation.days("bleeding_days")
    labs = [lab for lab in situation.chart.lab(GRADE) if not lab.moment or lab.moment.days_until(situation.now) <= days]
    return _newest_unreadable(labs, grades(situation), "bleeding grade", "bleeding_now")
