"""Results that cannot be read, and for how long that matters: levels, counts, sizes, and whatever else a rule needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cds.chart.model import Chart, Lab
from cds.chart.samples import not_corrected, replaced_elsewhere
from cds.course.counts import Count
from cds.course.kinds import Labs
from cds.course.levels import Judged, Target, after_dose, age_in_days
from cds.course.patient import Patient
from cds.course.response import Response
from cds.facts.size import Size
from cds.plan.declare import Days, Named, Unknown, part


@part
def gaps_of_levels(
    chart: Chart,
    patient: Patient,
    level_labs: Labs,
    trough_labs: Labs,
    levels: list[Judged],
    telling_levels: list[Judged],
    target: Target,
    unusable_shown: Days,
) -> list[Named]:
    """Levels that were not read, that are an uninformative bound or perhaps no trough, or of which it is not known which is newer."""
    if "Observation" in chart.not_supplied:
        return []
    read, judged = [each.lab for each in levels], [each.lab for each in telling_levels]
    gaps = _newest_unreadable([*level_labs, *trough_labs], read, "sirolimus level", "trough", judged)
    for each in levels[:1]:
        if each.verdict == "usable" and each.lab.amount and not target.decides(each.lab.amount):
            note = "it is reported only as a bound and cannot be compared with the target"
            gaps.append(Named("Newest level", note, (each.lab.reference,), "trough"))
        elif _may_be_no_trough(each, target) and age_in_days(each.lab, patient.now) <= unusable_shown:
            assert each.by_order is not None
            gaps.append(
                Named("Whether the level is a trough", after_dose(each.by_order), (each.lab.reference,), "trough")
            )
    return [*gaps, *_same_day(patient.levels)]


def _may_be_no_trough(each: Judged, target: Target) -> bool:
    """Whether a level in the target was drawn after a dose by the order's times; of one outside it the card says so."""
    amount = each.lab.amount
    return each.verdict == "usable" and each.by_order is not None and amount is not None and target.side(amount) == 0


def _same_day(levels: Sequence[Lab]) -> list[Named]:
    """Two levels of the newest day that differ, one of them without a time: it is not known which is newer."""
    moments = [(lab.moment, lab.reference) for lab in levels if not lab.wrong_specimen and lab.moment is not None]
    newest = [(moment, reference) for moment, reference in moments if moment.day == moments[0][0].day]
    if len(newest) < 2 or all(moment.at is not None for moment, _ in newest):
        return []
    note = "they differ, and not all of them have a time of day; the higher one is judged"
    return [Named("Two levels of one day", note, tuple(reference for _, reference in newest), "trough")]


def _newest_unreadable(
    labs: Sequence[Lab], read: Sequence[Lab], what: str, subject: str, judged: Sequence[Lab] | None = None
) -> list[Named]:
    """Unreadable results, unless a readable one (with ``judged``, one of those) is from a later day."""
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
    """Unread counts, and unread bleeding grades that would still belong to a count; without a course only recent counts."""
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
    """Unreadable results of the other tests that a rule of this hook needs, for as long as they would have been relevant."""
    found: list[Named] = []
    for test, facts in needs.get(patient.hook, {}).items():
        labs = chart.labs.get(test, ())
        if test in speaks_days and any(lab.problem for lab in labs):
            final = [lab for lab in labs if lab.status != "preliminary"]
            found += _recent_unreadable(final, speaks_days[test], patient, f"result for {called[test]}", facts)
    return found


def _recent_unreadable(labs: Sequence[Lab], days: int, patient: Patient, what: str, facts: str) -> Iterator[Named]:
    """The newest of the results from the last ``days`` days, or without a date, if they cannot be read."""
    yield from _newest_unreadable(
        _of_the_last(labs, days, patient), [lab for lab in labs if not lab.problem], what, facts
    )


def _of_the_last(labs: Sequence[Lab], days: int, patient: Patient) -> list[Lab]:
    return [lab for lab in labs if not lab.moment or lab.moment.days_until(patient.now) <= days]


@part
def surely_not_small(age_group: str | Unknown, size_limits_apply: bool | Unknown, size: Size) -> bool:
    """Whether the patient is an adult to whom, by weight, no limit by size applies."""
    return age_group == "adult" and size.weight is not None and size_limits_apply is not True


@part
def unreadable_weights(patient: Patient, size: Size, surely_not_small: bool, weight_labs: Labs) -> list[Named]:
    """Weights that were not read and may matter."""
    if size.at_odds:
        references = tuple(lab.reference for lab in size.at_odds)
        note = "they are too far apart to be both right, as if pounds were written as kg; the lower one is judged"
        return [Named("Weights that disagree", note, references, "dose_per_kg")]
    if surely_not_small:
        return []
    return list(_recent_unreadable(weight_labs, size.valid, patient, "weight", "dose_per_kg"))


@part
def unreadable_heights(patient: Patient, size: Size, surely_not_small: bool, height_labs: Labs) -> list[Named]:
    """Heights that were not read and may matter."""
    if surely_not_small:
        return []
    return list(_recent_unreadable(height_labs, size.valid, patient, "height", "dose_per_m2"))
