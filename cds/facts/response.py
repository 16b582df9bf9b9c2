"""The facts about response: now, whether it was lost, and what else may have raised the counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from cds.chart.model import DrugUse, Event, Lab
from cds.chart.times import Moment
from cds.chart.words import COUNT, listed, on_day, said
from cds.course.counts import Count
from cds.course.kinds import Events, Labs, RoleUses, WashoutUses
from cds.course.patient import Patient
from cds.course.response import RESPONDS, Response
from cds.plan.declare import Answer, Days, Known, Number, Numbers, Unknown, code, flag, number, part, text

_WORDS = {"complete": "CR", "partial": "PR", "none": "no response"}
_START_UNKNOWN = "the start of the course is not known"
_NOT_JUDGED = "there is no recent usable platelet count that can be judged"


@part
def newest_usable(response: Response) -> Answer[Count]:
    """The newest usable count of the course."""
    return response.usable[0] if response.usable else Unknown(_NOT_JUDGED)


@part
def recent_usable(newest_usable: Count, response_current: Days, patient: Patient) -> Answer[Count]:
    """The newest usable count, if it is recent enough to tell the response now."""
    recent = newest_usable.moment.days_until(patient.now) <= response_current
    return newest_usable if recent else Unknown(_NOT_JUDGED)


@text("the platelet count before the first dose, with its date, or that there is none")
def baseline(response: Response) -> Answer[str]:
    count = response.baseline
    if count is None:
        return f"none: {response.baseline_why}"
    less = ", counted as that number" if count.comparator else ""
    return Known(f"{count.words()}{less}", [count.lab.reference], count.moment.day)


@flag(
    "the newest usable platelet count, at most {response_current} days old, is a CR or PR and confirmed; false when not known"
)
def in_response(
    response: Response | Unknown, newest_usable: Count | Unknown, recent_usable: Count | Unknown
) -> Answer[bool]:
    if isinstance(response, Unknown) or isinstance(newest_usable, Unknown):
        return False
    confirmed = response.confirmed_by(newest_usable) or response.confirmed_by(newest_usable, "partial")
    holds = not isinstance(recent_usable, Unknown) and response.category(newest_usable) in RESPONDS and bool(confirmed)
    return Known(holds, [newest_usable.lab.reference])


@part
def newer_confounded(response: Response, newest_usable: Count | Unknown) -> Count | None:
    """A count of the course, newer than the newest usable one, that another treatment explains."""
    found = next((count for count in response.counts if count.confounded and response.day(count) > 0), None)
    if found is None or isinstance(newest_usable, Unknown):
        return found
    return found if found.moment.sort_key() > newest_usable.moment.sort_key() else None


@flag(
    "another treatment explains the newest count of {partial_count} or more, or a confirmed response was not looked at for {response_current} days"
)
def response_unclear(
    response: Response | Unknown,
    newer_confounded: Count | Unknown | None,
    recent_usable: Count | Unknown,
    partial_count: Number,
) -> Answer[bool]:
    if isinstance(response, Unknown) or isinstance(newer_confounded, Unknown):
        return False
    explained = newer_confounded is not None and newer_confounded.value >= partial_count
    unclear = explained or (isinstance(recent_usable, Unknown) and bool(response.confirmed))
    return Known(unclear, [newer_confounded.lab.reference] if newer_confounded else [])


@text("the response at the newest usable count, or that it is not known")
def response_known(response: Response | Unknown, recent_usable: Count | Unknown) -> Answer[str]:
    if isinstance(response, Unknown):
        return "not known"
    category = "" if isinstance(recent_usable, Unknown) else response.category(recent_usable)
    if isinstance(recent_usable, Unknown) or not category:
        return "not known: no recent usable count can be judged"
    words = f"{_WORDS[category]}{_doubt(response, recent_usable)} at {recent_usable.words()}"
    return Known(words, [recent_usable.lab.reference])


def _doubt(response: Response, count: Count) -> str:
    if response.category(count) not in RESPONDS or response.confirmed_by(count) is not None:
        return ""
    return ", confirmed as PR" if response.confirmed_by(count, "partial") is not None else ", unconfirmed"


@part
def count_now(response: Response, recent_usable: Count, newer_confounded: Count | None) -> Answer[Count]:
    """The count at which the response is judged now."""
    if not response.category(recent_usable):
        return Unknown(_NOT_JUDGED)
    if newer_confounded is not None:
        return Unknown(f"a newer count cannot be used: {newer_confounded.why_not}")
    return recent_usable


@code("complete partial none", "the response at the newest usable count")
def current_response(response: Response, count_now: Count) -> Answer[str]:
    return Known(response.category(count_now), [count_now.lab.reference], count_now.moment.day)


@number(COUNT, "1", "that count")
def response_count(count_now: Count) -> Answer[Decimal]:
    return Known(count_now.value, [count_now.lab.reference], count_now.moment.day)


@flag("bleeding belongs to that count")
def response_bled(response: Response, count_now: Count) -> Answer[bool]:
    return bool(response.bleeding(count_now))


@text("the newest usable count, with its date, and whether a second one agrees")
def current_count(response: Response, count_now: Count, no_response_apart: Days) -> Answer[str]:
    second = _second(response, count_now, no_response_apart)
    if second is None or response.category(second) != response.category(count_now):
        return Known(f"{count_now.words()}; unconfirmed, no second count agrees", [count_now.lab.reference])
    words = f"{count_now.words()}; {second.words()} agrees"
    return Known(words, [count_now.lab.reference, second.lab.reference])


def _second(response: Response, newest: Count, apart: int) -> Count | None:
    """The newest usable count at least ``apart`` days older than ``newest``."""
    return next((count for count in response.usable if count.moment.days_to(newest.moment) >= apart), None)


@part
def spleen_removed(splenectomy_events: Events, patient: Patient) -> Event | None:
    """A splenectomy during the course."""
    start = patient.course.start
    done = (each for each in splenectomy_events if each.moment is not None and start is not None)
    return next((each for each in done if each.moment and start and start.days_to(each.moment) >= 0), None)


@part
def judged_history(response: Response, spleen_removed: Event | None, patient: Patient) -> Answer[Response]:
    """The response, if its history can be judged."""
    if not patient.start_known:
        return Unknown(_START_UNKNOWN)
    return response if spleen_removed is None else Unknown("the spleen was removed during the course")


@flag("this course had a confirmed CR or PR")
def response_was_confirmed(judged_history: Response) -> Answer[bool]:
    confirmed = judged_history.confirmed
    return Known(bool(confirmed), [count.lab.reference for count in confirmed[:1]])


class Losing(Numbers, frozen=True):
    """Days between the two failing counts of a loss, and for how many days a loss is reported."""

    no_response_apart: int
    landmark_shown: int


@part
def loss(judged_history: Response, losing: Losing, patient: Patient) -> Answer[tuple[Count, Count, Count]]:
    """The two newest counts at which a confirmed response is gone, and the last count at which it was confirmed."""
    usable, confirmed = judged_history.usable, judged_history.confirmed
    second = _second(judged_history, usable[0], losing.no_response_apart) if usable and confirmed else None
    if second is None:
        return Unknown("no confirmed response is on record, or no second count after it")
    after = [count for count in usable if count.moment.sort_key() > confirmed[0].moment.sort_key()]
    failing = second in after and all(
        judged_history.category(count) == "none" for count in after[: after.index(second) + 1]
    )
    if not failing or usable[0].moment.days_until(patient.now) > losing.landmark_shown:
        return Unknown("the response is not lost, or that is long ago")
    return usable[0], second, confirmed[0]


@flag("a confirmed CR or PR is gone on the two newest usable counts")
def response_lost(judged_history: Response, loss: tuple[Count, Count, Count] | Unknown) -> Answer[bool]:
    if isinstance(loss, Unknown):
        return False
    return Known(True, [count.lab.reference for count in loss], loss[0].moment.day)


@text("the confirmed response and the counts that ended it")
def response_history(judged_history: Response, loss: tuple[Count, Count, Count]) -> Answer[str]:
    newest, second, last = loss
    category = judged_history.category(last) if judged_history.confirmed_by(last) else "partial"
    return f"Confirmed {_WORDS[category]} at {last.words()}; since then {second.words()} and {newest.words()}."


@text("that a confirmed CR has become a PR")
def response_change(judged_history: Response) -> Answer[str]:
    complete = (
        count
        for count in judged_history.confirmed
        if judged_history.category(count) == "complete" and judged_history.confirmed_by(count)
    )
    best = next(complete, None)
    if best is None or judged_history.category(judged_history.usable[0]) != "partial":
        return Unknown("no confirmed CR has become a PR")
    newest = judged_history.usable[0]
    return Known(f"From a confirmed CR ({best.words()}) to PR.", [best.lab.reference, newest.lab.reference])


@number("day", "1", "days since the count that first confirmed a response that has lasted since")
def days_in_response(judged_history: Response, in_response: bool, patient: Patient) -> Answer[Decimal]:
    """Every usable count since then shows a response."""
    first = None
    for count in judged_history.usable:
        if judged_history.category(count) not in RESPONDS:
            break
        first = count if count in judged_history.confirmed else first
    if not in_response or not patient.taking or first is None:
        return Unknown("there is no response now that is confirmed")
    return Known(Decimal(first.moment.days_until(patient.now)), [first.lab.reference], first.moment.day)


@text("what else was given since the start of sirolimus, or shortly before it, that may raise platelets")
def given_beside(
    response: Response,
    raises_platelets_uses: RoleUses,
    washout_uses: WashoutUses,
    platelet_transfusion_events: Events,
    splenectomy_events: Events,
    rituximab_acts: Days,
) -> Answer[str]:
    """Everything given since the start of sirolimus, or shortly before it, that may raise platelets."""
    start = response.start
    uses = {id(use): use for use in (*raises_platelets_uses, *washout_uses)}
    found = [
        *_drugs_given(list(uses.values()), start, rituximab_acts),
        *_done([*platelet_transfusion_events, *splenectomy_events], start),
    ]
    if not found:
        return Unknown("nothing else that raises platelets is on record since the start")
    ordered = sorted(found, key=lambda each: (each[0].sort_key(), each[1]))
    words = dict.fromkeys(f"{name} from {on_day(moment)}" for moment, name, _ in ordered)
    return Known(listed(words), [reference for _, _, reference in ordered])


def _drugs_given(uses: Sequence[DrugUse], start: Moment, rituximab_acts: int) -> Iterator[tuple[Moment, str, str]]:
    for use in uses:
        if use.draft or use.start is None:
            continue
        before = rituximab_acts if use.valueset == "rituximab" else 0
        last = use.end or (use.start if use.given or use.status != "active" else None)
        if last is None or last.days_to(start) <= before:
            yield use.start, use.name, use.reference


def _done(events: Sequence[Event], start: Moment) -> Iterator[tuple[Moment, str, str]]:
    for event in events:
        if event.moment is not None and event.moment.day >= start.day:
            yield event.moment, event.name.replace("-", " "), event.reference


@text("regulatory T cells over time, within one code")
def treg_trend(response: Response, treg_labs: Labs, patient: Patient) -> Answer[str]:
    """The first and the newest value of the code measured most often."""
    by_code: dict[str, list[Lab]] = {}
    for lab in treg_labs if patient.start_known else ():
        if lab.amount is not None and lab.moment is not None and not lab.amount.comparator:
            by_code.setdefault(lab.code, []).append(lab)
    several = [(code, labs) for code, labs in sorted(by_code.items()) if len(labs) > 1]
    if not several:
        return Unknown("regulatory T cells were not measured twice")
    of_code, labs = max(several, key=lambda item: len(item[1]))
    labs.sort(key=lambda lab: lab.moment.sort_key() if lab.moment else ())
    first, last = labs[0], labs[-1]
    assert first.amount is not None and last.amount is not None
    unit = "%" if first.amount.printed == "%" else "no unit shown"
    values = f"{said(first.amount.value)} on {on_day(first.moment)}, {said(last.amount.value)} on {on_day(last.moment)}"
    return Known(f"{values} ({unit}, LOINC {of_code})", [first.reference, last.reference])
