"""What is drawn: rows with a day, a value and a description in words. Nothing is judged here, and no free text is used.

Days are the source's own: a moment is given as its calendar day and clock time, whatever its UTC offset.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import chain
from string import ascii_lowercase
from typing import Any

from cds.advise import Advice
from cds.cards.build import NAMESPACE
from cds.chart.times import Moment
from cds.chart.words import NG_ML, on_day, reported, rounded, said
from cds.course.bleeding import grades
from cds.course.counts import counts
from cds.course.episodes import Episode
from cds.course.exposure import exposure
from cds.course.levels import levels
from cds.course.response import RESPONDS, Response, response
from cds.course.steroids import Equivalents
from cds.facts import Situation
from cds.facts.landmark import landmarks
from cds.timeline.ahead import doses_ahead, levels_ahead

Row = dict[str, Any]
_BEFORE = (21, 60)  # least and most days drawn before the course; between these, as many as the course has lasted
_EDGE, _EDGE_SHARE = 3, 30  # margin: at least this many days, or the time drawn divided by this
_CATEGORY = {"complete": "CR", "partial": "PR", "none": "NR", "": "not evaluable"}


@dataclass
class Timeline:
    """The rows of each panel. ``first`` and ``last`` bound the time that is drawn; ``target`` is that of the level, ``criteria`` are
    the counts of a partial and of a complete response.

    ``doses_ahead`` and ``levels_ahead`` are what is proposed and what would follow. ``reasons`` are why results were not used:
    the ``letter`` shown at their marks, ``why``, and the ``results``.
    """

    first: date
    last: date
    target: tuple[float, float]
    criteria: tuple[float, float]
    now: str
    start: date | None = None
    baseline: float | None = None
    counts: list[Row] = field(default_factory=list)
    levels: list[Row] = field(default_factory=list)
    doses: list[Row] = field(default_factory=list)
    steroids: list[Row] = field(default_factory=list)
    grades: list[Row] = field(default_factory=list)
    bars: list[Row] = field(default_factory=list)
    marks: list[Row] = field(default_factory=list)
    landmarks: list[Row] = field(default_factory=list)
    treg: list[Row] = field(default_factory=list)
    doses_ahead: list[Row] = field(default_factory=list)
    levels_ahead: list[Row] = field(default_factory=list)
    reasons: list[Row] = field(default_factory=list)

    @property
    def today(self) -> date:
        """The day as of which the chart was judged."""
        return date.fromisoformat(self.now[:10])

    def rows(self) -> Iterator[Row]:
        """Every row of every panel."""
        yield from chain(self.counts, self.levels, self.doses, self.steroids, self.grades, self.bars, self.marks)
        yield from chain(self.landmarks, self.treg, self.doses_ahead, self.levels_ahead)


def timeline(advice: Advice) -> Timeline:
    """The rows of a judged request, with the resulting cards."""
    situation = advice.situation
    numbers, course = situation.knowledge.protocol.numbers, situation.patient.course
    limits = situation.knowledge.definitions
    answer = situation.of(response)
    known = answer if isinstance(answer, Response) else None
    drawn = Timeline(
        situation.patient.now.date(),
        situation.patient.now.date(),
        (float(numbers["trough_low"]), float(numbers["trough_high"])),
        (float(limits["partial_count"]), float(limits["complete_count"])),
        situation.patient.now.strftime("%Y-%m-%d %H:%M"),
        course.start.day if course.start is not None else None,
        float(known.baseline.value) if known is not None and known.baseline is not None else None,
        counts=list(_counts(situation)),
        levels=list(_levels(situation)),
        doses=list(_doses(situation)),
        steroids=list(_steroids(situation)),
        grades=list(_grades(situation)),
        bars=list(_bars(situation)),
        marks=[*_events(situation), *_cards(advice)],
        landmarks=list(_landmarks(situation)),
        treg=list(_treg(situation)),
        doses_ahead=list(doses_ahead(advice)),
        levels_ahead=list(levels_ahead(advice)),
    )
    _give_letters(drawn)
    _bound(drawn)
    return drawn


def _give_letters(drawn: Timeline) -> None:
    """One letter for each reason, in order of time; results that share a reason share its letter. 26 are enough for a picture."""
    unused = sorted(
        (row for row in (*drawn.counts, *drawn.levels) if not row["usable"]), key=lambda row: str(row["at"])
    )
    for why, letter in zip(dict.fromkeys(row["why"] for row in unused), ascii_lowercase, strict=False):
        same = [row for row in unused if row["why"] == why]
        for row in same:
            row["letter"] = letter
        results = ", ".join(f"{row['name']} on {row['at'][:10]}" for row in same)
        drawn.reasons.append({"letter": letter, "why": why, "results": results})


def _bound(drawn: Timeline) -> None:
    """Bounds the time drawn: from some weeks before the course until the end of what is proposed."""
    days = [date.fromisoformat(row["at"][:10]) for row in drawn.rows()]
    begins = drawn.start or min(days, default=drawn.first)
    least, most = _BEFORE
    before = min(most, max(least, (drawn.today - begins).days))
    drawn.first = max(min([*days, begins]), begins - timedelta(days=before))
    ends = [date.fromisoformat(row["until"]) for row in drawn.doses_ahead]
    drawn.last = max([*days, *ends, drawn.last])
    edge = timedelta(days=max(_EDGE, (drawn.last - drawn.first).days // _EDGE_SHARE))
    drawn.first, drawn.last = drawn.first - edge, drawn.last + edge


def _at(moment: Moment) -> str:
    return moment.at.strftime("%Y-%m-%dT%H:%M") if moment.at is not None else f"{moment.day.isoformat()}T12:00"


def _counts(situation: Situation) -> Iterator[Row]:
    for each in situation.of(counts):
        say = f"Platelets {each.words()}" + (f"; not used: {each.why_not}" if each.why_not else "")
        row = {
            "at": _at(each.moment),
            "value": max(float(each.value), 0.5),
            "name": f"{each.comparator}{said(each.value)}",
            "say": say,
        }
        yield row | {"usable": not each.why_not, "why": each.why_not}


def _levels(situation: Situation) -> Iterator[Row]:
    for each in situation.of(levels):
        assert each.lab.moment is not None and each.lab.amount is not None
        usable, amount = each.verdict == "usable", each.lab.amount
        say = f"Sirolimus level {reported(each.lab, NG_ML)}: {'usable, ' if usable else 'not used, '}{each.why}"
        name = f"{amount.comparator}{rounded(amount.value, '0.01')}"
        row = {"at": _at(each.lab.moment), "value": float(amount.value), "name": name, "say": say}
        yield row | {"usable": usable, "why": "" if usable else each.why}


def _doses(situation: Situation) -> Iterator[Row]:
    course = situation.patient.course
    if course.conflict:  # it is not known what is taken
        begins = min(order.start.day for order in course.conflict if order.start is not None)
        until = (situation.patient.now.date() + timedelta(days=1)).isoformat()
        say = f"Sirolimus: not known in which dose from {begins.isoformat()}, for orders contradict one another"
        yield {"at": begins.isoformat(), "until": until, "value": None, "name": "not known", "say": say}
        return
    for stretch in exposure(course, situation.patient.now, situation.days("resume_gap")):
        say = f"Sirolimus {stretch.words} from {stretch.start.isoformat()} to {stretch.end.isoformat()}"
        yield {
            "at": stretch.start.isoformat(),
            "until": (stretch.end + timedelta(days=1)).isoformat(),
            "value": float(stretch.per_day) if stretch.per_day is not None else None,
            "name": said(stretch.per_day) if stretch.per_day else "not known" if stretch.per_day is None else "held",
            "say": say,
        }


def _steroids(situation: Situation) -> Iterator[Row]:
    equivalents: Equivalents = situation.case["equivalents"]
    for episode in situation.episodes("corticosteroid"):
        for use in episode.uses:
            dose = equivalents.prednisone(use)
            if use.start is None or dose is None:
                continue
            unknown = use.end is None and use.status != "active" and not use.given
            end = (
                use.end.day
                if use.end is not None
                else use.start.day
                if unknown or use.given
                else situation.patient.now.date()
            )
            until = "not known when" if unknown else on_day(use.end) if use.end is not None else "now"
            say = f"{use.name}: {said(dose)} mg/day as prednisone, from {on_day(use.start)} until {until}"
            days = (use.start.day, end + timedelta(days=1))
            row = {"at": days[0].isoformat(), "until": days[1].isoformat(), "value": float(dose), "say": say}
            yield row | {"name": rounded(dose, "1")}


def _grades(situation: Situation) -> Iterator[Row]:
    """Bleeding as it was graded."""
    for lab in situation.of(grades):
        assert lab.moment is not None and lab.amount is not None
        say = f"Bleeding of WHO grade {said(lab.amount.value)} on {on_day(lab.moment)}"
        yield {"at": _at(lab.moment), "value": float(lab.amount.value), "say": say}


def _bars(situation: Situation) -> Iterator[Row]:
    known = situation.knowledge
    raises = [
        each for each in known.with_role("raises platelets") if each != "corticosteroid"
    ]  # corticosteroids have rows of their own
    for kind, sets in (("moves the level", known.with_role("inhibitor", "inducer")), ("raises counts", raises)):
        for episode in situation.episodes(*sets):
            if episode.start is not None:
                yield _bar(situation, episode, episode.start, kind)


def _bar(situation: Situation, episode: Episode, start: Moment, kind: str) -> Row:
    end = (
        episode.end.day
        if episode.end is not None
        else start.day
        if episode.end_unknown
        else situation.patient.now.date()
    )
    until = on_day(episode.end) if episode.end is not None else "not known when" if episode.end_unknown else "now"
    return {
        "at": start.day.isoformat(),
        "until": max(end, start.day + timedelta(days=1)).isoformat(),
        "name": episode.name,
        "kind": kind,
        "say": f"{episode.name} ({kind}) from {on_day(start)} until {until}",
    }


def _events(situation: Situation) -> Iterator[Row]:
    for event in situation.chart.events:
        if event.moment is not None:
            name = event.name.replace("-", " ")
            yield {"at": _at(event.moment), "name": name, "kind": "event", "say": f"{name} on {on_day(event.moment)}"}
    for problem in situation.chart.problems:
        if problem.name in ("bleeding", "skin-bleeding") and problem.onset is not None:
            say = f"{problem.display.lower()} on {on_day(problem.onset)}"
            yield {"at": _at(problem.onset), "name": "bleeding", "kind": "bleeding", "say": say}


def _cards(advice: Advice) -> Iterator[Row]:
    """Each card on the newest day of the facts that made it speak, or on the day of judging."""
    dates = advice.situation.facts.dates
    for card in advice.cards:
        named = [dates[fact] for found in card["extension"].get(f"{NAMESPACE}.findings", ()) for fact in found.get("facts", ()) if fact in dates]  # fmt: skip
        day = max(named, default=advice.situation.patient.now.date())
        yield {
            "at": f"{day.isoformat()}T12:00",
            "name": "cards",
            "kind": card["indicator"],
            "say": card["summary"],
        }


def _landmarks(situation: Situation) -> Iterator[Row]:
    start, found = situation.patient.course.start, situation.of(landmarks)
    if start is None or not isinstance(found, list):
        return
    latest = situation.patient.now.date() + timedelta(days=3)
    for each in found:
        opens, closes = (start.day + timedelta(days=day) for day in (each.first, each.last))
        category = _CATEGORY[each.category] if each.judged else "no usable count"
        category += " (unconfirmed)" if each.category in RESPONDS and not each.confirmed else ""
        yield {
            "at": opens.isoformat(),
            "until": min(closes + timedelta(days=1), latest).isoformat(),
            "name": f"{each.months} mo: {category}",
            "say": f"{each.months}-month landmark, days {each.first} to {each.last}: {category}",
        }


def _treg(situation: Situation) -> Iterator[Row]:
    for lab in situation.chart.lab("treg"):
        if lab.amount is not None and lab.moment is not None and not lab.amount.comparator:
            say = f"Regulatory T cells {said(lab.amount.value)} on {on_day(lab.moment)}, LOINC {lab.code}"
            yield {"at": _at(lab.moment), "value": float(lab.amount.value), "code": f"LOINC {lab.code}", "say": say}
