"""The whole of the oracle on a page: one chart in, the rules that fire out.

rules/*.yaml: which rule yields to which.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.oracle import (
    danger,
    dosing,
    harms,
    interactions,
    levels,
    monitoring,
    partners,
    prescribing,
    readings,
    response,
    safety,
)
from tests.oracle.codes import LEVELS, NOT_BLOOD, SIROLIMUS
from tests.oracle.course import Course, read_course, sirolimus, still_counts
from tests.oracle.directions import direction
from tests.oracle.fhir import read
from tests.oracle.offers import Asked, offers
from tests.oracle.record import Record

STOP_COUNTS = 28  # days
RAISE_THE_LEVEL = {("ciclosporin", "warning"), ("duplicate-mtor-or-calcineurin-inhibitor", "warning")}

COVERED = [
    "dose-above-window",
    "dose-far-above-window",
    "dose-above-daily-maximum",
    "dose-below-window",
    "dose-change-too-soon",
    "child-dose-by-size",
    "step-down-to-maintenance",
    "duplicate-orders",
    "trough-low",
    "trough-low-in-response",
    "trough-high",
    "trough-critical",
    "trough-not-usable",
    "trough-overdue",
    "exposure-shift",
    "response-complete",
    "response-partial",
    "response-lost",
    "response-none",
    "response-none-unexposed",
    "response-not-evaluable",
    "platelet-count-not-usable",
    "strong-inhibitor",
    "strong-inducer",
    "moderate-modulator",
    "ciclosporin",
    "interacting-drug-stopped",
    "allergy",
    "anaemia",
    "breastfeeding",
    "contraception",
    "hepatitis-b",
    "hyperglycaemia",
    "hyperlipidaemia",
    "liver-enzymes",
    "neutropenia",
    "pneumonitis",
    "pregnancy",
    "proteinuria",
    "renal-decline",
    "serious-infection",
    "surgery-planned",
    "bleeding-with-low-platelets",
    "low-platelets-adult",
    "low-platelets-child",
    "falling-platelets-on-sirolimus",
    "steroid-dependence",
    "pjp-prophylaxis",
    "monitoring-overdue",
    "baseline-workup",
    "hepatic-impairment",
    "not-second-line",
    "outside-protocol-population",
    "assay-changed",
    "ace-inhibitor",
    "bleeding-risk-drug",
    "duplicate-mtor-or-calcineurin-inhibitor",
    "food-and-herbal",
    "live-vaccine",
    "stomatitis",
    "malignancy",
    "thrombosis",
    "taper-in-response",
]

YIELDS_TO = {  # "rules before which this one falls silent when they hold too", whether or not those are silent in turn
    "dose-above-window": {"dose-far-above-window", "dose-above-daily-maximum"},
    "dose-far-above-window": {"dose-above-daily-maximum"},
    "trough-high": {"trough-critical"},
    "trough-low": {"trough-critical"},
    "trough-low-in-response": {"trough-critical"},
    "trough-not-usable": {"trough-critical"},
    "trough-overdue": {"trough-not-usable"},
    "exposure-shift": {"trough-critical"},
    "response-none": {"response-lost"},
    "response-none-unexposed": {"response-lost"},
    "platelet-count-not-usable": {"response-not-evaluable"},
    "step-down-to-maintenance": {
        "dose-above-window",
        "dose-far-above-window",
        "trough-low",
        "trough-low-in-response",
        "trough-high",
        "trough-critical",
        "falling-platelets-on-sirolimus",
    },
}


@dataclass
class Reading:
    """A chart, read: what all rules look at."""

    record: Record
    course: Course
    judged: levels.Levels
    seen: response.Response
    dose: dosing.Dosing
    harms: list[str]


def reading(body: dict[str, Any], now: datetime) -> Reading:
    """The record of a chart, and what it says of the course, the levels, the response, the dose and harm."""
    record = read(body, now)
    blood = [v for v in record.values if LEVELS.get(v.code, "rejected") != "rejected"]
    blood = [v for v in blood if not any(word in v.specimen for word in NOT_BLOOD)]
    course = read_course(record, blood)
    if course.start is not None and not (record.ordering and course.over(record.today)):
        # ITP as the reason of any order of the course: renewals inherit it
        record.itp = record.itp or any(o.itp for o in sirolimus(record) if o.start >= course.start)
    judged = levels.read_levels(record, course)
    seen = response.read_response(record, course)
    dose = dosing.read_dosing(record, course)
    return Reading(record, course, judged, seen, dose, harms.harms(record, course, judged, seen, dose))


def rise_withheld(body: dict[str, Any], now: datetime) -> bool:
    """ "While one of the harms below is true, nothing offers more" (rule-semantics, Advice as a whole)."""
    return bool(reading(body, now).harms)


def expected(body: dict[str, Any], now: datetime) -> dict[str, tuple[str, str, frozenset[str]]]:
    """The ids of the covered rules that fire, each with its indicator, its direction and what its card offers."""
    found = reading(body, now)
    heard = _heard(found)
    seen = found.seen
    asked = Asked(
        found.record,
        found.course,
        found.judged,
        found.dose,
        _withheld(found, heard),
        _unsettled(found),
        seen.in_response,
        seen.unlooked,
        heard,
    )
    offered = offers(asked)
    return {rule: (indicator, direction(rule, indicator, of), offered[rule]) for rule, (indicator, of) in heard.items()}


def _unsettled(found: Reading) -> bool:
    return "an inhibitor that no level has answered" in found.harms


def _withheld(found: Reading, heard: dict[str, tuple[str, str]]) -> bool:
    """Whether something withholds a rise: a harm, or what raises the level and no level has shown yet."""
    if found.harms or not readings.WHAT_RAISES_THE_LEVEL_WITHHOLDS:
        return bool(found.harms)
    if harms.too_ill_for_more(found.record):
        return True
    record, usable = found.record, [level.day for level in found.judged.usable]
    nursing = any(problem.active and problem.kind == "breastfeeding" for problem in record.problems)
    second = partners.second_mtor_inhibitor(record, found.course)
    raised = {(rule, urgency) for rule, (urgency, _) in heard.items()} & RAISE_THE_LEVEL
    eaten = heard.get("food-and-herbal", ("", ""))[1] == "inhibitor"
    stopped = interactions.stopped(record, found.course, usable, inducers=True)
    return nursing or second or bool(raised) or eaten or bool(stopped)


def _heard(found: Reading) -> dict[str, tuple[str, str]]:
    """The rules that fire and do not yield, each with its indicator and what it speaks of."""
    record, course, judged, seen, dose = found.record, found.course, found.judged, found.seen, found.dose
    no_rise = _withheld(found, {}) or seen.in_response or seen.unlooked
    answered = dosing.answered(record, course, judged, dose, no_rise)
    restart = harms.restart_after_harm(record, course, judged)
    goes_on = _goes_on(record, course, judged)
    fires = dosing.rules(record, course, judged, seen, dose, bool(found.harms), restart)
    fires |= levels.rules(record, course, judged, seen, answered)
    if not record.ordering and still_counts(record, course):
        fires |= response.rules(record, course, seen, judged.exposed)
    fires |= interactions.rules(record, course, judged)
    fires |= partners.rules(record, course, seen)
    fires |= prescribing.rules(record, course, judged, dose, goes_on)
    fires |= monitoring.rules(record, course)
    fires |= safety.rules(record, course, dose, goes_on)
    fires |= danger.rules(record, course, seen, judged, dose, goes_on)
    return {rule: card for rule, card in fires.items() if not set(fires) & YIELDS_TO.get(rule, set())}


def _goes_on(record: Record, course: Course, judged: levels.Levels) -> bool:
    """A level of the last 100 days, without any order or drawn more than 28 days after the end of the last one.

    Or, without any order, a dose that was given in the last 28 days.
    """
    young = [lv for lv in judged.all if (record.today - lv.day).days <= levels.LEVEL_MAX_AGE]
    given = [w for code, w in record.given if code in SIROLIMUS and (record.today - w.day).days <= STOP_COUNTS]
    return bool(young or given) if course.start is None else levels.goes_on(record, course, judged)
