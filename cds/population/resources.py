"""The results as FHIR R4: a MeasureReport of the landmarks, and a DetectedIssue for each critical finding and warning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cds.cards.build import TOPIC_SYSTEM
from cds.compiled.knowledge import Knowledge
from cds.population.cohort import Landmark, Summary
from cds.population.rows import Finding, Member

MEASURE = "urn:sirolimus-itp-cds:measure:response-at-landmark"
_POPULATION = "http://terminology.hl7.org/CodeSystem/measure-population"
_SEVERITY = {"critical": "high", "warning": "moderate"}


def measure_report(summary: Summary, patients: Sequence[Member]) -> dict[str, Any]:
    """The landmarks as a summary: of each, all members, those who could be judged, and those with a complete or partial response."""
    starts = [row.start.isoformat() for row in patients if row.start is not None]
    return {
        "resourceType": "MeasureReport",
        "status": "complete",
        "type": "summary",
        "measure": MEASURE,
        "date": summary.at,
        "period": {"start": min(starts, default=summary.at[:10]), "end": summary.at},
        "group": [_group(each, len(patients)) for each in summary.landmarks],
    }


def _group(each: Landmark, members: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "code": {"text": f"{each.months} months"},
        "population": [
            _population("initial-population", members),
            _population("denominator", each.evaluable),
            _population("numerator", each.overall.number),
        ],
        "stratifier": [{"code": [{"text": "response"}], "stratum": [_stratum(*told) for told in _strata(each)]}],
    }
    if each.evaluable:
        made["measureScore"] = {"value": round(each.overall.number / each.evaluable, 4)}
    return made


def _strata(each: Landmark) -> Iterator[tuple[str, int]]:
    yield from ((name, share.number) for name, share in each.responses.items())
    yield from each.otherwise.items()


def _stratum(value: str, number: int) -> dict[str, Any]:
    return {"value": {"text": value}, "population": [_population("initial-population", number)]}


def _population(code: str, number: int) -> dict[str, Any]:
    return {"code": {"coding": [{"system": _POPULATION, "code": code}]}, "count": number}


def detected_issues(findings: Iterable[Finding], knowledge: Knowledge) -> Iterator[dict[str, Any]]:
    """What needs attention, one resource per finding."""
    for each in findings:
        if each.indicator not in _SEVERITY:
            continue
        rule = knowledge.rule(each.rule)
        issue: dict[str, Any] = {
            "resourceType": "DetectedIssue",
            "status": "preliminary",
            "code": {"coding": [{"system": TOPIC_SYSTEM, "code": rule.topic, "display": rule.title}]},
            "severity": _SEVERITY[each.indicator],
            "patient": {"reference": f"Patient/{each.patient}"},
            "identifiedDateTime": each.at.isoformat(),
            "detail": each.summary,
        }
        if each.evidence:
            issue["implicated"] = [{"reference": reference} for reference in each.evidence]
        yield issue
