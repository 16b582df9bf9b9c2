"""The cohort in figures: the study's own table from an export, and counts of what the table leaves out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

import msgspec

from cds.compiled.knowledge import Knowledge
from cds.course.response import RESPONDS
from cds.population.rows import MONTHS, Member, Value
from cds.records.report import wilson

RESPONSES = (*RESPONDS, "none")
OTHERWISE = (
    "died",
    "stopped",
    "not reached",
    "not evaluable",
    "start not known",
    "not judged by this protocol",
)
STUDY = {3: {"complete": 6, "partial": 6, "of": 20}, 6: {"complete": 6, "of": 20}}
"""What the study reports of its 20 patients (Feng 2024): responses at 3 months, complete ones at 6."""
_STEP, _LAST = 28, 392  # days between two points of the response over time, and the last of them
_WEEKS = 52


class Share(msgspec.Struct, frozen=True):
    """``number`` out of ``of``, with the 95 % interval of the share (Wilson)."""

    number: int
    of: int
    interval: tuple[float, float]


class Landmark(msgspec.Struct, frozen=True):
    """A landmark: responses as shares of the patients who could be judged, and the numbers of the others by reason.

    ``unconfirmed``: responses among them that no earlier count confirms; ``open``: landmarks whose window was not over yet.
    """

    months: int
    evaluable: int
    responses: dict[str, Share]
    overall: Share
    otherwise: dict[str, int]
    unconfirmed: int
    open: int


class Point(msgspec.Struct, frozen=True):
    """The response in the four weeks up to a day of the course, among patients with a usable count in those weeks."""

    day: int
    with_count: int
    complete: int
    partial: int


class Doses(msgspec.Struct, frozen=True):
    """Doses of the patients who take sirolimus now, in mg per day."""

    age_group: str
    phase: str
    patients: int
    lowest: float
    median: float
    highest: float


class Week(msgspec.Struct, frozen=True):
    """Usable levels in a week of the course, and how many are in the target."""

    week: int
    levels: int
    in_target: int


class Summary(msgspec.Struct, frozen=True):
    """All figures. Except for ``people``, they cover only patients with ITP on record."""

    at: str
    protocol: str
    knowledge: str
    program: str
    supplied: list[str]
    missing: list[str]
    people: dict[str, int]
    states: dict[str, int]
    attention: dict[str, int]
    landmarks: list[Landmark]
    response_over_time: list[Point]
    doses: list[Doses]
    levels_by_week: list[Week]
    findings: list[tuple[str, str, int]]
    treg_measured: int
    faults: int


def landmark_of(months: int, patients: Sequence[Member]) -> Landmark:
    """One landmark of a cohort."""
    told = [row.at(months) for row in patients]
    found = Counter(response for response, _, _ in told)
    evaluable = sum(found[each] for each in RESPONSES)
    responded = [each for each in told if each[0] in RESPONDS]
    return Landmark(
        months,
        evaluable,
        {each: _share(found[each], evaluable) for each in RESPONSES},
        _share(len(responded), evaluable),
        {each: found[each] for each in OTHERWISE if found[each]},
        sum(confirmed is False for _, confirmed, _ in responded),
        sum(closed is False for response, _, closed in told if response in RESPONSES),
    )


def _share(number: int, of: int) -> Share:
    return Share(number, of, wilson(number, of))


def over_time(values: Iterable[Value]) -> list[Point]:
    """The response over time: the newest usable count of each patient in each period of four weeks."""
    newest: dict[int, dict[str, Value]] = defaultdict(dict)
    for row in values:
        if row.response is None or row.day is None or not 0 < row.day <= _LAST:
            continue
        by_patient = newest[-(-row.day // _STEP)]
        before = by_patient.get(row.patient)
        if before is None or (before.day is not None and before.day < row.day):
            by_patient[row.patient] = row
    return [
        Point(number * _STEP, len(rows), *(sum(row.response == each for row in rows.values()) for each in RESPONSES[:2]))
        for number, rows in sorted(newest.items())
    ]  # fmt: skip


def levels_by_week(values: Iterable[Value]) -> list[Week]:
    """Usable levels by week of the course, in the first year; a bound that cannot be compared with the target is not counted."""
    found: dict[int, list[bool]] = defaultdict(list)
    for row in values:
        if (
            row.kind == "level"
            and row.usable
            and row.in_target is not None
            and row.day is not None
            and 0 <= row.day < 7 * _WEEKS
        ):
            found[row.day // 7 + 1].append(row.in_target)
    return [Week(week, len(each), sum(each)) for week, each in sorted(found.items())]


def doses_of(patients: Iterable[Member]) -> list[Doses]:
    """Doses by age group and phase, of those who take sirolimus."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in patients:
        if row.state == "taking" and row.dose_mg_day is not None and row.age_group and row.phase:
            found[row.age_group, row.phase].append(row.dose_mg_day)
    return [Doses(*key, len(each), min(each), median(each), max(each)) for key, each in sorted(found.items())]


def tally(held: Iterable[tuple[str, str]], knowledge: Knowledge) -> list[tuple[str, str, int]]:
    """For each rule on harm and safety: title, rule, number of patients with its finding. ``held``: rule and patient, each pair once."""
    titles = {rule.id: rule.title for rule in knowledge.rules if rule.subject == "safety"}
    found = Counter(rule for rule, _ in held)
    counted = [(titles[rule], rule, number) for rule, number in found.items() if rule in titles]
    return sorted(counted, key=lambda each: (-each[2], each[1]))


def landmarks_of(patients: Sequence[Member]) -> list[Landmark]:
    """Every landmark of a cohort."""
    return [landmark_of(months, patients) for months in MONTHS]
