"""Platelet counts: which may be used to judge the response, and why the others may not."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate

from cds.chart.labs import distinct
from cds.chart.model import DrugUse, Lab
from cds.chart.times import Moment
from cds.facts.record import on_day, reported
from cds.facts.situation import Situation

COUNT = "x 10^9/L"


@dataclass(frozen=True, slots=True)
class Span:
    """Days on which counts mean something else, and why."""

    first: date
    last: date
    why: str
    references: tuple[str, ...]


def _longer(one: Span, other: Span) -> Span:
    return other if other.last > one.last else one


class Spans:
    """Spans to be asked by day."""

    def __init__(self, spans: list[Span]) -> None:
        ordered = sorted(spans, key=lambda span: (span.first, span.last))
        self._firsts = [span.first for span in ordered]
        # beside each, the one that lasts longest of those that begin no later
        self._longest = list(accumulate(ordered, _longer))

    def over(self, day: date) -> Span | None:
        """The span over ``day`` that lasts longest, or None."""
        place = bisect_right(self._firsts, day)
        longest = self._longest[place - 1] if place else None
        return longest if longest is not None and day <= longest.last else None


@dataclass(frozen=True, slots=True)
class Count:
    """A platelet count; ``why_not`` is empty when it may be used."""

    lab: Lab
    why_not: str = ""

    @property
    def moment(self) -> Moment:
        assert self.lab.moment is not None
        return self.lab.moment

    @property
    def value(self) -> Decimal:
        assert self.lab.amount is not None
        return self.lab.amount.value

    @property
    def comparator(self) -> str:
        assert self.lab.amount is not None
        return self.lab.amount.comparator

    def words(self) -> str:
        return reported(self.lab, COUNT)


def read_counts(situation: Situation) -> list[Count]:
    """Every readable count, newest first, each usable or with the reason why not."""
    spans = Spans(_spans(situation))
    clumped = [lab.moment for lab in situation.chart.lab("clumps") if lab.positive and lab.moment is not None]
    return [Count(lab, _why_not(lab, spans, clumped)) for lab in distinct(situation.chart.lab("platelets"))]


def _why_not(lab: Lab, spans: Spans, clumped: list[Moment]) -> str:
    assert lab.moment is not None
    if lab.wrong_specimen:
        return lab.wrong_specimen
    if lab.status == "preliminary":
        return "the result is preliminary"
    if any(moment == lab.moment or (moment.day == lab.moment.day and moment.at is None) for moment in clumped):
        return "platelets were clumped"
    span = spans.over(lab.moment.day)
    return span.why if span is not None else ""


def _spans(situation: Situation) -> list[Span]:
    chart, start = situation.chart, situation.course.start
    spans = []
    for event in chart.events:
        if event.moment is None:
            continue
        if event.name == "platelet-transfusion":
            spans.append(
                _after(
                    event.moment,
                    event.moment,
                    situation.days("transfusion_washout"),
                    "platelet transfusion",
                    event.reference,
                )
            )
        elif event.name == "splenectomy" and start is not None and event.moment.day >= start.day:
            spans.append(_rest("splenectomy", event.moment, event.reference))
    histories: dict[str, list[DrugUse]] = {}
    for drug in sorted((d for d in chart.drugs if not d.draft and d.start is not None), key=_begun):
        histories.setdefault(drug.name, []).append(drug)
    for drug in chart.drugs:
        known = not drug.draft and drug.start is not None
        span = _drug_span(situation, drug, start, histories[drug.name]) if known else None
        if span is not None:
            spans.append(span)
    return spans


def _drug_span(situation: Situation, drug: DrugUse, start: Moment | None, history: list[DrugUse]) -> Span | None:
    assert drug.start is not None
    last = drug.end or (situation_now(situation) if drug.status == "active" else drug.start)
    during = start is not None and drug.start.day >= start.day
    if drug.valueset == "immunoglobulin":
        until = drug.end or drug.start  # an infusion: the order's date is the dose, unless it says until when
        return _after(drug.start, until, situation.days("rescue_washout"), drug.name, drug.reference)
    if drug.valueset == "corticosteroid":
        return _steroid_span(situation, drug, during, last, history)
    if drug.valueset == "platelet-stimulator" and during:
        return _after(drug.start, last, situation.days("stimulator_washout"), drug.name, drug.reference)
    if drug.valueset == "rituximab" and during:
        return _rest(drug.name, drug.start, drug.reference)
    return None


def situation_now(situation: Situation) -> Moment:
    return Moment(situation.now.date(), situation.now)


def _steroid_span(
    situation: Situation, drug: DrugUse, during: bool, last: Moment, history: list[DrugUse]
) -> Span | None:
    """Started or raised during the course, or a short course before it; stable from before is no confounder.

    A steroid that goes on still spoils a baseline drawn shortly after it was started.
    """
    assert drug.start is not None
    days, start = situation.days("rescue_washout"), situation.course.start
    if during:
        raised = _raised(situation, drug, history)
        return _after(drug.start, last, days, f"{drug.name} started or raised", drug.reference) if raised else None
    if drug.end is not None and drug.start.days_to(drug.end) <= days:
        return _after(drug.start, last, days, f"a short course of {drug.name}", drug.reference)
    if start is None:
        return None
    until = min(drug.start.day + timedelta(days=days), start.day)
    return Span(
        drug.start.day,
        until,
        f"within {days} days after {drug.name} was started on {on_day(drug.start)}",
        (drug.reference,),
    )


def _raised(situation: Situation, drug: DrugUse, history: list[DrugUse]) -> bool:
    """Whether an order during the course is new or more than the one before it, not a renewal or a taper."""
    assert drug.start is not None
    gap = situation.days("course_gap")
    for before in reversed(history[: bisect_left(history, drug.start.sort_key(), key=_begun)]):
        if before.end is None or before.end.days_to(drug.start) <= gap:
            return before.per_day is None or drug.per_day is None or drug.per_day > before.per_day
    return True


def _begun(drug: DrugUse) -> tuple[date, datetime]:
    assert drug.start is not None
    return drug.start.sort_key()


def _plus(day: date, days: int) -> date:
    """``days`` later, or the last day there is."""
    return day + timedelta(days=days) if (date.max - day).days > days else date.max


def _after(first: Moment, last: Moment, days: int, what: str, reference: str) -> Span:
    why = f"within {days} days after {what} on {on_day(last)}"
    return Span(first.day, _plus(last.day, days), why, (reference,))


def _rest(what: str, moment: Moment, reference: str) -> Span:
    return Span(moment.day, date.max, f"after {what} on {on_day(moment)}", (reference,))
