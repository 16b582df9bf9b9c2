"""Platelet counts: which may be used to judge the response, and why the others may not."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate

import msgspec
from msgspec.structs import replace

from cds.chart.model import DrugUse, Lab
from cds.chart.samples import distinct
from cds.chart.times import Moment
from cds.chart.words import on_day, reported
from cds.course.episodes import Episode
from cds.course.kinds import Episodes, Events, Labs, Uses, WashoutEpisodes
from cds.course.patient import Patient
from cds.plan.declare import Numbers, part

PRINTED = "x 10^9/L"
_WORSE = "a lower count of the same day is judged: it is not known which of the two is newer"
_LATEST = datetime.max.replace(tzinfo=UTC)


class Span(msgspec.Struct, frozen=True):
    """Time from ``first`` to the end of ``last`` in which counts mean something else, and why."""

    first: Moment
    last: date
    why: str


def _longer(one: Span, other: Span) -> Span:
    return other if other.last > one.last else one


class Spans:
    """Spans that are looked up by the moment of a count."""

    def __init__(self, spans: list[Span]) -> None:
        self._ordered = ordered = sorted(spans, key=lambda span: (span.first.sort_key(), span.last))
        self._firsts = [span.first.sort_key() for span in ordered]
        # for each span, the one that ends last among those that begin no later
        self._longest = list(accumulate(ordered, _longer))

    def over(self, drawn: Moment) -> Span | None:
        """The span that covers a draw and ends last, or None.

        A draw counts as before an event of its day only if both times are known.
        """
        key = drawn.sort_key() if drawn.at is not None else (drawn.day, _LATEST)
        place = bisect_right(self._firsts, key)
        longest = self._longest[place - 1] if place else None
        return longest if longest is not None and drawn.day <= longest.last else None

    def latest_over(self, drawn: Moment) -> Span | None:
        """The span that covers a draw and began last, or None. It may scan all spans: call it for one count, not for each."""
        key = drawn.sort_key() if drawn.at is not None else (drawn.day, _LATEST)
        begun = self._ordered[: bisect_right(self._firsts, key)]
        return next((span for span in reversed(begun) if drawn.day <= span.last), None)


class Count(msgspec.Struct, frozen=True):
    """A platelet count; ``why_not`` is empty when it may be used."""

    lab: Lab
    why_not: str = ""
    confounded: bool = False  # another treatment explains the count
    for_good: bool = False  # for the rest of the course
    since: date | None = None  # of the newest confounded count: when the newest treatment that explains it began

    @property
    def moment(self) -> Moment:
        assert self.lab.moment is not None
        return self.lab.moment

    @property
    def value(self) -> Decimal:
        assert self.lab.amount is not None
        return self.lab.amount.value

    @property
    def at_most(self) -> Decimal:
        """The count, or for one that is reported as less than a number the next lower whole number: it must not pass for that number."""
        return max(self.value - 1, Decimal(0)) if self.comparator == "<" else self.value

    @property
    def comparator(self) -> str:
        assert self.lab.amount is not None
        return self.lab.amount.comparator

    def rank(self) -> tuple[Decimal, str]:
        """The lower, the worse."""
        return self.value, self.lab.reference

    def words(self) -> str:
        return reported(self.lab, PRINTED)


class Washouts(Numbers, frozen=True):
    """Days for which a transfusion, or a rescue, explains a count."""

    transfusion_washout: int
    rescue_washout: int


@part
def spans(
    patient: Patient,
    platelet_transfusion_events: Events,
    splenectomy_events: Events,
    immunoglobulin_uses: Uses,
    corticosteroid_episodes: Episodes,
    rituximab_episodes: Episodes,
    washout_episodes: WashoutEpisodes,
    washouts: Washouts,
    washout_days: dict[str, int],
) -> Spans:
    """The times in which another treatment explains a count."""
    now = Moment(patient.now.date(), patient.now)
    start = patient.course.start
    found = [
        _after(each.moment, each.moment, washouts.transfusion_washout, "platelet transfusion")
        for each in platelet_transfusion_events
        if each.moment is not None
    ]
    for event in splenectomy_events:
        if event.moment is not None and start is not None and event.moment.day >= start.day:
            found.append(_rest("splenectomy", event.moment))
    found += [_of_infusion(use, use.start, now, washouts) for use in immunoglobulin_uses if use.start and not use.draft]
    for episode in corticosteroid_episodes:
        if episode.start is not None:
            last = _last(episode, episode.start, now)
            found += _steroid_spans(episode, episode.start, start, last, washouts.rescue_washout)
    for episode in rituximab_episodes:
        if episode.start is not None and start is not None and episode.start.day >= start.day:
            found.append(_rest(episode.name, episode.start))
    for episode in washout_episodes:
        if episode.start is not None:
            last = _last(episode, episode.start, now)
            found += _raised_span(episode, episode.start, start, last, washout_days[episode.washout])
    return Spans(found)


@part
def counts(platelets_labs: Labs, clumps_labs: Labs, spans: Spans) -> list[Count]:
    """Every readable count, newest first, each usable or with the reason why not."""
    clumped = [lab.moment for lab in clumps_labs if lab.positive and lab.moment is not None]
    counts = [_count(lab, spans, clumped) for lab in distinct(platelets_labs)]
    for place, count in enumerate(counts):
        if count.confounded:
            latest = spans.latest_over(count.moment)
            counts[place] = replace(count, since=latest.first.day if latest is not None else None)
            break
    return _worst_of_each_day(counts)


def _worst_of_each_day(counts: list[Count]) -> list[Count]:
    """Of usable counts on one day whose order is not known, only the lowest is judged."""
    lowest: dict[date, Count] = {}
    untimed: dict[date, Count] = {}
    for count in counts:
        if not count.why_not:
            day = count.moment.day
            lowest[day] = min(lowest.get(day, count), count, key=Count.rank)
            if count.moment.at is None:
                untimed[day] = min(untimed.get(day, count), count, key=Count.rank)

    def better(count: Count) -> bool:
        among = lowest if count.moment.at is None else untimed  # two with a time are in a known order
        other = among.get(count.moment.day)
        return not count.why_not and other is not None and other.rank() < count.rank()

    return [replace(count, why_not=_WORSE) if better(count) else count for count in counts]


def _count(lab: Lab, spans: Spans, clumped: list[Moment]) -> Count:
    assert lab.moment is not None
    if lab.wrong_specimen:
        return Count(lab, lab.wrong_specimen)
    if lab.status == "preliminary":
        return Count(lab, "the result is preliminary")
    if any(_one_sample(moment, lab.moment) for moment in clumped):
        return Count(lab, "platelets were clumped")
    span = spans.over(lab.moment)
    if span is None:
        return Count(lab)
    return Count(lab, span.why, confounded=True, for_good=span.last == date.max)


def _one_sample(one: Moment, other: Moment) -> bool:
    return one.day == other.day and (one.at is None or other.at is None or one.at == other.at)


def _of_infusion(use: DrugUse, start: Moment, now: Moment, washouts: Washouts) -> Span:
    """The span after an infusion: the order's date is that of the dose, unless the order has an end or repeats."""
    goes_on = use.status == "active" and use.repeats and use.end is None
    return _after(start, now if goes_on else use.end or start, washouts.rescue_washout, use.name)


def _last(episode: Episode, begun: Moment, now: Moment) -> Moment:
    return episode.end or (begun if episode.end_unknown else now)


def _raised_span(episode: Episode, begun: Moment, start: Moment | None, last: Moment, days: int) -> list[Span]:
    """The span of a drug that raises platelets: it was started, or its dose raised, during the course."""
    during = start is not None and begun.day >= start.day
    raised = begun if during else _first_raise(episode, start)
    word = "started" if during else "raised"
    return [_after(raised, last, days, f"{episode.name} {word}")] if raised is not None else []


def _steroid_spans(episode: Episode, begun: Moment, start: Moment | None, last: Moment, days: int) -> list[Span]:
    """Spans of a steroid that was started or raised during the course, or given as a short course before it.

    A stable dose from before is no confounder. But a steroid that goes on makes a baseline unusable that is drawn shortly after
    the steroid was started.
    """
    if start is not None and begun.day >= start.day:
        return [_after(begun, last, days, f"{episode.name} started")]
    raised = _first_raise(episode, start)
    spans = [_after(raised, last, days, f"{episode.name} raised")] if raised is not None else []
    if episode.end is not None and begun.days_to(episode.end) <= days:
        spans.append(_after(begun, last, days, f"a short course of {episode.name}"))
    elif start is not None:
        until = min(_plus(begun.day, days), start.day)
        spans.append(Span(begun, until, f"within {days} days after {episode.name} was started on {on_day(begun)}"))
    before = _last_raise(episode, start)
    if before is not None and start is not None:
        until = min(_plus(before.day, days), start.day)
        spans.append(Span(before, until, f"within {days} days after {episode.name} was raised on {on_day(before)}"))
    return spans


def _raises(episode: Episode) -> Iterator[Moment]:
    """The times at which an order asks for more than the one before it; unknown doses are skipped."""
    known: Decimal | None = None
    for use in episode.uses:
        if use.per_day is None or use.start is None:
            continue
        if known is not None and use.per_day > known:
            yield use.start
        known = use.per_day


def _first_raise(episode: Episode, start: Moment | None) -> Moment | None:
    """The first raise during the course."""
    return next((each for each in _raises(episode) if start is not None and each.day >= start.day), None)


def _last_raise(episode: Episode, start: Moment | None) -> Moment | None:
    """The last raise before the course."""
    return next((each for each in reversed(list(_raises(episode))) if start is not None and each.day < start.day), None)


def _plus(day: date, days: int) -> date:
    """``days`` later, or the last day there is."""
    return day + timedelta(days=days) if (date.max - day).days > days else date.max


def _after(first: Moment, last: Moment, days: int, what: str) -> Span:
    return Span(first, _plus(last.day, days), f"within {days} days after {what}, last on {on_day(last)}")


def _rest(what: str, moment: Moment) -> Span:
    return Span(moment, date.max, f"after {what} on {on_day(moment)}")
