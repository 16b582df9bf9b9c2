"""One patient of an export, judged: a row of the cohort, the findings, the values. The only place that calls ``advise``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from cds.advise import Advice, advise
from cds.cards.build import NAMESPACE
from cds.chart.body import InputError
from cds.chart.model import Lab
from cds.chart.read import read_chart
from cds.chart.request import Request, read_request
from cds.chart.times import Moment, parse_moment
from cds.compiled.knowledge import Knowledge
from cds.course.counts import counts
from cds.course.levels import levels
from cds.course.response import Response, response
from cds.engine import Evaluator
from cds.facts import Situation, read_facts
from cds.facts.landmark import landmarks
from cds.population.rows import MONTHS, Finding, Member, Value
from cds.records.decision import digest_of_card


class Wanted(msgspec.Struct, frozen=True):
    """What is asked for every patient: the moments to judge at (the last is today), and the types that were not exported."""

    times: tuple[datetime, ...]
    missing: tuple[str, ...] = ()


class Judged(msgspec.Struct):
    """The rows of one patient; ``patient`` is None for a patient who never had an order or a dose of oral sirolimus."""

    patient: Member | None = None
    findings: list[Finding] = []
    values: list[Value] = []
    fault: str = ""
    advice: Advice | None = None  # of the last moment


class ResponseAt(NamedTuple):
    """The response by the newest usable count of a course up to a day: ``category`` is complete, partial, none, or empty (not known)."""

    category: str
    confirmed: bool
    count_day: int | None


def bundle_of(lines: Iterable[bytes]) -> bytes:
    """The resources of one patient as one Bundle, which every command of the program takes."""
    entries = b",".join(b'{"resource":' + line + b"}" for line in lines)
    return b'{"resourceType":"Bundle","type":"collection","entry":[' + entries + b"]}"


def judge(patient: str, lines: Sequence[bytes], engine: Evaluator, wanted: Wanted) -> Judged:
    """Judge one patient from the patient's lines in an export, including Medications.

    Raises:
        EngineFault: the engine failed or the two engines disagree.
    """
    try:
        request = read_request(bundle_of(lines), "patient-view", patient)
        present = {each.resourceType for each in request.resources}
        request.not_supplied = tuple(kind for kind in wanted.missing if kind not in present)
        advices = [(at, advise(request, engine, at, max_cards=99)) for at in wanted.times]
    except InputError as error:
        return Judged(fault=str(error))
    at, last = advices[-1]
    situation = last.situation
    if not situation.chart.orders and not situation.chart.intakes:
        return Judged()
    alive = _undated_death_aside(request)
    course = _while_taken(alive, situation)
    row = _row(patient, alive, last, course, at)
    judged = Judged(row, values=list(_values(patient, situation, course)), advice=last)
    judged.findings = [each for when, advice in advices for each in _findings(patient, advice, when)]
    return judged


def response_at(request: Request, knowledge: Knowledge, on: date) -> ResponseAt:
    """The response on a day, by what was on record at the end of that day.

    If the start of the course is not known, or there is no usable count, the category is empty.
    """
    situation = _situation(request, knowledge, _end_of(on))
    answer = situation.of(response)
    if not isinstance(answer, Response) or not situation.patient.start_known or not answer.usable:
        return ResponseAt("", False, None)
    newest = answer.usable[0]
    return ResponseAt(answer.category(newest), answer.confirmed_by(newest) is not None, answer.day(newest))


def _situation(request: Request, knowledge: Knowledge, now: datetime) -> Situation:
    return read_facts(read_chart(request, knowledge, now), knowledge, request.hook, now)


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59), UTC)


def _undated_death_aside(request: Request) -> Request:
    """The request without a death that has no date, to judge days on which the patient was alive: there are no facts about the dead."""
    people = {id(each) for each in request.resources if each.resourceType == "Patient" and each.deceasedBoolean}
    if not people:
        return request
    resources = [
        msgspec.structs.replace(each, deceasedBoolean=None) if id(each) in people else each
        for each in request.resources
    ]
    return replace(request, resources=resources)


def _while_taken(request: Request, situation: Situation) -> Situation:
    """The situation; for a course that is over, and after death, the situation on the last day, because there are no facts later."""
    who, start = situation.patient, situation.patient.course.start
    died = _died(request, situation.chart.patient_id)
    ends = [
        each for each in (who.course.ended.day if who.course.ended else None, died if who.deceased else None) if each
    ]
    if start is None or not (ends or who.deceased):
        return situation
    last = max(start.day, min(ends) - timedelta(days=1)) if ends else who.now.date()
    return _situation(request, situation.knowledge, _end_of(last))


def _row(patient: str, request: Request, advice: Advice, course: Situation, at: datetime) -> Member:
    """``course``: the situation while sirolimus was taken."""
    situation = advice.situation
    now, then, who = situation.facts.values, course.facts.values, situation.patient
    indicators = [card["indicator"] for card in advice.by_rule.values()]
    row = Member(
        patient=patient,
        itp=bool(then.get("itp_on_record", False)),
        sex=who.gender,
        age_group=then.get("age_group"),
        start=who.course.start.day if who.course.start is not None and who.start_known else None,
        days=who.day,
        state="died" if who.deceased else who.course.state,
        ended=who.course.ended.day if who.course.ended is not None else None,
        died=_died(request, patient),
        phase=now.get("phase"),
        dose_mg_day=_exact(now.get("daily_dose")),
        trough_ng_ml=_exact(now.get("trough")),
        platelets=_exact(now.get("platelet_count")),
        response=now.get("current_response"),
        treg=then.get("treg_trend"),
        critical=indicators.count("critical"),
        warning=indicators.count("warning"),
        info=indicators.count("info"),
        resources=len(request.resources),
        broken=len(request.broken),
        digest=digest(advice),
    )
    for months in MONTHS:
        told = _at_landmark(months, request, situation, row, at)
        for name, value in zip(("response", "confirmed", "closed"), told, strict=True):
            setattr(row, f"{name}_{months}", value)
    return row


def digest(advice: Advice) -> str:
    """A digest of all that the cards say, as one text; equal wherever the cards say the same."""
    return " ".join(digest_of_card(card) for card in advice.cards)


def _died(request: Request, patient: str) -> date | None:
    found = (each for each in request.resources if each.resourceType == "Patient" and each.id == patient)
    moment = parse_moment(next((each.deceasedDateTime for each in found), None))
    return moment.day if moment is not None else None


def _exact(value: Any) -> float | None:
    """A number; None for a bound, which would be mistaken for a number."""
    return float(value) if isinstance(value, Decimal) else None


def _at_landmark(
    months: int, request: Request, situation: Situation, row: Member, at: datetime
) -> tuple[str, bool | None, bool | None]:
    """The response at a landmark, judged as of the end of its own window; or why there is none."""
    windows = situation.knowledge.definitions
    first, last = (int(windows[f"landmark_{months}_{end}"]) for end in ("from", "to"))
    if row.start is None or row.days is None:
        return "start not known", None, None
    opens, closes = row.start + timedelta(days=first), row.start + timedelta(days=last)
    if over := _over_before(row, opens):
        return over, None, None
    if row.days < first:
        return "not reached", None, None
    now = min(at, _end_of(closes).astimezone(at.tzinfo))
    then = situation if now == at and row.state != "died" else _situation(request, situation.knowledge, now)
    answer = then.of(landmarks)
    reached = {each.months: each for each in answer} if isinstance(answer, list) else {}
    if reached and months not in reached:
        return "not judged by this protocol", None, None
    found, is_over = reached.get(months), at.date() > closes
    if found is not None and found.judged and found.category:
        return found.category, found.confirmed, is_over
    return "died" if row.state == "died" and row.died is None else "not evaluable", None, is_over


def _over_before(row: Member, opens: date) -> str:
    """Whether the patient had died, or the course had ended, when a window opened."""
    if row.died is not None and row.died < opens:
        return "died"
    return "stopped" if row.ended is not None and row.ended < opens else ""


def _findings(patient: str, advice: Advice, at: datetime) -> Iterable[Finding]:
    for rule, card in advice.by_rule.items():
        found = card["extension"][f"{NAMESPACE}.findings"][0]
        yield Finding(
            patient=patient,
            at=at,
            rule=rule,
            indicator=card["indicator"],
            summary=card["summary"],
            evidence=list(found.get("evidence", ())),
        )


def _values(patient: str, situation: Situation, course: Situation) -> Iterable[Value]:
    """Levels and counts: whether usable, and if not, why; for a count, the response that it means, if it is from the days on sirolimus."""
    start, target, responses = situation.patient.course.start, situation.case["target"], _responses(course)
    for each in situation.of(levels):
        assert each.lab.amount is not None
        made = _value(patient, "level", each.lab, start, "" if each.verdict == "usable" else each.why)
        made.in_target = target.side(each.lab.amount) == 0 if target.decides(each.lab.amount) else None
        yield made
    for count in situation.of(counts):
        made = _value(patient, "platelets", count.lab, start, count.why_not)
        made.response = responses.get(count.lab.reference, None)
        yield made


def _responses(course: Situation) -> dict[str, str]:
    """What each usable count of a course means, by its reference; each result of a panel has its own."""
    answer = course.of(response)
    known = answer if isinstance(answer, Response) and course.patient.start_known else None
    return {count.lab.reference: known.category(count) for count in known.usable} if known is not None else {}


def _value(patient: str, kind: str, lab: Lab, start: Moment | None, why_not: str) -> Value:
    assert lab.moment is not None and lab.amount is not None
    return Value(
        patient=patient,
        kind=kind,
        on=lab.moment.day,
        day=start.days_to(lab.moment) if start is not None else None,
        value=float(lab.amount.value),
        comparator=lab.amount.comparator,
        usable=not why_not,
        why_not=why_not,
        reference=lab.reference,
    )


__all__ = ["Judged", "ResponseAt", "Wanted", "bundle_of", "digest", "judge", "response_at"]
